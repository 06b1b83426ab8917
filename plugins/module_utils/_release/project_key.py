# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name under which a host keeps what belongs to a project outside of its directory."""

from __future__ import annotations

import hashlib
import os
import re


def project_key(project: str) -> str:
    """Return a file name: readable by the project's name, unique by a digest of its path."""
    path = project.rstrip("/")
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(path) or "project")
    return f"{safe}-{hashlib.sha256(path.encode()).hexdigest()[:12]}"
