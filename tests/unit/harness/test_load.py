from __future__ import annotations

from load import Counts


def test_an_outage_lasts_from_the_first_failure_to_the_last() -> None:
    counts = Counts(passed=3)
    assert counts.as_result() == {"passed": 3, "failed": 0, "outage_s": 0.0}
    for second in (2.0, 3.0, 6.5):
        counts.fail("502", second)
    assert counts.as_result() == {"passed": 3, "failed": 3, "outage_s": 4.5}
