# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a program's output may be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

#: Variables of every process, which tell nothing secret.
ORDINARY = ("PATH", "HOME", "USER", "LOGNAME", "LANG")
PUBLIC_PREFIXES = (
    *("NEXT_PUBLIC_", "VITE_", "PUBLIC_", "REACT_APP_", "NG_APP_", "NUXT_PUBLIC_", "VUE_APP_", "GATSBY_"),
    *("EXPO_PUBLIC_", "WAKU_PUBLIC_"),
)
_HARMLESS = re.compile(
    r"(?:[0-9.]{1,8}|true|false|yes|no|on|off|none|null|debug|info|warning|warn|error|localhost|127\.0\.0\.1|0\.0\.0\.0"
    r"|production|development|staging|test|[a-z]+://(?:localhost|127\.0\.0\.1)(?::[0-9]+)?/?)\Z",
    re.IGNORECASE,
)
_SHORTEST = 4
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONGEST_LINE = 500


def secrets_of(env: Mapping[str, str], public: Iterable[str] = ORDINARY) -> list[str]:
    """The values of an environment that must not be shown, in every form in which a program may print them.

    Everything counts as secret, except what tells nothing (numbers of up to 8 digits, levels, loopback addresses, fewer
    than 4 characters) and what a public bundle contains anyway.

    :param public: Names whose values may be shown.
    :returns: The longest first, so that a secret which contains another is removed as a whole.
    """
    shown = frozenset(public)
    values: set[str] = set()
    for key, value in env.items():
        if key in shown or key.startswith(PUBLIC_PREFIXES) or len(value) < _SHORTEST or _HARMLESS.match(value):
            continue
        forms = (value, json.dumps(value)[1:-1], quote(value, safe=""), *value.splitlines())
        values.update(form for form in forms if len(form) >= _SHORTEST)
    return sorted(values, key=len, reverse=True)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret by stars."""
    for secret in secrets:
        text = text.replace(secret, "********")
    return text


def last_lines(text: str, count: int) -> list[str]:
    """The last lines that are not blank, without colours, each of at most 500 characters."""
    lines = [_COLOURS.sub("", line).rstrip()[:_LONGEST_LINE] for line in text.splitlines()]
    return [line for line in lines if line.strip()][-count:]
