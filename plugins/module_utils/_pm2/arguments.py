# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of pm2_process."""

from __future__ import annotations

from typing import Any

from .._host.progress import OPTION as PROGRESS_OPTION

PROCESS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["online", "stopped", "absent", "restored"], "default": "online"},
    "script": {"type": "path"},
    "args": {"type": "list", "elements": "str"},
    "cwd": {"type": "path"},
    "exec_mode": {"type": "str", "choices": ["fork", "cluster"]},
    "env": {"type": "dict", "default": {}},
    "env_file": {"type": "path"},
    "revision": {"type": "str"},
    "project_dir": {"type": "path"},
    "manual_file": {"type": "path"},
    "take_over": {"type": "bool", "default": False},
    "ecosystem_file": {"type": "path"},
    "ecosystem_env": {"type": "str"},
    "health_url": {"type": "str"},
    "health_port": {"type": "int"},
    "health_socket": {"type": "path"},
    "health_websocket_url": {"type": "str"},
    "health_websocket_origin": {"type": "str"},
    "health_websocket_headers": {"type": "dict", "no_log": True},
    "health_websocket_query": {"type": "dict", "no_log": True},
    "health_public_url": {"type": "str"},
    "health_timeout": {"type": "int", "default": 60},
    "stable_s": {"type": "float", "default": 3},
    PROGRESS_OPTION: {"type": "path"},
}
