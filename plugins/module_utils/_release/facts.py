# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``release`` and ``release_info`` say about a project, in the same words."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .manifest import (
    GoodState,
    Manifest,
    Record,
    number_of,
)
from .store import Project
from .tree import inside, tree_digest


def facts(
    project: Project,
    manifest: Manifest,
    current: str | None,
    digest_without: Sequence[str],
    predicted_digest: str | None = None,
) -> dict[str, Any]:
    """Return the facts of a project.

    :param current: The current release; in check mode the one that would be.
    :param predicted_digest: Digest of a source whose files are not there yet.
    """
    working = manifest.candidate or current
    record = manifest.releases.get(working, Record()) if working else Record()
    tree = project.delivered(working) if working else None
    if tree is None and current and record.tree_digest == manifest.releases.get(current, Record()).tree_digest:
        # A copy that is only predicted has the source of the release it is made of.
        tree = project.delivered(current)
    without = tree_digest(tree, digest_without) if tree is not None else None
    if without is not None and any(not inside(path, digest_without) for path in record.repaired):
        # A process that was restarted meanwhile runs what was damaged, although its source has the same digest.
        without = hashlib.sha256(f"{without} {record.repaired_in}".encode()).hexdigest()
    # A directory that is to be taken over is what there is to look at until then.
    places = [*(project.path(release) for release in (working, current) if release), project.link]
    base = next((place for place in places if os.path.isdir(place)), None)
    return {
        "path": project.path(working) if working else None,
        "base_path": base,
        "working": working,
        "current": current,
        "candidate": manifest.candidate,
        "good": manifest.good.release if manifest.good else None,
        "former": manifest.former.release if manifest.former else None,
        "good_state": _state(manifest.good),
        "former_state": _state(manifest.former),
        "proxy_state": dict(manifest.good.proxy_state) if manifest.good else {},
        "proxy_before": dict(manifest.proxy_before),
        "records": dict(record.records),
        "revision": record.revision,
        "tree_digest": record.tree_digest or predicted_digest,
        "tree_digest_without": without,
        "origin": dict(record.origin),
        "releases_dir": project.directory,
        "venvs_dir": project.venvs,
        "shared_dir": project.shared,
        "incoming_dir": project.incoming,
        "sealed_files": {
            path: project.sealed(working, "files", path)
            for path in manifest.layout.env_files
            if working and os.path.isfile(project.sealed(working, "files", path))
        },
        "releases": [
            {
                "id": name,
                "revision": manifest.releases[name].revision,
                "taken_over": manifest.releases[name].taken_over,
                "current": name == current,
            }
            for name in sorted(manifest.releases, key=number_of)
        ],
    }


def _state(state: GoodState | None) -> dict[str, Any] | None:
    return asdict(state) if state else None


def as_lines(project: Project, manifest: Manifest, current: str | None) -> str:
    """Return the state of the releases as text, for a diff."""
    lines = [
        f"current: {current or '-'}",
        f"candidate: {manifest.candidate or '-'}",
        f"good: {manifest.good.release if manifest.good else '-'}",
        f"former: {manifest.former.release if manifest.former else '-'}",
        f"proxy before: {'kept' if manifest.proxy_before else '-'}",
        "releases:",
        *(
            f"  {name} {manifest.releases[name].revision or 'unknown'}"
            for name in sorted(manifest.releases, key=number_of)
        ),
    ]
    return f"{project.link}\n" + "\n".join(lines) + "\n"
