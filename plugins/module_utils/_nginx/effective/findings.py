# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What breaks or endangers a WebSocket in a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: A WebSocket does not work.
ERROR = "error"
#: It works, but not in every case or not for long.
WARNING = "warning"
#: The configuration alone does not decide whether a WebSocket works.
UNDECIDED = "undecided"
#: Worth knowing.
NOTICE = "notice"


@dataclass(frozen=True)
class ConfigFinding:
    """One finding; ``where`` lists the places as FILE:LINE."""

    code: str
    level: str
    message: str
    where: tuple[str, ...] = ()


def works(findings: Iterable[ConfigFinding]) -> bool | None:
    """Whether a WebSocket works; ``None`` if that is not decided."""
    levels = {each.level for each in findings}
    return False if ERROR in levels else None if UNDECIDED in levels else True


def as_results(findings: Iterable[ConfigFinding]) -> dict[str, Any]:
    """The findings as results of a module."""
    listed = list(findings)
    return {
        "findings": [
            {"code": each.code, "level": each.level, "message": each.message, "where": list(each.where)}
            for each in listed
        ],
        "ok": works(listed),
        "message": "; ".join(each.message for each in listed if each.level != NOTICE),
    }
