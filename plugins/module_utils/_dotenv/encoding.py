# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values written in a form that all readers return unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .readers import READ, READERS, UnreadableError

#: Variables that bash does not let a file set, or does not return as they were set.
_BASH_VARIABLES = frozenset(
    (
        *("BASHOPTS", "BASHPID", "BASH_ARGC", "BASH_ARGV", "BASH_ARGV0", "BASH_COMMAND", "BASH_COMPAT", "BASH_LINENO"),
        *("BASH_SOURCE", "BASH_SUBSHELL", "BASH_VERSINFO", "BASH_XTRACEFD", "COMP_WORDBREAKS", "DIRSTACK", "_"),
        *("EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME", "GROUPS", "HISTCMD", "LINENO", "PPID", "RANDOM"),
        *("SECONDS", "SHELLOPTS", "SRANDOM", "UID"),
    )
)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*\Z")

#: MAX_ARG_STRLEN of Linux: 32 pages for name, equals sign, value and the final NUL.
_LONGEST_BYTES = 131072


class ValueRefusedError(ValueError):
    """A key, or any form of its value, that the readers do not read alike; the message holds no value.

    :param why: Completes a sentence that starts with the key.
    :param differing: The readers that differ.
    """

    def __init__(self, key: str, why: str, differing: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.key = key
        self.why = why
        self.differing = tuple(differing)


def check_key(key: str) -> None:
    """Accept a key that every reader sets.

    :raises ValueRefusedError: For any other.
    """
    if _KEY.match(key) is None:
        raise ValueRefusedError(
            key, "is not a variable name (letters, digits and underscores, not starting with a digit)"
        )
    if key in _BASH_VARIABLES:
        raise ValueRefusedError(key, "is a variable of bash itself, which a file cannot set", ("bash",))
    if key == "__proto__":
        raise ValueRefusedError(key, "is not set by dotenv and next", ("dotenv", "next"))


def _escape(value: str, characters: str) -> str:
    return "".join("\\" + char if char in characters else char for char in value)


def forms(value: str) -> list[str]:
    """Every way of writing a value that some reader reads, the plainest first."""
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


def differing_readers(key: str, value: str, form: str, readers: Iterable[str]) -> tuple[str, ...]:
    """The readers that would not return ``value`` for this form, or not the values of the lines around it."""
    text = _PROBE.format(f"{key}={form}")
    wanted = {"__BEFORE": "x", key: value, "__AFTER": "y"}
    return tuple(reader for reader in readers if not reads(reader, text, wanted))


def reads(reader: str, text: str, wanted: Mapping[str, str]) -> bool:
    """Whether a reader returns these values for a text."""
    try:
        values = READ[reader](text)
    except UnreadableError:
        return False
    return all(values.get(key) == value for key, value in wanted.items())


def encode(key: str, value: str, readers: Sequence[str] = READERS) -> str:
    """The plainest form of ``value`` that all ``readers`` return unchanged.

    :raises ValueRefusedError: Where there is none; it names the readers that differ in the form that most agree on.
    """
    if "\0" in value:
        raise ValueRefusedError(key, "contains a NUL byte, which no environment can hold")
    try:
        size = len(f"{key}={value}".encode())
    except UnicodeEncodeError:
        raise ValueRefusedError(key, "is not valid Unicode text") from None
    if size >= _LONGEST_BYTES:
        raise ValueRefusedError(key, f"is longer than the {_LONGEST_BYTES} bytes of a variable on Linux")
    best = tuple(readers)
    for form in forms(value):
        differing = differing_readers(key, value, form, readers)
        if not differing:
            return form
        if len(differing) < len(best):
            best = differing
    raise ValueRefusedError(key, f"contains {_cause(value)}", best)


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
