# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each of the four readers makes of the text of an env file.

Pure re-statements of the grammars of bash's ``source``, npm ``dotenv`` (15 to 18), ``@next/env`` (14 to 16: ``dotenv``
16.3.1 followed by an expansion of ``$``) and ``python-dotenv`` (0.x to 1.2). The property test of
``tests/integration/test_dotenv_readers.py`` holds them against the real ones.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

READERS = ("bash", "dotenv", "next", "python-dotenv")

#: The value of a key, or None where it depends on the reader's environment, its version, or a command.
Values = dict[str, Optional[str]]


class UnreadableError(ValueError):
    """A reader would lose its way in this text; ``line`` counts from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


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
    """``@next/env``: as ``dotenv``, then the last unescaped ``$`` that starts a name is replaced, and again.

    :raises UnreadableError: Where values refer to each other in a circle, for which the whole file is dropped.
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
        """One statement; after one that it cannot read, the reader goes on behind the line's end."""
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
    """``python-dotenv`` with its default interpolation; None where 1.2.2 and its forerunners disagree."""
    new, old = _PythonReader(text, old=False).values(), _PythonReader(text, old=True).values()
    return {key: new.get(key) if new.get(key) == old.get(key) else None for key in {**old, **new}}


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_BASH_EXPANDS = re.compile(r"[A-Za-z0-9_{(\[@*#?$!'\"-]")


_OPERATOR = re.compile(r"&&|\|\||\|&|&>>|&>|>>|>&|>\||<<<|<<|<&|<>|;;|[&|<>;]")
#: First words that change what the lines behind them mean.
_BASH_STOPS = frozenset(
    (
        *("!", "{", "}", "[[", "if", "then", "elif", "else", "fi", "case", "esac", "for", "select", "while", "until"),
        *("do", "done", "in", "function", "time", "coproc", "exit", "return", "exec", "source", ".", "eval", "alias"),
        *("set", "unset", "shopt", "readonly", "declare", "typeset", "local", "trap", "enable", "builtin", "command"),
    )
)


@dataclass(frozen=True)
class _Word:
    source: str
    literal: str | None
    """None where it is expanded."""
    braces: bool = False


# An expansion that bash cannot read, and a command that is none, end the whole file.
_BASH_EXPANSION = re.compile(
    r"\$(?:\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+][A-Za-z0-9_./:%+@ -]*)?\}|\([A-Za-z0-9_./:%+@ -]+\))"
)
_BASH_BACKTICKS = re.compile(r"`[A-Za-z0-9_./:%+@ -]*`")
_BASH_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\[")


class _Bash:
    """The tokens of a sourced file, as far as assignments need them; commands are recognised, never understood."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.values: Values = {}

    def line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

    def read(self) -> Values:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in " \t\n":
                self.at += 1
            elif char == "#":
                self._skip_comment()
            elif char in "&|<>;":
                raise UnreadableError(self.line(self.at), f"a line that starts with {char} is an error")
            else:
                self._statement()
        return self.values

    def _skip_comment(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end

    def _statement(self) -> None:
        words: list[_Word] = []
        opaque = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\n":
                break
            if char in " \t":
                self.at += 1
            elif char == "#":
                self._skip_comment()
            elif char in "()":
                raise UnreadableError(self.line(self.at), "an unquoted parenthesis starts shell code")
            elif char in "&|<>;":
                operator = self._operator()
                self._assign(words, opaque=opaque or operator != ";")
                # Behind a pipe, a condition or a redirection it is not worth knowing what is set.
                opaque = operator not in {"&", ";"}
                words = []
            else:
                words.append(self._word())
        self._assign(words, opaque=opaque)

    def _operator(self) -> str:
        """Step over what stands between two commands, or before the name of a file."""
        found = _OPERATOR.match(self.text, self.at)
        operator = found[0] if found else self.text[self.at]
        here = self.line(self.at)
        self.at += len(operator)
        blank = re.compile(r"[ \t]*").match(self.text, self.at)
        following = self.text[blank.end() if blank else self.at :][:1]
        ends = operator in {"&", ";"} and following in {"", "\n", "#"}
        if operator.startswith("<<") or (following in {"", "\n", "#", "&", "|", "<", ">", ";"} and not ends):
            raise UnreadableError(here, f"an unquoted {operator} is taken for shell code")
        return operator

    def _assign(self, words: Sequence[_Word], *, opaque: bool) -> None:
        declared = bool(words) and words[0].source == "export"
        rest = words[1:] if declared else words
        commands = False
        found: list[tuple[_Word, re.Match[str]]] = []
        for word in rest:
            match = _ASSIGNMENT.match(word.source)
            if match is not None:
                found.append((word, match))
            elif not declared:
                commands = True
                if word.source in _BASH_STOPS or _BASH_ELEMENT.match(word.source):
                    raise UnreadableError(self.line(self.at), f"{word.source} is taken for shell code")
                break
        for word, match in found:
            known = word.literal is not None and not (match[2] or opaque or commands or (declared and word.braces))
            self.values[match[1]] = word.literal[match.end() :] if known and word.literal is not None else None

    def _word(self) -> _Word:
        start = self.at
        literal: list[str] = []
        expands = braces = False
        text = self.text
        while self.at < len(text):
            char = text[self.at]
            if char in " \t\n;&|<>()":
                break
            if char == "'":
                literal.append(self._until("'", start))
            elif char == '"':
                inside, expanded = self._double(start)
                literal.append(inside)
                expands = expands or expanded
            elif char == "\\":
                following = text[self.at + 1 : self.at + 2]
                if following != "\n":
                    literal.append(following or "\\")
                self.at += 2
            elif char == "`":
                self._substitution(start)
                expands = True
            elif char == "$" and _BASH_EXPANDS.match(text, self.at + 1):
                expands = True
                self._expansion(start)
            elif char == "~" and (not literal or "".join(literal)[-1:] in {":", "="}):
                expands = True
                self.at += 1
            else:
                braces = braces or char == "{"
                literal.append(char)
                self.at += 1
        return _Word(text[start : self.at], None if expands else "".join(literal), braces)

    def _until(self, quote: str, start: int) -> str:
        end = self.text.find(quote, self.at + 1)
        if end < 0:
            raise UnreadableError(self.line(start), f"the quote {quote} is never closed")
        inside = self.text[self.at + 1 : end]
        self.at = end + 1
        return inside

    def _substitution(self, start: int) -> None:
        """Step over a command in backticks, if it cannot be anything worse than a command."""
        found = _BASH_BACKTICKS.match(self.text, self.at)
        if found is None:
            raise UnreadableError(self.line(start), "an unescaped ` is taken for shell code")
        self.at = found.end()

    def _expansion(self, start: int) -> None:
        """Step over ``$name``, ``${...}``, ``$(...)`` or ``$'...'``."""
        opening = self.text[self.at + 1]
        if opening in "({[":
            found = _BASH_EXPANSION.match(self.text, self.at)
            if found is None:
                raise UnreadableError(self.line(start), f"an unescaped ${opening} is taken for shell code")
            self.at = found.end()
            return
        self.at += 1
        if opening == "'":
            self.at += 1
            while self.at < len(self.text) and self.text[self.at] != "'":
                self.at += 2 if self.text[self.at] == "\\" else 1
            if self.at >= len(self.text):
                raise UnreadableError(self.line(start), "the quote ' is never closed")
            self.at += 1
        elif opening != '"':
            self.at += 1

    def _double(self, start: int) -> tuple[str, bool]:
        literal: list[str] = []
        expands = False
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return "".join(literal), expands
            following = self.text[self.at + 1 : self.at + 2]
            if char == "\\" and following in {"$", "`", '"', "\\", "\n"}:
                literal.append("" if following == "\n" else following)
                self.at += 2
            elif char == "`":
                self._substitution(start)
                expands = True
            elif char == "$" and following not in {'"', "'"} and _BASH_EXPANDS.match(self.text, self.at + 1):
                expands = True
                self._expansion(start)
            else:
                literal.append(char)
                self.at += 1
        raise UnreadableError(self.line(start), 'the quote " is never closed')


def read_bash(text: str) -> Values:
    """``source FILE``: None where the value is expanded, appended to, or given to a command only.

    :raises UnreadableError: Where everything behind a line would be read as something else.
    """
    return _Bash(text).read()


READ: Mapping[str, Callable[[str], Values]] = {
    "bash": read_bash,
    "dotenv": read_dotenv,
    "next": read_next,
    "python-dotenv": read_python,
}
