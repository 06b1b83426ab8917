# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host knows of its memory, its ports for outgoing connections and its programs."""

from __future__ import annotations

import os
import re
import time

from .._host.accounts import Account
from .._host.command import Ended, run
from .._host.files import read_text
from .._host.programs import find_program
from .listeners import EPHEMERAL_PORTS
from .versions import Version, parse_version

_PROGRAM_WITHIN_S = 30.0


def available_memory() -> int | None:
    """Bytes that a process can still get, swap included, within the limits of the control group."""
    fields = dict(line.split(":", 1) for line in (read_text("/proc/meminfo") or "").splitlines() if ":" in line)
    try:
        free = (int(fields["MemAvailable"].split()[0]) + int(fields["SwapFree"].split()[0])) * 1024
    except (KeyError, ValueError):
        return None
    room = room_in_group("/sys/fs/cgroup")
    return free if room is None else min(free, room)


def room_in_group(directory: str) -> int | None:
    """Bytes that a control group can still get; None without a limit.

    The kernel reclaims memory that the group uses only for cached files.
    """
    limit, current, usage = (
        (read_text(f"{directory}/memory.{name}") or "").strip() for name in ("max", "current", "stat")
    )
    if not limit.isdigit() or not current.isdigit():
        return None
    cached = re.search(r"^inactive_file (\d+)$", usage, re.MULTILINE)
    return int(limit) - int(current) + (int(cached[1]) if cached else 0)


def ephemeral_ports() -> tuple[int, int]:
    """First and last port that the kernel gives to outgoing connections."""
    try:
        low, high = (read_text("/proc/sys/net/ipv4/ip_local_port_range") or "").split()
        return int(low), int(high)
    except ValueError:
        return EPHEMERAL_PORTS


def version_of(program: str, account: Account | None = None) -> Version | None:
    """The version that a program prints; None where there is no such program.

    :param account: Run it as this user, if this process is root.
    """
    path = find_program(program)
    ended = output_of(path, "--version", account) if path else None
    return parse_version(ended.output) if ended and ended.succeeded else None


def output_of(path: str, argument: str, account: Account | None = None) -> Ended | None:
    """How a program with one argument ended, within 30 s; None where it cannot be started."""
    try:
        return run(
            [path, argument],
            deadline=time.monotonic() + _PROGRAM_WITHIN_S,
            account=account if os.geteuid() == 0 else None,
        )
    except OSError:
        return None
