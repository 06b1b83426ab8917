# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow-up probes: short requests after a failure, made only where their answer tells two causes apart."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from .connect import connect
from .handshake import open_and_close
from .http_exchange import ask
from .observation import EndedError, Fault, Observation, OriginTry
from .tls import tls_fault, unverified_context

if TYPE_CHECKING:
    from .target import Target

#: The longest that one follow-up probe may take, in seconds.
LONGEST_PROBE_S = 3.0

_ASK_WITHOUT_UPGRADE = frozenset((200, 400, 401, 403, 404, 405, 426, 500, 501, 505))
_ASK_WITH_ANOTHER_ORIGIN = frozenset((400, 401, 403))
# The line that a load balancer sends which does not name the client (PROXY protocol, version 1).
_PROXY_PROTOCOL = b"PROXY UNKNOWN\r\n"
_CERTIFICATE_FAULTS = frozenset(
    (Fault.TLS_UNTRUSTED, Fault.TLS_EXPIRED, Fault.TLS_NAME_MISMATCH, Fault.TLS_NOT_YET_VALID)
)


async def follow_up(seen: Observation, context: ssl.SSLContext | None, handshake_timeout_s: float) -> None:
    """Make the probes that this failure calls for and add their answers to ``seen.follow_up``."""
    target, answers = seen.target, seen.follow_up
    timeout_s = min(handshake_timeout_s, LONGEST_PROBE_S)
    if seen.fault is Fault.HTTP_ANSWER and target.transport == "websocket":
        await _after_refusal(seen, context, timeout_s)
    elif seen.fault in (Fault.CLOSED_IN_HANDSHAKE, Fault.NOT_HTTP, Fault.HANDSHAKE_STALLED):
        await _after_no_answer(seen, context, timeout_s)
    elif seen.fault is Fault.CUT:
        again = await open_and_close(target, context, timeout_s, target.origin)
        answers.reopened, answers.reopened_status = again.opened, again.status
    elif seen.fault in (Fault.TLS_NOT_SPOKEN, Fault.TLS_FAILED, Fault.TLS_STALLED):
        answers.speaks_plain_http = await _speaks_plain_http(target, timeout_s)
        if not answers.speaks_plain_http and context is not None:
            answers.expects_proxy_protocol = await _expects_proxy_protocol(target, unverified_context(), timeout_s)
    elif seen.fault in _CERTIFICATE_FAULTS:
        seen.tls = (await _connect_only(target, unverified_context(), timeout_s)).tls


async def _after_no_answer(seen: Observation, context: ssl.SSLContext | None, timeout_s: float) -> None:
    target, answers = seen.target, seen.follow_up
    if not target.secure:
        answers.speaks_tls = (await _connect_only(target, unverified_context(), timeout_s)).fault is None
        if answers.speaks_tls:
            return
    elif seen.fault is Fault.CLOSED_IN_HANDSHAKE and context is not None:
        answers.wants_client_certificate = await _wants_client_certificate(target, context, timeout_s)
    if seen.fault is Fault.CLOSED_IN_HANDSHAKE:
        answers.expects_proxy_protocol = await _expects_proxy_protocol(target, context, timeout_s)
    elif seen.fault is Fault.HANDSHAKE_STALLED and target.transport == "websocket":
        answers.plain_request = (await ask(target, context, timeout_s)).answer


async def _expects_proxy_protocol(target: Target, context: ssl.SSLContext | None, timeout_s: float) -> bool:
    """Whether the request is answered after a line of the PROXY protocol.

    A server that does not expect it takes the line for a malformed request, and says 400.
    """
    answer = (await ask(_without_secrets(target), context, timeout_s, _PROXY_PROTOCOL)).answer
    return answer is not None and answer.status != 400


def _without_secrets(target: Target) -> Target:
    """The same request without headers and query, for a peer that may be another one than it should."""
    return replace(target, headers=(), resource=target.path)


async def _speaks_plain_http(target: Target, timeout_s: float) -> bool:
    """Whether a port that was asked for TLS speaks plain HTTP: it upgrades, or answers with an ordinary page.

    A TLS server answers a plain request too, with 400 (nginx, Apache, Go) and nothing else.
    """
    bare = _without_secrets(target)
    if target.transport == "websocket":
        upgraded = await open_and_close(bare, None, timeout_s, target.origin)
        if upgraded.opened:
            return True
    answer = (await ask(bare, None, timeout_s)).answer
    if answer is None or answer.status == 400:
        return False
    # nginx can be told to redirect a plain request on a TLS port to the same port with https (error_page 497).
    return not (answer.header("Location") or "").startswith(f"https://{target.parts.authority}")


async def _after_refusal(seen: Observation, context: ssl.SSLContext | None, timeout_s: float) -> None:
    target, answers = seen.target, seen.follow_up
    if seen.status in _ASK_WITH_ANOTHER_ORIGIN:
        for origin in (None, target.asked_for.origin):
            if origin == target.origin:
                continue
            attempt = await open_and_close(target, context, timeout_s, origin)
            answers.other_origins.append(OriginTry(origin, attempt.status))
            if attempt.status == 101:
                break
    if seen.status == 403:
        nowhere = replace(target, resource=f"{target.path}-no-such-path")
        answers.unknown_path_status = (await open_and_close(nowhere, context, timeout_s, target.origin)).status
    if seen.status in _ASK_WITHOUT_UPGRADE:
        answers.plain_request = (await ask(target, context, timeout_s)).answer


async def _connect_only(target: Target, context: ssl.SSLContext, timeout_s: float) -> Observation:
    """Connect, with TLS, and send nothing."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    seen = Observation(target)
    try:
        wire = await connect(target, context, seen, deadline)
    except EndedError:
        return seen
    wire.abort()
    return seen


async def _wants_client_certificate(target: Target, context: ssl.SSLContext, timeout_s: float) -> bool:
    """Connect and listen only.

    The server's alert about a missing certificate is lost when what was sent makes it reset the connection.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    seen = Observation(target)
    try:
        wire = await connect(target, context, seen, deadline)
    except EndedError:
        return seen.fault is Fault.TLS_CLIENT_CERTIFICATE
    try:
        await wire.read(deadline)
        return isinstance(wire.error, ssl.SSLError) and tls_fault(wire.error)[0] is Fault.TLS_CLIENT_CERTIFICATE
    finally:
        wire.abort()
