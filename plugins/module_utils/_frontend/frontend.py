# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A frontend's directory on disk: its package manager, the inputs and the record of its build."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._dotenv.readers import UnreadableError, read_dotenv
from .._host.files import read_text
from .aside import previous_of
from .build_plan import BuildRecord, Inputs, changed_chunks, digest, read_record, reasons_to_build
from .bundle import Findings
from .commands import node_version
from .errors import BuildError
from .modules import modules_damage, packages_named
from .output import incomplete, is_next_build, missing_files, record_path
from .packages import PackageManager, manager_for, reasons_to_install
from .sources import short_digest, source_digests

#: The record of an installation in ``node_modules``.
INSTALL_RECORD = ".staging-install.json"
_ALWAYS_EXCLUDED = ("node_modules", ".git", ".next", "coverage", ".turbo", "__pycache__")
_OVERRIDE_FILES = (".env", ".env.local", ".env.production", ".env.production.local")
_LOCK_FILES = ("npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock")


@dataclass(frozen=True)
class BuildOptions:
    """How a frontend is to be built; the fields are the options of the module."""

    path: str
    output_dir: str = ".next"
    env: Mapping[str, Any] = field(default_factory=dict)
    build_env: Mapping[str, Any] = field(default_factory=dict)
    install_command: Sequence[str] | None = None
    build_command: Sequence[str] = ("npm", "run", "build")
    expected_urls: Sequence[str] = ()
    forbidden_urls: Sequence[str] = ()
    source_revision: str = ""
    exclude: Sequence[str] = ()
    source_list: str | None = None
    source_root: str | None = None
    timeout_s: float = 1800
    on_override_files: str = "report"

    @property
    def output(self) -> str:
        """The output directory.

        :raises BuildError: If it is not below the frontend's directory.
        """
        output = os.path.normpath(os.path.join(self.path, self.output_dir))
        if output == self.path or not output.startswith(self.path + "/"):
            raise BuildError(f"output_dir is {self.output_dir!r}; expected a directory below {self.path}")
        return output


@dataclass(frozen=True)
class Frontend:
    """A frontend's directory as it was found.

    :param node: Version of Node.js; empty if it is not installed.
    """

    path: str
    output: str
    package: dict[str, Any]
    manager: PackageManager
    is_next: bool
    node: str
    inputs: Inputs
    record: BuildRecord | None

    @property
    def modules(self) -> str:
        return os.path.join(self.path, "node_modules")

    @property
    def dependencies(self) -> set[str]:
        return {*(self.package.get("dependencies") or {}), *(self.package.get("devDependencies") or {})}

    @property
    def install_record_path(self) -> str:
        return os.path.join(self.modules, INSTALL_RECORD)

    @property
    def record_path(self) -> str:
        return record_path(self.output, next_build=self.is_next)


def variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Return variables as a process gets them."""
    return {
        str(key): ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)
        for key, value in values.items()
    }


def read_object(path: str) -> dict[str, Any]:
    """Read a JSON object; empty if there is none."""
    try:
        value = json.loads(read_text(path) or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def read_frontend(options: BuildOptions, env: Mapping[str, str]) -> Frontend:
    """Read everything that a build depends on.

    :raises BuildError: If there is no frontend at the path.
    """
    path, output = options.path, options.output
    package = read_object(os.path.join(path, "package.json"))
    if not package:
        raise BuildError(f"{path} has no readable package.json, so it is no frontend that can be built")
    manager = _manager(options, package)
    is_next = is_next_build(package, options.output_dir)
    source = source_digests(path, not_source(options), listed_sources(options))
    source.pop(manager.lock_file, None)
    node = node_version(env)
    inputs = Inputs(
        source=source,
        lock=short_digest(os.path.join(path, manager.lock_file), follow=True),
        install_command=manager.install_command,
        build_command=tuple(options.build_command),
        node_version=node,
        env={key: digest(value) for key, value in variables(options.env).items()},
        build_env={key: digest(value) for key, value in variables(options.build_env).items()},
        source_revision=options.source_revision,
    )
    record = read_record(read_text(record_path(output, next_build=is_next)) or "")
    if record and not reasons_to_build(record, inputs):
        # Sources that the build itself rewrote are no change.
        inputs = record.inputs
    return Frontend(path, output, package, manager, is_next, node, inputs, record)


def _manager(options: BuildOptions, package: Mapping[str, Any]) -> PackageManager:
    names = os.listdir(options.path)
    if options.install_command:
        lock = next((name for name in _LOCK_FILES if name in names), "package.json")
        return PackageManager("custom", lock, tuple(options.install_command))
    try:
        return manager_for(names, package)
    except BuildError as err:
        raise BuildError(f"the packages of {options.path} cannot be installed: {err}") from err


def listed_sources(options: BuildOptions) -> set[str] | None:
    """Return the files that may be source of the build, relative to its directory; None if no list is given.

    :raises BuildError: If the list cannot be read.
    """
    if not options.source_list:
        return None
    listed = read_object(options.source_list)
    if not listed:
        raise BuildError(f"{options.source_list} is no list of the files of a source; expected a JSON object")
    inner = os.path.relpath(options.path, options.source_root or options.path)
    prefix = "" if inner == "." else inner + "/"
    # Of the files that builds read, these alone are made manually beside a source that does not contain them.
    return {name[len(prefix) :] for name in listed if name.startswith(prefix)} | set(_OVERRIDE_FILES)


def not_source(options: BuildOptions) -> tuple[str, ...]:
    """Return what is in the directory of a frontend and is not source of its build."""
    made = (
        options.output,
        previous_of(options.output),
        previous_of(os.path.join(options.path, "node_modules")),
        record_path(options.output, next_build=False),
    )
    return (*_ALWAYS_EXCLUDED, *(os.path.relpath(place, options.path) for place in made), *options.exclude)


def override_files(path: str, env: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the files that define one of the variables differently, with the names of these variables."""
    found = {}
    for name in _OVERRIDE_FILES:
        try:
            values = read_dotenv(read_text(os.path.join(path, name)) or "")
        except UnreadableError:
            continue
        differing = sorted(key for key, value in env.items() if key in values and values[key] != value)
        if differing:
            found[name] = differing
    return found


def why_install(front: Frontend) -> list[str]:
    """Return why packages must be installed; empty if they are as the lock file says, and as they were installed."""
    if not os.path.isdir(front.modules):
        return ["there is no node_modules"]
    reasons = _differs_from_lock(front)
    damage = [] if reasons else modules_damage(front.modules)
    return [packages_named(damage)] if damage else reasons


def _differs_from_lock(front: Frontend) -> list[str]:
    installed = read_object(os.path.join(front.modules, ".package-lock.json"))
    recorded = read_object(front.install_record_path)
    if recorded:
        if recorded.get("lock") != front.inputs.lock:
            return ["lock file changed"]
        if recorded.get("command") != list(front.manager.install_command):
            return ["install command changed"]
        major = front.node.split(".")[0]
        if front.node and str(recorded.get("node", "")).split(".")[0] != major:
            return [f"Node.js is {front.node}, the packages were installed with {recorded.get('node')}"]
    packages = installed.get("packages")
    if front.manager.lock_file.endswith(".json") and isinstance(packages, dict) and packages:
        lock = read_object(os.path.join(front.path, front.manager.lock_file))
        present = {path for path in packages if os.path.lexists(os.path.join(front.path, path))}
        return reasons_to_install(lock, installed, present)
    if not recorded:
        return ["node_modules has no record of what was installed"]
    gone = sorted(name for name in front.dependencies if not os.path.lexists(os.path.join(front.modules, name)))
    return [f"node_modules is incomplete: {gone[0]} is missing"] if gone else []


def why_build(front: Frontend, findings: Findings, scripts: Mapping[str, str]) -> list[str]:
    """Return why the frontend must be built; empty if the build is the wanted one."""
    broken = incomplete(front.output, next_build=front.is_next)
    if broken:
        return [broken]
    reasons = reasons_to_build(front.record, front.inputs)
    if front.record:
        reasons += missing_files(front.record.files, front.output)
        reasons += changed_chunks(front.record, chunk_digests(scripts))
    reasons += [f"client chunks contain {url}" for url in findings.forbidden]
    if findings.missing and not reasons:
        reasons += [f"client chunks do not contain {url}" for url in findings.missing]
    return reasons


def chunk_digests(scripts: Mapping[str, str]) -> dict[str, str]:
    return {name: digest(text) for name, text in scripts.items()}
