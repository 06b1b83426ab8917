# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values among the inputs must not be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._host.url import passwords_in
from .variables import is_secret


def secrets_in(inputs: Mapping[str, Any]) -> set[str]:
    """Every value below a name that says it is a secret, and the passwords in URLs."""
    found: set[str] = set()
    for name, value in inputs.items():
        if is_secret(str(name)):
            found |= set(_leaves(value))
        found |= passwords_in(str(value))
    return found


def _leaves(value: Any) -> Iterator[str]:
    """Every text and number in a value, at any depth."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
        yield str(value)
