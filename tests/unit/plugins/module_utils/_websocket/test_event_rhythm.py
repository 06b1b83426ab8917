"""Gaps between events, and events that arrive together."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.event_rhythm import EventRhythm


@pytest.mark.parametrize(
    ("arrivals", "events", "gaps", "largest", "bursts"),
    [
        pytest.param([], 0, [], 0, 0, id="nothing"),
        pytest.param([(0, 1.0)], 0, [], 0, 0, id="a-comment"),
        pytest.param([(1, 1.0), (1, 2.0), (1, 3.5)], 3, [1.0, 1.5], 1, 0, id="one-by-one"),
        pytest.param([(2, 1.0), (2, 2.0)], 4, [1.0], 2, 0, id="two-may-meet"),
        pytest.param([(3, 1.0), (3, 2.0)], 6, [1.0], 3, 2, id="bursts"),
        pytest.param([(5, 1.0), (1, 1.04), (1, 2.0)], 7, [0.04, 0.96], 6, 1, id="one-burst-in-two-pieces"),
        pytest.param([(1, 1.0), (1, 1.04), (1, 1.08), (1, 1.12)], 4, [0.04] * 3, 4, 1, id="a-burst-of-single-ones"),
        pytest.param([(1, 1.0), (1, 1.06), (1, 1.12)], 3, [0.06] * 2, 1, 0, id="fast-but-singly"),
        pytest.param([(2, 1.0), (0, 1.5), (1, 1.04)], 3, [0.04], 3, 1, id="a-comment-changes-nothing"),
    ],
)
def test_the_rhythm_of_a_stream(
    arrivals: list[tuple[int, float]], events: int, gaps: list[float], largest: int, bursts: int
) -> None:
    rhythm = EventRhythm()
    for count, now in arrivals:
        rhythm.add(count, now)
    assert (rhythm.events, rhythm.largest_burst, rhythm.bursts) == (events, largest, bursts)
    assert rhythm.gaps_s == pytest.approx(gaps)
