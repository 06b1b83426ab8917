# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of Ansible that this process belongs to, found among the processes of the controller."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._host import files, proc
from ansible_collections.codeframe.staging.plugins.module_utils._host.command import c_locale, run
from ansible_collections.codeframe.staging.plugins.module_utils._release.lock_file import boot_seconds

_PS_LIMIT_S = 30
_RUN = re.compile(r"(?:.*/)?ansible(?:-playbook|-console|-pull)?:?\Z")


@dataclass(frozen=True)
class Process:
    """A process of the controller; ``start`` in ticks since its boot."""

    pid: int
    parent: int
    start: int
    argv: tuple[str, ...]

    @property
    def is_run(self) -> bool:
        """Whether it is a command of Ansible or a worker of one, judged by its arguments."""
        words = (self.argv[1:2] == ("-m",) and self.argv[2:3]) or self.argv[:2]
        return any(_RUN.match(word) for word in words)


def run_of(processes: Mapping[int, Process], own_pid: int) -> Process | None:
    """The process of the run: the highest ancestor that is a process of Ansible (workers are its children)."""
    best: Process | None = None
    seen: set[int] = set()
    current = processes.get(own_pid)
    while current is not None and current.pid not in seen:
        seen.add(current.pid)
        if current.is_run:
            best = current
        elif best is not None:
            break
        current = processes.get(current.parent)
    return best


def proc_processes() -> dict[int, Process]:
    """The processes of a controller with /proc."""
    return {
        pid: Process(pid, stat.parent, stat.start_ticks, proc.arguments(pid)[:4])
        for pid, stat in proc.all_stats().items()
    }


def ps_processes() -> dict[int, Process]:
    """The processes of a controller without /proc (macOS); ``start`` is in seconds since the epoch there."""
    command = ["ps", "-axo", "pid=,ppid=,lstart=,command="]
    listed = run(command, env={**c_locale(), "TZ": "UTC"}, deadline=time.monotonic() + _PS_LIMIT_S)
    found = {}
    pattern = re.compile(r"\s*(\d+)\s+(\d+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)")
    for line in listed.output.splitlines() if listed.succeeded else ():
        match = pattern.match(line)
        if match is not None:
            started = int(time.mktime(time.strptime(match[3], "%a %b %d %H:%M:%S %Y")))
            found[int(match[1])] = Process(int(match[1]), int(match[2]), started, tuple(match[4].split()[:4]))
    return found


def controller_id() -> str:
    """The machine, its boot and its process namespace: a process number is valid only within the three."""
    parts = [socket.gethostname(), (files.read_text("/etc/machine-id") or "").strip(), proc.boot_id()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def run_identity() -> dict[str, Any]:
    """The option ``identity`` of deploy_lock: this run, and the other runs alive on this machine."""
    in_proc = proc.is_available()
    gathered = int(boot_seconds() * os.sysconf("SC_CLK_TCK")) if in_proc else int(time.time())
    processes = proc_processes() if in_proc else ps_processes()
    own = run_of(processes, os.getpid())
    live: list[str] | None = None
    if own is None:
        own = processes.get(os.getppid())
    else:
        live = sorted(f"{item.pid}:{item.start}" for item in processes.values() if item.is_run)
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return {
        "controller": controller_id(),
        "pid": own.pid if own else os.getppid(),
        "start": own.start if own else 0,
        "who": f"{user}@{socket.gethostname()}",
        "live": live,
        "gathered": gathered,
    }
