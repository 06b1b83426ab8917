# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of deployment_info that runs on the controller, which trusts no answer of the deploy user."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.plugin_utils._deploy_user import DeployUserAction


class ActionModule(DeployUserAction):
    """Run the module, and take nothing but its result."""
