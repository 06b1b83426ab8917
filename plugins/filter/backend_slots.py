# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: backend_slots
short_description: Choose which of two processes of a backend serves, and which one goes
version_added: 0.1.0
description:
  - A backend that is replaced without a gap has two places, each with a process name and a port of its own. The wanted
    process is started in the one that has no traffic; then the proxy leads there, and the former one is stopped.
  - The choice depends on what runs and where the proxy leads, and on nothing that a former task did.
positional: _input, looked, proxied_port
options:
  _input:
    description:
      - The two places, each with C(name) and C(port).
    type: list
    elements: dict
    required: true
  looked:
    description:
      - What M(codeframe.staging.pm2_process) said of each of them in check mode, in the same order.
    type: list
    elements: dict
    required: true
  proxied_port:
    description: Port that the proxy leads to now; 0 if that is not known.
    type: int
    default: 0
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
chosen: "{{ [{'name': 'app-backend', 'port': 14200}, {'name': 'app-backend-overlap', 'port': 14201}]
            | codeframe.staging.backend_slots(looked.results, 14200) }}"
"""

RETURN = r"""
_value:
  description:
    - C(serve), the place of the wanted process, and C(retire), those that are to be stopped once it has the traffic.
  type: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.module_utils._backend.slots import Slot, plan


def backend_slots(
    slots: Sequence[Mapping[str, Any]], looked: Sequence[Mapping[str, Any]], proxied_port: int = 0
) -> dict[str, Any]:
    """Put the plan into a template's terms.

    :raises AnsibleFilterError: If there are not two slots on two ports.
    """
    seen = [
        Slot(
            name=str(slot["name"]),
            port=int(slot["port"]),
            running=found["status"] in ("online", "launching"),
            fits=found["action"] == "nothing",
            known=found["status"] != "absent",
        )
        for slot, found in zip(slots, looked, strict=True)
    ]
    try:
        chosen = plan(seen, int(proxied_port) or None)
    except ValueError as err:
        raise AnsibleFilterError(f"backend_slots: {err}") from err
    return {
        "serve": {"name": chosen.serve.name, "port": chosen.serve.port},
        "retire": [{"name": slot.name, "port": slot.port} for slot in chosen.retire],
    }


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"backend_slots": backend_slots}
