"""Users of a deployed site while something happens to it: page loads, requests to the API, and an open WebSocket."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from outside import ADDRESS, Site
from websockets.sync.client import connect

_PAUSE_S = 0.25


@dataclass
class Counts:
    """What one kind of user has seen."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)
    first_failure_s: float | None = None
    last_failure_s: float | None = None

    @property
    def outage_s(self) -> float:
        """Seconds from the first failure to the last one."""
        if self.first_failure_s is None or self.last_failure_s is None:
            return 0.0
        return self.last_failure_s - self.first_failure_s

    def fail(self, why: str, now: float) -> None:
        self.failures.append(why)
        self.first_failure_s = now if self.first_failure_s is None else self.first_failure_s
        self.last_failure_s = now

    def as_result(self) -> dict[str, Any]:
        return {"passed": self.passed, "failed": len(self.failures), "outage_s": round(self.outage_s, 1)}


class Load:
    """Users that go on until they are told to stop."""

    def __init__(self, site: Site, other_ws_urls: tuple[str, ...] = ()) -> None:
        """:param other_ws_urls: Where the WebSocket may be during and after a change of its URL."""
        self.site, self.ws_urls = site, (site.ws_url, *other_ws_urls)
        self.pages, self.api, self.sockets = Counts(), Counts(), Counts()
        self.opened = 0
        self._stop = threading.Event()
        self._began = time.monotonic()
        users = (lambda: self._repeat(self.pages, self._page), lambda: self._repeat(self.api, self._api), self._socket)
        self._threads = [threading.Thread(target=user, daemon=True) for user in users]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def as_result(self) -> dict[str, Any]:
        return {
            "pages": self.pages.as_result(),
            "api": self.api.as_result(),
            "websocket": {**self.sockets.as_result(), "opened": self.opened},
        }

    def _repeat(self, counts: Counts, once: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                once()
                counts.passed += 1
            except Exception as problem:
                counts.fail(repr(problem), time.monotonic() - self._began)
            time.sleep(_PAUSE_S)

    def _page(self) -> None:
        """The page with all its scripts."""
        for path in self.site.script_paths():
            status, _ = self.site.get(path)
            assert status == 200, f"{path}: {status}"

    def _api(self) -> None:
        answers = []
        for url in self.ws_urls:
            parts = urlsplit(url)
            answers.append(self.site.get("/health", f"http://{parts.netloc}")[0])
        assert 200 in answers, f"/health: {answers}"

    def _socket(self) -> None:
        """One WebSocket that asks a question again and again, and is opened again when it is closed, as a page does."""
        while not self._stop.is_set():
            for url in self.ws_urls:
                try:
                    self._talk(url)
                    break
                except Exception as problem:
                    last = repr(problem)
            else:
                self.sockets.fail(last, time.monotonic() - self._began)
            time.sleep(_PAUSE_S)

    def _talk(self, url: str) -> None:
        """:raises Exception: If the WebSocket cannot be opened. One that is closed later ends the talk."""
        parts = urlsplit(url)
        raw = socket.create_connection((ADDRESS, parts.port or 80), timeout=10)
        with connect(url, sock=raw, open_timeout=10, close_timeout=1, proxy=None) as client:
            self.opened += 1
            try:
                while not self._stop.is_set():
                    client.send(json.dumps({"type": "ping"}))
                    client.recv(timeout=10)
                    self.sockets.passed += 1
                    time.sleep(_PAUSE_S)
            except Exception:
                return
