# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what happened after the upgrade: messages, silence, cuts and close frames (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .causes import Cause
from .hold_report import known_timeout
from .judgement import Judge, Judgement, Reference, place_and_url
from .observation import Fault

if TYPE_CHECKING:
    from .hold_report import HoldReport
    from .observation import Observation

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

_CLOSE_REMEDIES: Mapping[int | None, str] = {
    1001: "the server is going away: find out whether it was stopped or restarted",
    1008: "the application enforces a rule, often a missing or refused token: give it with secret_query, "
    "secret_headers or in the first message",
    1011: "the application failed: read its log",
    1012: "the service restarted: find out whether a deployment or pm2 restarted it",
    1013: "the application is overloaded: try again later, or raise its limits",
}

# What the protocol or the options forbid, the same at every vantage point.
_SIMPLE: Mapping[Fault, tuple[Cause, str]] = {
    Fault.UPGRADE_INVALID: (
        Cause.UPGRADE_ANSWER_INVALID,
        "{at} answered 101 with headers that RFC 6455 forbids ({detail})",
    ),
    Fault.SUBPROTOCOL_REFUSED: (
        Cause.SUBPROTOCOL_REFUSED,
        "{at} and the check have no common subprotocol ({detail})",
    ),
    Fault.DEAD_AFTER_SILENCE: (
        Cause.DEAD_AFTER_SILENCE,
        "the connection to {at} was dead at the end of the hold ({detail})",
    ),
    Fault.MESSAGE_TOO_BIG: (
        Cause.MESSAGE_TOO_BIG,
        "{at} sent a message that is larger than max_message_size ({detail})",
    ),
    Fault.OVERALL_DEADLINE: (Cause.DEADLINE_REACHED, "the check of {at} did not end in time ({detail})"),
}


def close_name(code: int | None) -> str:
    """The registered name of a close code, or the range that it belongs to."""
    if code is None:
        return "no close frame"
    if code in CLOSE_CODES:
        return CLOSE_CODES[code]
    if 3000 <= code < 4000:
        return "registered by a library"
    return "defined by the application" if 4000 <= code < 5000 else "not assigned"


def _judge_simple(fault: Fault) -> Judge:
    cause, template = _SIMPLE[fault]
    return lambda seen, _: Judgement(cause, template.format(at=place_and_url(seen), detail=seen.detail))


def _judge_accept(seen: Observation, reference: Reference) -> Judgement:
    """A 101 without the proof that it answers this handshake."""
    text = f"{place_and_url(seen)} answered 101 with a wrong or missing Sec-WebSocket-Accept ({seen.detail})"
    if "is missing" in seen.detail and seen.target.through_proxy and reference.direct_passed:
        return Judgement(
            Cause.ACCEPT_KEY_WRONG,
            f"{text}, and the backend sends it when asked directly: the proxy removes it",
            f"remove the line that hides Sec-WebSocket-Accept (nginx: proxy_hide_header) from what covers "
            f"{seen.target.path}",
        )
    return Judgement(Cause.ACCEPT_KEY_WRONG, text)


def _configured(seen: Observation) -> str:
    """What the proxy's configuration says, to go into a sentence."""
    where = seen.target.configured_idle_timeout_from
    return f"{seen.target.configured_idle_timeout_s:g} s" + (f" ({where})" if where else "")


def _judge_short(seen: Observation, reference: Reference) -> Judgement:
    """A connection that survived the hold, through a proxy whose idle timeout is shorter than wanted."""
    wanted = f"{reference.expected_idle_timeout_s:g} s" if reference.expected_idle_timeout_s else "wanted"
    pings = seen.hold.server_pings if seen.hold else 0
    hidden = f"; the {pings} pings of this server hide it, and another one need not send any" if pings else ""
    where = seen.target.configured_idle_timeout_from
    return Judgement(
        Cause.IDLE_TIMEOUT_TOO_SHORT,
        f"{place_and_url(seen)} opens the WebSocket, but cuts it after a silence of {_configured(seen)}, which is "
        f"shorter than {wanted}{hidden}",
        f"set proxy_read_timeout {wanted.replace(' ', '')} in the location of {seen.target.path}"
        + (f" (now at {where})" if where else ""),
    )


def _judge_broken(seen: Observation, _: Reference) -> Judgement:
    """Frames that RFC 6455 forbids; if they are right without compression, what agreed on it is at fault."""
    text = f"{place_and_url(seen)} sent what RFC 6455 forbids: {seen.detail}"
    if not seen.follow_up.works_without_compression:
        return Judgement(Cause.PROTOCOL_VIOLATION, text)
    if seen.extensions is not None:
        return Judgement(
            Cause.COMPRESSION_BROKEN,
            f"{text}; the same exchange works if no compression is offered, and browsers offer it",
            "update the server library, or switch its compression off; search the way for what changes frames",
        )
    return Judgement(
        Cause.COMPRESSION_BROKEN,
        f"{text}; the server compresses, and the header that says so (Sec-WebSocket-Extensions) is missing in the "
        "answer, so browsers end the connection; without an offer of compression the same exchange works",
        f"forward Sec-WebSocket-Extensions in both directions (no proxy_hide_header for it in the location of "
        f"{seen.target.path}), or remove it from the request as well",
    )


def _judge_silence(seen: Observation, reference: Reference) -> Judgement:
    """An upgraded connection on which the expected message did not come."""
    at = place_and_url(seen)
    if seen.fault is Fault.UNEXPECTED_REPLY:
        return Judgement(
            Cause.UNEXPECTED_REPLY,
            f"{at} sent {seen.messages} message(s), but not the expected one; for example: {seen.detail}",
        )
    if seen.fault is Fault.REPLIES_LOST:
        return Judgement(Cause.NO_REPLY, f"{at} did not answer every message: {seen.detail}")
    if seen.fault is Fault.MUTE and seen.target.through_proxy:
        also = ", although the direct connection passes frames" if reference.direct_passed else ""
        return Judgement(
            Cause.OPENED_BUT_MUTE, f"{at} accepted the upgrade, but no frame came back, not even a pong{also}"
        )
    if seen.fault is Fault.MUTE:
        return Judgement(
            Cause.OPENED_BUT_MUTE,
            f"{at} accepted the upgrade, but no frame came back, not even a pong",
            "read the application's log: it accepts the connection and then does not read from it",
        )
    return Judgement(
        Cause.NO_REPLY, f"{at} accepted the upgrade and answers pings, but did not send the expected message in time"
    )


def _judge_close(seen: Observation, _: Reference) -> Judgement:
    """A close frame of the server."""
    code = seen.close.code if seen.close else None
    reason = f", reason {seen.close.reason!r}" if seen.close and seen.close.reason else ""
    phase = "during the hold" if seen.hold else "after the handshake"
    return Judgement(
        Cause.MESSAGE_TOO_BIG if code == 1009 else Cause.CLOSED_BY_SERVER,
        f"{place_and_url(seen)} closed {phase} with {code} ({close_name(code)}){reason}",
        _CLOSE_REMEDIES.get(code),
    )


def _judge_cut(seen: Observation, reference: Reference) -> Judgement:
    """A connection that ended without a close frame."""
    at = place_and_url(seen)
    hold = seen.hold
    silence_s = hold.silence_at_cut_s if hold else None
    if hold is None or silence_s is None:
        return Judgement(Cause.CUT_WITHOUT_CLOSE, f"{at} upgraded the connection and then dropped it: {seen.detail}")
    after = f"after {hold.held_s:.1f} s, the last {silence_s:.1f} s of them without a byte in either direction"
    if not _is_idle_cut(hold, silence_s):
        return Judgement(Cause.CUT_WITHOUT_CLOSE, f"the connection to {at} was cut without a close frame {after}")
    if seen.follow_up.reopened is False:
        status = seen.follow_up.reopened_status
        outcome = f"gets HTTP {status}" if status else "is not accepted"
        return Judgement(
            Cause.CUT_WITHOUT_CLOSE,
            f"the connection to {at} was cut without a close frame {after}; a new one {outcome}, so the server has "
            "ended, which is not an idle timeout",
        )
    return _judge_idle_cut(seen, silence_s, f"the connection to {at} was cut {after}", reference)


def _is_idle_cut(hold: HoldReport, silence_s: float) -> bool:
    """A cut within the rhythm of a busy connection is not caused by its silence."""
    return silence_s >= 1.0 and silence_s >= hold.longest_silence_s - 0.1


def _judge_idle_cut(seen: Observation, silence_s: float, text: str, reference: Reference) -> Judgement:
    expected_s = reference.expected_idle_timeout_s
    known = known_timeout(silence_s, expected_s)
    if known:
        text += f", which matches {known}"
    if expected_s is not None and silence_s < expected_s - 0.3:
        text += f"; the configured idle timeout of {expected_s:g} s is not in force on this path"
    if seen.target.configured_idle_timeout_s is not None:
        text += f"; its configuration has {_configured(seen)}"
    if not seen.target.through_proxy:
        return Judgement(
            Cause.CUT_WHILE_IDLE,
            f"{text}; there is no proxy on this path: the server closes idle connections, or its process ended",
            "raise the server's idle timeout, or let the server or the page ping more often; read the backend's log",
        )
    if reference.direct_silence_s is not None and reference.direct_silence_s > silence_s + 0.5:
        text += f"; the direct connection survived {reference.direct_silence_s:.1f} s of silence"
    return Judgement(
        Cause.CUT_WHILE_IDLE,
        text,
        f"set proxy_read_timeout (and proxy_send_timeout) in the location of {seen.target.path} to more than the "
        f"longest silence, e.g. proxy_read_timeout 86400s, or let the application ping more often than every "
        f"{silence_s:.0f} s",
    )


JUDGES: Mapping[Fault, Judge] = {
    **{fault: _judge_simple(fault) for fault in _SIMPLE},
    **dict.fromkeys((Fault.NO_REPLY, Fault.MUTE, Fault.UNEXPECTED_REPLY, Fault.REPLIES_LOST), _judge_silence),
    Fault.ACCEPT_KEY_WRONG: _judge_accept,
    Fault.CLOSED_BY_SERVER: _judge_close,
    Fault.CUT: _judge_cut,
    Fault.PROTOCOL_BROKEN: _judge_broken,
    Fault.IDLE_TIMEOUT_SHORT: _judge_short,
}
