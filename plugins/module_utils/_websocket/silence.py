# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long no byte has passed over a connection (pure)."""

from __future__ import annotations


class Silence:
    """Follows the bytes of one connection in both directions; times are seconds of one monotonic clock."""

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
