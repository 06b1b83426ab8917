# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Page loads that break and WebSockets that close during deployments under load.

Usage, as root: ``python benchmarks/page_loads.py [loads]``

Clients load the page with all its scripts and styles through nginx, without a pause. Meanwhile ``deploy_staging``
changes the page, nginx is reloaded, ``deploy_staging`` fails to build the page, then changes the URL of the WebSocket,
and ``rollback_staging`` rolls that back. Each part continues until it has its share of the loads (4,500 in total by
default).

Each load uses one connection, like a browser. Like a browser, it repeats a request once if the connection was used
before and is closed without an answer: nginx closes idle connections when it is reloaded. A load is broken if the page
or one of its files is not answered with 200. The exit status is 1 if a load is broken, if a chunk of the first page is
missing at the end, or if a WebSocket closes in a part that does not change the backend.
"""

from __future__ import annotations

import http.client
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from staging_host import StagingHost, staging_host
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

CLIENTS, LOADS, SOCKETS = 4, 4500, 20
PORT, SSH_PORT = 18391, 14391
_FILE = re.compile(r'(?:src|href)="(/_next/[^"?]+\.(?:js|css))')


@dataclass
class Load:
    """Clients that load the page until they are stopped."""

    host: str
    port: int
    loads: int = 0
    files: int = 0
    broken: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop_after(self, loads: int) -> None:
        """Continue until that many loads were started, then wait for the last ones to end."""
        while self.loads < loads:
            time.sleep(0.1)
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _client(self) -> None:
        while not self._over.is_set():
            problem, files = "", 0
            try:
                files = load_page(self.host, self.port)
            except (OSError, http.client.HTTPException, BrokenPageError) as error:
                problem = f"after {time.monotonic() - self._started:.0f} s: {type(error).__name__}: {error}"
            with self._lock:
                self.loads += 1
                self.files += files
                if problem:
                    self.broken.append(problem)


class BrokenPageError(Exception):
    """A page or one of its files was not answered with 200."""


def load_page(host: str, port: int) -> int:
    """Load the page with its files over one connection; return the number of files.

    :raises BrokenPageError: If an answer is not 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        page = fetch(connection, host, "/")
        paths = list(dict.fromkeys(_FILE.findall(page.decode())))
        if not paths:
            raise BrokenPageError("the page has no scripts")
        for path in paths:
            fetch(connection, host, path)
        return len(paths)
    finally:
        connection.close()


def fetch(connection: http.client.HTTPConnection, host: str, path: str) -> bytes:
    """Request one file.

    :raises BrokenPageError: If it is not answered with 200.
    """
    used_before = connection.sock is not None
    try:
        return _fetch(connection, host, path)
    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
        if not used_before:
            raise BrokenPageError(f"{path}: {type(error).__name__}") from error
    connection.close()
    return _fetch(connection, host, path)


def _fetch(connection: http.client.HTTPConnection, host: str, path: str) -> bytes:
    started = time.monotonic()
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        body = answer.read()
    except TimeoutError as error:
        raise BrokenPageError(f"{path}: no answer in {time.monotonic() - started:.0f} s") from error
    if answer.status != 200:
        raise BrokenPageError(f"{path}: {answer.status}")
    return body


def served(host: StagingHost) -> dict[str, bytes]:
    """The current page and its files: contents by path."""
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=20)
    name = host.page_url.removeprefix("http://")
    page = fetch(connection, name, "/")
    return {"/": page, **{path: fetch(connection, name, path) for path in _FILE.findall(page.decode())}}


def open_sockets(url: str, port: int, stack: ExitStack) -> list[ClientConnection]:
    """Open WebSockets that send nothing; the stack closes them."""
    return [
        stack.enter_context(
            connect(url, sock=socket.create_connection(("127.0.0.1", port)), proxy=None, ping_interval=None)
        )
        for _ in range(SOCKETS)
    ]


def close_codes(sockets: list[ClientConnection]) -> Counter[str]:
    """Count the sockets by how they ended."""
    ends: Counter[str] = Counter()
    for one in sockets:
        try:
            while True:
                one.recv(timeout=0.01)
        except TimeoutError:
            ends["open"] += 1
        except ConnectionClosed as closed:
            ends[str(closed.rcvd.code if closed.rcvd else "cut")] += 1
    return ends


def under_load(
    host: StagingHost, what: str, loads: int, act: Callable[[], str], ws_url: str = ""
) -> tuple[bool, Counter[str]]:
    """Run ``act`` under load and print the figures; return whether no load broke, and how the sockets ended."""
    load = Load(host.page_url.removeprefix("http://"), host.port)
    with ExitStack() as stack:
        sockets = open_sockets(ws_url or host.ws_url(), host.port, stack)
        started = time.monotonic()
        load.start()
        outcome = act()
        took_s = time.monotonic() - started
        load.stop_after(loads)
        ends = close_codes(sockets)
    print(
        f"{what:34} {took_s:5.0f} s {load.loads:6} loads {load.files:7} files {len(load.broken):4} broken   "
        f"WebSockets: {dict(ends)}   {outcome}",
        flush=True,
    )
    for problem, times in Counter(load.broken).most_common(5):
        print(f"    {times} x {problem}")
    return not load.broken, ends


def deploy(host: StagingHost, *variables: str, playbook: str = "deploy_staging.yml", fails: str = "") -> str:
    outcome = host.deployment.run(playbook=playbook, variables=variables)
    if bool(outcome.exit_code) != bool(fails) or fails not in outcome.words:
        raise SystemExit(f"{playbook} ended with {outcome.exit_code}:\n{outcome.output}")
    return f"changed: {', '.join(sorted(outcome.changed_roles - {''})) or 'nothing'}"


def main() -> int:
    loads = int(sys.argv[1]) if len(sys.argv) > 1 else LOADS
    share = loads // 5
    with staging_host("codeframe-staging-page-loads", PORT, SSH_PORT) as host:
        print("deploying, without load ...", flush=True)
        deploy(host)
        page = host.sources / "web-ui/app/page.jsx"
        first = page.read_text()
        at_first = served(host)
        good = True

        page.write_text(first.replace("<main", '<main data-benchmark="changed"', 1))
        clean, ends = under_load(host, "deploy, another page", share, lambda: deploy(host))
        good &= clean and ends["open"] == SOCKETS
        second = served(host)
        good &= second != at_first

        clean, ends = under_load(host, "reload of nginx", share, lambda: host.shell("systemctl reload nginx"))
        good &= clean and ends["open"] == SOCKETS

        page.write_text("export default function Page( {")
        clean, ends = under_load(host, "deploy, page does not compile", share, lambda: deploy(host, fails="page.jsx"))
        good &= clean and ends["open"] == SOCKETS and served(host) == second
        page.write_text(first.replace("<main", '<main data-benchmark="changed"', 1))

        url = host.ws_url("live")
        clean, _ends = under_load(
            host, "deploy, another WebSocket URL", share, lambda: deploy(host, f"staging_public_ws_url={url}")
        )
        good &= clean and served(host) != second

        clean, _ends = under_load(host, "rollback", share, lambda: deploy(host, playbook="rollback_staging.yml"), url)
        good &= clean and served(host) == second

        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        gone = []
        files = {path: content for path, content in at_first.items() if path != "/"}
        for path, content in files.items():
            try:
                if fetch(connection, host.page_url.removeprefix("http://"), path) != content:
                    gone.append(f"{path}: another content")
            except BrokenPageError as error:
                gone.append(str(error))
        print(f"files of the first page at the end: {len(files) - len(gone)} of {len(files)} are served unchanged")
    return 0 if good and not gone else 1


if __name__ == "__main__":
    sys.exit(main())
