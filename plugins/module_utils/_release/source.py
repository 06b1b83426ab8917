# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a directory are source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from . import git
from .manifest import Layout
from .tree import ALWAYS_EXCLUDED, Exclusion, Tree, inside, literal, read_tree, walk


def exclusion(layout: Layout) -> Exclusion:
    """Return what is not source in a project."""
    anchored = (literal(path) for path in (*layout.shared_paths, *layout.env_files))
    return Exclusion((*ALWAYS_EXCLUDED, *layout.exclude, *anchored))


def listed_in_place(directory: str, layout: Layout) -> Tree:
    """Read the source of a directory that no list of files describes: what git does not ignore, else all files."""
    return read_tree(directory, names_in_place(directory, layout))


def names_in_place(directory: str, layout: Layout) -> Iterator[str]:
    """The relative paths of that source."""
    excluded = exclusion(layout)
    program = git.Git()
    if os.path.lexists(os.path.join(directory, ".git")) and program.available():
        names: Iterable[str] = git.present_files(program, directory)
    else:
        names = walk(directory, excluded)
    return (name for name in names if _is_source(name, excluded, layout))


def _is_source(path: str, excluded: Exclusion, layout: Layout) -> bool:
    return not excluded.covers(path) and not inside(path, layout.leave_behind)


def uncommitted(directory: str, layout: Layout, timeout_s: float) -> list[str]:
    """Return the source files of a directory whose content is in no git commit; empty if it is no checkout."""
    program = git.Git(timeout_s=timeout_s)
    if not program.available() or git.head(program, directory) is None:
        return []
    excluded = exclusion(layout)
    return [path for _code, path in git.changes(program, directory) if _is_source(path, excluded, layout)]
