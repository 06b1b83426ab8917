# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a TOML document, read line by line: Python 3.9 and 3.10 have no parser for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")


def lines_of_tables(text: str) -> Iterator[tuple[str, str]]:
    """Yield each line with the name of the table that it is in; a header is in none."""
    current = ""
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header:
            current = header[1].replace(" ", "")
            yield current, ""
        else:
            yield current, line


def table_of(text: str, table: str) -> str | None:
    """Return the lines of a table; None if it is not there."""
    lines = [line for name, line in lines_of_tables(text) if name == table]
    return "\n".join(lines) if lines else None


def text_in(text: str, table: str, key: str) -> str:
    """Return a setting that is a text; empty if it is not there."""
    found = re.search(rf"""(?m)^\s*{re.escape(key)}\s*=\s*(["'])(.*?)\1""", table_of(text, table) or "")
    return found[2] if found else ""
