# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks for JSON documents that others can write: each returns the value, or names the field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Callable

Check = Callable[[Any, str], Any]
"""Takes a value and the name of its field, and returns the value."""

_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


class SchemaError(ValueError):
    """A field that is missing, unknown, or of the wrong kind; the message completes "... is refused: "."""


def kind_of(value: Any) -> str:
    """Return what a JSON value is, for a message."""
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)


def _refuse(value: Any, name: str, expected: str) -> SchemaError:
    return SchemaError(f"{name} is {kind_of(value)}, expected {expected}")


def text(value: Any, name: str) -> str:
    """Accept text without control characters."""
    if not isinstance(value, str):
        raise _refuse(value, name, "text")
    if any(ord(character) < 32 for character in value):
        raise SchemaError(f"{name} holds control characters")
    return value


def lines(value: Any, name: str) -> str:
    """Accept any text."""
    return value if isinstance(value, str) else text(value, name)


def boolean(value: Any, name: str) -> bool:
    """Accept true and false."""
    if not isinstance(value, bool):
        raise _refuse(value, name, "true or false")
    return value


def count(value: Any, name: str) -> int:
    """Accept a whole number from 0."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refuse(value, name, "a number")
    if value < 0:
        raise SchemaError(f"{name} is {value}, expected a number from 0")
    return value


def port(value: Any, name: str) -> int | str:
    """Accept a port, as a number or in digits (as a variable from the command line is)."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _refuse(value, name, "a port")
    if not re.match(r"[0-9]{1,5}\Z", str(value)) or not 1 <= int(value) <= 65535:
        raise SchemaError(f"{name} is {str(value)[:20]!r}, expected a port from 1 to 65535")
    return value


def scalar(value: Any, name: str) -> str | int | float | bool | None:
    """Accept everything but objects and lists."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise _refuse(value, name, "text, a number, true, false or null")


def any_object(value: Any, name: str) -> dict[str, Any]:
    """Accept an object, whatever is in it."""
    if not isinstance(value, Mapping):
        raise _refuse(value, name, "an object")
    return dict(value)


def matching(pattern: re.Pattern[str], what: str) -> Check:
    """Accept text that matches a pattern."""

    def check(value: Any, name: str) -> str:
        if not pattern.match(text(value, name)):
            raise SchemaError(f"{name} is {value[:60]!r}, expected {what}")
        return str(value)

    return check


def optional(inner: Check) -> Check:
    """Accept null as well."""
    return lambda value, name: None if value is None else inner(value, name)


def list_of(inner: Check) -> Check:
    """Accept a list whose elements pass a check."""

    def check(value: Any, name: str) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise _refuse(value, name, "a list")
        return [inner(element, f"{name}[{number}]") for number, element in enumerate(value)]

    return check


def map_of(inner: Check, key: Check = text) -> Check:
    """Accept an object whose keys and values pass a check each."""

    def check(value: Any, name: str) -> dict[str, Any]:
        entries = any_object(value, name)
        return {key(each, f"a key of {name}"): inner(entries[each], f"{name}.{each}") for each in entries}

    return check


def object_of(fields: Mapping[str, Check], required: Collection[str] = ()) -> Check:
    """Accept an object with these fields and no others."""

    def check(value: Any, name: str) -> dict[str, Any]:
        entries = any_object(value, name)
        prefix = f"{name}." if name else ""
        for each in entries:
            if each not in fields:
                raise SchemaError(f"{prefix}{str(each)[:60]} is unknown, expected one of {', '.join(sorted(fields))}")
        for each in required:
            if each not in entries:
                raise SchemaError(f"{prefix}{each} is missing")
        return {each: fields[each](entries[each], prefix + each) for each in entries}

    return check
