# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed in the texts of a layer, as lines of a unified diff (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

#: More lines of a layer are only counted.
MAX_LINES = 200


def diff_lines(diffs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of the changes that a module returned in diff mode.

    :param diffs: Each with ``before`` and ``after`` as text, with their headers, or with ``prepared``.
    """
    lines: list[str] = []
    for each in diffs:
        if "prepared" in each:
            lines += str(each["prepared"]).splitlines()
            continue
        before, after = (str(each.get(side) or "").splitlines() for side in ("before", "after"))
        old, new = (str(each.get(f"{side}_header") or side) for side in ("before", "after"))
        lines += difflib.unified_diff(before, after, old, new, lineterm="", n=2)
    more = len(lines) - MAX_LINES
    return lines if more <= 0 else [*lines[:MAX_LINES], f"and {more} more lines"]
