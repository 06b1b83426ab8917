# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host knows of the directory of the releases."""

from __future__ import annotations

import os
import stat

from .._host.accounts import Account, find_account, future_home, may_write
from .._host.directories import missing_below_root, nearest_existing
from .storage import Storage


def look_at_storage(project_dir: str, user: str) -> Storage:
    """The facts on the place of a project, which exists in part.

    :param user: The deploy user, who may not exist yet. It is judged as the role runtime creates it: with a home
        directory, and with the rights that everybody has.
    """
    place = nearest_existing(f"{project_dir}.releases")
    if not os.path.isdir(place):
        return Storage(place, is_directory=False)
    status = os.statvfs(place)
    account = find_account(user)
    # The link to the active release is replaced in the parent directory.
    parent = nearest_existing(os.path.dirname(project_dir))
    places = tuple(dict.fromkeys((parent, place)))
    if account is None and f"{project_dir}/".startswith(f"{future_home(user)}/"):
        places = ()
    closed = next((each for each in (closed_to(path, account) for path in places) if each), "")
    return Storage(
        place,
        unwritable=() if closed else tuple(path for path in places if not _writable(path, account)),
        creatable=missing_below_root(os.path.dirname(project_dir)),
        read_only=bool(status.f_flag & os.ST_RDONLY),
        no_exec=bool(status.f_flag & getattr(os, "ST_NOEXEC", 0)),
        free_bytes=status.f_bavail * status.f_frsize,
        free_inodes=status.f_favail if status.f_files else None,
        closed=closed,
    )


def closed_to(path: str, account: Account | None) -> str:
    """The first directory on the way to a path that a user cannot enter by its mode; empty if there is none.

    :param account: ``None`` for a user who does not exist yet.
    """
    if account is not None and account.uid == 0:
        return ""
    parts = os.path.realpath(path).split("/")
    for depth in range(1, len(parts) + 1):
        directory = "/".join(parts[:depth]) or "/"
        try:
            status = os.stat(directory)
        except OSError:
            return ""
        if not _permits(status, account, stat.S_IXUSR):
            return directory
    return ""


def _writable(path: str, account: Account | None) -> bool:
    if account is None:
        return _permits(os.stat(path), None, stat.S_IWUSR)
    return may_write(path, account)


def _permits(status: os.stat_result, account: Account | None, owner_bit: int) -> bool:
    """Whether the mode of a file gives a user a right, which is named by the bit for the owner."""
    if account is not None and status.st_uid == account.uid:
        bit = owner_bit
    else:
        bit = owner_bit >> (3 if account is not None and status.st_gid in account.groups else 6)
    return bool(status.st_mode & bit)
