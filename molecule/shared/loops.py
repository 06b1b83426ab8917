"""Requests that a user's browser makes, over and over while something is deployed, and the downtime that they see."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from outside import Site

_ASSET = re.compile(r'(?:src|href)="(/_next/static/[^"?]+)')


@dataclass
class Loop:
    """One request in a loop.

    :param probe: Raises if it fails.
    :param held: It lasts until it fails or the loop ends, such as an open connection.
    """

    probe: Callable[[], None]
    pause_s: float = 0.2
    held: bool = False
    done: int = 0
    failures: list[tuple[float, str]] = field(default_factory=list)
    longest_s: float = 0.0
    """The longest time from the first request that failed to the next one that did not."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _failing_since: float | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=60)

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self.probe()
            except Exception as error:
                self.failures.append((began, f"{type(error).__name__}: {error}"))
                if self._failing_since is None:
                    self._failing_since = time.monotonic() if self.held else began
            else:
                self.works()
            self.done += 1
            self._stop.wait(self.pause_s)
        # What still fails has failed until now.
        self.works()

    def works(self) -> None:
        """An outage ends; a held request that goes on calls it itself."""
        if self._failing_since is not None:
            self.longest_s = max(self.longest_s, time.monotonic() - self._failing_since)
            self._failing_since = None

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def __str__(self) -> str:
        kinds = Counter(message[:100] for _began, message in self.failures)
        seen = "".join(f"; {count} x {message}" for message, count in kinds.most_common(5))
        return f"{len(self.failures)} of {self.done} failed, down for at most {self.longest_s:.1f} s{seen}"


@dataclass
class Loops:
    """A page with all its files, the API, and a WebSocket that stays open until it is closed."""

    site: Site
    api_url: str
    page_path: str
    page: Loop = field(init=False)
    api: Loop = field(init=False)
    socket: Loop = field(init=False)

    def __post_init__(self) -> None:
        self.page = Loop(self._load_page, pause_s=0.5)
        self.api = Loop(self._call_api)
        self.socket = Loop(self._hold_socket, pause_s=0.1, held=True)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with self.page.running(), self.api.running(), self.socket.running():
            # Each has succeeded before anything is changed.
            deadline = time.monotonic() + 60
            while not (self.page.done and self.api.done) and time.monotonic() < deadline:
                time.sleep(0.1)
            yield

    def files(self) -> list[str]:
        """The files of the page that are named after their content.

        :raises ValueError: If the page is not served.
        """
        status, text = self.site.get(self.page_path)
        if status != 200:
            raise ValueError(f"{self.page_path} answers {status}")
        return list(dict.fromkeys(_ASSET.findall(text)))

    def load(self, files: Iterable[str]) -> None:
        """Load files as a page does that has been open for some time.

        :raises ValueError: If one of them is not served.
        """
        for path in files:
            status, _ = self.site.get(path)
            if status != 200:
                raise ValueError(f"{path} answers {status}")

    def _load_page(self) -> None:
        self.load(self.files())

    def _call_api(self) -> None:
        status, text = self.site.get("/api/projects", self.api_url)
        if status != 200:
            raise ValueError(f"the API answers {status}: {text[:80]}")

    def _hold_socket(self) -> None:
        """Exchange pings until the connection is closed, or the loop ends: a closed connection is a failure."""
        with self.site.socket() as client:
            while not self.socket.stopped:
                client.send('{"type": "ping"}')
                client.recv(timeout=20)
                self.socket.works()
                time.sleep(0.2)

    def __str__(self) -> str:
        return f"page: {self.page}\n  API: {self.api}\n  WebSocket: {self.socket}"
