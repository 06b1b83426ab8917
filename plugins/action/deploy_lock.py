# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of deploy_lock that only the controller can do: what runs on the host cannot see its processes."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.codeframe.staging.plugins.plugin_utils._controller_run import run_identity


class ActionModule(ActionBase):  # type: ignore[misc]
    """Run the module with the identity of this run, unless the task gives another one."""

    _requires_connection = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        arguments = {"identity": run_identity(), **self._task.args}
        result: dict[str, Any] = self._execute_module(
            module_name="codeframe.staging.deploy_lock", module_args=arguments, task_vars=task_vars
        )
        return result
