# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blue-green replacement of a backend: which instance gets the wanted process, and which one is stopped afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Instance:
    """One of the two instances, blue or green.

    :param running: Its process is running.
    :param fits: It is the wanted process, and healthy.
    :param known: pm2 knows a process of this name, running or not.
    """

    name: str
    port: int
    running: bool = False
    fits: bool = False
    known: bool = False


@dataclass(frozen=True)
class BlueGreenPlan:
    """The instance for the wanted process, and those to stop once the proxy routes to it."""

    serve: Instance
    retire: tuple[Instance, ...]


def found_instances(instances: Sequence[Mapping[str, Any]], processes: Sequence[Mapping[str, Any]]) -> list[Instance]:
    """Return the instances as they run.

    :param instances: Each with ``name`` and ``port``, blue first.
    :param processes: The result of pm2_process for each of them in check mode.
    """
    return [
        Instance(
            name=str(instance["name"]),
            port=int(instance["port"]),
            running=process["status"] in ("online", "launching"),
            fits=process["action"] == "nothing",
            known=process["status"] != "absent",
        )
        for instance, process in zip(instances, processes)
    ]


def plan_blue_green(instances: Sequence[Instance], proxied_port: int | None) -> BlueGreenPlan:
    """Choose the instance for the wanted process, so that the one with the traffic is not touched.

    Only the current state decides, so that the next run completes one that was killed while both were running.

    :param instances: Blue first. That is the one that a single process uses.
    :param proxied_port: The port that the proxy routes to; ``None`` if it is not known.
    :raises ValueError: If these are not two instances with a name and a port of their own.
    """
    if len(instances) != 2 or instances[0].port == instances[1].port or instances[0].name == instances[1].name:
        raise ValueError("expected two instances, each with a name and a port of its own")
    proxied = next((instance for instance in instances if instance.port == proxied_port), None)
    running = [instance for instance in instances if instance.running]
    serving = proxied if proxied in running else next(iter(running), None)
    if serving is None:
        # There is no traffic to lose, so the proxy can stay as it is.
        target = proxied or instances[0]
    elif serving.fits:
        target = serving
    else:
        target = next(instance for instance in instances if instance is not serving)
    return BlueGreenPlan(target, tuple(each for each in instances if each is not target and each.known))
