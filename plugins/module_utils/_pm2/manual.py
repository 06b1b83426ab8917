# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that were started manually and that a managed one replaces: found, saved, and started again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from .._host.files import read_text, write_atomic
from .._host.json_text import json_value
from .._host.sockets import Place
from .definition import ProcessDefinition, ecosystem_entry_of
from .error import Pm2Error
from .plan import belongs_to
from .process import PROJECT_KEY, Pm2Process
from .state import is_held_by

_ENDING = ".json"


def is_manual(process: Pm2Process) -> bool:
    """Whether pm2_process has not started it."""
    return PROJECT_KEY not in process.env


def manual_holders(
    processes: Sequence[Pm2Process], definition: ProcessDefinition, place: Place | None
) -> list[Pm2Process]:
    """Manual processes of other names that run from the directories of the project and listen where it is to."""
    if place is None:
        return []
    names = {
        process.name
        for process in processes
        if process.name != definition.name
        and is_manual(process)
        and belongs_to(process, definition)
        and is_held_by(place, [process.pid])
    }
    return [process for process in processes if process.name in names]


def save_manual(path: str, processes: Sequence[Pm2Process]) -> None:
    """Save manual processes with their environment, privately; nothing is written if none of them is manual.

    :raises Pm2Error: If that is not possible; they must not be replaced then.
    """
    entries = entries_of([process for process in processes if is_manual(process)])
    if not entries:
        return
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, json.dumps({"apps": entries}, indent=1, sort_keys=True) + "\n", mode=0o600)
    except OSError as err:
        raise Pm2Error(f"{path} cannot be written ({err.strerror}), so the manual process is not replaced") from err


def replaced_in(directory: str) -> list[str]:
    """The names of managed processes for which manual ones were saved in a directory."""
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    return sorted(name[: -len(_ENDING)] for name in names if name.endswith(_ENDING) and not name.startswith("."))


def entries_of(processes: Sequence[Pm2Process]) -> list[dict[str, Any]]:
    """One entry of an ecosystem file for each name."""
    names = dict.fromkeys(process.name for process in processes)
    return [ecosystem_entry_of([process for process in processes if process.name == name]) for name in names]


def saved_manual(path: str) -> list[Mapping[str, Any]]:
    """The entries that were saved; empty if there are none.

    :raises Pm2Error: If the file is damaged.
    """
    text = read_text(path, follow=False)
    if text is None:
        return []
    try:
        entries = json_value(text)["apps"]
        if all(isinstance(entry[key], str) for entry in entries for key in ("name", "script")) and all(
            isinstance(entry.get("env", {}), dict) for entry in entries
        ):
            return list(entries)
    except (ValueError, KeyError, TypeError):
        pass
    raise Pm2Error(f"{path} is damaged, so the manual processes cannot be started again")
