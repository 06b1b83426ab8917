# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular expressions of nginx (PCRE), evaluated with Python's."""

from __future__ import annotations

import re

#: Character classes that PCRE has and Python does not have.
_CLASSES = {
    "alpha": "a-zA-Z",
    "upper": "A-Z",
    "lower": "a-z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "word": r"\w",
    "space": r"\s",
}


def python_regex(pattern: str, ignore_case: bool) -> re.Pattern[str] | None:
    """The regular expression for Python, ``None`` if Python cannot express it."""
    text = re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
    text = re.sub(r"\\(.)", lambda found: r"\Z" if found[1] == "z" else found[0], text)
    text = re.sub(r"\[:(\w+):\]", lambda found: _CLASSES.get(found[1], found[0]), text)
    # Older versions of PCRE read `{,3}` as text, newer ones and Python as a number.
    if "[:" in text or "{," in text:
        return None
    try:
        return re.compile(text, re.ASCII | (re.IGNORECASE if ignore_case else 0))
    except re.error:
        return None
