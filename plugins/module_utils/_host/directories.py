# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that exist in part."""

from __future__ import annotations

import os
import stat

_ROOT = "/"


def nearest_existing(path: str) -> str:
    """The longest part of an absolute path that exists, which may be a file or a dangling link."""
    while not os.path.lexists(path):
        path = os.path.dirname(path) or "/"
    return path


def missing_below_root(path: str) -> str:
    """The first directory of an absolute path that is missing, if root may create it without a risk.

    That is where root alone can change a directory above it, and so no other user can put a link there meanwhile.

    :return: Empty if nothing is missing, or another user can change a directory above.
    """
    nearest = nearest_existing(path)
    if nearest == path or os.path.normpath(path) != path:
        return ""
    above = nearest
    while True:
        status = os.lstat(above)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
            return ""
        if above == _ROOT:
            break
        above = os.path.dirname(above)
    return os.path.join(nearest, os.path.relpath(path, nearest).split("/")[0])
