# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a build went that is not in its output directory, and what it said about it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .workspace import package_names

#: Files that only the output of a build has; index.html is a source of Vite beside its package.json.
_SIGNS = ("BUILD_ID", "nitro.json", "handler.js", "index.html")
_NOT_OUTPUT = ("node_modules", ".git", "public", "src", "cache", "server", "static")
_DEPTH = 5
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NOTABLE = re.compile(r"warn|error|could not|cannot|no .{0,40}(?:found|detected)|skipp", re.IGNORECASE)
_SAID_LINES = 5
#: Of a file system with coarse times.
_TOLERANCE_S = 2
_ADAPTERS = ("@sveltejs/adapter-node", "@sveltejs/adapter-static")


def outputs_since(base: str, began: float) -> list[str]:
    """Return the directories that look like the output of a build and were written since.

    :param began: Seconds since the epoch.
    """
    found = []
    for directory, names, files in os.walk(base):
        depth = 0 if directory == base else os.path.relpath(directory, base).count("/") + 1
        names[:] = [] if depth >= _DEPTH else sorted(name for name in names if name not in _NOT_OUTPUT)
        signs = [os.path.join(directory, sign) for sign in _SIGNS if sign in files]
        if (
            directory != base
            and signs
            and "package.json" not in files
            and os.stat(signs[0]).st_mtime >= began - _TOLERANCE_S
        ):
            found.append(directory)
            names[:] = []
    return found


def why_no_output(package: Mapping[str, Any], places: Sequence[str], path: str, said: str) -> str:
    """Return the end of a sentence on a build that left nothing in its output directory.

    :param package: The ``package.json`` of the frontend.
    :param places: As :func:`outputs_since` returns them.
    :param path: Directory of the frontend.
    :param said: What the build command printed.
    """
    every = package_names(package)
    lines = [line for line in (_COLOURS.sub("", line).strip() for line in said.splitlines()) if line]
    notable = [line for line in lines if _NOTABLE.search(line)][:_SAID_LINES] or lines[-_SAID_LINES:]
    quoted = "; it said: " + " / ".join(line[:200] for line in notable) if notable else ""
    if "@sveltejs/adapter-auto" in every and not any(name in every for name in _ADAPTERS):
        return (
            "; @sveltejs/adapter-auto makes nothing for a server of one's own: use @sveltejs/adapter-node, or "
            f"@sveltejs/adapter-static with staging_frontend_serve static{quoted}"
        )
    if places:
        shown = " or ".join(os.path.relpath(place, path) for place in places[:3])
        return f"; it wrote {shown}: set staging_frontend_output_dir to that directory"
    return f"; does it write to another directory (staging_frontend_output_dir)?{quoted}"
