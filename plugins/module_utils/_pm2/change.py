# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making pm2 run a process as planned."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence

from .._host.programs import find_program
from .._host.sockets import Place, named
from .definition import ProcessDefinition, ecosystem_entry
from .error import Pm2Error
from .handover import can_hand_over, handover, incoming_of
from .interpreter import INSTALLED_PROGRAMS
from .manual import entries_of
from .plan import ProcessAction
from .process import Pm2Process
from .settings import listen_timeout_s
from .state import Pm2State, is_held_by, other_holder

_RELOAD_WITHIN_S = 120.0


def refuse_home_of_another_user(home: str) -> None:
    """A call as another user would start a second daemon, with files that the owner of the first cannot read.

    :raises Pm2Error: If the pm2 directory belongs to another user.
    """
    try:
        owner = os.stat(home).st_uid
    except OSError:
        return
    if owner != os.getuid():
        name = pwd.getpwuid(owner).pw_name
        raise Pm2Error(f"the pm2 directory {home} belongs to {name}; run this task as {name} (become_user)")


def refuse_missing_files(definition: ProcessDefinition, path: str) -> None:
    """Find out before anything is stopped what would keep the process from starting.

    :param path: The ``PATH`` of the process.
    :raises Pm2Error: With what is missing.
    """
    start = f"the process {definition.name} cannot be started: "
    if not os.path.isdir(definition.cwd):
        raise Pm2Error(f"{start}its directory {definition.cwd} does not exist")
    if not os.path.isfile(definition.script):
        where, name = os.path.split(definition.script)
        more = f", and {' and '.join(INSTALLED_PROGRAMS)} there and PATH have no program {name}"
        raise Pm2Error(f"{start}its script {definition.script} does not exist{more if where == definition.cwd else ''}")
    if definition.interpreter == "none":
        if not os.access(definition.script, os.X_OK):
            raise Pm2Error(f"{start}{definition.script} is not executable")
    elif not find_program(definition.interpreter, path.split(":")):
        raise Pm2Error(f"{start}there is no interpreter {definition.interpreter}")


def make_place(place: Place | None) -> None:
    """Create the directory of a socket, so that the program can make the socket and the web server gets through.

    :raises Pm2Error: If it cannot be created.
    """
    if not isinstance(place, str):
        return
    missing, directory = [], os.path.dirname(place)
    while not os.path.isdir(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    try:
        for path in reversed(missing):
            os.mkdir(path)
            # Whatever the umask is.
            os.chmod(path, 0o755)  # noqa: S103 - the web server has to get through
    except OSError as err:
        raise Pm2Error(f"the directory of health_socket {place} cannot be created: {err.strerror}") from err


def refuse_held_place(
    place: Place | None, state: Pm2State, definition: ProcessDefinition, ending: Sequence[int]
) -> None:
    """Find out before anything is stopped whether another program listens where this one is to.

    :param ending: Processes that will be ended before the start.
    :raises Pm2Error: With the program.
    """
    if place is None or is_held_by(place, ending):
        return
    present = [*state.named(definition.name), *incoming_of(state, definition)]
    holder = other_holder(place, state.daemon, present)
    if holder and state.daemon:
        other = next((item for item in state.processes if _is_other_holder(item, definition, place)), None)
        holder = f"the pm2 process {other.name}" if other else holder
    if holder:
        raise Pm2Error(f"{definition.name} cannot be started: {named(place)} is held by {holder}; nothing was changed")


def _is_other_holder(process: Pm2Process, definition: ProcessDefinition, place: Place) -> bool:
    return process.name != definition.name and is_held_by(place, [process.pid])


def apply(
    action: ProcessAction,
    state: Pm2State,
    definition: ProcessDefinition,
    directory: str,
    replaced: Sequence[Pm2Process] = (),
    port: int | None = None,
) -> None:
    """Carry out an action.

    :param state: What runs before.
    :param directory: For temporary files.
    :param replaced: Processes of other names that a start replaces.
    :param port: Where the process listens; in cluster mode, a replacement keeps it open.
    :raises Pm2Error: If pm2 refuses; a process that was deleted for it has been started again then.
    """
    pm2 = state.program()
    if action is ProcessAction.STOP:
        pm2.call("stop", definition.name)
    elif action is ProcessAction.DELETE:
        pm2.call("delete", definition.name)
    elif action is ProcessAction.SCALE:
        pm2.call("scale", definition.name, str(definition.instances))
    elif action is ProcessAction.RELOAD:
        pm2.apply("startOrReload", ecosystem_entry(definition), directory, timeout_s=_reload_within_s(definition))
    elif action in (ProcessAction.START, ProcessAction.REPLACE):
        previous = [*state.named(definition.name), *replaced]
        if port is None or not can_hand_over(definition, port, state, previous):
            _start(action, state, definition, directory, previous)
            return
        with handover(definition, port, state, previous, directory) as holds:
            _start(action, state, definition, directory, previous)
            if holds:
                # A reload ends when the new worker listens, a start before.
                state.program().call("reload", definition.name, timeout_s=_reload_within_s(definition))


def _reload_within_s(definition: ProcessDefinition) -> float:
    return _RELOAD_WITHIN_S + listen_timeout_s(definition.settings) * max(1, definition.instances)


def _start(
    action: ProcessAction,
    state: Pm2State,
    definition: ProcessDefinition,
    directory: str,
    previous: Sequence[Pm2Process],
) -> None:
    pm2 = state.program()
    with pm2.prepared(directory) as start:
        for name in dict.fromkeys(process.name for process in previous):
            pm2.call("delete", name)
        try:
            start(ecosystem_entry(definition))
        except Pm2Error as err:
            if not previous:
                raise
            raise _started_again(action, state, definition, directory, previous, err) from err


def _started_again(
    action: ProcessAction,
    state: Pm2State,
    definition: ProcessDefinition,
    directory: str,
    previous: Sequence[Pm2Process],
    err: Pm2Error,
) -> Pm2Error:
    """Start what was deleted for a start that failed, and describe the outcome."""
    if action is ProcessAction.START and not any(process.online for process in previous):
        return Pm2Error(f"{err}; the entry of the process that did not run ({previous[0].status}) is gone")
    try:
        for entry in entries_of(previous):
            state.program().apply("start", entry, directory)
    except Pm2Error as again:
        return Pm2Error(
            f"{err}; the previous process was deleted for it and could not be started again ({again}), so "
            f"{definition.name} does not run now"
        )
    return Pm2Error(f"{err}; the previous process was started again")
