# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command with a deadline that leaves nothing running, however it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Let this (child) process be killed when its parent dies, however that happens.

    Otherwise a copy or an installation would go on behind the back of the next run.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    :param code: Its exit code, negative for the signal that ended it; ``None`` where the deadline did.
    :param output: Both of its streams, in the order of their lines.
    """

    code: int | None
    output: str


def run(command: Sequence[str], *, cwd: str, env: Mapping[str, str], deadline: float) -> Ended:
    """Run a command in a process group of its own, without a shell and without input.

    The group is killed at the deadline, and when the command ends: nothing that it left running goes on behind the
    back of the next step.

    :param deadline: By the clock of ``time.monotonic()``.
    :raises OSError: If it cannot be started.
    """
    # A file, not a pipe: whoever inherits a pipe and stays would keep its reader waiting.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - a list, no shell
            list(command),
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        code: int | None = None
        try:
            code = process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return Ended(code, output.read().decode("utf-8", "replace"))
