# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the files that a site has taken over are kept: beside the configuration, where nginx loads nothing from.

The directory is the only record of a take-over: whatever is in it is restored when the site is removed.
"""

from __future__ import annotations

import contextlib
import os

_DIRECTORY = "taken-over"


def kept_path(conf_dir: str, site: str, path: str) -> str:
    """Where a site keeps the file that was at a path."""
    return os.path.join(conf_dir, _DIRECTORY, site, path.lstrip("/"))


def kept_files(conf_dir: str, site: str) -> dict[str, str]:
    """The paths that a site has taken over, each with where it is kept."""
    root = os.path.join(conf_dir, _DIRECTORY, site)
    found: dict[str, str] = {}
    for directory, _folders, names in os.walk(root):
        for name in names:
            kept = os.path.join(directory, name)
            found["/" + os.path.relpath(kept, root)] = kept
    return dict(sorted(found.items()))


def remove_empty(conf_dir: str) -> None:
    """Delete the directories in which nothing is kept any more."""
    for directory, _folders, _names in os.walk(os.path.join(conf_dir, _DIRECTORY), topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(directory)
