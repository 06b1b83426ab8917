# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One endpoint of server-sent events in all its phases: connect, answer, first event and hold."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from .connect import connect
from .event_rhythm import EventRhythm
from .hold_report import MAX_SAMPLES, HoldReport
from .http_exchange import read_body, read_head, request_head
from .observation import Close, EndedError, Fault, Observation
from .silence import Silence
from .sse_chunks import ChunkedBody, ChunkError
from .sse_stream import EventStream, StreamError

if TYPE_CHECKING:
    from .http_answer import RawAnswer
    from .settings import Settings
    from .target import Target
    from .wire import Wire

# What an EventSource in a browser sends.
_ACCEPT = (("Accept", "text/event-stream"), ("Cache-Control", "no-cache"))


class SseProbe:
    """Walks through the phases of one event stream and fills the observation."""

    def __init__(self, target: Target, context: ssl.SSLContext | None, settings: Settings) -> None:
        self.seen = Observation(target)
        self._context = context
        self._settings = settings
        self._loop = asyncio.get_running_loop()

    async def run(self) -> Observation:
        """Run all phases; whatever the peer does becomes a fact of the observation."""
        stream: _Stream | None = None
        try:
            stream = await self._open()
            await self._first_event(stream)
            if self._settings.hold_s:
                await self._hold(stream)
            self.seen.close = Close(None, "", "client")
        except EndedError:
            pass
        finally:
            if stream is not None:
                stream.wire.abort()
                stream.tell()
        return self.seen

    async def _open(self) -> _Stream:
        target, seen = self.seen.target, self.seen
        deadline = self._loop.time() + self._settings.handshake_timeout_s
        wire = await connect(target, self._context, seen, deadline)
        try:
            began = self._loop.time()
            wire.write(request_head(target, target.origin, *_ACCEPT))
            answer, rest = await read_head(wire, seen, deadline)
            seen.phases["answer"] = self._loop.time() - began
            seen.answer = answer
            if answer.status != 200 or answer.content_type != "text/event-stream":
                seen.answer = await read_body(wire, answer, rest, deadline)
                if answer.status == 200:
                    raise seen.end(Fault.NOT_EVENT_STREAM, answer.content_type or "no content type")
                raise seen.end(Fault.HTTP_ANSWER, f"HTTP {answer.status}")
        except BaseException:
            wire.abort()
            raise
        seen.opened = True
        return _Stream(wire, answer, rest, seen, self._settings.max_message_size)

    async def _first_event(self, stream: _Stream) -> None:
        began = self._loop.time()
        timeout_s = self._settings.message_timeout_s
        try:
            while not stream.has_begun:
                if not await stream.read(began + timeout_s):
                    raise self.seen.end(Fault.NO_EVENT, f"neither event nor comment within {timeout_s:g} s")
        finally:
            self.seen.phases["message"] = self.seen.phases["answer"] + self._loop.time() - began
            if stream.has_begun:
                self.seen.first_event_s = self.seen.phases["message"]

    async def _hold(self, stream: _Stream) -> None:
        began = self.seen.held_since = self._loop.time()
        comments, silence = stream.comments, Silence(began)
        arrivals_s: list[float] = []
        over = False
        try:
            while await stream.read(began + self._settings.hold_s):
                silence.touch(self._loop.time())
                arrivals_s.append(self._loop.time() - began)
        except EndedError:
            over = True
            raise
        finally:
            ended = stream.wire.ended_at if over and stream.wire.ended_at is not None else self._loop.time()
            is_cut = over and self.seen.fault is not None
            last_s = silence.current_s(ended)
            longest_s = max(silence.longest_s, last_s)
            self.seen.phases["hold"] = ended - began
            self.seen.hold = HoldReport(
                mode="quiet",
                held_s=ended - began,
                interval_s=self._settings.interval_s,
                longest_silence_s=longest_s,
                server_pings=stream.comments - comments,
                arrivals_s=tuple(arrivals_s[:MAX_SAMPLES]),
                # A silence was survived only if something came after it; the orderly end of a stream is something.
                alive_at_end=True if (over and not is_cut) or (not over and last_s <= silence.longest_s) else None,
                silence_at_cut_s=last_s if is_cut else None,
            )


class _Stream:
    """The body of an answer, read as events with a deadline."""

    def __init__(self, wire: Wire, answer: RawAnswer, rest: bytes, seen: Observation, max_line: int) -> None:
        self.wire = wire
        self.rhythm = EventRhythm()
        self.comments = 0
        self._early = rest
        self._seen = seen
        self._loop = asyncio.get_running_loop()
        self._lines = EventStream(max_line)
        chunked = (answer.header("Transfer-Encoding") or "").lower().endswith("chunked")
        self._chunks = ChunkedBody() if chunked else None

    @property
    def has_begun(self) -> bool:
        """Whether an event or a comment has arrived."""
        return bool(self.rhythm.events or self.comments)

    async def read(self, deadline: float) -> bool:
        """Take what arrives; False at the deadline.

        :raises EndedError: At the end of the stream. Without a fault where the server ended it in an orderly way after
            an event: that is its decision, and a browser connects again.
        """
        data: bytes | None
        if self._early:
            data, self._early = self._early, b""
        else:
            data = await self.wire.read(deadline)
        if data is None:
            return False
        if data == b"":
            self._seen.close = Close(None, "", "nobody" if self.wire.reset else "server")
            raise self._seen.end(Fault.STREAM_ENDED, f"the connection was {'reset' if self.wire.reset else 'closed'}")
        try:
            arrivals = self._lines.feed(data if self._chunks is None else self._chunks.feed(data))
        except (ChunkError, StreamError) as exc:
            raise self._seen.end(Fault.PROTOCOL_BROKEN, f"{exc} in the event stream") from None
        self.comments += arrivals.comments
        self.rhythm.add(arrivals.events, self._loop.time())
        if self._chunks is not None and self._chunks.ended:
            self._seen.close = Close(None, "", "server")
            if self.has_begun:
                raise EndedError
            raise self._seen.end(Fault.STREAM_ENDED, "the server ended the answer without an event")
        return True

    def tell(self) -> None:
        """Add what has arrived to the observation."""
        self._seen.messages = self.rhythm.events
        self._seen.event_gaps_s = tuple(self.rhythm.gaps_s)
        self._seen.bursts = self.rhythm.bursts
        self._seen.largest_burst = self.rhythm.largest_burst
