# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many connections to one endpoint at the same time, to find its limits."""

from __future__ import annotations

import asyncio
import resource
import ssl
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .hold import HoldGate
from .judgement import Reference
from .observation import Fault, Load, Observation
from .probe import WebSocketProbe
from .round_trips import round_trips
from .settings import SettingsError
from .verdict import judge

if TYPE_CHECKING:
    from .settings import Settings
    from .target import Target

#: Handshakes under way at once: enough to keep a server busy, few enough for its listen queue.
HANDSHAKES_AT_ONCE = 100
# Files that the process itself needs besides the connections.
_OWN_FILES = 64


def allow_files(connections: int) -> None:
    """Raise this process's soft limit of open files as far as needed.

    :raises SettingsError: If the hard limit is lower than that.
    """
    needed = connections + _OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SettingsError(
            f"connections is {connections}, which needs {needed} open files, and this process may have {hard}; "
            "raise the limit (ulimit -Hn) or reduce connections"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


async def observe_load(target: Target, context: ssl.SSLContext | None, settings: Settings) -> Observation:
    """Open all connections and hold them together.

    The hold begins when the last connection was tried, so that all are open at once.

    :returns: One observation that stands for all, as :func:`summarise` chooses it.
    """
    loop = asyncio.get_running_loop()
    gate = HoldGate()
    slots = asyncio.Semaphore(HANDSHAKES_AT_ONCE)
    tried = 0
    began = loop.time()

    def one_more_tried() -> None:
        nonlocal tried
        tried += 1
        slots.release()
        if tried == settings.connections:
            gate.opened_s = loop.time() - began
            gate.set_end(loop.time() + settings.hold_s)

    async def one() -> Observation:
        await slots.acquire()
        probe = WebSocketProbe(target, context, settings, gate, compression=False)
        probe.when_tried = one_more_tried
        return await probe.run()

    observations = await asyncio.gather(*(one() for _ in range(settings.connections)))
    return summarise(observations, gate.opened_s)


def summarise(observations: Sequence[Observation], opened_s: float) -> Observation:
    """Choose the observation that stands for all and add the counts to it (pure).

    It is the first with the most common cause of failure; without a failure, the first.
    """
    failed = [(judge(seen, Reference()).cause.value, seen) for seen in observations if seen.fault is not None]
    causes = Counter(cause for cause, _ in failed)
    statuses = Counter(str(seen.status) for seen in observations if seen.fault is Fault.HTTP_ANSWER)
    handshakes = [seen.handshake_s for seen in observations if seen.opened and seen.handshake_s is not None]
    chosen = observations[0]
    if causes:
        most_common = causes.most_common(1)[0][0]
        chosen = next(seen for cause, seen in failed if cause == most_common)
    chosen.load = Load(
        asked=len(observations),
        accepted=sum(seen.opened for seen in observations),
        held=sum(seen.opened and seen.fault is None for seen in observations),
        failures=dict(causes.most_common()),
        refused_by_status=dict(statuses.most_common()),
        handshakes=round_trips(handshakes),
        opened_s=opened_s,
    )
    return chosen
