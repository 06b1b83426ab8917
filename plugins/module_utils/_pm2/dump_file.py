# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files in which pm2 saves the list of processes for the next boot."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from typing import Any

from .._host.files import read_text, set_attributes, write_atomic
from .._host.json_text import json_value
from .error import Pm2Error

_DUMP = "dump.pm2"


def read_dump(home: str) -> list[dict[str, Any]] | None:
    """The saved list; None if there is none or it cannot be read."""
    try:
        value = json_value(read_text(os.path.join(home, _DUMP)) or "")
    except ValueError:
        return None
    return value if isinstance(value, list) and all(isinstance(entry, dict) for entry in value) else None


def write_dump(home: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Replace the saved list in one step; it is private, because it contains the processes' environments."""
    write_atomic(os.path.join(home, _DUMP), json.dumps(list(entries), indent=2), mode=0o600)


def exposed_dumps(home: str) -> list[str]:
    """The saved lists that are no private files of this user: others can read or replace what is in them."""
    found = []
    for name in (_DUMP, f"{_DUMP}.bak"):
        path = os.path.join(home, name)
        with contextlib.suppress(OSError):
            status = os.lstat(path)
            if not _is_own_file(status) or stat.S_IMODE(status.st_mode) & 0o077:
                found.append(path)
    return found


def close_dumps(home: str) -> None:
    """Make the saved lists private files of this user, with what can be read of them.

    :raises Pm2Error: If one cannot be, such as a directory in its place.
    """
    for path in exposed_dumps(home):
        try:
            _close(path)
        except OSError as problem:
            raise Pm2Error(
                f"{path} cannot be replaced by a private file of its user ({problem.strerror}); remove it"
            ) from problem


def _close(path: str) -> None:
    if _is_own_file(os.lstat(path)):
        set_attributes(path, mode=0o600, uid=None, gid=None)
        return
    # A link, or a file that root has saved: the directory is this user's.
    content = read_text(path)
    os.unlink(path)
    if content is not None:
        write_atomic(path, content, mode=0o600)


def _is_own_file(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
