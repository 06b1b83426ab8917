# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pm2 daemon, found in ``/proc``: asking pm2 for it would start one."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from .._host import proc
from .._host.files import read_text

# The daemon overwrites its command line with this title, cut off where the command line was shorter.
_TITLE = re.compile(r"PM2 v(?P<version>\S+): God Daemon(?: \((?P<home>.*?)(?P<end>\))?\s*)?\Z")


_PID = re.compile(r"[0-9]{1,10}\Z")
_PID_FILE_LIMIT = 64


@dataclass(frozen=True)
class Pm2Daemon:
    """A running pm2 daemon."""

    pid: int
    version: str
    home: str


def find_daemon(home: str) -> Pm2Daemon | None:
    """Find the running daemon of a pm2 home.

    A process of another user is none, whatever title that user gives it.
    """
    recorded = (read_text(os.path.join(home, "pm2.pid"), follow=False, limit=_PID_FILE_LIMIT) or "").strip()
    # The recorded one first, because it nearly always is the daemon.
    pids = [*([int(recorded)] if _PID.match(recorded) else []), *proc.pids()]
    wanted = os.path.realpath(home)
    try:
        owners = {0, os.stat(wanted).st_uid}
    except OSError:
        return None
    for pid in pids:
        match = _TITLE.match(proc.title(pid))
        if not match or proc.owner(pid) not in owners:
            continue
        named = match.group("home") or ""
        if match.group("end"):
            own = os.path.realpath(named) == wanted
        else:
            own = (proc.environment(pid) or {}).get("PM2_HOME") == home
        if own:
            return Pm2Daemon(pid, match.group("version"), home)
    return None


def orphans(name: str, home: str, daemon: Pm2Daemon | None) -> list[int]:
    """Processes of a name that a daemon of this home started and left running when it died."""
    living = proc.with_descendants([daemon.pid]) if daemon else set()
    found = []
    for pid in proc.pids():
        env = {} if pid in living else proc.environment(pid) or {}
        if "pm_id" in env and env.get("name") == name and env.get("PM2_HOME") == home and proc.is_alive(pid):
            found.append(pid)
    return found
