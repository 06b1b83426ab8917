# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installed packages of a frontend, file by file: what was installed, and what of it is damaged."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence

from .._host.files import read_text, write_atomic
from .._host.json_text import json_value

WRITTEN_IN_PLACE = (".cache", ".prisma", ".vite", ".vite-temp")
"""Directories of installed packages into which tools write; through a hard link, that would change another release."""
#: The list of the installed files, in ``node_modules``.
MODULES_RECORD = ".staging-modules.json"
_LIMIT = 256 * 1024 * 1024


def store_listing(modules: str) -> None:
    """Store size and modification time of each installed file, as they are now."""
    files = {}
    for directory, names, entries in os.walk(modules):
        relative = os.path.relpath(directory, modules)
        prefix = "" if relative == "." else relative + "/"
        if not prefix:
            names[:] = [name for name in names if name not in WRITTEN_IN_PLACE]
        for name in (*entries, *(name for name in names if os.path.islink(os.path.join(directory, name)))):
            # Records at the top are written by tools and by this collection.
            if prefix or not name.startswith("."):
                files[prefix + name] = _signature(os.path.join(directory, name))
    write_atomic(os.path.join(modules, MODULES_RECORD), json.dumps(files, sort_keys=True), mode=0o644)


def modules_damage(modules: str) -> list[str] | None:
    """Return which installed files are missing or were changed; None if they were never listed.

    Copies and hard links of the directory keep what is compared.
    """
    try:
        files = json_value(read_text(os.path.join(modules, MODULES_RECORD), limit=_LIMIT) or "")
    except ValueError:
        return None
    if not isinstance(files, dict):
        return None
    found = []
    for name, expected in sorted(files.items()):
        signature = _signature(os.path.join(modules, name))
        if signature != expected:
            found.append(f"{name} {'was changed' if signature else 'is missing'}")
    return found


def packages_named(damage: Sequence[str]) -> str:
    """Return the damage of installed packages as one sentence; empty if there is none."""
    more = f" and {len(damage) - 1} more" if len(damage) > 1 else ""
    return f"node_modules is damaged: {damage[0]}{more}" if damage else ""


def _signature(path: str) -> str:
    """What changes when a file is written; empty if there is none. A symbolic link is only present or missing."""
    try:
        status = os.lstat(path)
    except OSError:
        return ""
    return "link" if stat.S_ISLNK(status.st_mode) else f"{status.st_size}:{status.st_mtime_ns}"
