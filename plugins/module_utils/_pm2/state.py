# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pm2 runs now: its daemon, its processes, and who listens on their ports."""

from __future__ import annotations

import contextlib
import os
import pwd
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._host import proc, sockets
from .client import Pm2
from .daemon import Pm2Daemon, find_daemon
from .error import Pm2Error
from .process import Pm2Process


@dataclass
class Pm2State:
    """All that was found; ``processes`` are read anew while a change takes effect."""

    daemon: Pm2Daemon | None
    processes: list[Pm2Process]
    pm2: Pm2 | None

    def program(self) -> Pm2:
        """What talks to pm2.

        :raises Pm2Error: If there is no pm2 on this host.
        """
        if self.pm2 is None:
            raise Pm2Error("pm2 is not installed on this host")
        return self.pm2

    def named(self, name: str) -> list[Pm2Process]:
        """The instances of one name."""
        return [process for process in self.processes if process.name == name]


class SharedList:
    """What pm2 runs, asked once for the comparison of several processes.

    A call of pm2 starts Node.js. It is made in a thread, beside what is compared before the processes.

    :param pm2: Of a home whose daemon runs.
    """

    def __init__(self, pm2: Pm2) -> None:
        self._pm2 = pm2
        self._found: list[Pm2Process] | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        with contextlib.suppress(Pm2Error):
            self._found = self._pm2.processes()

    def processes(self, pm2: Pm2) -> list[Pm2Process]:
        """What was found.

        :param pm2: Is asked again if that failed: it knows which secrets an error must not contain.
        :raises Pm2Error: If it fails again.
        """
        self._thread.join()
        return pm2.processes() if self._found is None else list(self._found)


def look(home: str, pm2: Pm2 | None, shared: SharedList | None = None) -> Pm2State:
    """Read the state without starting a daemon.

    :param shared: The list of the daemon of this home, if it was asked for before.
    :raises Pm2Error: If pm2 cannot be asked.
    """
    daemon = find_daemon(home)
    if daemon and pm2 is None:
        raise Pm2Error(
            f"a pm2 daemon runs (pid {daemon.pid}), but there is no program pm2 on this host to ask it what it runs; "
            "deploy with the role runtime, which installs it"
        )
    if not pm2 or not daemon:
        return Pm2State(daemon, [], pm2)
    return Pm2State(daemon, shared.processes(pm2) if shared else pm2.processes(), pm2)


def other_holder(place: sockets.Place, daemon: Pm2Daemon | None, present: Sequence[Pm2Process]) -> str:
    """Describe a program that listens at a place and is none of these processes; empty if there is none.

    In cluster mode the daemon has the socket.
    """
    listening = sockets.listeners_at(place)
    own = proc.with_descendants(process.pid for process in present)
    if daemon and any(process.exec_mode == "cluster" for process in present):
        own.add(daemon.pid)
    if not listening or any(own.intersection(listener.pids) for listener in listening):
        return ""
    return _described(listening[0])


def is_held_by(place: sockets.Place, pids: Iterable[int]) -> bool:
    """Whether one of these processes, or of their descendants, listens at a place."""
    family = proc.with_descendants(pids)
    return any(family.intersection(listener.pids) for listener in sockets.listeners_at(place))


def _described(listener: sockets.Listener) -> str:
    try:
        user = pwd.getpwuid(listener.uid).pw_name
    except KeyError:
        user = str(listener.uid)
    if not listener.pids:
        return f"a process of the user {user}"
    return f"{_program_of(listener.pids[0])} (pid {listener.pids[0]}, user {user})"


def _program_of(pid: int) -> str:
    """The program that a process runs, without its arguments, which may be secrets."""
    words = proc.arguments(pid)
    name = words[0].split(" ")[0] if words and words[0] else proc.program_name(pid)
    script = next((word for word in words[1:2] if word.startswith("/")), "")
    return f"{os.path.basename(name)} {script}".strip() or "an unknown program"
