# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Env files as programs on Node.js read them: npm ``dotenv`` (15 to 18) and ``@next/env`` (14 to 16)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .grammar import UnreadableError, Values

# JavaScript's \s and its line terminators differ from Python's.
_JS_SPACE = "[\t\n\x0b\x0c\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_JS_ENDS = "\n\r\u2028\u2029"
_JS_BEGIN = f"(?:\\A|(?<=[{_JS_ENDS}]))"
_JS_END = f"(?=[{_JS_ENDS}]|\\Z)"
_JS_LINE = re.compile(
    f"{_JS_BEGIN}{_JS_SPACE}*(?:export{_JS_SPACE}+)?([A-Za-z0-9_.-]+)(?:{_JS_SPACE}*={_JS_SPACE}*?|:{_JS_SPACE}+?)"
    f"({_JS_SPACE}*'(?:\\\\'|[^'])*'|{_JS_SPACE}*\"(?:\\\\\"|[^\"])*\"|{_JS_SPACE}*`(?:\\\\`|[^`])*`|[^#\r\n]+)?"
    f"{_JS_SPACE}*(?:#[^{_JS_ENDS}]*)?{_JS_END}"
)
_JS_UNQUOTE = re.compile(f"{_JS_BEGIN}(['\"`])([\\s\\S]*)\\1{_JS_END}")
_JS_TRIM = re.compile(f"\\A{_JS_SPACE}+|{_JS_SPACE}+\\Z")


def read_dotenv(text: str) -> Values:
    """npm ``dotenv``: its one regular expression, applied to the whole text."""
    values: Values = {}
    for match in _JS_LINE.finditer(re.sub("\r\n?", "\n", text)):
        value = _JS_TRIM.sub("", match[2] or "")
        quote = value[:1]
        value = _JS_UNQUOTE.sub(lambda found: found[2], value)
        if quote == '"':
            value = value.replace("\\n", "\n").replace("\\r", "\r")
        if match[1] != "__proto__":
            values[match[1]] = value
    return values


_NEXT_DOLLAR = re.compile(r"(?<!\\)\$")
_NEXT_REFERENCE = re.compile(r"\$\{?([A-Za-z0-9_]+)")


def read_next(text: str) -> Values:
    """``@next/env``: as ``dotenv``, then the last unescaped ``$`` that starts a name is replaced, repeatedly.

    :raises UnreadableError: Where values refer to one another in a circle: the library then drops the whole file.
    """
    parsed = {key: value or "" for key, value in read_dotenv(text).items()}
    references = {key: {found[1] for found in _NEXT_REFERENCE.finditer(value)} for key, value in parsed.items()}
    values: Values = {}
    for key, value in parsed.items():
        dollars = list(_NEXT_DOLLAR.finditer(value))
        refers = bool(dollars) and _NEXT_REFERENCE.match(value, dollars[-1].start()) is not None
        if refers and key in _reachable(key, references):
            found = re.search(rf"(?m)^[^#\n]*\b{re.escape(key)}\b", text)
            line = text.count("\n", 0, found.start()) + 1 if found else 1
            raise UnreadableError(line, f"the value of {key} refers to itself")
        values[key] = None if refers else value.replace("\\$", "$")
    return values


def _reachable(start: str, references: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = set(references[start])
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead |= references.get(name, set())
    return seen
