# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about a project that ``release`` and ``release_info`` both return."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Any

from . import baseline
from .manifest import Manifest, ReleaseRecord, number_of
from .project import Project
from .tree import inside, tree_digest


def facts(
    project: Project,
    manifest: Manifest,
    active: str | None,
    digest_exclude: Sequence[str],
    predicted_digest: str | None = None,
) -> dict[str, Any]:
    """Return the facts of a project.

    :param active: The active release; in check mode the one that would be.
    :param predicted_digest: Digest of a source whose files do not exist yet.
    """
    working = manifest.candidate or active
    record = manifest.releases.get(working, ReleaseRecord()) if working else ReleaseRecord()
    tree = baseline.delivered(project, working) if working else None
    if tree is None and active and record.source_digest == manifest.releases.get(active, ReleaseRecord()).source_digest:
        # A copy that is only predicted has the source of the release it is made of.
        tree = baseline.delivered(project, active)
    without = tree_digest(tree, digest_exclude) if tree is not None else None
    if without is not None and any(not inside(path, digest_exclude) for path in record.repaired):
        # A process that was restarted meanwhile runs the damaged file, although its source has the same digest.
        without = hashlib.sha256(f"{without} {record.repaired_in}".encode()).hexdigest()
    # Until a directory is taken over, it is what can be inspected.
    places = [*(project.path(release) for release in (working, active) if release), project.link]
    base = next((place for place in places if os.path.isdir(place)), None)
    return {
        "path": project.path(working) if working else None,
        "base_path": base,
        "working": working,
        "active": active,
        "candidate": manifest.candidate,
        "committed": manifest.committed,
        "previous": manifest.previous,
        "records": dict(record.records),
        "revision": record.revision,
        "source_digest": record.source_digest or predicted_digest,
        "partial_source_digest": without,
        "origin": dict(record.origin),
        "source_list": next(
            (
                baseline.path(project, release, "delivered.json")
                for release in (working, active)
                if release and baseline.delivered(project, release)
            ),
            None,
        ),
        "releases_dir": project.directory,
        "venvs_dir": project.venvs,
        "shared_dir": project.shared,
        "env_snapshots": {
            path: baseline.env_copy(project, working, path)
            for path in manifest.layout.env_files
            if working and os.path.isfile(baseline.env_copy(project, working, path))
        },
        "releases": [
            {
                "id": name,
                "revision": manifest.releases[name].revision,
                "taken_over": manifest.releases[name].taken_over,
                "active": name == active,
            }
            for name in sorted(manifest.releases, key=number_of)
        ],
    }


def as_lines(project: Project, manifest: Manifest, active: str | None) -> str:
    """Return the state of the releases as text, for a diff."""
    lines = [
        f"active: {active or '-'}",
        f"candidate: {manifest.candidate or '-'}",
        f"committed: {manifest.committed or '-'}",
        f"previous: {manifest.previous or '-'}",
        "releases:",
        *(
            f"  {name} {manifest.releases[name].revision or 'unknown'}"
            for name in sorted(manifest.releases, key=number_of)
        ),
    ]
    return f"{project.link}\n" + "\n".join(lines) + "\n"
