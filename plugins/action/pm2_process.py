# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of pm2_process that runs on the controller: it shows the progress of a start, and trusts its result only."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    """Run the module and show its progress."""
