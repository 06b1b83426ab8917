# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Second looks: short further requests that settle what the first one left open.

They are made only after a failure, and only where their answer tells causes apart.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from .connect import (
    NotConnectedError,
    connect,
    tls_fault,
)
from .http_answer import Answer, HeadParser
from .observation import (
    Fault,
    Observation,
    SecondTry,
)
from .probe import (
    WebSocketProbe,
    read_body,
    read_head,
)
from .session import USER_AGENT
from .tls import unverified_context

if TYPE_CHECKING:
    from .settings import Settings
    from .target import Target

_ASK_WITHOUT_UPGRADE = frozenset((200, 400, 401, 403, 404, 405, 426, 500, 501, 505))
_ASK_WITH_ANOTHER_ORIGIN = frozenset((400, 401, 403))
_CERTIFICATE_FAULTS = frozenset(
    (Fault.TLS_UNTRUSTED, Fault.TLS_EXPIRED, Fault.TLS_NAME_MISMATCH, Fault.TLS_NOT_YET_VALID)
)
# A port either answers a handshake quickly or is not worth waiting for twice.
_LONGEST_LOOK_S = 3.0


async def look_again(seen: Observation, context: ssl.SSLContext | None, settings: Settings) -> None:
    """Make the requests that this failure calls for and add their answers to the observation."""
    target = seen.target
    within_s = min(settings.handshake_timeout_s, _LONGEST_LOOK_S)
    if seen.fault is Fault.HTTP_ANSWER and target.transport == "websocket":
        if seen.status in _ASK_WITH_ANOTHER_ORIGIN:
            await _try_other_origins(seen, context, replace(settings, handshake_timeout_s=within_s))
        if seen.status == 403:
            nowhere = replace(target, resource=f"{target.path}-no-such-path")
            quick = replace(settings, handshake_timeout_s=within_s)
            seen.unknown_path_status = await WebSocketProbe(nowhere, context, quick).only_open(target.origin)
        if seen.status in _ASK_WITHOUT_UPGRADE:
            seen.plain_request = await ask_plainly(target, context, within_s)
    elif seen.fault in (Fault.CLOSED_IN_HANDSHAKE, Fault.NOT_HTTP, Fault.HANDSHAKE_STALLED) and not target.secure:
        seen.speaks_tls = await _speaks_tls(target, within_s)
    elif seen.fault is Fault.CUT:
        again = WebSocketProbe(target, context, replace(settings, handshake_timeout_s=within_s))
        seen.reopened_status = await again.only_open(target.origin)
        seen.reopened = again.seen.opened
    elif seen.fault is Fault.CLOSED_IN_HANDSHAKE and context is not None:
        seen.wants_client_certificate = await _wants_client_certificate(target, context, within_s)
    elif seen.fault in (Fault.TLS_NOT_SPOKEN, Fault.TLS_FAILED, Fault.TLS_STALLED):
        seen.speaks_plain_http = await ask_plainly(replace(target, headers=()), None, within_s) is not None
    elif seen.fault in _CERTIFICATE_FAULTS:
        scratch = Observation(target)
        await _only_connect(target, unverified_context(), scratch, within_s)
        seen.tls = scratch.tls


async def _try_other_origins(seen: Observation, context: ssl.SSLContext | None, settings: Settings) -> None:
    target = seen.target
    origins = [None, target.own_origin] if target.origin else [target.own_origin]
    for origin in origins:
        if origin == target.origin:
            continue
        probe = WebSocketProbe(target, context, settings)
        status = await probe.only_open(origin)
        seen.second_tries.append(SecondTry(origin, status))
        if status == 101:
            return


async def ask_plainly(target: Target, context: ssl.SSLContext | None, within_s: float) -> Answer | None:
    """Send the same request without an upgrade; None when no HTTP answer comes."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    scratch = Observation(target)
    try:
        wire = await connect(target, context, scratch, deadline)
    except NotConnectedError:
        return None
    try:
        lines = [f"GET {target.resource} HTTP/1.1", f"Host: {target.authority}", f"User-Agent: {USER_AGENT}"]
        if target.origin:
            lines.append(f"Origin: {target.origin}")
        lines += [f"{name}: {value}" for name, value in target.headers]
        lines.append("Connection: close")
        wire.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        parser = HeadParser()
        answer = await read_head(wire, parser, scratch, deadline)
        if answer is None:
            return None
        return await read_body(wire, answer, parser.rest, min(deadline, loop.time() + 1.0))
    finally:
        wire.abort()


async def _speaks_tls(target: Target, within_s: float) -> bool:
    scratch = Observation(target)
    return await _only_connect(target, unverified_context(), scratch, within_s)


async def _wants_client_certificate(target: Target, context: ssl.SSLContext, within_s: float) -> bool:
    """Connect and listen only.

    The server's alert about a missing certificate is lost when what we sent makes it reset the connection.
    """
    deadline = asyncio.get_running_loop().time() + within_s
    scratch = Observation(target)
    try:
        wire = await connect(target, context, scratch, deadline)
    except NotConnectedError:
        return scratch.fault is Fault.TLS_CLIENT_CERTIFICATE
    try:
        await wire.read(deadline)
        return isinstance(wire.error, ssl.SSLError) and tls_fault(wire.error)[0] is Fault.TLS_CLIENT_CERTIFICATE
    finally:
        wire.abort()


async def _only_connect(target: Target, context: ssl.SSLContext, scratch: Observation, within_s: float) -> bool:
    deadline = asyncio.get_running_loop().time() + within_s
    try:
        wire = await connect(target, context, scratch, deadline)
    except NotConnectedError:
        return False
    wire.abort()
    return True
