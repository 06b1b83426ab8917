# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: proxy_problems
short_description: Find what is wrong with the inputs of the role proxy
version_added: 0.1.0
description:
  - Refuses values that a directive of nginx cannot hold, and inputs that contradict each other.
  - Inputs that contradict each other are looked for once each input is right by itself.
positional: _input, given
options:
  _input:
    description:
      - The inputs, by the names of the role's options without C(proxy_).
    type: dict
    required: true
  given:
    description:
      - Names of the shared variables (C(staging_*)) that are set. A message names the variable that the user has set.
    type: list
    elements: str
    default: []
author:
  - The codeframe.staging contributors (@codeframe)
seealso:
  - plugin: codeframe.staging.proxy_plan
    plugin_type: filter
"""

EXAMPLES = r"""
problems: "{{ inputs | codeframe.staging.proxy_problems(['staging_public_url']) }}"
# -> ['staging_public_url is "http://$host", expected a URL such as http://app.example.com or ...']
"""

RETURN = r"""
_value:
  description: A sentence for each problem.
  type: list
  elements: str
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site_inputs import (
    contradictions,
    read_inputs,
    refusals,
)
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.topology import conflicts
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.role_variables import (
    backup_elsewhere,
    missing_login,
)


def proxy_problems(values: Mapping[str, Any], given: Sequence[str] = ()) -> list[str]:
    """Collect the problems of all parts."""
    refused = refusals(values, given)
    if refused:
        return list(refused)
    inputs, provider = read_inputs(values), str(values.get("provider", "nginx"))
    written = str(values.get("manual_for", "proxy_manager")) if provider == "manual" else provider
    found = list(contradictions(inputs, written, given))
    if written not in ("nginx_proxy_manager", "proxy_manager"):
        found += conflicts(inputs, given)
    if provider == "nginx_proxy_manager":
        login = {name: str(values.get(f"manager_{name}") or "") for name in ("api_url", "identity", "secret", "token")}
        found += missing_login(**login, given=given)
        found += backup_elsewhere(
            str(values.get("manager_backup_dir") or ""), str(values.get("manager_api_from") or "controller"), given
        )
    return found


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"proxy_problems": proxy_problems}
