# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The locations that a user has in the Advanced text and under Custom locations, as nginx reads them (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._nginx.config import ConfigError, Directive, parse

# The longest first, since "^~" and "~*" begin like others.
_MODIFIERS = ("^~", "~*", "=", "~")
# As Nginx Proxy Manager searches for it: in the text, not in what nginx makes of it. A line ends as in JavaScript.
_DEFAULT_LOCATION = re.compile(
    r"(?:^|(?<=[\r\u2028\u2029]))(?:[^\n\r\u2028\u2029]*;)?\s*?location\s*?/\s*?\{", re.IGNORECASE | re.MULTILINE
)


def location_of(directive: Directive) -> tuple[str, str] | None:
    """(modifier, path or pattern) of a location, ``None`` if the directive is none."""
    if directive.name != "location" or directive.block is None:
        return None
    if len(directive.args) == 2:
        return directive.args[0], directive.args[1]
    if len(directive.args) != 1:
        return None
    # nginx accepts a modifier without a blank behind it.
    (argument,) = directive.args
    for modifier in _MODIFIERS:
        if argument.startswith(modifier):
            return modifier, argument[len(modifier) :]
    return "", argument


def custom_location(entry: Mapping[str, Any]) -> tuple[tuple[str, str], tuple[Directive, ...]] | None:
    """A custom location with the user's directives in it; ``None`` if nginx could not read it.

    Nginx Proxy Manager writes the path as it was entered, so that it may have a modifier.
    """
    for text in (str(entry.get("advanced_config") or ""), ""):
        try:
            directives = parse(f"location {entry.get('path', '')} {{\n{text}\n}}", "custom location")
        except ConfigError:
            continue
        if len(directives) == 1:
            found = location_of(directives[0])
            return (found, directives[0].block or ()) if found else None
    return None


def drops_default_location(unmanaged: str) -> bool:
    """Whether Nginx Proxy Manager leaves its own ``location /`` out because of the text, also of a comment in it."""
    return _DEFAULT_LOCATION.search(unmanaged) is not None


def keeps_default_location(unmanaged: str, custom_locations: object) -> bool:
    """Whether the path ``/`` has the location of Nginx Proxy Manager itself."""
    entries = custom_locations if isinstance(custom_locations, (list, tuple)) else ()
    return not drops_default_location(unmanaged) and not any(
        isinstance(each, Mapping) and each.get("path") == "/" for each in entries
    )
