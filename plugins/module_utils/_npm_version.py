# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between the versions of Nginx Proxy Manager, in one table (pure)."""

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


class Traits(NamedTuple):
    """How one version behaves; all entries measured."""

    #: GET answers true and false; before, 1 and 0.
    answers_booleans: bool
    #: The switch "Websockets Support" has an effect.
    switch_works: bool
    #: A login that is refused is answered by this status.
    bad_login_status: int
    #: A request without a usable token may be answered by any of these.
    no_token_statuses: tuple[int, ...]


def parse_version(answer: object) -> Version | None:
    """The version in the answer of ``GET /api/``; None where there is none."""
    value = answer.get("version") if isinstance(answer, Mapping) else None
    if isinstance(value, Mapping):
        numbers = [value.get(name) for name in ("major", "minor", "revision")]
        if all(isinstance(number, int) for number in numbers):
            return Version(*numbers)  # type: ignore[arg-type]
        return None
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", value) if isinstance(value, str) else None
    return Version(*(int(number) for number in match.groups())) if match else None


def traits(version: Version) -> Traits:
    """Look up a version; one that is newer than the table behaves like its last row."""
    return Traits(
        answers_booleans=version >= (2, 12, 0),
        switch_works=version >= (2, 9, 2),
        bad_login_status=400 if version >= (2, 13, 0) else 401,
        # 404 is a slip of 2.13 to 2.15; 500 is the answer to a token that is none.
        no_token_statuses=(401, 403, 404, 500) if version >= (2, 13, 0) else (401, 403, 500),
    )


def flag(value: Any) -> bool:
    """A boolean field as any version answers it."""
    return value in (True, 1, "1", "true")
