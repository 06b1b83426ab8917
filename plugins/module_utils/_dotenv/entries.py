# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of an env file as entries that can be changed one by one, and values written so that all readers agree."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .readers import (
    READ,
    READERS,
    UnreadableError,
    Values,
)

#: Names that bash does not let a file set, or that it does not give back as they were set.
_BASH_OWN = frozenset(
    (
        "BASHOPTS",
        "BASHPID",
        "BASH_ARGC",
        "BASH_ARGV",
        "BASH_ARGV0",
        "BASH_COMMAND",
        "BASH_COMPAT",
        "BASH_LINENO",
        "BASH_SOURCE",
        "BASH_SUBSHELL",
        "BASH_VERSINFO",
        "BASH_XTRACEFD",
        "COMP_WORDBREAKS",
        "DIRSTACK",
        "EPOCHREALTIME",
        "EPOCHSECONDS",
        "EUID",
        "FUNCNAME",
        "GROUPS",
        "HISTCMD",
        "LINENO",
        "PPID",
        "RANDOM",
        "SECONDS",
        "SHELLOPTS",
        "SRANDOM",
        "UID",
        "_",
    )
)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*\Z")


#: MAX_ARG_STRLEN of Linux: 32 pages for name, equals sign, value and the final NUL.
_LONGEST_BYTES = 131072


#: Characters of secrets that are made on the host: none of them needs quotes.
ALPHABETS: Mapping[str, str] = {
    "alphanumeric": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "base64url": string.ascii_letters + string.digits + "-_",
}
SHORTEST_SECRET, LONGEST_SECRET = 16, 4096


class ParseError(ValueError):
    """The text is no env file; ``line`` counts from 1. The message holds no value."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


class RefusedError(ValueError):
    """No form of a value is read alike by all readers. The message holds no value."""

    def __init__(self, key: str, why: str, differing: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.key = key
        self.why = why
        self.differing = tuple(differing)


@dataclass(frozen=True)
class Entry:
    """A statement of the file with everything up to its line end; ``key`` is empty for comments and blank lines."""

    text: str
    line: int
    key: str = ""
    export: str = ""
    tail: str = "\n"


@dataclass(frozen=True)
class Document:
    """An env file; joining the texts of its entries gives the file back byte for byte."""

    entries: tuple[Entry, ...]

    @property
    def text(self) -> str:
        return "".join(entry.text for entry in self.entries)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys in the order of the file, each once."""
        return tuple(dict.fromkeys(entry.key for entry in self.entries if entry.key))

    def values(self, reader: str = "dotenv") -> dict[str, str]:
        """What ``reader`` makes of the file, without the keys whose value depends on its environment."""
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


def parse(text: str) -> Document:
    """Split the text of an env file into its entries.

    ``Document.values()`` gives the keys with their values as npm ``dotenv`` reads them.

    :raises ParseError: For a line that is no assignment, comment or blank line, and for a quote that is never closed.
    """
    entries: list[Entry] = []
    at, line = 0, 1
    if text.startswith("\ufeff"):
        raise ParseError(1, "the file starts with a byte order mark, which becomes part of the first key for bash")
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
        raise ParseError(line, "neither KEY=value, nor a comment, nor blank")
    start = head.end()
    quoted = _QUOTED.get(text[start : start + 1])
    if quoted is not None:
        value = quoted.match(text, start)
        if value is None:
            raise ParseError(line, f"the quote {text[start]} is never closed")
        tail = _TAIL.match(text, value.end())
        if tail is not None:
            return Entry(text[at : tail.end()], line, head["key"], head["export"] or "", tail[0])
    bare = _BARE.match(text, start)
    if bare is None:
        raise ParseError(line, "the value cannot be read")
    return Entry(text[at : bare.end()], line, head["key"], head["export"] or "", bare["tail"])


def check_key(key: str) -> None:
    """:raises RefusedError: If a reader would not set a variable of this name."""
    if _KEY.match(key) is None:
        raise RefusedError(key, "is no name of a variable (letters, digits and underscores, not starting with a digit)")
    if key in _BASH_OWN:
        raise RefusedError(key, "is a variable of bash's own, which a file cannot set", ("bash",))
    if key == "__proto__":
        raise RefusedError(key, "is not set by dotenv and next", ("dotenv", "next"))


def _escape(value: str, characters: str) -> str:
    return "".join("\\" + char if char in characters else char for char in value)


def forms(value: str) -> list[str]:
    """Every way of writing a value that some reader understands, the plainest first."""
    found = []
    if _PLAIN.match(value):
        found.append(value)
    found += [f"'{value}'", f'"{value}"']
    escaped = _escape(value, '\\"$`')
    found.append(f'"{escaped}"')
    if "$" in value:
        dollars = value.replace("$", "\\$")
        found += [f"'{dollars}'", f'"{dollars}"', f"`{dollars}`"]
    if "\n" in value or "\r" in value:
        found += [
            '"' + form.replace("\n", "\\n").replace("\r", "\\r") + '"'
            for form in (value, escaped, _escape(value, '\\"'))
        ]
    found += [f"`{value}`", "'" + _escape(value, "\\'") + "'", '"' + _escape(value, '\\"') + '"']
    found.append("'" + value.replace("'", "'\\''") + "'")
    if "\n" not in value:
        found.append(value)
    return list(dict.fromkeys(found))


_PROBE = "__BEFORE='x'\n{}\n__AFTER='y'\n"


def _differing(key: str, value: str, form: str, readers: Iterable[str]) -> tuple[str, ...]:
    """The readers that would not return ``value``, or would lose the line before or behind it."""
    text = _PROBE.format(f"{key}={form}")
    wanted = {"__BEFORE": "x", key: value, "__AFTER": "y"}
    return tuple(reader for reader in readers if not _reads(reader, text, wanted))


def _reads(reader: str, text: str, wanted: Mapping[str, str]) -> bool:
    try:
        values = READ[reader](text)
    except UnreadableError:
        return False
    return all(values.get(key) == value for key, value in wanted.items())


def encode(key: str, value: str, readers: Sequence[str] = READERS) -> str:
    """The plainest form of ``value`` that all ``readers`` return unchanged.

    :raises RefusedError: Where there is none; it names the readers that differ in the form that most agree on.
    """
    if "\0" in value:
        raise RefusedError(key, "contains a NUL byte, which no environment can hold", tuple(readers))
    try:
        size = len(f"{key}={value}".encode())
    except UnicodeEncodeError:
        raise RefusedError(key, "is no valid Unicode text", tuple(readers)) from None
    if size >= _LONGEST_BYTES:
        raise RefusedError(key, f"is longer than the {_LONGEST_BYTES} bytes of a variable on Linux", tuple(readers))
    best = tuple(readers)
    for form in forms(value):
        differing = _differing(key, value, form, readers)
        if not differing:
            return form
        if len(differing) < len(best):
            best = differing
    raise RefusedError(key, f"contains {_cause(value)}", best)


def _cause(value: str) -> str:
    causes = []
    if "\r" in value:
        causes.append("a carriage return")
    if re.search(r"\$\{?\w", value) or "${" in value:
        causes.append('a "$" before a name')
    if "'" in value and ('"' in value or "\\" in value or "`" in value or "$" in value):
        causes.append("an apostrophe beside other characters that need quoting")
    if "\\" in value:
        causes.append("a backslash")
    return " and ".join(causes) if causes else "characters that the readers treat differently"


@dataclass(frozen=True)
class Change:
    """The text that should be, and what that means for the keys (each tuple in the order of the file or the wish)."""

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    differing: tuple[str, ...]
    """Keys of others that the readers do not read alike."""


def values_for(text: str, readers: Sequence[str]) -> dict[str, Values]:
    """What each reader makes of the text.

    :raises ParseError: Where one of them would read what follows as something else.
    """
    found: dict[str, Values] = {}
    for reader in readers:
        try:
            found[reader] = READ[reader](text)
        except UnreadableError as error:
            raise ParseError(error.line, f"{error.why}, as {reader} reads it") from None
    return found


def _agreed(views: Mapping[str, Values], key: str) -> str | None:
    """The value of a key if every reader returns the same one."""
    seen = {view.get(key) for view in views.values()}
    return seen.pop() if len(seen) == 1 else None


def _is_read(entry: Entry, views: Mapping[str, Values] | None, value: str, readers: Sequence[str]) -> bool:
    """Whether all readers see ``value``, in the whole file or, where that cannot be read, in its line alone."""
    if views is not None:
        return _agreed(views, entry.key) == value
    return all(_reads(reader, entry.text, {entry.key: value}) for reader in readers)


def arrange(
    text: str,
    values: Mapping[str, str],
    absent: Iterable[str] = (),
    readers: Sequence[str] = READERS,
    *,
    keep: Iterable[str] | None = None,
) -> Change:
    """Set and remove keys in the text of an env file; whatever else it holds stays as it is.

    A key that every reader already reads as wanted is left alone, whatever its form. New keys go to the end.

    :param keep: If given, keys that are neither in ``values`` nor in here are removed too.
    :raises ParseError: If the text is no env file.
    :raises RefusedError: If a value cannot be written for all readers.
    """
    document = parse(text)
    try:
        views: dict[str, Values] | None = values_for(text, readers)
    except ParseError:
        # A line of ours may be what a reader stumbles over; if it is another's, the new text is refused below.
        views = None
    last = {entry.key: index for index, entry in enumerate(document.entries) if entry.key}
    unwanted = set(absent)
    if keep is not None:
        unwanted |= set(document.keys) - set(values) - set(keep)
    lines: dict[str, str] = {}
    added, changed = [], []
    for key, value in values.items():
        check_key(key)
        form = encode(key, value, readers)
        if key not in document.keys:
            added.append(key)
        elif not _is_read(document.entries[last[key]], views, value, readers):
            changed.append(key)
        else:
            continue
        lines[key] = f"{key}={form}"
    parts: list[str] = []
    for index, entry in enumerate(document.entries):
        if entry.key in unwanted or (entry.key in lines and index != last[entry.key]):
            continue
        if entry.key in lines:
            parts.append(_rewritten(entry, lines[entry.key], values[entry.key], readers))
        else:
            parts.append(entry.text)
    if parts and added and not parts[-1].endswith("\n"):
        parts.append("\n")
    parts += [f"{lines[key]}\n" for key in added]
    removed = tuple(key for key in document.keys if key in unwanted)
    result = "".join(parts)
    after = values_for(result, readers)
    for key, value in values.items():
        wrong = tuple(reader for reader in readers if after[reader].get(key) != value)
        if wrong:
            raise RefusedError(key, "is lost among the other lines of the file", wrong)
    foreign = (key for key in parse(result).keys if key not in values)
    differing = tuple(key for key in foreign if _agreed(after, key) is None)
    return Change(result, tuple(added), tuple(changed), removed, differing)


def _rewritten(entry: Entry, line: str, value: str, readers: Sequence[str]) -> str:
    """The entry with its new value; its comment stays where all readers still see the value beside it."""
    end = "\n" if entry.text.endswith("\n") else ""
    comment = entry.tail.replace("\r", "").rstrip("\n")
    export = "export " if entry.export else ""
    key, form = line.split("=", 1)
    if comment.strip() and _differing(key, value, form + comment, readers):
        return f"{comment.strip()}\n{export}{line}{end}"
    return f"{export}{line}{comment if comment.strip() else ''}{end}"


_PLACEHOLDER = re.compile(
    r"""(?ix) \A \s* (?:
        <[^<>]*>
        | your[-_ ][^/]*
        | [^/]*[-_ ]here
        | (?:change|replace)[-_ ]?(?:me|this|it)(?:[-_ !][^/]*)?
        | to[-_ ]?do | fix[-_ ]?me | place[-_ ]?holder
        | x{3,} | \*{3,} | \.{3} | …
    ) \s* \Z"""
)


def is_placeholder(value: str) -> bool:
    """Whether a value only marks the place of one, like ``your-api-key-here``, ``changeme`` or ``<token>``."""
    return _PLACEHOLDER.match(value) is not None
