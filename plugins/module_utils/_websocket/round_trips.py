# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics of durations (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RoundTrips:
    """Statistics of round trips in seconds; None where none was completed."""

    sent: int
    lost: int
    min: float | None
    median: float | None
    p95: float | None
    max: float | None


def round_trips(times_s: Sequence[float], lost: int = 0) -> RoundTrips:
    """Summarise; the percentile is the nearest rank, an observed value."""
    ordered = sorted(times_s)
    if not ordered:
        return RoundTrips(lost, lost, None, None, None, None)
    return RoundTrips(
        sent=len(ordered) + lost,
        lost=lost,
        min=ordered[0],
        median=quantile(ordered, 0.5),
        p95=quantile(ordered, 0.95),
        max=ordered[-1],
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank quantile of a sorted, non-empty sequence."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
