# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that the host or a repository supplies, and which may be damaged or made to do harm."""

from __future__ import annotations

import json
from typing import Any

from .files import read_text


def json_value(text: str | bytes) -> Any:
    """Parse a JSON document, which may start with a byte order mark, as npm and Node.js accept it.

    :raises ValueError: If it is none, or is nested more deeply than can be read.
    """
    decoded = text.decode() if isinstance(text, bytes) else text
    try:
        return json.loads(decoded.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def object_of(value: Any) -> dict[str, Any]:
    """Return a part of a document where it is an object; otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def json_object(text: str | bytes | None) -> dict[str, Any]:
    """Parse a JSON object; an empty one where there is none, or the document cannot be read."""
    try:
        return object_of(json_value(text or ""))
    except ValueError:
        return {}


def read_json_object(path: str) -> dict[str, Any]:
    """Read a JSON object from a file; an empty one where there is none, or it cannot be read."""
    return json_object(read_text(path))
