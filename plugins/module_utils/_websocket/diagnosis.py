# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One diagnosis for all endpoints of a call (pure).

The same answer means different things depending on what the other endpoints did. So every endpoint is judged with what
the others prove, and the first cause on the way from the backend to the public address is the one to remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .causes import CATALOGUE, Cause
from .http_answer import Page
from .judgement import Reference, as_sentence
from .verdict import Verdict, judge

if TYPE_CHECKING:
    from .observation import Observation

# A failure nearer to the application is the cause of one farther from it.
_ORDER = {"direct": 0, "proxy": 1, "public": 2}
# Causes that concern the description of an endpoint rather than the service.
_LAST = frozenset((Cause.WRONG_DIRECT_ADDRESS,))


@dataclass(frozen=True)
class EarlierResult:
    """The result of an endpoint that another call has checked, e.g. from another machine."""

    name: str
    vantage: str
    transport: str
    passed: bool
    status: int | None = None
    longest_silence_s: float | None = None
    cause: str | None = None
    without_upgrade: Page | None = None


@dataclass(frozen=True)
class Diagnosis:
    """One cause for the whole call, and a verdict for each observation in their order."""

    cause: Cause
    explanation: str
    remedy: str
    evidence: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def message(self) -> str:
        """Explanation and remedy as one sentence."""
        return as_sentence(self.explanation, self.remedy)


def parse_earlier(results: Iterable[Mapping[str, Any]]) -> tuple[EarlierResult, ...]:
    """Read ``results`` of an earlier call.

    :raises ValueError: If an entry is not such a result.
    """
    return tuple(_parse_earlier(result, index) for index, result in enumerate(results))


def _parse_earlier(result: Any, index: int) -> EarlierResult:
    if not isinstance(result, Mapping) or result.get("vantage") not in _ORDER or "passed" not in result:
        raise ValueError(f"earlier_results[{index}] is not a result of websocket_check: it has no vantage or passed")
    return EarlierResult(
        name=str(result.get("name", "")),
        vantage=str(result["vantage"]),
        transport=str(result.get("transport") or "websocket"),
        passed=bool(result["passed"]),
        status=result.get("status"),
        longest_silence_s=result.get("longest_silence_s"),
        cause=result.get("cause"),
        without_upgrade=_parse_page(result.get("without_upgrade")),
    )


def _parse_page(raw: Any) -> Page | None:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("status"), int):
        return None
    return Page(raw["status"], str(raw.get("digest") or ""))


def diagnose(
    observations: Sequence[Observation],
    expected_idle_timeout_s: float | None = None,
    earlier: Sequence[EarlierResult] = (),
) -> Diagnosis:
    """Judge every endpoint with what the others prove, and name one cause for the whole.

    :raises ValueError: If nothing was observed, since that proves nothing.
    """
    if not observations:
        raise ValueError("no endpoint was observed")
    verdicts = tuple(
        judge(seen, _reference(seen, observations, expected_idle_timeout_s, earlier)) for seen in observations
    )
    evidence = [_outcome(seen, verdict) for seen, verdict in zip(observations, verdicts)]
    evidence += [
        f"{result.name} ({result.vantage}, from an earlier call): "
        + ("passed" if result.passed else f"failed ({result.cause})")
        for result in earlier
    ]
    failed = [(seen, verdict) for seen, verdict in zip(observations, verdicts) if not verdict.passed]
    if not failed:
        return Diagnosis(Cause.NONE, "every endpoint passed", CATALOGUE[Cause.NONE].remedy, tuple(evidence), verdicts)
    seen, verdict = min(failed, key=lambda item: (item[1].cause in _LAST, _ORDER[item[0].target.vantage]))
    evidence += [f"{seen.target.name}: {fact}" for fact in verdict.evidence]
    return Diagnosis(verdict.cause, verdict.explanation, verdict.remedy, tuple(evidence), verdicts)


def _outcome(seen: Observation, verdict: Verdict) -> str:
    outcome = "passed" if verdict.passed else f"failed ({verdict.cause.value})"
    return f"{seen.target.name} ({seen.target.vantage}): {outcome}"


def _reference(
    seen: Observation,
    observations: Sequence[Observation],
    expected_idle_timeout_s: float | None,
    earlier: Sequence[EarlierResult],
) -> Reference:
    transport = seen.target.transport
    others = [other for other in observations if other is not seen and other.target.transport == transport]
    results = [result for result in earlier if result.transport == transport]
    direct = [other for other in others if other.target.vantage == "direct"]
    direct_results = [result for result in results if result.vantage == "direct"]
    outcomes = [other.fault is None for other in direct] + [result.passed for result in direct_results]
    pages = [plain.page for other in direct if (plain := other.follow_up.plain_request) is not None]
    pages += [result.without_upgrade for result in direct_results if result.without_upgrade is not None]
    statuses = [other.status for other in direct] + [result.status for result in direct_results]
    return Reference(
        direct_passed=all(outcomes) if outcomes else None,
        proxied_passed=any(other.target.through_proxy and other.fault is None for other in others)
        or any(result.vantage != "direct" and result.passed for result in results),
        proxy_passed=_passed_at_proxy(seen, others, results),
        direct_plain=next(iter(pages), None),
        direct_silence_s=_survived_silence_s(direct, direct_results),
        direct_status=next((status for status in statuses if status is not None), None),
        same_credentials=any(_same_credentials(seen, other) for other in direct if other.fault is None),
        direct_burst=next((other.largest_burst for other in direct if other.largest_burst), None),
        expected_idle_timeout_s=expected_idle_timeout_s,
    )


def _passed_at_proxy(seen: Observation, others: Sequence[Observation], results: Sequence[EarlierResult]) -> bool:
    """Whether the proxy passed at its own address, wherever that was checked, and failed nowhere."""
    asked = [other.fault is None for other in others if other.target.vantage == "proxy"]
    asked += [result.passed for result in results if result.vantage == "proxy"]
    return seen.target.vantage == "public" and bool(asked) and all(asked)


def _survived_silence_s(direct: Sequence[Observation], results: Sequence[EarlierResult]) -> float | None:
    """The longest silence after which a direct connection was still alive."""
    held = [other.hold for other in direct if other.hold is not None]
    silences = [hold.longest_silence_s for hold in held if hold.alive_at_end and hold.silence_at_cut_s is None]
    silences += [result.longest_silence_s for result in results if result.passed and result.longest_silence_s]
    return max(silences, default=None)


def _same_credentials(one: Observation, other: Observation) -> bool:
    a, b = one.target, other.target
    return (a.headers, a.origin, a.secrets, _query(a.resource)) == (b.headers, b.origin, b.secrets, _query(b.resource))


def _query(resource: str) -> str:
    return resource.partition("?")[2]
