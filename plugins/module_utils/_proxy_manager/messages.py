# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages that name the options of the modules, or the variables from which a role sets them (pure).

A message of this package marks the name of an option as ``O(api_url)``. The
module replaces the mark before a user reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_MARK = re.compile(r"O\((\w+)\)")


def name_options(text: str, names: Mapping[str, str]) -> str:
    """Replace each mark by the user's name for the option, or by the option itself."""
    return _MARK.sub(lambda match: names.get(match[1], match[1]), text)
