# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chunked transfer coding, read piece by piece (pure; RFC 9112, section 7.1)."""

from __future__ import annotations

import re

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?")
# A size line carries a number and perhaps extensions; trailers are short as well.
_MAX_LINE = 4096


class ChunkError(Exception):
    """The body does not follow the coding."""


class ChunkedBody:
    """Bytes of the connection in, bytes of the body out."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._left = 0
        self._state = "size"

    @property
    def ended(self) -> bool:
        """True once the last chunk has come."""
        return self._state == "end"

    def feed(self, data: bytes) -> bytes:
        """Return what the data hold of the body.

        :raises ChunkError: If a size cannot be read.
        """
        body = bytearray()
        at = 0
        while at < len(data) and not self.ended:
            if self._state == "data":
                piece = data[at : at + self._left]
                body += piece
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = "after"
                continue
            newline = data.find(b"\n", at)
            self._line += data[at : len(data) if newline < 0 else newline]
            if len(self._line) > _MAX_LINE:
                raise ChunkError("a size line that does not end")
            if newline < 0:
                break
            at = newline + 1
            line = bytes(self._line).rstrip(b"\r")
            self._line.clear()
            self._take_line(line)
        return bytes(body)

    def _take_line(self, line: bytes) -> None:
        if self._state == "size":
            match = _SIZE.fullmatch(line)
            if not match:
                raise ChunkError(f"a chunk size that is no number ({line[:20]!r})")
            self._left = int(match.group(1), 16)
            self._state = "data" if self._left else "trailer"
        elif self._state == "after":
            if line:
                raise ChunkError("a chunk that is longer than its size")
            self._state = "size"
        elif not line:
            self._state = "end"
