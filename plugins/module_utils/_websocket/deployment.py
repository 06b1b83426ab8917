# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a deployment is reachable from each vantage point (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._host.sockets import UNIX
from .._host.url import parse_url
from .target import VANTAGES

_NAMES = {"direct": "backend", "proxy": "proxy", "public": "public URL"}

#: Pages that a browser opens where none was named: each takes some seconds.
_MOST_ROUTES = 3


@dataclass(frozen=True)
class Deployment:
    """Where a deployment is reachable.

    :param url: Public URL of the WebSocket; ``api_url`` and ``page_url`` those of API and page.
    :param path: Path of the WebSocket on the backend.
    :param event_paths: Paths of event streams. One that ends with a slash is a prefix and not a stream of its own.
    :param event_timeout_s: Seconds within which a stream must send an event or a comment.
    :param backend_socket: UNIX socket that the backend listens on instead of the port; empty for none.
    :param proxy_address: Address at which the host reaches the proxy.
    :param proxy_port: Port there; 0 for those of the public URLs.
    :param proxy_tls: Whether the proxy speaks the TLS of the public URLs itself.
    :param proxy_page: Whether the proxy serves the page.
    :param vantages: Vantage points to check from.
    :param ca_certificates: Authorities to trust (PEM) instead of those of the system.
    :param idle_timeout: That of the proxy's configuration, with ``seconds`` and ``where``; empty if it is not known.
    """

    url: str
    api_url: str
    page_url: str
    path: str
    event_paths: tuple[str, ...]
    event_timeout_s: float
    backend_port: int
    frontend_port: int
    proxy_address: str
    proxy_port: int
    proxy_tls: bool
    proxy_page: bool
    vantages: tuple[str, ...]
    backend_socket: str = ""
    ca_certificates: str = ""
    idle_timeout: Mapping[str, Any] = field(default_factory=dict)

    def endpoints(self, common: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Endpoints of ``websocket_check``: for each vantage point the WebSocket and then each event stream.

        :param common: Options that all of them have.
        :raises UrlError: If a URL cannot be used.
        """
        return [
            {**common, **endpoint, "vantage": vantage}
            for vantage in VANTAGES
            if vantage in self.vantages
            for endpoint in self._endpoints_at(vantage)
        ]

    def page(self) -> dict[str, str]:
        """``url`` and ``connect_to`` of the page as users get it, and ``way`` in words.

        The proxy may serve some files of the page itself, so it is read through the proxy where that is checked.
        """
        if self.proxy_page and "proxy" in self.vantages:
            url = self._at_proxy(self.page_url)
            return {"url": url, "connect_to": self._proxy_socket(self.page_url), "way": "through the proxy"}
        path = parse_url(self.page_url, lenient=True).path.rstrip("/") or "/"
        url = f"http://127.0.0.1:{self.frontend_port}{path}"
        return {"url": url, "connect_to": "127.0.0.1", "way": "from its own port"}

    def browser_pages(self, paths: Sequence[str], routes: Sequence[Mapping[str, Any]]) -> list[str]:
        """URLs that a browser opens, which uses the public connection: none if that is not checked.

        :param paths: Paths of pages that open the WebSocket. Without any, pages of the first routes are opened, or the
            first page.
        :param routes: As ``frontend_bundle_info`` returns them.
        """
        if "public" not in self.vantages:
            return []
        found = [parse_url(str(route["page"]), lenient=True).path for route in routes if route.get("page")]
        origin = parse_url(self.page_url, lenient=True).origin
        return [origin + path for path in paths or list(dict.fromkeys(found))[:_MOST_ROUTES]] or [self.page_url]

    def browser_errors(self, paths: Sequence[str], routes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Which errors of the console count, by URL of :meth:`browser_pages`: an option of ``browser_check``.

        The data of a route with a dynamic segment that was filled with a placeholder does not exist on a new host.
        """
        if paths:
            return dict.fromkeys(self.browser_pages(paths, routes), "all")
        filled = {
            parse_url(str(route["page"]), lenient=True).path
            for route in routes
            if route.get("page") and "[" in str(route.get("route", ""))
        }
        return {
            url: "deployment" if parse_url(url, lenient=True).path in filled else "without_data"
            for url in self.browser_pages(paths, routes)
        }

    def _endpoints_at(self, vantage: str) -> Iterator[dict[str, Any]]:
        name = _NAMES[vantage]
        direct = "localhost" if self.backend_socket else f"127.0.0.1:{self.backend_port}"
        configured = self._configured_idle_timeout() if vantage == "proxy" else {}
        yield {"name": name, **self._reached(vantage, self.url, f"ws://{direct}{self.path}"), **configured}
        api = parse_url(self.api_url, lenient=True).origin
        for path in self.event_paths:
            if not path.endswith("/"):
                yield {
                    "name": f"{name} {path}",
                    **self._reached(vantage, api + path, f"http://{direct}{path}"),
                    "transport": "sse",
                    "message_timeout": self.event_timeout_s,
                }

    def _configured_idle_timeout(self) -> dict[str, Any]:
        if not self.idle_timeout:
            return {}
        return {
            "configured_idle_timeout": self.idle_timeout["seconds"],
            "configured_idle_timeout_from": self.idle_timeout.get("where") or "the default of nginx",
        }

    def _reached(self, vantage: str, url: str, direct: str) -> dict[str, str]:
        """How a public URL is asked for from a vantage point.

        :param direct: The backend's own URL for it.
        """
        reached = {"url": url}
        if vantage == "direct":
            reached = {"url": direct, "public_url": url}
            if self.backend_socket:
                reached["connect_to"] = f"{UNIX}{self.backend_socket}"
        if vantage == "proxy":
            reached = {"url": self._at_proxy(url), "connect_to": self._proxy_socket(url)}
            if reached["url"] != url:
                # TLS ends before this proxy, and what ends it says so.
                reached["public_url"] = url
        if self.ca_certificates and parse_url(reached["url"], lenient=True).secure:
            reached["ca_certificates"] = self.ca_certificates
        return reached

    def _at_proxy(self, url: str) -> str:
        """The URL that the proxy itself is asked for: without TLS where that ends before the proxy."""
        if self.proxy_tls or not parse_url(url, lenient=True).secure:
            return url
        scheme, colon, rest = url.partition(":")
        return scheme[:-1] + colon + rest

    def _proxy_socket(self, url: str) -> str:
        """Address and port of the proxy for a public URL."""
        parts = parse_url(url, lenient=True)
        port = self.proxy_port or (80 if parts.secure and not self.proxy_tls else parts.port)
        address = self.proxy_address
        return f"[{address}]:{port}" if ":" in address and not address.startswith("[") else f"{address}:{port}"
