# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of manual_deployment_info that runs on the controller, where the deploy user is not trusted."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.plugin_utils._deploy_user import DeployUserAction


class ActionModule(DeployUserAction):
    """Run the module, and take nothing but its result."""
