# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All endpoints of one call at once, within one deadline."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Optional

from .follow_up import LONGEST_PROBE_S, follow_up
from .http_exchange import ask
from .load import observe_load
from .observation import Fault, Observation
from .probe import WebSocketProbe
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
        return [await _observe_load(targets[0], contexts, settings)]
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
        await follow_up(seen, contexts[seen.target.name], settings.handshake_timeout_s)


async def _observe_load(target: Target, contexts: Contexts, settings: Settings) -> Observation:
    context = contexts[target.name]
    try:
        seen = await asyncio.wait_for(observe_load(target, context, settings), settings.timeout_s)
    except asyncio.TimeoutError:
        seen = Observation(target)
        seen.fail(Fault.OVERALL_DEADLINE, f"timeout is {settings.timeout_s:g} s")
    if seen.fault is not None:
        await follow_up(seen, context, settings.handshake_timeout_s)
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
            timeout_s = min(settings.handshake_timeout_s, LONGEST_PROBE_S)
            seen.follow_up.plain_request = (await ask(seen.target, context, timeout_s)).answer
            return
