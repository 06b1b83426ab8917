# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the project has on the host: its size, the files of other users, and its environment file."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from .._dotenv.document import ParseError, parse
from .._dotenv.store import StoreError, look
from .._host.accounts import find_account, rights_of, user_name
from .contents import Contents

_MEASURE_WITHIN_S = 3.0
#: More of them say nothing new.
_MOST_FOREIGN = 1000


def look_at_contents(project_dir: str, user: str) -> Contents:
    """The contents of the active release, or of a directory to be taken over, as far as 3 s reach.

    Directories are read before those inside of them, so that what is near the top is always seen. Nothing is read with
    more rights than those of the deploy user, who could put a link to any directory there.
    """
    release = os.path.realpath(project_dir)
    if not os.path.isdir(release):
        return Contents()
    account = find_account(user)
    uid = None if account is None else account.uid
    size = 0
    foreign: dict[str, str] = {}
    deadline = time.monotonic() + _MEASURE_WITHIN_S
    with rights_of(account):
        for entry in _walk(release, uid):
            size += entry.status.st_blocks * 512
            if entry.is_foreign and len(foreign) < _MOST_FOREIGN:
                foreign[entry.path] = user_name(entry.status.st_uid)
            if time.monotonic() > deadline:
                break
        # The other releases and the virtual environments are not changed any more.
        releases = f"{project_dir}.releases"
        for entry in (*_walk(releases, uid, depth=1), *_walk(os.path.join(releases, "shared"), uid, depth=2)):
            if entry.is_foreign:
                foreign[entry.path] = user_name(entry.status.st_uid)
    return Contents(size, foreign)


def env_file_problem(path: str, user: str) -> str:
    """Why an environment file cannot be read, with a remedy; empty where it can, or does not exist."""
    try:
        with rights_of(find_account(user)):
            text = look(path, tolerant=True).text
        if text is not None:
            parse(text)
    except StoreError as error:
        problem = str(error)
        return problem if "; " in problem else f"{problem}; make it readable for the user {user}"
    except ParseError as error:
        return error.of_file(path)
    return ""


@dataclass(frozen=True)
class _Entry:
    """A file or directory."""

    path: str
    status: os.stat_result
    is_foreign: bool
    """Whether it belongs to another user, and the directory that it is in does not."""


def _walk(top: str, uid: int | None, *, depth: int | None = None) -> Iterator[_Entry]:
    """A directory and what is in it, level by level, without symbolic links.

    :param uid: The user to whom all of it should belong.
    :param depth: How many levels below the directory; ``None`` for all.
    """
    # Directories to read, with their levels and whether one on the way is another user's.
    waiting = deque([(os.path.dirname(top), [os.path.basename(top)], 0, False)])
    while waiting:
        directory, names, level, within = waiting.popleft()
        for name in names if names else _names_in(directory):
            path = os.path.join(directory, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if stat.S_ISLNK(status.st_mode):
                continue
            foreign = status.st_uid != uid
            yield _Entry(path, status, foreign and not within)
            if stat.S_ISDIR(status.st_mode) and (depth is None or level < depth):
                waiting.append((path, [], level + 1, within or foreign))


def _names_in(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        # The deploy user cannot read it. The directory itself has been returned.
        return []


def is_filled_directory(path: str) -> bool:
    """Whether something is in a directory."""
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
