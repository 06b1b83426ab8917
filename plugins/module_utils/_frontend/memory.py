# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory that a build needs, and that a host has for it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from .._host import proc

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
            self.peak = max(self.peak, sum(proc.memory(pid) for pid in proc.with_descendants([own]) if pid != own))


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
