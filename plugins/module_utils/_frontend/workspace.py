# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workspace that a frontend is part of: one lock file at its root, and the packages of all its members."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._host.files import read_text
from .._host.json_text import object_of, read_json_object

PNPM_FILE = "pnpm-workspace.yaml"
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


@dataclass(frozen=True)
class Workspace:
    """A workspace of npm, pnpm, yarn or bun; all paths are relative to its root.

    :param root: Its directory, which has the lock file and the installed packages.
    :param members: Directories of all members, the root not among them.
    :param needed: Those of them that the frontend needs, itself among them.
    """

    root: str
    members: tuple[str, ...]
    needed: tuple[str, ...]


def find_workspace(path: str, limit: str) -> Workspace | None:
    """Find the workspace that has a directory as a member; None if there is none.

    :param path: The directory of the frontend.
    :param limit: The outermost directory that is looked at.
    """
    root = path
    while root != limit and root.startswith(limit.rstrip("/") + "/"):
        root = os.path.dirname(root)
        patterns = workspace_patterns(
            read_package(root), read_text(os.path.join(root, PNPM_FILE)) if _has(root, PNPM_FILE) else None
        )
        if patterns:
            members = tuple(sorted(_members(root, patterns)))
            own = os.path.relpath(path, root)
            if own in members:
                packages = {member: read_package(os.path.join(root, member)) for member in members}
                return Workspace(root, members, needed_members(own, packages))
    return None


def read_package(directory: str) -> dict[str, Any]:
    """Read a directory's ``package.json``; empty if there is no such object."""
    return read_json_object(os.path.join(directory, "package.json"))


def package_names(package: Mapping[str, Any]) -> set[str]:
    """Return the names of the packages that a ``package.json`` needs, those for development among them."""
    return {*object_of(package.get("dependencies")), *object_of(package.get("devDependencies"))}


def workspace_patterns(package: Mapping[str, Any], pnpm: str | None) -> tuple[str, ...]:
    """Return the patterns of the members' directories; empty if a directory is no root of a workspace.

    :param package: Its ``package.json``.
    :param pnpm: The text of its ``pnpm-workspace.yaml``.
    """
    named = package.get("workspaces")
    if isinstance(named, dict):
        named = named.get("packages")
    patterns = [str(each) for each in named] if isinstance(named, list) else []
    if pnpm is not None:
        patterns += _yaml_list(pnpm, "packages")
    return tuple(patterns)


def needed_members(own: str, packages: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return a member and those that it depends on, directly or not.

    :param packages: The ``package.json`` by member.
    """
    by_name = {str(package.get("name")): member for member, package in packages.items()}
    found, pending = {own}, [own]
    while pending:
        package = packages[pending.pop()]
        for key in _DEPENDENCIES:
            for name in object_of(package.get(key)):
                member = by_name.get(name)
                if member is not None and member not in found:
                    found.add(member)
                    pending.append(member)
    return tuple(sorted(found))


def _has(directory: str, name: str) -> bool:
    return os.path.isfile(os.path.join(directory, name))


def _yaml_list(text: str, key: str) -> list[str]:
    """Read a list of plain or quoted texts at the top level of a YAML document."""
    lines = [re.sub(r"(?:^|\s)#.*", "", line).rstrip() for line in text.splitlines()]
    start = next((at for at, line in enumerate(lines) if re.match(rf"{key}\s*:", line)), None)
    if start is None:
        return []
    inline = lines[start].partition(":")[2].strip()
    if inline:
        entries = inline.strip("[]").split(",")
    else:
        entries = []
        for line in lines[start + 1 :]:
            if line and not re.match(r"\s*-", line):
                break
            if line:
                entries.append(re.sub(r"^\s*-\s*", "", line))
    return [entry.strip().strip("'\"") for entry in entries if entry.strip()]


def _members(root: str, patterns: Sequence[str]) -> set[str]:
    found: set[str] = set()
    # As npm and pnpm do, a later pattern with an exclamation mark takes back what an earlier one names.
    for pattern in patterns:
        excluded = pattern.startswith("!")
        for each in _alternatives(pattern[1:] if excluded else pattern):
            parts = [part for part in each.split("/") if part not in ("", ".")]
            matching = {path for path in _expanded(root, "", parts) if path}
            found = found - matching if excluded else found | matching
    return {path for path in found if _has(os.path.join(root, path), "package.json")}


def _alternatives(pattern: str) -> list[str]:
    """Write out the alternatives in braces."""
    match = re.search(r"\{([^{}]*)\}", pattern)
    if not match:
        return [pattern]
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [each for word in match.group(1).split(",") for each in _alternatives(before + word + after)]


def _expanded(root: str, here: str, parts: Sequence[str]) -> Iterator[str]:
    """Return the directories that a pattern names."""
    if not parts:
        yield here
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        yield from _expanded(root, here, rest)
        for name in _directories(os.path.join(root, here)):
            yield from _expanded(root, os.path.join(here, name), parts)
        return
    for name in _directories(os.path.join(root, here)):
        if fnmatch.fnmatchcase(name, first):
            yield from _expanded(root, os.path.join(here, name), rest)


def _directories(path: str) -> list[str]:
    """Return the names of directories that can contain a member; links and hidden ones cannot."""
    if not os.path.isdir(path):
        return []
    with os.scandir(path) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and entry.name != "node_modules" and not entry.name.startswith(".")
        )
