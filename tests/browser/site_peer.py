"""A web site with a WebSocket of its own, on one port: pages, scripts and the server's side of the WebSocket."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

#: Runs browser_check on a URL, with further options.
Check = Callable[..., dict[str, Any]]


@dataclass
class Site:
    """What it serves; set before a browser comes.

    :param files: Path to body and content type; every other path answers 404.
    :param headers: Further headers by path.
    :param redirects: Path to location.
    :param needs_cookie: Paths that answer 403 without this cookie (``name=value``).
    :param origins: Origins whose handshake is accepted; empty for all.
    :param close_after_s: The server closes each WebSocket after so many seconds.
    :param greets: Whether the server sends a message when a WebSocket is opened.
    """

    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    needs_cookie: dict[str, str] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    refused_with: int | None = None
    close_after_s: float | None = None
    greets: bool = True
    port: int = 0
    scheme: str = "http"
    requests: list[str] = field(default_factory=list)

    def page(self, path: str, script: str, head: str = "") -> None:
        """Add a page and the script that it loads."""
        name = f"{path.rstrip('/')}/app.js"
        self.files[path] = (f'<!doctype html><title>x</title>{head}<script src="{name}"></script>', "text/html")
        self.files[name] = (script, "text/javascript")

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def ws_url(self, path: str = "/ws", host: str = "127.0.0.1") -> str:
        return self.url(path, host).replace("http", "ws", 1)


@contextlib.contextmanager
def running(site: Site, context: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve until the block ends."""

    def respond(connection: ServerConnection, request: Request) -> Response | None:
        path = request.path.split("?")[0]
        site.requests.append(request.path)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            if site.refused_with:
                return connection.respond(HTTPStatus(site.refused_with), "refused\n")
            if site.origins and request.headers.get("Origin") not in (None, *site.origins):
                return connection.respond(HTTPStatus.FORBIDDEN, "origin\n")
            return None
        if path in site.redirects:
            return Response(302, "Found", Headers({"Location": site.redirects[path], "Content-Length": "0"}))
        if site.needs_cookie.get(path, "") not in request.headers.get("Cookie", ""):
            return connection.respond(HTTPStatus.FORBIDDEN, "log in first\n")
        if path not in site.files:
            return connection.respond(HTTPStatus.NOT_FOUND, "none\n")
        body, kind = site.files[path]
        headers = Headers({"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body.encode()))})
        headers.update(site.headers.get(path, {}))
        return Response(200, "OK", headers, body.encode())

    def talk(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            if site.greets:
                connection.send('{"type": "hello"}')
            if site.close_after_s is not None:
                with contextlib.suppress(TimeoutError):
                    connection.recv(timeout=site.close_after_s)
                    connection.recv(timeout=site.close_after_s)
                connection.close(1011)
                return
            for _message in connection:
                pass

    with serve(talk, "127.0.0.1", 0, ssl=context, process_request=respond) as server:
        site.port = server.socket.getsockname()[1]
        site.scheme = "https" if context else "http"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
