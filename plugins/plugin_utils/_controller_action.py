# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules whose work on the controller is done in the process of the task.

Packing a module and starting another Python for it takes 0.7 s, as long as the work of all of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase


def runs_here(action: ActionBase) -> bool:
    """Whether a task runs on the controller as the user who runs the playbook."""
    return action._connection.transport == "local" and action._connection.become is None


class ControllerAction(ActionBase):  # type: ignore[misc]
    """Do the work here where the task runs on the controller as its user; otherwise run the module of the same name."""

    TRANSFERS_FILES = False
    #: The options of the module.
    argument_spec: ClassVar[dict[str, Any]]

    @abstractmethod
    def work(self, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
        """Do what the module does, and return its result."""

    def belongs_here(self) -> bool:
        """Whether to do it here."""
        return runs_here(self)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        if not self.belongs_here():
            result: dict[str, Any] = self._execute_module(task_vars=task_vars)
            return result
        _validated, params = self.validate_argument_spec(argument_spec=self.argument_spec)
        return self.work(params, bool(self._task.check_mode))
