# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes of this machine listen on ports."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
from collections.abc import Iterable

from .listeners import PortHolder
from .machine_facts import read_text


def listening_sockets() -> dict[str, tuple[int, int]]:
    """Port and user id by inode of every listening TCP socket of this network namespace."""
    found = {}
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in read_text(name).splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found[fields[9]] = int(fields[1].rpartition(":")[2], 16), int(fields[7])
    return found


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

    def holders(self, ports: Iterable[int]) -> list[PortHolder]:
        """The processes that listen on some of the ports."""
        wanted = set(ports)
        sockets = {inode: (port, uid) for inode, (port, uid) in listening_sockets().items() if port in wanted}
        if not sockets:
            return []
        found = []
        seen: set[str] = set()
        for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
            for inode in self._socket_inodes(pid):
                if inode in sockets:
                    seen.add(inode)
                    found.append(self._holder(pid, sockets[inode][0]))
        # Without CAP_SYS_PTRACE, as in many containers, root does not see which process of another user has a socket.
        # One of the deploy user's counts as managed here; pm2_process looks at it as that user, and knows.
        found += [
            PortHolder(port, managed=uid == self._uid) for inode, (port, uid) in sockets.items() if inode not in seen
        ]
        return found

    def _socket_inodes(self, pid: int) -> set[str]:
        found = set()
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    target = os.readlink(f"/proc/{pid}/fd/{name}")
                    if target.startswith("socket:["):
                        found.add(target[8:-1])
        return found

    def _holder(self, pid: int, port: int) -> PortHolder:
        command, cwd = read_text(f"/proc/{pid}/comm").strip(), self._cwd(pid)
        return PortHolder(port, pid, command, cwd, managed=self._is_managed(pid, command, cwd))

    def _cwd(self, pid: int) -> str:
        try:
            return os.readlink(f"/proc/{pid}/cwd").replace(" (deleted)", "")
        except OSError:
            return ""

    def _is_managed(self, pid: int, command: str, cwd: str) -> bool:
        if self._is_below_directories(cwd) or self._has_name(pid):
            return True
        # In cluster mode the pm2 daemon itself has the socket, for its children.
        children = read_text(f"/proc/{pid}/task/{pid}/children").split() if command.startswith("PM2") else []
        return any(
            self._has_name(int(child)) or self._is_below_directories(self._cwd(int(child))) for child in children
        )

    def _is_below_directories(self, cwd: str) -> bool:
        return any(cwd == path or cwd.startswith(f"{path}/") for path in self._directories)

    def _has_name(self, pid: int) -> bool:
        """Whether pm2 gave the process one of the names, under the deploy user."""
        try:
            if self._uid is None or os.stat(f"/proc/{pid}").st_uid != self._uid:
                return False
        except OSError:
            return False
        entries = (entry.partition("=") for entry in read_text(f"/proc/{pid}/environ").split("\0"))
        variables = {key: value for key, _equals, value in entries}
        if "pm2_env" in variables:
            # In cluster mode pm2 passes its settings as one JSON text.
            with contextlib.suppress(ValueError, AttributeError):
                return json.loads(variables["pm2_env"]).get("name") in self._names
        return "pm_id" in variables and variables.get("name", "") in self._names
