# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One WebSocket endpoint in all its phases: connect, upgrade, first message, hold and close."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from .expectation import Expectation
from .frames import Message
from .handshake import open_websocket
from .hold import Hold, HoldGate
from .observation import EndedError, Fault, Observation
from .session import WebSocketSession

if TYPE_CHECKING:
    from .settings import Settings
    from .target import Target

# How many of the messages that were not expected are kept for the evidence, and how much of each.
_KEPT_MESSAGES = 5
_EXCERPT = 200
_PING = b"still there?"


class WebSocketProbe:
    """Walks through the phases of one connection and fills the observation."""

    def __init__(
        self,
        target: Target,
        context: ssl.SSLContext | None,
        settings: Settings,
        gate: HoldGate | None = None,
        compression: bool = True,
    ) -> None:
        self.seen = Observation(target)
        #: Called once, when the connection is open (and its message answered) or has failed.
        self.when_tried: Callable[[], None] | None = None
        self._target = target
        self._context = context
        self._settings = settings
        self._gate = gate
        self._compression = compression
        self._loop = asyncio.get_running_loop()

    async def run(self) -> Observation:
        """Run all phases; whatever the peer does becomes a fact of the observation."""
        session: WebSocketSession | None = None
        try:
            try:
                session = await self._open()
                await session.raise_if_closed_at_once()
                if self._settings.has_message_phase:
                    await self._exchange(session)
            finally:
                if self.when_tried is not None:
                    self.when_tried()
            if self._settings.hold_s or self._gate is not None:
                await Hold(session, self.seen, self._settings, self._gate).run()
            await session.close()
        except EndedError:
            pass
        finally:
            if session is not None:
                session.wire.abort()
        return self.seen

    async def _open(self) -> WebSocketSession:
        deadline = self._loop.time() + self._settings.handshake_timeout_s
        opened = await open_websocket(
            self._target, self._context, self.seen, deadline, self._target.origin, compression=self._compression
        )
        return WebSocketSession(opened, self.seen, self._settings.max_message_size, self._settings.protocol)

    async def _exchange(self, session: WebSocketSession) -> None:
        """Send the message and wait for the expected one.

        :raises EndedError: If it does not come.
        """
        began = self._loop.time()
        if self._settings.send is not None:
            session.send_message(self._settings.send)
        try:
            answered = await self._is_expected_message_received(session, began + self._settings.message_timeout_s)
        finally:
            self.seen.phases["message"] = self._loop.time() - began
        if answered:
            if self._settings.send is not None:
                self.seen.last_round_trip_s = self.seen.phases["message"]
            session.raise_if_ended()
            return
        if self.seen.messages:
            self.seen.fail(Fault.UNEXPECTED_REPLY, self.seen.other_messages[-1])
            await session.close()
            raise EndedError
        # Tells a connection on which nothing passes from an application that does not answer.
        alive = await session.is_ping_answered(_PING, self._settings.ping_timeout_s)
        self.seen.fail(Fault.NO_REPLY if alive or session.server_pings or self.seen.messages else Fault.MUTE)
        if alive:
            await session.close()
        raise EndedError

    async def _is_expected_message_received(self, session: WebSocketSession, deadline: float) -> bool:
        expect = self._settings.expect or Expectation()
        while (events := await session.events(deadline)) is not None:
            for event in events:
                if isinstance(event, Message):
                    if expect.met_by(event.data):
                        return True
                    # A ping of the protocol is no reply.
                    if self._settings.protocol.answer_to(event.data) is None:
                        self._keep(event)
            session.raise_if_ended()
        return False

    def _keep(self, message: Message) -> None:
        text = message.data if isinstance(message.data, str) else repr(message.data[:_EXCERPT])
        text = self._target.redact(text)[:_EXCERPT]
        if text not in self.seen.other_messages and len(self.seen.other_messages) < _KEPT_MESSAGES:
            self.seen.other_messages.append(text)
