# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of an env file as a sequence of statements that can be changed one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .causes import cause_of_nonsense
from .readers import READ, UnreadableError, Values


class ParseError(ValueError):
    """The text is not an env file; the message names the line, counted from 1, and no value.

    :param remedy: What the user can do.
    """

    def __init__(self, line: int, why: str, remedy: str = "repair that line") -> None:
        super().__init__(f"line {line}: {why}; {remedy}")
        self.line = line
        self.why = why
        self.remedy = remedy

    def of_file(self, path: str) -> str:
        """Return the message with the place in a file, as editors and compilers write it."""
        return f"{path}:{self.line}: {self.why}; {self.remedy}"


@dataclass(frozen=True)
class Entry:
    """A statement of the file with its line end.

    :param line: Its first line, counted from 1.
    :param key: Empty for comments and blank lines.
    :param export: The word ``export`` with the space after it, if the statement starts with it.
    :param tail: What follows the value: spaces, comment and line end.
    """

    text: str
    line: int
    key: str = ""
    export: str = ""
    tail: str = "\n"


@dataclass(frozen=True)
class Document:
    """An env file; the texts of its entries, joined, are the file byte for byte."""

    entries: tuple[Entry, ...]

    @property
    def text(self) -> str:
        return "".join(entry.text for entry in self.entries)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys in the order of the file, each once."""
        return tuple(dict.fromkeys(entry.key for entry in self.entries if entry.key))

    def last(self, key: str) -> Entry | None:
        """The last statement for a key, which is the one that counts."""
        return next((entry for entry in reversed(self.entries) if entry.key == key), None)

    def values(self, reader: str = "dotenv") -> dict[str, str]:
        """The values as ``reader`` returns them, without the keys whose value depends on its environment."""
        return {key: value for key, value in READ[reader](self.text).items() if value is not None}


_BLANK = re.compile(r"[ \t\r\f\v]*(?:#[^\n]*)?(?:\n|\Z)")
_HEAD = re.compile(r"[ \t]*(?P<export>export[ \t]+)?(?P<key>[A-Za-z0-9_.-]+)(?P<equals>[ \t]*=[ \t]*)")
_EXPORT_ONLY = re.compile(r"[ \t]*export[ \t]+[A-Za-z_][A-Za-z0-9_ \t]*(?:\n|\Z)")
_QUOTED = {
    "'": re.compile(r"'[^']*'"),
    '"': re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL),
    "`": re.compile(r"`[^`]*`"),
}
_TAIL = re.compile(r"[ \t\r]*(?:[ \t]#[^\n]*)?(?:\n|\Z)")
_BARE = re.compile(r"[^\n]*?(?P<tail>[ \t\r]*(?:[ \t]#[^\n]*)?(?:\n|\Z))")


_CLOSE = "close it, or put a value that holds one in quotes of the other kind"
_QUOTE = "put the value in single quotes"


def parse(text: str) -> Document:
    """Split the text of an env file into its entries.

    :raises ParseError: For a line that is not an assignment, a comment or blank, and for a quote that is never closed.
    """
    entries: list[Entry] = []
    at, line = 0, 1
    if text.startswith("\ufeff"):
        raise ParseError(
            1,
            "the file starts with a byte order mark, which becomes part of the first key for bash",
            "save it as UTF-8 without one (sed -i '1s/^\\xEF\\xBB\\xBF//')",
        )
    if "\0" in text:
        raise ParseError(
            text.count("\n", 0, text.index("\0")) + 1,
            "there is a NUL byte, which no variable can hold",
            "remove it, or save the file as UTF-8 if it is UTF-16",
        )
    while at < len(text):
        entry = _entry(text, at, line)
        entries.append(entry)
        at += len(entry.text)
        line += entry.text.count("\n")
    return Document(tuple(entries))


def _entry(text: str, at: int, line: int) -> Entry:
    found = _BLANK.match(text, at) or _EXPORT_ONLY.match(text, at)
    if found is not None:
        return Entry(found[0], line)
    head = _HEAD.match(text, at)
    if head is None:
        cause = cause_of_nonsense(text[at:].partition("\n")[0])
        raise ParseError(line, cause.text, cause.remedy)
    start = head.end()
    quoted = _QUOTED.get(text[start : start + 1])
    if quoted is not None:
        value = quoted.match(text, start)
        if value is None:
            raise ParseError(line, f"the quote {text[start]} is never closed", _CLOSE)
        tail = _TAIL.match(text, value.end())
        if tail is not None:
            return Entry(text[at : tail.end()], line, head["key"], head["export"] or "", tail[0])
    bare = _BARE.match(text, start)
    if bare is None:
        raise ParseError(line, "the value cannot be read")
    return Entry(text[at : bare.end()], line, head["key"], head["export"] or "", bare["tail"])


def values_for(text: str, readers: Sequence[str]) -> dict[str, Values]:
    """The values that each reader returns for a text, by reader.

    :raises ParseError: If one of them would take a part of the text for something else.
    """
    found: dict[str, Values] = {}
    for reader in readers:
        try:
            found[reader] = READ[reader](text)
        except UnreadableError as error:
            remedy = (
                _CLOSE if "never closed" in error.why else f"{_QUOTE}, or leave {reader} out of staging_env_readers"
            )
            raise ParseError(error.line, f"{error.why}, as {reader} reads it", remedy) from None
    return found
