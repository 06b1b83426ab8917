# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory that a build needs, and that a host has for it."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator

from .._host import proc
from .._host.files import read_text

_LOOK_S = 0.5
_KIB = 1024


class PeakMemory:
    """The largest sum of the memory of all processes that this one has started, in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Look every half second while the block runs."""
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _look(self) -> None:
        own = os.getpid()
        while not self._ended.wait(_LOOK_S):
            self.peak = max(self.peak, sum(memory_of(pid) for pid in proc.with_descendants([own]) if pid != own))


def memory_of(pid: int) -> int:
    """Return the memory of a process in bytes, what it shares divided by those that share it; 0 if it has ended."""
    with contextlib.suppress(OSError):
        match = re.search(r"^Pss:\s+(\d+)", read_text(f"/proc/{pid}/smaps_rollup") or "", re.MULTILINE)
        return int(match[1]) * _KIB if match else 0
    return 0


def available_memory(text: str | None = None) -> int:
    """Return the memory in bytes that new processes can get, swap included.

    :param text: That of ``/proc/meminfo``, by default of this host.
    """
    found = dict(
        re.findall(r"^(\w+):\s+(\d+) kB", read_text("/proc/meminfo") or "" if text is None else text, re.MULTILINE)
    )
    return (int(found.get("MemAvailable", 0)) + int(found.get("SwapFree", 0))) * _KIB


def shortage(needed: int, available: int) -> str:
    """Return a warning if a build is likely to run out of memory; empty otherwise.

    :param needed: What the last build needed; 0 if that is not known.
    :param available: 0 if it is not known.
    """
    if not needed or not available or needed <= available:
        return ""
    mib = _KIB * _KIB
    return (
        f"The last build needed {needed // mib} MiB of memory, and the host has {available // mib} MiB available, swap "
        "included, so that the build may be killed; add memory or swap, or build the frontend where the playbook runs "
        "(staging_frontend_build_on: controller)."
    )
