"""How late a busy machine is, for tests that measure times of their own."""

from __future__ import annotations

import threading
import time

_PAUSE_S = 0.01


class Lateness:
    """The longest time by which this process was woken later than it had asked for, while the ``with`` block runs.

    A time that was measured meanwhile can be wrong by so much without a fault of what was measured.
    """

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Lateness:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            asked = time.monotonic()
            time.sleep(_PAUSE_S)
            self.worst_s = max(self.worst_s, time.monotonic() - asked - _PAUSE_S)
