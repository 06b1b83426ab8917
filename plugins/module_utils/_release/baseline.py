# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksums of a release's source, and private copies of its env files, against which edits are found later."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from .._host.files import read_file, sweep, write_atomic
from .._host.json_text import json_value
from .copying import copy_file, remove_file
from .manifest import Manifest
from .project import Project, make_directory
from .source import exclusion, listed_in_place
from .tree import Difference, Tree, differences, read_tree

#: Bytes of a list of checksums: about 2 million files.
_LIMIT = 256 * 1024 * 1024


def path(project: Project, release: str, *parts: str) -> str:
    """The private directory of a release's baseline, or a path in it."""
    return os.path.join(project.baselines, release, *parts)


def env_copy(project: Project, release: str, env_file: str) -> str:
    """The private copy of an env file from the activation of a release."""
    return path(project, release, "env", env_file)


def delivered(project: Project, release: str) -> Tree | None:
    """The source of a release as it was delivered, before its build; None if it is not known."""
    return read_checksums(path(project, release, "delivered.json"))


def activated(project: Project, release: str) -> Tree | None:
    """The source of a release when it was activated; None if it is not known."""
    return read_checksums(path(project, release, "activated.json"))


def made(project: Project, release: str) -> Tree:
    """The signature of each file that was in a release when it was activated, before a process ran in it."""
    return read_checksums(path(project, release, "made.json")) or {}


def signature(file: str) -> str:
    """What changes when a file is written: its size and its modification time. Copies of it keep both."""
    try:
        status = os.lstat(file)
    except OSError:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}"


def store_made(project: Project, release: str, names: Iterable[str]) -> None:
    """Store the signatures of files of a release before a process runs in it."""
    directory = project.path(release)
    _write_checksums(path(project, release, "made.json"), {n: signature(os.path.join(directory, n)) for n in names})


def parts(project: Project, release: str) -> list[str]:
    """The builds, installed packages and virtual environments that a release had when it was activated."""
    return sorted(read_checksums(path(project, release, "parts.json")) or ())


def store_parts(project: Project, release: str, names: Iterable[str]) -> None:
    """Store which of its parts must be whole if it is activated again."""
    _write_checksums(path(project, release, "parts.json"), dict.fromkeys(names, "whole"))


def read_checksums(file: str) -> Tree | None:
    """Read a list of checksums; None if there is none, or it is damaged."""
    try:
        tree = json_value(read_file(file, limit=_LIMIT).data)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(tree, dict) or not all(isinstance(entry, str) for entry in tree.values()):
        return None
    return tree


def _write_checksums(file: str, tree: Tree) -> None:
    write_atomic(file, json.dumps(tree, indent=0, sort_keys=True), mode=0o600)


def store_delivered(project: Project, release: str, tree: Tree) -> None:
    """Store the checksums of the source as it was delivered."""
    make_directory(path(project, release), 0o700)
    _write_checksums(path(project, release, "delivered.json"), tree)


def take(project: Project, release: str, manifest: Manifest) -> None:
    """Store checksums of the source as it is now, and private copies of the env files."""
    make_directory(path(project, release), 0o700)
    sweep(path(project, release))
    make_directory(path(project, release, "env"), 0o700)
    for name in manifest.layout.env_files:
        original, copy = os.path.join(project.path(release), name), env_copy(project, release, name)
        os.makedirs(os.path.dirname(copy), mode=0o700, exist_ok=True)
        remove_file(copy)
        if os.path.isfile(original):
            copy_file(os.path.realpath(original), copy, 0o600)
    if manifest.releases[release].origin.get("type") == "in_place":
        tree = _in_place(project, release, manifest)
    else:
        # A build may rewrite sources (Next.js: tsconfig.json). Its result is the expected state.
        tree = read_tree(project.path(release), delivered(project, release) or {})
    _write_checksums(path(project, release, "activated.json"), tree)


def damage(project: Project, release: str, manifest: Manifest) -> tuple[Difference, ...] | None:
    """Compare a release with its checksums; None if there are none."""
    expected = activated(project, release)
    if expected is None:
        return None
    if manifest.releases[release].origin.get("type") == "in_place":
        return differences(expected, _in_place(project, release, manifest))
    excluded = exclusion(manifest.layout)
    expected = {name: entry for name, entry in expected.items() if not excluded.covers(name)}
    return differences(expected, read_tree(project.path(release), expected))


def _in_place(project: Project, release: str, manifest: Manifest) -> Tree:
    return listed_in_place(project.path(release), manifest.layout)
