# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reload nginx and confirm it by its workers.

``nginx -s reload`` succeeds whatever the master process makes of the signal. A refused reload, for instance because a
port is taken, appears in the error log alone.
"""

from __future__ import annotations

import os
import signal
import time

from ..messages import complaints
from ..program import Nginx
from ..workers import running, settled

#: Seconds until new workers must run; nginx with 1,000 sites needs about 2.
TIMEOUT_S = 60
_PAUSE_S = 0.02


def reload(nginx: Nginx, timeout_s: float = TIMEOUT_S, whole_time: bool = False) -> str | None:
    """Reload; ``None`` when only new workers are active, otherwise why not.

    :param whole_time: Wait until the deadline for new workers, even if the log has a refusal, which may be that of an
        earlier reload.
    """
    log = _Log(nginx.error_log)
    # Read only now: workers that an earlier reload has just started must not count as new.
    before = settled(nginx.pid_file)
    if before is None:
        return "nginx ended before the reload"
    old = {worker.pid for worker in before.active}
    try:
        os.kill(before.master, signal.SIGHUP)
    except OSError as exc:
        return f"the signal to the master process {before.master} failed ({exc.strerror})"
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        now = running(nginx.pid_file)
        if now is None:
            return "nginx ended during the reload"
        active = {worker.pid for worker in now.active}
        if active and not active & old:
            return None
        refusals = complaints(log.since(), ("emerg",))
        if refusals and not whole_time and not active - old:
            return refusals[-1]
        time.sleep(_PAUSE_S)
    refusals = complaints(log.since())
    return refusals[-1] if refusals else f"no new workers within {timeout_s:g} s"


class _Log:
    """What is added to a log from now on."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.start = os.stat(path).st_size
        except OSError:
            self.start = 0

    def since(self) -> str:
        try:
            with open(self.path, encoding="utf-8", errors="replace") as stream:
                stream.seek(self.start)
                return stream.read(65536)
        except OSError:
            return ""
