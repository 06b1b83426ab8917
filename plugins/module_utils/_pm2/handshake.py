# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One WebSocket handshake (RFC 6455, section 4) with a process that was just started.

Says whether the new process may get traffic, with nothing but the standard library, since it is asked where a process
is managed. What a connection does afterwards is proven by ``websocket_check``.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# A close frame with the code 1000, masked with zeros.
_CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"


@dataclass(frozen=True)
class Handshake:
    """What is asked: the URL can be shown, headers and query cannot."""

    url: str
    origin: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """An answer came, and it was no WebSocket."""


def shake_hands(handshake: Handshake, timeout_s: float) -> None:
    """Open a WebSocket without proxies, and close it again.

    :raises RefusedError: With what the process answered.
    :raises OSError: If no answer came.
    """
    parts = urlsplit(handshake.url)
    connection: http.client.HTTPConnection
    if parts.scheme == "wss":
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout_s, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    query = "&".join(each for each in (parts.query, urlencode(handshake.query)) if each)
    key = base64.b64encode(os.urandom(16)).decode()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        **({"Origin": handshake.origin} if handshake.origin else {}),
        **handshake.headers,
    }
    try:
        connection.request("GET", (parts.path or "/") + (f"?{query}" if query else ""), headers=headers)
        answer = connection.getresponse()
        if answer.status != 101:
            raise RefusedError(f"answers the WebSocket handshake with {answer.status} {answer.reason}".rstrip())
        expected = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode(), usedforsecurity=False).digest()).decode()
        if answer.getheader("Sec-WebSocket-Accept") != expected:
            raise RefusedError("answers 101 with a wrong accept key")
        with contextlib.suppress(OSError):
            connection.sock.sendall(_CLOSE)
    except http.client.HTTPException as err:
        raise OSError(f"the answer was no HTTP ({type(err).__name__})") from err
    finally:
        connection.close()
