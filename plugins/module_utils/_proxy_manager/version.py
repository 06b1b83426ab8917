# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between the versions of Nginx Proxy Manager, as far as it matters here (pure).

Whether its switch Websockets Support works (since 2.9.2) does not matter, since the block does not need it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Version(NamedTuple):
    """A release of Nginx Proxy Manager."""

    major: int
    minor: int
    revision: int

    def __str__(self) -> str:
        return ".".join(str(part) for part in self)


#: The WebSocket location works on every version since then.
OLDEST = Version(2, 9, 0)


def parse_version(answer: object) -> Version | None:
    """The version in the answer to ``GET /api/``; ``None`` if there is none."""
    value = answer.get("version") if isinstance(answer, Mapping) else None
    if isinstance(value, Mapping):
        numbers = [value.get(name) for name in ("major", "minor", "revision")]
        if all(isinstance(number, int) for number in numbers):
            return Version(*numbers)  # type: ignore[arg-type]
        return None
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", value) if isinstance(value, str) else None
    return Version(*(int(number) for number in match.groups())) if match else None


def refusals(version: Version) -> tuple[int, ...]:
    """The statuses by which a version answers a first request whose token it does not accept; measured.

    404 is a bug of 2.13 to 2.15, 500 the answer to a malformed token.
    """
    return (401, 403, 404, 500) if version >= (2, 13, 0) else (401, 403, 500)


def flag(value: Any) -> bool:
    """A boolean field as any version answers it."""
    return value in (True, 1, "1", "true")
