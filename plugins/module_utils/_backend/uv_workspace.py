# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workspace of uv that a backend is a member of, and the packages of the source that a lock file names."""

from __future__ import annotations

import fnmatch
import os
import re

from .._host.files import read_text
from .._host.toml_text import table_of

_PROJECT = "pyproject.toml"
#: Directories above a member that are looked at.
_LEVELS = 6
_INLINE = re.compile(r"(?m)^\s*workspace\s*=\s*\{(.*)\}")
_LOCAL = re.compile(
    r"(?m)^name = \"([^\"]+)\"\n(?:version = \"[^\"]*\"\n)?source = \{ (?:editable|directory) = \"([^\"]+)\" \}"
)


def workspace_root(directory: str) -> str:
    """Return the root of the workspace that a project is a member of, which has its lock file; else the project.

    :param directory: That of the project.
    """
    place = directory
    for _level in range(_LEVELS):
        place = os.path.dirname(place)
        settings = _settings(read_text(os.path.join(place, _PROJECT)) or "")
        if settings is not None:
            own = os.path.relpath(directory, place)
            is_member = _matches(own, _texts(settings, "members")) and not _matches(own, _texts(settings, "exclude"))
            return place if is_member else directory
    return directory


def local_packages(lock: str, root: str, directory: str) -> list[str]:
    """Return the directories of the packages that a lock file takes from the source, the project not among them.

    :param lock: The text of ``uv.lock``.
    :param root: The directory that it is in.
    :param directory: That of the project.
    """
    found = [os.path.normpath(os.path.join(root, place)) for _name, place in _LOCAL.findall(lock)]
    return sorted({place for place in found if place != os.path.normpath(directory)})


def built_packages(lock: str) -> list[str]:
    """Return the names of the packages that a lock file takes from the source.

    uv keeps what it has built of them, and takes it for that of a source that was changed since.
    """
    return [name for name, _place in _LOCAL.findall(lock)]


def _settings(pyproject: str) -> str | None:
    """Return the settings of a workspace; None if there is none."""
    settings = table_of(pyproject, "tool.uv.workspace")
    inline = _INLINE.search(pyproject) if settings is None else None
    return inline[1] if inline else settings


def _texts(settings: str, key: str) -> list[str]:
    found = re.search(rf"(?s)\b{key}\s*=\s*\[(.*?)\]", re.sub(r"(?m)^\s*#.*$", "", settings))
    return re.findall(r"[\"']([^\"']+)[\"']", found[1]) if found else []


def _matches(path: str, patterns: list[str]) -> bool:
    """Whether one of the patterns names a path; each of their parts names one directory."""
    parts = path.split("/")
    wanted = [pattern.rstrip("/").removeprefix("./").split("/") for pattern in patterns]
    return any(len(each) == len(parts) and all(map(fnmatch.fnmatchcase, parts, each)) for each in wanted)
