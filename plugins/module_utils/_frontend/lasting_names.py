# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files of a page have names that change with their content, so that browsers may keep them."""

from __future__ import annotations

import re

#: Regular expressions that Python and nginx read alike, of paths with a slash at their beginning: directories in which
#: bundlers give every file such a name, and scripts and styles whose names end in a digest (hexadecimal, or eight
#: characters of which one is no small letter).
LASTING_PATTERNS = (
    r"/(_next/static|_app/immutable|_nuxt|_astro)/",
    r"/(assets|static)/([^/]+/)*[^/]+[.-]([0-9a-f]{8,}|(?=[a-z_-]*[0-9A-Z])[0-9A-Za-z_-]{8})(\.[a-z0-9]+)+$",
    r"/[^/]+[.-]([0-9a-f]{8,}|(?=[a-z_-]*[0-9A-Z])[0-9A-Za-z_-]{8})(\.chunk)?\.(js|mjs|css)(\.map)?$",
)


def is_lasting(path: str) -> bool:
    """Whether the content at a path relative to the page never changes."""
    return any(re.search(pattern, f"/{path}") for pattern in LASTING_PATTERNS)
