# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Env files as bash reads them with ``source``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .grammar import UnreadableError, Values

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_ARRAY_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\[")
_OPERATOR = re.compile(r"&&|\|\||\|&|&>>|&>|>>|>&|>\||<<<|<<|<&|<>|;;|[&|<>;]")
#: What makes an unquoted dollar sign the start of an expansion.
_EXPANDS = re.compile(r"[A-Za-z0-9_{(\[@*#?$!'\"-]")
# An expansion with a syntax error ends the whole file, and so may a command: only simple ones are stepped over.
_EXPANSION = re.compile(r"\$(?:\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+][A-Za-z0-9_./:%+@ -]*)?\}|\([A-Za-z0-9_./:%+@ -]+\))")
_BACKTICKS = re.compile(r"`[A-Za-z0-9_./:%+@ -]*`")
#: First words of a command that change what the following lines mean.
_KEYWORDS = frozenset(
    (
        *("!", "{", "}", "[[", "if", "then", "elif", "else", "fi", "case", "esac", "for", "select", "while", "until"),
        *("do", "done", "in", "function", "time", "coproc", "exit", "return", "exec", "source", ".", "eval", "alias"),
        *("set", "unset", "shopt", "readonly", "declare", "typeset", "local", "trap", "enable", "builtin", "command"),
    )
)


@dataclass(frozen=True)
class _Word:
    """A word of a command.

    :param literal: The word without its quotes; ``None`` where bash expands it.
    :param braces: Whether it contains an unquoted brace.
    """

    source: str
    literal: str | None
    braces: bool = False


class _Bash:
    """The tokens of a sourced file, as far as assignments need them; commands are recognised, not interpreted."""

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
                # What is set after a pipe, a condition or a redirection depends on the command.
                opaque = operator not in {"&", ";"}
                words = []
            else:
                words.append(self._word())
        self._assign(words, opaque=opaque)

    def _operator(self) -> str:
        """Step over an operator between two commands, or before a file name."""
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
                if word.source in _KEYWORDS or _ARRAY_ELEMENT.match(word.source):
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
            elif char == "$" and _EXPANDS.match(text, self.at + 1):
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
        """Step over a simple command in backticks."""
        found = _BACKTICKS.match(self.text, self.at)
        if found is None:
            raise UnreadableError(self.line(start), "an unescaped ` is taken for shell code")
        self.at = found.end()

    def _expansion(self, start: int) -> None:
        """Step over ``$name``, ``${...}``, ``$(...)`` or ``$'...'``."""
        opening = self.text[self.at + 1]
        if opening in "({[":
            found = _EXPANSION.match(self.text, self.at)
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
            elif char == "$" and following not in {'"', "'"} and _EXPANDS.match(self.text, self.at + 1):
                expands = True
                self._expansion(start)
            else:
                literal.append(char)
                self.at += 1
        raise UnreadableError(self.line(start), 'the quote " is never closed')


def read_bash(text: str) -> Values:
    """``source FILE``: ``None`` where the value is expanded, appended to, or set for one command only.

    :raises UnreadableError: Where bash would take the following lines for something else.
    """
    return _Bash(text).read()
