# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Env files as ``python-dotenv`` (0.x to 1.2) reads them."""

from __future__ import annotations

import codecs
import re

from .grammar import Values

_PY_REFERENCE = re.compile(r"\$\{[^\}:]*(?::-[^\}]*)?\}")
_PY_SINGLE_OLD = re.compile(r"'((?:\\'|[^'])*)'")
_PY_DOUBLE_OLD = re.compile(r'"((?:\\"|[^"])*)"')
_PY_SINGLE = re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL)
_PY_DOUBLE = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_PY_SINGLE_ESCAPES = re.compile(r"\\[\\']")
_PY_DOUBLE_ESCAPES = re.compile(r"\\[\\'\"abfnrtv]")


def _python_decode(pattern: re.Pattern[str], value: str) -> str:
    return pattern.sub(lambda found: codecs.decode(found[0], "unicode-escape"), value)


class _PythonReader:
    def __init__(self, text: str, *, old: bool) -> None:
        # The file is opened in text mode, so a carriage return is a newline before the parser sees it.
        self.text = re.sub("\r\n?", "\n", text)
        if not old and self.text.startswith("\ufeff"):
            self.text = self.text[1:]
        self.old = old
        self.at = 0

    def _take(self, pattern: str) -> re.Match[str] | None:
        found = re.compile(pattern).match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def values(self) -> Values:
        values: Values = {}
        while self.at < len(self.text):
            binding = self._binding()
            if binding is not None:
                values[binding[0]] = binding[1]
        return values

    def _binding(self) -> tuple[str, str | None] | None:
        """One statement; after one that it cannot read, the reader continues with the next line."""
        self._take(r"\s*")
        if self.at >= len(self.text):
            return None
        self._take(r"(?:export[^\S\r\n]+)?")
        key = ""
        if self.text[self.at : self.at + 1] != "#":
            found = self._take(r"'([^']+)'" if self.text[self.at : self.at + 1] == "'" else r"([^=\#\s]+)")
            if found is None:
                self._give_up()
                return None
            key = found[1]
        self._take(r"[^\S\r\n]*")
        value: str | None = None
        equals = self._take(r"=[^\S\r\n]*")
        if equals is not None:
            if not self.old and len(equals[0]) > 1 and self.text[self.at : self.at + 1] == "#":
                value = ""
            else:
                value = self._value()
                if value is None:
                    self._give_up()
                    return None
        self._take(r"(?:[^\S\r\n]*#[^\r\n]*)?")
        if self._take(r"[^\S\r\n]*(?:\r\n|\n|\r|$)") is None:
            self._give_up()
            return None
        if not key:
            return None
        return key, None if value is not None and _PY_REFERENCE.search(value) else value

    def _give_up(self) -> None:
        self._take(r"[^\r\n]*(?:\r|\n|\r\n)?")

    def _value(self) -> str | None:
        char = self.text[self.at : self.at + 1]
        if char in {"'", '"'}:
            if char == "'":
                pattern, escapes = (_PY_SINGLE_OLD if self.old else _PY_SINGLE), _PY_SINGLE_ESCAPES
            else:
                pattern, escapes = (_PY_DOUBLE_OLD if self.old else _PY_DOUBLE), _PY_DOUBLE_ESCAPES
            found = pattern.match(self.text, self.at)
            if found is None:
                return None
            self.at = found.end()
            return _python_decode(escapes, found[1])
        if char in {"", "\n", "\r"}:
            return ""
        found = self._take(r"[^\r\n]*")
        return re.sub(r"\s+#.*", "", found[0] if found else "").rstrip()


def read_python(text: str) -> Values:
    """``python-dotenv`` with its default interpolation; ``None`` where 1.2.2 and earlier versions disagree."""
    new, old = _PythonReader(text, old=False).values(), _PythonReader(text, old=True).values()
    return {key: new.get(key) if new.get(key) == old.get(key) else None for key in {**old, **new}}
