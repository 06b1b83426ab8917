# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the public address where the proxy passes: what is behind it is cleared (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .causes import Cause
from .filters import marks_of
from .judgement import Judgement, Reference, place_and_url
from .observation import Fault

if TYPE_CHECKING:
    from .observation import Observation

# Faults of what answered. A name, a route or a certificate says by itself where it is wrong.
_ANSWERED = frozenset(
    (
        Fault.REFUSED,
        Fault.HTTP_ANSWER,
        Fault.CLOSED_IN_HANDSHAKE,
        Fault.HANDSHAKE_STALLED,
        Fault.NOT_HTTP,
        Fault.ACCEPT_KEY_WRONG,
        Fault.UPGRADE_INVALID,
        Fault.MUTE,
        Fault.REPLIES_LOST,
        Fault.NO_REPLY,
        Fault.CUT,
        Fault.DEAD_AFTER_SILENCE,
        Fault.PROTOCOL_BROKEN,
        Fault.FORM_REFUSED,
        Fault.SOME_REFUSED,
    )
)
# What to do at the machine in front, by cause; the remedies of the catalogue are for the proxy.
_REMEDIES: Mapping[Cause, str] = {
    Cause.PROXY_DOWN: "check that the public port is open and forwarded to the proxy (firewall, port forwarding, DNS)",
    Cause.UPGRADE_NOT_FORWARDED: "let it forward the upgrade: in nginx the Upgrade and Connection lines in its own "
    "location, in HAProxy no rule that deletes these headers, at a CDN its WebSocket setting",
    Cause.BAD_GATEWAY: "compare the address, port and scheme to which it forwards with those on which the proxy "
    "listens; its own log names the failure",
    Cause.GATEWAY_TIMEOUT: "check whether it reaches the proxy in time: address, port, and a firewall between them",
    Cause.UNAVAILABLE_OR_LIMITED: "read its log: a limit of its own, or no server that it takes for healthy (its "
    "health check may ask with another Host than the proxy serves)",
    Cause.CUT_WHILE_IDLE: "raise its idle timeout: HAProxy timeout tunnel, nginx proxy_read_timeout, the idle timeout "
    "of a load balancer; or let the application ping more often",
    Cause.DEAD_AFTER_SILENCE: "raise its idle timeout, or let the application ping more often",
    Cause.CLOSED_IN_HANDSHAKE: "read its log; it closes the connection before the proxy answers",
    Cause.HANDSHAKE_STALLED: "read its log; it does not pass the request to the proxy, or not the answer back",
    Cause.AUTHENTICATION_REQUIRED: "exclude the path from the login that it requires, or give secret_headers",
}
# Causes whose judgement says itself where to look, or that are the same wherever they arise.
_AS_JUDGED = frozenset(
    (
        Cause.DENIED_BY_PROXY,
        Cause.FILTERED,
        Cause.LOGIN_PAGE_IN_FRONT,
        Cause.ORIGIN_REJECTED,
        Cause.REDIRECTED,
        Cause.REQUEST_TOO_LARGE,
    )
)
_OTHERWISE = "look at its configuration and its log; the location in the proxy is right"


def is_in_front(seen: Observation, reference: Reference) -> bool:
    """Whether the proxy is cleared, so that the fault must be nearer to the public address."""
    return seen.target.vantage == "public" and reference.proxy_passed and seen.fault in _ANSWERED


def judge_in_front(seen: Observation, judgement: Judgement) -> Judgement:
    """Name the machine in front of the proxy instead of the proxy."""
    if judgement.cause in _AS_JUDGED:
        return judgement
    marks = ", ".join(marks_of(seen.answer)) if seen.answer is not None and not seen.opened else ""
    who = f"what answers there names itself {marks}" if marks else "what answers there does not name itself"
    cause, explanation = judgement.cause, judgement.explanation
    if cause in (Cause.NOT_ROUTED_BY_PROXY, Cause.REFUSED_BEHIND_PROXY) and seen.answer is not None:
        cause = Cause.NOT_ROUTED_TO_PROXY
        explanation = f"{place_and_url(seen)} answered HTTP {seen.answer.status}"
    at = f" at {seen.address}" if seen.address else ""
    return Judgement(
        cause,
        f"{explanation}; the proxy itself passes at its own address, so the cause is in front of it{at}: {who}",
        "at the machine in front of the proxy: " + _REMEDIES.get(cause, _OTHERWISE),
    )
