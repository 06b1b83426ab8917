# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollback restores when one of its parts fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from playbook_runs import PlaybookRun, run_playbook
from role_files import ROOT

RELEASE = {
    "path": "/nowhere",
    "manual": False,
    "saved_proxy_state": {},
    "proxy_state": {"provider": "nginx"},
    "records": {"backend_process": {"switch": "restart"}, "frontend_process": {"port": 3000}},
}


def reported(tasks: list[dict[str, Any]], fails: str) -> list[dict[str, Any]]:
    """The tasks with their conditions, each reduced to a report of its name; one of them fails."""
    made = []
    for task in tasks:
        parts = {part: reported(task[part], fails) for part in ("block", "rescue", "always") if part in task}
        name = task["name"]
        action = {"ansible.builtin.fail": {"msg": name}} if name == fails else {"ansible.builtin.debug": {"msg": name}}
        kept = {key: task[key] for key in ("name", "when") if key in task}
        made.append({**kept, **(parts or action)})
    return made


def roll_back(directory: Path, fails: str, **variables: Any) -> PlaybookRun:
    tasks = yaml.safe_load((ROOT / "playbooks/tasks/rollback.yml").read_text(encoding="utf-8"))
    given = {"release_result": RELEASE, "rollback_layers": ["backend", "proxy", "frontend"], **variables}
    play = {"hosts": "localhost", "gather_facts": False, "vars": given, "tasks": reported(tasks, fails)}
    (directory / "rollback.yml").write_text(yaml.safe_dump([play]))
    return run_playbook(directory / "rollback.yml", inventory="localhost,")


def done(run: PlaybookRun) -> list[str]:
    return re.findall(r'"msg": "(.*?)"', run.output)


def test_all_parts_are_restored_and_verified(tmp_path: Path) -> None:
    assert done(roll_back(tmp_path, "")) == [
        "Restore the backend",
        "Restore the proxy",
        "Restore the frontend",
        "Verify the restored state",
        "Stop the instance that is no longer used",
    ]


@pytest.mark.parametrize("fails", ["Restore the backend", "Restore the proxy"])
def test_the_frontend_is_restored_even_if_another_part_fails(fails: str, tmp_path: Path) -> None:
    """Its process would otherwise go on with a release that failed, and be ended with it."""
    run = roll_back(tmp_path, fails)
    assert run.exit_code != 0
    assert "Restore the frontend" in done(run)
    assert "Verify the restored state" not in done(run)
