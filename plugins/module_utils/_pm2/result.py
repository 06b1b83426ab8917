# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pm2_process returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .definition import ProcessDefinition
from .plan import ProcessAction, ProcessPlan
from .process import PROJECT_KEY, Pm2Process
from .state import Pm2State

_STATUS_AFTER = {ProcessAction.STOP: "stopped", ProcessAction.DELETE: "absent"}


def empty_result() -> dict[str, Any]:
    """All keys of a result, for a failure before anything is known."""
    return {
        "changed": False,
        "action": ProcessAction.NOTHING.value,
        "reasons": [],
        "pid": None,
        "pids": [],
        "restarts": 0,
        "revision": "",
        "status": "",
        "healthy": None,
        "downtime_s": None,
        "duration_s": 0.0,
        "project_processes": [],
        "daemon_version": "",
        "pm2_version": "",
        "saved": False,
        "diff": [],
    }


def state_result(state: Pm2State, definition: ProcessDefinition) -> dict[str, Any]:
    """The part of a result that describes what runs."""
    present = state.named(definition.name)
    pids = [process.pid for process in present if process.pid > 0]
    siblings = {
        process.name
        for process in state.processes
        if definition.project and process.name != definition.name and process.env.get(PROJECT_KEY) == definition.project
    }
    return {
        "pid": pids[0] if pids else None,
        "pids": pids,
        "restarts": sum(process.restarts for process in present),
        "revision": present[0].revision if present else "",
        "status": present[0].status if present else "absent",
        "project_processes": sorted(siblings),
        "daemon_version": state.daemon.version if state.daemon else "",
        "pm2_version": state.pm2.version() if state.pm2 else "",
    }


def diff_of(plan: ProcessPlan, name: str, present: Sequence[Pm2Process]) -> list[dict[str, str]]:
    """What a plan changes, for diff mode; empty if nothing does."""
    before = "".join(f"{item.what}: {item.before}\n" for item in plan.differences)
    after = "".join(f"{item.what}: {item.after}\n" for item in plan.differences)
    status = present[0].status if present else "absent"
    then = _STATUS_AFTER.get(plan.action, "online")
    if plan.action is not ProcessAction.NOTHING and (status != then or not plan.differences):
        how = f" ({plan.action.value})" if status == then else ""
        before, after = f"status: {status}\n{before}", f"status: {then}{how}\n{after}"
    header = f"pm2 process {name}"
    diff = {"before_header": header, "after_header": header, "before": before, "after": after}
    return [diff] if before != after else []
