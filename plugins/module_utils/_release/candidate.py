# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The candidate: a release that is made aside, of new source or as a copy of another release."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection

from .._frontend.build_plan import record_beside
from . import baseline, shared
from .checkout import exclude_own_files
from .copying import copy_directory, copy_file, remove_file, share_directory
from .errors import ReleaseError
from .manifest import Layout, Manifest, ReleaseRecord
from .project import Project
from .pruning import drop
from .tree import Tree, inside, read_tree, tree_digest

_HARD_LINKED = "node_modules"
"""Package managers replace files in it and do not write into them."""
_CARRIED = (_HARD_LINKED, ".next", ".venv")
_LOCK_FILES = ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb")


def announce(project: Project, manifest: Manifest, name: str, record: ReleaseRecord) -> str:
    """Name a candidate in the manifest before its directory is created, and return that directory."""
    manifest.counter += 1
    manifest.candidate = name
    manifest.releases[name] = record
    project.write(manifest)
    return project.path(name)


def complete(project: Project, manifest: Manifest, tree: Tree) -> None:
    """Record that the candidate contains everything that it is made of.

    :param tree: Its source.
    """
    name = manifest.candidate
    if name is None:
        raise ReleaseError("there is no candidate")
    record = manifest.releases[name]
    record.source_digest = record.source_digest or tree_digest(tree)
    record.complete = True
    baseline.store_delivered(project, name, tree)
    project.write(manifest)


def copy_of(project: Project, manifest: Manifest, base: str, record: ReleaseRecord, tree: Tree) -> None:
    """Make a candidate as a copy of a release.

    :param tree: The source of that release.
    """
    name = manifest.next_id(record.revision)
    announce(project, manifest, name, record)
    try:
        copy_release(project, base, name, manifest.layout, tree)
        shared.link_into(project, name, manifest.layout)
        exclude_own_files(project.path(name), manifest.layout)
        complete(project, manifest, tree)
    except BaseException:
        drop(project, manifest, [name])
        raise


def copy_release(project: Project, base: str, release: str, layout: Layout, source: Collection[str]) -> None:
    """Copy the files of a release: sources and builds as copies, installed packages as hard links.

    :param source: Files that are copied even if their path is to be left behind.
    """
    private = set(layout.env_files)
    top_source, top_target = project.path(base), project.path(release)
    os.mkdir(top_target, stat.S_IMODE(os.stat(top_source).st_mode))
    pending = [""]
    while pending:
        here = pending.pop()
        with os.scandir(os.path.join(top_source, here)) as entries:
            for entry in entries:
                path = os.path.join(here, entry.name)
                target = os.path.join(top_target, path)
                if inside(path, layout.leave_behind) and not any(inside(name, (path,)) for name in source):
                    continue
                if entry.is_symlink() or entry.is_file(follow_symlinks=False):
                    copy_file(entry.path, target, 0o600 if path in private and not entry.is_symlink() else None)
                elif not entry.is_dir(follow_symlinks=False) or entry.name == "__pycache__":
                    continue
                elif entry.name == _HARD_LINKED:
                    share_directory(entry.path, target)
                elif path.endswith(".git/objects"):
                    copy_directory(entry.path, target, hard_links=True)
                elif entry.name in _CARRIED:
                    copy_directory(entry.path, target)
                else:
                    os.mkdir(target, stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) | 0o700)
                    pending.append(path)


def carry_over(project: Project, base: str, release: str, layout: Layout) -> None:
    """Copy what is not source from a release into one of new source: env files, packages, builds."""
    source, target = project.path(base), project.path(release)
    for path in layout.env_files:
        original, copy = os.path.join(source, path), os.path.join(target, path)
        if os.path.isfile(original) and os.path.isdir(os.path.dirname(copy)):
            remove_file(copy)
            copy_file(os.path.realpath(original), copy, 0o600)
    records = (os.path.join(os.path.dirname(path), record_beside(path)) for path in layout.carry)
    for path in (*generated_parts(source, layout), *layout.carry, *records):
        original, copy = os.path.join(source, path), os.path.join(target, path)
        if not os.path.lexists(original) or os.path.lexists(copy) or not os.path.isdir(os.path.dirname(copy)):
            continue
        if os.path.islink(original) or not os.path.isdir(original):
            copy_file(original, copy)
        elif os.path.basename(path) != _HARD_LINKED:
            copy_directory(original, copy)
        elif _same_lock(os.path.dirname(original), os.path.dirname(copy)):
            share_directory(original, copy)


def close_env_files(project: Project, release: str, layout: Layout) -> None:
    """Make env files private that came with the source."""
    for path in layout.env_files:
        place = os.path.join(project.path(release), path)
        if os.path.isfile(place) and not os.path.islink(place):
            os.chmod(place, 0o600)


def made_parts(directory: str, layout: Layout) -> list[str]:
    """Return the directories of a release that builds and installations have made."""
    return [
        path
        for path in (*generated_parts(directory, layout), *layout.carry)
        if os.path.isdir(os.path.join(directory, path))
    ]


def generated_parts(directory: str, layout: Layout) -> list[str]:
    """Return the directories (or links) of installed packages and builds in a release."""
    result = []
    pending = [""]
    shared_paths = set(layout.shared_paths)
    while pending:
        here = pending.pop()
        with os.scandir(os.path.join(directory, here)) as entries:
            for entry in entries:
                path = os.path.join(here, entry.name)
                if entry.name in _CARRIED:
                    result.append(path)
                elif entry.is_dir(follow_symlinks=False) and entry.name != ".git" and path not in shared_paths:
                    pending.append(path)
    return sorted(result)


def _same_lock(first: str, second: str) -> bool:
    """Whether two directories of a package have the same lock files."""
    return read_tree(first, _LOCK_FILES) == read_tree(second, _LOCK_FILES)
