# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module whose arguments contain secrets that only it can tell from what is to be shown."""

from __future__ import annotations

from typing import Any


class Unlogged:
    """Comes before AnsibleModule among the bases of a module that writes nothing to the system's log.

    AnsibleModule logs the arguments before the module can say which of them are secrets, and a task's ``no_log`` would
    hide the result too.
    """

    def log(self, msg: Any, log_args: Any = None) -> None:
        """Write nothing."""
