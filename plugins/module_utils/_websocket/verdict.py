# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the facts about one endpoint to one cause, with what the others prove (pure).

Nothing is claimed that the facts do not show: where two causes look alike, the
explanation says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional
from urllib.parse import urlsplit

from .causes import CATALOGUE, Cause
from .hold import known_timeout
from .http_answer import Answer
from .observation import BURST, Fault, Observation

# RFC 6455, section 7.4.1, and the IANA registry of close codes.
CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no code given",
    1006: "abnormal closure",
    1007: "invalid payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
}

_UPGRADE_LINES = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
)
_MAP = "map $http_upgrade $connection_upgrade { default ''; websocket upgrade; }"
_EXCERPT = 160
# What a server does with connections over its limits, when it accepts others at the same time.
_LIMIT_LIKE = frozenset(
    (
        Cause.CLOSED_IN_HANDSHAKE,
        Cause.HANDSHAKE_STALLED,
        Cause.BAD_GATEWAY,
        Cause.GATEWAY_TIMEOUT,
        Cause.SERVER_ERROR,
        Cause.BACKEND_DOWN,
        Cause.PROXY_DOWN,
        Cause.CONNECT_TIMED_OUT,
    )
)
_RAISE_LIMITS = (
    "raise the limit that was reached: worker_connections (nginx needs two for each WebSocket), worker_rlimit_nofile, "
    "limit_conn, or the open files of the backend (LimitNOFILE, ulimit -n); the error log names it"
)


@dataclass(frozen=True)
class Reference:
    """What the other endpoints of the same transport prove.

    ``direct_passed`` is None when no direct endpoint was checked.
    """

    direct_passed: bool | None = None
    proxied_passed: bool = False
    #: The direct endpoint's answer to the same request without an upgrade.
    direct_plain: Answer | None = None
    direct_silence_s: float | None = None
    direct_status: int | None = None
    #: Whether a direct endpoint that passed was sent the same headers, query and origin.
    same_credentials: bool = False
    #: The largest number of events that arrived together on the direct stream.
    direct_burst: int | None = None
    expected_idle_timeout_s: float | None = None


@dataclass(frozen=True)
class Verdict:
    """One cause with its sentence, something to do, and what was seen."""

    cause: Cause
    explanation: str
    remedy: str
    evidence: tuple[str, ...] = ()


def close_name(code: int | None) -> str:
    """The registered name of a close code, or the range it belongs to."""
    if code is None:
        return "no close frame"
    if code in CLOSE_CODES:
        return CLOSE_CODES[code]
    if 3000 <= code < 4000:
        return "registered by a library"
    return "the application's own" if 4000 <= code < 5000 else "not assigned"


def judge(seen: Observation, reference: Reference) -> Verdict:
    """Name the cause of one endpoint's failure, or Cause.NONE."""
    if seen.fault is None and not _comes_in_bursts(seen, reference):
        return Verdict(Cause.NONE, f"{_there(seen)} works", CATALOGUE[Cause.NONE].remedy, tuple(_facts(seen)))
    cause, explanation, remedy = _judge_fault(seen, reference)
    if seen.load is not None:
        load = seen.load
        if cause in _LIMIT_LIKE and 0 < load.accepted < load.asked:
            cause, remedy = Cause.UNAVAILABLE_OR_LIMITED, _RAISE_LIMITS
        explanation = (
            f"of {load.asked} connections at once {load.accepted} were accepted and {load.held} held to the end; "
            f"the most common failure: {explanation}"
        )
    return Verdict(
        cause,
        seen.target.redact(explanation),
        seen.target.redact(remedy or _plain(CATALOGUE[cause].remedy)),
        tuple(seen.target.redact(fact) for fact in _facts(seen)),
    )


def _plain(markdown: str) -> str:
    return markdown.replace("`", "")


def _there(seen: Observation) -> str:
    return {"direct": "the backend", "proxy": "the proxy", "public": "the public address"}[seen.target.vantage]


def _at(seen: Observation) -> str:
    return f"{_there(seen)} ({seen.target.url})"


_Judgement = tuple[Cause, str, Optional[str]]


def _judge_fault(seen: Observation, reference: Reference) -> _Judgement:
    fault = seen.fault
    if fault is None:
        return _judge_bursts(seen)
    if fault is Fault.HTTP_ANSWER and seen.answer is not None:
        return _judge_answer(seen, seen.answer, reference)
    if fault in (Fault.TLS_NOT_SPOKEN, Fault.TLS_FAILED, Fault.TLS_STALLED):
        return _judge_tls(seen)
    if fault in (Fault.CLOSED_IN_HANDSHAKE, Fault.HANDSHAKE_STALLED, Fault.NOT_HTTP, Fault.HEAD_TOO_BIG):
        return _judge_no_answer(seen, reference)
    if fault is Fault.REFUSED:
        return _judge_refused(seen, reference)
    if fault is Fault.CUT:
        return _judge_cut(seen, reference)
    if fault is Fault.CLOSED_BY_SERVER:
        return _judge_close(seen)
    if fault in (Fault.NO_REPLY, Fault.MUTE, Fault.UNEXPECTED_REPLY, Fault.REPLIES_LOST):
        return _judge_silence(seen, reference)
    if fault in (Fault.NOT_EVENT_STREAM, Fault.NO_EVENT, Fault.STREAM_ENDED):
        return _judge_stream(seen, reference)
    return _judge_simple(seen)


def _judge_simple(seen: Observation) -> _Judgement:
    """Faults that mean one thing wherever they are seen."""
    host = seen.target.host
    tls = seen.tls
    named = f" (issued to {tls.subject or 'nobody'} by {tls.issuer or 'nobody'})" if tls else ""
    names = ", ".join(tls.names) if tls and tls.names else "other names"
    days = abs(tls.expires_in_days) if tls and tls.expires_in_days is not None else None
    table: Mapping[Fault, tuple[Cause, str]] = {
        Fault.NAME_NOT_RESOLVED: (Cause.NAME_NOT_RESOLVED, f"the name of {_at(seen)} has no address: {seen.detail}"),
        Fault.NAME_TIMED_OUT: (Cause.NAME_NOT_RESOLVED, f"the resolver gave no answer in time: {seen.detail}"),
        Fault.CONNECT_TIMED_OUT: (Cause.CONNECT_TIMED_OUT, f"no connection to {_at(seen)}: {seen.detail}"),
        Fault.UNREACHABLE: (Cause.NETWORK_UNREACHABLE, f"no way to {_at(seen)}: {seen.detail}"),
        Fault.LOCAL_LIMIT: (Cause.LOCAL_LIMIT_REACHED, f"the machine that runs the check is at a limit: {seen.detail}"),
        Fault.TLS_UNTRUSTED: (
            Cause.TLS_UNTRUSTED,
            f"the certificate of {_at(seen)}{named} is not trusted here: {seen.detail}",
        ),
        Fault.TLS_NAME_MISMATCH: (
            Cause.TLS_NAME_MISMATCH,
            f"the certificate of {_at(seen)} is not valid for {host}, but for {names}",
        ),
        Fault.TLS_EXPIRED: (
            Cause.TLS_EXPIRED,
            f"the certificate of {_at(seen)}{named} expired"
            + (f" {days} days ago" if days is not None else f" ({seen.detail})"),
        ),
        Fault.TLS_NOT_YET_VALID: (
            Cause.TLS_NOT_YET_VALID,
            f"the certificate of {_at(seen)}{named} is not valid yet by the clock of the machine that runs the check",
        ),
        Fault.TLS_CLIENT_CERTIFICATE: (
            Cause.TLS_CLIENT_CERTIFICATE_REQUIRED,
            f"{_at(seen)} asks for a client certificate",
        ),
        Fault.ACCEPT_KEY_WRONG: (
            Cause.ACCEPT_KEY_WRONG,
            f"{_at(seen)} answered 101 with a wrong or missing Sec-WebSocket-Accept ({seen.detail})",
        ),
        Fault.UPGRADE_INVALID: (
            Cause.UPGRADE_ANSWER_INVALID,
            f"{_at(seen)} answered 101 with headers that RFC 6455 forbids ({seen.detail})",
        ),
        Fault.SUBPROTOCOL_REFUSED: (
            Cause.SUBPROTOCOL_REFUSED,
            f"{_at(seen)} and the check found no common subprotocol ({seen.detail})",
        ),
        Fault.DEAD_AFTER_SILENCE: (
            Cause.DEAD_AFTER_SILENCE,
            f"the connection to {_at(seen)} was dead at the end of the hold ({seen.detail})",
        ),
        Fault.MESSAGE_TOO_BIG: (
            Cause.MESSAGE_TOO_BIG,
            f"{_at(seen)} sent a message that is larger than max_message_size ({seen.detail})",
        ),
        Fault.PROTOCOL_BROKEN: (
            Cause.PROTOCOL_VIOLATION,
            f"{_at(seen)} sent what RFC 6455 forbids: {seen.detail}",
        ),
        Fault.OVERALL_DEADLINE: (
            Cause.DEADLINE_REACHED,
            f"the check of {_at(seen)} did not end in time ({seen.detail})",
        ),
    }
    if seen.fault is None or seen.fault not in table:
        raise ValueError(f"no judgement for {seen.fault}")
    cause, explanation = table[seen.fault]
    return cause, explanation, None


def _judge_refused(seen: Observation, reference: Reference) -> _Judgement:
    if seen.target.through_proxy:
        return Cause.PROXY_DOWN, f"nothing accepts connections at {_at(seen)}: {seen.detail}", None
    if reference.proxied_passed:
        return (
            Cause.WRONG_DIRECT_ADDRESS,
            f"{seen.detail}, yet the application answers through the proxy: it listens elsewhere than the URL says",
            None,
        )
    return Cause.BACKEND_DOWN, f"no process accepts connections at {_at(seen)}: {seen.detail}", None


def _judge_tls(seen: Observation) -> _Judgement:
    if seen.follow_up.speaks_plain_http:
        plain = seen.target.url.replace("wss://", "ws://", 1).replace("https://", "http://", 1)
        return (
            Cause.PLAIN_EXPECTED,
            f"{_at(seen)} was asked for TLS, but the port answers plain HTTP",
            f"use {plain} for this port, or the port on which the proxy offers TLS",
        )
    return Cause.TLS_FAILED, f"the TLS handshake with {_at(seen)} failed: {seen.detail}", None


def _tls_expected(seen: Observation) -> _Judgement:
    secure = seen.target.url.replace("ws://", "wss://", 1).replace("http://", "https://", 1)
    return (
        Cause.TLS_EXPECTED,
        f"{_at(seen)} was asked without TLS, but the port speaks TLS",
        f"use {secure}, and build the page with that URL too",
    )


def _judge_no_answer(seen: Observation, reference: Reference) -> _Judgement:
    if seen.follow_up.speaks_tls:
        return _tls_expected(seen)
    if seen.follow_up.wants_client_certificate:
        return Cause.TLS_CLIENT_CERTIFICATE_REQUIRED, f"{_at(seen)} asks for a client certificate", None
    if (
        seen.fault is Fault.HANDSHAKE_STALLED
        and seen.target.transport == "sse"
        and seen.target.through_proxy
        and reference.direct_passed
    ):
        # nginx keeps even the headers until its buffer is full (measured).
        return (
            Cause.EVENTS_BUFFERED,
            f"{_at(seen)} passes nothing on ({seen.detail}), while the backend sends events",
            _unbuffer(seen),
        )
    if seen.fault is Fault.HANDSHAKE_STALLED:
        return (
            Cause.HANDSHAKE_STALLED,
            f"{_at(seen)} accepted the connection, but {seen.detail} within the handshake timeout",
            None,
        )
    if seen.fault is Fault.CLOSED_IN_HANDSHAKE:
        return Cause.CLOSED_IN_HANDSHAKE, f"{_at(seen)} did not answer the handshake: {seen.detail}", None
    return Cause.NOT_HTTP, f"{_at(seen)} did not answer with HTTP: {seen.detail}", None


def _judge_answer(seen: Observation, answer: Answer, reference: Reference) -> _Judgement:
    status = answer.status
    said = f"{_at(seen)} answered HTTP {status}"
    if status == 400 and "plain HTTP request was sent to HTTPS port" in answer.text:
        return _tls_expected(seen)
    if status in (400, 496) and "No required SSL certificate was sent" in answer.text:
        return Cause.TLS_CLIENT_CERTIFICATE_REQUIRED, f"{_at(seen)} asks for a client certificate", None
    if status in (301, 302, 303, 307, 308):
        return _judge_redirect(seen, answer)
    if status == 502:
        return _judge_bad_gateway(seen, said, reference)
    if status == 504:
        return Cause.GATEWAY_TIMEOUT, f"{said}: the backend behind it did not answer in time", None
    if status in (503, 429):
        who = "the proxy itself" if answer.from_proxy_itself else "it"
        return (
            Cause.UNAVAILABLE_OR_LIMITED,
            f"{said}: {who} is limiting, overloaded or under maintenance",
            None,
        )
    if any(attempt.status == 101 for attempt in seen.follow_up.other_origins):
        return _judge_origin(seen, answer)
    if status in (401, 407):
        return _judge_login(seen, answer, reference)
    if seen.target.transport == "sse":
        return _judge_stream_answer(seen, answer, reference)
    if answer.version == "1.0":
        return Cause.HTTP_1_0_ANSWER, f"{said} in HTTP/1.0, which has no upgrade", None
    if status == 403 and not (reference.direct_passed and (answer.from_proxy_itself or reference.same_credentials)):
        return _judge_login(seen, answer, reference)
    if seen.target.through_proxy and reference.direct_passed:
        return _judge_behind_working_backend(seen, answer, reference)
    if status == 426 and seen.target.through_proxy:
        return _not_forwarded(seen, f"{said}: the backend was asked without the upgrade that the check had sent")
    if status == 505 and seen.target.through_proxy:
        return _not_forwarded(seen, f"{said}: the backend was asked in another version of HTTP than the check's 1.1")
    if status == 404:
        return _judge_not_found(seen, said, reference)
    if 500 <= status < 600:
        return Cause.SERVER_ERROR, f"{said}: the application failed while it handled the handshake", None
    if 200 <= status < 300:
        kind = f" with {answer.content_type}" if answer.content_type else ""
        return Cause.NOT_A_WEBSOCKET, f"{said}{kind} instead of an upgrade: no WebSocket is served on this path", None
    if status in (400, 405, 426):
        return Cause.BAD_REQUEST, f"{said}: the server refuses this handshake", None
    return Cause.UNEXPECTED_STATUS, f"{said}, which says nothing about WebSockets", None


def _judge_bad_gateway(seen: Observation, said: str, reference: Reference) -> _Judgement:
    if not (seen.target.through_proxy and reference.direct_passed):
        return Cause.BAD_GATEWAY, f"{said}: what answers there gets no HTTP answer from the backend behind it", None
    # websockets before 17 closes on HTTP/1.0, nginx's default towards a backend before 1.29.7 (measured).
    return (
        Cause.BAD_GATEWAY,
        f"{said}, although the backend answers when asked directly: the proxy asks elsewhere, cannot reach it from "
        "where it runs, or speaks an HTTP to it that it drops without an answer",
        f"compare proxy_pass in the location of {seen.target.path} with where the backend listens, as the proxy sees "
        "it, and set proxy_http_version 1.1 there; the proxy's error log says which it is",
    )


def _judge_redirect(seen: Observation, answer: Answer) -> _Judgement:
    location = answer.header("Location") or ""
    to_tls = not seen.target.secure and urlsplit(location).scheme in ("https", "wss")
    url = location
    if seen.target.transport == "websocket":
        for scheme, instead in (("https://", "wss://"), ("http://", "ws://")):
            if url.startswith(scheme):
                url = instead + url[len(scheme) :]
    why = ": plain HTTP is redirected to TLS" if to_tls else ""
    return (
        Cause.REDIRECTED,
        f"{_at(seen)} answered HTTP {answer.status} and leads to {location or 'nowhere'}{why}; "
        "browsers do not follow redirects for a WebSocket",
        (f"use {url}, and build the page with that URL too" if url else None),
    )


def _judge_login(seen: Observation, answer: Answer, reference: Reference) -> _Judgement:
    said = f"{_at(seen)} refused with HTTP {answer.status}"
    if answer.from_proxy_itself:
        return (
            Cause.AUTHENTICATION_REQUIRED,
            f"{said}, with a page that the proxy made itself: an access rule of the proxy (auth_basic, allow/deny, "
            "access list) covers this path",
            f"except the path {seen.target.path} from the proxy's access rule, or give secret_headers (Authorization)",
        )
    realm = answer.header("WWW-Authenticate")
    proven = "what is proven: name, network and TLS work up to the server that answered"
    if seen.target.through_proxy and reference.direct_status == answer.status:
        proven = (
            "what is proven: the backend refuses in the same way when asked directly, so the proxy is not the cause; "
            "whether it forwards the upgrade is not known yet"
        )
    plain = seen.follow_up.plain_request
    if plain is not None and plain.status != answer.status:
        proven += (
            f"; the same request without an upgrade gets HTTP {plain.status}, "
            "so the upgrade itself arrives at the server that refuses"
        )
    wants, path_too = "it wants a login or a token", ""
    if seen.follow_up.unknown_path_status == answer.status and plain is not None and plain.status != answer.status:
        # Starlette closes a WebSocket on an unknown path like one that the application refuses.
        wants += f", or knows no WebSocket on {seen.target.path} (a path that cannot exist gets the same answer)"
        path_too = f", check the path {seen.target.path}"
    return (
        Cause.AUTHENTICATION_REQUIRED,
        f"{said}" + (f" ({realm})" if realm else "") + f": {wants}; {proven}",
        f"give the token with secret_query or secret_headers{path_too}; the application's log shows why it refuses",
    )


def _judge_origin(seen: Observation, answer: Answer) -> _Judgement:
    accepted = next(attempt for attempt in seen.follow_up.other_origins if attempt.status == 101)
    sent = f"the origin {seen.target.origin}" if seen.target.origin else "no origin"
    instead = f"the origin {accepted.origin}" if accepted.origin else "no origin"
    page = seen.target.origin or "of the page"
    return (
        Cause.ORIGIN_REJECTED,
        f"{_at(seen)} refused with HTTP {answer.status} when sent {sent}, and accepted when sent {instead}",
        (
            f"add {page} to the application's allowed origins, with scheme and port"
            if seen.target.origin
            else "give the endpoint the origin of the page, as a browser sends it"
        ),
    )


def _judge_behind_working_backend(seen: Observation, answer: Answer, reference: Reference) -> _Judgement:
    """Direct passed; so what differs is what stands before the backend."""
    said = f"{_at(seen)} answered HTTP {answer.status}, although the backend accepts the upgrade when asked directly"
    path = seen.target.path
    if answer.from_proxy_itself and answer.status in (403, 404, 405):
        return (
            Cause.NOT_ROUTED_BY_PROXY,
            f"{said}; the page was made by the proxy itself, so no location leads {path} to the backend "
            "(or the proxy hides the backend's error page)",
            f"add a location for {path} with proxy_pass to the server block of {seen.target.host}; "
            "check server_name and which server block is the default",
        )
    if answer.status == 403:
        return (
            Cause.REFUSED_BEHIND_PROXY,
            f"{said} with the same headers and query; what the proxy makes of the request is refused: "
            "another path, another Host, or a filter in between",
            f"compare proxy_pass in the location of {path} with the path (a URI in it, even a slash, replaces the "
            "location's prefix) and forward Host; the application's log shows the path that arrives",
        )
    if answer.status in (400, 404, 405, 426, 505) or _same_page(answer, reference.direct_plain):
        same = "; it is the page that the backend gives to a request without an upgrade"
        proof = same if _same_page(answer, reference.direct_plain) else ""
        return _not_forwarded(seen, f"the proxy drops the upgrade: {said}{proof}")
    if 200 <= answer.status < 300:
        return (
            Cause.NOT_A_WEBSOCKET,
            f"{said}: something else answers on {path}, such as the frontend or a default site",
            f"add a location for {path} that leads to the backend, before the one that catches everything",
        )
    if 500 <= answer.status < 600:
        return Cause.SERVER_ERROR, f"{said}: the proxy or the application failed on this request", None
    return Cause.UNEXPECTED_STATUS, said, None


def _same_page(answer: Answer, other: Answer | None) -> bool:
    return other is not None and answer.status == other.status and answer.body == other.body


def _not_forwarded(seen: Observation, explanation: str) -> _Judgement:
    path = seen.target.path
    return (
        Cause.UPGRADE_NOT_FORWARDED,
        explanation,
        f"in the proxy's location that serves {path} (in the location itself: headers at server level are not "
        f"inherited by a location that sets any of its own) set: {_UPGRADE_LINES} with, at http level, {_MAP}; "
        "then nginx -t and reload; in Nginx Proxy Manager switch on Websockets Support for the host",
    )


def _judge_not_found(seen: Observation, said: str, reference: Reference) -> _Judgement:
    path = seen.target.path
    if not seen.target.through_proxy:
        same = seen.follow_up.plain_request is not None and seen.follow_up.plain_request.status == 404
        return (
            Cause.PATH_NOT_FOUND,
            f"{said}: no WebSocket is served on {path}"
            + (" (the same request without an upgrade gets the same answer)" if same else ""),
            f"correct the path {path}; if it is right and the backend is uvicorn, install a WebSocket library for it: "
            "pip install 'uvicorn[standard]'",
        )
    if reference.direct_passed is None:
        return (
            Cause.PATH_NOT_FOUND,
            f"{said}: either the path {path} is wrong or the proxy drops the upgrade; "
            "no direct endpoint was checked that would tell which",
            "add the backend as an endpoint with vantage direct, and check the path",
        )
    return Cause.PATH_NOT_FOUND, f"{said}, and the backend does not serve a WebSocket on its own path either", None


def _judge_cut(seen: Observation, reference: Reference) -> _Judgement:
    hold = seen.hold
    silence = hold.silence_at_cut_s if hold else None
    if hold is None or silence is None:
        return Cause.CUT_WITHOUT_CLOSE, f"{_at(seen)} upgraded the connection and then dropped it: {seen.detail}", None
    after = f"after {hold.held_s:.1f} s, of which the last {silence:.1f} s were without a byte in either direction"
    # A cut within the rhythm of a busy connection is no idle cut.
    idle = silence >= 1.0 and silence >= hold.longest_silence_s - 0.1
    if not idle:
        return Cause.CUT_WITHOUT_CLOSE, f"the connection to {_at(seen)} was cut without a close frame {after}", None
    if seen.follow_up.reopened is False:
        status = f"gets HTTP {seen.follow_up.reopened_status}" if seen.follow_up.reopened_status else "is not accepted"
        return (
            Cause.CUT_WITHOUT_CLOSE,
            f"the connection to {_at(seen)} was cut without a close frame {after}; a new one {status}, "
            "so the server ended rather than an idle timeout",
            None,
        )
    known = known_timeout(silence, reference.expected_idle_timeout_s)
    text = f"the connection to {_at(seen)} was cut {after}"
    if known:
        text += f", which fits {known}"
    expected = reference.expected_idle_timeout_s
    if expected is not None and silence < expected - 0.3:
        text += f"; the configured idle timeout of {expected:g} s is not in force on this path"
    if not seen.target.through_proxy:
        return (
            Cause.CUT_WHILE_IDLE,
            f"{text}; no proxy is involved: the server closes idle connections, or its process ended",
            "raise the server's idle timeout, or let it or the page ping more often; look at the backend's log",
        )
    if reference.direct_silence_s is not None and reference.direct_silence_s > silence + 0.5:
        text += f"; the direct connection survived {reference.direct_silence_s:.1f} s of silence"
    return (
        Cause.CUT_WHILE_IDLE,
        text,
        f"set proxy_read_timeout (and proxy_send_timeout) in the location of {seen.target.path} to more than the "
        f"longest silence, e.g. proxy_read_timeout 86400s, or let the application ping more often than every "
        f"{silence:.0f} s",
    )


def _judge_close(seen: Observation) -> _Judgement:
    close = seen.close
    code = close.code if close else None
    reason = f", reason {close.reason!r}" if close and close.reason else ""
    phase = "during the hold" if seen.hold else "after the handshake"
    if code == 1009:
        return Cause.MESSAGE_TOO_BIG, f"{_at(seen)} closed {phase} with 1009 (message too big){reason}", None
    hint: Mapping[int | None, str] = {
        1001: "the server is going away: look whether it was stopped or restarted",
        1008: "a rule of the application was broken, often a missing or refused token: give it with secret_query, "
        "secret_headers or in the first message",
        1011: "the application failed: read its log",
        1012: "the service restarted: look whether a deployment or pm2 restarted it",
        1013: "the application is overloaded: try again later, or look at its limits",
    }
    return (
        Cause.CLOSED_BY_SERVER,
        f"{_at(seen)} closed {phase} with {code} ({close_name(code)}){reason}",
        hint.get(code),
    )


def _judge_silence(seen: Observation, reference: Reference) -> _Judgement:
    if seen.fault is Fault.UNEXPECTED_REPLY:
        return (
            Cause.UNEXPECTED_REPLY,
            f"{_at(seen)} sent {seen.messages} message(s), none of which is the expected one; the last: {seen.detail}",
            None,
        )
    if seen.fault is Fault.REPLIES_LOST:
        return Cause.NO_REPLY, f"{_at(seen)} did not answer every message: {seen.detail}", None
    if seen.fault is Fault.MUTE:
        also = "; the direct connection passes frames" if reference.direct_passed and seen.target.through_proxy else ""
        return (
            Cause.OPENED_BUT_MUTE,
            f"{_at(seen)} accepted the upgrade, but then no frame came back, not even the answer to a ping{also}",
            None if seen.target.through_proxy else "look at the application's log: it accepts and then does not read",
        )
    return (
        Cause.NO_REPLY,
        f"{_at(seen)} accepted the upgrade and is alive, but did not send the expected message in time",
        None,
    )


def _comes_in_bursts(seen: Observation, reference: Reference) -> bool:
    """Several events at once through the proxy, where the direct stream brings them singly."""
    direct = reference.direct_burst
    return (
        seen.target.through_proxy
        and direct is not None
        and direct < BURST
        # Once may be a pause of the machine that runs the check.
        and seen.bursts >= 2
    )


def _judge_bursts(seen: Observation) -> _Judgement:
    return (
        Cause.EVENTS_BUFFERED,
        f"{_at(seen)} delivers up to {seen.largest_burst} events at once, while the backend sends them singly",
        _unbuffer(seen),
    )


def _unbuffer(seen: Observation) -> str:
    return (
        f"set proxy_buffering off and proxy_http_version 1.1 in the location of {seen.target.path}, or let the "
        "application send the header X-Accel-Buffering: no; switch compression off for text/event-stream"
    )


def _judge_stream(seen: Observation, reference: Reference) -> _Judgement:
    if seen.fault is Fault.NOT_EVENT_STREAM:
        return Cause.NOT_AN_EVENT_STREAM, f"{_at(seen)} sent {seen.detail} instead of text/event-stream", None
    if seen.fault is Fault.STREAM_ENDED:
        return _judge_stream_end(seen, reference)
    if seen.target.through_proxy and reference.direct_passed:
        return (
            Cause.EVENTS_BUFFERED,
            f"{_at(seen)} passes no event on ({seen.detail}), while the backend sends them",
            _unbuffer(seen),
        )
    return Cause.NO_EVENT, f"{_at(seen)} sent no event in time: {seen.detail}", None


def _judge_stream_end(seen: Observation, reference: Reference) -> _Judgement:
    silence = seen.hold.silence_at_cut_s if seen.hold else None
    if seen.hold is None or silence is None:
        return Cause.STREAM_ENDED, f"the event stream of {_at(seen)} ended: {seen.detail}", None
    text = f"the event stream of {_at(seen)} ended after {seen.hold.held_s:.1f} s ({seen.detail})"
    known = known_timeout(silence, reference.expected_idle_timeout_s)
    if silence >= 1.0:
        text += f", the last {silence:.1f} s of them without a byte"
    if known:
        text += f", which fits {known}"
    return Cause.STREAM_ENDED, text, None


def _judge_stream_answer(seen: Observation, answer: Answer, reference: Reference) -> _Judgement:
    """A refusal of an event stream, where no upgrade can be lost."""
    said = f"{_at(seen)} answered HTTP {answer.status}"
    path = seen.target.path
    if seen.target.through_proxy and reference.direct_passed and answer.status in (403, 404, 405):
        return (
            Cause.NOT_ROUTED_BY_PROXY,
            f"{said}, although the backend serves the event stream when asked directly",
            f"add a location for {path} with proxy_pass to the server block of {seen.target.host}",
        )
    if answer.status == 403:
        return _judge_login(seen, answer, reference)
    if answer.status == 404:
        return Cause.PATH_NOT_FOUND, f"{said}: no event stream is served on {path}", f"correct the path {path}"
    if 500 <= answer.status < 600:
        return Cause.SERVER_ERROR, f"{said}: the application failed", None
    if answer.status in (400, 405, 406):
        return Cause.BAD_REQUEST, f"{said}: the server refuses this request", None
    return Cause.UNEXPECTED_STATUS, f"{said}, which is no event stream", None


def _facts(seen: Observation) -> list[str]:
    """What was seen, one line per fact, for the evidence."""
    facts = list(seen.attempts)
    if seen.address:
        facts.append(f"connected to {seen.address} as {seen.target.authority}")
    if seen.tls:
        tls = seen.tls
        left = "" if tls.expires_in_days is None else f", expires in {tls.expires_in_days} days"
        checked = "" if tls.verified else ", not verified"
        facts.append(f"{tls.version} with the certificate of {tls.subject or 'an unknown subject'}{left}{checked}")
    answer = seen.answer
    if answer is not None:
        server = f", Server: {answer.server}" if answer.server else ""
        facts.append(f"HTTP/{answer.version} {answer.status} {answer.reason}".rstrip() + server)
        body = " ".join(answer.text.split())
        if answer.status != 101 and body:
            facts.append(f"body: {body[:_EXCERPT]}")
    for attempt in seen.follow_up.other_origins:
        with_origin = f"with Origin {attempt.origin}" if attempt.origin else "without an Origin"
        facts.append(f"second try {with_origin}: {'no answer' if attempt.status is None else attempt.status}")
    if seen.follow_up.plain_request is not None:
        same = answer is not None and _same_page(answer, seen.follow_up.plain_request)
        facts.append(
            f"the same request without an upgrade: HTTP {seen.follow_up.plain_request.status}"
            + (", the same page" if same else "")
        )
    if seen.follow_up.reopened is not None:
        facts.append(f"a new connection after the cut: {'opened' if seen.follow_up.reopened else 'not opened'}")
    if seen.follow_up.unknown_path_status is not None:
        facts.append(f"an upgrade on a path that cannot exist: HTTP {seen.follow_up.unknown_path_status}")
    if seen.follow_up.speaks_tls:
        facts.append("the port answers a TLS handshake")
    if seen.follow_up.speaks_plain_http:
        facts.append("the port answers plain HTTP")
    facts += [f"message: {text}" for text in seen.other_messages]
    if seen.fault is not None and seen.detail and seen.fault is not Fault.HTTP_ANSWER:
        facts.append(seen.detail)
    return facts
