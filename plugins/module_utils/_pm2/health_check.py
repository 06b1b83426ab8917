# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a healthy process must answer, from the options of a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._host.forwarded import forwarded_headers
from .._host.url import Url, UrlError, is_loopback, parse_url
from .._websocket.target import Target, TargetError, parse_public_url, parse_target
from .error import Pm2Error


@dataclass(frozen=True)
class HealthCheck:
    """What a healthy process must answer."""

    url: Url | None
    """Must answer 200."""
    port: int | None
    """The process itself must listen on it."""
    timeout_s: float
    stable_s: float
    """For so long, pid and number of restarts must not change."""
    websocket: Target | None = None
    """Must accept a WebSocket."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with the request for ``url``."""


def health_check_from(params: Mapping[str, Any]) -> HealthCheck:
    """Read the options of pm2_process.

    :raises Pm2Error: If a URL cannot be used.
    """
    url, websocket = _url(params["health_url"]), _websocket(params)
    port: int | None = params["health_port"]
    if port is None and url and is_loopback(url.host):
        port = url.port
    if port is None and websocket and is_loopback(websocket.host):
        port = websocket.port
    return HealthCheck(url, port, params["health_timeout"], params["stable_s"], websocket, _headers(params))


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
    endpoint = {
        "name": "health_websocket",
        "url": url,
        "origin": params["health_websocket_origin"],
        "public_url": params["health_public_url"],
        "secret_headers": params["health_websocket_headers"],
        "secret_query": params["health_websocket_query"],
    }
    try:
        return parse_target(endpoint, "health_websocket")
    except TargetError as err:
        raise Pm2Error(f"{err}; expected a health_websocket_url such as ws://127.0.0.1:14200/ws") from err
