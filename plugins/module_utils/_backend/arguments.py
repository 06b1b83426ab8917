# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of backend_virtualenv, backend_node_build and backend_hook."""

from __future__ import annotations

from typing import Any

from .._host.progress import OPTION as PROGRESS_OPTION
from .hook import AFTER, BEFORE

VIRTUALENV: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "venvs_dir": {"type": "path", "required": True},
    "install": {
        "type": "str",
        "choices": ["requirements", "project", "uv", "poetry", "pipenv"],
        "default": "requirements",
    },
    "requirements": {"type": "str", "default": "requirements.txt"},
    "python": {"type": "str", "default": "python3"},
    "uv_version": {"type": "str", "default": "0.13.9"},
    "uv_arguments": {"type": "list", "elements": "str", "default": []},
    "poetry_version": {"type": "str", "default": "2.2.1"},
    "poetry_arguments": {"type": "list", "elements": "str", "default": []},
    "pipenv_version": {"type": "str", "default": "2025.0.4"},
    "pipenv_arguments": {"type": "list", "elements": "str", "default": []},
    # Not no_log as a whole: equal parts of the result would be blanked. The module removes the values.
    "install_env": {"type": "dict", "default": {}, "no_log": False},
    "source_digest": {"type": "str"},
    "timeout": {"type": "int", "default": 900},
    PROGRESS_OPTION: {"type": "path"},
}

NODE_BUILD: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "install_command": {"type": "list", "elements": "str"},
    # Not no_log as a whole: equal parts of the result would be blanked. The module removes the values.
    "install_env": {"type": "dict", "default": {}, "no_log": False},
    "build_command": {"type": "list", "elements": "str", "default": []},
    "build_env": {"type": "dict", "default": {}},
    "output_dir": {"type": "str", "default": "dist"},
    "frontend_dir": {"type": "str"},
    "source_list": {"type": "path"},
    "source_root": {"type": "path"},
    "timeout": {"type": "int", "default": 900},
    PROGRESS_OPTION: {"type": "path"},
}

HOOK: dict[str, Any] = {
    "project_dir": {"type": "path", "required": True},
    "hook": {"type": "str", "choices": [BEFORE, AFTER], "required": True},
    "commands": {"type": "list", "elements": "list", "required": True},
    "revision": {"type": "str", "required": True},
    "chdir": {"type": "str", "default": "."},
    "env_file": {"type": "str"},
    "env": {"type": "dict", "default": {}},
    "timeout": {"type": "int", "default": 600},
}
