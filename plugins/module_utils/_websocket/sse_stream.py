# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-sent events out of bytes, within bounds (pure).

Format: HTML Living Standard, section 9.2.6 (interpreting an event stream). Only what
the check needs is kept: when an event or a comment is complete, not what is in it.
"""

from __future__ import annotations

from dataclasses import dataclass


class StreamError(Exception):
    """The stream cannot be read on; the text says why."""


@dataclass(frozen=True)
class Arrivals:
    """What became complete with some bytes."""

    events: int = 0
    comments: int = 0


class EventStream:
    """Counts the events and comments of a stream; a line may be as long as ``max_line``."""

    def __init__(self, max_line: int) -> None:
        self._max_line = max_line
        self._line = bytearray()
        self._has_data = False
        self._after_cr = False

    def feed(self, data: bytes) -> Arrivals:
        """Take bytes of the body.

        :raises StreamError: If a line exceeds the bound.
        """
        events = comments = 0
        # A CR LF may be split between two pieces; it ends one line.
        if self._after_cr and data[:1] == b"\n":
            data, self._after_cr = data[1:], False
        if data:
            self._after_cr = data[-1:] == b"\r"
        # CR LF, CR and LF all end a line.
        *complete, rest = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for piece in complete:
            line = bytes(self._line) + piece
            self._line.clear()
            if not line:
                events += self._has_data
                self._has_data = False
            elif line.startswith(b":"):
                comments += 1
            elif line == b"data" or line.startswith(b"data:"):
                self._has_data = True
        self._line += rest
        if len(self._line) > self._max_line:
            raise StreamError(f"a line of more than {self._max_line} bytes")
        return Arrivals(events, comments)
