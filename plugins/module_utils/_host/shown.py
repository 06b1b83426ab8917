# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files in the result of a module.

A name is bytes. Ansible refuses a whole result in which a text is not UTF-8, with a message about the encoding alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shown(text: str) -> str:
    """The text with escapes such as ``\\xe9`` for bytes that are not UTF-8."""
    if text.isascii():
        return text
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "backslashreplace")
    return data.decode("utf-8", "backslashreplace")


def shown_result(value: Any) -> Any:
    """The same structure, with each text as :func:`shown`."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown_result(key): shown_result(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown_result(each) for each in value]
    return value
