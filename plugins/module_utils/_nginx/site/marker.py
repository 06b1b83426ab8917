# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The marker line at the top of each file that the collection manages."""

from __future__ import annotations

import re

_MARKER = "# Managed by codeframe.staging, site {name}; manual changes are replaced."
_MARKER_LINE = re.compile(r"# Managed by codeframe\.staging, site (\S+); ")


def with_marker(name: str, content: str) -> str:
    """The text of a managed file: the marker, then the content with one newline at its end."""
    return _MARKER.format(name=name) + "\n" + content.strip("\n") + "\n"


def without_marker(text: str) -> str:
    """The content of a managed file."""
    first, _newline, rest = text.partition("\n")
    return rest if _MARKER_LINE.match(first) else text


def is_managed(text: str, name: str | None = None) -> bool:
    """Whether a file starts with the marker, of the site ``name`` if one is given."""
    found = _MARKER_LINE.match(text)
    return found is not None and name in (None, found.group(1))
