# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a managed site without testing or changing anything."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..program import Nginx, expand, read_text
from .errors import SiteError
from .layout import SiteLayout, detect_layout, included_patterns, possible_layouts
from .marker import is_managed, without_marker


@dataclass(frozen=True)
class FoundSite:
    """A managed site on this host; contents are without the marker line."""

    layout: SiteLayout
    content: str
    enabled: bool


def find_site(nginx: Nginx, name: str) -> FoundSite | None:
    """The managed site of this name in whatever layout, an enabled one first."""
    includes = included_patterns(nginx.config, "http", read_text, expand)
    found = []
    for layout in possible_layouts(includes, nginx.conf_dir, name):
        content = _managed_content(layout.file, name)
        if content is not None:
            enabled = os.path.exists(layout.loaded) and os.path.samefile(layout.loaded, layout.file)
            found.append(FoundSite(layout, content, enabled))
    return next((each for each in found if each.enabled), found[0] if found else None)


def find_main_file(nginx: Nginx, name: str) -> tuple[str, str] | None:
    """Path and content of the managed file of this name in the main context."""
    try:
        path = detect_layout(included_patterns(nginx.config, "main", read_text, expand), name, "main").file
    except SiteError:
        return None
    content = _managed_content(path, name)
    return None if content is None else (path, content)


def _managed_content(path: str, name: str) -> str | None:
    try:
        text = read_text(path)
    except OSError:
        return None
    return without_marker(text) if is_managed(text, name) else None
