# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of nginx_site."""

from __future__ import annotations

from typing import Any

SITE: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "content": {"type": "str"},
    "main_content": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "layout": {"type": "str", "choices": ["auto", "sites", "conf_d"], "default": "auto"},
    "clients": {"type": "int", "default": 0},
    "take_over": {"type": "bool", "default": False},
    "watch": {"type": "list", "elements": "path", "default": []},
    "pending": {"type": "list", "elements": "path", "default": []},
    "warn_days": {"type": "int", "default": 14},
    "executable": {"type": "str", "default": "nginx"},
    "config": {"type": "path"},
    "prefix": {"type": "path"},
}
