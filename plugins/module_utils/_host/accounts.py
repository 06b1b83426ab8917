# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of this host, and acting with the rights of one of them."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .files import read_text


@dataclass(frozen=True)
class Account:
    """A user, by numbers, so that nothing is resolved any more when its rights are taken on.

    :param groups: All groups, the primary one included.
    """

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def find_account(user: str) -> Account | None:
    """The account of a user name; ``None`` if it does not exist."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(user, entry.pw_gid)))


def future_home(user: str) -> str:
    """The home directory that useradd gives a new user by default."""
    settings = read_text("/etc/default/useradd") or ""
    found = re.search(r"^HOME=(/\S*)", settings, re.MULTILINE)
    return os.path.join(found[1] if found else "/home", user)


def user_name(uid: int) -> str:
    """The name of a user id, or the number as a text if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@contextlib.contextmanager
def rights_of(account: Account | None) -> Iterator[None]:
    """Access files with the rights of another user while the block runs.

    For data below a directory of that user, where a link could otherwise lead root to any file. Nothing happens if this
    process is not root, or without an account. Only the effective ids change: the block must run no other program and
    call no code of that user. All threads of the process are affected.
    """
    if account is None or os.geteuid() != 0:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.setgroups(account.groups or (account.gid,))
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def may_write(path: str, account: Account | None) -> bool:
    """Whether a user may create files in a directory; see :func:`may_access`."""
    return may_access(path, account, os.W_OK | os.X_OK)


def may_access(path: str, account: Account | None, wanted: int) -> bool:
    """Whether a user may access a file.

    The kernel is asked as that user, since modes alone do not tell (access control lists, read-only attributes).

    :param wanted: A mode of access(2).
    :param account: ``None`` for this process, also asked instead of another user if it is not root.
    :return: Also ``True`` if the question cannot be put to the kernel.
    """
    if account is None or os.geteuid() != 0 or account.uid == 0:
        return os.access(path, wanted)
    child = os.fork()
    if child == 0:
        try:
            # Not only the effective ids: access(2) asks with the real ones.
            os.setgroups(account.groups or (account.gid,))
            os.setgid(account.gid)
            os.setuid(account.uid)
            os._exit(0 if os.access(path, wanted) else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 1
