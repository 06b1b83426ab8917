# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges HTTP answers other than an upgrade: what a status means at this vantage point (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .causes import Cause
from .filters import filtered_by, marks_of
from .judgement import Judge, Judgement, Reference, place_and_url
from .observation import Fault
from .redirect import read_redirect
from .verdict_connection import client_certificate_required, tls_expected
from .verdict_stream import judge_stream_refusal

if TYPE_CHECKING:
    from .http_answer import RawAnswer
    from .observation import Observation

_UPGRADE_LINES = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
)
# What servers say about headers that are too large: nginx, then others.
_TOO_LARGE = re.compile(
    r"Request Header Or Cookie Too Large|Request-URI Too Large|header fields? too large", re.IGNORECASE
)
# In the words of the server that refuses: which part of the handshake it did not get.
_NO_UPGRADE = re.compile(r"\bupgrade\b", re.IGNORECASE)
_NO_FIELD = re.compile(r"Sec-WebSocket-(Key|Version)", re.IGNORECASE)
# Longer texts are pages for people, in which these words may mean anything.
_OWN_WORDS = 500
# Cloudflare's for a server that it does not reach: https://developers.cloudflare.com/support/troubleshooting/
_GATEWAY_STATUSES = {
    520: "it got an empty or broken answer",
    521: "the connection to it was refused",
    523: "it has no route to it",
    525: "the TLS handshake with it failed",
    526: "its certificate is not valid",
}
_SCHEME_LOST = (
    "; it redirects plain HTTP to TLS, and is not told that the client uses TLS, or a proxy in between says otherwise "
    "(X-Forwarded-Proto)"
)
_KEEP_SCHEME = (
    "let the machine at which TLS ends send X-Forwarded-Proto https, and every proxy behind it pass that on: in nginx "
    "proxy_set_header X-Forwarded-Proto https (or $http_x_forwarded_proto) instead of $scheme; the application must "
    "trust the proxy (uvicorn --forwarded-allow-ips)"
)
_GATEWAY_TIMEOUTS = (504, 522, 524)
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


def _said(seen: Observation, answer: RawAnswer) -> str:
    return f"{place_and_url(seen)} answered HTTP {answer.status}"


def _judge_plain_status(seen: Observation, answer: RawAnswer, reference: Reference) -> Judgement | None:
    """An answer that says by itself what it means, whatever was asked for; None for others."""
    status, said = answer.status, _said(seen, answer)
    if status == 400 and "plain HTTP request was sent to HTTPS port" in answer.text:
        return tls_expected(seen)
    if status in (400, 496) and "No required SSL certificate was sent" in answer.text:
        return client_certificate_required(seen)
    if status in (414, 431, 494) or (status == 400 and _TOO_LARGE.search(answer.content)):
        return _judge_too_large(seen, said, answer)
    product = filtered_by(answer)
    if product is not None:
        return Judgement(
            Cause.FILTERED,
            f"{said} with a page of a filter ({product}), which treats the check as an attack or as a robot",
            f"make an exception for {seen.target.path} in {product}; whether browsers get the same page, the vantage "
            "point browser tells",
        )
    if status in (301, 302, 303, 307, 308):
        return _judge_redirect(seen, answer)
    if status == 502:
        return _judge_bad_gateway(seen, said, reference)
    if status in _GATEWAY_STATUSES:
        return Judgement(
            Cause.BAD_GATEWAY,
            f"{said}: what answers there does not reach the server behind it ({_GATEWAY_STATUSES[status]})",
            "compare the address, port and scheme to which it forwards with those on which the next server listens",
        )
    if status in _GATEWAY_TIMEOUTS:
        return Judgement(Cause.GATEWAY_TIMEOUT, f"{said}: the backend behind it did not answer in time")
    if status in (503, 429):
        who = "the proxy itself" if answer.from_proxy_itself else "it"
        return Judgement(
            Cause.UNAVAILABLE_OR_LIMITED, f"{said}: {who} enforces a limit, is overloaded or under maintenance"
        )
    return None


def _judge_too_large(seen: Observation, said: str, answer: RawAnswer) -> Judgement:
    who = "the proxy itself" if answer.from_proxy_itself else "the server that answered"
    return Judgement(
        Cause.REQUEST_TOO_LARGE,
        f"{said}: the URL or the headers of the handshake, such as its cookies, are larger than {who} accepts",
        "send fewer or smaller cookies (a browser sends all of the host), or raise the limit (nginx: "
        "large_client_header_buffers in the server block)"
        if seen.target.through_proxy
        else "send fewer or smaller cookies (a browser sends all of the host), or raise the server's limit",
    )


def _judge_redirect(seen: Observation, answer: RawAnswer) -> Judgement:
    location = answer.header("Location") or ""
    who = "for a WebSocket, browsers do" if seen.target.transport == "websocket" else "the check does"
    text = f"{_said(seen, answer)} and redirects to {location or 'nowhere'}"
    if not location:
        return Judgement(Cause.REDIRECTED, f"{text}; {who} not follow redirects")
    redirect = read_redirect(location, seen.target)
    if redirect.login:
        return Judgement(
            Cause.LOGIN_PAGE_IN_FRONT,
            f"{text}: a login is in front of {seen.target.path}, and a handshake cannot show its page",
            f"exclude {seen.target.path} from the login (the application then checks the token itself), or give the "
            "cookie of a session with secret_headers",
        )
    if redirect.to_plain:
        return Judgement(
            Cause.REDIRECTED,
            f"{text}: TLS is redirected to plain HTTP; {who} not follow redirects",
            "remove that redirect; the machine that makes it does not know that the client uses TLS "
            "(X-Forwarded-Proto)",
        )
    if redirect.to_itself:
        return Judgement(
            Cause.REDIRECTED,
            f"{text}, which is what was asked for: what redirects takes the request for another than it is, and each "
            "answer would lead to the next" + (_SCHEME_LOST if seen.target.secure else ""),
            _KEEP_SCHEME
            if seen.target.secure
            else "find what redirects (Server in the evidence, the log of the proxy "
            "and of the application) and the condition that it asks",
        )
    why = ": plain HTTP is redirected to TLS" if redirect.to_tls else ""
    remedy = f"remove the redirect of {seen.target.path}, or ask where the WebSocket is: it redirects to another page"
    if redirect.url is not None:
        remedy = f"use {redirect.url}, and build the page with that URL too"
    return Judgement(Cause.REDIRECTED, f"{text}{why}; {who} not follow redirects", remedy)


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
    by_proxy = answer.from_proxy_itself
    allowed = "the condition on $http_origin in the proxy" if by_proxy else "the application's allowed origins"
    sent = f"the origin {origin}" if origin else "no origin"
    instead = f"the origin {accepted.origin}" if accepted.origin else "no origin"
    return Judgement(
        Cause.ORIGIN_REJECTED,
        f"{place_and_url(seen)} refused with HTTP {answer.status} when sent {sent}, and accepted when sent {instead}",
        f"add {origin} to {allowed}, with scheme and port"
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
    if status == 403 and answer.from_proxy_itself:
        return _judge_denied(seen, said, reference)
    if status == 403 and seen.target.vantage == "public" and reference.proxy_passed:
        marks = f" by what names itself {', '.join(marks_of(answer))}" if marks_of(answer) else ""
        return Judgement(
            Cause.DENIED_BY_PROXY,
            f"{said}{marks}, and the proxy accepts the same handshake at its own address, so the cause is in front of "
            "it: a rule refuses the handshake there (by address, path or origin, or because it is an upgrade)",
            f"at the machine in front of the proxy: look for a rule that covers {seen.target.path}; its log names it",
        )
    if status == 403 and not (reference.direct_passed and reference.same_credentials):
        return _judge_login(seen, answer, reference)
    if seen.target.through_proxy and reference.direct_passed:
        return _judge_although_direct_passed(seen, answer, reference)
    lost = _proof_of_lost_upgrade(answer, reference) if seen.target.through_proxy else None
    if lost is not None:
        return _not_forwarded(seen, f"{said}: {lost}")
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


def _judge_denied(seen: Observation, said: str, reference: Reference) -> Judgement:
    """403 with a page of the proxy itself: nothing behind it was asked."""
    path = seen.target.path
    if reference.proxy_passed:
        return Judgement(
            Cause.DENIED_BY_PROXY,
            f"{said} with a page of nginx itself, and the proxy accepts the same handshake at its own address: an "
            "access rule refuses the address from which the check comes, in the proxy or in a machine in front of it",
            f"look for allow, deny or an access list that covers {path}, in the proxy and in what is in front of it",
        )
    if reference.proxied_passed:
        return Judgement(
            Cause.DENIED_BY_ADDRESS,
            f"{said} with a page of the proxy itself, and accepts the same handshake from another place: an access "
            "rule (allow/deny) admits that address and not this one",
            f"add the address from which this check comes to the rule that covers {path}, or leave this vantage point "
            "out if nobody needs it",
        )
    return Judgement(
        Cause.DENIED_BY_PROXY,
        f"{said} with a page of the proxy itself, so nothing behind it was asked: an access rule covers {path} "
        "(allow/deny, auth_request, a condition on a header such as Origin), or its location serves files instead of "
        "the WebSocket",
        f"find the rule in the location of {path} or above it; the proxy's error log says 'access forbidden by rule' "
        "for allow/deny, 'directory index' for files; give secret_headers if the rule asks for a login",
    )


def _judge_login(seen: Observation, answer: RawAnswer, reference: Reference) -> Judgement:
    said = f"{place_and_url(seen)} refused with HTTP {answer.status}"
    path = seen.target.path
    if answer.from_proxy_itself:
        return Judgement(
            Cause.AUTHENTICATION_REQUIRED,
            f"{said}, with a page of the proxy itself: an access rule of the proxy (auth_basic, auth_request, "
            "allow/deny, access list) covers this path",
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
    tried = [attempt.origin or "none" for attempt in seen.follow_up.other_origins]
    if answer.status == 403 and tried:
        sent = seen.target.origin or "none"
        wants += f", or allows only origins other than those tried ({', '.join(dict.fromkeys([sent, *tried]))})"
        check_path += ", compare the page's origin with the application's allowed origins"
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
    if status in (404, 405) and answer.from_proxy_itself:
        return Judgement(
            Cause.NOT_ROUTED_BY_PROXY,
            f"{said}; the page is one of the proxy itself, so no location routes {path} to the backend (or the proxy "
            "hides the backend's error page)",
            f"add a location for {path} with proxy_pass to the server block of {seen.target.host}; check server_name "
            "and which server block is the default",
        )
    if status == 400 and answer.from_proxy_itself:
        return Judgement(
            Cause.BAD_REQUEST,
            f"{said}; the page is one of the proxy itself, which could not read the request as it arrived",
            "read the proxy's error log (level info), which names the part that it refuses; where another machine "
            "sends it a line of the PROXY protocol, add proxy_protocol to its listen line or let that machine stop",
        )
    if status == 403:
        return Judgement(
            Cause.REFUSED_BEHIND_PROXY,
            f"{said} with the same headers and query: the proxy sends another path or another Host, or a filter is in "
            "between",
            f"compare proxy_pass in the location of {path} with the path (a URI in it, even a slash, replaces the "
            "location's prefix) and forward Host; the application's log shows the path that arrives",
        )
    lost = _proof_of_lost_upgrade(answer, reference)
    if lost is not None:
        return _not_forwarded(seen, f"the proxy drops the upgrade: {said}; {lost}")
    missing = _missing_field(answer)
    if missing is not None:
        return Judgement(
            Cause.HANDSHAKE_HEADER_LOST,
            f"{said}; it says that {missing} is missing or wrong, and the check sent it: the proxy removes or changes "
            "that header",
            f"remove the lines that set or clear {missing} in the location of {path} (proxy_set_header {missing})",
        )
    if 400 <= status < 500:
        return _judge_unproven(seen, answer, reference, said)
    if 200 <= status < 300:
        return Judgement(
            Cause.NOT_A_WEBSOCKET,
            f"{said}: another service answers on {path}, such as the frontend or a default site",
            f"add a location for {path} that routes to the backend, before the one that matches every path",
        )
    if 500 <= status < 600 and answer.from_proxy_itself:
        return Judgement(
            Cause.SERVER_ERROR,
            f"{said}; the page is one of the proxy itself, so it failed before it had an answer of the backend: the "
            "server that auth_request asks answers neither 2xx, 401 nor 403, a rewrite goes in circles, or a limit of "
            "the proxy is reached",
            "read the proxy's error log, which names it ('auth request unexpected status', 'rewrite or internal "
            "redirection cycle', 'worker_connections are not enough')",
        )
    if 500 <= status < 600:
        return Judgement(Cause.SERVER_ERROR, f"{said}: the proxy or the application failed on this request")
    return Judgement(Cause.UNEXPECTED_STATUS, said)


def _proof_of_lost_upgrade(answer: RawAnswer, reference: Reference) -> str | None:
    """What proves that the server which answered did not get the upgrade; None if nothing does."""
    if answer.from_proxy_itself or answer.status == reference.direct_status:
        # What the backend says to an upgrade as well does not show that the upgrade was lost.
        return None
    if answer.page == reference.direct_plain and answer.page.digest:
        return "it is the page that the backend gives to a request without an upgrade"
    if answer.status == 505:
        return "the backend was asked in another HTTP version than the 1.1 of the check"
    # A server that dislikes the version of the protocol says 426 as well, and names its own (RFC 6455, section 4.2.2).
    named = answer.header("Upgrade") is not None or bool(answer.body)
    if answer.status == 426 and named and answer.header("Sec-WebSocket-Version") is None:
        return "the backend did not receive the upgrade that the check had sent"
    if answer.status == 400 and len(answer.content) <= _OWN_WORDS and _NO_UPGRADE.search(answer.content):
        return f"the backend says that it did not receive the upgrade ({_words(answer)!r})"
    return None


def _missing_field(answer: RawAnswer) -> str | None:
    """The header of the handshake that the backend misses, in its own words."""
    if answer.status not in (400, 426) or len(answer.content) > _OWN_WORDS or answer.from_proxy_itself:
        return None
    found = _NO_FIELD.search(answer.content)
    if found is None and answer.status == 426 and answer.header("Sec-WebSocket-Version") is not None:
        return "Sec-WebSocket-Version"
    return f"Sec-WebSocket-{found.group(1).capitalize()}" if found else None


def _words(answer: RawAnswer) -> str:
    return " ".join(answer.content.split())[:120]


def _judge_unproven(seen: Observation, answer: RawAnswer, reference: Reference, said: str) -> Judgement:
    """A refusal that direct does not get, and that does not show who refuses."""
    quoted = f", in its own words {_words(answer)!r}" if _words(answer) and "<" not in _words(answer) else ""
    named = f" by what names itself {', '.join(marks_of(answer))}" if marks_of(answer) else ""
    compared = "; the backend gives another page to a request without an upgrade" if reference.direct_plain else ""
    return Judgement(
        Cause.REFUSED_BEHIND_PROXY,
        f"{said}{quoted}{named}{compared}: whether the proxy loses the upgrade, changes the path or asks another "
        "server is not proven",
        f"compare proxy_pass in the location of {seen.target.path} with the backend's address and path, then the "
        "headers that it sets; the logs of proxy and backend show what arrives",
    )


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
    if reference.direct_status != 404:
        return Judgement(
            Cause.PATH_NOT_FOUND,
            f"{said}: either the path {path} is wrong or the proxy drops the upgrade; the direct endpoint, which would "
            "tell which, failed in another way",
            "repair the direct endpoint first, then check again",
        )
    return Judgement(Cause.PATH_NOT_FOUND, f"{said}, and the backend has no WebSocket on its own path either")


JUDGES: Mapping[Fault, Judge] = {Fault.HTTP_ANSWER: _judge_answer}
