# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data at a shared path of a release that is no link to the shared data any more, or never was.

An application that saves a file by renaming a new one to its name replaces the link by that file: the shared file keeps
the older content. A directory that was restored from a backup, or created again, is such a case as well. A release that
is made then links to the shared data, and would go back to its content.
"""

from __future__ import annotations

import filecmp
import os
import stat
from collections.abc import Iterator, Mapping

from .manifest import Layout
from .tree import Exclusion, entry_of, inside, walk

_EVERYTHING = Exclusion(())


def displaced(directory: str, shared: str, layout: Layout, delivered: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return what is at the shared paths of a directory, and not in the shared data.

    :param directory: A release, or the directory to take over.
    :param shared: The directory of the shared data.
    :param delivered: The source of the directory, as far as it is known.
    :returns: By shared path the files that the shared data lacks or has with another content; for a path that is a link
        to another place, the path itself.
    """
    found = {}
    for path in layout.shared_paths:
        place, home = os.path.join(directory, path), os.path.join(shared, path)
        if not can_move(place, home, directory):
            lost = _lost(path, place, home)
            files = tuple(sorted(name for name in lost if not _as_delivered(directory, name, delivered)))
            if files:
                found[path] = files
    return found


def can_move(place: str, home: str, directory: str) -> bool:
    """Whether what is at a shared path of a directory can become the shared data, because there is none yet.

    A link to something outside, such as a larger disk, can. One to another place in the directory cannot: that is
    another path of the project.
    """
    if not os.path.lexists(place) or not is_free(home):
        return False
    target = os.path.realpath(place)
    # Beside the directory are the other releases, and the shared data.
    around = (os.path.realpath(directory), os.path.dirname(os.path.realpath(directory)))
    return not os.path.islink(place) or (os.path.lexists(target) and not inside(target, around))


def is_free(home: str) -> bool:
    """Whether there is no shared data at a place: nothing at all, or an empty directory."""
    if os.path.isdir(home) and not os.path.islink(home):
        return not os.listdir(home)
    return not os.path.lexists(home)


def _as_delivered(directory: str, name: str, delivered: Mapping[str, str]) -> bool:
    """Whether a file is one of the source, and was not changed."""
    return name in delivered and entry_of(os.path.join(directory, name)) == delivered[name]


def _lost(path: str, place: str, home: str) -> Iterator[str]:
    if os.path.islink(place):
        if os.path.lexists(os.path.realpath(place)) and os.path.realpath(place) != os.path.realpath(home):
            yield path
    elif not os.path.isdir(place):
        if os.path.lexists(place) and not _same(place, home):
            yield path
    else:
        for name in walk(place, _EVERYTHING):
            if not _same(os.path.join(place, name), os.path.join(home, name)):
                yield f"{path}/{name}"


def _same(first: str, second: str) -> bool:
    """Whether two paths are regular files with the same content, or links to the same place."""
    if os.path.islink(first) or os.path.islink(second):
        return os.path.islink(first) and os.path.islink(second) and os.readlink(first) == os.readlink(second)
    if not os.path.lexists(second) or not (_is_file(first) and _is_file(second)):
        return False
    try:
        return filecmp.cmp(first, second, shallow=False)
    except OSError:
        # What cannot be compared may differ.
        return False


def _is_file(path: str) -> bool:
    return stat.S_ISREG(os.lstat(path).st_mode)
