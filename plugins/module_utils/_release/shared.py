# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data that outlives releases: kept in one directory beside them, and linked into each."""

from __future__ import annotations

import os

from .._host.files import link_atomic
from . import links
from .copying import remove_file, remove_tree
from .data import ASIDE, names_a_database, sidecars
from .displaced import can_move, is_free
from .manifest import Layout
from .project import Project


def unlinked(project: Project, directory: str, layout: Layout) -> tuple[str, ...]:
    """Return the shared paths for which a directory has no link to the shared data."""
    result = []
    for path in layout.shared_paths:
        place, home = os.path.join(directory, path), os.path.join(project.shared, path)
        if not os.path.islink(place) or os.path.realpath(place) != os.path.realpath(home):
            result.append(path)
    return tuple(result)


def adoptable(project: Project, directory: str, layout: Layout) -> tuple[str, ...]:
    """Return the shared paths whose data is in a directory, and not in the shared directory yet."""
    return tuple(
        path
        for path in unlinked(project, directory, layout)
        if can_move(os.path.join(directory, path), os.path.join(project.shared, path), directory)
    )


def adopt(project: Project, release: str, layout: Layout) -> tuple[str, ...]:
    """Move shared data out of a release, and leave links in its place."""
    _finish_adoption(project, release, layout)
    adopted = adoptable(project, project.path(release), layout)
    for path in adopted:
        place, home = os.path.join(project.path(release), path), os.path.join(project.shared, path)
        os.makedirs(os.path.dirname(home), mode=0o750, exist_ok=True)
        if os.path.islink(place):
            _clear(home)
            os.symlink(os.path.realpath(place), home)
            link_atomic(place, _relative(home, place))
            continue
        aside = f"{place}{ASIDE}"
        os.symlink(_relative(home, place), aside)
        # The link is in place an instant before its data is: shorter than two renames in the other order.
        if not links.exchange(place, aside):
            link = f"{place}.link"
            os.rename(aside, link)
            os.rename(place, aside)
            os.rename(link, place)
        _clear(home)
        os.rename(aside, home)
        _move_sidecars(place, home)
    return adopted


def _clear(home: str) -> None:
    """Remove the empty directory that is in the place of shared data."""
    if os.path.isdir(home):
        os.rmdir(home)


def _move_sidecars(place: str, home: str) -> None:
    """Move what SQLite keeps beside a database that was moved, because without it the last changes are lost."""
    for source, target in zip(sidecars(place), sidecars(home)):
        if os.path.islink(place) and os.path.isfile(home) and os.path.isfile(source) and not os.path.lexists(target):
            os.rename(source, target)


def _finish_adoption(project: Project, release: str, layout: Layout) -> None:
    """Move the data that an interrupted :func:`adopt` left beside its place."""
    for path in layout.shared_paths:
        place, home = os.path.join(project.path(release), path), os.path.join(project.shared, path)
        aside = f"{place}{ASIDE}"
        if os.path.islink(aside):
            os.unlink(aside)
        elif os.path.lexists(aside) and is_free(home):
            _clear(home)
            os.rename(aside, home)
        remove_file(f"{place}.link")
        if os.path.lexists(home) and not os.path.lexists(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(_relative(home, place), place)
        _move_sidecars(place, home)


def link_into(project: Project, release: str, layout: Layout) -> None:
    """Link the shared paths into a release; what its source contains at them becomes the first shared data.

    The link to a database that does not exist yet has no target: the application creates the file through it.
    """
    for path in layout.shared_paths:
        place, home = os.path.join(project.path(release), path), os.path.join(project.shared, path)
        os.makedirs(os.path.dirname(home), mode=0o750, exist_ok=True)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        link = _relative(home, place)
        if os.path.islink(place):
            # A process may be running in a release that is activated again: its link is never missing.
            if os.readlink(place) != link:
                link_atomic(place, link)
        elif os.path.lexists(place):
            if os.path.lexists(home):
                remove_tree(place)
            else:
                os.rename(place, home)
        if not os.path.lexists(home) and not names_a_database(path):
            os.mkdir(home, 0o750)
        if not os.path.islink(place):
            os.symlink(link, place)


def _relative(home: str, place: str) -> str:
    return os.path.relpath(home, os.path.dirname(place))
