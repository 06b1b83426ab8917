# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the manual processes again that a managed one has replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .definition import ecosystem_entry_of
from .error import Pm2Error
from .manual import is_manual
from .plan import NO_CHANGE, ProcessAction, ProcessPlan
from .process import Pm2Process
from .state import Pm2State


def plan_restored(processes: Sequence[Pm2Process], name: str, saved: Sequence[Mapping[str, Any]]) -> ProcessPlan:
    """Compare what runs with the manual processes that were saved; without any, nothing was replaced.

    :param name: Of the managed process that has replaced them.
    """
    if not saved:
        return NO_CHANGE
    reasons = []
    if any(process.name == name and not is_manual(process) for process in processes):
        reasons.append(f"the managed process {name} runs")
    for entry in saved:
        if not any(process.name == entry["name"] and process.online and is_manual(process) for process in processes):
            reasons.append(f"the manual process {entry['name']} does not run")
    return ProcessPlan(ProcessAction.REPLACE, tuple(reasons)) if reasons else NO_CHANGE


def apply_restored(state: Pm2State, name: str, saved: Sequence[Mapping[str, Any]], directory: str) -> None:
    """Delete the managed process, and start the manual ones.

    :raises Pm2Error: If pm2 refuses; the managed process has been started again then.
    """
    pm2 = state.program()
    managed = [process for process in state.named(name) if not is_manual(process)]
    with pm2.prepared(directory) as start:
        for gone in dict.fromkeys([name, *(str(entry["name"]) for entry in saved)]):
            if state.named(gone):
                pm2.call("delete", gone)
        try:
            start(*saved)
        except Pm2Error as err:
            if not managed:
                raise
            started = {process.name for process in pm2.processes()}
            for gone in started & {str(entry["name"]) for entry in saved}:
                pm2.call("delete", gone)
            pm2.apply("start", ecosystem_entry_of(managed), directory)
            raise Pm2Error(f"{err}; the managed process {name} was started again") from err
