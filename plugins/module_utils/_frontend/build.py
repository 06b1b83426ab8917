# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install and build a frontend when an input changed, and prove the URLs in its client scripts."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from .._host.files import write_atomic
from .._host.proc import available_memory
from .._host.progress import Say, unwatched
from .._host.redaction import redacted, secrets_of
from .aside import aside, recover
from .build_env import INSTALL_VARIABLES, build_variables
from .build_plan import BuildRecord, digest
from .build_remedy import build_remedy_for
from .bundle import Findings, complaint, search
from .commands import clean_env, end_orphans, find_in_path, run_command, with_programs_of
from .compiler_output import compiler_message
from .errors import BuildError, CommandError
from .frontend import (
    BuildOptions,
    Frontend,
    build_sources,
    chunk_digests,
    output_package,
    override_files,
    read_frontend,
    variables,
    why_build,
)
from .install_remedy import remedy_for
from .installation import (
    TO_BE_MADE,
    install_packages,
    installation_id,
    list_packages,
    packages_damage,
    recover_packages,
    why_install,
)
from .manager_install import install_manager, manager_path
from .memory import PeakMemory, shortage
from .misplaced import outputs_since, why_no_output
from .modules import packages_named
from .output import (
    build_id,
    client_routes,
    client_scripts,
    incomplete,
    is_next_build,
    lasting_files,
    record_path,
    server_scripts,
)
from .platform import read_platform, refuse_other_platform
from .public_env import public_prefixes, with_prefixes
from .routes import holding, unloaded
from .server import Server, complete_standalone, refuse_export, server_of
from .shipment import pack, unpack


@dataclass
class BuildOutcome:
    """What was done, or would be done.

    :param routes: The routes that load each expected URL.
    :param server: Server of the build.
    :param platform: Of this machine, if a build is due that another one may make.
    """

    install_reasons: list[str] = field(default_factory=list)
    build_reasons: list[str] = field(default_factory=list)
    build_id: str = ""
    revision: str = ""
    findings: Findings = field(default_factory=lambda: search({}, (), ()))
    routes: dict[str, list[str]] = field(default_factory=dict)
    server: Server = field(default_factory=Server)
    override_files: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    duration_s: float = 0.0
    output_tail: list[str] = field(default_factory=list)
    platform: dict[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.install_reasons or self.build_reasons)


def build_frontend(options: BuildOptions, outcome: BuildOutcome, *, predicting: bool, say: Say = unwatched) -> None:
    """Compare the build with its inputs, and install and build if it differs.

    :param outcome: Filled in step by step, so that it is of use after a failure, too.
    :param predicting: Change nothing.
    :param say: Told what is being done.
    :raises BuildError: If there is no frontend, or an installation or a build fails.
    """
    env = clean_env()
    exists, no_node = os.path.isdir(options.path), find_in_path("node", env) is None
    if predicting and not exists:
        _miss(outcome, f"{options.path} does not exist yet")
        return
    if not exists:
        raise BuildError(f"the directory {options.path} does not exist")
    if no_node and not predicting:
        raise BuildError(f"Node.js is not installed (looked for node in {env['PATH']})")
    options = replace(options, env=with_prefixes(options.env, public_prefixes(output_package(options))))
    if not predicting:
        _clean_up(options)
    front = read_frontend(options, env)
    if no_node and not front.inputs.node_version:
        _miss(outcome, "Node.js is not installed yet")
        return
    _check_override_files(options, outcome)
    scripts = client_scripts(front.output)
    outcome.findings = search(scripts, options.expected_urls, options.forbidden_urls)
    outcome.routes = _routes_of(front.output, scripts, outcome.findings)
    # Packages that are damaged while the build is right are installed as well: the server needs them.
    outcome.install_reasons = why_install(front)
    outcome.build_reasons = why_build(front, outcome.findings, scripts)
    outcome.build_id = build_id(front.output)
    outcome.server = _server(front, options)
    outcome.revision = _revision(front, TO_BE_MADE if outcome.install_reasons else installation_id(front.base))
    if options.for_platform is not None and not no_node:
        refuse_other_platform(read_platform(env), options.for_platform)
    if outcome.changed and not no_node:
        # Told before anything is changed.
        manager_path(front.manager, env)
    if outcome.install_reasons and predicting and front.manager.ignored:
        outcome.warnings.append(_ignored_locks(front))
    if outcome.build_reasons and predicting and not no_node:
        _foresee(front, options, env, outcome)
    if outcome.changed and not predicting:
        _run(front, options, env, outcome, say)
        outcome.revision = _revision(front, installation_id(front.base))
    if options.pack_to and not predicting:
        say("pack the build", "")
        pack(front.output, options.pack_to, "cache" if is_next_build(output_package(options), front.output) else "")


def _ignored_locks(front: Frontend) -> str:
    """What may install other packages than those that were meant."""
    manager, others = front.manager, " and ".join(front.manager.ignored)
    return (
        f"{front.base} has {others} beside {manager.lock_file}, by which {manager.name} installs the packages. Delete "
        "what is left over from another package manager, or declare the right one as packageManager in package.json."
    )


def _revision(front: Frontend, installation: str) -> str:
    """Return what decides what the server runs, apart from the build.

    A process keeps what it has loaded, so it is started again after an installation, even of the same packages.
    """
    return digest(f"{front.inputs.fingerprint()} {installation}")[:16]


def _foresee(front: Frontend, options: BuildOptions, env: Mapping[str, str], outcome: BuildOutcome) -> None:
    """Tell what a build on another machine must fit, or whether this one has the memory for it."""
    if options.build_on == "controller":
        outcome.platform = read_platform(env)
        return
    lack = shortage(front.record.memory if front.record else 0, available_memory())
    if lack:
        outcome.warnings.append(lack)


def _miss(outcome: BuildOutcome, what: str) -> None:
    """Everything is to be made, after an earlier step has made something."""
    outcome.install_reasons, outcome.build_reasons = [what], [what]


def _clean_up(options: BuildOptions) -> None:
    """Restore what a killed run has left half-made."""
    end_orphans(options.path)
    next_build = is_next_build(output_package(options), options.output)
    recover(options.output, record_path(options.output, next_build=next_build))
    recover_packages(options)


def _check_override_files(options: BuildOptions, outcome: BuildOutcome) -> None:
    outcome.override_files = override_files(options.path, variables(options.env))
    if not outcome.override_files:
        return
    named = "; ".join(f"{name} defines {', '.join(keys)}" for name, keys in outcome.override_files.items())
    sentence = f"files in {options.path} define public variables differently: {named}"
    if options.on_override_files == "refuse":
        raise BuildError(f"{sentence}; remove these lines, or set on_override_files to report")
    outcome.warnings.append(sentence[0].upper() + sentence[1:] + ".")


def _run(front: Frontend, options: BuildOptions, env: Mapping[str, str], outcome: BuildOutcome, say: Say) -> None:
    began = time.monotonic()
    deadline = began + options.timeout_s
    public, extra, private = (variables(each) for each in (options.env, options.build_env, options.install_env))
    install_env = {**env, **INSTALL_VARIABLES, **private}
    try:
        programs = manager_path(front.manager, env)
        if programs is None:
            programs = install_manager(front.manager, front.base, front.path, install_env, deadline, say)
        if programs:
            path = os.pathsep.join((programs, env["PATH"]))
            env, install_env = {**env, "PATH": path}, {**install_env, "PATH": path}
        if outcome.install_reasons:
            install_packages(front, install_env, deadline, say)
        if outcome.build_reasons:
            # Files such as .yarnrc.yml name the variables of the installation, whose values a build must not have.
            unset = dict.fromkeys(private, "")
            found = with_programs_of(env, [front.path, front.base])
            build_env = {**unset, **found, **build_variables(output_package(options)), **extra, **public}
            build = _Build(front, options, build_env, install_env, deadline, say)
            scripts, outcome.findings = _build_surely(build, outcome)
            outcome.routes = _routes_of(front.output, scripts, outcome.findings)
            # What builds change in packages is expected from now on.
            list_packages(front)
        outcome.server = _server(front, options)
    except CommandError as err:
        secrets = secrets_of({**extra, **private})
        outcome.output_tail = [redacted(line, secrets) for line in compiler_message(err.output)]
        said = "\n".join(outcome.output_tail)
        installing, building = front.manager.install_command, list(options.build_command)
        remedy = remedy_for(err.output) if err.command == installing else ""
        if list(err.command) == building:
            remedy = build_remedy_for(err.output)
        raise BuildError(
            "; ".join(part for part in (str(err), remedy, "nothing that was built before is lost") if part)
            + (f"; its output:\n{said}" if said else "")
        ) from err
    finally:
        outcome.duration_s = round(time.monotonic() - began, 2)
    outcome.build_id = build_id(front.output)


def _server(front: Frontend, options: BuildOptions) -> Server:
    return server_of(front.path, front.output, output_package(options), [front.path, front.base])


def _routes_of(output: str, scripts: Mapping[str, str], findings: Findings) -> dict[str, list[str]]:
    routes = client_routes(output, scripts)
    return {url: [route.name for route in holding(routes, names)] for url, names in findings.found.items()}


@dataclass(frozen=True)
class _Build:
    """A build that is to be made.

    :param env: Environment of the build command.
    :param install_env: Environment of an installation.
    :param deadline: By the clock of ``time.monotonic()``.
    """

    front: Frontend
    options: BuildOptions
    env: Mapping[str, str]
    install_env: Mapping[str, str]
    deadline: float
    say: Say


def _build_surely(build: _Build, outcome: BuildOutcome) -> tuple[dict[str, str], Findings]:
    """Build; once more with new packages if that fails and the packages may be the cause."""
    try:
        return _build(build)
    except CommandError as err:
        if outcome.install_reasons or time.monotonic() >= build.deadline:
            raise
        damage = packages_damage(build.front)
        if damage is not None and not damage:
            raise
        why = packages_named(damage) if damage else "its packages were not installed by this module"
        try:
            install_packages(build.front, build.install_env, build.deadline, build.say)
        except (CommandError, BuildError):
            raise err from None
        outcome.install_reasons = [f"the build failed, and {why}"]
        outcome.warnings.append(f"The build failed, and {why}, so they were installed again.")
        return _build(build)


def _make(build: _Build) -> tuple[int, str]:
    """Make the output directory, and return the bytes of memory that it took, and what the command printed.

    If another machine made the build, these are the memory of the last one here, and nothing.
    """
    front, options, say = build.front, build.options, build.say
    if options.archive:
        say("unpack the build of the controller", "")
        unpack(options.archive, front.output)
        return (front.record.memory if front.record else 0), ""
    say("build", "")
    memory = PeakMemory()
    with memory.measured():
        said = run_command(
            options.build_command, front.path, build.env, build.deadline, marker=front.path, watch=partial(say, "build")
        )
    return memory.peak, said


def _expectation(front: Frontend, options: BuildOptions, findings: Findings) -> str:
    """Return why an expected URL may be in no client script."""
    if findings.missing and search(server_scripts(front.output), findings.missing, []).found:
        return (
            "only the code of its server has the URL: if that writes it into the pages, set staging_frontend_url_at to "
            "start, which proves the page that is served"
        )
    return f"the sources do not seem to use the public variables given ({', '.join(sorted(options.env)) or 'none'})"


def _build(build: _Build) -> tuple[dict[str, str], Findings]:
    """Build and prove; the previous output is restored if either fails.

    :returns: The client scripts, and what they contain.
    """
    front, options = build.front, build.options
    with aside(front.output, front.record_path, cache="cache" if front.is_next else ""):
        began = time.time()
        memory, said = _make(build)
        front = replace(front, is_next=is_next_build(output_package(options), front.output))
        if front.is_next:
            refuse_export(front.output)
            complete_standalone(front.output, front.path)
        broken = incomplete(front.output, next_build=front.is_next, whole=front.whole)
        if broken:
            raise BuildError(
                f"`{' '.join(options.build_command)}` ended without an error, but {broken} in {front.output}"
                + why_no_output(output_package(options), outputs_since(front.base, began), front.path, said)
            )
        scripts = client_scripts(front.output)
        findings = search(scripts, options.expected_urls, options.forbidden_urls)
        where = f"the new build in {front.output}"
        problem = complaint(findings, where, _expectation(front, options, findings)) or unloaded(
            findings, client_routes(front.output, scripts), where
        )
        if problem:
            raise BuildError(f"{problem}; the previous build was restored")
        after = build_sources(options, front.workspace)
        record = BuildRecord(
            inputs=front.inputs,
            source_after={name: value for name, value in after.items() if front.inputs.source.get(name) != value},
            chunks=chunk_digests(scripts),
            files=lasting_files(front.output, next_build=front.is_next),
            build_id=build_id(front.output),
            revision=front.inputs.fingerprint(),
            memory=memory,
        )
        write_atomic(front.record_path, record.to_json(), mode=0o600)
    return scripts, findings
