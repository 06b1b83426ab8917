# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call a function in a process that has the rights of another user, and none of root's."""

from __future__ import annotations

import json
import os
import pwd
import select
import signal
import time
from typing import Any, Callable

from .accounts import Account, user_name
from .command import die_with
from .json_text import json_value

#: Bytes of an answer that are read.
ANSWER_LIMIT = 64 * 1024 * 1024
_PIECE = 1024 * 1024


def _nothing() -> None:
    pass


class AsUserError(Exception):
    """The process of the other user gave no answer; the message is a sentence."""


def call_as(
    account: Account | None, function: Callable[[], Any], *, deadline: float, meanwhile: Callable[[], None] = _nothing
) -> Any:
    """Call a function as another user and return what it returns.

    The process has the ids, the groups, the home directory and the name of that user for good, so that programs of the
    user that it starts cannot become root again. It inherits no open file, and the kernel lets no other process of the
    user read its memory or write to its answer, since it has changed its ids. Modules are imported before the call:
    those of Ansible are in a directory of root's.

    :param account: ``None``, or that of this process, to call the function in this process.
    :param function: Returns something that JSON can hold. What it returns is data of that user.
    :param deadline: By the clock of ``time.monotonic()``.
    :param meanwhile: Is called in this process while the other one runs.
    :raises AsUserError: If there is no answer by then, or none that can be read.
    """
    if account is None or account.uid == os.geteuid():
        meanwhile()
        return function()
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _answer(account, function, writing, parent)
    os.close(writing)
    try:
        meanwhile()
        answer = _read(reading, deadline)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if answer is None:
        raise AsUserError(f"the process of the user {user_name(account.uid)} did not answer in time")
    try:
        found = json_value(answer)
    except ValueError:
        raise AsUserError(f"the process of the user {user_name(account.uid)} ended without an answer") from None
    if not isinstance(found, dict) or "value" not in found:
        raise AsUserError(f"the process of the user {user_name(account.uid)} failed: {found}")
    return found["value"]


def _answer(account: Account, function: Callable[[], Any], writing: int, parent: int) -> None:
    """What the child process does; it never returns."""
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.closerange(3, writing)
        os.closerange(writing + 1, os.sysconf("SC_OPEN_MAX"))
        os.setgroups(account.groups or (account.gid,))
        os.setgid(account.gid)
        os.setuid(account.uid)
        _become(account)
        die_with(parent)()
        data = json.dumps(_outcome(function)).encode()
        while data:
            data = data[os.write(writing, data[:_PIECE]) :]
    finally:
        # Nothing of the parent's must run here, such as its handlers at exit.
        os._exit(0)


def _outcome(function: Callable[[], Any]) -> Any:
    try:
        return {"value": function()}
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"


def _become(account: Account) -> None:
    entry = pwd.getpwuid(account.uid)
    for name in [name for name in os.environ if name.startswith(("SUDO_", "XDG_", "PM2_")) or name == "MAIL"]:
        del os.environ[name]
    os.environ.update(HOME=entry.pw_dir, USER=entry.pw_name, LOGNAME=entry.pw_name, SHELL=entry.pw_shell)
    os.chdir("/")


def _read(reading: int, deadline: float) -> bytes | None:
    """Everything that the child writes; ``None`` if it does not end in time or writes too much."""
    pieces: list[bytes] = []
    size = 0
    while size <= ANSWER_LIMIT:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return None
        piece = os.read(reading, _PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
    return None
