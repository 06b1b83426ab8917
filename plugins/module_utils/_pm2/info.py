# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pm2 runs, for people: without arguments and without values of variables, which may be secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._host import proc, sockets
from .plan import in_directories
from .process import PROJECT_KEY, Pm2Process


def selected(processes: Iterable[Pm2Process], names: Collection[str], directories: Sequence[str]) -> list[Pm2Process]:
    """The processes of these names, and those that run from these directories; all without names and directories."""
    if not names and not directories:
        return list(processes)
    return [each for each in processes if each.name in names or in_directories(each, directories)]


def listening_ports(pids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The TCP ports on which each process or one of its descendants listens.

    In cluster mode the daemon has the socket, so that no port is found.
    """
    listening = [each for each in sockets.tcp_sockets() if each.listening]
    held = sockets.holders({each.inode for each in listening})
    found = {}
    for pid in pids:
        family = proc.with_descendants([pid])
        ports = {each.local_port for each in listening if family.intersection(held.get(each.inode, ()))}
        found[pid] = tuple(sorted(ports))
    return found


def described(process: Pm2Process, ports: Mapping[int, Sequence[int]], age_s: float | None) -> dict[str, Any]:
    """One process.

    :param ports: By pid.
    :param age_s: Seconds since it was started, None where that is not known.
    """
    return {
        "name": _printable(process.name),
        "status": _printable(process.status),
        "pid": process.pid or None,
        "uptime_s": None if age_s is None else int(age_s),
        "restarts": process.restarts,
        "exec_mode": process.exec_mode,
        "ports": list(ports.get(process.pid, ())),
        "cwd": _printable(process.cwd),
        "live_cwd": _printable(process.live_cwd),
        "revision": _printable(process.revision),
        "managed": PROJECT_KEY in process.env,
        "project": _printable(process.env.get(PROJECT_KEY, "")),
    }


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)
