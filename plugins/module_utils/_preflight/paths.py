# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of URLs as nginx compares them."""

from __future__ import annotations

import re

from .._nginx.site_inputs import PATH


def is_plain_path(path: str) -> bool:
    """Whether the configuration of the proxy can contain a path."""
    return re.fullmatch(PATH, path) is not None


def route_takes(route: str, path: str) -> bool:
    """Whether the proxy's location for a route serves a path, as the role proxy writes locations."""
    return path.startswith(route) if route.endswith("/") else path == route
