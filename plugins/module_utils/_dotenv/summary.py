# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told about an env file without its values, and whether a process has them in its environment."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .document import parse, values_for
from .secret import is_placeholder


@dataclass(frozen=True)
class Summary:
    """An env file without its values.

    :param values: The values, for comparison; not to be returned.
    :param differing: Keys that the readers do not read alike.
    :param digests: A salted digest of each value.
    :param digest: One of all keys and values, whatever their order and spelling.
    """

    keys: tuple[str, ...]
    empty: tuple[str, ...]
    placeholders: tuple[str, ...]
    differing: tuple[str, ...]
    digests: Mapping[str, str]
    digest: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class ProcessComparison:
    """Keys that the environment of a process lacks, and those that it has with another value."""

    missing: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


def summarize(text: str, reader: str, readers: Sequence[str], salt: str) -> Summary:
    """Describe the text of an env file.

    :param reader: The program whose reading of the values counts.
    :param readers: The programs that are compared with one another.
    :raises ParseError: If it is not an env file.
    """
    keys = parse(text).keys
    views = values_for(text, list(dict.fromkeys([reader, *readers])))
    values = {key: value for key in keys if (value := views[reader].get(key)) is not None}
    return Summary(
        keys=keys,
        empty=tuple(key for key, value in values.items() if not value),
        placeholders=tuple(key for key, value in values.items() if is_placeholder(value)),
        differing=tuple(key for key in keys if len({views[name].get(key) for name in readers}) > 1),
        digests={key: digest(salt, value) for key, value in values.items()},
        digest=digest(salt, "\0".join(f"{key}={values[key]}" for key in sorted(values))),
        values=values,
    )


def digest(salt: str, text: str) -> str:
    """A digest of 48 bits that cannot be compared with those of guessed texts without the salt."""
    return hmac.new(salt.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:12]


def compare_process(values: Mapping[str, str], environment: Mapping[str, str]) -> ProcessComparison:
    """Compare the values of a file with the environment of a process."""
    return ProcessComparison(
        missing=tuple(key for key in values if key not in environment),
        differing=tuple(key for key, value in values.items() if environment.get(key, value) != value),
    )
