# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long a port or a socket refused connections while the process behind it was changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from .._host import sockets

_PAUSE_S = 0.05


class DowntimeWatch:
    """Connects to a place on this host again and again while the ``with`` block runs.

    :param place: TCP port on the loopback address, or path of a UNIX socket.
    :param interval_s: Seconds between two attempts, and so the precision of the result.
    """

    def __init__(self, place: sockets.Place, interval_s: float = 0.02) -> None:
        self._address = (sockets.UNIX + place, 0) if isinstance(place, str) else ("127.0.0.1", place)
        self._interval_s = interval_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._longest_s = 0.0
        self._served = self._connects()

    def __enter__(self) -> DowntimeWatch:
        if self._served:
            self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._served:
            self._thread.join()

    @property
    def downtime_s(self) -> float | None:
        """The longest time in which every connection was refused, in seconds; None if nothing listened before."""
        return round(self._longest_s, 2) if self._served else None

    def await_open(self, within_s: float, goes_on: Callable[[], bool]) -> None:
        """Wait until a connection is accepted.

        :param within_s: The longest time, in seconds.
        :param goes_on: Whether it is worth waiting.
        """
        deadline = time.monotonic() + within_s
        while goes_on() and time.monotonic() < deadline and not self._connects():
            time.sleep(_PAUSE_S)

    def _watch(self) -> None:
        closed_since: float | None = None
        while not self._ended.wait(self._interval_s):
            begun = time.monotonic()
            if self._connects():
                closed_since = None
                continue
            closed_since = begun if closed_since is None else closed_since
            self._longest_s = max(self._longest_s, time.monotonic() - closed_since)

    def _connects(self) -> bool:
        try:
            sockets.connect(*self._address, time.monotonic() + 1).close()
        except OSError:
            return False
        return True
