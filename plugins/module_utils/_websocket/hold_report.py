# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holding a connection open has proven (pure).

A byte in either direction resets a proxy's idle timeout (measured with nginx). So only the longest silence in both
directions at once proves anything about it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .round_trips import RoundTrips

# Default idle timeouts, in seconds, of what can stand between a browser and the backend.
KNOWN_TIMEOUTS = (
    (60.0, "the default of nginx (proxy_read_timeout)"),
    (90.0, "the default of Nginx Proxy Manager"),
    (100.0, "the limit of Cloudflare"),
)
# A report shows no more points than this.
MAX_SAMPLES = 200
# The check measures from the last byte that it saw, the proxy from the last that the proxy saw.
TOLERANCE_S = 0.3


@dataclass(frozen=True)
class HoldReport:
    """What was seen while a connection was held; times in seconds, points in time from its start.

    :param mode: ``quiet``, ``ping`` or ``message``.
    :param samples: Of the first messages, when each was sent and how long its answer took.
    :param arrivals_s: Of the first bytes from the server, when they came.
    :param alive_at_end: Whether the server answered after the last silence. Only then the connection survived it.
    :param silence_at_cut_s: The silence before the connection was cut; None if it was not.
    """

    mode: str
    held_s: float
    interval_s: float
    longest_silence_s: float
    server_pings: int = 0
    trips: RoundTrips | None = None
    samples: Sequence[tuple[float, float]] = ()
    arrivals_s: Sequence[float] = ()
    alive_at_end: bool | None = None
    silence_at_cut_s: float | None = None

    @property
    def idle_timeout_proven_s(self) -> float | None:
        """The silence that the connection has survived: the idle timeout in force is at least that long.

        None where the check broke the silence itself, and where the connection did not survive the last silence.
        """
        if self.mode != "quiet" or self.alive_at_end is not True or self.longest_silence_s < 0.1:
            return None
        return math.floor(self.longest_silence_s * 10) / 10

    def proves(self, expected_s: float | None = None) -> str:
        """One sentence on what the hold proves about idle timeouts."""
        if self.silence_at_cut_s is not None:
            return f"the connection was cut after {self.silence_at_cut_s:.1f} s without a byte in either direction"
        if self.mode != "quiet":
            return f"no idle timeout is proven: the check sent a {self.mode} every {self.interval_s:g} s"
        proven = self.idle_timeout_proven_s
        if proven is None:
            return "no idle timeout is proven: it is not known whether the connection was alive at the end"
        broken = self.longest_silence_s < 0.9 * self.held_s
        if broken and self.server_pings:
            every = self.held_s / self.server_pings if self.server_pings > 1 else self.longest_silence_s
            shown = f"{every:.0f}" if every >= 1 else f"{every:.1f}"
            return f"an idle timeout longer than {proven:g} s is not proven: the server pings about every {shown} s"
        if broken:
            return f"an idle timeout longer than {proven:g} s is not proven: the server sends messages by itself"
        text = f"an idle timeout of at least {proven:g} s is proven"
        if expected_s is not None and expected_s > proven:
            text += f"; the configured {expected_s:g} s is not proven, since the silence was shorter"
        return text


def known_timeout(silence_s: float, expected_s: float | None = None) -> str | None:
    """The known idle timeout that a silence before a cut matches, the configured one first; None for no match."""
    if expected_s is not None and abs(silence_s - expected_s) <= TOLERANCE_S:
        return f"the configured idle timeout of {expected_s:g} s"
    for seconds, whose in KNOWN_TIMEOUTS:
        if abs(silence_s - seconds) <= TOLERANCE_S:
            return whose
    return None
