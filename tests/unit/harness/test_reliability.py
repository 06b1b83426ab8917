from __future__ import annotations

from typing import Any

import pytest
from reliability import page

LOOKED = {"drifted": {"proxy": ["x"]}, "unknown": {}}
REPAIRED: dict[str, Any] = {"looked": LOOKED, "changed": ["proxy"], "ended": "repaired", "passed": True}
FACTS: dict[str, Any] = {
    "drifted": ["proxy"],
    "unknown": [],
    "predicted": ["proxy"],
    "changed": ["proxy"],
    "ended": "repaired",
    "wrong": [],
}


def drift(facts: dict[str, Any], *together: str) -> dict[str, Any]:
    return {
        "together": [*(together or ["upgrade-line-deleted"])],
        "passed": True,
        **({"facts": facts} if facts else {}),
    }


def faults(failed: int) -> dict[str, Any]:
    counts = {"passed": 90, "failed": failed, "outage_s": 1.5 if failed else 0.0}
    load = {"pages": counts, "api": counts, "websocket": {**counts, "opened": 3}}
    return {"ended": "killed", "passed": not failed, "words": "", "load": load, "next_run": ["backend", "release"]}


def test_only_rows_that_ran_are_in_the_page() -> None:
    text = page({"upgrade-line-deleted": drift(FACTS)}, {}, {}, {})
    assert "1 of 1 rows ended as expected" in text
    assert "| the line with the Upgrade header is deleted, and nginx reloaded | repaired | proxy | proxy |" in text
    assert "### Nginx\n" in text
    assert "### Env file" not in text
    assert not any(title in text for title in ("Pairs of", "Faults during", "Killed at a task"))


@pytest.mark.parametrize(
    ("facts", "end"),
    [
        pytest.param({}, "failed", id="it-did-not-end"),
        pytest.param({**FACTS, "ended": "failed after changes"}, "failed", id="the-run-failed"),
        pytest.param({**FACTS, "drifted": ["proxy", "runtime"]}, "repaired", id="the-look-names-more"),
        pytest.param({**FACTS, "predicted": []}, "repaired", id="check-mode-predicts-less"),
        pytest.param({**FACTS, "wrong": ["a file of root"]}, "repaired", id="something-is-left"),
    ],
)
def test_a_row_that_failed_is_marked(facts: dict[str, Any], end: str) -> None:
    text = page({"upgrade-line-deleted": drift(facts)}, {}, {}, {})
    assert "0 of 1 rows ended as expected" in text
    assert f"| **not as expected**: {end} |" in text


def test_rows_that_were_tried_together_have_their_own_layers() -> None:
    both = {
        name: sorted([*FACTS[name], each])
        for name, each in (("drifted", "env_file"), ("predicted", "app_env"), ("changed", "app_env"))
    }
    result = drift({**FACTS, **both}, "timeout-changed", "url-changed")
    text = page({"timeout-changed": result, "url-changed": result}, {}, {}, {})
    assert "2 of 2 rows ended as expected" in text
    assert "| the public URL is another one | repaired | env_file | app_env |" in text


def test_a_row_that_is_not_in_the_table_any_more_is_left_out() -> None:
    assert "0 of 0 rows" in page({"gone": drift(FACTS, "gone")}, {}, {}, {})


def test_failed_page_loads_are_counted_with_their_seconds() -> None:
    line = "| **not as expected**: killed | 10 of 100, for 1.5 s | 10 of 100, for 1.5 s | 3 | backend, release |"
    assert line in page({}, {}, {"killed-at-the-activation": faults(10)}, {})
    assert "| killed | 0 of 90 | 0 of 90 | 3 |" in page({}, {}, {"killed-at-the-activation": faults(0)}, {})


def test_pairs_and_crash_points_are_summed_up() -> None:
    pair = {**REPAIRED, "first": "nginx-stopped", "second": "env-deleted"}
    crash = {**faults(0), "task": "x", "of": 120}
    text = page({}, {"nginx-stopped+env-deleted": pair}, {}, {"000": crash, "001": crash})
    assert "| nginx is stopped | it is deleted | proxy | proxy |" in text
    assert "killed at 2 of its 120 tasks, up to four times in a row; after 2 of them, a run finished it" in text
    assert "0 of 180 page loads failed" in text
