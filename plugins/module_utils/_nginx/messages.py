# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the messages that nginx prints and logs."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LEVEL = re.compile(r"\[(\w+)\] (?:\d+#\d+: )?(.*)")
_PLACE = re.compile(r" in (/.+):(\d+)\s*$")


def complaints(output: str, levels: Sequence[str] = ("emerg", "alert", "crit", "error")) -> list[str]:
    """The messages of these levels, without time and process id."""
    found: list[str] = []
    for line in output.splitlines():
        match = _LEVEL.search(line)
        if match and match.group(1) in levels:
            found.append(match.group(2).strip())
        elif match is None and line.startswith("nginx: ") and " test " not in line and "syntax is ok" not in line:
            found.append(line[len("nginx: ") :].strip())
    return found


def cause(output: str) -> str:
    """All complaints in one line; the whole output if it contains none."""
    return "; ".join(complaints(output)) or output.strip()


def place(complaint: str) -> tuple[str, int] | None:
    """File and line that a complaint names at its end."""
    match = _PLACE.search(complaint)
    return (match.group(1), int(match.group(2))) if match else None
