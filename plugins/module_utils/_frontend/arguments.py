# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of frontend_build, static_files and static_files_retained."""

from __future__ import annotations

from typing import Any

from .._host.progress import OPTION as PROGRESS_OPTION

BUILD: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "env": {"type": "dict", "default": {}},
    "build_env": {"type": "dict", "default": {}},
    # Not no_log as a whole: equal parts of the result would be blanked. The module removes the values.
    "install_env": {"type": "dict", "default": {}, "no_log": False},
    "install_command": {"type": "list", "elements": "str"},
    "build_command": {"type": "list", "elements": "str", "default": ["npm", "run", "build"]},
    "output_dir": {"type": "str", "default": ".next"},
    "whole": {"type": "bool", "default": False},
    "expected_urls": {"type": "list", "elements": "str", "default": []},
    "forbidden_urls": {"type": "list", "elements": "str", "default": []},
    "source_revision": {"type": "str", "default": ""},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "source_list": {"type": "path"},
    "source_root": {"type": "path"},
    "backend_dir": {"type": "str"},
    "timeout": {"type": "int", "default": 1800},
    "on_override_files": {"type": "str", "choices": ["refuse", "report"], "default": "report"},
    "build_on": {"type": "str", "choices": ["host", "controller"], "default": "host"},
    "for_platform": {"type": "dict"},
    "pack_to": {"type": "path"},
    "archive": {"type": "path"},
    PROGRESS_OPTION: {"type": "path"},
}

STATIC_FILES: dict[str, Any] = {
    "src": {"type": "path", "required": True},
    "previous": {"type": "list", "elements": "path", "default": []},
    "dest": {"type": "path", "required": True},
    "url_path": {"type": "str", "default": "/_next/static/"},
    "whole": {"type": "bool", "default": False},
    "user": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

RETAINED_FILES: dict[str, Any] = {
    "src": {"type": "path", "required": True},
    "previous": {"type": "list", "elements": "path", "default": []},
}
