# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All endpoints of one call at once, within one deadline."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Optional

from .crowd import observe_crowd
from .observation import Fault, Observation
from .probe import WebSocketProbe
from .second_look import ask_plainly, look_again
from .sse import SseProbe

if TYPE_CHECKING:
    from .settings import Settings
    from .target import Target

Contexts = Mapping[str, Optional[ssl.SSLContext]]


async def observe_all(targets: Sequence[Target], contexts: Contexts, settings: Settings) -> list[Observation]:
    """Check all endpoints side by side; the call takes as long as the slowest.

    :param contexts: The TLS context of each endpoint by its name.
    """
    loop = asyncio.get_running_loop()
    deadline = None if settings.timeout_s is None else loop.time() + settings.timeout_s
    if settings.connections > 1:
        return [await _observe_crowd(targets[0], contexts, settings)]
    probes = [_probe(target, contexts[target.name], settings) for target in targets]
    tasks = [asyncio.ensure_future(_observe(probe, contexts, settings)) for probe in probes]
    await _finish(tasks, deadline)
    observations = [probe.seen for probe in probes]
    for seen, task in zip(observations, tasks):
        if task.cancelled():
            seen.fail(Fault.OVERALL_DEADLINE, f"timeout is {settings.timeout_s:g} s")
    await _finish([asyncio.ensure_future(_compare_with_direct(observations, contexts, settings))], deadline)
    return observations


def _probe(target: Target, context: ssl.SSLContext | None, settings: Settings) -> WebSocketProbe | SseProbe:
    kind = SseProbe if target.transport == "sse" else WebSocketProbe
    return kind(target, context, settings)


async def _finish(tasks: Sequence[asyncio.Future[None]], deadline: float | None) -> None:
    """Wait for all, cancel what is late, and let an error of our own through."""
    loop = asyncio.get_running_loop()
    left = None if deadline is None else max(0.0, deadline - loop.time())
    _, late = await asyncio.wait(tasks, timeout=left)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            task.result()


async def _observe(probe: WebSocketProbe | SseProbe, contexts: Contexts, settings: Settings) -> None:
    seen = await probe.run()
    if seen.fault is not None:
        await look_again(seen, contexts[seen.target.name], settings)


async def _observe_crowd(target: Target, contexts: Contexts, settings: Settings) -> Observation:
    context = contexts[target.name]
    try:
        seen = await asyncio.wait_for(observe_crowd(target, context, settings), settings.timeout_s)
    except asyncio.TimeoutError:
        seen = Observation(target)
        seen.fail(Fault.OVERALL_DEADLINE, f"timeout is {settings.timeout_s:g} s")
    if seen.fault is not None:
        await look_again(seen, context, settings)
    return seen


async def _compare_with_direct(observations: Sequence[Observation], contexts: Contexts, settings: Settings) -> None:
    """Ask a direct endpoint that passed what it says without an upgrade.

    A refusal through the proxy that is the same page shows that the upgrade was lost on the way.
    """
    refused = any(seen.target.through_proxy and seen.fault is Fault.HTTP_ANSWER for seen in observations)
    if not refused:
        return
    for seen in observations:
        if seen.target.vantage == "direct" and seen.target.transport == "websocket" and seen.fault is None:
            context = contexts[seen.target.name]
            seen.plain_request = await ask_plainly(seen.target, context, min(settings.handshake_timeout_s, 3.0))
            return
