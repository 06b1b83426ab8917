# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command with a deadline, without a shell, and leave no process behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Callable

from .accounts import Account

_PR_SET_PDEATHSIG = 1
#: Bytes of each stream that are returned; of a longer one the end.
MAX_OUTPUT = 32 * 1024 * 1024
_LOOK_S = 1.0
_END_BYTES = 2048


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    :param code: Its exit code, negative for the signal that ended it; ``None`` if it was killed at the deadline.
    :param output: Its standard output; with it the standard error, in the order of the lines, unless both were
        asked for separately.
    :param errors: Its standard error, if it was asked for separately.
    """

    code: int | None
    output: str
    errors: str = ""

    @property
    def timed_out(self) -> bool:
        return self.code is None

    @property
    def succeeded(self) -> bool:
        return self.code == 0


def c_locale(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which programs print untranslated messages.

    :param environment: By default the environment of this process.
    """
    result = dict(os.environ if environment is None else environment)
    # LANGUAGE overrides LC_ALL in gettext, except in the C locale; C.UTF-8 is not "C" for older versions of it.
    result.pop("LANGUAGE", None)
    result["LC_ALL"] = "C"
    return result


def run(
    command: Sequence[str],
    *,
    deadline: float,
    cwd: str = "/",
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    separate: bool = False,
    account: Account | None = None,
    umask: int = -1,
    errors: str = "replace",
    watch: Callable[[str], None] | None = None,
) -> Ended:
    """Run a command in a process group of its own and return how it ended.

    The group is killed at the deadline, when the command ends, and on any exception; the command itself also when
    this process dies. A daemon that the command starts in a session of its own goes on.

    :param deadline: By the clock of ``time.monotonic()``, in seconds.
    :param env: The whole environment; by default that of this process in the C locale.
    :param stdin: What the command reads from its standard input; by default nothing.
    :param separate: Return standard output and standard error separately.
    :param account: Run as this user; needs root.
    :param umask: File mode creation mask of the command; -1 leaves that of this process.
    :param errors: How bytes that are not UTF-8 are decoded, as in :meth:`bytes.decode`.
    :param watch: Called while the command runs, about once a second, with the end of its output.
    :raises OSError: If it cannot be started: no such program or directory, no permission.
    """
    with contextlib.ExitStack() as stack:
        # Files, not pipes: whoever inherits a pipe and stays would keep its reader waiting.
        output: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
        problems: IO[bytes] | None = stack.enter_context(tempfile.TemporaryFile()) if separate else None
        given: IO[bytes] | None = None
        if stdin:
            given = stack.enter_context(_in_memory())
            given.write(stdin)
            given.seek(0)
        process = _start(command, cwd, env, given, output, problems, account, umask)
        ended_in_time = False
        try:
            ended_in_time = _wait(process, deadline, (lambda: watch(_end_of(output))) if watch else None)
        finally:
            code = _end(process)
        return Ended(
            code if ended_in_time else None,
            _text(output, errors),
            _text(problems, errors) if problems else "",
        )


class Running:
    """A program that runs; what it printed can be read at any time."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        self.pid = process.pid
        self._process = process
        self._output = output

    @property
    def code(self) -> int | None:
        """Its exit code, negative for the signal that ended it; ``None`` while it runs."""
        return self._process.poll()

    @property
    def end_of_output(self) -> str:
        """The last 2 KiB of standard output and standard error."""
        return _end_of(self._output)


@contextlib.contextmanager
def running(command: Sequence[str], *, cwd: str = "/", env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Run a program while the block runs, and kill it with its process group afterwards, however the block ends.

    Parameters and errors as in :func:`run`.
    """
    with tempfile.TemporaryFile() as output:
        process = _start(command, cwd, env, None, output, None, None, -1)
        try:
            yield Running(process, output)
        finally:
            _end(process)


def _start(
    command: Sequence[str],
    cwd: str,
    env: Mapping[str, str] | None,
    stdin: IO[bytes] | None,
    stdout: IO[bytes],
    stderr: IO[bytes] | None,
    account: Account | None,
    umask: int,
) -> subprocess.Popen[bytes]:
    """Start a process in a session, and so in a process group, of its own."""
    return subprocess.Popen(  # noqa: S603 - a list, no shell
        list(command),
        cwd=cwd,
        env=c_locale() if env is None else dict(env),
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr or subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with(os.getpid()),
        umask=umask,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=list(account.groups) if account else None,
    )


def _end(process: subprocess.Popen[bytes]) -> int:
    """Kill what is left of a process and its group; return its exit code."""
    # Before it is reaped, so that its number cannot have been given to another process.
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _wait(process: subprocess.Popen[bytes], deadline: float, look: Callable[[], None] | None = None) -> bool:
    """Wait for a process; return whether it ended before the deadline."""
    pause_s = 0.0005
    looked = time.monotonic()
    while _still_runs(process):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        if look is not None and time.monotonic() - looked >= _LOOK_S:
            look()
            looked = time.monotonic()
        pause_s = min(2 * pause_s, left, 0.05)
        time.sleep(pause_s)
    return True


def _still_runs(process: subprocess.Popen[bytes]) -> bool:
    if not hasattr(os, "waitid"):
        # macOS before Python 3.13, as a controller.
        return process.poll() is None
    # Looked at, not reaped.
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None


def _in_memory() -> IO[bytes]:
    """A file for input that may be secret: on no disk where the system can do that."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stdin"), "w+b")
    return tempfile.TemporaryFile()


def _end_of(stream: IO[bytes]) -> str:
    """The last of what has been written so far, without moving the position that the command writes at."""
    size = os.fstat(stream.fileno()).st_size
    return os.pread(stream.fileno(), _END_BYTES, max(0, size - _END_BYTES)).decode("utf-8", "replace")


def _text(stream: IO[bytes], errors: str) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - MAX_OUTPUT))
    return stream.read().decode("utf-8", errors)


def die_with(parent: int) -> Callable[[], None]:
    """Return what a child process does so that the kernel kills it when its parent dies, however that happens.

    Otherwise a copy or an installation would continue during the next run. See prctl(2), PR_SET_PDEATHSIG.
    """

    def prepare() -> None:
        prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
        if prctl is None:
            # Not Linux: a controller.
            return
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            # It died before the line above.
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare
