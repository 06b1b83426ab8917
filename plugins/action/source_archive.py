# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""source_archive on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._release.arguments import SOURCE_ARCHIVE
from ansible_collections.codeframe.staging.plugins.module_utils._release.packing import pack
from ansible_collections.codeframe.staging.plugins.plugin_utils._controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Pack in the process of the task."""

    argument_spec = SOURCE_ARCHIVE

    def work(self, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
        """Pack the source."""
        return pack(params, predicting=check_mode)
