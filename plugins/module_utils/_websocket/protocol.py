# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols above WebSocket that have a handshake, and pings in messages, of their own (pure).

A server of these protocols closes a connection whose client does not answer its pings, so that a check that does not
speak them cannot hold one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._host.json_text import json_value
from .expectation import Expectation

PLAIN, SOCKETIO, GRAPHQL = "plain", "socketio", "graphql-transport-ws"
PROTOCOLS = (PLAIN, SOCKETIO, GRAPHQL)

#: Engine.IO protocol, version 4: the type of a packet is its first character.
_ENGINE_PING, _ENGINE_PONG = "2", "3"
_ENGINE_QUERY = "EIO=4&transport=websocket"


@dataclass(frozen=True)
class Protocol:
    """What a client of the protocol does.

    :param send: Its first message.
    :param expect: What the server answers when it accepts the client.
    """

    name: str = PLAIN
    send: str | None = None
    expect: Expectation | None = None

    def answer_to(self, message: str | bytes) -> str | None:
        """The message by which a client answers a message of the server at once, such as a ping."""
        if isinstance(message, bytes) or self.name == PLAIN:
            return None
        if self.name == SOCKETIO:
            return _ENGINE_PONG + message[1:] if message[:1] == _ENGINE_PING else None
        try:
            value = json_value(message)
        except ValueError:
            return None
        return '{"type":"pong"}' if isinstance(value, Mapping) and value.get("type") == "ping" else None

    def endpoint(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """An entry of ``endpoints`` with what the protocol adds to the upgrade request."""
        if (raw.get("transport") or "websocket") != "websocket":
            return raw
        if self.name == SOCKETIO:
            return {**raw, "url": _engine_url(str(raw.get("url") or ""))}
        if self.name == GRAPHQL:
            return {**raw, "subprotocols": raw.get("subprotocols") or [GRAPHQL]}
        return raw


def protocol_of(name: str) -> Protocol:
    """The protocol of this name, one of :data:`PROTOCOLS`."""
    if name == SOCKETIO:
        # Connecting to the main namespace; a refusal is 44 with its reason.
        return Protocol(name, "40", Expectation(pattern=re.compile(r"\A40(?:\{|\Z)")))
    if name == GRAPHQL:
        return Protocol(name, '{"type":"connection_init"}', Expectation(subset={"type": "connection_ack"}))
    return Protocol()


def _engine_url(url: str) -> str:
    """The URL at which Engine.IO accepts a WebSocket; without a path it is ``/socket.io/``, as for its clients."""
    base, _mark, query = url.partition("?")
    if re.match(r"[a-z]+://[^/]+/?\Z", base):
        base = base.rstrip("/") + "/socket.io/"
    if re.search(r"(?:\A|&)EIO=", query):
        return url
    return f"{base}?{query + '&' if query else ''}{_ENGINE_QUERY}"
