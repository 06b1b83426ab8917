# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a release that the next one does not get, because no source contains them."""

from __future__ import annotations

import os
from collections.abc import Collection

from .._frontend.build_plan import record_beside
from . import baseline, git
from .manifest import Layout, ReleaseRecord
from .project import Project
from .tree import ALWAYS_EXCLUDED, Exclusion, walk

_MADE_BY_TOOLS = ("next-env.d.ts", "*.tsbuildinfo", "*.egg-info", "build", "dist", record_beside("*"))


def known_source(project: Project, release: str, record: ReleaseRecord) -> set[str]:
    """Return the files of a release that came with its source.

    Of a directory that was taken over only git knows them; its other files may be data.
    """
    if record.taken_over:
        program = git.Git()
        directory = project.path(release)
        return set(git.tracked_files(program, directory)) if git.head(program, directory) else set()
    return {*(baseline.delivered(project, release) or {}), *(baseline.activated(project, release) or {})}


def left_behind(project: Project, release: str, layout: Layout, known: Collection[str]) -> tuple[str, ...]:
    """Return the files of a release that belong to no known source, and that the next release does not get."""
    directories = {os.path.dirname(path) for path in known}
    directories |= {"/".join(d.split("/")[: n + 1]) for d in directories for n in range(len(d.split("/")))}
    kept = Exclusion(
        (
            *ALWAYS_EXCLUDED,
            *_MADE_BY_TOOLS,
            *layout.exclude,
            *(f"/{path}" for path in (*layout.shared_paths, *layout.env_files, *layout.carry)),
            # Written together with the env file if the source has none.
            *(f"/{path}.example" for path in layout.env_files),
        )
    )
    found = set()
    for path in walk(project.path(release), kept):
        if path in known:
            continue
        parts = path.split("/")
        unknown = next((n for n in range(1, len(parts)) if "/".join(parts[:n]) not in directories), None)
        found.add("/".join(parts[:unknown]) + "/" if unknown else path)
    return tuple(sorted(found))
