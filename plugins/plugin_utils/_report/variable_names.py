# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of users behind those of the roles, for messages (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SHARED = re.compile(r"\bstaging_\w+")
_SETTING = re.compile(r"\bsettings_\w+")


def user_variables(defaults: Mapping[str, Any]) -> dict[str, str]:
    """For each variable of a role the ``staging_*`` variable from which alone it takes its value.

    :param defaults: Defaults of all roles, as they are written in their files.
    """
    found = {}
    for name, value in defaults.items():
        sources = _sources(str(value), defaults, {name})
        if len(sources) == 1:
            found[name] = sources.pop()
    return found


def with_user_variables(text: str, variables: Mapping[str, str]) -> str:
    """The text with the names that a user can set."""
    return re.sub(r"\b[a-z]\w*_\w+", lambda word: variables.get(word[0], word[0]), text)


def _sources(value: str, defaults: Mapping[str, Any], seen: set[str]) -> set[str]:
    """The variables of users in an expression, also those of the shared settings that it reads."""
    found = set(_SHARED.findall(value))
    for setting in set(_SETTING.findall(value)) - seen:
        found |= _sources(str(defaults.get(setting, "")), defaults, {*seen, setting})
    return found
