"""When a deployment is refused because its releases cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from rendering import render
from role_files import ROOT


def tasks_in(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_in(task.get(part, []))


def names_and_conditions() -> tuple[list[str], list[str]]:
    plays = yaml.safe_load((ROOT / "playbooks/deploy_staging.yml").read_text(encoding="utf-8"))
    tasks = list(tasks_in([task for play in plays for task in play.get("tasks", [])]))
    task = next(task for task in tasks if task["name"] == "Refuse releases that cannot be read")
    return [task["name"] for task in tasks], task["when"]


@pytest.mark.parametrize(
    ("state", "looks", "predicts", "parts", "refused"),
    [
        pytest.param("unknown", True, False, ["release"], True, id="run"),
        pytest.param("unknown", True, True, ["release"], True, id="check-mode"),
        # The second look of a run has the programs; a prediction has no second look.
        pytest.param("unknown", True, True, ["runtime", "release"], False, id="check-mode-without-the-runtime"),
        pytest.param("unknown", True, False, ["runtime", "release"], True, id="run-with-the-runtime"),
        pytest.param("drifted", True, False, ["release"], False, id="drifted"),
        pytest.param("in_sync", True, False, [], False, id="in-sync"),
        pytest.param("unknown", False, False, ["release"], False, id="part-of-a-run"),
    ],
)
def test_releases_that_cannot_be_read_are_refused(
    state: str, looks: bool, predicts: bool, parts: list[str], refused: bool
) -> None:
    layers = [{"layer": "runtime", "state": "in_sync"}, {"layer": "release", "state": state}]
    given = {"__run_looks": looks, "__run_predicts": predicts, "__run_parts": parts, "drift_result": {"layers": layers}}
    _, conditions = names_and_conditions()
    assert all(render("{{ " + condition + " }}", given) for condition in conditions) is refused


def test_they_are_refused_after_the_runtime_and_before_anything_that_is_rolled_back() -> None:
    names, _ = names_and_conditions()
    order = [
        "Compare again, with the runtime",
        "Refuse releases that cannot be read",
        "Deploy, or roll back to the last verified state",
        "Change what differs, or predict it",
    ]
    assert [names.index(name) for name in order] == sorted(names.index(name) for name in order)
