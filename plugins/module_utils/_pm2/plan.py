# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The least intrusive action that makes pm2 run a process as it should.

Measured on pm2 7.0.4 (``startOrReload FILE``): a reload takes changed and added variables, arguments and limits. It
ignores a changed script, working directory, execution mode, number of instances or log path, and a removed variable
stays in the process although ``jlist`` no longer lists it in ``env``.
"""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from .definition import NO_PROJECT, OPTIONS_KEY, ProcessDefinition
from .error import UnmanagedProcessError
from .process import PROJECT_KEY, REVISION_KEY, Pm2Process, setting_text
from .settings import SETTING_DEFAULTS

_DELETED = " (deleted)"


class ProcessAction(str, Enum):
    """What is done with the process of one name."""

    NOTHING = "nothing"
    START = "start"
    RELOAD = "reload"
    SCALE = "scale"
    REPLACE = "replace"
    STOP = "stop"
    DELETE = "delete"


@dataclass(frozen=True)
class ProcessDifference:
    """One way in which a process differs from its definition."""

    what: str
    before: str
    after: str
    reason: str
    by_reload: bool
    """Whether a reload corrects it."""


@dataclass(frozen=True)
class ProcessPlan:
    """What to do and why, in words."""

    action: ProcessAction
    reasons: tuple[str, ...] = ()
    differences: tuple[ProcessDifference, ...] = ()


NO_CHANGE = ProcessPlan(ProcessAction.NOTHING)


def belongs_to(process: Pm2Process, definition: ProcessDefinition) -> bool:
    """Whether a process of this name may be replaced by this definition.

    A managed process has its project in its environment. One that was started manually may be replaced if it runs from
    the same directories.
    """
    marker = process.env.get(PROJECT_KEY)
    if marker is not None:
        return not definition.project or marker in (NO_PROJECT, definition.project)
    return in_directories(process, [path for path in (definition.project, definition.cwd, definition.real_cwd) if path])


def in_directories(process: Pm2Process, directories: Sequence[str]) -> bool:
    """Whether a process runs from one of these directories, or a program or file below it."""
    places = [path for path in (process.cwd, process.script, process.live_cwd) if path]
    places += [arg for arg in process.args if arg.startswith("/")]
    return any(_inside(place, root) for place in places for root in directories)


def plan(processes: Sequence[Pm2Process], definition: ProcessDefinition, state: str = "online") -> ProcessPlan:
    """Compare what runs with what should run.

    The revision is read from the process's own environment, so that the next run completes an interrupted deployment.

    :param processes: All that pm2 runs.
    :param state: ``online``, ``stopped`` or ``absent``.
    :raises UnmanagedProcessError: If the process of this name belongs to something else.
    """
    present = [process for process in processes if process.name == definition.name]
    unmanaged = next((process for process in present if not belongs_to(process, definition)), None)
    if unmanaged:
        place = unmanaged.env.get(PROJECT_KEY) or unmanaged.cwd
        raise UnmanagedProcessError(
            f"pm2 already runs a process named {definition.name} that belongs to something else (it runs "
            f"{unmanaged.script} in {place}); choose another name, or delete that process with pm2 delete "
            f"{definition.name}"
        )
    if state == "absent":
        return ProcessPlan(ProcessAction.DELETE, ("it should not exist",)) if present else NO_CHANGE
    if state == "stopped":
        running = [process for process in present if process.status not in ("stopped", "errored")]
        return ProcessPlan(ProcessAction.STOP, (f"it is {running[0].status}",)) if running else NO_CHANGE
    if not present:
        return ProcessPlan(ProcessAction.START, ("no process of this name runs",))
    return plan_online(present, definition)


def plan_online(present: Sequence[Pm2Process], definition: ProcessDefinition) -> ProcessPlan:
    """What makes the processes of one name run as defined.

    :param present: At least one process, all of this name.
    """
    found: list[ProcessDifference] = []
    for process in present:
        known = {item.what for item in found}
        found += [item for item in differences(process, definition) if item.what not in known]
    # The environment of the shell in which a process was started manually is in the diff, but explains nothing.
    manual = any(item.what == "project" for item in found)
    reasons = [item.reason for item in found if not (manual and item.what.startswith("env "))]
    down = [process for process in present if not process.online]
    if down:
        reasons.insert(0, f"it is {down[0].status}")
    if len(present) != definition.instances:
        number = ProcessDifference(
            "instances",
            str(len(present)),
            str(definition.instances),
            f"{len(present)} instances run, not {definition.instances}",
            False,
        )
        reasons.append(number.reason)
        if not found and not down and definition.exec_mode == "cluster" and definition.instances > 0:
            return ProcessPlan(ProcessAction.SCALE, tuple(reasons), (number,))
        found.append(number)
    if len(down) == len(present):
        return ProcessPlan(ProcessAction.START, tuple(reasons), tuple(found))
    if down or any(not item.by_reload for item in found):
        return ProcessPlan(ProcessAction.REPLACE, tuple(reasons), tuple(found))
    if found:
        return ProcessPlan(ProcessAction.RELOAD, tuple(reasons), tuple(found))
    return NO_CHANGE


def differences(process: Pm2Process, definition: ProcessDefinition) -> tuple[ProcessDifference, ...]:
    """Every way in which a running process differs from its definition. Contains no values of variables."""
    found = _command_differences(process, definition)
    for key, default in SETTING_DEFAULTS.items():
        if key not in definition.uncompared:
            before, after = process.settings.get(key, default), definition.settings.get(key, default)
            # A reload keeps a setting that was removed.
            found += _compared(
                key, setting_text(before) or "unset", setting_text(after) or "unset", by_reload=after != default
            )
    found += _env_differences(process, definition)
    if not found:
        found += _directory_differences(process, definition)
    for key in sorted(definition.uncompared) if found else ():
        default = SETTING_DEFAULTS[key]
        before, after = process.settings.get(key, default), definition.settings.get(key, default)
        found += _compared(key, setting_text(before), setting_text(after))
    return tuple(found)


def _compared(
    what: str, before: str, after: str, *, by_reload: bool = False, reason: str = ""
) -> list[ProcessDifference]:
    if before == after:
        return []
    return [ProcessDifference(what, before, after, reason or f"{what} is {before}, not {after}", by_reload)]


def _command_differences(process: Pm2Process, definition: ProcessDefinition) -> list[ProcessDifference]:
    found = _compared("script", process.script, definition.script)
    found += _compared("cwd", process.cwd, definition.cwd)
    found += _compared("interpreter", process.interpreter, definition.interpreter)
    found += _compared("interpreter_args", _joined(process.interpreter_args), _joined(definition.interpreter_args))
    found += _compared("exec_mode", process.exec_mode, definition.exec_mode)
    found += _compared(
        "args", _joined(process.args), _joined(definition.args), by_reload=True, reason="the arguments changed"
    )
    if definition.out_log:
        found += _compared("out_log", process.out_log, definition.out_log)
    if definition.err_log:
        found += _compared("err_log", process.err_log, definition.err_log)
    return found


def _joined(words: Sequence[str]) -> str:
    return " ".join(words) or "none"


def _env_differences(process: Pm2Process, definition: ProcessDefinition) -> list[ProcessDifference]:
    env = definition.full_env()
    found: list[ProcessDifference] = []
    for key in sorted((set(process.env) | set(env)).difference(definition.numbering)):
        before, after = process.env.get(key), env.get(key)
        if before == after:
            continue
        if key == REVISION_KEY:
            reason = f"its revision is {before or 'unknown'}, not {after or 'none'}"
            found.append(ProcessDifference("revision", before or "unknown", after or "none", reason, after is not None))
        elif key == OPTIONS_KEY:
            reason = "further options of the ecosystem file changed"
            found.append(ProcessDifference("options", before or "none", after or "none", reason, False))
        elif key == PROJECT_KEY:
            reason = "it was not started by this module for this project"
            found.append(ProcessDifference("project", before or "none", after or "none", reason, after is not None))
        elif before is None:
            found.append(ProcessDifference(f"env {key}", "unset", "set", f"the variable {key} is missing", True))
        elif after is None:
            reason = f"the variable {key} is set, but not part of the definition"
            found.append(ProcessDifference(f"env {key}", "set", "unset", reason, False))
        else:
            found.append(
                ProcessDifference(f"env {key}", "previous value", "new value", f"the variable {key} changed", True)
            )
    for key in process.leftovers:
        if key not in env:
            reason = f"the variable {key} was removed, but pm2 kept it"
            found.append(ProcessDifference(f"env {key}", "set", "unset", reason, False))
    return found


def _directory_differences(process: Pm2Process, definition: ProcessDefinition) -> list[ProcessDifference]:
    """Find a process that runs in another release than the active one.

    With an equal revision this is no difference, because the other release contains the same build, unless its
    directory was deleted.
    """
    live = process.live_cwd
    if not live or not process.online:
        return []
    if live.endswith(_DELETED):
        gone = live[: -len(_DELETED)]
        reason = f"its directory {gone} no longer exists"
        return [ProcessDifference("directory", gone, definition.real_cwd, reason, True)]
    linked = definition.real_cwd and definition.real_cwd != os.path.normpath(definition.cwd)
    if linked and not definition.revision and live != definition.real_cwd and not _inside(live, definition.real_cwd):
        reason = f"it runs in {live}, while {definition.cwd} is a link to {definition.real_cwd}"
        return [ProcessDifference("directory", live, definition.real_cwd, reason, True)]
    return []


def _inside(path: str, root: str) -> bool:
    path, root = os.path.normpath(path), os.path.normpath(root)
    return path == root or path.startswith(root.rstrip("/") + "/")
