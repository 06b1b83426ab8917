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
#: The newest that was measured.
LATEST = Version(2, 15, 1)
#: Since then a host has the field ``trust_forwarded_proto``.
TRUSTS_FORWARDED_PROTO = Version(2, 14, 0)


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


def always_denies(version: Version) -> bool:
    """Whether the rules of an access list end in ``deny all`` without an address too."""
    return version < (2, 15, 0)


def takes_email(version: Version) -> bool:
    """Whether a request for a certificate names the e-mail address; newer versions refuse it and use the account's."""
    return version < (2, 13, 0)


def has_hsts_variable(version: Version) -> bool:
    """Whether the value of HSTS is a variable of the host's file, which is empty without TLS."""
    return version >= (2, 11, 0)


def refuses_token(version: Version, status: int, words: str, accepted: bool) -> bool:
    """Whether an answer means that the token is not accepted (any more); measured.

    :param words: What the server says of the error.
    :param accepted: Whether the token was accepted before.
    """
    # Status 400 is that of every malformed request too.
    if status == 401 or (status == 400 and re.search(r"\b(?:token|jwt)\b", words, re.IGNORECASE)):
        return True
    # 404 is a bug of 2.13 to 2.15, 500 the answer to a malformed token.
    return not accepted and (status in (403, 500) or (status == 404 and hides_permission(version)))


def hides_permission(version: Version) -> bool:
    """Whether a missing permission is answered by 404; before, by 403."""
    return version >= (2, 13, 0)


def flag(value: Any) -> bool:
    """A boolean field as any version answers it."""
    return value in (True, 1, "1", "true")
