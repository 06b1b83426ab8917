# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a version lies in a range as package.json (node-semver) or pyproject.toml (PEP 440) writes it."""

from __future__ import annotations

import re
from itertools import zip_longest

from .._host.toml_text import text_in

Version = tuple[int, ...]
_PARTIAL = r"v?([0-9xX*]+)(?:\.([0-9xX*]+))?(?:\.([0-9xX*]+))?(?:[-+][0-9A-Za-z.+-]*)?"
_COMPARATOR = re.compile(rf"\s*(\^|~>?|>=|<=|>|<|=)?\s*{_PARTIAL}\s*")
_HYPHEN = re.compile(rf"\s*{_PARTIAL}\s+-\s+{_PARTIAL}\s*\Z")


def parse_version(text: str) -> Version | None:
    """The first version in a text such as ``v20.19.2`` or ``Python 3.13.5``."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def npm_allows(wanted: str, version: Version) -> bool | None:
    """Whether node-semver's range ``wanted`` allows ``version``; None for a range that cannot be read.

    Pre-releases are taken for the release itself.
    """
    answers = [_npm_alternative(alternative, version) for alternative in wanted.split("||")]
    if any(answers):
        return True
    return None if None in answers else False


def _npm_alternative(text: str, version: Version) -> bool | None:
    hyphen = _HYPHEN.match(text)
    if hyphen is not None:
        low, high = _numbers(hyphen.groups()[:3]), _numbers(hyphen.groups()[3:])
        return _pad(low) <= version and version < _next(high)
    at = 0
    text = text.strip()
    while at < len(text):
        found = _COMPARATOR.match(text, at)
        if found is None or found.end() == at:
            return None
        if not _npm_holds(found[1] or "", _numbers(found.groups()[1:]), version):
            return False
        at = found.end()
    return True


def _numbers(parts: tuple[str | None, ...]) -> Version:
    """The numbers of a partial version, up to the first wildcard."""
    numbers = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _pad(numbers: Version) -> Version:
    return (*numbers, 0, 0, 0)[:3]


def _next(numbers: Version) -> Version:
    """The first version after all that start with ``numbers``."""
    return _pad((*numbers[:-1], numbers[-1] + 1)) if numbers else (1 << 30, 0, 0)


def _npm_holds(operator: str, numbers: Version, version: Version) -> bool:
    low = _pad(numbers)
    if operator == ">=":
        return version >= low
    if operator == "<":
        return version < low
    if operator == ">":
        return version >= _next(numbers) if len(numbers) < 3 else version > low
    if operator == "<=":
        return version < _next(numbers)
    if operator == "^":
        significant = next((index + 1 for index, number in enumerate(numbers) if number), len(numbers))
        return low <= version < _next(numbers[:significant])
    if operator in {"~", "~>"}:
        return low <= version < _next(numbers[:2])
    return low <= version < _next(numbers)


_CLAUSE = re.compile(r"\s*(~=|===?|!=|>=|<=|>|<)\s*v?([0-9]+(?:\.[0-9]+)*)(\.\*)?(?:[abrc.+-][0-9A-Za-z.+]*)?\s*\Z")


def python_allows(wanted: str, version: Version) -> bool | None:
    """Whether the PEP 440 specifiers ``wanted`` allow ``version``; None if they cannot be read."""
    for clause in wanted.split(","):
        if not clause.strip():
            continue
        found = _CLAUSE.match(clause)
        if found is None:
            return None
        numbers = tuple(int(part) for part in found[2].split("."))
        if not _python_holds(found[1], numbers, version, wildcard=bool(found[3])):
            return False
    return True


def _python_holds(operator: str, numbers: Version, version: Version, *, wildcard: bool) -> bool:
    order = _compare(version, numbers)
    same_start = version[: len(numbers)] == numbers
    if operator in {"==", "==="}:
        return same_start if wildcard else order == 0
    if operator == "!=":
        return not same_start if wildcard else order != 0
    if operator == "~=":
        return order >= 0 and version[: len(numbers) - 1] == numbers[:-1]
    return {">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0}[operator]


def _compare(left: Version, right: Version) -> int:
    for one, other in zip_longest(left, right, fillvalue=0):
        if one != other:
            return 1 if one > other else -1
    return 0


def requires_python(pyproject: str) -> str:
    """``requires-python`` of the text of a pyproject.toml, or an empty text."""
    return text_in(pyproject, "project", "requires-python")


def poetry_python(pyproject: str) -> str:
    """What Poetry's own table of dependencies in a pyproject.toml requires of Python, as PEP 440 specifiers.

    Empty if it requires nothing, or alternatives.
    """
    wanted = text_in(pyproject, "tool.poetry.dependencies", "python")
    if "|" in wanted:
        return ""
    return ",".join(filter(None, (_of_poetry(clause) for clause in re.split(r",|\s+(?=[<>=!~^])", wanted))))


def _of_poetry(clause: str) -> str:
    """Write out Poetry's caret and tilde, and a wildcard."""
    found = re.match(r"\s*(\^|~(?!=)|)\s*(\d+(?:\.\d+)*)(\.\*)?\s*\Z", clause)
    if found is None:
        return "" if clause.strip() == "*" else clause.strip()
    operator, numbers = found[1], tuple(int(part) for part in found[2].split("."))
    if not operator:
        return f"=={clause.strip()}"
    significant = next((at + 1 for at, number in enumerate(numbers) if number), len(numbers)) if operator == "^" else 2
    high = numbers[:significant]
    return f">={found[2]},<{'.'.join(str(part) for part in (*high[:-1], high[-1] + 1))}"


def pipfile_python(pipfile: str) -> str:
    """What a Pipfile requires of Python, as a PEP 440 specifier; empty if it requires nothing."""
    full, short = (text_in(pipfile, "requires", key) for key in ("python_full_version", "python_version"))
    return f"=={full}" if full else f"=={short}.*" if short and short != "*" else ""
