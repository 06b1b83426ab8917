# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hold of an open WebSocket: in silence, or with pings or messages of the check in an interval."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from .expectation import Expectation
from .frames import Event, Message, Pong
from .hold_report import MAX_SAMPLES, HoldReport
from .observation import EndedError, Fault, Observation
from .round_trips import round_trips

if TYPE_CHECKING:
    from .session import WebSocketSession
    from .settings import Settings
    from .wire import Wire

_GATE_POLL_S = 60.0
_LAST_PING = b"still there?"


class HoldGate:
    """When the hold of many connections ends: known once the last one was tried."""

    def __init__(self) -> None:
        self.end: float | None = None
        self.opened_s = 0.0
        self._held: list[Wire] = []

    def join(self, wire: Wire) -> None:
        """Hold this connection until the end."""
        self._held.append(wire)

    def set_end(self, end: float) -> None:
        """Set the end for all that are held."""
        self.end = end
        for wire in self._held:
            wire.wake()
        self._held.clear()

    def end_or_later(self, now: float) -> float:
        """The end, or a moment at which to ask again."""
        return now + _GATE_POLL_S if self.end is None else self.end


class Hold:
    """Holds one connection and adds the report to the observation."""

    def __init__(
        self, session: WebSocketSession, seen: Observation, settings: Settings, gate: HoldGate | None = None
    ) -> None:
        self._session = session
        self._seen = seen
        self._settings = settings
        self._gate = gate
        self._expect = settings.expect or Expectation()
        self._beats = Beats()
        self._loop = asyncio.get_running_loop()
        # Seconds from the start of the hold at which something came from the server.
        self._arrivals_s: list[float] = []

    async def run(self) -> None:
        """Hold, then ask whether the other end is still there.

        :raises EndedError: If the connection ended, or is dead, or messages were not answered.
        """
        began = self._seen.held_since = self._loop.time()
        pings_before = self._session.server_pings
        is_alive: bool | None = None
        held_s = 0.0
        try:
            await self._until_end(began)
            held_s = self._loop.time() - began
            is_alive = await self._is_alive()
        except EndedError:
            cut_at = self._session.wire.ended_at if self._session.silence_at_cut_s is not None else None
            held_s = (cut_at or self._loop.time()) - began
            raise
        finally:
            self._seen.phases["hold"] = held_s
            self._seen.hold = self._report(began, held_s, self._session.server_pings - pings_before, is_alive)
        if not is_alive:
            raise self._seen.end(Fault.DEAD_AFTER_SILENCE, f"no answer after {held_s:.1f} s")
        lost = len(self._beats.waiting)
        if self._settings.hold_mode == "message" and lost:
            self._seen.fail(Fault.REPLIES_LOST, f"{lost} of {self._beats.sent} messages were not answered")
            await self._session.close()
            raise EndedError

    def _report(self, began: float, held_s: float, server_pings: int, is_alive: bool | None) -> HoldReport:
        quiet = self._settings.hold_mode == "quiet"
        at_cut_s = self._session.silence_at_cut_s
        return HoldReport(
            mode=self._settings.hold_mode,
            held_s=held_s,
            interval_s=self._settings.interval_s,
            longest_silence_s=max(self._session.wire.silence.longest_s, at_cut_s or 0.0),
            server_pings=server_pings,
            trips=None if quiet else round_trips(self._beats.times_s, len(self._beats.waiting)),
            samples=tuple((sent_at - began, seconds) for sent_at, seconds in self._beats.answered[:MAX_SAMPLES]),
            arrivals_s=tuple(self._arrivals_s[:MAX_SAMPLES]),
            alive_at_end=is_alive,
            silence_at_cut_s=at_cut_s,
        )

    async def _until_end(self, began: float) -> None:
        end = began + self._settings.hold_s
        busy = self._settings.hold_mode != "quiet"
        next_beat = began + self._settings.interval_s
        if self._gate is not None:
            self._gate.join(self._session.wire)
        while True:
            now = self._loop.time()
            if self._gate is not None:
                end = self._gate.end_or_later(now)
            if now >= end:
                return
            if busy and now >= next_beat:
                self._beat(now)
                # Beats that were missed while the loop was busy are left out.
                next_beat = max(next_beat + self._settings.interval_s, now)
            events = await self._session.events(min(end, next_beat) if busy else end)
            if events:
                self._arrivals_s.append(self._loop.time() - began)
                self._count(events)
                self._session.raise_if_ended()

    def _beat(self, now: float) -> None:
        payload = self._beats.next(now)
        if self._settings.hold_mode == "ping":
            self._session.send_ping(payload)
        else:
            self._session.send_message(self._settings.send or "")

    def _count(self, events: list[Event]) -> None:
        now = self._loop.time()
        mode = self._settings.hold_mode
        for event in events:
            if mode == "ping" and isinstance(event, Pong):
                self._beats.ping_answered(event.payload, now)
            elif mode == "message" and isinstance(event, Message) and self._expect.met_by(event.data):
                self._beats.message_answered(now)
        if self._beats.answered:
            self._seen.last_round_trip_s = self._beats.answered[-1][1]

    async def _is_alive(self) -> bool:
        """Whether the other end still answers, which proves that the connection survived the last silence."""
        timeout_s = self._settings.ping_timeout_s
        deadline = self._loop.time() + timeout_s
        self._session.is_last_ping_sent = True
        self._session.send_ping(_LAST_PING)
        alive = False
        while not alive or self._beats.waiting:
            events = await self._session.events(deadline)
            if events is None:
                break
            alive = alive or any(isinstance(event, Pong) and event.payload == _LAST_PING for event in events)
            self._count(events)
            self._session.raise_if_ended()
        # A server that ignores pings may still take part in the closing handshake.
        return alive or await self._session.is_close_answered(timeout_s)


class Beats:
    """What was sent during the hold, and what of it was answered (pure); times from one monotonic clock."""

    __slots__ = ("answered", "sent", "waiting")

    def __init__(self) -> None:
        self.sent = 0
        #: Payload and time of what was not answered yet.
        self.waiting: deque[tuple[bytes, float]] = deque()
        #: When it was sent, and the seconds until its answer.
        self.answered: list[tuple[float, float]] = []

    @property
    def times_s(self) -> list[float]:
        """Round trips in seconds."""
        return [seconds for _sent_at, seconds in self.answered]

    def next(self, now: float) -> bytes:
        """Count one more that is sent now; return its payload."""
        self.sent += 1
        payload = str(self.sent).encode()
        self.waiting.append((payload, now))
        return payload

    def ping_answered(self, payload: bytes, now: float) -> None:
        """A pong answers its ping and all earlier ones (RFC 6455, section 5.5.3); unknown ones are ignored."""
        if not any(waiting == payload for waiting, _ in self.waiting):
            return
        while self.waiting:
            waiting, sent_at = self.waiting.popleft()
            if waiting == payload:
                self.answered.append((sent_at, now - sent_at))
                return

    def message_answered(self, now: float) -> None:
        """Messages are answered in the order in which they were sent."""
        if self.waiting:
            sent_at = self.waiting.popleft()[1]
            self.answered.append((sent_at, now - sent_at))
