# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of this host as ``/proc`` shows them (proc(5)).

A process may end at any moment: what is asked about one that is gone is answered with ``None`` or nothing, never with
an exception. The same holds for what this process may not look at, unless a function says otherwise.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .files import read_bounded

#: How the kernel marks a working directory that was removed, at the end of its path.
DELETED = " (deleted)"
#: Largest size in bytes of what is read of one process: arguments and environment together have a limit of 6 MiB by
#: default (execve(2)).
_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class ProcessStat:
    """The line of ``/proc/PID/stat``.

    :param name: The program's name, cut off at 15 bytes.
    :param state: One letter: R, S, D, Z (ended, not reaped), X (ended), …
    :param start_ticks: Start in clock ticks since boot; with the pid it identifies a process.
    """

    pid: int
    name: str
    state: str
    parent: int
    start_ticks: int

    @property
    def alive(self) -> bool:
        return self.state not in ("Z", "X", "x")


def parse_stat(text: str) -> ProcessStat | None:
    """Read the line of ``/proc/PID/stat``; ``None`` if it is incomplete.

    The name is in parentheses and may itself contain spaces and parentheses.
    """
    head, _, tail = text.rpartition(")")
    pid, _, name = head.partition(" (")
    fields = tail.split()
    try:
        return ProcessStat(int(pid), name, fields[0], int(fields[1]), int(fields[19]))
    except (ValueError, IndexError):
        return None


def is_available() -> bool:
    """Whether this host has ``/proc`` at all."""
    return os.path.isdir("/proc/self")


def boot_id() -> str:
    """What identifies the time since the last boot, with the pid namespace: a pid is valid only within both.

    Empty on a host without ``/proc``.
    """
    parts = []
    with contextlib.suppress(OSError):
        parts.append(_read_or_raise("/proc/sys/kernel/random/boot_id").decode("ascii", "replace").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def pids() -> list[int]:
    """The processes of this pid namespace, in ascending order; none on a host without ``/proc``."""
    try:
        return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    except FileNotFoundError:
        return []


def read_stat(pid: int) -> ProcessStat | None:
    return parse_stat(_read(pid, "stat").decode("utf-8", "replace"))


def all_stats() -> dict[int, ProcessStat]:
    """The stat line of every process, by pid."""
    found = ((pid, read_stat(pid)) for pid in pids())
    return {pid: stat for pid, stat in found if stat is not None}


def is_alive(pid: int) -> bool:
    """Whether a process exists and has not ended."""
    stat = read_stat(pid)
    return stat is not None and stat.alive


def started_at(pid: int) -> float | None:
    """Start of a process in seconds since the epoch, good to 10 ms."""
    age = age_s(pid)
    return None if age is None else time.time() - age


def age_s(pid: int) -> float | None:
    """Seconds since a process started."""
    stat = read_stat(pid)
    if stat is None:
        return None
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - stat.start_ticks / os.sysconf("SC_CLK_TCK"))


def arguments(pid: int) -> tuple[str, ...]:
    """The command line, word by word; empty for kernel threads and processes that are gone."""
    text = _read(pid, "cmdline").decode("utf-8", "surrogateescape")
    return tuple(text.rstrip("\0").split("\0")) if text else ()


def title(pid: int) -> str:
    """The command line as one text, for programs that overwrite it with a title (nginx, pm2)."""
    return " ".join(arguments(pid)).strip()


def program_name(pid: int) -> str:
    """The name that ``/proc/PID/comm`` shows, cut off at 15 bytes; empty if the process is gone."""
    return _read(pid, "comm").decode("utf-8", "replace").strip()


def environment(pid: int, *, strict: bool = False) -> dict[str, str] | None:
    """The environment that a process was started with.

    :param strict: Raise an exception where it may not be read, instead of ``None``.
    :raises PermissionError: With ``strict``, if this process may not read it.
    """
    try:
        raw = _read_or_raise(f"/proc/{pid}/environ")
    except PermissionError:
        if strict:
            raise
        return None
    except OSError:
        return None
    entries = (entry.partition("=") for entry in raw.decode("utf-8", "surrogateescape").split("\0"))
    return {name: value for name, equals, value in entries if equals}


def working_directory(pid: int) -> str | None:
    """The working directory; ends with :data:`DELETED` if that was removed."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


def owner(pid: int) -> int | None:
    """The effective user id."""
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def memory(pid: int) -> int:
    """The memory of a process in bytes, what it shares divided by those that share it; 0 if that cannot be read."""
    match = re.search(rb"^Pss:\s+(\d+)", _read(pid, "smaps_rollup"), re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def available_memory() -> int:
    """The memory in bytes that new processes can get, swap included; 0 if that is not known."""
    try:
        text = _read_or_raise("/proc/meminfo")
    except OSError:
        return 0
    found = dict(re.findall(rb"^(\w+):\s+(\d+) kB", text, re.MULTILINE))
    return (int(found.get(b"MemAvailable", 0)) + int(found.get(b"SwapFree", 0))) * 1024


def children(pid: int) -> list[int]:
    """The direct children of a process, in ascending order."""
    return sorted(stat.pid for stat in all_stats().values() if stat.parent == pid)


def with_descendants(roots: Iterable[int]) -> set[int]:
    """These processes and all their descendants."""
    by_parent: dict[int, list[int]] = {}
    for stat in all_stats().values():
        by_parent.setdefault(stat.parent, []).append(stat.pid)
    found: set[int] = set()
    todo = [pid for pid in roots if pid > 0]
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += by_parent.get(pid, [])
    return found


def open_for_writing(directory: str) -> dict[str, str]:
    """The files below a directory that processes hold open for writing, each with one of these processes.

    :param directory: Without symbolic links in its path, as the kernel shows it.
    """
    found: dict[str, str] = {}
    for pid in pids():
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                path = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                if path.startswith(directory + os.sep) and not path.endswith(DELETED) and _is_writable(pid, descriptor):
                    found.setdefault(path, f"{program_name(pid)}, pid {pid}")
    return found


def _is_writable(pid: int, descriptor: str) -> bool:
    match = re.search(rb"(?m)^flags:\s+([0-7]+)", _read(pid, f"fdinfo/{descriptor}"))
    return match is not None and int(match.group(1), 8) & os.O_ACCMODE != os.O_RDONLY


def open_files_limit(pid: int) -> int | None:
    """The soft limit of open files; ``None`` also if it is unlimited."""
    match = re.search(rb"(?m)^Max open files\s+(\d+)", _read(pid, "limits"))
    return int(match.group(1)) if match else None


def end_processes(targets: Iterable[int], *, patience_s: float, first: int = signal.SIGINT) -> None:
    """Ask processes to end, and kill those that still run after a time.

    A number that was given to another process meanwhile is left alone.

    :param patience_s: Seconds to wait after each of the two signals.
    :param first: The signal sent first; ``SIGKILL`` to ask nothing.
    :raises PermissionError: If one of them may not be signalled.
    """
    waiting = [stat for stat in map(read_stat, targets) if stat is not None and stat.alive]
    for number in (first, signal.SIGKILL):
        for stat in waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(stat.pid, number)
        deadline = time.monotonic() + patience_s
        while waiting:
            waiting = list(_still_running(waiting))
            if not waiting or time.monotonic() >= deadline:
                break
            time.sleep(0.02)


def _still_running(stats: Iterable[ProcessStat]) -> Iterator[ProcessStat]:
    for stat in stats:
        now = read_stat(stat.pid)
        if now is not None and now.alive and now.start_ticks == stat.start_ticks:
            yield stat


def _read(pid: int, name: str) -> bytes:
    try:
        return _read_or_raise(f"/proc/{pid}/{name}")
    except OSError:
        return b""


def _read_or_raise(path: str) -> bytes:
    with open(path, "rb") as file:
        return read_bounded(file, _LIMIT)
