# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP/1.1 GET request over a connection: write its head, read the head of the answer and the begin of its body."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .connect import connect
from .http_answer import MAX_BODY, HeadParser, HeadTooBigError, NotHttpError, RawAnswer
from .observation import EndedError, Fault, Observation
from .tls import tls_fault

if TYPE_CHECKING:
    from .target import Target
    from .wire import Wire

USER_AGENT = "codeframe.staging websocket_check"
# Seconds in which the rest of an error page may arrive after its head.
_BODY_TIMEOUT_S = 1.0


def request_head(target: Target, origin: str | None, *fields: tuple[str, str]) -> bytes:
    """Render the head of a GET request for the target: its own headers come last (pure).

    :param fields: Headers that make the request what it is, such as ``Upgrade``.
    """
    headers = [("Host", target.authority), *fields]
    if origin:
        headers.append(("Origin", origin))
    if not any(name.lower() == "user-agent" for name, _ in target.headers):
        headers.append(("User-Agent", USER_AGENT))
    return render_head(target, [*headers, *target.forwarded, *target.headers])


def render_head(target: Target, fields: Sequence[tuple[str, str]]) -> bytes:
    """Render the head of a GET request with these headers in this order (pure)."""
    lines = [f"GET {target.resource} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_head(wire: Wire, seen: Observation, deadline: float) -> tuple[RawAnswer, bytes]:
    """Read until the head of the answer is complete; return it with the bytes that follow it.

    :raises EndedError: If it does not come; the observation holds the fault.
    """
    parser = HeadParser()
    while True:
        data = await wire.read(deadline)
        if data is None:
            got = f"{parser.received} bytes of an answer" if parser.received else "not one byte"
            raise seen.end(Fault.HANDSHAKE_STALLED, f"{got} came")
        if data == b"":
            if isinstance(wire.error, ssl.SSLError):
                # With TLS 1.3 the server judges the client's certificate after the client is done.
                raise seen.end(*tls_fault(wire.error))
            how = "reset" if wire.reset else "closed"
            after = f"after {parser.received} bytes of an answer" if parser.received else "without an answer"
            raise seen.end(Fault.CLOSED_IN_HANDSHAKE, f"the connection was {how} {after}")
        try:
            answer = parser.feed(data)
        except NotHttpError as exc:
            raise seen.end(Fault.NOT_HTTP, str(exc)) from None
        except HeadTooBigError as exc:
            raise seen.end(Fault.HEAD_TOO_BIG, str(exc)) from None
        if answer is not None:
            return answer, parser.rest


async def read_body(wire: Wire, answer: RawAnswer, rest: bytes, deadline: float) -> RawAnswer:
    """Return the answer with the beginning of its body, as far as it comes within one second and by the deadline."""
    deadline = min(deadline, asyncio.get_running_loop().time() + _BODY_TIMEOUT_S)
    body = bytearray(rest[:MAX_BODY])
    length = answer.header("Content-Length") or ""
    size = min(MAX_BODY, int(length)) if length.isdigit() and len(length) < 10 else MAX_BODY
    while len(body) < size:
        # The last chunk of a chunked body ends it without a length.
        if body.endswith(b"0\r\n\r\n") and not length:
            break
        data = await wire.read(deadline)
        if not data:
            break
        body += data
    return replace(answer, body=bytes(body[:MAX_BODY]))


async def ask(target: Target, context: ssl.SSLContext | None, timeout_s: float, prelude: bytes = b"") -> Observation:
    """Send the target's request without an upgrade; the observation holds the answer or the fault.

    :param prelude: Sent before the request, and before TLS.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    seen = Observation(target)
    wire: Wire | None = None
    try:
        wire = await connect(target, context, seen, deadline, prelude)
        wire.write(request_head(target, target.origin, ("Connection", "close")))
        answer, rest = await read_head(wire, seen, deadline)
        seen.answer = await read_body(wire, answer, rest, deadline)
    except (EndedError, OSError):
        pass
    finally:
        if wire is not None:
            wire.abort()
    return seen
