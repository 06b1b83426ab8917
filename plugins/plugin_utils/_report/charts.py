# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry of the charts of a report, in the units of their SVG (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Phases of a handshake, in the order in which they happen. The hold is not one: it would hide all others.
PHASES = ("resolve", "tcp", "tls", "upgrade", "message")
_SMALLEST = 1.0


@dataclass(frozen=True)
class Bar:
    """A part of a line: where it begins and how long it is, and what it stands for."""

    label: str
    x: float
    width: float
    seconds: float


@dataclass(frozen=True)
class Dot:
    """A point of a curve, with the text that belongs to it."""

    x: float
    y: float
    label: str
    passed: bool = True


def waterfalls(checks: Sequence[Mapping[str, Any]], width: float) -> list[tuple[str, list[Bar], float]]:
    """For each check its phases one after the other, on a scale that all checks share.

    :returns: Name, bars, and seconds of all phases together; checks without a connection are left out.
    """
    rows = []
    for check in checks:
        phases = [
            (name, float(check["phases"][name])) for name in PHASES if (check["phases"] or {}).get(name) is not None
        ]
        if phases:
            rows.append((str(check["name"]), phases, sum(seconds for _name, seconds in phases)))
    longest = max((total for _name, _phases, total in rows), default=0.0) or 1.0
    drawn = []
    for name, phases, total in rows:
        x, bars = 0.0, []
        for phase, seconds in phases:
            size = max(_SMALLEST, width * seconds / longest) if seconds else 0.0
            bars.append(Bar(phase, round(x, 1), round(size, 1), seconds))
            x += size
        drawn.append((name, bars, total))
    return drawn


@dataclass(frozen=True)
class Hold:
    """The line of a connection that was held: where something came from the server, and the longest silence.

    :param arrivals: Positions on the line.
    :param silence: Where the longest silence begins and how long it is, on the line.
    """

    name: str
    seconds: float
    arrivals: Sequence[float]
    silence: tuple[float, float]


def holds(checks: Sequence[Mapping[str, Any]], width: float) -> list[Hold]:
    """A line for each check that held its connection; its whole hold is as long as ``width``."""
    lines = []
    for check in checks:
        held_s = float(check["held_s"] or 0.0)
        if held_s <= 0:
            continue
        arrivals = [min(float(second), held_s) for second in check["arrivals_s"] or ()]
        marks = [0.0, *arrivals, held_s]
        begin, end = max(zip(marks, marks[1:]), key=lambda pair: pair[1] - pair[0])
        scale = width / held_s
        lines.append(
            Hold(
                str(check["name"]),
                held_s,
                [round(second * scale, 1) for second in arrivals],
                (round(begin * scale, 1), round((end - begin) * scale, 1)),
            )
        )
    return lines


def curve(values: Sequence[tuple[float, float]], width: float, height: float) -> list[tuple[float, float]]:
    """Points of a curve in a field with its origin at the bottom left, which begins at 0 on the vertical axis.

    :param values: Pairs of a position and a value, both 0 or more.
    """
    if not values:
        return []
    last = max(position for position, _value in values) or 1.0
    highest = max(value for _position, value in values) or 1.0
    return [
        (round(width * position / last, 1), round(height - height * value / highest, 1)) for position, value in values
    ]


def history(reports: Sequence[Mapping[str, Any]], width: float, height: float) -> list[Dot]:
    """A dot for each report, the oldest first, at the height of its slowest handshake."""
    slowest = [
        max((float((check["phases"] or {}).get("upgrade") or 0.0) for check in report["checks"]), default=0.0)
        for report in reports
    ]
    points = curve(list(enumerate(slowest)), width, height)
    return [
        Dot(
            x,
            y,
            f"{report['finished_at']}: {report['verdict']}, slowest handshake {seconds * 1000:.0f} ms",
            report["verdict"] == "passed",
        )
        for (x, y), report, seconds in zip(points, reports, slowest)
    ]
