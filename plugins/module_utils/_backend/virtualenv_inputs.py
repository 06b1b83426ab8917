# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what decides about the content of a backend's virtual environment."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from .._release.baseline import read_checksums
from .._release.tree import ALWAYS_EXCLUDED, Exclusion, inside, read_tree, relative_path, tree_digest, walk
from .interpreter import Interpreter
from .requirements import content, installs_local_source, is_package, project_files, requirement_files, uses_local_paths
from .uv_workspace import local_packages, workspace_root
from .virtualenv_plan import VirtualenvInputs

#: The argument with which uv installs the dependencies of a project alone.
NO_PROJECT = "--no-install-project"
#: The same of Poetry.
NO_ROOT = "--no-root"
_NOT_SOURCE = (*ALWAYS_EXCLUDED, "/build", "/dist", "*.egg-info", ".env", ".env.*")


@dataclass(frozen=True)
class VirtualenvOptions:
    """What is wanted; the fields are the options of the module."""

    path: str
    venvs_dir: str
    install: str = "requirements"
    requirements: str = "requirements.txt"
    python: str = "python3"
    uv_version: str = ""
    uv_arguments: Sequence[str] = ()
    poetry_version: str = ""
    poetry_arguments: Sequence[str] = ()
    pipenv_version: str = ""
    pipenv_arguments: Sequence[str] = ()
    install_env: Mapping[str, Any] = field(default_factory=dict)
    source_digest: str | None = None
    timeout_s: float = 900

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> VirtualenvOptions:
        """Return the options of a task."""
        names = [each.name for each in fields(cls) if each.name != "timeout_s"]
        return cls(timeout_s=params["timeout"], **{name: params[name] for name in names})

    def uv_installs_project(self) -> bool:
        """Whether uv installs the project itself."""
        if NO_PROJECT in self.uv_arguments:
            return False
        return is_package((content(self.path, "pyproject.toml") or b"").decode("utf-8", "replace"))

    def poetry_installs_project(self) -> bool:
        """Whether the project itself is installed, not only what it depends on."""
        if NO_ROOT in self.poetry_arguments:
            return False
        text = (content(self.path, "pyproject.toml") or b"").decode("utf-8", "replace")
        return is_package(text, section="tool.poetry", key="package-mode")


def read_inputs(options: VirtualenvOptions, python: Interpreter) -> VirtualenvInputs:
    """Return everything that decides about the environment.

    :raises ReleaseError: If there is nothing to install from.
    """
    kinds = {
        "requirements": _of_requirements,
        "project": _of_project,
        "uv": _of_uv,
        "poetry": _of_poetry,
        "pipenv": _of_pipenv,
    }
    parts = {"install": options.install, "interpreter": python.identity, **kinds[options.install](options)}
    return VirtualenvInputs(parts)


def _of_requirements(options: VirtualenvOptions) -> dict[str, str]:
    name = relative_path(options.requirements, "requirements")
    files = requirement_files(options.path, name)
    parts = {f"requirements file {name}": content_digest(files)}
    if installs_local_source(files):
        parts["source"] = _source(options)
    return parts


def _of_project(options: VirtualenvOptions) -> dict[str, str]:
    project_files(options.path, options.install)
    return {"source": _source(options)}


def _of_uv(options: VirtualenvOptions) -> dict[str, str]:
    parts = _digests(project_files(options.path, options.install))
    parts["uv"] = " ".join([options.uv_version, *options.uv_arguments])
    packages = uv_packages(options)
    if options.uv_installs_project() or packages:
        parts["source"] = _source(options, os.path.commonpath([options.path, *packages]))
    return parts


def uv_packages(options: VirtualenvOptions) -> list[str]:
    """Return the directories of the packages that uv installs from the source, the project not among them."""
    root = workspace_root(options.path)
    return local_packages((content(root, "uv.lock") or b"").decode("utf-8", "replace"), root, options.path)


def _of_poetry(options: VirtualenvOptions) -> dict[str, str]:
    files = project_files(options.path, options.install)
    parts = {**_digests(files), "poetry": " ".join([options.poetry_version, *options.poetry_arguments])}
    if options.poetry_installs_project() or _uses_local_paths(files):
        parts["source"] = _source(options)
    return parts


def _of_pipenv(options: VirtualenvOptions) -> dict[str, str]:
    files = project_files(options.path, options.install)
    parts = {**_digests(files), "pipenv": " ".join([options.pipenv_version, *options.pipenv_arguments])}
    if _uses_local_paths(files):
        parts["source"] = _source(options)
    return parts


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the digests of the file of a project and of its lock file."""
    return {
        f"lock file {name}" if name.endswith(".lock") else name: content_digest({name: content})
        for name, content in files.items()
    }


def _uses_local_paths(files: Mapping[str, bytes]) -> bool:
    project = next(content for name, content in files.items() if not name.endswith(".lock"))
    return uses_local_paths(project.decode("utf-8", "replace"))


def _source(options: VirtualenvOptions, directory: str = "") -> str:
    """Return the digest of the source that is installed.

    :param directory: The one that has it; without it, that of the backend.
    """
    if options.source_digest:
        return options.source_digest
    path, releases = directory or options.path, os.path.dirname(options.venvs_dir)
    place = os.path.relpath(os.path.realpath(path), os.path.realpath(releases))
    delivered = delivered_digest(releases, place)
    return delivered or tree_digest(read_tree(path, walk(path, Exclusion(_NOT_SOURCE))))


def delivered_digest(releases: str, place: str) -> str | None:
    """Return the digest of the source of a release, or of a directory in it, as it was delivered.

    Builds and files written at run time do not change it, so that the next run finds the same.

    :param place: Relative path of the directory, beginning with the release's id.
    :returns: None if the directory is in no release.
    """
    release, _slash, inner = place.partition("/")
    tree = read_checksums(os.path.join(releases, "baselines", release, "delivered.json"))
    if tree is None:
        return None
    return tree_digest({path: entry for path, entry in tree.items() if not inner or inside(path, [inner])})


def content_digest(files: Mapping[str, bytes]) -> str:
    """Return one digest for several files."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()
