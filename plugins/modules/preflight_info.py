#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: preflight_info
short_description: Check the inputs of a deployment and its host, before anything is changed
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Reports everything that does not fit at once. Each finding has the variable, its value, what was found, what was
    expected and a remedy.
  - With O(stage=inputs), checks the inputs by themselves, on the controller.
  - With O(stage=host), checks the staging host. Run it as root, because only root sees which processes have a port.
  - Changes nothing. Values of inputs with C(secret), C(token) or C(passw) in their names, and that of
    C(staging_git_key), are neither in the result nor in a log.
attributes:
  check_mode:
    description: Checks as usual. Node.js may still be missing from the host.
    support: full
  diff_mode:
    description: Nothing is changed, so there is no difference to show.
    support: none
options:
  stage:
    description: What to check.
    type: str
    choices: [inputs, host]
    required: true
  inputs:
    description:
      - The variables of the deployment, by the names under which the user sets them, such as C(staging_public_url).
    type: dict
    required: true
  levels:
    description:
      - V(warn) or V(fail) by the name of a finding, for the findings whose level can be set
        (C(staging_preflight_levels)).
    type: dict
    default: {}
  resolve:
    description:
      - With O(stage=inputs), also look up the addresses of the public names on the controller. A name without an
        address is a warning.
    type: bool
    default: false
  controller_addresses:
    description:
      - With O(stage=host), the RV(addresses) that a task with O(stage=inputs) returned. A name that has other addresses
        for the controller than for the host is then checked for both.
    type: dict
    default: {}
  source_path:
    description:
      - With O(stage=host), directory of the source to be deployed. Without it, checks that need the source are left
        out.
    type: path
  process_names:
    description:
      - With O(stage=host), names of the deploy user's pm2 processes that belong to this deployment and may have a port.
        Processes that work below the project directory or its releases may have one too.
    type: list
    elements: str
    default: []
  min_free_bytes:
    description:
      - Bytes that the file system of the releases must have left. By default 1.2 times the size of the active release,
        at least 256 MiB, and 2 GiB if there is none.
    type: int
  min_memory_bytes:
    description: Bytes of memory that the build must be able to get, swap included.
    type: int
    default: 1073741824
  node:
    description: Name or path of the Node.js program.
    type: str
    default: node
  python:
    description: Name or path of the Python program that creates the virtual environment.
    type: str
    default: python3
"""

EXAMPLES = r"""
- name: Check the inputs
  codeframe.staging.preflight_info:
    stage: inputs
    inputs:
      staging_public_url: https://app.example.com
      staging_public_ws_url: wss://api.example.com/ws
      staging_backend_port: 14200
      staging_frontend_port: 14100
      staging_project_dir: /home/deploy/projects/app
      staging_tls_certificate: /etc/ssl/app.pem
      staging_tls_key: /etc/ssl/private/app.key
    levels:
      hold-short: fail
  delegate_to: localhost
  become: false

- name: Check the host
  codeframe.staging.preflight_info:
    stage: host
    inputs: "{{ preflight_inputs }}"
    source_path: /home/deploy/projects/app.releases/0003-1a2b3c4d
    process_names: [app-backend, app-frontend]
"""

RETURN = r"""
findings:
  description: Everything that does not fit, errors first.
  returned: always
  type: list
  elements: dict
  contains:
    finding:
      description: Name of the finding, by which O(levels) refers to it.
      type: str
    variable:
      description: The variable that the user sets, down to the entry, such as C(staging_shared_paths[1]).
      type: str
    value:
      description: Its value as it may be shown.
      type: str
    found:
      description: What was found beyond the value, empty if the value says it all.
      type: str
    expected:
      description: What was expected.
      type: str
    remedy:
      description: What the user can do.
      type: str
    level:
      description: V(error) or V(warning).
      type: str
    message:
      description: All of this in one sentence.
      type: str
  sample:
    - finding: scheme
      variable: staging_public_ws_url
      value: '"http://api.example.com/ws"'
      found: ""
      expected: a URL that starts with ws:// or wss://
      remedy: write ws://api.example.com/ws
      level: error
      message: >-
        staging_public_ws_url is "http://api.example.com/ws"; expected a URL that starts with ws:// or wss://; write
        ws://api.example.com/ws
errors:
  description: Number of findings that are errors. The module fails if there is one.
  returned: always
  type: int
  sample: 1
warnings_count:
  description: Number of findings that are warnings.
  returned: always
  type: int
  sample: 0
addresses:
  description: Addresses by public host name, as this machine sees them; null for a name without one.
  returned: always
  type: dict
  sample:
    app.example.com: ["192.0.2.10"]
message:
  description: One text with a sentence for each finding, empty if there is none.
  returned: always
  type: str
  sample: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.unlogged import Unlogged
from ..module_utils._preflight.arguments import PREFLIGHT
from ..module_utils._preflight.run import run_preflight
from ..module_utils._preflight.secrets import secrets_in


class UnloggedModule(Unlogged, AnsibleModule):  # type: ignore[misc]
    """A module that does not write its arguments, of which some are secret, to the system's log."""


def main() -> None:
    module = UnloggedModule(argument_spec=PREFLIGHT, supports_check_mode=True)
    module.no_log_values.update(secrets_in(module.params["inputs"]))
    result = run_preflight(module.params, check_mode=module.check_mode)
    for warning in result.pop("warnings"):
        module.warn(warning)
    if result.pop("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
