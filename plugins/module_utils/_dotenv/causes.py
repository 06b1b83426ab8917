# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why readers differ about a line of an env file, or cannot read it, and what the user can do; no text has a value."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SINGLE = "put the whole value in single quotes"
_READERS = "or leave out of staging_env_readers the programs that do not read this file"


@dataclass(frozen=True)
class Cause:
    """What is wrong with a line.

    :param remedy: What the user can do.
    """

    text: str
    remedy: str


_CRLF = Cause(
    "its line ends with CRLF, of which bash keeps the carriage return in the value",
    "convert the file (sed -i 's/\\r$//')",
)
_CR = Cause(
    "it holds a carriage return, which is a line end for some readers and a part of the value for others",
    "convert the line ends of the file",
)
_BLANKS = Cause(
    "there is a space beside the equals sign, for which bash takes the rest for a command", "remove the spaces around ="
)
_COMMAND = Cause(
    "its value holds a command substitution, which bash runs and the others take as text",
    f"write the value itself, {_READERS}",
)
_DOLLAR = Cause(
    "its value holds a $, which some readers replace by the value of a variable",
    "set the key in staging_env or staging_env_secrets, which writes it so that all readers agree if that is possible, "
    f"{_READERS}",
)
_QUOTED_LIST = Cause("its value is a list or an object whose quotes bash removes", f"{_SINGLE}, {_READERS}")
_WORDS = Cause("its value has spaces without quotes, so that bash takes the second word for a command", _SINGLE)
_HASH = Cause("its value holds a #, where a comment begins for some readers", _SINGLE)
_SHELL = Cause("its value holds characters that bash takes for shell code", _SINGLE)
_BACKSLASH = Cause("its value holds a backslash, which some readers remove", _SINGLE)
_QUOTE = Cause("its value holds a quote, which some readers remove", f"{_SINGLE}, {_READERS}")
_OTHER = Cause("its value holds characters that the readers treat differently", f"{_SINGLE}, {_READERS}")

_HEAD = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z0-9_.-]+)(?P<before>[ \t]*)=(?P<after>[ \t]*)")


def cause_of_difference(text: str) -> Cause:
    """Return why readers differ about a statement.

    :param text: The statement with its line end.
    """
    if text.endswith("\r\n") and text.count("\r") == 1:
        return _CRLF
    head = _HEAD.match(text)
    if "\r" in text or head is None:
        return _CR if "\r" in text else _OTHER
    if not re.match(r"[A-Za-z_][A-Za-z0-9_]*\Z", head["key"]):
        return Cause(
            f"{head['key']} is no name of a variable for bash",
            "rename it (letters, digits and underscores), or leave bash out of staging_env_readers",
        )
    if head["before"] or head["after"]:
        return _BLANKS
    value = text[head.end() :].strip()
    quote = value[0] if value[:1] in ("'", '"', "`") else ""
    if quote != "'" and ("$(" in value or "`" in value):
        return _COMMAND
    if "$" in value:
        return _DOLLAR
    if "\\" in value:
        return _BACKSLASH
    return _OTHER if quote else _of_bare(value)


def _of_bare(value: str) -> Cause:
    for pattern, cause in (
        (r"[\[{].*[\"']", _QUOTED_LIST),
        (r".*#", _HASH),
        (r".*[;&|<>()*?~!]", _SHELL),
        (r".*\s", _WORDS),
        (r".*[\"']", _QUOTE),
    ):
        if re.match(pattern, value, re.DOTALL):
            return cause
    return _OTHER


def cause_of_nonsense(line: str) -> Cause:
    """Return why a line is neither an assignment, nor a comment, nor blank."""
    line = line.strip()
    for pattern, found, remedy in (
        (r"(?:<{7}|={7}|>{7})(?:\s|\Z)", "a mark of a merge conflict", "resolve the conflict"),
        (r"[{}\[\]]", "JSON", "write one KEY=value in each line"),
        (r"(?:- )?[A-Za-z_][\w.-]*\s*:(?:\s|\Z)", "YAML", "write KEY=value"),
        (r"export\Z|export\s+-", "export without KEY=value", "write export KEY=value, or remove the line"),
        (r"(?:set|setx|declare|local|unset|source|\.|if|for|while|echo|cd)\b", "a command", "write KEY=value"),
        (r"[^=\s]+\s[^=]*=", "a name with a space in it", "remove the space, or write # before a comment"),
        (r"[^=]+\Z", "a text without an equals sign", "write KEY=value, or # before a comment"),
        (r"=", "a value without a name", "write KEY=value"),
    ):
        if re.match(pattern, line):
            return Cause(f"neither KEY=value, nor a comment, nor blank, but {found}", remedy)
    return Cause("neither KEY=value, nor a comment, nor blank", "write KEY=value, or # before a comment")
