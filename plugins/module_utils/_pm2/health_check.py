# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a healthy process must answer, from the options of a task."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._host.forwarded import forwarded_headers
from .._host.sockets import LONGEST_PATH, UNIX, Place
from .._host.url import Url, UrlError, is_loopback, parse_url
from .._websocket.target import Target, TargetError, parse_public_url, parse_target
from .error import Pm2Error


@dataclass(frozen=True)
class HealthCheck:
    """What a healthy process must answer."""

    url: Url | None
    """Must answer 200."""
    place: Place | None
    """The process itself must listen there: on a TCP port, or at the path of a UNIX socket."""
    timeout_s: float
    stable_s: float
    """For so long, pid and number of restarts must not change."""
    websocket: Target | None = None
    """Must accept a WebSocket."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with the request for ``url``."""

    @property
    def port(self) -> int | None:
        """The TCP port, if it is to listen on one."""
        return self.place if isinstance(self.place, int) else None

    @property
    def connect_to(self) -> tuple[str, int] | None:
        """Where the request for ``url`` is sent instead of its own host and port."""
        return (UNIX + self.place, 0) if isinstance(self.place, str) else None


def health_check_from(params: Mapping[str, Any]) -> HealthCheck:
    """Read the options of pm2_process.

    :raises Pm2Error: If a URL cannot be used.
    """
    url, websocket = _url(params["health_url"]), _websocket(params)
    place: Place | None = _socket(params) or params["health_port"]
    if place is None and url and is_loopback(url.host):
        place = url.port
    if place is None and websocket and is_loopback(websocket.host):
        place = websocket.port
    return HealthCheck(url, place, params["health_timeout"], params["stable_s"], websocket, _headers(params))


def _socket(params: Mapping[str, Any]) -> str:
    path = params["health_socket"] or ""
    if path and (not path.startswith("/") or len(os.fsencode(path)) > LONGEST_PATH):
        raise Pm2Error(
            f"health_socket is {path!r}; expected the absolute path of a UNIX socket, of at most {LONGEST_PATH} bytes"
        )
    if path and params["health_port"] is not None:
        raise Pm2Error("health_socket and health_port are both given; give the one that the process listens on")
    return str(path)


def _headers(params: Mapping[str, Any]) -> dict[str, str]:
    """What a correct proxy would send."""
    try:
        public = parse_public_url(params["health_public_url"], "health_public_url")
    except TargetError as err:
        raise Pm2Error(str(err)) from err
    return {"Host": public.authority, **dict(forwarded_headers(public))} if public else {}


def _url(text: str | None) -> Url | None:
    if not text:
        return None
    try:
        url = parse_url(text, lenient=True)
    except UrlError as err:
        raise Pm2Error(
            f"health_url is {text!r}, but {err}; expected a URL such as http://127.0.0.1:14200/health"
        ) from err
    if url.scheme not in ("http", "https"):
        raise Pm2Error(f"health_url is {text!r}; expected a URL such as http://127.0.0.1:14200/health")
    return url


def _websocket(params: Mapping[str, Any]) -> Target | None:
    url = params["health_websocket_url"]
    if not url:
        return None
    path = _socket(params)
    endpoint = {
        "name": "health_websocket",
        "url": url,
        "connect_to": UNIX + path if path else None,
        "origin": params["health_websocket_origin"],
        "public_url": params["health_public_url"],
        "secret_headers": params["health_websocket_headers"],
        "secret_query": params["health_websocket_query"],
    }
    try:
        return parse_target(endpoint, "health_websocket")
    except TargetError as err:
        raise Pm2Error(f"{err}; expected a health_websocket_url such as ws://127.0.0.1:14200/ws") from err
