# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The request that is evaluated: a WebSocket handshake of a client of nginx."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class HttpRequest:
    """A handshake as it arrives at nginx.

    :param path: As nginx compares it with locations, see :func:`normal_path`.
    :param written: The path as the client writes it, without arguments; empty if it is ``path``.
    :param address: The address of this host that the client connects to; ``None`` if it does not matter.
    :param client_address: ``None`` if it is not known.
    :param upstream_path: Path of the WebSocket at the application; ``None`` if it is not known.
    :param upstream_tls: Whether the application speaks TLS; ``None`` if it is not known.
    :param origin: Origin of the page that opens the WebSocket; ``None`` if it is not known.
    :param idle_timeout_s: Seconds of silence that the connection is expected to survive.
    """

    host_name: str
    port: int
    tls: bool
    path: str
    address: str | None = None
    idle_timeout_s: float = 86400
    arguments: str = ""
    client_address: str | None = None
    upstream_path: str | None = None
    upstream_tls: bool | None = None
    origin: str | None = None
    written: str = ""

    @property
    def path_as_sent(self) -> str:
        return self.written or self.path

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> HttpRequest:
        """Return the request that the options of a task describe."""
        return cls(
            host_name=params["host_name"],
            port=params["port"] or (443 if params["tls"] else 80),
            tls=params["tls"],
            path=normal_path(params["path"]),
            address=params["address"],
            idle_timeout_s=params["idle_timeout"],
            arguments=arguments_of(params["path"]),
            client_address=params["client_address"],
            upstream_path=params["upstream_path"],
            upstream_tls=params["upstream_tls"],
            origin=params["origin"],
            written=re.split(r"[?#]", params["path"], maxsplit=1)[0],
        )


def decoded(text: str) -> str:
    """A path without arguments and percent encoding."""
    return unquote(re.split(r"[?#]", text, maxsplit=1)[0], errors="surrogateescape")


def normal_path(text: str, merge_slashes: bool = True) -> str:
    """A path as nginx compares it with locations: decoded, without arguments, dot segments and double slashes."""
    path = decoded(text)
    kept: list[str] = []
    parts = (re.sub("/+", "/", path) if merge_slashes else path).split("/")[1:]
    for number, part in enumerate(parts):
        if part == "..":
            kept[-1:] = []
        elif part != ".":
            kept.append(part)
        if part in (".", "..") and number == len(parts) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def arguments_of(text: str) -> str:
    """The arguments of a path as a client writes it, without the question mark."""
    return re.split("#", text, maxsplit=1)[0].partition("?")[2]


#: Stands for the key of a handshake, which is new in each.
KEY = "<key>"


def handshake_variables(request: HttpRequest) -> dict[str, str | None]:
    """nginx's variables of the handshake."""
    default_port = request.port == (443 if request.tls else 80)
    uri = f"{request.path_as_sent}?{request.arguments}" if request.arguments else request.path_as_sent
    of_tls = dict.fromkeys(("ssl_protocol", "ssl_cipher", "ssl_client_verify", "ssl_server_name"), "")
    return {
        **({} if request.tls else of_tls),
        "args": request.arguments,
        "request_body": "",
        "http_upgrade": "websocket",
        "http_connection": "Upgrade",
        "http_sec_websocket_key": KEY,
        "http_sec_websocket_version": "13",
        "http_origin": request.origin,
        "http2": "",
        "scheme": "https" if request.tls else "http",
        "https": "on" if request.tls else "",
        "host": request.host_name.lower(),
        "http_host": request.host_name if default_port else f"{request.host_name}:{request.port}",
        "server_port": str(request.port),
        "server_addr": request.address,
        "server_protocol": "HTTP/1.1",
        "proxy_protocol_addr": "",
        "remote_addr": request.client_address,
        "remote_user": "",
        "content_length": "",
        "content_type": "",
        "request": f"GET {uri} HTTP/1.1",
        "request_method": "GET",
        "request_uri": uri,
    }


def ordinary_variables(request: HttpRequest) -> dict[str, str | None]:
    """nginx's variables of an ordinary request to the same place."""
    without = {f"http_{name}": "" for name in ("upgrade", "sec_websocket_key", "sec_websocket_version")}
    return {**handshake_variables(request), **without, "http_connection": "keep-alive"}
