# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All endpoints of one call at once, within one deadline."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .._host.progress import Say, unwatched
from .follow_up import LONGEST_PROBE_S, follow_up
from .further import (
    FURTHER_FAULTS,
    conclude_further,
    conclude_idle_timeout,
    try_addresses,
    try_again,
    try_forms,
    try_one_at_a_time,
)
from .http_exchange import ask
from .load import observe_load
from .observation import Fault, Observation
from .probe import WebSocketProbe
from .progress import doing
from .sse import SseProbe

if TYPE_CHECKING:
    from .call import Call
    from .target import Target


# How often what is being done is told.
_PROGRESS_S = 1.0


async def observe(call: Call, say: Say = unwatched) -> list[Observation]:
    """Check all endpoints at the same time; the call takes as long as the slowest."""
    loop = asyncio.get_running_loop()
    settings = call.settings
    deadline = None if settings.timeout_s is None else loop.time() + settings.timeout_s
    if settings.connections > 1:
        say("load", f"{settings.connections} connections, held for {settings.hold_s:g} s")
        return [await _observe_load(call)]
    probes = [_probe(target, call) for target in call.targets]
    observations = [probe.seen for probe in probes]
    tasks = [asyncio.ensure_future(_observe(probe, call)) for probe in probes]
    teller = asyncio.ensure_future(_tell(observations, settings.hold_s, say))
    try:
        await _finish(tasks, deadline)
    finally:
        teller.cancel()
    for seen, task in zip(observations, tasks):
        if task.cancelled():
            seen.fail(Fault.OVERALL_DEADLINE, f"timeout is {settings.timeout_s:g} s")
    await _finish([asyncio.ensure_future(_ask_without_upgrade(seen, call)) for seen in observations], deadline)
    return observations


async def _tell(observations: Sequence[Observation], hold_s: float, say: Say) -> None:
    loop = asyncio.get_running_loop()
    while True:
        say(*doing(observations, hold_s, loop.time()))
        await asyncio.sleep(_PROGRESS_S)


def _probe(target: Target, call: Call) -> WebSocketProbe | SseProbe:
    kind = SseProbe if target.transport == "sse" else WebSocketProbe
    return kind(target, call.contexts[target.name], call.settings_of(target))


async def _finish(tasks: Sequence[asyncio.Future[None]], deadline: float | None) -> None:
    """Wait for all and cancel those that are late; an exception of theirs is raised here."""
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


async def _observe(probe: WebSocketProbe | SseProbe, call: Call) -> None:
    context = call.contexts[probe.seen.target.name]
    timeout_s = call.settings.handshake_timeout_s
    if isinstance(probe, WebSocketProbe):
        await _observe_websocket(probe, context, call)
    else:
        await probe.run()
    if probe.seen.fault is not None and probe.seen.fault not in FURTHER_FAULTS:
        await follow_up(probe.seen, context, timeout_s)


async def _observe_websocket(probe: WebSocketProbe, context: ssl.SSLContext | None, call: Call) -> None:
    """Run the probe, with further handshakes while it holds its connection."""
    tried = asyncio.Event()
    probe.when_tried = tried.set
    further = asyncio.ensure_future(_make_further(probe.seen, tried, context, call))
    try:
        seen = await probe.run()
        if seen.fault is Fault.PROTOCOL_BROKEN:
            settings = replace(call.settings_of(seen.target), hold_s=0.0)
            again = await WebSocketProbe(seen.target, context, settings, compression=False).run()
            seen.follow_up.works_without_compression = again.fault is None
        await further
    finally:
        further.cancel()
    conclude_further(seen)
    conclude_idle_timeout(seen, call.settings.expected_idle_timeout_s)


async def _make_further(seen: Observation, tried: asyncio.Event, context: ssl.SSLContext | None, call: Call) -> None:
    await tried.wait()
    timeout_s = min(call.settings.handshake_timeout_s, LONGEST_PROBE_S)
    if not call.settings.further_handshakes or seen.address is None:
        return
    if seen.fault is None:
        await try_forms(seen, context, timeout_s)
    elif seen.fault is Fault.HTTP_ANSWER:
        await try_again(seen, context, timeout_s)
    await try_addresses(seen, context, timeout_s)


async def _observe_load(call: Call) -> Observation:
    target = call.targets[0]
    settings = call.settings_of(target)
    context = call.contexts[target.name]
    try:
        seen = await asyncio.wait_for(observe_load(target, context, settings), settings.timeout_s)
    except asyncio.TimeoutError:
        seen = Observation(target)
        seen.fail(Fault.OVERALL_DEADLINE, f"timeout is {settings.timeout_s:g} s")
    if seen.load is not None and 0 < seen.load.accepted < seen.load.asked:
        await try_one_at_a_time(seen, context, min(settings.handshake_timeout_s, LONGEST_PROBE_S))
    if seen.fault is not None and seen.fault not in FURTHER_FAULTS:
        await follow_up(seen, context, settings.handshake_timeout_s)
    return seen


async def _ask_without_upgrade(seen: Observation, call: Call) -> None:
    """Ask a direct endpoint that passed once for its answer without an upgrade.

    A refusal through the proxy that is the same page proves that the upgrade was lost on the way, also in a later call.
    """
    if seen.target.vantage == "direct" and seen.target.transport == "websocket" and seen.fault is None:
        timeout_s = min(call.settings.handshake_timeout_s, LONGEST_PROBE_S)
        seen.follow_up.plain_request = (await ask(seen.target, call.contexts[seen.target.name], timeout_s)).answer
