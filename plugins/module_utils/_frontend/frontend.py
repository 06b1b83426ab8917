# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A frontend's directory on disk: its package manager, the inputs and the record of its build."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .._dotenv.readers import UnreadableError, read_dotenv
from .._host.files import read_text
from .._host.json_text import json_value, read_json_object
from .aside import previous_of
from .build_plan import BuildRecord, Inputs, changed_chunks, digest, read_record, reasons_to_build, sources_before_build
from .bundle import Findings
from .commands import node_version
from .errors import BuildError
from .output import incomplete, is_next_build, missing_files, record_path
from .outside import local_packages, named_outside
from .packages import LOCK_FILES, PackageManager, manager_for
from .sources import BackendFiles, short_digest, source_digests
from .workspace import Workspace, find_workspace, package_names, read_package

#: What frameworks generate beside the sources.
_CACHES = (".svelte-kit", ".nuxt", ".angular", ".react-router", ".astro", ".parcel-cache", ".vite")
ALWAYS_EXCLUDED = ("node_modules", ".git", ".next", "coverage", ".turbo", "__pycache__", *_CACHES)
#: The record of an installation in ``node_modules``.
INSTALL_RECORD = ".staging-install.json"
#: In the place of the output directory of what is installed and not built.
_NO_OUTPUT = ".staging-no-output"
_OVERRIDE_FILES = (".env", ".env.local", ".env.production", ".env.production.local")


@dataclass(frozen=True)
class BuildOptions:
    """How a frontend is to be built; the fields are the options of the module."""

    path: str
    output_dir: str = ".next"
    whole: bool = False
    env: Mapping[str, Any] = field(default_factory=dict)
    build_env: Mapping[str, Any] = field(default_factory=dict)
    install_env: Mapping[str, Any] = field(default_factory=dict)
    install_command: Sequence[str] | None = None
    build_command: Sequence[str] = ("npm", "run", "build")
    expected_urls: Sequence[str] = ()
    forbidden_urls: Sequence[str] = ()
    source_revision: str = ""
    exclude: Sequence[str] = ()
    source_list: str | None = None
    source_root: str | None = None
    backend_dir: str | None = None
    timeout_s: float = 1800
    on_override_files: str = "report"
    build_on: str = "host"
    for_platform: Mapping[str, Any] | None = None
    pack_to: str | None = None
    archive: str | None = None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> BuildOptions:
        """Return the options of a task."""
        root = params["source_root"]
        own = {
            "path": os.path.normpath(params["path"]),
            "source_root": os.path.normpath(root) if root else root,
            "timeout_s": params["timeout"],
        }
        return cls(**{**{each.name: params[each.name] for each in fields(cls) if each.name not in own}, **own})

    @property
    def output(self) -> str:
        """The output directory; without a build command, one that does not exist.

        :raises BuildError: If it is not inside the application, or contains the package itself.
        """
        if not self.build_command:
            return os.path.join(self.path, _NO_OUTPUT)
        output = os.path.normpath(os.path.join(self.path, self.output_dir))
        if f"{self.path}/".startswith(f"{output}/") or not output.startswith(self.root.rstrip("/") + "/"):
            raise BuildError(
                f"output_dir is {self.output_dir!r}; expected a directory for the build alone in {self.root}"
            )
        return output

    @property
    def root(self) -> str:
        """The directory of the whole application."""
        return self.source_root or self.path


@dataclass(frozen=True)
class Frontend:
    """A frontend's directory as it was found.

    :param workspace: The workspace that it is a member of, which has the lock file and the packages.
    :param whole: Whether its output directory is served as the page.
    :param node: Version of Node.js; empty if it is not installed.
    :param delivered: Digests of the whole source by path relative to the base, as it was delivered; None if they are
        not known.
    """

    path: str
    output: str
    package: dict[str, Any]
    workspace: Workspace | None
    manager: PackageManager
    whole: bool
    is_next: bool
    node: str
    inputs: Inputs
    record: BuildRecord | None
    delivered: Mapping[str, str] | None = None

    @property
    def base(self) -> str:
        """The directory that packages are installed in and sources are relative to."""
        return self.workspace.root if self.workspace else self.path

    @property
    def packages(self) -> dict[str, dict[str, Any]]:
        """Each ``package.json`` of the application that an installation reads, by its directory relative to the base.

        All members of a workspace are installed together, for whichever of them.
        """
        places = dict.fromkeys((*self._package_directories, *self.local_packages))
        return {os.path.relpath(place, self.base): read_package(place) for place in places}

    @property
    def local_packages(self) -> list[str]:
        """The directories of the packages that these name by a path."""
        found = [
            os.path.normpath(os.path.join(place, name))
            for place in self._package_directories
            for name in local_packages(read_package(place))
        ]
        return [place for place in dict.fromkeys(found) if os.path.isdir(place)]

    @property
    def _package_directories(self) -> list[str]:
        members = self.workspace.members if self.workspace else ()
        return [self.base, *(os.path.join(self.base, name) for name in members)]

    @property
    def dependencies(self) -> set[str]:
        return package_names(self.package)

    @property
    def record_path(self) -> str:
        return record_path(self.output, next_build=self.is_next)


def variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Return variables as a process gets them."""
    return {
        str(key): ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)
        for key, value in values.items()
    }


def read_frontend(options: BuildOptions, env: Mapping[str, str]) -> Frontend:
    """Read everything that a build depends on.

    :raises BuildError: If there is no frontend at the path.
    """
    path, output = options.path, options.output
    package = read_package(path)
    if not package:
        raise BuildError(f"{path} has no readable package.json, so there is nothing to install or build")
    workspace = find_workspace(path, options.root)
    base = workspace.root if workspace else path
    manager = _manager(options, base, read_package(base))
    is_next = is_next_build(output_package(options), output)
    source = build_sources(options, workspace)
    source.pop(manager.lock_file, None)
    node = node_version(env)
    record = read_record(read_text(record_path(output, next_build=is_next)) or "")
    inputs = Inputs(
        source=source,
        lock=short_digest(os.path.join(base, manager.lock_file), follow=True),
        install_command=manager.install_command,
        build_command=tuple(options.build_command),
        # Where it is not installed, it is no reason for another build.
        node_version=node or (record.inputs.node_version if record else _installed_with(base)),
        env={key: digest(value) for key, value in variables(options.env).items()},
        build_env={key: digest(value) for key, value in variables(options.build_env).items()},
        source_revision=options.source_revision,
    )
    if record and not reasons_to_build(record, inputs):
        # Sources that the build itself rewrote are no change.
        inputs = record.inputs
    elif record:
        inputs = replace(inputs, source=sources_before_build(record, source))
    listed = _listed_sources(options)
    delivered = (
        None
        if listed is None
        else {os.path.relpath(os.path.join(options.root, name), base): str(value) for name, value in listed.items()}
    )
    return Frontend(path, output, package, workspace, manager, options.whole, is_next, node, inputs, record, delivered)


def _installed_with(base: str) -> str:
    """Return the version of Node.js that the packages were installed with; empty if that is not known."""
    return str(read_json_object(os.path.join(base, "node_modules", INSTALL_RECORD)).get("node", ""))


def output_package(options: BuildOptions) -> dict[str, Any]:
    """Return the ``package.json`` of what is built, which may be a member of a workspace that is built at its root."""
    place = os.path.dirname(options.output)
    return (read_package(place) if place.startswith(options.path + "/") else {}) or read_package(options.path)


def _manager(options: BuildOptions, base: str, package: Mapping[str, Any]) -> PackageManager:
    names = os.listdir(base)
    if options.install_command:
        lock = next((name for name in LOCK_FILES if name in names), "package.json")
        return PackageManager("custom", lock, tuple(options.install_command))
    try:
        settings, lock = (read_text(os.path.join(base, name)) or "" for name in (".yarnrc.yml", "yarn.lock"))
        return manager_for(names, package, settings, lock)
    except BuildError as err:
        raise BuildError(f"the packages of {base} cannot be installed: {err}") from err


def build_sources(options: BuildOptions, workspace: Workspace | None) -> dict[str, str]:
    """Return the digests of the sources of a build, relative to the directory that has the lock file.

    Of a workspace, these are the sources of the members that the frontend needs, and what belongs to no member.
    What they name outside of that directory, such as ``../shared``, is source, too.

    :raises BuildError: If the list of the sources cannot be read.
    """
    base = workspace.root if workspace else options.path
    others = [name for name in workspace.members if name not in workspace.needed] if workspace else []
    backend = BackendFiles.between(options.root, options.backend_dir, options.path, base)
    listed = _listed_sources(options)
    own = None if listed is None else _below(listed, options, base) | _overrides(options, base)
    found = source_digests(base, (*_not_source(options, base), *others, *backend.directories), own, backend.has)
    return {**found, **_sources_outside(options, base, found, listed)}


def _sources_outside(
    options: BuildOptions, base: str, source: Collection[str], listed: Collection[str] | None
) -> dict[str, str]:
    """Return the digests of the sources outside of the base that its sources name, by path relative to it."""
    root, place = os.path.realpath(options.root), os.path.realpath(base)
    if place == root:
        return {}
    made = [os.path.realpath(each) for each in (options.output, previous_of(options.output))]
    part = [os.path.normpath(os.path.join(root, options.backend_dir))] if options.backend_dir else []
    directories, files = named_outside(place, root, source, [*made, *part])
    names = {os.path.relpath(path, root) for path in files}
    if listed is not None:
        names &= set(listed)
    found = source_digests(root, (), names)
    excluded = (*ALWAYS_EXCLUDED, *(name for name in options.exclude if "/" not in name.strip("/")))
    for directory in directories:
        below = None if listed is None else _names_below(listed, os.path.relpath(directory, root) + "/")
        inner = os.path.relpath(directory, root)
        found.update({f"{inner}/{name}": value for name, value in source_digests(directory, excluded, below).items()})
    outputs = tuple(os.path.relpath(each, root) for each in made)
    return {
        os.path.relpath(os.path.join(root, name), place): value
        for name, value in found.items()
        if not name.startswith(tuple(f"{each}/" for each in outputs))
    }


def _listed_sources(options: BuildOptions) -> dict[str, Any] | None:
    """Return the files that the source of the whole application consists of, with what tells one content from another.

    :returns: None if they are not known.
    """
    if not options.source_list:
        return None
    try:
        listed = json_value(read_text(options.source_list) or "")
    except ValueError:
        listed = None
    if not listed or not isinstance(listed, dict):
        raise BuildError(f"{options.source_list} is no list of the files of a source; expected a JSON object")
    return listed


def _below(listed: Collection[str], options: BuildOptions, base: str) -> set[str]:
    return _names_below(listed, _prefix(base, options.root))


def _names_below(names: Collection[str], prefix: str) -> set[str]:
    return {name[len(prefix) :] for name in names if name.startswith(prefix)}


def _overrides(options: BuildOptions, base: str) -> set[str]:
    """Of the files that builds read, these alone are made manually beside a source that does not contain them."""
    return {_prefix(options.path, base) + name for name in _OVERRIDE_FILES}


def _prefix(path: str, base: str) -> str:
    """Return what comes before a path in a directory to make it relative to a directory above that."""
    inner = os.path.relpath(path, base)
    return "" if inner == "." else inner + "/"


def _not_source(options: BuildOptions, base: str) -> tuple[str, ...]:
    """Return what is in the directory of a frontend and is not source of its build, relative to the base."""
    made = (
        options.output,
        previous_of(options.output),
        previous_of(os.path.join(options.path, "node_modules")),
        record_path(options.output, next_build=False),
    )
    own = _prefix(options.path, base)
    excluded = (own + name.strip("/") if "/" in name.strip("/") else name.strip("/") for name in options.exclude)
    return (*ALWAYS_EXCLUDED, *(os.path.relpath(place, base) for place in made), *excluded)


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


def why_build(front: Frontend, findings: Findings, scripts: Mapping[str, str]) -> list[str]:
    """Return why a build must be made; empty if it is the wanted one, or there is nothing to build."""
    if not front.inputs.build_command:
        return []
    broken = incomplete(front.output, next_build=front.is_next, whole=front.whole)
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
