# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges HTTP answers other than an upgrade: what a status means at this vantage point (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .causes import Cause
from .judgement import Judge, Judgement, Reference, place_and_url
from .observation import Fault
from .verdict_connection import client_certificate_required, tls_expected
from .verdict_stream import judge_stream_refusal

if TYPE_CHECKING:
    from .http_answer import RawAnswer
    from .observation import Observation

_UPGRADE_LINES = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
)
_MAP = "map $http_upgrade $connection_upgrade { default ''; websocket upgrade; }"


def _judge_answer(seen: Observation, reference: Reference) -> Judgement:
    answer = seen.answer
    if answer is None:
        raise ValueError("an HTTP answer is to be judged, and there is none")
    return (
        _judge_plain_status(seen, answer, reference)
        or _judge_by_follow_up(seen, answer)
        or _judge_refusal(seen, answer, reference)
    )


def is_same_page(answer: RawAnswer, other: RawAnswer | None) -> bool:
    """Whether two answers have the same status and the same beginning of the body."""
    return other is not None and answer.status == other.status and answer.body == other.body


def _said(seen: Observation, answer: RawAnswer) -> str:
    return f"{place_and_url(seen)} answered HTTP {answer.status}"


def _judge_plain_status(seen: Observation, answer: RawAnswer, reference: Reference) -> Judgement | None:
    """An answer that says by itself what it means, whatever was asked for; None for others."""
    status, said = answer.status, _said(seen, answer)
    if status == 400 and "plain HTTP request was sent to HTTPS port" in answer.text:
        return tls_expected(seen)
    if status in (400, 496) and "No required SSL certificate was sent" in answer.text:
        return client_certificate_required(seen)
    if status in (301, 302, 303, 307, 308):
        return _judge_redirect(seen, answer)
    if status == 502:
        return _judge_bad_gateway(seen, said, reference)
    if status == 504:
        return Judgement(Cause.GATEWAY_TIMEOUT, f"{said}: the backend behind it did not answer in time")
    if status in (503, 429):
        who = "the proxy itself" if answer.from_proxy_itself else "it"
        return Judgement(
            Cause.UNAVAILABLE_OR_LIMITED, f"{said}: {who} enforces a limit, is overloaded or under maintenance"
        )
    return None


def _judge_redirect(seen: Observation, answer: RawAnswer) -> Judgement:
    location = answer.header("Location") or ""
    url = location
    who = "the check does"
    if seen.target.transport == "websocket":
        who = "for a WebSocket, browsers do"
        for scheme, instead in (("https://", "wss://"), ("http://", "ws://")):
            if url.startswith(scheme):
                url = instead + url[len(scheme) :]
    to_tls = not seen.target.secure and location.startswith(("https://", "wss://"))
    why = ": plain HTTP is redirected to TLS" if to_tls else ""
    return Judgement(
        Cause.REDIRECTED,
        f"{_said(seen, answer)} and redirects to {location or 'nowhere'}{why}; {who} not follow redirects",
        f"use {url}, and build the page with that URL too" if url else None,
    )


def _judge_bad_gateway(seen: Observation, said: str, reference: Reference) -> Judgement:
    if not (seen.target.through_proxy and reference.direct_passed):
        return Judgement(Cause.BAD_GATEWAY, f"{said}: it gets no HTTP answer from the backend behind it")
    # websockets before 17 closes on HTTP/1.0, nginx's default towards a backend before 1.29.7 (measured).
    return Judgement(
        Cause.BAD_GATEWAY,
        f"{said}, although the backend answers when asked directly: the proxy forwards to another address, cannot "
        "reach the backend from where it runs, or speaks an HTTP version that the backend drops without an answer",
        f"compare proxy_pass in the location of {seen.target.path} with the address on which the backend listens, as "
        "the proxy sees it, and set proxy_http_version 1.1 there; the proxy's error log tells which it is",
    )


def _judge_by_follow_up(seen: Observation, answer: RawAnswer) -> Judgement | None:
    """A refusal that another origin does not get."""
    accepted = next((attempt for attempt in seen.follow_up.other_origins if attempt.status == 101), None)
    if accepted is None:
        return None
    origin = seen.target.origin
    sent = f"the origin {origin}" if origin else "no origin"
    instead = f"the origin {accepted.origin}" if accepted.origin else "no origin"
    return Judgement(
        Cause.ORIGIN_REJECTED,
        f"{place_and_url(seen)} refused with HTTP {answer.status} when sent {sent}, and accepted when sent {instead}",
        f"add {origin} to the application's allowed origins, with scheme and port"
        if origin
        else "give the endpoint the origin of the page, as a browser sends it",
    )


def _judge_refusal(seen: Observation, answer: RawAnswer, reference: Reference) -> Judgement:
    status, said = answer.status, _said(seen, answer)
    if status in (401, 407):
        return _judge_login(seen, answer, reference)
    if seen.target.transport == "sse":
        return judge_stream_refusal(seen, status, reference) or _judge_login(seen, answer, reference)
    if answer.version == "1.0":
        return Judgement(Cause.HTTP_1_0_ANSWER, f"{said} in HTTP/1.0, which has no upgrade")
    if status == 403 and not (reference.direct_passed and (answer.from_proxy_itself or reference.same_credentials)):
        return _judge_login(seen, answer, reference)
    if seen.target.through_proxy and reference.direct_passed:
        return _judge_although_direct_passed(seen, answer, reference)
    if status == 426 and seen.target.through_proxy:
        return _not_forwarded(seen, f"{said}: the backend did not receive the upgrade that the check had sent")
    if status == 505 and seen.target.through_proxy:
        return _not_forwarded(seen, f"{said}: the backend was asked in another HTTP version than the 1.1 of the check")
    if status == 404:
        return _judge_not_found(seen, said, reference)
    if 500 <= status < 600:
        return Judgement(Cause.SERVER_ERROR, f"{said}: the application failed while it handled the handshake")
    if 200 <= status < 300:
        kind = f" with {answer.content_type}" if answer.content_type else ""
        return Judgement(
            Cause.NOT_A_WEBSOCKET, f"{said}{kind} instead of an upgrade: there is no WebSocket on this path"
        )
    if status in (400, 405, 426):
        return Judgement(Cause.BAD_REQUEST, f"{said}: the server refuses this handshake")
    return Judgement(Cause.UNEXPECTED_STATUS, f"{said}, which tells nothing about WebSockets")


def _judge_login(seen: Observation, answer: RawAnswer, reference: Reference) -> Judgement:
    said = f"{place_and_url(seen)} refused with HTTP {answer.status}"
    path = seen.target.path
    if answer.from_proxy_itself:
        return Judgement(
            Cause.AUTHENTICATION_REQUIRED,
            f"{said}, with a page of the proxy itself: an access rule of the proxy (auth_basic, allow/deny, access "
            "list) covers this path",
            f"exclude the path {path} from the proxy's access rule, or give secret_headers (Authorization)",
        )
    realm = answer.header("WWW-Authenticate")
    wants, check_path = "it requires a login or a token", ""
    plain = seen.follow_up.plain_request
    other_answer = plain is not None and plain.status != answer.status
    if other_answer and seen.follow_up.unknown_path_status == answer.status:
        # Starlette refuses a WebSocket on an unknown path like one that the application refuses.
        wants += f", or has no WebSocket on {path} (a path that cannot exist gets the same answer)"
        check_path = f", check the path {path}"
    return Judgement(
        Cause.AUTHENTICATION_REQUIRED,
        said + (f" ({realm})" if realm else "") + f": {wants}; {_proven_by_refusal(seen, answer, reference)}",
        f"give the token with secret_query or secret_headers{check_path}; the application's log tells why it refuses",
    )


def _proven_by_refusal(seen: Observation, answer: RawAnswer, reference: Reference) -> str:
    proven = "what is proven: name, network and TLS work up to the server that answered"
    if seen.target.through_proxy and reference.direct_status == answer.status:
        proven = (
            "what is proven: the backend refuses in the same way when asked directly, so the proxy is not the cause; "
            "whether it forwards the upgrade is not known yet"
        )
    plain = seen.follow_up.plain_request
    if plain is not None and plain.status != answer.status:
        proven += (
            f"; the same request without an upgrade gets HTTP {plain.status}, so the upgrade itself arrives at the "
            "server that refuses"
        )
    return proven


def _judge_although_direct_passed(seen: Observation, answer: RawAnswer, reference: Reference) -> Judgement:
    """What differs is what the proxy does with the request."""
    status, path = answer.status, seen.target.path
    said = f"{_said(seen, answer)}, although the backend accepts the upgrade when asked directly"
    if status in (403, 404, 405) and answer.from_proxy_itself:
        return Judgement(
            Cause.NOT_ROUTED_BY_PROXY,
            f"{said}; the page is one of the proxy itself, so no location routes {path} to the backend (or the proxy "
            "hides the backend's error page)",
            f"add a location for {path} with proxy_pass to the server block of {seen.target.host}; check server_name "
            "and which server block is the default",
        )
    if status == 403:
        return Judgement(
            Cause.REFUSED_BEHIND_PROXY,
            f"{said} with the same headers and query: the proxy sends another path or another Host, or a filter is in "
            "between",
            f"compare proxy_pass in the location of {path} with the path (a URI in it, even a slash, replaces the "
            "location's prefix) and forward Host; the application's log shows the path that arrives",
        )
    same = is_same_page(answer, reference.direct_plain)
    if same or status in (400, 404, 405, 426, 505):
        proof = "; it is the page that the backend gives to a request without an upgrade" if same else ""
        return _not_forwarded(seen, f"the proxy drops the upgrade: {said}{proof}")
    if 200 <= status < 300:
        return Judgement(
            Cause.NOT_A_WEBSOCKET,
            f"{said}: another service answers on {path}, such as the frontend or a default site",
            f"add a location for {path} that routes to the backend, before the one that matches every path",
        )
    if 500 <= status < 600:
        return Judgement(Cause.SERVER_ERROR, f"{said}: the proxy or the application failed on this request")
    return Judgement(Cause.UNEXPECTED_STATUS, said)


def _not_forwarded(seen: Observation, explanation: str) -> Judgement:
    return Judgement(
        Cause.UPGRADE_NOT_FORWARDED,
        explanation,
        f"in the proxy's location that serves {seen.target.path} (in the location itself: headers at server level are "
        f"not inherited by a location that sets any of its own) set: {_UPGRADE_LINES} with, at http level, {_MAP}; "
        "then nginx -t and reload; in Nginx Proxy Manager switch on Websockets Support for the host",
    )


def _judge_not_found(seen: Observation, said: str, reference: Reference) -> Judgement:
    path = seen.target.path
    if not seen.target.through_proxy:
        plain = seen.follow_up.plain_request
        same = " (the same request without an upgrade gets the same status)" if plain and plain.status == 404 else ""
        return Judgement(
            Cause.PATH_NOT_FOUND,
            f"{said}: there is no WebSocket on {path}{same}",
            f"correct the path {path}; if it is right and the backend is uvicorn, install a WebSocket library for it: "
            "pip install 'uvicorn[standard]'",
        )
    if reference.direct_passed is None:
        return Judgement(
            Cause.PATH_NOT_FOUND,
            f"{said}: either the path {path} is wrong or the proxy drops the upgrade; no direct endpoint was checked "
            "that would tell which",
            "add the backend as an endpoint with vantage direct, and check the path",
        )
    return Judgement(Cause.PATH_NOT_FOUND, f"{said}, and the backend has no WebSocket on its own path either")


JUDGES: Mapping[Fault, Judge] = {Fault.HTTP_ANSWER: _judge_answer}
