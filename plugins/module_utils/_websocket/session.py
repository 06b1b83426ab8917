# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An open WebSocket over its connection: events with a deadline, messages, pings and the closing handshake.

Whatever ends the connection becomes a fault of the observation.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .frames import Broken, CloseFrame, Event, ExtensionError, Frames, Message, Ping, Pong
from .observation import Close, EndedError, Fault, Observation
from .settings import CLOSE_TIMEOUT_S

if TYPE_CHECKING:
    from .handshake import Opened
    from .protocol import Protocol

# After a failure the closing handshake is a courtesy.
_CLOSE_AFTER_FAILURE_S = 1.0


class WebSocketSession:
    """One upgraded connection; times are seconds of the running loop's clock.

    :raises EndedError: If the compression that the server chose cannot be used.
    """

    def __init__(self, opened: Opened, seen: Observation, max_message_size: int, protocol: Protocol) -> None:
        self.wire = opened.wire
        #: Pings that the server has sent.
        self.server_pings = 0
        #: The silence before a cut, where a silence can be its cause.
        self.silence_at_cut_s: float | None = None
        #: Set before something is sent at the end of a hold: a cut after that was not seen before.
        self.is_last_ping_sent = False
        self._seen = seen
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        try:
            self._frames = Frames(max_message_size, opened.extension)
        except ExtensionError as exc:
            opened.wire.abort()
            raise seen.end(Fault.UPGRADE_INVALID, str(exc)) from None
        # Frames may have come together with the answer to the handshake.
        self._early = self._frames.feed(opened.rest)

    async def events(self, deadline: float) -> list[Event] | None:
        """The next events; None at the deadline.

        The events may hold what was waited for and after it the end of the connection: handle them, then call
        :meth:`raise_if_ended`.

        :raises EndedError: If the connection was cut.
        """
        if self._early:
            events, self._early = self._early, []
        else:
            data = await self.wire.read(deadline)
            if data is None:
                return None
            if data == b"":
                raise self._cut()
            events = self._frames.feed(data)
        for event in events:
            answer = self._protocol.answer_to(event.data) if isinstance(event, Message) else None
            if answer is not None and self._frames.is_open:
                self._frames.send_message(answer)
        self.wire.write(self._frames.outgoing())
        self.server_pings += sum(isinstance(event, Ping) for event in events)
        self._seen.messages += sum(isinstance(event, Message) for event in events)
        last = events[-1] if events else None
        if isinstance(last, CloseFrame):
            self._seen.close = Close(last.code, self._seen.target.redact(last.reason), "server")
            self._seen.fail(Fault.CLOSED_BY_SERVER, f"close code {last.code}")
        elif isinstance(last, Broken):
            self._seen.close = Close(None, "", "client")
            self._seen.fail(Fault.MESSAGE_TOO_BIG if last.too_big else Fault.PROTOCOL_BROKEN, last.detail)
        return events

    def raise_if_ended(self) -> None:
        """:raises EndedError: If the connection is over."""
        if self._seen.fault is not None:
            raise EndedError

    async def raise_if_closed_at_once(self) -> None:
        """:raises EndedError: If the server closed in the same packet as the handshake."""
        if not self._frames.is_open:
            await self.events(self._loop.time())
            self.raise_if_ended()

    def _cut(self) -> EndedError:
        ended = self.wire.ended_at if self.wire.ended_at is not None else self._loop.time()
        how = "was reset" if self.wire.reset else "ended"
        self._seen.close = Close(None, "", "nobody")
        if self.is_last_ping_sent:
            # It was dropped before, and that was told only when something was sent.
            return self._seen.end(Fault.DEAD_AFTER_SILENCE, f"the connection {how} when a ping was sent")
        self.silence_at_cut_s = self.wire.silence.current_s(ended)
        return self._seen.end(Fault.CUT, f"the connection {how} without a close frame")

    # Sending.

    def send_message(self, text: str) -> None:
        self._frames.send_message(text)
        self.wire.write(self._frames.outgoing())

    def send_ping(self, payload: bytes) -> None:
        self._frames.send_ping(payload)
        self.wire.write(self._frames.outgoing())

    async def is_ping_answered(self, payload: bytes, timeout_s: float) -> bool:
        """Send a ping; whether its pong comes in time.

        :raises EndedError: If the connection ends instead.
        """
        deadline = self._loop.time() + timeout_s
        self.send_ping(payload)
        while (events := await self.events(deadline)) is not None:
            answered = any(isinstance(event, Pong) and event.payload == payload for event in events)
            self.raise_if_ended()
            if answered:
                return True
        return False

    # Closing.

    async def close(self) -> None:
        """Make the closing handshake if the connection is open."""
        if not self._frames.is_open:
            return
        began = self._loop.time()
        await self.is_close_answered(CLOSE_TIMEOUT_S if self._seen.fault is None else _CLOSE_AFTER_FAILURE_S)
        self._seen.phases["close"] = self._loop.time() - began

    async def is_close_answered(self, timeout_s: float) -> bool:
        """Send a close frame; whether the server's comes in time."""
        if not self._frames.is_open:
            return self._seen.close is not None and self._seen.close.by != "nobody"
        deadline = self._loop.time() + timeout_s
        self._frames.send_close()
        self.wire.write(self._frames.outgoing())
        self._seen.close = Close(None, "", "client")
        while data := await self.wire.read(deadline):
            for event in self._frames.feed(data):
                if isinstance(event, CloseFrame):
                    self._seen.close = Close(event.code, self._seen.target.redact(event.reason), "client")
                if isinstance(event, (CloseFrame, Broken)):
                    return True
        return False
