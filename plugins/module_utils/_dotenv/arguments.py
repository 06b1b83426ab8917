# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of dotenv_file."""

from __future__ import annotations

from typing import Any

from .readers import READERS

FILE: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "values": {"type": "dict", "default": {}},
    "secret_values": {"type": "dict", "default": {}, "no_log": True},
    "absent_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "generate": {"type": "dict", "default": {}},
    "generated_path": {"type": "path"},
    "required_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "allow_placeholders": {"type": "list", "elements": "str", "default": []},
    "readers": {"type": "list", "elements": "str", "choices": list(READERS), "default": list(READERS)},
    "content": {"type": "str"},
    "example_path": {"type": "path"},
    "snapshot_path": {"type": "path"},
    "owner": {"type": "str"},
}
