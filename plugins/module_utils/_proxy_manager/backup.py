# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An export of a proxy host before its first change."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from .._host.files import write_atomic


def backup_path(directory: str, name: str, host_id: int) -> str:
    """The file of a host; a wildcard has no place in a file name."""
    return os.path.join(directory, f"{name.lower().replace('*', '_')}.{host_id}.json")


def export_host(directory: str, name: str, host: Mapping[str, Any]) -> str:
    """Write a host as the API returns it into a file that only this user can read, unless the host has one.

    The file is that of the first change, so that what a user had before is never overwritten.

    :returns: The path of the file.
    :raises OSError: If it cannot be written.
    """
    path = backup_path(directory, name, int(host["id"]))
    if not os.path.lexists(path):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        content = json.dumps(host, indent=2, sort_keys=True) + "\n"
        write_atomic(path, content, mode=0o600)
    return path
