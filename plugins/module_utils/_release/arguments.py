# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of release, saved_state and source_archive."""

from __future__ import annotations

from typing import Any

STATES = ("prepared", "candidate", "activated", "discarded", "committed", "rolled_back", "removed")

RELEASE: dict[str, Any] = {
    "project_dir": {"type": "path", "required": True},
    "state": {"type": "str", "choices": list(STATES), "default": "prepared"},
    "source_type": {"type": "str", "choices": ["git", "archive", "in_place"]},
    "git_url": {"type": "str"},
    "version": {"type": "str", "default": "HEAD"},
    "git_key": {"type": "str", "no_log": True},
    "git_key_file": {"type": "path", "no_log": False},
    "git_known_hosts": {"type": "list", "elements": "str"},
    "git_token": {"type": "str", "no_log": True},
    "git_user": {"type": "str", "default": "oauth2", "no_log": False},
    "git_submodules": {"type": "bool", "default": True},
    "git_lfs": {"type": "bool", "default": True},
    "git_timeout": {"type": "int", "default": 600},
    "archive": {"type": "path"},
    "revision": {"type": "str"},
    "shared_paths": {"type": "list", "elements": "str"},
    "carry": {"type": "list", "elements": "str"},
    "leave_behind": {"type": "list", "elements": "str"},
    "exclude": {"type": "list", "elements": "str"},
    "env_files": {"type": "list", "elements": "str"},
    "on_uncommitted": {"type": "str", "choices": ["refuse", "keep"], "default": "refuse"},
    "keep_releases": {"type": "int", "default": 3},
    "rollback_to": {"type": "str", "default": "committed"},
    "verified": {"type": "list", "elements": "str", "default": []},
    "records": {
        "type": "dict",
        "options": {
            "backend_revision": {"type": "str"},
            "frontend_revision": {"type": "str"},
        },
    },
    "digest_exclude": {"type": "list", "elements": "str", "default": []},
}

SOURCE_ARCHIVE: dict[str, Any] = {
    "src": {"type": "path", "required": True},
    "dest_dir": {"type": "path", "required": True},
    "exclude": {"type": "list", "elements": "str", "default": []},
}

SAVED_STATE: dict[str, Any] = {
    "project_dir": {"type": "path", "required": True},
    "state": {
        "type": "str",
        "choices": ["read", "proxy_saved", "take_over_saved", "verified", "receiving", "absent"],
        "default": "read",
    },
    "proxy_state": {"type": "dict"},
    "before_take_over": {"type": "dict"},
    "release": {"type": "str"},
    "records": {
        "type": "dict",
        "options": {
            "verification": {"type": "dict"},
            "backend_process": {"type": "dict"},
            "frontend_process": {"type": "dict"},
        },
    },
    "keep": {"type": "list", "elements": "str", "default": []},
}
