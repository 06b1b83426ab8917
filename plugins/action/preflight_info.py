# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of preflight_info that validates the inputs, on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.arguments import PREFLIGHT
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.run import run_preflight
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.secrets import secrets_in
from ansible_collections.codeframe.staging.plugins.plugin_utils._controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Validate the inputs in the process of the task, and the host by the module."""

    argument_spec = PREFLIGHT

    def belongs_here(self) -> bool:
        """Whether it is about the inputs, on the controller."""
        return self._task.args.get("stage") == "inputs" and super().belongs_here()

    def work(self, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
        """Validate the inputs; none of the secrets among them is part of the result."""
        result: dict[str, Any] = remove_values(
            run_preflight(params, check_mode=check_mode), secrets_in(params["inputs"])
        )
        return result
