# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common diagnosis of all endpoints (pure).

The same answer means different things by what the other endpoints did; so every
endpoint is judged with the others in view, and then the first cause along the way
from the backend to the public is the one to remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .causes import CATALOGUE, Cause
from .observation import Observation
from .verdict import Reference, Verdict, judge

# Along the way: what is nearer to the application is the cause of what is farther.
_ORDER = {"direct": 0, "proxy": 1, "public": 2}
# Causes that say more about the check's own description than about the service.
_LAST = frozenset((Cause.WRONG_DIRECT_ADDRESS,))


@dataclass(frozen=True)
class Earlier:
    """The result of an endpoint that another call has checked, e.g. from another machine."""

    name: str
    vantage: str
    transport: str
    passed: bool
    status: int | None = None
    longest_silence_s: float | None = None
    cause: str | None = None


@dataclass(frozen=True)
class Diagnosis:
    """One cause for the whole, and a verdict for each observation in their order."""

    cause: Cause
    explanation: str
    remedy: str
    evidence: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


def parse_earlier(results: Iterable[Mapping[str, Any]]) -> tuple[Earlier, ...]:
    """Read ``results`` of an earlier call.

    :raises ValueError: If an entry is not such a result.
    """
    parsed = []
    for index, result in enumerate(results):
        if not isinstance(result, Mapping) or result.get("vantage") not in _ORDER or "passed" not in result:
            raise ValueError(f"earlier_results[{index}] is no result of websocket_check (no vantage or passed in it)")
        parsed.append(
            Earlier(
                name=str(result.get("name", "")),
                vantage=str(result["vantage"]),
                transport=str(result.get("transport") or "websocket"),
                passed=bool(result["passed"]),
                status=result.get("status"),
                longest_silence_s=result.get("longest_silence_s"),
                cause=result.get("cause"),
            )
        )
    return tuple(parsed)


def diagnose(
    observations: Sequence[Observation],
    expected_idle_timeout_s: float | None = None,
    earlier: Sequence[Earlier] = (),
) -> Diagnosis:
    """Judge every endpoint in the light of the others and name one cause for the whole.

    :raises ValueError: If nothing was observed, since that proves nothing.
    """
    if not observations:
        raise ValueError("no endpoint was observed")
    verdicts = tuple(
        judge(seen, _reference(seen, observations, expected_idle_timeout_s, earlier)) for seen in observations
    )
    failed = [(seen, verdict) for seen, verdict in zip(observations, verdicts) if verdict.cause is not Cause.NONE]
    evidence = [_outcome(seen, verdict) for seen, verdict in zip(observations, verdicts)]
    evidence += [
        f"{item.name} ({item.vantage}, checked before): {'passed' if item.passed else f'failed ({item.cause})'}"
        for item in earlier
    ]
    if not failed:
        return Diagnosis(Cause.NONE, "every endpoint passed", CATALOGUE[Cause.NONE].remedy, tuple(evidence), verdicts)
    failed.sort(key=lambda item: (item[1].cause in _LAST, _ORDER[item[0].target.vantage]))
    seen, verdict = failed[0]
    evidence += [f"{seen.target.name}: {fact}" for fact in verdict.evidence]
    return Diagnosis(verdict.cause, verdict.explanation, verdict.remedy, tuple(evidence), verdicts)


def _outcome(seen: Observation, verdict: Verdict) -> str:
    outcome = "passed" if verdict.cause is Cause.NONE else f"failed ({verdict.cause.value})"
    return f"{seen.target.name} ({seen.target.vantage}): {outcome}"


def _reference(
    seen: Observation,
    observations: Sequence[Observation],
    expected_idle_timeout_s: float | None,
    earlier: Sequence[Earlier],
) -> Reference:
    transport = seen.target.transport
    others = [other for other in observations if other is not seen and other.target.transport == transport]
    known = [item for item in earlier if item.transport == transport]
    direct = [other for other in others if other.target.vantage == "direct"]
    direct_outcomes = [other.fault is None for other in direct] + [i.passed for i in known if i.vantage == "direct"]
    silences = [
        other.hold.longest_silence_s
        for other in direct
        if other.hold is not None and other.hold.silence_at_cut_s is None and other.hold.alive_at_end
    ] + [i.longest_silence_s for i in known if i.vantage == "direct" and i.passed and i.longest_silence_s is not None]
    statuses = [other.status for other in direct] + [i.status for i in known if i.vantage == "direct"]
    return Reference(
        direct_passed=all(direct_outcomes) if direct_outcomes else None,
        proxied_passed=any(other.target.through_proxy and other.fault is None for other in others)
        or any(i.vantage != "direct" and i.passed for i in known),
        direct_plain=next(
            (other.follow_up.plain_request for other in direct if other.follow_up.plain_request is not None), None
        ),
        direct_silence_s=max(silences) if silences else None,
        direct_status=next((status for status in statuses if status is not None), None),
        same_credentials=any(_same_credentials(seen, other) for other in direct if other.fault is None),
        direct_burst=next((other.largest_burst for other in direct if other.largest_burst), None),
        expected_idle_timeout_s=expected_idle_timeout_s,
    )


def _same_credentials(one: Observation, other: Observation) -> bool:
    a, b = one.target, other.target
    return (a.headers, a.origin, a.secrets, _query(a.resource)) == (b.headers, b.origin, b.secrets, _query(b.resource))


def _query(resource: str) -> str:
    return resource.partition("?")[2]
