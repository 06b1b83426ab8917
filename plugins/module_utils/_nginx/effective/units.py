# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times and versions as nginx writes them."""

from __future__ import annotations

import re

_TIME = re.compile(r"(\d+)(ms|y|M|w|d|h|m|s)?\s*")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}


def seconds(text: str) -> float | None:
    """A time in seconds (``1h 30m``; a bare number is seconds), ``None`` if it is not a time."""
    total, position = 0.0, 0
    while position < len(text):
        match = _TIME.match(text, position)
        if match is None:
            return None
        total += int(match.group(1)) * _SECONDS[match.group(2) or "s"]
        position = match.end()
    return total if text else None


def size(text: str) -> int | None:
    """A size in bytes (``4k``, ``1m``), ``None`` if it is not one."""
    match = re.fullmatch(r"(\d+)([kKmMgG]?)", text)
    return None if match is None else int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]


def version_numbers(text: str) -> tuple[int, ...]:
    """``1.26.3`` as numbers; empty for an unknown version."""
    return tuple(int(part) for part in re.findall(r"\d+", text))[:3]
