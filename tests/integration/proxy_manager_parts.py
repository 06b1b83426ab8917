"""An application, a real nginx and the test server in front of them, on free ports of loopback."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.answer import ProxyAnswer
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import ProxyEndpoint, plain
from free_ports import free_port
from proxy_manager_peer.nginx import RealNginx
from proxy_manager_peer.server import Peer

TESTS = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse"
#: The result of each version for each content: version, switch, content, plan, API calls, handshake before and after,
#: the text outside the block, PUTs of a second run.
TABLE: list[tuple[str, bool, str, str, list[str], ProxyAnswer, ProxyAnswer, str, str]] = []


def table() -> list[str]:
    """The table as text, versions with the same row together."""
    rows: dict[str, list[str]] = {}
    for version, switch, content, plan, calls, before, after, text, again in TABLE:
        puts = sum(call.startswith("PUT ") for call in calls)
        row = (
            f"{'on' if switch else 'off':3} {content:33} {plan:8} {len(calls)} calls, {puts} PUT  {before} -> {after}  "
        )
        rows.setdefault(f"{row}{text:12} {again}", []).append(version)
    return [f"{row:90} {' '.join(versions)}" for row, versions in rows.items()]


@contextlib.contextmanager
def running_backend() -> Iterator[int]:
    """The application of ``proxy_manager_peer.backend``; yields its port."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "proxy_manager_peer.backend:app",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    process = subprocess.Popen(command, cwd=TESTS)
    try:
        deadline = time.monotonic() + 60
        while plain(ProxyEndpoint("127.0.0.1", port, "localhost")).status is None:
            assert time.monotonic() < deadline, "the application did not start"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(60)


@contextlib.contextmanager
def running_peer(version: str, root: Path, with_tls: bool = False, **more: Any) -> Iterator[Peer]:
    """A test server of this version with a real nginx."""
    root.mkdir(parents=True, exist_ok=True)
    nginx = RealNginx(root, free_port(), free_port() if with_tls else None)
    with Peer(version, root, nginx, **more) as peer:
        yield peer


def arguments(peer: Peer, name: str, **more: Any) -> dict[str, Any]:
    """Module arguments for one host of the test server."""
    return {
        "api_url": peer.url,
        "identity": "admin@example.com",
        "secret": PASSWORD,
        "domain_name": name,
        "proxy_port": peer.nginx.port,
        "token_cache": False,
    } | more


def endpoint(peer: Peer, name: str, tls: bool = False) -> ProxyEndpoint:
    port = peer.nginx.tls_port if tls else peer.nginx.port
    assert port is not None
    return ProxyEndpoint(peer.nginx.address, port, name, tls)


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """A server that accepts connections and never answers; yields its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield int(server.getsockname()[1])


class RequestLoop:
    """Asks for a page all the time, as a user would; counts what is lost."""

    def __init__(self, where: ProxyEndpoint, pause_s: float = 0.01, path: str = "/") -> None:
        self._where = where
        self._path = path
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        #: (time, status or None) of each request.
        self.answers: list[tuple[float, int | None]] = []

    def _work(self) -> None:
        while not self._stop.is_set():
            self.answers.append((time.monotonic(), plain(self._where, self._path, timeout_s=2).status))
            time.sleep(self._pause_s)

    def __enter__(self) -> RequestLoop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def lost(self) -> int:
        return sum(1 for _, status in self.answers if status != 200)

    @property
    def outage_s(self) -> float:
        """From the first to the last lost answer."""
        bad = [moment for moment, status in self.answers if status != 200]
        return bad[-1] - bad[0] if bad else 0.0
