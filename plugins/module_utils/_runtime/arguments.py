# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of runtime_info."""

from __future__ import annotations

from typing import Any

RUNTIME: dict[str, Any] = {
    "user": {"type": "str", "required": True},
    "packages": {"type": "list", "elements": "str", "default": []},
    "project_dir": {"type": "path"},
    "socket": {"type": "path"},
    "npm_packages": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "dict", "default": {}},
    "node_version": {"type": "str", "default": ""},
    "pm2_version": {"type": "str", "default": ""},
}
