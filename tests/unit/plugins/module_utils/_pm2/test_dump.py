"""The list of processes that pm2 starts at the next boot."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.dump import dump_is_current, merged_dump
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import parse_process

SAVED = {
    "name": "web",
    "pm_exec_path": "/srv/app/server.js",
    "pm_cwd": "/srv/app",
    "args": ["--a"],
    "exec_interpreter": "node",
    "env": {"PORT": "14100"},
    "status": "online",
    "exec_mode": "fork_mode",
}
RUNNING = parse_process(SAVED)


def test_the_entries_of_others_stay_as_their_owner_saved_them() -> None:
    previous = [{"name": "theirs", "saved": 1}, {"name": "web", "old": 1}]
    fresh = [{"name": "theirs", "saved": 2}, {"name": "unsaved"}, {"name": "web", "new": 1}]
    assert merged_dump(previous, fresh, "web") == [{"name": "theirs", "saved": 1}, {"name": "web", "new": 1}]
    assert merged_dump(previous, [], "web") == [{"name": "theirs", "saved": 1}]


def test_the_list_is_current_when_it_has_what_runs() -> None:
    assert dump_is_current([{"name": "other"}, SAVED], [RUNNING, parse_process({"name": "third"})], "web")
    assert dump_is_current(None, [], "web")
    assert not dump_is_current(None, [RUNNING], "web")
    assert not dump_is_current([SAVED, SAVED], [RUNNING], "web")
    assert not dump_is_current([SAVED], [], "web")


@pytest.mark.parametrize(
    "change",
    [
        {"pm_exec_path": "/old.js"},
        {"pm_cwd": "/old"},
        {"args": []},
        {"exec_interpreter": "bun"},
        {"exec_mode": "cluster_mode"},
        {"env": {"PORT": "1"}},
        {"status": "stopped"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_list_that_differs_is_not_current(change: dict[str, Any]) -> None:
    assert not dump_is_current([{**SAVED, **change}], [RUNNING], "web")


def test_the_order_of_the_instances_does_not_count() -> None:
    stopped = {**SAVED, "status": "stopped", "pm_exec_path": "/z.js"}
    running = [parse_process(stopped), RUNNING]
    assert dump_is_current([SAVED, stopped], running, "web")
