# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes of this machine listen on ports."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterable

from .._host import proc, sockets
from .._host.accounts import user_name
from .._host.json_text import json_value
from .listeners import PortHolder


class ManagedProcesses:
    """Finds the processes that listen on ports, and tells those of this deployment from others.

    :param directories: A process that works in or below one of these belongs to the deployment.
    :param names: Names of the deploy user's pm2 processes that belong to it.
    """

    def __init__(self, directories: Iterable[str], names: Iterable[str], user: str) -> None:
        given = list(directories)
        self._directories = sorted({os.path.realpath(path) for path in given} | set(given))
        self._names = set(names)
        try:
            self._uid: int | None = pwd.getpwnam(user).pw_uid
        except KeyError:
            self._uid = None

    def holders(self, places: Iterable[sockets.Place]) -> list[PortHolder]:
        """The processes that listen on some of the ports, and at some of the sockets."""
        wanted, found = list(places), []
        listening = sockets.listeners([place for place in wanted if isinstance(place, int)])
        for path in wanted:
            listening += sockets.socket_listeners(path) if isinstance(path, str) else []
        for listener in listening:
            place = listener.port or listener.address
            found += [self._holder(place, pid) for pid in listener.pids]
            if not listener.pids:
                # Without CAP_SYS_PTRACE, as in many containers, root does not see which process of another user has a
                # socket. One of the deploy user's counts as managed; pm2_process looks at it as that user, and knows.
                found.append(PortHolder(place, managed=listener.uid == self._uid))
        return list(dict.fromkeys(found))

    def _holder(self, place: sockets.Place, pid: int) -> PortHolder:
        cwd = self._working_directory(pid)
        uid, name = proc.owner(pid), self._pm2_name(pid)
        # In cluster mode the pm2 daemon itself has the socket, for its children.
        children = proc.children(pid) if not name and proc.program_name(pid).startswith("PM2") else []
        name = name or next((each for child in children if (each := self._pm2_name(child))), "")
        return PortHolder(
            place,
            pid,
            proc.program_name(pid),
            cwd,
            managed=self._is_managed(pid, cwd),
            pm2_name=name,
            user="" if uid is None else user_name(uid),
        )

    def _working_directory(self, pid: int) -> str:
        return (proc.working_directory(pid) or "").removesuffix(proc.DELETED)

    def _is_managed(self, pid: int, cwd: str) -> bool:
        if self._is_below_directories(cwd) or self._has_name(pid):
            return True
        # In cluster mode the pm2 daemon itself has the socket, for its children.
        children = proc.children(pid) if proc.program_name(pid).startswith("PM2") else []
        return any(
            self._has_name(child) or self._is_below_directories(self._working_directory(child)) for child in children
        )

    def _is_below_directories(self, cwd: str) -> bool:
        return any(cwd == path or cwd.startswith(f"{path}/") for path in self._directories)

    def _has_name(self, pid: int) -> bool:
        """Whether pm2 gave the process one of the names, under the deploy user."""
        return self._uid is not None and proc.owner(pid) == self._uid and self._pm2_name(pid) in self._names

    @staticmethod
    def _pm2_name(pid: int) -> str:
        """The name that pm2 gave a process; empty if it did not start it."""
        variables = proc.environment(pid) or {}
        if "pm2_env" in variables:
            # In cluster mode pm2 passes its settings as one JSON text.
            with contextlib.suppress(ValueError, AttributeError):
                return str(json_value(variables["pm2_env"]).get("name", ""))
        return variables.get("name", "") if "pm_id" in variables else ""
