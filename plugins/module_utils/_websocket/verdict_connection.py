# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges connections that failed before an HTTP answer: name, TCP, TLS, and peers that do not answer (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .causes import Cause
from .judgement import Judge, Judgement, Reference, place_and_url
from .observation import Fault
from .verdict_stream import unbuffer

if TYPE_CHECKING:
    from .observation import Observation

# Faults that mean the same thing at every vantage point.
_SIMPLE: Mapping[Fault, tuple[Cause, str]] = {
    Fault.NAME_NOT_RESOLVED: (Cause.NAME_NOT_RESOLVED, "the host name of {at} has no address: {detail}"),
    Fault.NAME_TIMED_OUT: (Cause.NAME_NOT_RESOLVED, "the resolver did not answer in time: {detail}"),
    Fault.CONNECT_TIMED_OUT: (Cause.CONNECT_TIMED_OUT, "no connection to {at}: {detail}"),
    Fault.UNREACHABLE: (Cause.NETWORK_UNREACHABLE, "no route to {at}: {detail}"),
    Fault.LOCAL_LIMIT: (Cause.LOCAL_LIMIT_REACHED, "the machine that runs the check has reached a limit: {detail}"),
    Fault.TLS_UNTRUSTED: (Cause.TLS_UNTRUSTED, "the certificate of {at}{issued} is not trusted here: {detail}"),
    Fault.TLS_NAME_MISMATCH: (
        Cause.TLS_NAME_MISMATCH,
        "the certificate of {at} is not valid for {host}, but for {names}",
    ),
    Fault.TLS_EXPIRED: (Cause.TLS_EXPIRED, "the certificate of {at}{issued} expired{expired}"),
    Fault.TLS_NOT_YET_VALID: (
        Cause.TLS_NOT_YET_VALID,
        "the certificate of {at}{issued} is not valid yet by the clock of the machine that runs the check",
    ),
    Fault.TLS_CLIENT_CERTIFICATE: (Cause.TLS_CLIENT_CERTIFICATE_REQUIRED, "{at} requires a client certificate"),
}


def _judge_simple(fault: Fault) -> Judge:
    cause, template = _SIMPLE[fault]
    return lambda seen, _: Judgement(cause, template.format(**_words(seen)))


def _words(seen: Observation) -> dict[str, str]:
    tls = seen.tls
    days = None if tls is None or tls.expires_in_days is None else abs(tls.expires_in_days)
    return {
        "at": place_and_url(seen),
        "host": seen.target.host,
        "detail": seen.detail,
        "issued": f" (issued to {tls.subject or 'nobody'} by {tls.issuer or 'nobody'})" if tls else "",
        "names": ", ".join(tls.names) if tls and tls.names else "other names",
        "expired": f" ({seen.detail})" if days is None else f" {days} days ago",
    }


def _judge_refused(seen: Observation, reference: Reference) -> Judgement:
    at = place_and_url(seen)
    if seen.target.through_proxy:
        return Judgement(Cause.PROXY_DOWN, f"{at} does not accept connections: {seen.detail}")
    if reference.proxied_passed:
        return Judgement(
            Cause.WRONG_DIRECT_ADDRESS,
            f"{at} does not accept connections ({seen.detail}), but the application answers through the proxy: it "
            "listens on another address or port than this URL has",
        )
    return Judgement(Cause.BACKEND_DOWN, f"{at} does not accept connections: {seen.detail}")


def _judge_tls(seen: Observation, _: Reference) -> Judgement:
    at = place_and_url(seen)
    if seen.follow_up.speaks_plain_http:
        return Judgement(
            Cause.PLAIN_EXPECTED,
            f"{at} was asked for TLS, but the port answers plain HTTP",
            f"use {_with_scheme(seen, secure=False)} for this port, or the port on which the proxy offers TLS",
        )
    return Judgement(Cause.TLS_FAILED, f"the TLS handshake with {at} failed: {seen.detail}")


def tls_expected(seen: Observation) -> Judgement:
    return Judgement(
        Cause.TLS_EXPECTED,
        f"{place_and_url(seen)} was asked without TLS, but the port requires TLS",
        f"use {_with_scheme(seen, secure=True)}, and build the page with that URL too",
    )


def client_certificate_required(seen: Observation) -> Judgement:
    return Judgement(Cause.TLS_CLIENT_CERTIFICATE_REQUIRED, f"{place_and_url(seen)} requires a client certificate")


def _with_scheme(seen: Observation, secure: bool) -> str:
    plain, encrypted = ("ws", "wss") if seen.target.transport == "websocket" else ("http", "https")
    return (encrypted if secure else plain) + seen.target.url[seen.target.url.index("://") :]


def _judge_no_answer(seen: Observation, reference: Reference) -> Judgement:
    """A connection on which no HTTP answer came."""
    at = place_and_url(seen)
    if seen.follow_up.speaks_tls:
        return tls_expected(seen)
    if seen.follow_up.wants_client_certificate:
        return client_certificate_required(seen)
    if seen.fault is Fault.CLOSED_IN_HANDSHAKE:
        return Judgement(Cause.CLOSED_IN_HANDSHAKE, f"{at} did not answer the handshake: {seen.detail}")
    if seen.fault is not Fault.HANDSHAKE_STALLED:
        return Judgement(Cause.NOT_HTTP, f"{at} did not answer with HTTP: {seen.detail}")
    if seen.target.transport == "sse" and seen.target.through_proxy and reference.direct_passed:
        # nginx holds back even the headers until its buffer is full (measured).
        return Judgement(
            Cause.EVENTS_BUFFERED,
            f"{at} forwards nothing ({seen.detail}), although the backend sends events",
            unbuffer(seen),
        )
    return Judgement(
        Cause.HANDSHAKE_STALLED,
        f"{at} accepted the connection, but {seen.detail} within the handshake timeout",
    )


JUDGES: Mapping[Fault, Judge] = {
    **{fault: _judge_simple(fault) for fault in _SIMPLE},
    **dict.fromkeys((Fault.TLS_NOT_SPOKEN, Fault.TLS_FAILED, Fault.TLS_STALLED), _judge_tls),
    **dict.fromkeys(
        (Fault.CLOSED_IN_HANDSHAKE, Fault.HANDSHAKE_STALLED, Fault.NOT_HTTP, Fault.HEAD_TOO_BIG), _judge_no_answer
    ),
    Fault.REFUSED: _judge_refused,
}
