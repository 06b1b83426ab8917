# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host knows of the directory of the releases."""

from __future__ import annotations

import contextlib
import os
import stat
import time

from .._host.accounts import find_account, may_write
from .storage import Storage

_MEASURE_WITHIN_S = 3.0


def look_at_storage(path: str, user: str) -> Storage:
    """The facts on a directory that exists in part.

    :param user: The deploy user, who may not exist yet.
    """
    nearest = path
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest) or "/"
    if not os.path.isdir(nearest):
        return Storage(nearest, is_directory=False)
    status = os.statvfs(nearest)
    closed = closed_to(nearest, user)
    return Storage(
        nearest,
        writable=bool(closed) or may_write(nearest, find_account(user)),
        read_only=bool(status.f_flag & os.ST_RDONLY),
        no_exec=bool(status.f_flag & getattr(os, "ST_NOEXEC", 0)),
        free_bytes=status.f_bavail * status.f_frsize,
        free_inodes=status.f_favail if status.f_files else None,
        closed=closed,
    )


def closed_to(path: str, user: str) -> str:
    """The first directory on the way to a path that a user cannot enter by its mode; empty if there is none."""
    account = find_account(user)
    if account is None or account.uid == 0:
        return ""
    parts = os.path.realpath(path).split("/")
    for depth in range(1, len(parts) + 1):
        directory = "/".join(parts[:depth]) or "/"
        try:
            status = os.stat(directory)
        except OSError:
            return ""
        if status.st_uid == account.uid:
            bit = stat.S_IXUSR
        else:
            bit = stat.S_IXGRP if status.st_gid in account.groups else stat.S_IXOTH
        if not status.st_mode & bit:
            return directory
    return ""


def size_of_release(project_dir: str) -> int | None:
    """Bytes on disk of the active release, or what is counted of them within 3 s; None where there is none."""
    release = os.path.realpath(project_dir)
    if not os.path.isdir(release):
        return None
    total = 0
    deadline = time.monotonic() + _MEASURE_WITHIN_S
    for directory, _names, files in os.walk(release):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(directory, name)).st_blocks * 512
        if time.monotonic() > deadline:
            break
    return total
