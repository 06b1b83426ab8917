# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual environment on disk: whether it is complete and undamaged.

An environment stays where it was created, because its scripts contain that path. Two files in it tell whether it is
complete: ``.building`` from the first step of the installation to the last, ``.complete.json`` after it.
"""

from __future__ import annotations

import csv
import glob
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._host import proc
from .._host.files import read_text, write_atomic
from .._host.json_text import json_value
from .interpreter import Interpreter

COMPLETE = ".complete.json"
BUILDING = ".building"


@dataclass(frozen=True)
class Condition:
    """What was found at the path of an environment.

    :param interrupted: It was never complete, so that no process can run from it.
    :param damage: Why it cannot be used; empty if it can, or does not exist.
    """

    exists: bool
    interrupted: bool = False
    damage: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        return self.exists and not self.interrupted and not self.damage


def read_record(directory: str) -> dict[str, Any] | None:
    """Return what was recorded when an environment was complete; None if there is no record."""
    try:
        record = json_value(read_text(os.path.join(directory, COMPLETE)) or "")
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def mark_building(directory: str) -> None:
    """Mark an environment as incomplete."""
    with open(os.path.join(directory, BUILDING), "x", encoding="utf-8"):
        pass


def mark_complete(directory: str, inputs: Mapping[str, str], python: Interpreter) -> None:
    """Record that an environment is complete, and what is installed in it."""
    record = {"inputs": dict(inputs), "python": python.identity, "distributions": distributions(directory)}
    write_atomic(os.path.join(directory, COMPLETE), json.dumps(record, indent=1, sort_keys=True) + "\n", mode=0o600)
    os.unlink(os.path.join(directory, BUILDING))


def distributions(directory: str) -> list[str]:
    """Return the distributions in an environment, as the names of their metadata directories."""
    return sorted(os.path.basename(path)[: -len(".dist-info")] for path in _metadata(directory))


def _metadata(directory: str) -> list[str]:
    return glob.glob(os.path.join(glob.escape(directory), "lib", "python3*", "site-packages", "*.dist-info"))


def damaged_files(directory: str) -> list[str]:
    """Return installed files that are missing, or whose size is not the recorded one.

    Compiled bytecode is not checked: Python creates it again, and other programs may delete it.
    """
    found = []
    for metadata in _metadata(directory):
        site = os.path.dirname(metadata)
        try:
            with open(os.path.join(metadata, "RECORD"), encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
        except OSError:
            found.append(os.path.join(os.path.basename(metadata), "RECORD"))
            continue
        for row in rows:
            if len(row) != 3 or row[0].endswith(".pyc"):
                continue
            try:
                size = os.stat(os.path.join(site, row[0])).st_size
            except OSError:
                found.append(row[0])
                continue
            if row[0].endswith(".py") and row[2].isdigit() and size != int(row[2]):
                found.append(row[0])
    return found


def examine(directory: str, wanted: Interpreter, found: Interpreter | None) -> Condition:
    """Return whether an environment can be used.

    :param found: The environment's own interpreter; None if it does not run.
    """
    if not os.path.lexists(directory):
        return Condition(exists=False)
    if os.path.lexists(os.path.join(directory, BUILDING)):
        return Condition(exists=True, interrupted=True, damage=("its installation was interrupted",))
    record = read_record(directory)
    if record is None:
        return Condition(exists=True, damage=("the record of its completion is missing",))
    damage = []
    if found is None:
        damage.append("its interpreter is missing or does not run")
    elif found.identity != wanted.identity:
        damage.append(f"its interpreter is {found.identity}, expected {wanted.identity}")
    present = set(distributions(directory))
    missing = [name for name in record.get("distributions", []) if name not in present]
    if missing:
        damage.append(f"packages are missing: {', '.join(missing[:5])}")
    else:
        files = damaged_files(directory)
        if files:
            more = f" and {len(files) - 3} more" if len(files) > 3 else ""
            damage.append(f"installed files are missing or were changed: {', '.join(files[:3])}{more}")
    return Condition(exists=True, damage=tuple(damage))


def end_processes_from(directory: str) -> None:
    """Kill the processes whose interpreter was started from an environment."""
    start = os.path.join(directory, "bin", "")
    found = [pid for pid in proc.pids() if "".join(proc.arguments(pid)[:1]).startswith(start)]
    proc.end_processes(found, patience_s=5, first=signal.SIGKILL)
