# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the ports of the application and of the proxy are free, judged from facts that were gathered before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .._host.sockets import Place
from .finding import PreflightFinding
from .variables import DeploymentInputs

#: The default of Linux.
EPHEMERAL_PORTS = (32768, 60999)


@dataclass(frozen=True)
class PortHolder:
    """A process that listens on a port, or at the path of a UNIX socket."""

    place: Place
    pid: int | None = None
    """None where it is not visible, for example outside of the container."""
    command: str = ""
    cwd: str = ""
    managed: bool = False
    """Whether it is a process of this deployment."""
    pm2_name: str = ""
    """The name that pm2 gave it; empty if pm2 did not start it, or where that is not visible."""
    user: str = ""
    """Its owner; empty where that is not visible."""

    def __str__(self) -> str:
        if self.pid is None:
            return "a process that is not visible from here"
        return f"process {self.pid} ({self.command}{f' in {self.cwd}' if self.cwd else ''})"


def judge_ports(
    inputs: DeploymentInputs,
    places: Mapping[str, Place],
    holders: Iterable[PortHolder],
    *,
    ephemeral: tuple[int, int] = EPHEMERAL_PORTS,
) -> list[PreflightFinding]:
    """The ports and the socket of the application's processes.

    :param places: By the variable that names them.
    :param ephemeral: First and last port that the kernel gives to outgoing connections.
    """
    found = []
    known = list(holders)
    for variable, place in places.items():
        holder = next((item for item in known if item.place == place and not item.managed), None)
        if holder is not None:
            found.append(_held(inputs, variable, holder))
        if isinstance(place, int) and ephemeral[0] <= place <= ephemeral[1]:
            found.append(
                inputs.finding(
                    "port-ephemeral",
                    variable,
                    "a port outside of that range",
                    "choose another port",
                    found=f"the kernel gives the ports from {ephemeral[0]} to {ephemeral[1]} to outgoing connections",
                )
            )
    return found


def _held(inputs: DeploymentInputs, variable: str, holder: PortHolder) -> PreflightFinding:
    why = f"{holder} listens on it"
    if isinstance(holder.place, str):
        remedy = "stop that process, or choose another path"
        return inputs.finding("socket-held", variable, "a free socket", remedy, found=why)
    return inputs.finding("port-held", variable, "a free port", "stop that process, or choose another port", found=why)


def judge_proxy_ports(
    inputs: DeploymentInputs, ports: Mapping[int, str], holders: Iterable[PortHolder]
) -> list[PreflightFinding]:
    """:param ports: Ports that nginx is to listen on, with the variable whose URL needs each."""
    return [
        inputs.finding(
            "proxy-port-held",
            ports[holder.place],
            f"port {holder.place} for nginx",
            "stop that process, or write another port into the URL",
            found=f"{holder} listens on port {holder.place}",
        )
        for holder in holders
        if isinstance(holder.place, int) and holder.place in ports and holder.command != "nginx"
    ]
