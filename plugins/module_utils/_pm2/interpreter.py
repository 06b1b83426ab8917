# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs a script."""

from __future__ import annotations

import os

from .._host.files import open_regular

#: Where installed packages have their programs, relative to the directory of the process.
INSTALLED_PROGRAMS = (".venv/bin", "node_modules/.bin")
_BY_ENDING = {".py": "python3", ".sh": "bash", ".rb": "ruby", ".php": "php", ".pl": "perl"}


def default_interpreter(script: str) -> str:
    """What pm2 should run a script with: Node.js for JavaScript, ``none`` for an executable.

    A script that is not executable is run as pm2 would run it, by the ending of its name.
    """
    ending = os.path.splitext(script)[1]
    if ending in (".js", ".cjs", ".mjs") or _names_node(script):
        return "node"
    return "none" if os.access(script, os.X_OK) else _BY_ENDING.get(ending, "none")


def _names_node(path: str) -> bool:
    """Whether the first line of a script names Node.js."""
    try:
        with open(open_regular(path, follow=True), "rb") as file:
            first = file.read(256).split(b"\n")[0]
    except OSError:
        return False
    return first.startswith(b"#!") and b"node" in first
