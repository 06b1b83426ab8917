# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running nginx: master process, workers, and the connections that they hold.

nginx cannot print the configuration that it runs. Observable are its processes, when they started, and their sockets.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from .._host import proc
from .._host.files import read_text
from .._host.sockets import socket_inodes, tcp_sockets

#: Start times of processes have a grain of 10 ms, times of files one of the kernel's timer (4 ms).
CLOCK_TOLERANCE_S = 0.02
_PAUSE_S = 0.02


@dataclass(frozen=True)
class Worker:
    """One worker process; ``started`` in seconds since the epoch."""

    pid: int
    started: float
    shutting_down: bool


@dataclass(frozen=True)
class RunningNginx:
    """A master process and its workers."""

    master: int
    workers: tuple[Worker, ...]

    @property
    def active(self) -> tuple[Worker, ...]:
        """Workers that accept connections."""
        return tuple(worker for worker in self.workers if not worker.shutting_down)

    @property
    def old(self) -> tuple[Worker, ...]:
        """Workers of a previous configuration that still hold connections."""
        return tuple(worker for worker in self.workers if worker.shutting_down)

    @property
    def oldest_active(self) -> float | None:
        """Start of the oldest active worker: no file on disk that is newer can be in force."""
        return min((worker.started for worker in self.active), default=None)


def running(pid_file: str) -> RunningNginx | None:
    """The nginx whose master process is named in a pid file; ``None`` if none runs.

    Another program that got the number of a past nginx does not count.
    """
    try:
        master = int((read_text(pid_file) or "").strip())
    except ValueError:
        return None
    if not re.match(r"nginx: master process |\S*nginx", proc.title(master)):
        return None
    workers: list[Worker] = []
    for pid in proc.children(master):
        title, started = proc.title(pid), proc.started_at(pid)
        if title.startswith("nginx: worker process") and started is not None:
            workers.append(Worker(pid, started, "shutting down" in title))
    return RunningNginx(master, tuple(workers))


def settled(pid_file: str, timeout_s: float = 2) -> RunningNginx | None:
    """Like :func:`running`, but waits for the first workers of a master process that has just started."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = running(pid_file)
        if found is None or found.active or time.monotonic() >= deadline:
            return found
        time.sleep(_PAUSE_S)


def upstream_connections(workers: Iterable[Worker], ports: Iterable[int]) -> int:
    """Established connections of these workers to upstreams on these ports.

    A proxied WebSocket has one for as long as it lives. An idle client without one is disconnected as soon as its
    worker shuts down. Where the kernel hides the sockets of the workers, those of all processes of their user count.
    """
    wanted = set(ports)
    inodes: set[int] = set()
    hidden_owners: set[int | None] = set()
    for worker in workers:
        seen = socket_inodes(worker.pid)
        if seen is not None:
            inodes |= seen
        else:
            hidden_owners.add(proc.owner(worker.pid))
    if not wanted or not (inodes or hidden_owners):
        return 0
    return sum(
        1
        for each in tcp_sockets()
        if each.established and each.remote_port in wanted and (each.inode in inodes or each.uid in hidden_owners)
    )
