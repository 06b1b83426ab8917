# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection's bytes with deadlines and bounds on both sides."""

from __future__ import annotations

import asyncio
import threading
from typing import cast

from .silence import Silence

# Bytes kept unread before reading from the peer pauses.
HIGH_WATER = 32768
# Bytes handed over at once; a peer can put thousands of frames into them, each of which takes time.
PIECE = 4096


class _Landing(threading.local):
    """Where the system puts what it has received, to be copied at once to the connection that it is for.

    One buffer serves all connections of a thread (a loop); asyncio's default takes 256 KiB for each that is flooded.
    """

    def __init__(self) -> None:
        # A view: with TLS, asyncio puts each further record into a slice of it, which of a bytearray would be a copy.
        self.buffer = memoryview(bytearray(16384))


_LANDING = _Landing()


class Wire(asyncio.BufferedProtocol):
    """A stream that is read with a deadline on the loop's monotonic clock.

    Reading pauses while too much is unread, or while the peer does not take what we
    write; so a flood from the peer can neither fill memory nor make us answer it there.
    """

    __slots__ = (
        "_data",
        "_loop",
        "_overdue",
        "_paused_for_read",
        "_paused_for_write",
        "_transport",
        "_waiter",
        "ended_at",
        "error",
        "silence",
    )

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._data = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._paused_for_read = False
        self._paused_for_write = False
        self._overdue = False
        self.silence = Silence(self._loop.time())
        #: When the peer's end of the stream was seen.
        self.ended_at: float | None = None
        #: What ended the connection instead of an orderly end.
        self.error: Exception | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Keep no more than this of our own: what we write are pongs and small messages.
        self._transport.set_write_buffer_limits(high=HIGH_WATER)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 (the interface of asyncio)
        return _LANDING.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.silence.touch(self._loop.time())
        self._data += _LANDING.buffer[:nbytes]
        if len(self._data) > HIGH_WATER and not self._paused_for_read:
            self._paused_for_read = True
            self._follow_pauses()
        self.wake()

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = self.error or exc
        self._end()

    def pause_writing(self) -> None:
        self._paused_for_write = True
        self._follow_pauses()

    def resume_writing(self) -> None:
        self._paused_for_write = False
        self._follow_pauses()

    def _follow_pauses(self) -> None:
        if self._transport is None or self.ended_at is not None:
            return
        if self._paused_for_read or self._paused_for_write:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _end(self) -> None:
        if self.ended_at is None:
            self.ended_at = self._loop.time()
        self.wake()

    def wake(self) -> None:
        """Let a waiting read return, with None if nothing came."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the check calls.

    @property
    def reset(self) -> bool:
        """True when the connection ended with an error instead of an orderly end."""
        return self.error is not None

    @property
    def transport(self) -> asyncio.Transport:
        if self._transport is None:
            raise RuntimeError("the connection is not made yet")
        return self._transport

    async def read(self, deadline: float) -> bytes | None:
        """Some of the bytes that came; ``b""`` at the end of the stream; None at the deadline, or when woken."""
        if deadline <= self._loop.time():
            # Also with more to read, or a flood would have no end; but what came while the
            # loop was busy is looked at once.
            await asyncio.sleep(0)
            if self._overdue:
                return None
            self._overdue = True
        else:
            self._overdue = False
            if not self._data and self.ended_at is None:
                await self._wait(deadline)
        if self._data:
            data = bytes(self._data[:PIECE])
            del self._data[:PIECE]
            if self._paused_for_read and len(self._data) <= HIGH_WATER:
                self._paused_for_read = False
                self._follow_pauses()
            return data
        return b"" if self.ended_at is not None else None

    async def _wait(self, deadline: float) -> None:
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_at(deadline, self.wake)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def write(self, data: bytes) -> None:
        """Send; a connection that has ended swallows it, the next read tells."""
        if data and self.ended_at is None and not self.transport.is_closing():
            self.silence.touch(self._loop.time())
            self.transport.write(data)

    def abort(self) -> None:
        """Drop the connection without waiting for anything."""
        if self._transport is not None:
            self._transport.abort()
