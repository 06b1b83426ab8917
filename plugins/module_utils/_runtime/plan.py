# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host lacks of the runtime: facts in, reasons out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

#: Of the files that the role runtime writes.
_ATTRIBUTES = {"owner": "root", "group": "root", "mode": "0644"}


def differing_files(
    wanted: Mapping[str, str], found: Mapping[str, Mapping[str, str]], home: str, group: str
) -> list[str]:
    """Return the paths whose file is missing, or has another content, owner or mode.

    :param wanted: Texts by path; ``{home}`` and ``{group}`` in them stand for those of the deploy user.
    :param found: As :func:`.facts.file_states` returns them.
    """
    differing = []
    for path, text in wanted.items():
        filled = text.replace("{home}", home).replace("{group}", group)
        digest = hashlib.sha256(filled.encode()).hexdigest()
        if found.get(path) != {"sha256": digest, **_ATTRIBUTES}:
            differing.append(path)
    return differing


def reasons(facts: Mapping[str, Any], *, user: str, node_version: str, pm2_version: str) -> list[str]:
    """Return why the runtime must be changed, each with the thing that is wrong; empty if nothing must.

    :param facts: As :func:`.facts.gather` returns them.
    :param node_version: Empty for whatever version the distribution has.
    :param pm2_version: Empty for any.
    """
    runs = facts["pm2_unit_active"] or facts["pm2_daemon"]
    at_boot = facts["pm2_unit_enabled"] and facts["pm2_unit_right"]
    found = (
        (facts["missing_packages"], f"packages: {', '.join(facts['missing_packages'])}"),
        (not facts["home"], f"user {user}"),
        *((True, f"directory {path}") for path in facts["missing_directories"]),
        (node_version and facts["nodejs"] != node_version, f"Node.js {node_version}"),
        (not facts["npm"], "npm"),
        (pm2_version and facts["pm2"] != pm2_version, f"pm2 {pm2_version}"),
        (facts["closed_packages"], "modes of the programs"),
        (facts["differing_files"], "rotation of the logs"),
        (not (at_boot and runs), "pm2 at boot"),
    )
    return [reason for is_wrong, reason in found if is_wrong]
