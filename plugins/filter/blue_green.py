# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: blue_green
short_description: Choose the instance of a blue-green backend that gets the wanted process
version_added: 0.1.0
description:
  - A backend that is replaced without downtime has two instances, blue and green, each with a process name and a port.
    The wanted process is started in the instance without traffic, the proxy is switched to it, and the other instance
    is stopped.
  - The choice depends on the running processes and the proxy's configuration alone, never on the results of earlier
    tasks.
positional: _input, processes, proxied_port
options:
  _input:
    description:
      - The instances blue and green, in this order, each with C(name) and C(port).
    type: list
    elements: dict
    required: true
  processes:
    description:
      - The result of M(codeframe.staging.pm2_process) for each instance in check mode, in the same order.
    type: list
    elements: dict
    required: true
  proxied_port:
    description: The port that the proxy routes to; 0 if it is not known.
    type: int
    default: 0
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
chosen: "{{ [{'name': 'app-backend', 'port': 14200}, {'name': 'app-backend-green', 'port': 14201}]
            | codeframe.staging.blue_green(processes.results, 14200) }}"
"""

RETURN = r"""
_value:
  description:
    - C(serve), the instance for the wanted process, and C(retire), the instances to stop once C(serve) has the traffic.
  type: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.module_utils._backend.blue_green import (
    found_instances,
    plan_blue_green,
)


def blue_green(
    instances: Sequence[Mapping[str, Any]], processes: Sequence[Mapping[str, Any]], proxied_port: int = 0
) -> dict[str, Any]:
    """Return the plan as a template uses it.

    :raises AnsibleFilterError: If these are not two instances with a name and a port of their own.
    """
    if len(instances) != len(processes):
        raise AnsibleFilterError("blue_green: expected one process for each instance")
    found = found_instances(instances, processes)
    try:
        chosen = plan_blue_green(found, int(proxied_port) or None)
    except ValueError as err:
        raise AnsibleFilterError(f"blue_green: {err}") from err
    return {
        "serve": {"name": chosen.serve.name, "port": chosen.serve.port},
        "retire": [{"name": instance.name, "port": instance.port} for instance in chosen.retire],
    }


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"blue_green": blue_green}
