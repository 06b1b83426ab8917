# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of pm2_process: look, plan, change, judge."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._host.proc import age_s, end_processes
from .._host.programs import find_program
from .._host.progress import Say, unwatched
from .._host.redaction import secrets_of
from .._host.sockets import Place
from .change import apply, make_place, refuse_held_place, refuse_home_of_another_user, refuse_missing_files
from .client import Pm2
from .daemon import find_daemon, orphans
from .definition import ProcessDefinition
from .downtime import DowntimeWatch
from .dump import dump_is_current, merged_dump
from .dump_file import close_dumps, exposed_dumps, read_dump, write_dump
from .ecosystem import ENV_PREFIX
from .environment import base_env
from .error import Pm2Error
from .handover import incoming_of, remove_incoming
from .health import UnhealthyError, await_health
from .health_check import HealthCheck, health_check_from
from .logs import log_sizes, log_tail, refuse_closed_logs
from .manual import manual_holders, save_manual, saved_manual
from .never_ready import note_never_ready, without_waiting
from .options import definition_from
from .plan import NO_CHANGE, ProcessAction, ProcessPlan, plan, plan_online
from .process import Pm2Process
from .restore import apply_restored, plan_restored
from .result import diff_of, state_result
from .starting import await_listening
from .state import Pm2State, SharedList, look

_STARTS = frozenset({ProcessAction.START, ProcessAction.REPLACE, ProcessAction.RELOAD})
_ORPHANS_END_WITHIN_S = 5.0
_EXPOSED = "pm2's saved list of processes, which contains their secrets, is no private file of its user"
_UNSAVED = "pm2 has no saved list of processes"
_STALE = "pm2's saved list of processes is not what runs"
#: What any change of one process repairs for all of them: the list is saved then.
SHARED_REASONS = frozenset({_EXPOSED, _UNSAVED})


class FailedError(Exception):
    """The process was changed and is not healthy."""

    def __init__(self, message: str, result: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.result = dict(result)


def ask_beforehand() -> SharedList | None:
    """Ask pm2 what it runs, for several calls of :func:`manage` in check mode; nothing if no daemon runs."""
    executable, _node, base, home = _programs()
    if executable is None or find_daemon(home) is None:
        return None
    return SharedList(Pm2(executable, base, home))


def _programs() -> tuple[str | None, str | None, dict[str, str], str]:
    """The programs pm2 and node, the environment of pm2, and the home of its daemon."""
    executable, node = find_program("pm2"), find_program("node")
    base = base_env(os.path.dirname(node) if node else "")
    return executable, node, base, os.environ.get("PM2_HOME") or os.path.join(base["HOME"], ".pm2")


def manage(
    params: Mapping[str, Any],
    *,
    check: bool,
    directory: str,
    env_text: str | None = None,
    shared: SharedList | None = None,
    say: Say = unwatched,
) -> tuple[dict[str, Any], list[str]]:
    """Make pm2 run a process as the options say.

    :param params: The options of pm2_process.
    :param check: Whether this is check mode, in which nothing is changed.
    :param directory: For temporary files.
    :param env_text: What the env file will contain, instead of what it contains now.
    :param shared: What pm2 runs, if it was asked beforehand.
    :param say: Is told what is being done.
    :returns: The result, and what the user should be warned of.
    :raises Pm2Error: If something is in the way; nothing was changed then, or the text says what was.
    :raises FailedError: If the process was changed and is not healthy.
    """
    run = _look_and_plan(params, check=check, env_text=env_text, shared=shared)
    run.say = say
    online = params["state"] == "online"
    healthy: bool | None = None
    if online and not run.acts:
        run.plan = _judged(run)
        healthy = not run.acts
    if run.plan.action in _STARTS and not run.saved:
        refuse_closed_logs(run.definition, run.home)
    dump_reasons = [*_incoming_reasons(run), *_dump_reasons(run)]
    changed = run.acts or bool(dump_reasons)
    result: dict[str, Any] = {
        "changed": changed,
        "action": run.plan.action.value,
        "reasons": [*run.plan.reasons, *dump_reasons],
        "saved": changed,
        "healthy": healthy,
        "downtime_s": None,
        "duration_s": 0.0,
        "diff": diff_of(run.plan, run.definition.name, run.present),
    }
    if changed and not check:
        if run.acts:
            _change(run, directory, result)
        if run.state.daemon:
            remove_incoming(run.state, run.definition)
        _save(run, bool(dump_reasons))
    return {**result, **state_result(run.state, run.definition)}, run.warnings


@dataclass
class _Run:
    """What is known while a run goes on."""

    params: Mapping[str, Any]
    definition: ProcessDefinition
    check: HealthCheck
    home: str
    path: str
    state: Pm2State
    plan: ProcessPlan
    orphans: list[int]
    replaced: Sequence[Pm2Process] = ()
    """Manual processes of other names that are replaced."""
    saved: Sequence[Mapping[str, Any]] = ()
    """Manual processes that were replaced, and that are started again."""
    warnings: list[str] = field(default_factory=list)
    say: Say = unwatched

    @property
    def acts(self) -> bool:
        return self.plan.action is not ProcessAction.NOTHING

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all processes that this run changes."""
        others = (*(process.name for process in self.replaced), *(str(entry["name"]) for entry in self.saved))
        return tuple(dict.fromkeys((self.definition.name, *others)))

    @property
    def present(self) -> list[Pm2Process]:
        """The instances of this name."""
        return self.state.named(self.definition.name)


def _look_and_plan(params: Mapping[str, Any], *, check: bool, env_text: str | None, shared: SharedList | None) -> _Run:
    executable, node, base, home = _programs()
    health = health_check_from(params)
    definition = without_waiting(definition_from(params, node or "node", base, check=check, env_text=env_text), home)
    refuse_home_of_another_user(home)
    saved: Sequence[Mapping[str, Any]] = ()
    if params["state"] == "restored":
        saved = saved_manual(params["manual_file"])
        # Their secrets are removed from what pm2 and they print.
        definition = replace(definition, env={k: v for entry in saved for k, v in dict(entry.get("env", {})).items()})
    state = look(home, Pm2(executable, base, home, secrets_of(definition.env)) if executable else None, shared)
    replaced: Sequence[Pm2Process] = ()
    if params["state"] == "restored":
        chosen = plan_restored(state.processes, definition.name, saved)
    else:
        chosen = plan(state.processes, definition, params["state"])
        if params["take_over"]:
            replaced = manual_holders(state.processes, definition, health.place)
            chosen = _with_replaced(chosen, replaced, health.place, present=bool(state.named(definition.name)))
    left = orphans(definition.name, home, state.daemon)
    if chosen.action is ProcessAction.START and not replaced:
        chosen = _with_circumstances(chosen, state, left, check=check)
    warnings = [*_daemon_warnings(state, home, definition.name), *_unused_warnings(definition, params)]
    return _Run(params, definition, health, home, base["PATH"], state, chosen, left, replaced, saved, warnings)


def _with_replaced(
    chosen: ProcessPlan, replaced: Sequence[Pm2Process], place: Place | None, *, present: bool
) -> ProcessPlan:
    """Add manual processes of other names to the plan."""
    if not replaced:
        return chosen
    names = dict.fromkeys(process.name for process in replaced)
    kind = "socket" if isinstance(place, str) else "port"
    reasons = [f"the manual process {name} has its {kind} and is replaced" for name in names]
    action = chosen.action
    if action in (ProcessAction.NOTHING, ProcessAction.RELOAD, ProcessAction.SCALE):
        action = ProcessAction.REPLACE if present else ProcessAction.START
    return replace(chosen, action=action, reasons=(*chosen.reasons, *reasons))


def _with_circumstances(chosen: ProcessPlan, state: Pm2State, left: list[int], *, check: bool) -> ProcessPlan:
    """Add to the reasons of a start why nothing runs yet.

    :raises Pm2Error: If there is no pm2 and it is needed now.
    """
    if not state.pm2:
        if not check:
            raise Pm2Error("there is no program pm2 on this host; deploy with the role runtime, which installs it")
        return replace(chosen, reasons=("pm2 is not installed yet",))
    reasons = chosen.reasons
    if not state.daemon:
        reasons = ("no pm2 daemon runs", *reasons)
    if left:
        numbers = ", ".join(str(pid) for pid in left)
        reasons = (*reasons, f"a pm2 daemon that died left it running (pid {numbers})")
    return replace(chosen, reasons=reasons)


def _judged(run: _Run) -> ProcessPlan:
    """Judge a process whose definition is right; one that just started is given its time.

    :raises Pm2Error: If another program has its port.
    """
    ages = [age for age in (age_s(process.pid) for process in run.present) if age is not None]
    patience_s = max(2.0, run.check.timeout_s - min(ages, default=0.0)) if ages else 0.0
    # A refused handshake is no reason to replace a process that answers otherwise: the inputs may be wrong.
    check = replace(run.check, websocket=None) if run.check.url else run.check
    try:
        await_health(check, run.state, run.definition, time.monotonic() + patience_s, run.say)
    except UnhealthyError as err:
        if err.port_held:
            raise Pm2Error(f"{run.definition.name} cannot serve: {err}") from err
        return ProcessPlan(ProcessAction.REPLACE, (f"it is not healthy: {err}",))
    return NO_CHANGE


def _change(run: _Run, directory: str, result: dict[str, Any]) -> None:
    """Carry out the plan, verify that it took effect, and wait until the process is healthy."""
    sizes = log_sizes(run.present)
    online = run.params["state"] in ("online", "restored")
    starts = run.plan.action in _STARTS
    if starts:
        ending = [*run.orphans, *(process.pid for process in run.replaced)]
        if not run.saved:
            refuse_missing_files(run.definition, run.path)
        refuse_held_place(run.check.place, run.state, run.definition, ending)
        make_place(run.check.place)
    end_processes(run.orphans, patience_s=_ORPHANS_END_WITHIN_S)
    began = time.monotonic()
    if run.params["manual_file"] and not run.saved:
        save_manual(run.params["manual_file"], [*run.present, *run.replaced])
    place = run.check.place if online else None
    run.say(run.plan.action.value, "")
    with DowntimeWatch(place) if place else contextlib.nullcontext() as watch:
        if run.saved:
            apply_restored(run.state, run.definition.name, run.saved, directory)
        else:
            apply(run.plan.action, run.state, run.definition, directory, run.replaced, run.check.port)
        warning = note_never_ready(run.definition, run.home, time.monotonic() - began) if starts else ""
        run.warnings += [warning] if warning else []
        if starts and watch:
            await_listening(watch, run.home, run.definition.name)
        run.state = look(run.home, run.state.pm2)
        if run.plan.action is ProcessAction.RELOAD and _differs(run):
            # Another version of pm2 may ignore more than the one that was measured.
            apply(ProcessAction.REPLACE, run.state, run.definition, directory, port=run.check.port)
            run.state = look(run.home, run.state.pm2)
            result["action"] = ProcessAction.REPLACE.value
        if online:
            _settle(run, sizes, result)
    result["downtime_s"] = watch.downtime_s if watch else None
    result["duration_s"] = round(time.monotonic() - began, 2)


def _differs(run: _Run) -> bool:
    return bool(run.present) and bool(plan_online(run.present, run.definition).differences)


def _settle(run: _Run, sizes: Mapping[str, int], result: dict[str, Any]) -> None:
    """Wait until the process is healthy.

    :raises FailedError: If it does not become so.
    """
    try:
        deadline = time.monotonic() + run.check.timeout_s
        await_health(run.check, run.state, _judged_definition(run), deadline, run.say)
    except UnhealthyError as err:
        tail = log_tail(run.present, sizes, secrets_of(run.definition.env))
        failed = {**result, **state_result(run.state, run.definition), "healthy": False, "log_tail": tail}
        said = "its log ends with: " + " | ".join(tail[-6:]) if tail else "its log has no new lines"
        raise FailedError(f"{run.definition.name} was started but is not healthy: {err}; {said}", failed) from err
    result["healthy"] = True


def _judged_definition(run: _Run) -> ProcessDefinition:
    """The process whose health counts: of those that are started again, the one that had the port."""
    if not run.saved:
        return run.definition
    entry = run.saved[-1]
    return ProcessDefinition(name=str(entry["name"]), instances=int(entry.get("instances", 1)))


def _save(run: _Run, dump_is_stale: bool) -> None:
    """Save the list for the next boot."""
    if run.state.daemon and run.state.pm2:
        run.state.pm2.save(*run.names)
    elif dump_is_stale:
        close_dumps(run.home)
        write_dump(run.home, merged_dump(read_dump(run.home) or [], [], run.definition.name))


def _incoming_reasons(run: _Run) -> list[str]:
    """A temporary instance that a run left when it was killed."""
    left = incoming_of(run.state, run.definition)
    return [f"the temporary process {left[0].name} is left from a replacement"] if left else []


def _dump_reasons(run: _Run) -> list[str]:
    """Why the list for the next boot must be saved, whatever happens to the process."""
    reasons = []
    if exposed_dumps(run.home):
        reasons.append(_EXPOSED)
    saved = read_dump(run.home)
    stale = not dump_is_current(saved, run.state.processes, run.definition.name)
    if stale and not run.acts and (run.state.daemon or run.params["state"] == "absent"):
        reasons.append(_UNSAVED if saved is None else _STALE)
    return reasons


def _unused_warnings(definition: ProcessDefinition, params: Mapping[str, Any]) -> list[str]:
    """Keys of the ecosystem file that have no effect, and that a user may rely on."""
    if not definition.unused:
        return []
    blocks = any(key.startswith(ENV_PREFIX) for key in definition.unused) and not params["ecosystem_env"]
    remedy = "; staging_ecosystem_env chooses a block of variables, such as staging for env_staging" if blocks else ""
    return [
        f"{', '.join(definition.unused)} of the application {definition.name} in {params['ecosystem_file']} "
        f"{'have' if len(definition.unused) > 1 else 'has'} no effect{remedy}"
    ]


def _daemon_warnings(state: Pm2State, home: str, name: str) -> list[str]:
    if not state.daemon:
        others = sorted({str(entry.get("name")) for entry in read_dump(home) or () if entry.get("name") != name})
        if others:
            return [
                f"No pm2 daemon runs, but its saved list has other processes ({', '.join(others)}); they are left as "
                "they are, and `pm2 resurrect` starts them."
            ]
        return []
    on_disk = state.pm2.version() if state.pm2 else ""
    if on_disk and state.daemon.version != on_disk:
        return [
            f"The running pm2 daemon has version {state.daemon.version}, the program on the disk {on_disk}; "
            "`pm2 update` would replace the daemon and restart everything that it runs."
        ]
    return []
