# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holding a connection open has proven (pure).

An idle timeout of a proxy is reset by a byte in either direction (measured with nginx);
hence only the longest silence in both directions at once says anything about it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Idle timeouts that software in the way has by default, in seconds.
KNOWN_TIMEOUTS = (
    (60.0, "the default of nginx (proxy_read_timeout)"),
    (90.0, "the default of Nginx Proxy Manager"),
    (100.0, "the limit of Cloudflare"),
)
# A cut is measured from the last byte that we saw, the proxy's timer from the last that it saw.
TOLERANCE_S = 0.3


class Silence:
    """Follows the bytes of one connection in both directions; times from one monotonic clock."""

    __slots__ = ("_last", "longest_s")

    def __init__(self, now: float) -> None:
        self._last = now
        self.longest_s = 0.0

    def touch(self, now: float) -> None:
        """A byte was sent or received."""
        # A timestamp taken while reading may be older than one taken while writing.
        if now > self._last:
            self.longest_s = max(self.longest_s, now - self._last)
            self._last = now

    def current_s(self, now: float) -> float:
        return max(0.0, now - self._last)


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


@dataclass(frozen=True)
class HoldReport:
    """What was seen while the connection was held; times in seconds.

    ``alive_at_end`` tells whether the server answered after the last silence; only
    then the silence was survived. ``silence_at_cut_s`` is set when the connection was cut.
    """

    mode: str
    held_s: float
    interval_s: float
    longest_silence_s: float
    server_pings: int = 0
    trips: RoundTrips | None = None
    alive_at_end: bool | None = None
    silence_at_cut_s: float | None = None

    @property
    def idle_timeout_proven_s(self) -> float | None:
        """The longest idle timeout that is certainly not exceeded by what is in the way.

        None in the modes in which we break the silence ourselves, and when the last
        silence was not survived.
        """
        if self.mode != "quiet" or self.alive_at_end is not True or self.longest_silence_s < 0.1:
            return None
        return math.floor(self.longest_silence_s * 10) / 10

    def proves(self, expected_s: float | None = None) -> str:
        """One sentence on what the hold says about idle timeouts."""
        if self.silence_at_cut_s is not None:
            return f"the connection was cut after {self.silence_at_cut_s:.1f} s without a byte in either direction"
        if self.mode != "quiet":
            own = "ping" if self.mode == "ping" else "message"
            return f"no idle timeout is proven: our own {own} every {self.interval_s:g} s broke the silence"
        proven = self.idle_timeout_proven_s
        if proven is None:
            return "no idle timeout is proven: whether the connection was alive at the end is not known"
        broken = self.longest_silence_s < 0.9 * self.held_s
        if broken and self.server_pings:
            every = self.held_s / self.server_pings if self.server_pings > 1 else self.longest_silence_s
            shown = f"{every:.0f}" if every >= 1 else f"{every:.1f}"
            return f"an idle timeout longer than {proven:g} s is not proven: the server pings about every {shown} s"
        if broken:
            return f"an idle timeout longer than {proven:g} s is not proven: the server sends messages of its own"
        text = f"an idle timeout of at least {proven:g} s is proven"
        if expected_s is not None and expected_s > proven:
            text += f"; the configured {expected_s:g} s are not, since the silence was shorter"
        return text


def known_timeout(silence_s: float, expected_s: float | None = None) -> str | None:
    """Name the timeout that a silence before a cut fits, the configured one first."""
    if expected_s is not None and abs(silence_s - expected_s) <= TOLERANCE_S:
        return f"the configured idle timeout of {expected_s:g} s"
    for seconds, whose in KNOWN_TIMEOUTS:
        if abs(silence_s - seconds) <= TOLERANCE_S:
            return whose
    return None
