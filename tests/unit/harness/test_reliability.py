from __future__ import annotations

from typing import Any

from reliability import page

LOOKED = {"drifted": {"proxy": ["x"]}, "unknown": {}}
REPAIRED: dict[str, Any] = {"looked": LOOKED, "changed": ["proxy"], "ended": "repaired", "passed": True}


def faults(failed: int) -> dict[str, Any]:
    counts = {"passed": 90, "failed": failed, "outage_s": 1.5 if failed else 0.0}
    load = {"pages": counts, "api": counts, "websocket": {**counts, "opened": 3}}
    return {"ended": "killed", "passed": not failed, "load": load, "next_run": ["backend", "release"]}


def test_only_rows_that_ran_are_in_the_page() -> None:
    text = page({"upgrade-line-deleted": REPAIRED}, {}, {}, {})
    assert "1 of 1 rows ended as expected" in text
    assert "| the line with the Upgrade header is deleted, and nginx reloaded | repaired | proxy | proxy |" in text
    assert "### Nginx\n" in text
    assert "### Env file" not in text
    assert not any(title in text for title in ("Pairs of", "Faults during", "Killed at a task"))


def test_a_row_that_failed_is_marked() -> None:
    failed = {**REPAIRED, "ended": "failed after changes", "passed": False}
    text = page({"upgrade-line-deleted": failed}, {}, {}, {})
    assert "0 of 1 rows ended as expected" in text
    assert "| **not as expected**: failed |" in text


def test_failed_page_loads_are_counted_with_their_seconds() -> None:
    line = "| **not as expected**: killed | 10 of 100, for 1.5 s | 10 of 100, for 1.5 s | 3 | backend, release |"
    assert line in page({}, {}, {"killed-at-the-activation": faults(10)}, {})
    assert "| killed | 0 of 90 | 0 of 90 | 3 |" in page({}, {}, {"killed-at-the-activation": faults(0)}, {})


def test_pairs_and_crash_points_are_summed_up() -> None:
    pair = {**REPAIRED, "first": "nginx-stopped", "second": "env-deleted"}
    crash = {**faults(0), "task": "x", "of": 120}
    text = page({}, {"nginx-stopped+env-deleted": pair}, {}, {"000": crash, "001": crash})
    assert "| nginx is stopped | it is deleted | proxy | proxy |" in text
    assert "killed at 2 of its 120 tasks; 2 times the next run finished it" in text
    assert "0 of 180 page loads failed" in text
