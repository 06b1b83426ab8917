# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One endpoint of server-sent events: answer, first event, hold."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from .connect import connect
from .hold_report import HoldReport
from .http_exchange import read_body, read_head, request_head
from .observation import BURST, Close, EndedError, Fault, Observation
from .silence import Silence
from .sse_chunks import ChunkedBody, ChunkError
from .sse_stream import EventStream, StreamError

if TYPE_CHECKING:
    from .settings import Settings
    from .target import Target
    from .wire import Wire

# Events that arrive closer together than this were on their way together.
_BURST_S = 0.05
# Gaps that are kept: a stream of one event a second for the longest hold.
_MAX_GAPS = 100000


class SseProbe:
    """Reads one event stream and fills the observation."""

    def __init__(self, target: Target, context: ssl.SSLContext | None, settings: Settings) -> None:
        self.target = target
        self.seen = Observation(target)
        self._context = context
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._wire: Wire | None = None
        self._chunks: ChunkedBody | None = None
        self._stream = EventStream(settings.max_message_size)
        self._gaps_s: list[float] = []
        self._last_event: float | None = None
        self._burst = 0
        self._events = 0
        self._comments = 0

    async def run(self) -> Observation:
        """Run all phases; whatever the peer does ends as a fact of the observation."""
        try:
            await self._open()
            await self._first_event()
            if self._settings.hold_s:
                await self._hold()
            self.seen.close = Close(None, "", "client")
        except EndedError:
            pass
        finally:
            if self._wire is not None:
                self._wire.abort()
            self.seen.messages = self._events
            self.seen.event_gaps_s = tuple(self._gaps_s)
        return self.seen

    async def _open(self) -> None:
        target, seen = self.target, self.seen
        deadline = self._loop.time() + self._settings.handshake_timeout_s
        self._wire = wire = await connect(target, self._context, seen, deadline)
        began = self._loop.time()
        # What an EventSource in a browser sends.
        accept = (("Accept", "text/event-stream"), ("Cache-Control", "no-cache"))
        wire.write(request_head(target, target.origin, *accept))
        answer, rest = await read_head(wire, seen, deadline)
        seen.phases["answer"] = self._loop.time() - began
        seen.answer = answer
        if answer.status != 200 or answer.content_type != "text/event-stream":
            seen.answer = await read_body(wire, answer, rest, deadline)
            if answer.status == 200:
                seen.fail(Fault.NOT_EVENT_STREAM, answer.content_type or "no content type")
            else:
                seen.fail(Fault.HTTP_ANSWER, f"HTTP {answer.status}")
            raise EndedError
        seen.opened = True
        if (answer.header("Transfer-Encoding") or "").lower().endswith("chunked"):
            self._chunks = ChunkedBody()
        self._began = began
        self._early = rest

    async def _first_event(self) -> None:
        deadline = self._loop.time() + self._settings.message_timeout_s
        try:
            while not self._events and not self._comments:
                if not await self._read(deadline):
                    self.seen.fail(
                        Fault.NO_EVENT, f"neither event nor comment within {self._settings.message_timeout_s:g} s"
                    )
                    raise EndedError
        finally:
            self.seen.phases["message"] = self._loop.time() - self._began
        self.seen.first_event_s = self.seen.phases["message"]

    async def _read(self, deadline: float) -> bool:
        """Take what comes; False at the deadline.

        :raises EndedError: At the end of the stream.
        """
        wire = self._wire
        if wire is None:
            raise RuntimeError("not connected")
        data: bytes | None
        if self._early:
            data, self._early = self._early, b""
        else:
            data = await wire.read(deadline)
        if data is None:
            return False
        if data == b"":
            how = "reset" if wire.reset else "closed"
            self.seen.close = Close(None, "", "nobody" if wire.reset else "server")
            raise self.seen.end(Fault.STREAM_ENDED, f"the connection was {how}")
        try:
            body = data if self._chunks is None else self._chunks.feed(data)
            arrivals = self._stream.feed(body)
        except (ChunkError, StreamError) as exc:
            raise self.seen.end(Fault.PROTOCOL_BROKEN, f"{exc} in the event stream") from None
        self._comments += arrivals.comments
        if arrivals.events:
            self._count(arrivals.events)
        if self._chunks is not None and self._chunks.ended:
            self.seen.close = Close(None, "", "server")
            raise self.seen.end(Fault.STREAM_ENDED, "the server ended the answer")
        return True

    def _count(self, events: int) -> None:
        now = self._loop.time()
        gap = None if self._last_event is None else now - self._last_event
        if gap is not None and len(self._gaps_s) < _MAX_GAPS:
            self._gaps_s.append(gap)
        before = self._burst if gap is not None and gap < _BURST_S else 0
        self._burst = before + events
        self.seen.bursts += before < BURST <= self._burst
        self.seen.largest_burst = max(self.seen.largest_burst, self._burst)
        self._last_event = now
        self._events += events

    async def _hold(self) -> None:
        began = self._loop.time()
        end = began + self._settings.hold_s
        comments, silence = self._comments, Silence(began)
        over = False
        try:
            while await self._read(end):
                silence.touch(self._loop.time())
        except EndedError:
            over = True
            raise
        finally:
            wire = self._wire
            ended = wire.ended_at if over and wire is not None and wire.ended_at is not None else self._loop.time()
            self.seen.phases["hold"] = ended - began
            last_s = silence.current_s(ended)
            self.seen.hold = HoldReport(
                mode="quiet",
                held_s=ended - began,
                interval_s=self._settings.interval_s,
                longest_silence_s=max(silence.longest_s, last_s),
                server_pings=self._comments - comments,
                # A silence counts as survived only when something came after it.
                alive_at_end=None if over or last_s > silence.longest_s else True,
                silence_at_cut_s=last_s if over else None,
            )
