# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete releases, and what no release needs any more."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence

from .._host import proc
from .copying import remove_tree
from .manifest import RELEASE_ID, Manifest
from .project import Project


def drop(project: Project, manifest: Manifest, releases: Sequence[str]) -> None:
    """Remove releases from the manifest and delete their directories (later, if a process is running in one)."""
    for name in releases:
        if os.path.isdir(project.path(name)):
            os.rename(project.path(name), project.path(f".trash-{name}"))
        manifest.releases.pop(name, None)
        if manifest.candidate == name:
            manifest.candidate = None
    for name in releases:
        if os.path.isdir(os.path.join(project.baselines, name)):
            remove_tree(os.path.join(project.baselines, name))
    # Before the manifest is written, which a full disk would not allow.
    empty_trash(project)
    project.write(manifest)


def empty_trash(project: Project) -> None:
    """Delete the directories of dropped releases in which no process is running."""
    trash = glob.glob(os.path.join(glob.escape(project.directory), ".trash-*"))
    used = processes_inside(project.directory) if trash else set()
    for path in trash:
        if os.path.basename(path) not in used:
            remove_tree(path)


def unused(project: Project, manifest: Manifest) -> list[str]:
    """Return the paths of baselines and virtual environments that belong to no release."""
    if not os.path.isdir(project.directory):
        return []
    result = [
        path
        for path in sorted(glob.glob(os.path.join(glob.escape(project.baselines), "*")))
        if os.path.basename(path) not in manifest.releases
    ]
    # Names that begin with a dot are tools (uv), not environments of a release; glob ignores them.
    venvs = sorted(glob.glob(os.path.join(glob.escape(project.venvs), "*")))
    if venvs:
        used = _linked_venvs(project, manifest.releases) | processes_inside(project.venvs)
        result.extend(path for path in venvs if os.path.isdir(path) and os.path.basename(path) not in used)
    return result


def in_use(project: Project) -> set[str]:
    """Return the releases in which a process is running."""
    return {name for name in processes_inside(project.directory) if RELEASE_ID.match(name)}


def processes_inside(directory: str) -> set[str]:
    """Return the names directly below a directory in or below which a process has its working directory.

    Processes that this user may not inspect are not counted: they belong to other users.
    """
    top = os.path.realpath(directory) + os.sep
    found = set()
    for pid in proc.pids():
        reached = proc.working_directory(pid)
        if reached is not None and reached.startswith(top):
            found.add(reached[len(top) :].split(os.sep)[0])
    return found


def _linked_venvs(project: Project, releases: Iterable[str]) -> set[str]:
    """Return the names of the virtual environments that a release links to."""
    result = set()
    home = os.path.realpath(project.venvs) + os.sep
    for release in releases:
        pending = [project.path(release)]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        reached = os.path.realpath(entry.path) + os.sep
                        if reached.startswith(home):
                            result.add(reached[len(home) :].split(os.sep)[0])
                    elif entry.is_dir(follow_symlinks=False) and entry.name not in ("node_modules", ".git", ".next"):
                        pending.append(entry.path)
    return result
