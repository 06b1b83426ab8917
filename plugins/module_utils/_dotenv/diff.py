# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of an env file as ``--diff`` shows it: keys, and only values that may be shown."""

from __future__ import annotations

from collections.abc import Mapping

from .change import Change
from .document import ParseError, values_for
from .options import EnvFileOptions


def diff_lines(request: EnvFileOptions, before: str | None, change: Change) -> tuple[list[str], list[str]]:
    """Lines before and after.

    :param before: The text of the file, ``None`` if it does not exist.
    """
    old = {} if before is None else _visible(before, request)
    new = _visible(change.text, request)
    left: list[str] = []
    right: list[str] = []
    for key in dict.fromkeys([*change.added, *change.changed, *change.removed]):
        shown = key in request.plain
        if key in change.removed:
            left.append(f"{key}=(hidden)")
            continue
        if key in change.changed:
            left.append(f"{key}={old.get(key, '(read differently)')}" if shown else f"{key}=(hidden)")
        hidden = f"(hidden, {'added' if key in change.added else 'changed'})"
        right.append(f"{key}={new.get(key, '') if shown else hidden}")
    if not left and not right and before != change.text:
        right.append("# order, comments or spelling")
    return left, right


def _visible(text: str, request: EnvFileOptions) -> dict[str, str]:
    """Values of plain keys on which the readers agree, each on one line."""
    try:
        views = values_for(text, request.readers)
    except ParseError:
        return {}
    found: Mapping[str, set[str | None]] = {key: {view.get(key) for view in views.values()} for key in request.plain}
    return {
        key: str(next(iter(seen))).replace("\n", "\\n")
        for key, seen in found.items()
        if len(seen) == 1 and None not in seen
    }
