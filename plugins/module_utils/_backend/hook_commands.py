# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the commands around an activation."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._host.command import run
from .._host.redaction import last_lines, redacted, secrets_of
from .._pm2.environment import base_env, read_env_file
from .._pm2.error import Pm2Error
from .._pm2.interpreter import INSTALLED_PROGRAMS

_SHOWN_LINES = 15


class HookError(Exception):
    """A command that failed, or cannot be run; the message contains what it printed."""


@dataclass(frozen=True)
class HookCommands:
    """What is to be run; the fields are the options of the module.

    :param directory: The release.
    :param chdir: Directory in it. ``env_file`` likewise.
    """

    hook: str
    commands: Sequence[Sequence[str]]
    directory: str
    chdir: str = "."
    env_file: str | None = None
    env: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 600


@dataclass
class HookOutcome:
    """What has run so far, without secrets."""

    ran: list[str] = field(default_factory=list)
    output: list[list[str]] = field(default_factory=list)
    duration_s: float = 0.0


def run_commands(hook: HookCommands, outcome: HookOutcome) -> None:
    """Run the commands in order.

    :param outcome: Filled in command by command, so that it is of use after a failure, too.
    :raises HookError: At the first command that fails.
    """
    env_file = os.path.join(hook.directory, hook.env_file) if hook.env_file else None
    try:
        env = {**base_env(), **read_env_file(env_file, check=False)}
    except Pm2Error as err:
        raise HookError(f"{hook.hook} cannot be run: {err}") from err
    secrets = secrets_of(env)
    env.update({str(key): str(value) for key, value in hook.env.items()})
    cwd = os.path.normpath(os.path.join(hook.directory, hook.chdir))
    # Programs of the installed packages are found by name, as in the process.
    env["PATH"] = os.pathsep.join([*(os.path.join(cwd, place) for place in INSTALLED_PROGRAMS), env["PATH"]])
    began = time.monotonic()
    for number, command in enumerate(hook.commands, 1):
        shown = redacted(shlex.join(command), secrets)
        what = f"{hook.hook} command {number} of {len(hook.commands)} ({shown})"
        program = os.path.join(cwd, command[0]) if "/" in command[0] else command[0]
        try:
            ended = run([program, *command[1:]], cwd=cwd, env=env, deadline=time.monotonic() + hook.timeout_s)
        except OSError as err:
            raise HookError(f"{what} cannot be started in {cwd}: {err.strerror or err}") from err
        # Once more for each line: without colours, one may contain a secret.
        lines = [redacted(line, secrets) for line in last_lines(redacted(ended.output, secrets), _SHOWN_LINES)]
        outcome.ran.append(shown)
        outcome.output.append(lines)
        outcome.duration_s = round(time.monotonic() - began, 2)
        said = "; it printed: " + " | ".join(lines) if lines else "; it printed nothing"
        if ended.timed_out:
            raise HookError(f"{what} did not end within {hook.timeout_s:g} s and was killed{said}")
        if not ended.succeeded:
            raise HookError(f"{what} ended with {ended.code}{said}")
