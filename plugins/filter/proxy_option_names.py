# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: proxy_option_names
short_description: Name the variables from which the role proxy sets the options of its modules
version_added: 0.1.0
description:
  - Returns the names for the option C(option_names) of the modules for Nginx Proxy Manager, so that their messages name
    the variables that a user can set.
positional: _input
options:
  _input:
    description:
      - Names of the shared variables (C(staging_*)) that are set.
    type: list
    elements: str
    required: true
author:
  - The codeframe.staging contributors (@codeframe)
seealso:
  - module: codeframe.staging.nginx_proxy_manager_host
"""

EXAMPLES = r"""
# -> {'api_url': 'staging_proxy_manager_api_url', ...}
names: "{{ ['staging_public_url'] | codeframe.staging.proxy_option_names }}"
"""

RETURN = r"""
_value:
  description: Option of the modules to variable.
  type: dict
"""

from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.role_variables import option_names


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"proxy_option_names": option_names}
