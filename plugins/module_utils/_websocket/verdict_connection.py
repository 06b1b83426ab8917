# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges connections that failed before an HTTP answer: name, TCP, TLS, and peers that do not answer (pure)."""

from __future__ import annotations

import datetime
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
    Fault.TLS_NAME_MISMATCH: (
        Cause.TLS_NAME_MISMATCH,
        "the certificate of {at} is not valid for {host}, but for {names}",
    ),
    Fault.TLS_NAME_UNKNOWN: (
        Cause.TLS_NAME_NOT_SERVED,
        "{at} has no certificate for the name {host} and ends the TLS handshake ({detail})",
    ),
    Fault.TLS_VERSION: (
        Cause.TLS_VERSION_NOT_SUPPORTED,
        "{at} and the check have no TLS version in common ({detail})",
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


def _day(moment: str) -> str:
    return moment[:10]


def _judge_validity(seen: Observation, _: Reference) -> Judgement:
    """A date in the chain that is wrong: of the server's own certificate, or of one above it."""
    words, at = _words(seen), place_and_url(seen)
    expired = seen.fault is Fault.TLS_EXPIRED
    cause = Cause.TLS_EXPIRED if expired else Cause.TLS_NOT_YET_VALID
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    chain = seen.tls.chain if seen.tls else ()
    wrong = [link for link in chain if (link.not_after < now if expired else link.not_before > now)]
    if not chain or wrong[:1] == list(chain[:1]):
        text = (
            f"expired{words['expired']}"
            if expired
            else "is not valid yet by the clock of the machine that runs the check"
        )
        return Judgement(cause, f"the certificate of {at}{words['issued']} {text}")
    leaf = f"the certificate of {chain[0].subject or 'nobody'} itself is valid until {_day(chain[0].not_after)}"
    if wrong:
        link = wrong[0]
        when = f"expired on {_day(link.not_after)}" if expired else f"is valid from {_day(link.not_before)} on"
        return Judgement(
            Cause.TLS_CHAIN_INVALID,
            f"{at} sends a chain in which the certificate of the authority {link.subject or 'nobody'} (issued by "
            f"{link.issuer or 'nobody'}) {when}; {leaf}",
            f"replace the certificate of {link.subject or 'that authority'} in the file that the server sends "
            "(fullchain.pem, ssl_certificate) by the current one of the same authority and reload; the server's own "
            "certificate needs no renewal for that",
        )
    return Judgement(
        Cause.TLS_CHAIN_INVALID,
        f"a certificate above those that {at} sends {'has expired' if expired else 'is not valid yet'} (the last one "
        f"sent was issued by {chain[-1].issuer or 'nobody'}); {leaf}",
        "update the authorities on the machine that runs the check (ca-certificates), or let the server send a chain "
        "to an authority that is valid",
    )


def _judge_untrusted(seen: Observation, _: Reference) -> Judgement:
    """A chain that does not lead to an authority that is trusted here."""
    at, chain = place_and_url(seen), seen.tls.chain if seen.tls else ()
    text = f"the certificate of {at}{_words(seen)['issued']} is not trusted here: {seen.detail}"
    if not chain:
        return Judgement(Cause.TLS_UNTRUSTED, text)
    subjects = {link.subject for link in chain}
    if chain[0].subject == chain[0].issuer:
        return Judgement(
            Cause.TLS_UNTRUSTED,
            text,
            "use a certificate of an authority that browsers trust; for a private one, give it with ca_path",
        )
    missing = next((link.issuer for link in chain if link.issuer not in subjects), None)
    if missing is None:
        return Judgement(
            Cause.TLS_UNTRUSTED,
            f"{text}; the chain ends with the authority {chain[-1].subject or 'nobody'} of its own",
            f"give the authority {chain[-1].subject or ''} with ca_path if it is a private one; browsers need it too",
        )
    sent = "1 certificate" if len(chain) == 1 else f"{len(chain)} certificates"
    return Judgement(
        Cause.TLS_UNTRUSTED,
        f"{text}; it sends {sent}, and the issuer {missing} is neither among them nor trusted here",
        f"let the server send the certificate of {missing} too (fullchain.pem instead of cert.pem); if {missing} is a "
        "private root authority, give it with ca_path",
    )


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
            "use the port on which the proxy offers TLS, or let it offer TLS on this one (listen ... ssl)"
            if seen.target.through_proxy
            else f"use {_with_scheme(seen, secure=False)} for the backend's own port, which has no TLS",
        )
    if seen.follow_up.expects_proxy_protocol:
        return proxy_protocol_expected(seen)
    return Judgement(Cause.TLS_FAILED, f"the TLS handshake with {at} failed: {seen.detail}")


def tls_expected(seen: Observation) -> Judgement:
    return Judgement(
        Cause.TLS_EXPECTED,
        f"{place_and_url(seen)} was asked without TLS, but the port requires TLS",
        f"use {_with_scheme(seen, secure=True)}, and build the page with that URL too",
    )


def proxy_protocol_expected(seen: Observation) -> Judgement:
    return Judgement(
        Cause.PROXY_PROTOCOL_MISMATCH,
        f"{place_and_url(seen)} closes the connection, and answers the same request after a line of the PROXY "
        "protocol: the port accepts connections of a load balancer only",
        "remove proxy_protocol from the listen line of this port, or let every machine in front send it and check "
        "another port",
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
    if seen.follow_up.expects_proxy_protocol:
        return proxy_protocol_expected(seen)
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
    stalled = f"{at} accepted the connection, but {seen.detail} within the handshake timeout"
    plain = seen.follow_up.plain_request
    if not (seen.target.through_proxy and reference.direct_passed):
        return Judgement(Cause.HANDSHAKE_STALLED, stalled)
    compare = f"compare the location of {seen.target.path} with the backend's address, and read the logs of both"
    if plain is None:
        return Judgement(
            Cause.HANDSHAKE_STALLED,
            f"{stalled}, and the backend accepts the upgrade when asked directly: the proxy does not pass the request "
            "on, or the answer back",
            f"{compare}; limit_rate in nginx slows the answer down",
        )
    kind = f" with {plain.content_type}" if plain.content_type else ""
    shown = f"{stalled}; the same request without an upgrade gets HTTP {plain.status}{kind} at once"
    if plain.status in (502, 503, 504):
        return Judgement(
            Cause.HANDSHAKE_STALLED,
            f"{shown}: what answers there does not reach the server behind it, and waits for it before it says so",
            "compare the address, port and scheme (TLS or not) to which it forwards with those on which that server "
            "listens",
        )
    if reference.direct_plain is None or plain.page == reference.direct_plain:
        return Judgement(
            Cause.HANDSHAKE_STALLED,
            f"{shown}, and the backend accepts the upgrade when asked directly",
            compare,
        )
    return Judgement(
        Cause.NOT_A_WEBSOCKET,
        f"{shown}, which is not what the backend gives: another server gets the requests for {seen.target.path} (such "
        "as the page's, which leaves an upgrade unanswered)",
        f"add a location for {seen.target.path} that routes to the backend, before the one that matches every path",
    )


JUDGES: Mapping[Fault, Judge] = {
    **{fault: _judge_simple(fault) for fault in _SIMPLE},
    **dict.fromkeys((Fault.TLS_NOT_SPOKEN, Fault.TLS_FAILED, Fault.TLS_STALLED), _judge_tls),
    **dict.fromkeys(
        (Fault.CLOSED_IN_HANDSHAKE, Fault.HANDSHAKE_STALLED, Fault.NOT_HTTP, Fault.HEAD_TOO_BIG), _judge_no_answer
    ),
    Fault.REFUSED: _judge_refused,
    Fault.TLS_UNTRUSTED: _judge_untrusted,
    **dict.fromkeys((Fault.TLS_EXPIRED, Fault.TLS_NOT_YET_VALID), _judge_validity),
}
