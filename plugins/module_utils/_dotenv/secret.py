# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are generated on the host, and texts that only stand for a value that is still missing."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Characters of generated secrets: none of them needs quotes for any reader.
ALPHABETS: Mapping[str, str] = {
    "alphanumeric": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "base64url": string.ascii_letters + string.digits + "-_",
}
#: Numbers of characters.
SHORTEST_SECRET, LONGEST_SECRET, DEFAULT_LENGTH = 16, 4096, 48
DEFAULT_ALPHABET = "alphanumeric"


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
    """Whether a text only stands for a value, as ``your-api-key-here``, ``changeme`` or ``<token>`` do."""
    return _PLACEHOLDER.match(value) is not None


@dataclass(frozen=True)
class Recipe:
    """How a secret is generated.

    :param length: Characters.
    :param alphabet: A key of :data:`ALPHABETS`.
    """

    length: int = DEFAULT_LENGTH
    alphabet: str = DEFAULT_ALPHABET

    def make(self) -> str:
        """A new secret, from the random source of the system."""
        return "".join(secrets.choice(ALPHABETS[self.alphabet]) for _index in range(self.length))


def parse_recipe(given: Any) -> Recipe:
    """Read one value of the option ``generate``; nothing stands for both defaults.

    :raises ValueError: With what was found and what was expected; the text begins where the name of the option ends.
    """
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise ValueError(f" is {given!r}; expected a dictionary with length and alphabet")
    length, alphabet = given.get("length", DEFAULT_LENGTH), given.get("alphabet", DEFAULT_ALPHABET)
    if not str(length).isdigit() or not SHORTEST_SECRET <= int(str(length)) <= LONGEST_SECRET:
        raise ValueError(f".length is {length!r}; expected a number from {SHORTEST_SECRET} to {LONGEST_SECRET}")
    if alphabet not in ALPHABETS:
        raise ValueError(f".alphabet is {alphabet!r}; expected one of {', '.join(ALPHABETS)}")
    return Recipe(int(str(length)), str(alphabet))
