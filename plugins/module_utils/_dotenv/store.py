# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private files on disk: found without following links unasked, replaced in one step, never readable by others."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from dataclasses import dataclass


class StoreError(Exception):
    """What was found at a path forbids going on; the message is a whole sentence without any content of the file."""


@dataclass(frozen=True)
class Found:
    """A file as it is; ``data`` is None where there is none."""

    path: str
    """Where the file really is: the end of the link if one was followed."""
    data: bytes | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


def look(path: str, *, follow: bool, tolerant: bool) -> Found:
    """Read a regular file.

    :param follow: Go to the end of a symbolic link in the last component; otherwise a link is refused.
    :param tolerant: A directory in the way that does not exist yet or may not be entered counts as no file.
    :raises StoreError: For anything that is no regular file, and for what cannot be read.
    """
    place = os.path.realpath(path) if follow else path
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Found(place)
    except OSError as error:
        if error.errno == errno.ELOOP:
            target = os.readlink(place) if os.path.islink(place) else "a loop"
            raise StoreError(
                f"{path} is a symbolic link to {target}, and only a file of its own is written; "
                "remove the link or set follow: true"
            ) from None
        if tolerant and error.errno in {errno.ENOTDIR, errno.EACCES}:
            return Found(place)
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise StoreError(f"{path} is no regular file; move it away or choose another path")
    with os.fdopen(descriptor, "rb") as file:
        return Found(place, file.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def replace(path: str, data: bytes, *, mode: int, uid: int | None, gid: int | None) -> None:
    """Put ``data`` at ``path`` in one step; until the last moment the new content is in a file of mode 0600.

    :param uid: Owner, or None to leave it to the process.
    :raises StoreError: If the directory is missing or not writable, or the owner cannot be given.
    """
    directory, name = os.path.split(path)
    aside = os.path.join(directory, f".{name}.{secrets.token_hex(6)}.new")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise StoreError(f"{path} cannot be written since the directory {directory} does not exist") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be written since {directory} takes no new file: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            if uid is not None or gid is not None:
                _give(file.fileno(), path, uid, gid)
            file.write(data)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.rename(aside, path)
    except BaseException as error:
        os.unlink(aside)
        if isinstance(error, OSError):
            raise StoreError(f"{path} cannot be written: {error.strerror}") from None
        raise
    _sync_directory(directory)


def _give(descriptor: int, path: str, uid: int | None, gid: int | None) -> None:
    status = os.fstat(descriptor)
    if uid in {None, status.st_uid} and gid in {None, status.st_gid}:
        return
    try:
        os.fchown(descriptor, -1 if uid is None else uid, -1 if gid is None else gid)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be given to user {uid} and group {gid}: {error.strerror}; "
            "run the task as root or as that user"
        ) from None


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError:
        # Some file systems cannot sync a directory; the rename itself has happened.
        pass
    finally:
        os.close(descriptor)


def set_attributes(path: str, *, mode: int | None, uid: int | None, gid: int | None) -> None:
    """Change mode and owner of a regular file in place, without following a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}") from None
    try:
        if uid is not None or gid is not None:
            _give(descriptor, path, uid, gid)
        if mode is not None:
            os.fchmod(descriptor, mode)
    except OSError as error:
        raise StoreError(f"the mode of {path} cannot be changed: {error.strerror}") from None
    finally:
        os.close(descriptor)
