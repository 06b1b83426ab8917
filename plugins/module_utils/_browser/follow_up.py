# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settle what a browser does not tell: whether the page's origin is why its handshake was refused."""

from __future__ import annotations

from collections.abc import Mapping

from .._host.url import UrlError, parse_url
from .._websocket.handshake import open_once
from .._websocket.observation import Observation
from .._websocket.target import TargetError, parse_target
from .observation import PageObservation
from .verdict import Expected, Handshakes

_TIMEOUT_S = 5.0


def ask_again(seen: PageObservation, expected: Expected, resolve: Mapping[str, str]) -> Handshakes | None:
    """Repeat the handshake that the browser was refused, with the page's origin and without one.

    :param resolve: Host names and the addresses to connect to, as for the browser.
    :returns: ``None`` where no handshake was refused with a status.
    """
    socket = seen.socket_for(expected.websocket_url)
    if socket is None or socket.status in (None, 101) or not socket.origin:
        return None
    try:
        host = parse_url(socket.url, lenient=True).host
        given = {"name": "browser", "vantage": "public", "url": socket.url, "connect_to": resolve.get(host)}
        with_origin = open_once(parse_target({**given, "origin": socket.origin}), _TIMEOUT_S)
        without = open_once(parse_target(given), _TIMEOUT_S)
    except (TargetError, UrlError):
        # A URL that the page has, and no check can use, such as one with a user.
        return None
    return Handshakes(_status(with_origin), _status(without))


def _status(seen: Observation) -> int | None:
    if seen.opened:
        return 101
    return seen.answer.status if seen.answer is not None else None
