# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of preflight_info."""

from __future__ import annotations

from typing import Any

PREFLIGHT: dict[str, Any] = {
    "stage": {"type": "str", "choices": ["inputs", "host"], "required": True},
    "inputs": {"type": "dict", "required": True},
    "levels": {"type": "dict", "default": {}},
    "resolve": {"type": "bool", "default": False},
    "controller_addresses": {"type": "dict", "default": {}},
    "source_path": {"type": "path"},
    "process_names": {"type": "list", "elements": "str", "default": []},
    "min_free_bytes": {"type": "int"},
    "min_memory_bytes": {"type": "int", "default": 1024**3},
    "node": {"type": "str", "default": "node"},
    "python": {"type": "str", "default": "python3"},
}
