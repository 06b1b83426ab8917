# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a process is healthy: it serves, it is the one that serves, and it stays."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .._websocket.handshake import open_once
from .._websocket.target import Target, TargetError, parse_target
from .host import (
    Daemon,
    Pm2,
    age_s,
    family,
    http_status,
    is_alive,
    listeners,
)
from .plan import Pm2Error, Process, Wanted

_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - compared, not bound
_CRASHES = 4
# A framework may answer its health page a moment before it takes WebSockets; a refusal that lasts is an answer.
_REFUSALS_S = 5.0


@dataclass(frozen=True)
class Health:
    """What is asked of a healthy process."""

    url: str
    statuses: tuple[int, ...]
    port: int | None
    timeout_s: float
    stable_s: float
    handshake: Target | None = None


@dataclass
class State:
    """All that was found, before and after."""

    daemon: Daemon | None
    processes: list[Process]
    pm2: Pm2 | None

    def program(self) -> Pm2:
        """Give what talks to pm2.

        :raises Pm2Error: If there is no pm2 on this host.
        """
        if self.pm2 is None:
            raise Pm2Error("pm2 is not installed on this host")
        return self.pm2

    def ours(self, name: str) -> list[Process]:
        return [process for process in self.processes if process.name == name]


class UnhealthyError(Exception):
    """The process runs, or does not, but is not healthy; says why."""

    def __init__(self, cause: str, *, final: bool = False, refused: bool = False) -> None:
        super().__init__(cause)
        self.final = final
        self.refused = refused


def health_from(params: Mapping[str, Any]) -> Health:
    """Read the options.

    :raises Pm2Error: If the URL is none.
    """
    refusal = f"health_url is {params['health_url']!r}; expected a URL such as http://127.0.0.1:14200/health"
    try:
        parts = urlsplit(params["health_url"] or "")
        port: int | None = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as err:
        raise Pm2Error(refusal) from err
    if params["health_url"] and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise Pm2Error(refusal)
    if not params["health_url"] or parts.hostname not in _LOOPBACK:
        port = None
    if params["health_port"] is not None:
        port = params["health_port"]
    handshake = _handshake_from(params)
    if port is None and handshake and handshake.host in _LOOPBACK:
        port = handshake.port
    return Health(
        params["health_url"] or "",
        tuple(params["health_status"]),
        port,
        params["health_timeout"],
        params["stable_s"],
        handshake,
    )


def _handshake_from(params: Mapping[str, Any]) -> Target | None:
    url = params["health_websocket_url"]
    if not url:
        return None
    endpoint = {
        "name": "health_websocket",
        "url": url,
        "origin": params["health_websocket_origin"],
        "secret_headers": params["health_websocket_headers"],
        "secret_query": params["health_websocket_query"],
    }
    try:
        return parse_target(endpoint, "health_websocket")
    except TargetError as err:
        raise Pm2Error(f"{err}; expected health_websocket_url to be such as ws://127.0.0.1:14200/ws") from err


def foreign_listener(port: int, daemon: Daemon | None, ours: Sequence[Process]) -> str:
    """Name a program that holds the port and is not this process; empty if there is none.

    In cluster mode the socket is held by the daemon.
    """
    found = listeners(port)
    if not found:
        return ""
    mine = family(process.pid for process in ours)
    if daemon and any(process.exec_mode == "cluster" for process in ours):
        mine.add(daemon.pid)
    others = [listener for listener in found if listener.pid not in mine]
    return others[0].described() if others and len(others) == len(found) else ""


def examine(health: Health, state: State, wanted: Wanted) -> None:
    """Judge what runs at this moment.

    :raises UnhealthyError: With the cause.
    """
    ours = state.ours(wanted.name)
    if len(ours) < wanted.instances:
        raise UnhealthyError(f"pm2 runs {len(ours)} of {wanted.instances} instances")
    for process in ours:
        if process.status in ("errored", "stopped"):
            code = f", last exit code {process.exit_code}" if process.exit_code is not None else ""
            raise UnhealthyError(
                f"pm2 gave it up after {process.restarts} restarts (status {process.status}{code})",
                final=process.status == "errored",
            )
        if not process.online or not is_alive(process.pid):
            raise UnhealthyError(f"it is {process.status or 'not running'}")
    if health.port:
        other = foreign_listener(health.port, state.daemon, ours)
        if other:
            raise UnhealthyError(f"port {health.port} is held by {other}", final=True)
        if not listeners(health.port) and os.path.exists("/proc/net/tcp"):
            raise UnhealthyError(f"nothing listens on port {health.port}")
    if health.url:
        try:
            status = http_status(health.url, min(10.0, health.timeout_s))
        except OSError as err:
            raise UnhealthyError(f"{health.url} does not answer ({err.strerror or err})") from err
        if status not in health.statuses:
            wanted_statuses = ", ".join(str(item) for item in health.statuses)
            raise UnhealthyError(f"{health.url} answers {status}, expected {wanted_statuses}")
    if health.handshake:
        seen = open_once(health.handshake, min(10.0, health.timeout_s))
        if not seen.opened and seen.answer is None:
            raise UnhealthyError(f"{health.handshake.url} does not answer ({seen.detail})")
        if not seen.opened:
            raise UnhealthyError(f"{health.handshake.url} {seen.refusal}", refused=True)
    young = [process for process in ours if (age_s(process.pid) or 0) < health.stable_s]
    if young:
        raise UnhealthyError(f"its pid changed less than {health.stable_s:g} s ago")


def await_health(health: Health, state: State, wanted: Wanted, deadline: float) -> None:
    """Wait until the process is healthy.

    :param deadline: By the clock of ``time.monotonic()``.
    :raises UnhealthyError: If it is not healthy by then, or cannot become so any more.
    """
    pm2 = state.program()
    started = time.monotonic()
    state.processes = pm2.processes()
    first = {process.pm_id: process.restarts for process in state.ours(wanted.name)}
    refused_since: float | None = None
    stopped: dict[int, int] = {}
    while True:
        try:
            examine(health, state, wanted)
            return
        except UnhealthyError as err:
            ours = state.ours(wanted.name)
            crashes = sum(max(0, process.restarts - first.get(process.pm_id, process.restarts)) for process in ours)
            elapsed = time.monotonic() - started
            # Between a crash and the start after it, pm2 calls a process stopped for a moment.
            former = stopped
            stopped = {process.pm_id: process.restarts for process in ours if process.status == "stopped"}
            final = err.final or bool(former.items() & stopped.items())
            if crashes and (final or crashes >= _CRASHES or time.monotonic() >= deadline):
                codes = [process.exit_code for process in ours if process.exit_code is not None]
                code = f", exit code {codes[0]}" if codes else ""
                held = foreign_listener(health.port, state.daemon, ours) if health.port else ""
                because = f"; port {health.port} is held by {held}" if held else ""
                raise UnhealthyError(
                    f"it is in a crash loop: {crashes} restarts in {elapsed:.0f} s{code}{because}"
                ) from err
            refused_since = (refused_since or time.monotonic()) if err.refused else None
            if final or (refused_since and time.monotonic() - refused_since > _REFUSALS_S):
                raise
            if time.monotonic() >= deadline:
                raise UnhealthyError(f"{err} after {elapsed:.0f} s") from err
        time.sleep(0.3)
        state.processes = pm2.processes()
