# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set and remove keys in the text of an env file, of which everything else stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .document import Document, Entry, ParseError, parse, values_for
from .encoding import ValueRefusedError, check_key, differing_readers, encode, reads
from .readers import READERS, Values


@dataclass(frozen=True)
class Change:
    """The new text and what happens to its keys.

    :param added: In the order given. ``changed`` likewise: keys that at least one reader reads with another value.
    :param removed: In the order of the file.
    :param differing: Other keys, in the order of the file, that the readers do not read alike.
    """

    text: str = field(repr=False)
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    differing: tuple[str, ...]


def change_keys(
    text: str,
    values: Mapping[str, str],
    absent: Iterable[str] = (),
    readers: Sequence[str] = READERS,
) -> Change:
    """Set and remove keys.

    A key that every reader already reads with the given value keeps its line, whatever its form. Of several lines with
    one key the last one counts: it is rewritten and the others are removed. New keys go to the end.

    :raises ParseError: If the text, or the new text, is not an env file.
    :raises ValueRefusedError: If a value cannot be written for all readers.
    """
    document = parse(text)
    unwanted = set(absent)
    added, changed = _compare(document, values, readers)
    lines = {key: f"{key}={encode(key, values[key], readers)}" for key in (*added, *changed)}
    result = _rewrite(document, lines, unwanted, values, readers)
    if result and added and not result.endswith("\n"):
        result += "\n"
    result += "".join(f"{lines[key]}\n" for key in added)
    after = _verified(result, values, readers)
    others = (key for key in parse(result).keys if key not in values)
    return Change(
        result,
        added,
        changed,
        tuple(key for key in document.keys if key in unwanted),
        tuple(key for key in others if _agreed(after, key) is None),
    )


def _compare(
    document: Document, values: Mapping[str, str], readers: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys to add and the keys to change."""
    try:
        views: dict[str, Values] | None = values_for(document.text, readers)
    except ParseError:
        # One of the lines to change may be what stops a reader; if it is another line, the new text is refused.
        views = None
    added, changed = [], []
    for key, value in values.items():
        check_key(key)
        # Also for a value that stays: one that cannot be written is refused whatever the file holds.
        encode(key, value, readers)
        entry = document.last(key)
        if entry is None:
            added.append(key)
        elif not _is_read(entry, views, value, readers):
            changed.append(key)
    return tuple(added), tuple(changed)


def _is_read(entry: Entry, views: Mapping[str, Values] | None, value: str, readers: Sequence[str]) -> bool:
    """Whether all readers return ``value``, for the whole file or, where that cannot be read, for its line alone."""
    if views is not None:
        return _agreed(views, entry.key) == value
    return all(reads(reader, entry.text, {entry.key: value}) for reader in readers)


def _agreed(views: Mapping[str, Values], key: str) -> str | None:
    """The value of a key if every reader returns the same one."""
    seen = {view.get(key) for view in views.values()}
    return seen.pop() if len(seen) == 1 else None


def _rewrite(
    document: Document,
    lines: Mapping[str, str],
    unwanted: set[str],
    values: Mapping[str, str],
    readers: Sequence[str],
) -> str:
    """The text without the unwanted keys, and with new lines for keys that it already has."""
    parts: list[str] = []
    for entry in document.entries:
        if entry.key in unwanted:
            continue
        if entry.key not in lines:
            parts.append(entry.text)
        elif entry is document.last(entry.key):
            parts.append(_replaced(entry, lines[entry.key], values[entry.key], readers))
    return "".join(parts)


def _replaced(entry: Entry, line: str, value: str, readers: Sequence[str]) -> str:
    """The entry with its new value; its comment moves above it if a reader would take it for a part of the value."""
    end = "\n" if entry.text.endswith("\n") else ""
    comment = entry.tail.replace("\r", "").rstrip("\n")
    export = "export " if entry.export else ""
    key, form = line.split("=", 1)
    if comment.strip() and differing_readers(key, value, form + comment, readers):
        return f"{comment.strip()}\n{export}{line}{end}"
    return f"{export}{line}{comment if comment.strip() else ''}{end}"


def _verified(text: str, values: Mapping[str, str], readers: Sequence[str]) -> dict[str, Values]:
    """What each reader makes of the new text.

    :raises ValueRefusedError: If another line keeps a reader from returning one of the values.
    """
    views = values_for(text, readers)
    for key, value in values.items():
        wrong = tuple(reader for reader in readers if views[reader].get(key) != value)
        if wrong:
            raise ValueRefusedError(key, "is lost because of the other lines of the file", wrong)
    return views
