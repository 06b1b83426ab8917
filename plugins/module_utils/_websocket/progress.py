# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check is doing at the moment, for its line of progress (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .observation import Observation


def doing(observations: Sequence[Observation], hold_s: float, now: float) -> tuple[str, str]:
    """The phase and its detail.

    :param now: Seconds of the clock that ``held_since`` is from.
    """
    held = [seen for seen in observations if seen.held_since is not None]
    if not held:
        return "handshake", ""
    elapsed_s = min(hold_s, now - min(seen.held_since or now for seen in held))
    still_open = sum(seen.fault is None for seen in held)
    parts = [f"{elapsed_s:.0f} of {hold_s:g} s", f"{still_open} of {len(held)} connections open"]
    trips = [seen.last_round_trip_s for seen in held if seen.last_round_trip_s is not None]
    if trips:
        parts.append(f"last round trip {max(trips) * 1000:.0f} ms")
    return "hold", ", ".join(parts)
