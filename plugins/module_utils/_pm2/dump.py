# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of processes that pm2 starts at the next boot, compared and merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .process import Pm2Process, parse_process


def merged_dump(
    previous: Sequence[Mapping[str, Any]], fresh: Sequence[Mapping[str, Any]], *names: str
) -> list[Mapping[str, Any]]:
    """The entries of some names as they run now, and all others as their owner saved them."""
    kept = [entry for entry in previous if entry.get("name") not in names]
    return kept + [entry for entry in fresh if entry.get("name") in names]


def dump_is_current(dump: Sequence[Mapping[str, Any]] | None, running: Sequence[Pm2Process], name: str) -> bool:
    """Whether a reboot would start the processes of one name as they run now."""
    saved = [parse_process(entry) for entry in dump or () if entry.get("name") == name]
    now = [process for process in running if process.name == name]
    if len(saved) != len(now):
        return False
    return all(_essence(before) == _essence(after) for before, after in zip(_ordered(saved), _ordered(now)))


def _ordered(processes: Iterable[Pm2Process]) -> list[Pm2Process]:
    return sorted(processes, key=lambda process: (process.status != "online", process.script))


def _essence(process: Pm2Process) -> tuple[Any, ...]:
    return (
        process.script,
        process.cwd,
        process.args,
        process.interpreter,
        process.exec_mode,
        dict(process.env),
        process.status in ("stopped", "errored"),
    )
