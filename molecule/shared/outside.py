"""The deployed site from outside the staging host, through the published port."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from websockets.sync.client import ClientConnection, connect

ADDRESS = "127.0.0.1"
_SCRIPT = re.compile(r'(?:src|href)="(/_next/static/[^"?]+\.js)')


@dataclass(frozen=True)
class Site:
    """Public URLs of a deployed site; their names need not resolve, since the address is the loopback one."""

    page_url: str
    ws_url: str

    def get(self, path: str, url: str | None = None) -> tuple[int, str]:
        """Status and body of a page, or of another of the site's URLs."""
        parts = urlsplit(url or self.page_url)
        connection = http.client.HTTPConnection(ADDRESS, _port(parts), timeout=30)
        try:
            connection.request("GET", path, headers={"Host": parts.netloc})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def script_paths(self) -> list[str]:
        """The paths of all scripts that the page loads."""
        status, page = self.get("/")
        assert status == 200, page
        paths = list(dict.fromkeys(_SCRIPT.findall(page)))
        assert paths, f"the page loads no script:\n{page}"
        return paths

    def scripts(self) -> str:
        """The text of all scripts that the page loads."""
        return "\n".join(self.get(path)[1] for path in self.script_paths())

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Open a WebSocket, send a message and return the reply."""
        with self.socket() as client:
            client.send(json.dumps(message))
            reply: dict[str, Any] = json.loads(client.recv(timeout=30))
            return reply

    @contextlib.contextmanager
    def socket(self) -> Iterator[ClientConnection]:
        """An open WebSocket without keepalive of its own, which would close it if this machine is slow."""
        parts = urlsplit(self.ws_url)
        raw = socket.create_connection((ADDRESS, _port(parts)), timeout=30)
        with connect(self.ws_url, sock=raw, open_timeout=30, close_timeout=2, ping_interval=None, proxy=None) as client:
            yield client

    def await_page(self, timeout_s: float) -> float:
        """Wait until page and WebSocket answer; return the seconds that it took.

        :raises AssertionError: If they do not within ``timeout_s``.
        """
        started = time.monotonic()
        last: object = None
        while time.monotonic() - started < timeout_s:
            try:
                status, _ = self.get("/")
                if status == 200 and self.ask({"type": "ping"}) == {"type": "pong"}:
                    return time.monotonic() - started
                last = f"status {status}"
            except Exception as error:
                last = error
            time.sleep(0.5)
        raise AssertionError(f"page and WebSocket did not answer within {timeout_s:.0f} s; the last answer: {last}")


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme in ("https", "wss") else 80)
