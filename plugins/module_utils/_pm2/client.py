# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pm2 program, called with an environment that the module sets."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable

from .._host import proc
from .._host.command import Running, run, running
from .._host.files import write_atomic
from .._host.json_text import read_json_object
from .._host.redaction import redacted
from .dump import merged_dump
from .dump_file import close_dumps, read_dump, write_dump
from .error import Pm2Error
from .process import Pm2Process, parse_jlist, parse_process

_CALL_WITHIN_S = 120.0
_APPLY_WITHIN_S = 180.0
_PAUSE_S = 0.01


class Pm2:
    """The pm2 program.

    :param executable: Its path.
    :param env: The whole environment of every call; a daemon that a call starts inherits it.
    :param home: Directory of the daemon.
    :param hidden: Values that are removed from everything that pm2 prints.
    """

    def __init__(self, executable: str, env: Mapping[str, str], home: str, hidden: Sequence[str] = ()) -> None:
        self._executable = executable
        self._home = home
        self._hidden = tuple(hidden)
        self._env = {**env, "PM2_HOME": home, "PM2_DISCRETE_MODE": "true"}

    def version(self) -> str:
        """The version on the disk, read from the package: asking pm2 would start a daemon."""
        package = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(self._executable))), "package.json")
        return str(read_json_object(package).get("version", ""))

    def call(self, *args: str, umask: int = -1, timeout_s: float = _CALL_WITHIN_S) -> str:
        """Run pm2 silently and return what it printed.

        :raises Pm2Error: If it failed or took longer than the limit.
        """
        try:
            ended = run(
                [self._executable, "-s", *args],
                deadline=time.monotonic() + timeout_s,
                env=self._env,
                separate=True,
                umask=umask,
            )
        except OSError as err:
            raise Pm2Error(f"{self._executable} cannot be run: {err.strerror}") from err
        if ended.timed_out:
            raise Pm2Error(f"pm2 {args[0]} did not end within {timeout_s:.0f} s")
        if not ended.succeeded:
            said = redacted((ended.errors + ended.output).strip(), self._hidden)[-600:]
            raise Pm2Error(f"pm2 {args[0]} ended with exit code {ended.code}: {said}")
        return ended.output

    def processes(self) -> list[Pm2Process]:
        """What the daemon runs. Call it only while a daemon runs, because this would start one."""
        entries = parse_jlist(self.call("jlist"))
        applications = [entry for entry in entries if not entry["pm2_env"].get("pmx_module")]
        return [_with_live_cwd(parse_process(entry)) for entry in applications]

    def apply(self, command: str, entry: Mapping[str, Any], directory: str, timeout_s: float = _APPLY_WITHIN_S) -> None:
        """Give pm2 one definition in a private file, so that no value is visible in a list of processes.

        :param directory: Where the file is written for the time of the call.
        :raises Pm2Error: As :meth:`call`.
        """
        path = os.path.join(directory, f"pm2-{secrets.token_hex(8)}.json")
        write_atomic(path, json.dumps({"apps": [entry]}), mode=0o600, sync=False)
        try:
            self.call(command, path, "--update-env", timeout_s=timeout_s)
        finally:
            os.unlink(path)

    @contextlib.contextmanager
    def prepared(self, directory: str) -> Iterator[Callable[..., None]]:
        """Load pm2 for a start before something is stopped for it, because that takes longer than the start itself.

        Gives a function that starts definitions, once. It raises as :meth:`call`. No value of them is on a disk.

        :param directory: Where a FIFO is made, from which pm2 reads the definitions.
        :raises Pm2Error: If pm2 ends, or does not read, before it can be given one.
        """
        path = os.path.join(directory, f"pm2-{secrets.token_hex(8)}.json")
        deadline = time.monotonic() + _APPLY_WITHIN_S
        os.mkfifo(path, 0o600)
        try:
            with running([self._executable, "-s", "start", path, "--update-env"], env=self._env) as program:
                descriptor = self._read_by(program, path, deadline)
                with open(descriptor, "w", encoding="utf-8") as file:

                    def start(*entries: Mapping[str, Any]) -> None:
                        with contextlib.suppress(BrokenPipeError):
                            file.write(json.dumps({"apps": entries}))
                            file.close()
                        self._await(program, deadline)

                    yield start
        finally:
            os.unlink(path)

    def _read_by(self, program: Running, path: str, deadline: float) -> int:
        """Wait until the program reads from a FIFO, and open it."""
        while True:
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                # No reader yet.
                if program.code is not None or time.monotonic() >= deadline:
                    raise self._failed(program) from None
                time.sleep(_PAUSE_S)
            else:
                os.set_blocking(descriptor, True)
                return descriptor

    def _await(self, program: Running, deadline: float) -> None:
        while program.code is None:
            if time.monotonic() >= deadline:
                break
            time.sleep(_PAUSE_S)
        if program.code != 0:
            raise self._failed(program)

    def _failed(self, program: Running) -> Pm2Error:
        if program.code is None:
            return Pm2Error(f"pm2 start did not end within {_APPLY_WITHIN_S:.0f} s")
        said = redacted(program.end_of_output.strip(), self._hidden)[-600:]
        return Pm2Error(f"pm2 start ended with exit code {program.code}: {said}")

    def save(self, *names: str) -> None:
        """Save the list for the next boot: private, our entries as they run, all others as their owner saved them.

        :raises Pm2Error: As :meth:`call`.
        """
        close_dumps(self._home)
        previous = read_dump(self._home)
        self.call("save", "--force", umask=0o077)
        close_dumps(self._home)
        fresh = read_dump(self._home) or []
        merged = merged_dump(previous, fresh, *names) if previous is not None else fresh
        if merged != fresh:
            write_dump(self._home, merged)


def _with_live_cwd(process: Pm2Process) -> Pm2Process:
    return replace(process, live_cwd=proc.working_directory(process.pid) or "") if process.pid > 0 else process
