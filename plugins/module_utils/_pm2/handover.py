# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace the process that has a port without a moment in which the port refuses connections.

All processes of one daemon that run in cluster mode share a port, because the daemon has the socket. So a temporary
instance of the new definition serves between the deletion of the previous process and the start of the new one. If the
previous process has the port itself (fork mode), the instance loads its program, waits immediately before it would
listen, and listens within milliseconds after that process has closed the port.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .._host import proc, sockets
from .._host.files import write_atomic
from .definition import ProcessDefinition, ecosystem_entry
from .error import Pm2Error
from .plan import belongs_to
from .process import PROJECT_KEY, Pm2Process
from .settings import listen_timeout_s
from .state import Pm2State, is_held_by

#: Ends the name of the temporary instance.
ENDING = "-incoming"
_PAUSE_S = 0.05
#: Loaded before the program. The first ``listen`` on the port waits until the port is free.
_WAIT = """\
"use strict";
const fs = require("fs"), net = require("net");
const port = %(port)d, listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  const first = given[0], second = given[1];
  const options = first !== null && typeof first === "object" ? first : { port: first, host: second };
  if (Number(options.port) !== port) return listen.apply(this, given);
  net.Server.prototype.listen = listen;
  const host = typeof options.host === "string" ? options.host : undefined;
  const attempt = () => {
    const probe = net.createServer();
    probe.once("error", (error) => {
      if (error.code === "EADDRINUSE") setTimeout(attempt, 1);
      else listen.apply(this, given);
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => listen.apply(this, given)));
  };
  fs.writeFileSync(__filename + ".waits", "");
  attempt();
  return this;
};
"""


def incoming_name(name: str) -> str:
    """The name of the temporary instance of a process."""
    return name + ENDING


def can_hand_over(
    definition: ProcessDefinition, port: int | None, state: Pm2State, previous: Sequence[Pm2Process]
) -> bool:
    """Whether the port is held by what is replaced, and can be held by a temporary instance meanwhile.

    An application that tells pm2 that it is ready could not do so while it waits for the port.
    """
    waits = definition.settings.get("wait_ready")
    if definition.exec_mode != "cluster" or waits or port is None or not state.daemon:
        return False
    return is_held_by(port, [process.pid for process in previous]) or _shared(port, state, previous)


@contextlib.contextmanager
def handover(
    definition: ProcessDefinition, port: int, state: Pm2State, previous: Sequence[Pm2Process], directory: str
) -> Iterator[bool]:
    """Run a temporary instance that has the port, or waits for it, as long as the ``with`` block runs.

    Gives whether it does. If it does not within the time that pm2 waits for an application to listen, the replacement
    goes on without it, and shows why.

    :param directory: For temporary files.
    :raises Pm2Error: If pm2 cannot be called.
    """
    pm2, name = state.program(), incoming_name(definition.name)
    remove_incoming(state, definition)
    incoming = replace(definition, name=name, instances=1)
    path = os.path.join(directory, f"wait-for-port-{port}.js")
    shared = _shared(port, state, previous)
    if not shared:
        write_atomic(path, _WAIT % {"port": port}, mode=0o600, sync=False)
        incoming = replace(incoming, interpreter_args=(*definition.interpreter_args, f"--require={path}"))
    try:
        try:
            pm2.apply("start", ecosystem_entry(incoming), directory)
            if shared:
                # A reload ends when the new worker listens, a start before.
                pm2.call("reload", name, timeout_s=60 + listen_timeout_s(definition.settings))
                ready = True
            else:
                state.processes = pm2.processes()
                ready = _waits(path, state.named(name), listen_timeout_s(definition.settings))
        except Pm2Error:
            ready = False
        yield ready
    finally:
        state.processes = pm2.processes()
        remove_incoming(state, definition)
        for left in (path, f"{path}.waits"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(left)


def incoming_of(state: Pm2State, definition: ProcessDefinition) -> list[Pm2Process]:
    """The temporary instance of a process, also one that an interrupted run has left."""
    named = state.named(incoming_name(definition.name))
    return [process for process in named if PROJECT_KEY in process.env and belongs_to(process, definition)]


def remove_incoming(state: Pm2State, definition: ProcessDefinition) -> None:
    """Delete the temporary instance of a process.

    :raises Pm2Error: If pm2 refuses.
    """
    if incoming_of(state, definition):
        state.program().call("delete", incoming_name(definition.name))


def _shared(port: int, state: Pm2State, previous: Sequence[Pm2Process]) -> bool:
    """Whether the daemon has the port on behalf of what is replaced."""
    clustered = any(process.exec_mode == "cluster" and process.online for process in previous)
    daemon = state.daemon.pid if state.daemon else 0
    return clustered and any(daemon in listener.pids for listener in sockets.listeners([port]))


def _waits(path: str, started: Sequence[Pm2Process], timeout_s: float) -> bool:
    """Whether the temporary instance has loaded its program and waits for the port; one that ends does not."""
    deadline = time.monotonic() + timeout_s
    while not os.path.exists(f"{path}.waits"):
        if time.monotonic() >= deadline or not all(proc.is_alive(process.pid) for process in started):
            return False
        time.sleep(_PAUSE_S)
    return True
