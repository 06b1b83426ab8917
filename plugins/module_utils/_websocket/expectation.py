# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a message of the server is the one that the user expects (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._host.json_text import json_value


class ExpectationError(ValueError):
    """The option ``expect`` cannot be used."""


@dataclass(frozen=True)
class Expectation:
    """A JSON subset, a regular expression, or (with neither) any message."""

    subset: Mapping[str, Any] | None = None
    pattern: re.Pattern[str] | None = None

    def met_by(self, message: str | bytes) -> bool:
        text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
        if self.pattern is not None:
            return self.pattern.search(text) is not None
        if self.subset is None:
            return True
        try:
            return contains(json_value(text), self.subset)
        except (ValueError, RecursionError):
            return False


def parse_expectation(raw: Any) -> Expectation:
    """Read the option ``expect``: a mapping, a string, or nothing.

    :raises ExpectationError: If it is neither, or not a regular expression.
    """
    if raw is None or raw == "":
        return Expectation()
    if isinstance(raw, Mapping):
        return Expectation(subset=dict(raw))
    if not isinstance(raw, str):
        raise ExpectationError(
            f"expect is a {type(raw).__name__}; expected a mapping (JSON subset) or a string (regular expression)"
        )
    try:
        return Expectation(pattern=re.compile(raw))
    except re.error as exc:
        raise ExpectationError(f"expect is {raw!r}, which is not a regular expression ({exc})") from None


def contains(value: Any, wanted: Any) -> bool:
    """Whether a JSON value contains everything that is wanted.

    Objects may have further keys at any depth. Lists must have the same length, and each item must contain what is
    wanted of it. ``true`` is not 1.
    """
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(k in value and contains(value[k], w) for k, w in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return (
            isinstance(value, list) and len(value) == len(wanted) and all(contains(v, w) for v, w in zip(value, wanted))
        )
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return bool(value == wanted)
