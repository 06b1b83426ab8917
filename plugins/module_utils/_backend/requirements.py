# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requirements files and ``pyproject.toml``, as far as they decide what is installed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from .._host.files import UnsafeFileError, read_file
from .._host.toml_text import lines_of_tables, table_of
from .._release.errors import ReleaseError
from .install_hint import install_hint, lock_hint
from .uv_workspace import workspace_root

_INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)[\s=]*(?P<name>[^\s#]+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[\s=]*(?P<name>[^\s#]*)")
#: Of the tools that need a lock file: the file of the project, the lock file, and the command that makes it.
_LOCKED = {
    "poetry": ("pyproject.toml", "poetry.lock", "poetry lock"),
    "pipenv": ("Pipfile", "Pipfile.lock", "pipenv lock"),
}
#: Bytes of a lock file.
_LARGEST = 64 << 20
_LOCAL = re.compile(r"(?:\.{1,2}(?:/|\[|\s|$)|/|file:)|[^#]*\s@\s*(?:file:|\.)")


def requirement_files(directory: str, name: str) -> dict[str, bytes]:
    """Return a requirements file and all files that it includes, by their paths relative to the directory.

    :raises ReleaseError: If one is missing, or would bind the environment to one release.
    """
    found: dict[str, bytes] = {}
    pending = [(name, "")]
    while pending:
        path, included_by = pending.pop()
        path = os.path.normpath(path)
        if path in found:
            continue
        try:
            found[path] = read_file(os.path.join(directory, path), follow=True).data
        except (FileNotFoundError, NotADirectoryError, UnsafeFileError):
            raise ReleaseError(
                f"there is no requirements file {path} in {directory}"
                + (f", which {included_by} includes" if included_by else "")
                + "; "
                + (
                    f"add the file, or correct {included_by}"
                    if included_by
                    else install_hint(directory, "requirements")
                )
            ) from None
        for number, line in enumerate(_lines(found[path]), 1):
            editable = _EDITABLE.match(line)
            if editable:
                raise ReleaseError(
                    f"{path} line {number} installs {editable.group('name') or 'the project'} editable, which would "
                    "bind the environment that releases share to one of them; set staging_backend_install: project, or "
                    "name only the packages"
                )
            include = _INCLUDE.match(line)
            if include and "://" not in include.group("name"):
                pending.append((os.path.join(os.path.dirname(path), include.group("name")), path))
    return found


def project_files(directory: str, install: str) -> dict[str, bytes]:
    """Return the files by which packages are installed without requirements: that of the project and its lock file.

    A lock file of uv may be missing. Of a member of its workspace, it is that of the workspace, whose project file is
    returned as well.

    :param install: ``project``, ``uv``, ``poetry`` or ``pipenv``.
    :raises ReleaseError: If one is missing, or would bind the environment to one release.
    """
    if install == "project":
        if not any(os.path.isfile(os.path.join(directory, name)) for name in ("pyproject.toml", "setup.py")):
            raise ReleaseError(
                f"there is neither pyproject.toml nor setup.py in {directory}, so there is no project to install; "
                + install_hint(directory, install)
            )
        return {}
    name, lock_name, command = _LOCKED.get(install, ("pyproject.toml", "uv.lock", ""))
    root = workspace_root(directory) if install == "uv" else directory
    project, lock = content(directory, name), content(root, lock_name)
    if project is None:
        raise ReleaseError(
            f"there is no {name} in {directory}, which {install} needs; " + install_hint(directory, install)
        )
    if lock is None and command:
        raise ReleaseError(
            f"there is no {lock_name} beside {name} in {directory}, so the versions to install are not known; "
            + (lock_hint(directory, install) or f"run `{command}` and commit the file")
        )
    if command:
        refuse_editable(project.decode("utf-8", "replace"), name)
    of_workspace = {} if root == directory else {f"{name} of the workspace": content(root, name) or b""}
    return {name: project, lock_name: lock or b"", **of_workspace}


def content(directory: str, name: str) -> bytes | None:
    """Return the content of a file of a project; None if there is none.

    :raises OSError: If it cannot be read.
    """
    try:
        return read_file(os.path.join(directory, name), follow=True, limit=_LARGEST).data
    except FileNotFoundError:
        return None


def installs_local_source(files: Mapping[str, bytes]) -> bool:
    """Whether requirements name a package by its directory."""
    return any(_LOCAL.match(line) for content in files.values() for line in _lines(content))


def _lines(content: bytes) -> list[str]:
    return [line.strip() for line in content.decode("utf-8", "replace").replace("\\\n", " ").splitlines()]


def refuse_editable(text: str, name: str) -> None:
    """Refuse a Pipfile or ``pyproject.toml`` that installs a directory of the source editable.

    :raises ReleaseError: If it does.
    """
    for number, (section, line) in enumerate(lines_of_tables(text), 1):
        found = re.match(r"\s*(?:([\w.\"'-]+)\s*=\s*\{[^#]*\b)?(?:editable|develop)\s*=\s*true\b", line)
        if found:
            package = found.group(1) or section.rpartition(".")[2]
            raise ReleaseError(
                f"{name} line {number} installs {package} editable, which would bind the environment that releases "
                "share to one of them; remove editable or develop from it, and lock the packages again"
            )


def uses_local_paths(text: str) -> bool:
    """Whether a Pipfile or ``pyproject.toml`` names a package by its directory."""
    for section, line in lines_of_tables(text):
        inline = re.match(r"[^#]*\{[^#]*\b(?:path|file)\s*=\s*[\"']", line)
        if inline or ("dependencies." in section and re.match(r"\s*path\s*=", line)):
            return True
    return False


def is_package(pyproject: str, section: str = "tool.uv", key: str = "package") -> bool:
    """Whether uv or Poetry installs the project itself, not only its dependencies.

    :param section: The section of the tool.
    :param key: Its setting that decides, if it is there.
    """
    setting = re.search(rf"(?m)^\s*{key}\s*=\s*(true|false)\b", table_of(pyproject, section) or "")
    return setting[1] == "true" if setting else table_of(pyproject, "build-system") is not None
