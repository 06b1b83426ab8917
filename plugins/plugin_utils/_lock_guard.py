# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process on the controller that releases the lock of a run that was interrupted or killed.

An interrupted or killed run of Ansible does nothing more, not even the tasks under ``always``. The process ends with
the run. If it is killed as well, or the host is unreachable, the lease expires.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import time
from typing import Any, Callable

POLL_S = 0.5
#: Seconds before each attempt: a host that was unreachable may be reachable again.
PAUSES_S = (0, 5, 20)


def _note(directory: str, name: str) -> str:
    return os.path.join(directory, f"lock-guard-{hashlib.sha256(name.encode()).hexdigest()[:16]}")


def stand_by(directory: str, name: str, run_pid: int, free: Callable[[], Any]) -> None:
    """Start a process that calls ``free`` when process ``run_pid`` has ended, unless it is dismissed before.

    :param directory: The run's own temporary directory, in which its processes find the number of that process.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    # From here on, nothing may return into the code of Ansible.
    try:
        os.setsid()
        guard = os.fork()
        if guard:
            with open(_note(directory, name), "w", encoding="ascii") as file:
                file.write(str(guard))
        else:
            _wait_and_free(directory, run_pid, free)
    finally:
        os._exit(0)


def dismiss(directory: str, name: str) -> None:
    """End the process that waits for ``name``, if there is one."""
    with contextlib.suppress(OSError, ValueError):
        with open(_note(directory, name), encoding="ascii") as file:
            guard = int(file.read())
        os.unlink(_note(directory, name))
        os.kill(guard, signal.SIGTERM)


def _wait_and_free(directory: str, run_pid: int, free: Callable[[], Any]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    while _is_alive(run_pid):
        time.sleep(POLL_S)
    for pause_s in PAUSES_S:
        time.sleep(pause_s)
        # The run has deleted its temporary directory, and modules are assembled in it.
        os.makedirs(directory, mode=0o700, exist_ok=True)
        try:
            with contextlib.suppress(Exception):
                free()
                return
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
