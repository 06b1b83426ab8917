# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual environment on disk: whether it is complete and undamaged.

An environment stays where it was created, because its scripts contain that path. Two files in it tell whether it is
complete: ``.building`` from the first step of the installation to the last, ``.complete.json`` after it.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from .._host import proc
from .._host.files import write_atomic
from .._release.installed import BUILDING, COMPLETE, distributions, read_record, why_damaged
from .interpreter import Interpreter


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


def mark_building(directory: str) -> None:
    """Mark an environment as incomplete."""
    with open(os.path.join(directory, BUILDING), "x", encoding="utf-8"):
        pass


def mark_complete(directory: str, inputs: Mapping[str, str], python: Interpreter) -> None:
    """Record that an environment is complete, and what is installed in it."""
    record = {"inputs": dict(inputs), "python": python.identity, "distributions": distributions(directory)}
    write_atomic(os.path.join(directory, COMPLETE), json.dumps(record, indent=1, sort_keys=True) + "\n", mode=0o600)
    os.unlink(os.path.join(directory, BUILDING))


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
    return Condition(exists=True, damage=(*damage, *why_damaged(directory, record)))


def end_processes_from(directory: str) -> None:
    """Kill the processes whose interpreter was started from an environment."""
    start = os.path.join(directory, "bin", "")
    found = [pid for pid in proc.pids() if "".join(proc.arguments(pid)[:1]).startswith(start)]
    proc.end_processes(found, patience_s=5, first=signal.SIGKILL)
