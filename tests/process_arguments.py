"""The arguments of all processes of this machine, where every user can read them."""

from __future__ import annotations

import threading
import time
from pathlib import Path


class ArgumentsWatch:
    """Collect the arguments of every process, as often as possible, while the block runs.

    An empty :meth:`showing` only proves something if the watch has worked: tests also show that it sees a text.
    """

    INTERVAL_S = 0.02

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(self.INTERVAL_S):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue

    def __enter__(self) -> ArgumentsWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def showing(self, *texts: str) -> list[bytes]:
        """The NUL-separated arguments of each process that shows one of the texts."""
        wanted = [text.encode() for text in texts]
        return [arguments for arguments in list(self.seen) if any(text in arguments for text in wanted)]

    def await_sight(self, text: str, timeout_s: float = 60) -> None:
        """Wait until the arguments of a process contain a text.

        :raises AssertionError: If none do within ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        while not self.showing(text):
            assert time.monotonic() < deadline, f"no process was seen with {text!r} among its arguments"
            time.sleep(0.05)
