# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One WebSocket endpoint from the first packet to the last: handshake, message, hold, close."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from .expectation import Expectation
from .handshake import open_websocket
from .hold import HoldReport, round_trips
from .observation import Close, EndedError, Fault, Observation
from .session import (
    Broken,
    CloseFrame,
    Event,
    Message,
    Ping,
    Pong,
    Session,
)
from .settings import CLOSE_TIMEOUT_S

if TYPE_CHECKING:
    from .settings import Settings
    from .target import Target
    from .wire import Wire

# How many messages that were not expected are kept for the evidence, and how much of each.
_KEPT_MESSAGES = 5
_EXCERPT = 200
_GATE_POLL_S = 60.0
_COURTESY_S = 1.0
_LIVENESS = b"still there?"


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
        """Tell the end to all who wait for it."""
        self.end = end
        for wire in self._held:
            wire.wake()
        self._held.clear()

    def end_or_later(self, now: float) -> float:
        """The end, or a moment at which to ask again."""
        return now + _GATE_POLL_S if self.end is None else self.end


class WebSocketProbe:
    """Walks through the phases of one connection and fills the observation."""

    def __init__(
        self,
        target: Target,
        context: ssl.SSLContext | None,
        settings: Settings,
        gate: HoldGate | None = None,
    ) -> None:
        self.target = target
        #: Called once, when the connection is open (and its message answered) or has failed.
        self.when_tried: Callable[[], None] | None = None
        self._gate = gate
        self.seen = Observation(target)
        self._context = context
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._wire: Wire | None = None
        self._session: Session | None = None
        self._pings = 0

    async def run(self) -> Observation:
        """Run all phases; whatever the peer does ends as a fact of the observation."""
        try:
            try:
                await self._open()
                if not self._open_session.is_open:
                    # Closed in the same packet as the handshake.
                    await self._events(self._loop.time())
                    self._raise_if_ended()
                if self._settings.has_message_phase:
                    await self._exchange()
            finally:
                if self.when_tried is not None:
                    self.when_tried()
            if self._settings.hold_s or self._gate is not None:
                await self._hold()
            await self._say_goodbye()
        except EndedError:
            pass
        finally:
            if self._wire is not None:
                self._wire.abort()
        return self.seen

    async def _open(self) -> None:
        deadline = self._loop.time() + self._settings.handshake_timeout_s
        opened = await open_websocket(self.target, self._context, self.seen, deadline, self.target.origin)
        self._wire = opened.wire
        self._session = session = Session(self._settings.max_message_size)
        # Frames may follow the answer in the same packet.
        self._early = session.feed(opened.rest)

    # Reading.

    async def _events(self, deadline: float) -> list[Event] | None:
        """The next events; None at the deadline.

        :raises EndedError: When the connection is over or the server broke the protocol.
        """
        wire, session = self._open_wire, self._open_session
        if self._early:
            events, self._early = self._early, []
        else:
            data = await wire.read(deadline)
            if data is None:
                return None
            if data == b"":
                self._was_cut()
                raise EndedError
            events = session.feed(data)
        wire.write(session.outgoing())
        for event in events:
            if isinstance(event, Ping):
                self._pings += 1
            elif isinstance(event, Message):
                self.seen.messages += 1
        last = events[-1] if events else None
        if isinstance(last, CloseFrame):
            self.seen.close = Close(last.code, self.target.redact(last.reason), "server")
            self.seen.fail(Fault.CLOSED_BY_SERVER, f"close code {last.code}")
        elif isinstance(last, Broken):
            self.seen.close = Close(None, "", "client")
            self.seen.fail(Fault.MESSAGE_TOO_BIG if last.too_big else Fault.PROTOCOL_BROKEN, last.detail)
        return events

    def _was_cut(self) -> None:
        wire = self._open_wire
        ended = wire.ended_at if wire.ended_at is not None else self._loop.time()
        self._cut_after_s = wire.silence.current_s(ended)
        how = "was reset" if wire.reset else "ended"
        self.seen.close = Close(None, "", "nobody")
        if self._asked_for_life:
            # Whoever dropped the connection did so before and told only when we sent again.
            self._cut_after_s = None
            self.seen.fail(Fault.DEAD_AFTER_SILENCE, f"the connection {how} when we sent again")
        self.seen.fail(Fault.CUT, f"the connection {how} without a close frame")

    @property
    def _open_wire(self) -> Wire:
        if self._wire is None:
            raise RuntimeError("not connected")
        return self._wire

    @property
    def _open_session(self) -> Session:
        if self._session is None:
            raise RuntimeError("not connected")
        return self._session

    _early: list[Event] = []  # noqa: RUF012 (replaced, never changed in place)
    _cut_after_s: float | None = None
    _asked_for_life = False

    # First message.

    async def _exchange(self) -> None:
        began = self._loop.time()
        deadline = began + self._settings.message_timeout_s
        expect = self._settings.expect or Expectation()
        if self._settings.send is not None:
            self._send_message()
        try:
            while True:
                events = await self._events(deadline)
                if events is None:
                    break
                for event in events:
                    if isinstance(event, Message):
                        if expect.met_by(event.data):
                            self.seen.phases["message"] = self._loop.time() - began
                            self._raise_if_ended()
                            return
                        self._keep(event)
                self._raise_if_ended()
        except EndedError:
            self.seen.phases.setdefault("message", self._loop.time() - began)
            raise
        self.seen.phases["message"] = self._loop.time() - began
        if self.seen.other_messages:
            self.seen.fail(Fault.UNEXPECTED_REPLY, self.seen.other_messages[-1])
            await self._say_goodbye()
            raise EndedError
        # Tell a connection on which nothing passes from an application that does not answer.
        alive = await self._answers_a_ping(min(self._settings.message_timeout_s, CLOSE_TIMEOUT_S))
        self.seen.fail(Fault.NO_REPLY if alive or self._pings or self.seen.messages else Fault.MUTE)
        if alive:
            await self._say_goodbye()
        raise EndedError

    def _send_message(self) -> None:
        self._open_session.send_message(self._settings.send or "")
        self._open_wire.write(self._open_session.outgoing())

    def _keep(self, message: Message) -> None:
        text = message.data if isinstance(message.data, str) else repr(message.data[:_EXCERPT])
        if len(self.seen.other_messages) < _KEPT_MESSAGES:
            self.seen.other_messages.append(self.target.redact(text)[:_EXCERPT])

    def _raise_if_ended(self) -> None:
        if self.seen.fault is not None:
            raise EndedError

    async def _answers_a_ping(self, within_s: float, payload: bytes = _LIVENESS) -> bool:
        """Send a ping; True when its pong comes in time.

        :raises EndedError: When the connection ends instead.
        """
        deadline = self._loop.time() + within_s
        self._open_session.send_ping(payload)
        self._open_wire.write(self._open_session.outgoing())
        while True:
            events = await self._events(deadline)
            if events is None:
                return False
            answered = any(isinstance(event, Pong) and event.payload == payload for event in events)
            self._raise_if_ended()
            if answered:
                return True

    # Hold.

    async def _hold(self) -> None:
        began = self._loop.time()
        self._pings = 0
        beats = _Beats()
        alive: bool | None = None
        held_s = 0.0
        try:
            await self._hold_until(began, beats)
            held_s = self._loop.time() - began
            alive = await self._still_alive(beats)
        except EndedError:
            ended = self._open_wire.ended_at if self._cut_after_s is not None else None
            held_s = (ended or self._loop.time()) - began
            raise
        finally:
            self.seen.phases["hold"] = held_s
            lost = len(beats.waiting)
            self.seen.hold = HoldReport(
                mode=self._settings.hold_mode,
                held_s=held_s,
                interval_s=self._settings.interval_s,
                longest_silence_s=max(self._open_wire.silence.longest_s, self._cut_after_s or 0.0),
                server_pings=self._pings,
                trips=None if self._settings.hold_mode == "quiet" else round_trips(beats.times_s, lost),
                alive_at_end=alive,
                silence_at_cut_s=self._cut_after_s,
            )
        if not alive:
            self.seen.fail(Fault.DEAD_AFTER_SILENCE, f"no answer after {held_s:.1f} s")
            raise EndedError
        if self._settings.hold_mode == "message" and lost:
            self.seen.fail(Fault.REPLIES_LOST, f"{lost} of {beats.sent} messages were not answered")
            await self._say_goodbye()
            raise EndedError

    async def _hold_until(self, began: float, beats: _Beats) -> None:
        end = began + self._settings.hold_s
        busy = self._settings.hold_mode != "quiet"
        next_beat = began + self._settings.interval_s
        if self._gate is not None:
            self._gate.join(self._open_wire)
        while True:
            now = self._loop.time()
            if self._gate is not None:
                end = self._gate.end_or_later(now)
            if now >= end:
                return
            if busy and now >= next_beat:
                self._beat(beats, now)
                # Beats that were missed while the loop was busy are not made up for.
                next_beat = max(next_beat + self._settings.interval_s, now)
            events = await self._events(min(end, next_beat) if busy else end)
            if events:
                self._count(events, beats)
                self._raise_if_ended()

    def _beat(self, beats: _Beats, now: float) -> None:
        beats.sent += 1
        if self._settings.hold_mode == "ping":
            payload = str(beats.sent).encode()
            self._open_session.send_ping(payload)
        else:
            payload = b""
            self._open_session.send_message(self._settings.send or "")
        beats.waiting.append((payload, now))
        self._open_wire.write(self._open_session.outgoing())

    def _count(self, events: list[Event], beats: _Beats) -> None:
        now = self._loop.time()
        expect = self._settings.expect or Expectation()
        for event in events:
            if self._settings.hold_mode == "ping" and isinstance(event, Pong):
                beats.answered_ping(event.payload, now)
            elif self._settings.hold_mode == "message" and isinstance(event, Message) and expect.met_by(event.data):
                beats.answered_message(now)

    async def _still_alive(self, beats: _Beats) -> bool:
        """After the hold: does the other end still answer? That proves the last silence survived."""
        within_s = min(self._settings.message_timeout_s, CLOSE_TIMEOUT_S)
        deadline = self._loop.time() + within_s
        self._asked_for_life = True
        self._open_session.send_ping(_LIVENESS)
        self._open_wire.write(self._open_session.outgoing())
        alive = False
        while not alive or beats.waiting:
            events = await self._events(deadline)
            if events is None:
                break
            alive = alive or any(isinstance(event, Pong) and event.payload == _LIVENESS for event in events)
            self._count(events, beats)
            self._raise_if_ended()
        if not alive:
            # A server that ignores pings may still take part in the closing handshake.
            alive = await self._close_is_answered(within_s)
        return alive

    # Close.

    async def _say_goodbye(self) -> None:
        if self._wire is None or self._session is None or not self._session.is_open:
            return
        began = self._loop.time()
        # After a failure the closing handshake is a courtesy.
        await self._close_is_answered(CLOSE_TIMEOUT_S if self.seen.fault is None else _COURTESY_S)
        self.seen.phases["close"] = self._loop.time() - began

    async def _close_is_answered(self, within_s: float) -> bool:
        wire, session = self._open_wire, self._open_session
        if not session.is_open:
            return self.seen.close is not None and self.seen.close.by != "nobody"
        deadline = self._loop.time() + within_s
        session.send_close()
        wire.write(session.outgoing())
        while True:
            data = await wire.read(deadline)
            if not data:
                self.seen.close = Close(None, "", "client")
                return False
            for event in session.feed(data):
                if isinstance(event, CloseFrame):
                    self.seen.close = Close(event.code, self.target.redact(event.reason), "client")
                    return True
                if isinstance(event, Broken):
                    self.seen.close = Close(None, "", "client")
                    return True


class _Beats:
    """What was sent during the hold and what of it was answered."""

    __slots__ = ("sent", "times_s", "waiting")

    def __init__(self) -> None:
        self.sent = 0
        self.waiting: deque[tuple[bytes, float]] = deque()
        self.times_s: list[float] = []

    def answered_ping(self, payload: bytes, now: float) -> None:
        """A pong answers its ping and all earlier ones (RFC 6455, section 5.5.3)."""
        if not any(waiting == payload for waiting, _ in self.waiting):
            return
        while self.waiting:
            waiting, sent_at = self.waiting.popleft()
            if waiting == payload:
                self.times_s.append(now - sent_at)
                return

    def answered_message(self, now: float) -> None:
        if self.waiting:
            self.times_s.append(now - self.waiting.popleft()[1])
