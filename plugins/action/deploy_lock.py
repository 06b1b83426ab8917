# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of deploy_lock that runs on the controller, because a module cannot see its processes."""

from __future__ import annotations

from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.codeframe.staging.plugins.plugin_utils import _lock_guard
from ansible_collections.codeframe.staging.plugins.plugin_utils._controller_run import run_identity


class ActionModule(ActionBase):  # type: ignore[misc]
    """Run the module with the identity of this run, unless the task sets another one."""

    _requires_connection = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result, and watch a run that has acquired the lock, so that it is always released."""
        super().run(tmp, task_vars)
        identity = run_identity()
        arguments = {"identity": identity, **self._task.args}
        result = self._ask(arguments, task_vars)
        name = f"{(task_vars or {}).get('inventory_hostname')} {result.get('path')}"
        if arguments["identity"] is identity and not self._task.check_mode:
            if result.get("action") in ("taken", "taken_over"):
                _lock_guard.stand_by(self._directory(), name, identity["pid"], lambda: self._free(arguments, task_vars))
            elif result.get("action") == "released":
                _lock_guard.dismiss(self._directory(), name)
        return result

    def _ask(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name="codeframe.staging.deploy_lock", module_args=arguments, task_vars=task_vars
        )
        return result

    def _free(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> None:
        # There is no reader any more for the output of a task.
        Display().verbosity = 0
        # The task's temporary directory on the host, if there was one, was deleted with the task.
        self.cleanup(force=True)
        try:
            if self._ask({**arguments, "state": "released"}, task_vars).get("failed"):
                raise AnsibleError("the lock was not released")
        finally:
            self.cleanup(force=True)

    def _directory(self) -> str:
        return str(constants.DEFAULT_LOCAL_TMP)
