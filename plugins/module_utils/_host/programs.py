# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the programs of the host are."""

from __future__ import annotations

import os
from collections.abc import Sequence

#: Where an administrator and the distribution install programs; sudo's path may leave some of it out.
STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search_path() -> list[str]:
    """Directories in which programs are looked for: those of this process, then the standard ones."""
    places = [*os.environ.get("PATH", "").split(":"), *STANDARD_PATH.split(":")]
    return [place for place in dict.fromkeys(places) if place]


def find_program(name: str, search: Sequence[str] | None = None) -> str | None:
    """The path of an executable, by its path or its name; None if there is none.

    :param search: Directories, by default :func:`search_path`.
    """
    if "/" in name:
        return name if os.path.isfile(name) and os.access(name, os.X_OK) else None
    for directory in search_path() if search is None else search:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
