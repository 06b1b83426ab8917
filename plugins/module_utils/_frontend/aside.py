# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a directory anew while its previous state is kept aside, and restore that if anything fails."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

from .build_plan import RECORD


def previous_of(path: str) -> str:
    """Return the path of a directory's previous state while it is created anew."""
    directory, name = os.path.split(path.rstrip("/"))
    return os.path.join(directory, f".{name.lstrip('.')}.staging-previous")


@contextlib.contextmanager
def aside(path: str, marker: str, cache: str = "") -> Iterator[None]:
    """Keep the previous state of a directory aside, and restore it on an exception.

    :param marker: As for :func:`recover`. A marker beside the directory is kept in the previous state.
    :param cache: A directory in it that the new state starts with.
    """
    previous = previous_of(path)
    remove(previous)
    if os.path.isfile(marker) and os.path.dirname(marker) != path:
        if os.path.isdir(path):
            os.replace(marker, os.path.join(path, RECORD))
        else:
            os.unlink(marker)
    if os.path.lexists(path):
        os.rename(path, previous)
        if cache and os.path.isdir(os.path.join(previous, cache)):
            os.mkdir(path)
            os.rename(os.path.join(previous, cache), os.path.join(path, cache))
    try:
        yield
    except BaseException:
        _restore(path, marker, cache)
        raise
    remove(previous)


def recover(path: str, marker: str) -> bool:
    """Clean up after a run that was killed; return whether the previous state was restored.

    :param marker: The file that a finished directory has, in it or beside it.
    """
    previous = previous_of(path)
    if not os.path.lexists(previous):
        _move_marker_out(path, marker)
        return False
    if os.path.isfile(marker):
        remove(previous)
        return False
    _restore(path, marker, cache="cache")
    return True


def _restore(path: str, marker: str, cache: str) -> None:
    """Replace a directory by its previous state, if there is one; a warm cache is kept."""
    previous = previous_of(path)
    if os.path.isdir(previous) and cache:
        warm, kept = os.path.join(path, cache), os.path.join(previous, cache)
        if os.path.isdir(warm) and not os.path.lexists(kept):
            os.rename(warm, kept)
    remove(path)
    if os.path.lexists(previous):
        os.rename(previous, path)
    _move_marker_out(path, marker)


def _move_marker_out(path: str, marker: str) -> None:
    """Move a marker that belongs beside the directory out of it."""
    inside = os.path.join(path, RECORD)
    if os.path.dirname(marker) != path and os.path.isfile(inside):
        os.replace(inside, marker)


def put_in_place(made: str, path: str) -> None:
    """Replace a directory, if it exists, by a new one beside it."""
    remove(path)
    os.rename(made, path)


def remove(path: str) -> None:
    """Delete a directory, a file or a link, if it exists."""
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)
