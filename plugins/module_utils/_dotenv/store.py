# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Env files on the disk: read without following a link in the last component, and replaced in one step."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field

from .._host import files

MODE = 0o600
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class StoreError(Exception):
    """A file cannot be read or written; the message is a whole sentence without any content of the file."""


def _remedy_for_link(path: str) -> str:
    if not os.path.isfile(path):
        return "remove the link"
    copy = shlex.join(["cp", "--remove-destination", os.path.realpath(path), path])
    return f"replace the link with a copy of that file ({copy})"


@dataclass(frozen=True)
class FoundFile:
    """A file as it is; all ``None`` but the path if it does not exist."""

    path: str
    text: str | None = field(default=None, repr=False)
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


def look(path: str, *, tolerant: bool, follow: bool = False) -> FoundFile:
    """Read an env file.

    :param tolerant: Count a directory on the way that does not exist or may not be entered as an absent file.
    :param follow: Follow a symbolic link at the path.
    :raises StoreError: If it is not a regular file, cannot be read, or is not UTF-8 text.
    """
    try:
        found = files.read_file(path, follow=follow)
    except FileNotFoundError:
        return FoundFile(path)
    except files.UnsafeFileError as error:
        if os.path.islink(path):
            raise StoreError(
                f"{path} is a symbolic link to {os.readlink(path)}, not a regular file; {_remedy_for_link(path)}"
            ) from None
        raise StoreError(f"{path} {error.strerror}; move it away or choose another path") from None
    except (NotADirectoryError, PermissionError) as error:
        # The file itself can be seen if only its content may not be read.
        if tolerant and not os.path.lexists(path):
            return FoundFile(path)
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    try:
        text = found.data.decode()
    except UnicodeDecodeError as error:
        line = found.data.count(b"\n", 0, error.start) + 1
        what = "is UTF-16 text" if found.data.startswith(_UTF16_MARKS) else "is not UTF-8 text"
        raise StoreError(f"{path}:{line}: this {what}; save the file as UTF-8") from None
    return FoundFile(path, text, found.mode, found.uid, found.gid)


def write(path: str, text: str, *, mode: int = MODE, uid: int | None = None, gid: int | None = None) -> None:
    """Replace an env file in one step.

    :param uid: Owner, or ``None`` to leave it to the process. The same for ``gid``.
    :raises StoreError: If the directory does not exist or cannot be written to, or the owner cannot be set.
    """
    directory = os.path.dirname(path)
    try:
        files.write_atomic(path, text, mode=mode, uid=uid, gid=gid)
    except FileNotFoundError:
        raise StoreError(f"{path} cannot be written since the directory {directory} does not exist") from None
    except OSError as error:
        raise _cannot(path, error) from None


def set_attributes(path: str, *, uid: int | None) -> None:
    """Make an env file private, and give it to a user.

    :raises StoreError: If that is not allowed.
    """
    try:
        files.set_attributes(path, mode=MODE, uid=uid, gid=None)
    except OSError as error:
        raise _cannot(path, error) from None


def _cannot(path: str, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    if reason.startswith("cannot be given"):
        return StoreError(f"{path} {reason}; run the task as root or as that user")
    return StoreError(f"{path} cannot be written: {reason}")
