# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of a host, without what a terminal or a browser would act on (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Sequences for colours and the cursor, control characters (also those from 0x80, which terminals act on as well),
# characters that turn the direction of a text, and code points that are no characters and that no file can hold.
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def plain(text: str) -> str:
    """The text with line ends and tabs, and without all other control characters."""
    return _CONTROL.sub("", text)


def plain_texts(value: Any) -> Any:
    """The same structure, with each text made plain."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {plain_texts(key): plain_texts(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_texts(each) for each in value]
    return value
