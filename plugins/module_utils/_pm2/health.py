# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process is healthy: it answers, it is the one that answers, and it stays."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from .._host import http, proc, sockets
from .._host.progress import Say, unwatched
from .._websocket.handshake import open_once
from .definition import ProcessDefinition
from .health_check import HealthCheck
from .process import Pm2Process
from .state import Pm2State, other_holder

_CRASHES = 4
# A framework may answer its health page a moment before it accepts WebSockets; a refusal that lasts is an answer.
_REFUSALS_S = 5.0
_ONE_ANSWER_S = 10.0
_PAUSE_S = 0.3
# Each list is a start of Node.js, which competes with the process that is waited for.
_LIST_EVERY_S = 2.0


class UnhealthyError(Exception):
    """The process is not healthy; the text says why.

    :param final: It cannot become healthy by waiting.
    :param refused: It answers, but refuses the WebSocket.
    :param port_held: Another program has its port.
    """

    def __init__(self, cause: str, *, final: bool = False, refused: bool = False, port_held: bool = False) -> None:
        super().__init__(cause)
        self.final = final
        self.refused = refused
        self.port_held = port_held


def examine(check: HealthCheck, state: Pm2State, definition: ProcessDefinition) -> None:
    """Judge what runs at this moment.

    :raises UnhealthyError: With the cause.
    """
    present = state.named(definition.name)
    if len(present) < definition.instances:
        raise UnhealthyError(f"pm2 runs {len(present)} of {definition.instances} instances")
    for process in present:
        _examine_process(process)
    if check.place:
        _examine_place(check.place, state, present)
    if check.url:
        try:
            answer = http.request(
                check.url,
                timeout_s=min(_ONE_ANSWER_S, check.timeout_s),
                headers=check.headers,
                connect_to=check.connect_to,
                body_limit=0,
            )
        except http.NoAnswerError as err:
            raise UnhealthyError(f"{check.url}{_through(check)} does not answer ({err})") from err
        if answer.status != 200:
            raise UnhealthyError(f"{check.url}{_through(check)} answers {answer.status}, expected 200")
    if check.websocket:
        seen = open_once(check.websocket, min(_ONE_ANSWER_S, check.timeout_s))
        if seen.refusal:
            raise UnhealthyError(f"{check.websocket.url}{_through(check)} {seen.refusal}", refused=True)
        if not seen.opened:
            raise UnhealthyError(f"{check.websocket.url}{_through(check)} does not answer ({seen.detail})")
    if any((proc.age_s(process.pid) or 0) < check.stable_s for process in present):
        raise UnhealthyError(f"its pid changed less than {check.stable_s:g} s ago")


def _through(check: HealthCheck) -> str:
    """Where a URL is asked for, unless that is its own host and port."""
    return f" through {sockets.named(check.place)}" if isinstance(check.place, str) else ""


def _examine_process(process: Pm2Process) -> None:
    if process.status in ("errored", "stopped"):
        code = f", last exit code {process.exit_code}" if process.exit_code is not None else ""
        raise UnhealthyError(
            f"pm2 gave up after {process.restarts} restarts (status {process.status}{code})",
            final=process.status == "errored",
        )
    if not process.online or not proc.is_alive(process.pid):
        raise UnhealthyError(f"it is {process.status or 'not running'}")


def _examine_place(place: sockets.Place, state: Pm2State, present: Sequence[Pm2Process]) -> None:
    other = other_holder(place, state.daemon, present)
    if other:
        raise UnhealthyError(f"{sockets.named(place)} is held by {other}", final=True, port_held=True)
    if sockets.is_available() and not sockets.listeners_at(place):
        raise UnhealthyError(f"nothing listens on {sockets.named(place)}")


def await_health(
    check: HealthCheck,
    state: Pm2State,
    definition: ProcessDefinition,
    deadline: float,
    say: Say = unwatched,
) -> None:
    """Wait until the process is healthy.

    :param state: As it was read just now; its processes are read anew while waiting.
    :param deadline: By the clock of ``time.monotonic()``.
    :param say: Is told what is missing.
    :raises UnhealthyError: If it is not healthy by then, or cannot become healthy any more.
    :raises Pm2Error: If pm2 cannot be asked.
    """
    began = time.monotonic()
    crashes = _Crashes(state.named(definition.name))
    refused_since: float | None = None
    while True:
        try:
            examine(check, state, definition)
            return
        except UnhealthyError as err:
            present = state.named(definition.name)
            now = time.monotonic()
            final = err.final or crashes.stays_stopped(present)
            number = crashes.count(present)
            if number and (final or number >= _CRASHES or now >= deadline):
                raise _crash_loop(check, state, present, number, now - began) from err
            refused_since = (refused_since or now) if err.refused else None
            if final or (refused_since and now - refused_since > _REFUSALS_S):
                raise
            if now >= deadline:
                raise UnhealthyError(f"{err} after {now - began:.0f} s") from err
            say("health", f"{now - began:.0f} of {deadline - began:.0f} s, {err}")
        _await_change(check, state, definition, min(deadline, time.monotonic() + _LIST_EVERY_S))
        state.processes = state.program().processes()


def _await_change(check: HealthCheck, state: Pm2State, definition: ProcessDefinition, until: float) -> None:
    """Wait until what pm2 has said of the process is outdated, without asking pm2."""
    while True:
        time.sleep(_PAUSE_S)
        present = state.named(definition.name)
        runs = len(present) == definition.instances and all(each.online and proc.is_alive(each.pid) for each in present)
        if not runs or time.monotonic() >= until:
            return
        try:
            examine(check, state, definition)
            return
        except UnhealthyError as problem:
            if problem.final:
                return


class _Crashes:
    """Counts the restarts since the beginning."""

    def __init__(self, present: Sequence[Pm2Process]) -> None:
        self._first = {process.pm_id: process.restarts for process in present}
        self._stopped: dict[int, int] = {}

    def count(self, present: Sequence[Pm2Process]) -> int:
        return sum(max(0, process.restarts - self._first.get(process.pm_id, process.restarts)) for process in present)

    def stays_stopped(self, present: Sequence[Pm2Process]) -> bool:
        """Whether a process is stopped for the second time in a row.

        Between a crash and the next start, pm2 calls a process stopped for a moment.
        """
        previous = self._stopped
        self._stopped = {process.pm_id: process.restarts for process in present if process.status == "stopped"}
        return bool(previous.items() & self._stopped.items())


def _crash_loop(
    check: HealthCheck, state: Pm2State, present: Sequence[Pm2Process], crashes: int, elapsed_s: float
) -> UnhealthyError:
    codes = [process.exit_code for process in present if process.exit_code is not None]
    code = f", exit code {codes[0]}" if codes else ""
    because = _obstacle(check.place, state, present) if check.place else ""
    return UnhealthyError(f"it is in a crash loop: {crashes} restarts in {elapsed_s:.0f} s{code}{because}")


def _obstacle(place: sockets.Place, state: Pm2State, present: Sequence[Pm2Process]) -> str:
    """Why a process may be unable to listen."""
    holder = other_holder(place, state.daemon, present)
    if holder:
        return f"; {sockets.named(place)} is held by {holder}"
    if isinstance(place, str) and os.path.lexists(place) and not sockets.listeners_at(place):
        # Node.js leaves the file when it is killed, and does not replace it.
        return f"; {place} is left over from a process that ended: remove it before the application listens"
    return ""
