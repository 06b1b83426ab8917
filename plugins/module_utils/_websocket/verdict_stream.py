# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges event streams: refusals, late or missing events, and streams that end (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .causes import Cause
from .hold_report import known_timeout
from .judgement import Judge, Judgement, Reference, place_and_url
from .observation import BURST, Fault

if TYPE_CHECKING:
    from .observation import Observation


def comes_in_bursts(seen: Observation, reference: Reference) -> bool:
    """Whether the proxy delivers several events at once where the direct stream delivers them one by one."""
    direct = reference.direct_burst
    # One burst may be a pause of the machine that runs the check.
    return seen.target.through_proxy and direct is not None and direct < BURST and seen.bursts >= 2


def judge_bursts(seen: Observation) -> Judgement:
    return Judgement(
        Cause.EVENTS_BUFFERED,
        f"{place_and_url(seen)} delivers up to {seen.largest_burst} events at once, although the backend sends them "
        "one by one",
        unbuffer(seen),
    )


def unbuffer(seen: Observation) -> str:
    return (
        f"set proxy_buffering off and proxy_http_version 1.1 in the location of {seen.target.path}, or send the header "
        "X-Accel-Buffering: no from the application; switch compression off for text/event-stream"
    )


def _judge_stream(seen: Observation, reference: Reference) -> Judgement:
    """A stream that was answered with 200 and then did not do what it should."""
    at = place_and_url(seen)
    if seen.fault is Fault.NOT_EVENT_STREAM:
        return Judgement(Cause.NOT_AN_EVENT_STREAM, f"{at} sent {seen.detail} instead of text/event-stream")
    if seen.fault is Fault.STREAM_ENDED:
        return _judge_end(seen, reference)
    if seen.target.through_proxy and reference.direct_passed:
        return Judgement(
            Cause.EVENTS_BUFFERED,
            f"{at} forwards no event ({seen.detail}), although the backend sends them",
            unbuffer(seen),
        )
    return Judgement(Cause.NO_EVENT, f"{at} sent no event in time: {seen.detail}")


def _judge_end(seen: Observation, reference: Reference) -> Judgement:
    silence_s = seen.hold.silence_at_cut_s if seen.hold else None
    if seen.hold is None or silence_s is None:
        return Judgement(Cause.STREAM_ENDED, f"the event stream of {place_and_url(seen)} ended: {seen.detail}")
    text = f"the event stream of {place_and_url(seen)} ended after {seen.hold.held_s:.1f} s ({seen.detail})"
    if silence_s >= 1.0:
        text += f", the last {silence_s:.1f} s of them without a byte"
    known = known_timeout(silence_s, reference.expected_idle_timeout_s)
    if known:
        text += f", which matches {known}"
    return Judgement(Cause.STREAM_ENDED, text)


def judge_stream_refusal(seen: Observation, status: int, reference: Reference) -> Judgement | None:
    """An HTTP answer other than 200, where no upgrade can be lost; None for one that means what it always means."""
    said = f"{place_and_url(seen)} answered HTTP {status}"
    path = seen.target.path
    if status in (403, 404, 405) and seen.target.through_proxy and reference.direct_passed:
        return Judgement(
            Cause.NOT_ROUTED_BY_PROXY,
            f"{said}, although the backend serves the event stream when asked directly",
            f"add a location for {path} with proxy_pass to the server block of {seen.target.host}",
        )
    if status == 403:
        return None
    if status == 404:
        return Judgement(
            Cause.PATH_NOT_FOUND, f"{said}: there is no event stream on {path}", f"correct the path {path}"
        )
    if 500 <= status < 600:
        return Judgement(Cause.SERVER_ERROR, f"{said}: the application failed")
    if status in (400, 405, 406):
        return Judgement(Cause.BAD_REQUEST, f"{said}: the server refuses this request")
    return Judgement(Cause.UNEXPECTED_STATUS, f"{said}, which is not an event stream")


JUDGES: Mapping[Fault, Judge] = dict.fromkeys(
    (Fault.NOT_EVENT_STREAM, Fault.NO_EVENT, Fault.STREAM_ENDED), _judge_stream
)
