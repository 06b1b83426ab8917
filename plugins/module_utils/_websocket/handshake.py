# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The opening handshake of a WebSocket (RFC 6455, section 4), the only implementation in this collection.

It needs the standard library alone, so that a module can open a WebSocket on a host without ``websockets``.
:func:`open_once` is all that such a module needs; the frames after the handshake are read by ``session``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .connect import connect
from .header_form import Handshake, HeaderForm, header_fields
from .http_exchange import USER_AGENT, read_body, read_head, render_head
from .observation import EndedError, Fault, Observation
from .tls import tls_context

if TYPE_CHECKING:
    from .http_answer import RawAnswer
    from .target import Target
    from .wire import Wire

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# RFC 9112, section 5: a line of a header, with the end that a sender must use.
_HEADER_LINE = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r")
# RFC 7692, section 7.1: what a server may answer.
_DEFLATE = re.compile(r"permessage-deflate(?:\s*;\s*[a-z_]+(?:\s*=\s*(?:\"\d+\"|\d+))?)*", re.IGNORECASE)
# A close frame with the code 1000, masked with zeros (RFC 6455, section 5.5.1).
_CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"
# Longest wait for the server's part of the closing handshake.
_CLOSE_TIMEOUT_S = 1.0


class UpgradeError(Exception):
    """A 101 that a client must refuse."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail


@dataclass(frozen=True)
class Opened:
    """An upgraded connection.

    :param rest: The bytes that came together with the answer.
    :param extension: The parameters of the compression that was agreed; None without.
    """

    wire: Wire
    rest: bytes
    extension: str | None = None


def new_key() -> str:
    """A ``Sec-WebSocket-Key``: 16 random bytes in base64."""
    return base64.b64encode(os.urandom(16)).decode("ascii")


def accept_key(key: str) -> str:
    """The ``Sec-WebSocket-Accept`` that belongs to a key."""
    digest = hashlib.sha1(key.encode("ascii") + _GUID)  # noqa: S324 (RFC 6455 names it)
    return base64.b64encode(digest.digest()).decode("ascii")


def upgrade_request(
    target: Target, key: str, origin: str | None, form: HeaderForm = HeaderForm.CHROMIUM, compression: bool = True
) -> bytes:
    """The request that opens a WebSocket, as a browser sends it."""
    given = next((value for name, value in target.headers if name.lower() == "user-agent"), None)
    handshake = Handshake(target.authority, key, origin, given or USER_AGENT, target.subprotocols, compression)
    own = {name.lower() for name, _ in target.headers} - {"user-agent"}
    fields = [item for item in header_fields(form, handshake) if item[0].lower() not in own]
    further = [item for item in target.headers if item[0].lower() != "user-agent"]
    return render_head(target, [*fields, *target.forwarded, *further])


def verify_upgrade(
    answer: RawAnswer, key: str, subprotocols: tuple[str, ...] = (), compression: bool = False
) -> str | None:
    """Verify a 101 as RFC 6455, section 4.1, demands; return the subprotocol that the server chose.

    A server that chooses none of the subprotocols is refused as well, as browsers do.

    :raises UpgradeError: On the first rule that is broken.
    """
    _status_line, *fields, end, _ = answer.raw.split(b"\n")
    for line in fields:
        if not _HEADER_LINE.fullmatch(line):
            raise UpgradeError(Fault.UPGRADE_INVALID, f"a line that is no header: {line[:40]!r}")
    if end != b"\r":
        raise UpgradeError(Fault.UPGRADE_INVALID, "the headers do not end with CR LF")
    options = answer.tokens("Connection")
    if "upgrade" not in [option.lower() for option in options]:
        raise UpgradeError(Fault.UPGRADE_INVALID, _found("Connection", options, "Upgrade"))
    protocols = answer.tokens("Upgrade")
    if [protocol.lower() for protocol in protocols] != ["websocket"]:
        raise UpgradeError(Fault.UPGRADE_INVALID, _found("Upgrade", protocols, "websocket"))
    accepted = answer.values("Sec-WebSocket-Accept")
    if accepted != (accept_key(key),):
        raise UpgradeError(Fault.ACCEPT_KEY_WRONG, _found("Sec-WebSocket-Accept", accepted, accept_key(key)))
    extensions = answer.tokens("Sec-WebSocket-Extensions")
    if extensions and not (compression and len(extensions) == 1 and _DEFLATE.fullmatch(extensions[0])):
        offered = "permessage-deflate was offered" if compression else "none was offered"
        raise UpgradeError(Fault.UPGRADE_INVALID, f"Sec-WebSocket-Extensions is {', '.join(extensions)}, and {offered}")
    return _verify_subprotocol(answer.tokens("Sec-WebSocket-Protocol"), subprotocols)


def _verify_subprotocol(chosen: tuple[str, ...], offered: tuple[str, ...]) -> str | None:
    if not chosen and not offered:
        return None
    if len(chosen) == 1 and chosen[0] in offered:
        return chosen[0]
    raise UpgradeError(
        Fault.SUBPROTOCOL_REFUSED,
        f"offered: {', '.join(offered) or 'none'}; chosen: {', '.join(chosen) or 'none'}",
    )


def _found(name: str, values: tuple[str, ...], expected: str) -> str:
    return f"{name} is {', '.join(values) or 'missing'}, expected {expected}"


async def open_websocket(
    target: Target,
    context: ssl.SSLContext | None,
    seen: Observation,
    deadline: float,
    origin: str | None,
    form: HeaderForm = HeaderForm.CHROMIUM,
    compression: bool = True,
) -> Opened:
    """Connect and upgrade; phases, answer and subprotocol go into the observation.

    :param deadline: By the clock of the running loop.
    :raises EndedError: Without an upgraded connection; the observation holds the fault.
    """
    loop = asyncio.get_running_loop()
    wire = await connect(target, context, seen, deadline)
    try:
        key = new_key()
        began = loop.time()
        wire.write(upgrade_request(target, key, origin, form, compression))
        answer, rest = await read_head(wire, seen, deadline)
        seen.phases["upgrade"] = loop.time() - began
        seen.answer = answer
        if answer.status != 101 or answer.version != "1.1":
            seen.answer = await read_body(wire, answer, rest, deadline)
            raise seen.end(Fault.HTTP_ANSWER, f"HTTP {answer.status}")
        seen.extensions = answer.header("Sec-WebSocket-Extensions")
        try:
            seen.subprotocol = verify_upgrade(answer, key, target.subprotocols, compression)
        except UpgradeError as exc:
            raise seen.end(exc.fault, exc.detail) from None
    except BaseException:
        wire.abort()
        raise
    seen.opened = True
    return Opened(wire, rest, seen.extensions)


async def open_and_close(
    target: Target,
    context: ssl.SSLContext | None,
    timeout_s: float,
    origin: str | None,
    form: HeaderForm = HeaderForm.CHROMIUM,
) -> Observation:
    """Open a WebSocket and close it again; ``opened`` of the observation tells whether it was one."""
    loop = asyncio.get_running_loop()
    seen = Observation(target)
    try:
        connection = await open_websocket(target, context, seen, loop.time() + timeout_s, origin, form)
    except EndedError:
        return seen
    try:
        connection.wire.write(_CLOSE)
        await connection.wire.read(loop.time() + _CLOSE_TIMEOUT_S)
    finally:
        connection.wire.abort()
    return seen


def open_once(target: Target, timeout_s: float) -> Observation:
    """Open a WebSocket and close it again, for callers without an event loop.

    ``opened`` tells whether it was one; if not, ``answer`` is what the server said (``answer.raw`` its head as
    received), and ``fault`` with ``detail`` is what went wrong.

    :raises TargetError: If a certificate file of the target cannot be used.
    """
    return asyncio.run(open_and_close(target, tls_context(target), timeout_s, target.origin))
