# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations and verdicts as the module's results: plain values and short lines (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .causes import Cause
from .diagnosis import Diagnosis
from .observation import Fault, Observation
from .round_trips import RoundTrips
from .verdict import Verdict
from .verdict_session import close_name

# Let's Encrypt renews 30 days before the end; what is nearer was missed.
_EXPIRES_SOON_D = 21

_LABELS = {
    "websocket": {
        "direct": "Direct backend connection",
        "proxy": "Connection through the proxy",
        "public": "Public connection",
    },
    "sse": {
        "direct": "Direct event stream",
        "proxy": "Event stream through the proxy",
        "public": "Public event stream",
    },
}


def report(
    observations: Sequence[Observation], diagnosis: Diagnosis, expected_idle_timeout_s: float | None
) -> dict[str, Any]:
    """The result of a call."""
    return {
        "changed": False,
        "results": [
            _result(seen, verdict, expected_idle_timeout_s) for seen, verdict in zip(observations, diagnosis.verdicts)
        ],
        "diagnosis": {
            "cause": diagnosis.cause.value,
            "explanation": diagnosis.explanation,
            "remedy": diagnosis.remedy,
            "evidence": list(diagnosis.evidence),
        },
        "summary": summary_of(observations, diagnosis.verdicts),
    }


def report_not_checked(message: str, remedy: str) -> dict[str, Any]:
    """The result of a call that failed before the first connection; its keys are the same."""
    return {
        "changed": False,
        "results": [],
        "diagnosis": {"cause": Cause.NOT_CHECKED.value, "explanation": message, "remedy": remedy, "evidence": []},
        "summary": [f"Nothing was checked: {message}"],
    }


def _result(seen: Observation, verdict: Verdict, expected_idle_timeout_s: float | None) -> dict[str, Any]:
    target, hold = seen.target, seen.hold
    return {
        "name": target.name,
        "url": target.url,
        "vantage": target.vantage,
        "transport": target.transport,
        "passed": verdict.passed,
        "cause": None if verdict.passed else verdict.cause.value,
        "explanation": None if verdict.passed else verdict.explanation,
        "status": seen.status,
        "address": seen.address,
        "phases": {name: round(seconds, 4) for name, seconds in seen.phases.items()},
        "subprotocol": seen.subprotocol,
        "extensions": seen.extensions,
        "server": seen.answer.server if seen.answer else None,
        "held_s": _rounded(hold.held_s if hold else None),
        "longest_silence_s": _rounded(hold.longest_silence_s if hold else None),
        "idle_timeout_proven_s": hold.idle_timeout_proven_s if hold else None,
        "configured_idle_timeout_s": target.configured_idle_timeout_s,
        "proves": hold.proves(expected_idle_timeout_s) if hold else None,
        "server_pings": hold.server_pings if hold else 0,
        "round_trips": _round_trips(hold.trips if hold else None),
        "samples": [[round(at, 2), round(seconds, 5)] for at, seconds in hold.samples] if hold else [],
        "arrivals_s": [round(second, 2) for second in hold.arrivals_s] if hold else [],
        "close": _close(seen),
        "tls": _tls(seen),
        "first_event_s": _rounded(seen.first_event_s),
        "event_gaps": _gaps(seen.event_gaps_s),
        "connections": _load(seen),
        "without_upgrade": _without_upgrade(seen),
        "further_handshakes": _further(seen),
        "addresses": [_at_address(one) for one in seen.at_addresses],
        "evidence": list(verdict.evidence),
    }


def _close(seen: Observation) -> dict[str, Any] | None:
    close = seen.close
    if close is None:
        return None
    return {"code": close.code, "name": close_name(close.code), "reason": close.reason, "by": close.by}


def _tls(seen: Observation) -> dict[str, Any] | None:
    if seen.tls is None:
        return None
    fields = asdict(seen.tls)
    return {**fields, "names": list(seen.tls.names), "chain": [asdict(link) for link in seen.tls.chain]}


def _further(seen: Observation) -> dict[str, Any] | None:
    if not seen.further:
        return None
    opened = sum(one.opened for one in seen.further)
    refused = sorted({one.form.value for one in seen.further if not one.opened})
    return {"made": len(seen.further), "opened": opened, "refused_forms": refused, "limited": seen.is_limited}


def _at_address(seen: Observation) -> dict[str, Any]:
    unreachable = seen.fault is Fault.UNREACHABLE
    return {
        "address": seen.address or seen.target.connect_host,
        "passed": None if unreachable else seen.opened,
        "status": seen.status,
        "detail": seen.detail,
    }


def _without_upgrade(seen: Observation) -> dict[str, Any] | None:
    plain = seen.follow_up.plain_request
    return None if plain is None else asdict(plain.page)


def summary_of(observations: Sequence[Observation], verdicts: Sequence[Verdict]) -> list[str]:
    """One line per endpoint, for people."""
    labels = [_label(seen) for seen in observations]
    lines = []
    for seen, verdict, label in zip(observations, verdicts, labels):
        shown = f"{label} ({seen.target.name})" if labels.count(label) > 1 else label
        if verdict.passed:
            details = ", ".join(_details(seen))
            lines.append(f"{shown}: passed" + (f" ({details})" if details else ""))
        else:
            lines.append(f"{shown}: failed ({verdict.cause.value}): {verdict.explanation}")
    return lines


def _label(seen: Observation) -> str:
    label = _LABELS[seen.target.transport][seen.target.vantage]
    # A deployment has one WebSocket, and often several streams.
    return f"{label} {seen.target.path}" if seen.target.transport == "sse" else label


def _load(seen: Observation) -> dict[str, Any] | None:
    load = seen.load
    if load is None:
        return None
    spread = _round_trips(load.handshakes) or {}
    return {
        "asked": load.asked,
        "accepted": load.accepted,
        "held": load.held,
        "failures": load.failures,
        "refused_by_status": load.refused_by_status,
        "handshake_s": {name: spread.get(name) for name in ("min", "median", "p95", "max")},
        "opened_s": round(load.opened_s, 3),
    }


def _details(seen: Observation) -> list[str]:
    details = []
    if seen.load is not None and seen.load.handshakes.median is not None:
        details.append(f"{seen.load.held} of {seen.load.asked} connections held at once")
        details.append(f"median handshake {_ms(seen.load.handshakes.median)}")
    elif seen.handshake_s is not None:
        details.append(f"handshake {_ms(seen.handshake_s)}")
    if seen.further:
        details.append(f"{len(seen.further)} further handshakes")
    reached = [one for one in seen.at_addresses if one.fault is not Fault.UNREACHABLE]
    if reached:
        details.append(f"{len(reached)} addresses")
        details += [f"no route to {one.target.connect_host}" for one in seen.at_addresses if one not in reached]
    if seen.first_event_s is not None:
        details.append(f"first event {_ms(seen.first_event_s)}")
    elif "message" in seen.phases:
        details.append(f"reply {_ms(seen.phases['message'])}")
    if seen.tls is not None:
        details += [seen.tls.version] if seen.tls.version else []
        days = seen.tls.expires_in_days
        if days is not None:
            soon = days < _EXPIRES_SOON_D
            details.append(f"the certificate expires in {days} days" if soon else f"certificate valid for {days} days")
    if seen.hold is not None:
        ended = seen.close is not None and seen.close.by == "server"
        details.append(f"{'ended by the server after' if ended else 'held'} {seen.hold.held_s:.1f} s")
        details.append(f"longest silence {seen.hold.longest_silence_s:.1f} s")
        if seen.target.configured_idle_timeout_s is not None:
            where = seen.target.configured_idle_timeout_from
            place = f" by {where}" if where else ""
            details.append(f"idle timeout {seen.target.configured_idle_timeout_s:g} s{place}")
        trips = seen.hold.trips
        if trips is not None and trips.median is not None:
            details.append(f"median round trip {_ms(trips.median)}")
    return details


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "under 1 ms"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _round_trips(trips: RoundTrips | None) -> dict[str, Any] | None:
    if trips is None:
        return None

    def short(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds, 5)

    return {
        "sent": trips.sent,
        "lost": trips.lost,
        "min": short(trips.min),
        "median": short(trips.median),
        "p95": short(trips.p95),
        "max": short(trips.max),
    }


def _gaps(gaps_s: Sequence[float]) -> dict[str, Any] | None:
    if not gaps_s:
        return None
    ordered = sorted(gaps_s)
    return {
        "count": len(ordered),
        "min": round(ordered[0], 4),
        "median": round(ordered[len(ordered) // 2], 4),
        "max": round(ordered[-1], 4),
    }
