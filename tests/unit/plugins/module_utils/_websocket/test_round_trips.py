"""Statistics of durations."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.round_trips import (
    RoundTrips,
    quantile,
    round_trips,
)


def test_durations_are_summarised_by_observed_values() -> None:
    assert round_trips([0.3, 0.1, 0.2], lost=1) == RoundTrips(4, 1, 0.1, 0.2, 0.3, 0.3)
    assert round_trips([], lost=2) == RoundTrips(2, 2, None, None, None, None)
    assert round_trips([]) == RoundTrips(0, 0, None, None, None, None)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.05, 1.0), (0.5, 10.0), (0.51, 11.0), (0.95, 19.0), (0.96, 20.0), (1.0, 20.0)]
)
def test_a_quantile_is_the_nearest_rank(share: float, value: float) -> None:
    assert quantile([float(number) for number in range(1, 21)], share) == value
