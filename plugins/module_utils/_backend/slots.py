# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two places for one backend, of which one has the traffic: where the wanted process runs, and which one goes.

Pure: what runs and where the proxy leads is told, nothing is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PLACEHOLDER = "{port}"


@dataclass(frozen=True)
class Slot:
    """One of the two places.

    :param running: A process runs there.
    :param fits: It is the wanted one, and healthy.
    """

    name: str
    port: int
    running: bool = False
    fits: bool = False
    known: bool = False
    """pm2 knows a process of this name, running or not."""


@dataclass(frozen=True)
class Plan:
    """Where the wanted process is to run, and which slots are left over once the proxy leads there."""

    serve: Slot
    retire: tuple[Slot, ...]


def plan(slots: Sequence[Slot], proxied_port: int | None) -> Plan:
    """Choose the slot of the wanted process so that the one with the traffic is not touched.

    Decided by what is, so that a run that died with both processes running is finished by the next.

    :param slots: The first is the one that a single process uses.
    :param proxied_port: Where the proxy sends the traffic now; ``None`` if that is not known.
    :raises ValueError: If there are not two slots on two ports.
    """
    if len(slots) != 2 or slots[0].port == slots[1].port or slots[0].name == slots[1].name:
        raise ValueError("two slots with names and ports of their own are needed")
    pointed = next((slot for slot in slots if slot.port == proxied_port), None)
    running = [slot for slot in slots if slot.running]
    serving = pointed if pointed in running else next(iter(running), None)
    if serving is None:
        # Nothing has traffic to lose, so the proxy may stay as it is.
        target = pointed or slots[0]
    elif serving.fits:
        target = serving
    else:
        target = next(slot for slot in slots if slot is not serving)
    return Plan(target, tuple(slot for slot in slots if slot is not target and slot.known))
