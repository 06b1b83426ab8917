# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The headers of a handshake as browsers send them: their order, their case and their values (pure).

Compared in the tests with recordings of Chromium 156 and Firefox 153; Safari's is written from its documentation. What
differs is what proxies trip over: the ``Connection`` of Firefox was a list for years (``keep-alive, Upgrade``; the
recorded version has ``Upgrade`` alone), and a browser offers compression and sends all cookies of the host.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

#: What browsers offer; Chromium and Safari differ in the parameter.
_DEFLATE = "permessage-deflate; client_max_window_bits"
# As much as a session with a signed token.
_COOKIE = "codeframe-check=" + "x" * 3000


class HeaderForm(enum.Enum):
    """One way to send the same handshake; the value names it in texts."""

    CHROMIUM = "Chromium"
    FIREFOX = "Firefox"
    SAFARI = "Safari"
    COOKIES = "a browser with 3 kB of cookies"


@dataclass(frozen=True)
class Handshake:
    """What a handshake says besides its form."""

    host: str
    key: str
    origin: str | None
    user_agent: str
    subprotocols: tuple[str, ...] = ()
    compression: bool = True


def header_fields(form: HeaderForm, handshake: Handshake) -> list[tuple[str, str]]:
    """The headers of the request in their order."""
    origin = [("Origin", handshake.origin)] if handshake.origin else []
    agent = [("User-Agent", handshake.user_agent)]
    version = [("Sec-WebSocket-Version", "13")]
    key = [("Sec-WebSocket-Key", handshake.key)]
    protocols = [("Sec-WebSocket-Protocol", ", ".join(handshake.subprotocols))] if handshake.subprotocols else []
    languages, codings = [("Accept-Language", "en-US,en;q=0.9")], [("Accept-Encoding", "gzip, deflate, br, zstd")]
    uncached = [("Pragma", "no-cache"), ("Cache-Control", "no-cache")]
    upgrade = [("Upgrade", "websocket")]

    def extensions(value: str) -> list[tuple[str, str]]:
        return [("Sec-WebSocket-Extensions", value)] if handshake.compression else []

    host = [("Host", handshake.host)]
    if form is HeaderForm.FIREFOX:
        return [
            *host, *agent, ("Accept", "*/*"), *languages, *codings, *version, *origin, *protocols,
            *extensions("permessage-deflate"), *key, ("Connection", "keep-alive, Upgrade"),
            ("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Mode", "websocket"), ("Sec-Fetch-Site", "same-site"),
            *uncached, *upgrade,
        ]  # fmt: skip
    if form is HeaderForm.SAFARI:
        return [
            *host, *upgrade, *origin, ("Sec-Fetch-Mode", "websocket"), *uncached, *protocols, *languages,
            *extensions("permessage-deflate"), *version, *agent, *key, ("Connection", "Upgrade"),
            ("Accept-Encoding", "gzip, deflate"),
        ]  # fmt: skip
    cookies = [("Cookie", _COOKIE)] if form is HeaderForm.COOKIES else []
    return [
        *host, ("Connection", "Upgrade"), *uncached, *agent, *upgrade, *origin, *version, *codings, *languages,
        *cookies, *key, *extensions(_DEFLATE), *protocols,
    ]  # fmt: skip
