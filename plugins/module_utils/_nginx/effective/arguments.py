# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of nginx_effective_info."""

from __future__ import annotations

from typing import Any

EFFECTIVE: dict[str, Any] = {
    "host_name": {"type": "str", "required": True},
    "path": {"type": "str", "default": "/ws"},
    "port": {"type": "int"},
    "tls": {"type": "bool", "default": False},
    "address": {"type": "str"},
    "client_address": {"type": "str"},
    "upstream_path": {"type": "str"},
    "upstream_tls": {"type": "bool"},
    "origin": {"type": "str"},
    "idle_timeout": {"type": "int", "default": 86400},
    "dump": {"type": "str"},
    "nginx_version": {"type": "str"},
    "executable": {"type": "str", "default": "nginx"},
    "config": {"type": "path"},
    "prefix": {"type": "path"},
}
