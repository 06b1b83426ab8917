# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Advanced text of a proxy host: the managed block in it, and the user's text around it (pure).

Everything outside the block stays byte for byte as it is. The block is placed
in front of the text and ends with a newline of its own, so that removing it
leaves exactly the text that was there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .paths import BlockError

BEGIN = "# BEGIN codeframe.staging websocket"
END = "# END codeframe.staging websocket"
CREATED = "# This host was created by codeframe.staging."
#: Response header by which the running nginx tells the revision of the block that it has loaded.
REVISION_HEADER = "X-WebSocket-Block"

_BEGIN_LINE = re.compile(r"^[ \t]*" + re.escape(BEGIN) + r"[ \t\r]*(?:\n|\Z)", re.MULTILINE)
_END_LINE = re.compile(r"^[ \t]*" + re.escape(END) + r"[ \t\r]*(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class LoadedState:
    """What the running nginx shows of a host: which block (``None`` for none) on which paths."""

    revision: str | None
    paths: tuple[str, ...]


@dataclass(frozen=True)
class AdvancedText:
    """An Advanced text in parts; ``block`` is ``None`` if there is no managed block."""

    before: str
    block: str | None
    after: str

    @property
    def unmanaged(self) -> str:
        """The user's text: everything but the block."""
        return self.before + self.after

    @property
    def created_by_us(self) -> bool:
        """Whether the block marks a host that was created by the collection."""
        return self.block is not None and CREATED in self.block.splitlines()

    @property
    def revision(self) -> str | None:
        """The revision that nginx returns once it has loaded the block."""
        match = re.search(rf"add_header {REVISION_HEADER} ([0-9a-f]+) always;", self.block or "")
        return match.group(1) if match else None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that the block has locations for, each once."""
        found = re.findall(r"^location (?:=|\^~) (\S+) \{", self.block or "", re.MULTILINE)
        return tuple(dict.fromkeys(found))

    @property
    def loaded(self) -> LoadedState:
        """What the running nginx shows once it has loaded the text."""
        return LoadedState(self.revision, self.paths)

    def line_of(self, offset: int) -> int:
        """The line of the whole text, as the user sees it, at an offset of the unmanaged text."""
        if offset < len(self.before):
            return self.before.count("\n", 0, offset) + 1
        above = self.before + (self.block or "")
        return above.count("\n") + self.after.count("\n", 0, offset - len(self.before)) + 1

    def with_block(self, block: str | None) -> str:
        """The whole text with another block in the same place, or in front if there was none."""
        return self.before + (block or "") + self.after


def split_text(text: str) -> AdvancedText:
    """Find the managed block.

    :raises BlockError: If the markers do not enclose exactly one block; a guess could delete a user's text.
    """
    begins, ends = list(_BEGIN_LINE.finditer(text)), list(_END_LINE.finditer(text))
    if not begins and not ends:
        return AdvancedText("", None, text)
    if len(begins) != 1 or len(ends) != 1 or ends[0].start() < begins[0].end():
        raise BlockError(
            f"the Advanced text has {len(begins)} lines {BEGIN!r} and {len(ends)} lines {END!r}; "
            "expected one of each in this order; remove the broken block manually"
        )
    return AdvancedText(text[: begins[0].start()], text[begins[0].start() : ends[0].end()], text[ends[0].end() :])


def digest(text: str) -> str:
    """A short digest by which two texts are compared without showing them."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class RemovedText:
    """A piece of the user's text that was removed; the offset counts in the text before any was."""

    offset: int
    text: str


def remove_spans(text: str, spans: Iterable[tuple[int, int]]) -> tuple[str, tuple[RemovedText, ...]]:
    """Remove spans from a text, each with the rest of its line if nothing else is on it."""
    pieces: list[RemovedText] = []
    kept: list[str] = []
    position = 0
    for start, end in sorted(spans):
        line_start = text.rfind("\n", 0, start) + 1
        newline = text.find("\n", end)
        line_end = len(text) if newline < 0 else newline + 1
        if not text[max(line_start, position) : start].strip() and not text[end:line_end].strip():
            start, end = max(line_start, position), line_end
        if start < position:
            continue
        kept.append(text[position:start])
        pieces.append(RemovedText(start, text[start:end]))
        position = end
    return "".join([*kept, text[position:]]), tuple(pieces)


def original_offset(offset: int, pieces: Iterable[RemovedText]) -> int:
    """The offset in the text before pieces were removed, of one in the text that is left."""
    for piece in sorted(pieces, key=lambda each: each.offset):
        if piece.offset <= offset:
            offset += len(piece.text)
    return offset


def insert_pieces(text: str, pieces: Sequence[RemovedText]) -> str:
    """Undo :func:`remove_spans`."""
    for piece in sorted(pieces, key=lambda each: each.offset):
        text = text[: piece.offset] + piece.text + text[piece.offset :]
    return text
