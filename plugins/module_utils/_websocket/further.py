# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Further handshakes after the one that is checked: in other header forms, several of each, and at every address.

They tell a browser that is refused, an upstream that is, and an address that is, from an endpoint that works. Their
number is bounded, they are made one after another, and they send no message.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from .._host.sockets import loopback_addresses
from .._host.url import as_address
from .connect import resolve
from .follow_up import LONGEST_PROBE_S, follow_up
from .handshake import open_and_close
from .header_form import HeaderForm
from .observation import EndedError, Fault, FurtherHandshake, Observation

if TYPE_CHECKING:
    from .target import Target

#: Of one form directly after another: as many upstreams in turn are all seen by the same form.
_OF_EACH_FORM = 3
# Enough for a server that is reached once in six times.
_AGAIN = 5
MOST_ADDRESSES = 8
#: What is told of further handshakes; the first one's own fault needs no follow-up probe then.
FURTHER_FAULTS = frozenset((Fault.FORM_REFUSED, Fault.SOME_REFUSED, Fault.ADDRESS_REFUSED, Fault.IDLE_TIMEOUT_SHORT))
# A limit says so; what it refuses shows nothing about forms and upstreams.
_LIMITS = (429, 503)
#: Refusals that another upstream may not give.
_UNEVEN = frozenset((200, 400, 403, 404, 405, 426, 500, 501, 502, 504, 505))


async def try_forms(seen: Observation, context: ssl.SSLContext | None, timeout_s: float) -> None:
    """Make the handshake in every form; through a proxy three times in each, since each may reach another upstream."""
    target = seen.target
    forms = [form for form in HeaderForm if form is not HeaderForm.COOKIES or _has_no_cookie(target)]
    each = _OF_EACH_FORM if target.through_proxy else 1
    for form in forms:
        await _repeat(seen, context, timeout_s, [form] * each)
        if seen.is_limited:
            return
    refused = {attempt.form for attempt in seen.further if not attempt.opened}
    steady = [form for form in refused if not any(one.opened for one in seen.further if one.form is form)]
    if steady and len(steady) < len(forms):
        # By chance or by its form? In an order that no round robin has.
        accepted = [form for form in forms if form not in refused]
        mixed = (steady[:1] + accepted[:1]) * _AGAIN
        random.shuffle(mixed)
        await _repeat(seen, context, timeout_s, mixed)


async def try_again(seen: Observation, context: ssl.SSLContext | None, timeout_s: float) -> None:
    """Repeat a handshake that was refused, since another upstream may accept it."""
    if seen.target.through_proxy and seen.status in _UNEVEN:
        await _repeat(seen, context, timeout_s, [HeaderForm.CHROMIUM] * _AGAIN)


async def _repeat(seen: Observation, context: ssl.SSLContext | None, timeout_s: float, forms: list[HeaderForm]) -> None:
    for form in forms:
        one = await open_and_close(seen.target, context, timeout_s, seen.target.origin, form)
        if one.status in _LIMITS or one.fault is Fault.LOCAL_LIMIT:
            seen.is_limited = True
            return
        seen.further.append(FurtherHandshake(form, one.opened, one.status, "" if one.opened else _shown(one)))


async def try_one_at_a_time(seen: Observation, context: ssl.SSLContext | None, timeout_s: float) -> None:
    """After many connections at once of which some failed: one alone that fails too does not fail by a limit."""
    await _repeat(seen, context, timeout_s, [HeaderForm.CHROMIUM] * (_AGAIN + 1))
    opened = sum(one.opened for one in seen.further)
    if 0 < opened < len(seen.further):
        _set(seen, Fault.SOME_REFUSED, f"one at a time, {opened} of {len(seen.further)} handshakes were accepted")


def _shown(one: Observation) -> str:
    return f"HTTP {one.status}" if one.status is not None and one.fault is Fault.HTTP_ANSWER else one.detail


def _has_no_cookie(target: Target) -> bool:
    return not any(name.lower() == "cookie" for name, _ in target.headers)


async def try_addresses(seen: Observation, context: ssl.SSLContext | None, timeout_s: float) -> None:
    """Make the handshake at every address of the name."""
    target = seen.target
    if target.vantage != "public" or as_address(target.connect_host) or loopback_addresses(target.connect_host):
        return
    loop = asyncio.get_running_loop()
    try:
        found = await resolve(target, Observation(target), loop.time() + timeout_s)
    except EndedError:
        return
    addresses = list(dict.fromkeys(address[0] for _, address in found))[:MOST_ADDRESSES]
    if len(addresses) < 2:
        return
    seen.at_addresses = list(
        await asyncio.gather(*(_at(replace(target, connect_host=address), context, timeout_s) for address in addresses))
    )


async def _at(target: Target, context: ssl.SSLContext | None, timeout_s: float) -> Observation:
    seen = await open_and_close(target, context, timeout_s, target.origin)
    if seen.fault is not None and seen.fault is not Fault.UNREACHABLE:
        await follow_up(seen, context, min(timeout_s, LONGEST_PROBE_S))
    return seen


def conclude_further(seen: Observation) -> None:
    """Turn what the further handshakes have shown into the fault of the observation (pure)."""
    reached = [one for one in seen.at_addresses if one.fault is not Fault.UNREACHABLE]
    if any(one.opened for one in reached) and not all(one.opened for one in reached):
        _set(seen, Fault.ADDRESS_REFUSED, ", ".join(one.target.connect_host for one in reached if not one.opened))
        return
    refused = [one for one in seen.further if not one.opened]
    opened = [one for one in seen.further if one.opened]
    if seen.fault is Fault.HTTP_ANSWER:
        if opened:
            _set(seen, Fault.SOME_REFUSED, f"{len(opened)} of {len(seen.further) + 1} handshakes were accepted")
        return
    if seen.fault is not None or not refused:
        return
    forms = {one.form for one in refused}
    if len(forms) < len({one.form for one in seen.further}) and not any(one.form in forms for one in opened):
        _set(seen, Fault.FORM_REFUSED, refused[0].shown)
    else:
        _set(seen, Fault.SOME_REFUSED, f"{len(opened) + 1} of {len(seen.further) + 1} handshakes were accepted")


def _set(seen: Observation, fault: Fault, detail: str) -> None:
    seen.first_fault, seen.fault, seen.detail = seen.fault, fault, detail


def conclude_idle_timeout(seen: Observation, wanted_s: float | None) -> None:
    """A configured idle timeout below the wanted one is a fault, whether or not this server's pings hide it (pure)."""
    configured_s = seen.target.configured_idle_timeout_s
    if seen.fault is None and configured_s is not None and wanted_s is not None and configured_s < wanted_s:
        seen.fail(Fault.IDLE_TIMEOUT_SHORT, f"{configured_s:g} s are configured, {wanted_s:g} s are wanted")
