# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the events of a stream arrive: the gaps between them, and events that arrive together (pure)."""

from __future__ import annotations

from .observation import BURST

# Events that arrive closer together than this were on their way together.
_TOGETHER_S = 0.05
# Gaps that are kept: a stream of one event a second for the longest hold.
_MAX_GAPS = 100000


class EventRhythm:
    """Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.events = 0
        self.gaps_s: list[float] = []
        #: The largest number of events that arrived together.
        self.largest_burst = 0
        #: How often at least BURST events arrived together.
        self.bursts = 0
        self._last: float | None = None
        self._burst = 0

    def add(self, events: int, now: float) -> None:
        """Count events that have arrived in one piece."""
        if not events:
            return
        gap_s = None if self._last is None else now - self._last
        if gap_s is not None and len(self.gaps_s) < _MAX_GAPS:
            self.gaps_s.append(gap_s)
        before = self._burst if gap_s is not None and gap_s < _TOGETHER_S else 0
        self._burst = before + events
        self.bursts += before < BURST <= self._burst
        self.largest_burst = max(self.largest_burst, self._burst)
        self._last = now
        self.events += events
