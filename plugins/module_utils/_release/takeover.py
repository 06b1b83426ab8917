# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory that was deployed manually becomes the first release, under the running processes."""

from __future__ import annotations

import os
from typing import Any

from .._host.files import sweep
from . import baseline, links, pruning, shared
from .checkout import exclude_own_files
from .manifest import Manifest, ReleaseRecord
from .plan import Found
from .project import Project
from .source import listed_in_place
from .tree import tree_digest


def take_over(project: Project, manifest: Manifest, revision: str | None, origin: dict[str, Any]) -> str:
    """Rename the directory found to a release, put the link in its place, and return the release's id."""
    name = manifest.next_id(revision)
    manifest.counter += 1
    manifest.taking_over = name
    # In the manifest from the start. Until the exchange its directory is missing, and `Project.read` ignores it.
    manifest.releases[name] = ReleaseRecord(revision=revision, origin=dict(origin), taken_over=True)
    project.write(manifest)
    target = os.path.join(os.path.basename(project.directory), name)
    os.symlink(target, project.path(name))
    if not links.exchange(project.link, project.path(name)):
        os.unlink(project.path(name))
        os.rename(project.link, project.path(name))
        project.point_to(name)
    finish(project, manifest)
    return name


def finish(project: Project, manifest: Manifest) -> None:
    """Move the shared data of the directory that was taken over, and record its source."""
    name = manifest.taking_over
    if name is None:
        return
    shared.adopt(project, name, manifest.layout)
    exclude_own_files(project.path(name), manifest.layout)
    record = manifest.releases.setdefault(name, ReleaseRecord(taken_over=True))
    tree = listed_in_place(project.path(name), manifest.layout)
    record.source_digest = tree_digest(tree)
    record.complete = record.taken_over = True
    record.revision = record.revision or record.source_digest
    baseline.store_delivered(project, name, tree)
    baseline.take(project, name, manifest)
    manifest.taking_over = None
    project.write(manifest)


def recover(project: Project, manifest: Manifest) -> Manifest:
    """Finish or undo what an interrupted run began, as far as it concerns the project's path.

    :param manifest: As :meth:`Project.read` returned it.
    """
    pruning.empty_trash(project)
    sweep(project.directory)
    sweep(project.parent, of=os.path.basename(project.link))
    name = manifest.taking_over
    if name is None:
        # `Project.read` has corrected it by what is on disk.
        written = project.load()
        if written is not None and written != manifest:
            project.write(manifest)
        return manifest
    found, active = project.find()
    if found is Found.NOTHING and os.path.isdir(project.path(name)) and not os.path.islink(project.path(name)):
        project.point_to(name)
        found, active = project.find()
    if active == name:
        finish(project, manifest)
    else:
        if os.path.islink(project.path(name)):
            os.unlink(project.path(name))
        manifest.releases.pop(name, None)
        manifest.taking_over = None
        project.write(manifest)
    return manifest
