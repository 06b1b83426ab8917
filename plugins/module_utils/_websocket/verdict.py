# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the facts about one endpoint to one cause, compared with what the other endpoints prove (pure).

What the facts do not show is not claimed: where two causes look alike, the explanation says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .causes import CATALOGUE, Cause
from .evidence import evidence
from .judgement import Judge, Judgement, Reference, place, place_and_url
from .observation import Fault
from .verdict_connection import JUDGES as CONNECTION_JUDGES
from .verdict_front import is_in_front, judge_in_front
from .verdict_further import JUDGES as FURTHER_JUDGES
from .verdict_http import JUDGES as HTTP_JUDGES
from .verdict_session import JUDGES as SESSION_JUDGES
from .verdict_stream import JUDGES as STREAM_JUDGES
from .verdict_stream import comes_in_bursts, judge_bursts

if TYPE_CHECKING:
    from .observation import Load, Observation


def _judge_addresses(seen: Observation, reference: Reference) -> Judgement:
    """A name of which some addresses fail; the first that fails says why."""
    passed = [one.address or one.target.connect_host for one in seen.at_addresses if one.opened]
    failed = [one for one in seen.at_addresses if not one.opened and one.fault is not Fault.UNREACHABLE]
    first = failed[0]
    if first.fault is None:
        raise ValueError("an address that failed has no fault")
    why = JUDGES[first.fault](first, reference)
    where = ", ".join(one.address or one.target.connect_host for one in failed)
    return Judgement(
        Cause.SOME_ADDRESSES_FAIL,
        f"{place_and_url(seen)} has several addresses: {', '.join(passed)} opens the WebSocket, {where} does not "
        f"({why.cause.value}: {why.explanation})",
        f"let the same server answer at {where} (in nginx, listen [::]:PORT beside listen PORT in the server block of "
        f"{seen.target.host}), or remove that address from the name's DNS records",
    )


JUDGES: Mapping[Fault, Judge] = {
    **CONNECTION_JUDGES,
    **HTTP_JUDGES,
    **SESSION_JUDGES,
    **STREAM_JUDGES,
    **FURTHER_JUDGES,
    Fault.ADDRESS_REFUSED: _judge_addresses,
}

# What a server does with connections over its limits while it accepts others.
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
class Verdict:
    """One cause with its sentence, a remedy, and what was seen."""

    cause: Cause
    explanation: str
    remedy: str
    evidence: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.cause is Cause.NONE


def judge(seen: Observation, reference: Reference) -> Verdict:
    """The cause of one endpoint's failure, or Cause.NONE."""
    redact = seen.target.redact
    if seen.fault is None and not comes_in_bursts(seen, reference):
        return Verdict(Cause.NONE, f"{place(seen)} works", CATALOGUE[Cause.NONE].remedy, evidence(seen))
    judgement = judge_bursts(seen) if seen.fault is None else JUDGES[seen.fault](seen, reference)
    if is_in_front(seen, reference):
        judgement = judge_in_front(seen, judgement)
    if seen.load is not None:
        judgement = _judge_load(seen.load, judgement)
    remedy = judgement.remedy or CATALOGUE[judgement.cause].remedy.replace("`", "")
    return Verdict(judgement.cause, redact(judgement.explanation), redact(remedy), evidence(seen))


def _judge_load(load: Load, judgement: Judgement) -> Judgement:
    """The most common failure of many connections; a limit where others were accepted at the same time."""
    limited = judgement.cause in _LIMIT_LIKE and 0 < load.accepted < load.asked
    return Judgement(
        Cause.UNAVAILABLE_OR_LIMITED if limited else judgement.cause,
        f"of {load.asked} connections at once {load.accepted} were accepted and {load.held} held to the end; the most "
        f"common failure: {judgement.explanation}",
        _RAISE_LIMITS if limited else judgement.remedy,
    )
