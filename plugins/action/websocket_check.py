# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of websocket_check that runs on the controller: the progress of a hold, and the check from there."""

from __future__ import annotations

import sys
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.arguments import ARGUMENT_SPEC
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.check import check, secrets_in
from ansible_collections.codeframe.staging.plugins.plugin_utils._controller_action import runs_here
from ansible_collections.codeframe.staging.plugins.plugin_utils._deploy_user import without_facts
from ansible_collections.codeframe.staging.plugins.plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    """Run the check and show its progress; in this process if it runs on the controller with this Python."""

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        python = self._templar.template((task_vars or {}).get("ansible_python_interpreter", ""))
        if self._task.async_val or python != sys.executable or not runs_here(self):
            return super()._module(arguments, task_vars)
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(arguments)
        if checked.error_messages:
            return {"failed": True, "msg": "; ".join(checked.error_messages)}
        params = checked.validated_parameters
        return without_facts(remove_values(check(params), secrets_in(params)))
