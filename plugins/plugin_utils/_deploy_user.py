# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of modules that run as the deploy user, who can write what he likes into them."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.codeframe.staging.plugins.plugin_utils._plain import plain_texts

#: Keys by which a result changes variables or statistics of the run, where a task only wants to register a result.
#: What is shown of a result, by whatever callback; nothing else reads it.
_SHOWN = ("msg", "reasons", "warnings", "diff", "log_tail", "module_stdout", "module_stderr", "exception")
_ACTING = ("ansible_facts", "ansible_stats", "add_host", "add_group")


def without_facts(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result that is nothing but a result.

    A process of the deploy user can write into the output of another one of his. Variables of the host among it would
    override the inventory and the defaults of the roles, for tasks that run as root and on the controller. Control
    characters in what is shown would act on the terminal.
    """
    return {key: plain_texts(value) if key in _SHOWN else value for key, value in result.items() if key not in _ACTING}


class DeployUserAction(NormalAction):  # type: ignore[misc]
    """Run the module of the same name, and take nothing but its result."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result."""
        return without_facts(super().run(tmp, task_vars))
