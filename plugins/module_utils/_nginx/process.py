# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of nginx runs, as the kernel's process table tells it.

nginx cannot print the configuration it runs. What can be known: which
processes are its workers, since when, and which sockets they hold.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LISTEN = "0A"
_ESTABLISHED = "01"
#: Process start times come in ticks of 10 ms, file times in ticks of the kernel's timer (4 ms).
CLOCK_TOLERANCE_S = 0.02


@dataclass(frozen=True)
class Worker:
    """One worker process; ``started`` in seconds since the epoch."""

    pid: int
    started: float
    leaving: bool


@dataclass(frozen=True)
class Running:
    """A master process and its workers."""

    master: int
    workers: tuple[Worker, ...]

    @property
    def active(self) -> tuple[Worker, ...]:
        """Workers that accept connections (all but those that are shutting down)."""
        return tuple(worker for worker in self.workers if not worker.leaving)

    @property
    def leaving(self) -> tuple[Worker, ...]:
        """Workers of a former configuration that still hold connections."""
        return tuple(worker for worker in self.workers if worker.leaving)

    @property
    def oldest_active(self) -> float | None:
        """Start of the oldest active worker: nothing on disk that is newer can be in force."""
        return min((worker.started for worker in self.active), default=None)


@dataclass(frozen=True)
class Socket:
    """One TCP socket of this host."""

    inode: str
    owner: int
    local_address: str
    local_port: int
    remote_port: int
    listening: bool
    established: bool


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()


def _stat_fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on (the second may hold blanks and brackets)."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def started_at(pid: int) -> float:
    """Start of a process in seconds since the epoch, good to 10 ms.

    :raises OSError: If it is gone.
    """
    ticks = int(_stat_fields(pid)[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age


def command_line(pid: int) -> str:
    """The command line as one text, empty if the process is gone."""
    try:
        return _read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
    except OSError:
        return ""


def _pids() -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name)


def _parent(pid: int) -> int | None:
    try:
        return int(_stat_fields(pid)[1])
    except (OSError, IndexError, ValueError):
        return None


def running(pid_file: str) -> Running | None:
    """The nginx whose master is named in the pid file; ``None`` if none runs.

    A process of another program that has inherited the number does not count.
    """
    try:
        master = int(_read(pid_file).strip())
    except (OSError, ValueError):
        return None
    title = command_line(master)
    if not re.match(r"nginx: master process |\S*nginx", title):
        return None
    workers: list[Worker] = []
    for pid in _pids():
        if _parent(pid) != master:
            continue
        title = command_line(pid)
        if not title.startswith("nginx: worker process"):
            continue
        try:
            workers.append(Worker(pid, started_at(pid), "shutting down" in title))
        except OSError:
            continue
    return Running(master, tuple(sorted(workers, key=lambda worker: worker.pid)))


def settled(pid_file: str, timeout_s: float = 2) -> Running | None:
    """Like :func:`running`, but gives a master that has just begun the time to start its workers."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = running(pid_file)
        if found is None or found.active or time.monotonic() >= deadline:
            return found
        time.sleep(0.02)


def _address(text: str) -> str:
    """An address of /proc/net/tcp: words of four bytes, each in the byte order of the machine; ``*`` for any."""
    raw = b"".join(int(text[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(text), 8))
    if not any(raw):
        return "*"
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def tcp_sockets() -> list[Socket]:
    """All TCP sockets of this network namespace (IPv4 and IPv6)."""
    found: list[Socket] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = _read(table).splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) < 10:
                continue
            found.append(
                Socket(
                    inode=fields[9],
                    owner=int(fields[7]),
                    local_address=_address(fields[1].rpartition(":")[0]),
                    local_port=int(fields[1].rpartition(":")[2], 16),
                    remote_port=int(fields[2].rpartition(":")[2], 16),
                    listening=fields[3] == _LISTEN,
                    established=fields[3] == _ESTABLISHED,
                )
            )
    return found


def socket_inodes(pid: int) -> set[str] | None:
    """Inodes of the sockets that a process has open; ``None`` if it cannot be looked into.

    Without CAP_SYS_PTRACE, in a container say, not even root may look into a process of another user.
    """
    found: set[str] = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                match = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}"))
            except FileNotFoundError:
                continue
            if match:
                found.add(match.group(1))
    except OSError:
        return None
    return found


def upstream_connections(pids: Iterable[int], ports: Iterable[int]) -> int:
    """Established connections of these processes to upstreams on these ports.

    A proxied WebSocket holds one for as long as it lives; an idle client
    without one is let go at once when its worker leaves. Where the kernel hides
    the sockets of these processes, all of their user's count.
    """
    wanted = set(ports)
    inodes: set[str] = set()
    hidden_owners: set[int] = set()
    for pid in pids:
        seen = socket_inodes(pid)
        if seen is not None:
            inodes |= seen
        else:
            with contextlib.suppress(OSError):
                hidden_owners.add(os.stat(f"/proc/{pid}").st_uid)
    if not wanted or not (inodes or hidden_owners):
        return 0
    return sum(
        1
        for each in tcp_sockets()
        if each.established and each.remote_port in wanted and (each.inode in inodes or each.owner in hidden_owners)
    )


def port_holder(address: str, port: int, besides: Iterable[int] = ()) -> tuple[int, str] | None:
    """Process id and command line of the program in the way of listening on an address and port.

    :param address: ``*`` for any.
    :return: ``None`` if nothing listens there, or only one of ``besides``. A
        holder that cannot be seen has the process id 0.
    """
    inodes = {
        each.inode
        for each in tcp_sockets()
        if each.listening
        and each.local_port == port
        and ("*" in (address, each.local_address) or each.local_address == address)
    }
    friends = set(besides)
    for pid in friends if inodes else ():
        inodes -= socket_inodes(pid) or set()
    if not inodes:
        return None
    for pid in _pids():
        if pid not in friends and (socket_inodes(pid) or set()) & inodes:
            return pid, command_line(pid)
    return 0, ""


def open_files_limit(pid: int) -> int | None:
    """The soft limit of open files of a process; ``None`` if it has none or cannot be seen."""
    try:
        match = re.search(r"(?m)^Max open files\s+(\d+)", _read(f"/proc/{pid}/limits"))
    except OSError:
        return None
    return int(match.group(1)) if match else None
