#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_proxy_manager_info
short_description: Read proxy hosts of Nginx Proxy Manager and whether a WebSocket block is in force
version_added: "0.1.0"
description:
  - Returns the proxy hosts that an account sees, with what nginx said of them. Needs O(api_url) and a login.
  - Renders the block for the Advanced text of a host, and asks the proxy whether it is in force. This needs no login,
    for hosts to which the block is pasted manually. With the login of an account that may only view hosts, the block
    has the rules of the host's access list, and the verdict names the exact cause.
options:
  api_url:
    description:
      - Address of the admin interface, such as C(http://proxy.example.com:81). Without it, the API is not asked.
    type: str
  domain_name:
    description:
      - Return only the host of this domain name, and ask the proxy for it.
    type: str
extends_documentation_fragment:
  - codeframe.staging.nginx_proxy_manager
  - codeframe.staging.nginx_proxy_manager.block
  - codeframe.staging.nginx_proxy_manager.proxy
attributes:
  check_mode:
    description: The module changes nothing.
    support: full
  diff_mode:
    description: The module changes nothing.
    support: none
seealso:
  - module: codeframe.staging.nginx_proxy_manager_host
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Read all proxy hosts
  codeframe.staging.nginx_proxy_manager_info:
    api_url: http://proxy.example.com:81
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
  register: proxy_manager

- name: Show the hosts that are down
  ansible.builtin.debug:
    msg: "{{ proxy_manager.hosts | selectattr('online', 'false') | map(attribute='domain_names') }}"

- name: Render the block to paste, and ask whether it is in force
  codeframe.staging.nginx_proxy_manager_info:
    domain_name: api.example.com
    websocket_paths: [/ws]
    proxy_address: 192.0.2.20
  register: pasted
"""

RETURN = r"""
version:
  description: Version of Nginx Proxy Manager.
  returned: when O(api_url) is given
  type: str
hosts:
  description: The proxy hosts, alike for all versions, without their Advanced text.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Number of the host.
      type: int
    domain_names:
      description: Its domain names.
      type: list
      elements: str
    online:
      description: Whether Nginx Proxy Manager considers it to be online.
      type: bool
    nginx_error:
      description: The line of nginx on why it refused the host.
      type: str
    block:
      description: Revision of the managed block in its Advanced text.
      type: str
    created:
      description: Whether M(codeframe.staging.nginx_proxy_manager_host) created it.
      type: bool
    findings:
      description: What in its settings prevents a WebSocket.
      type: list
      elements: dict
block:
  description: The block for the Advanced text. Without a login it lacks the rules of an access list.
  returned: always
  type: str
revision:
  description: Revision of that block, which the proxy returns in the response header C(X-WebSocket-Block).
  returned: always
  type: str
wire:
  description: Answers of the proxy to a handshake on each path.
  returned: always
  type: dict
verdict:
  description:
    - What the answers of the proxy show of the block. V(in_force), V(other_block), V(not_in_force),
      V(upgrades_without_block), V(not_served), V(no_answer), or V(not_asked).
  returned: always
  type: str
msg:
  description: The verdict as a sentence, with the remedy.
  returned: always
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._proxy_manager.api_errors import ApiError
from ..module_utils._proxy_manager.info import read_info
from ..module_utils._proxy_manager.messages import name_options
from ..module_utils._proxy_manager.options import BLOCK_OPTIONS, CONNECTION_OPTIONS, PROXY_OPTIONS
from ..module_utils._proxy_manager.plan import PlanError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "api_url": {"type": "str"},
            **CONNECTION_OPTIONS,
            "domain_name": {"type": "str"},
            **BLOCK_OPTIONS,
            **PROXY_OPTIONS,
        },
        supports_check_mode=True,
    )
    result: dict[str, Any] = {
        "changed": False,
        "hosts": [],
        "block": "",
        "revision": "",
        "wire": {},
        "verdict": "not_asked",
        "msg": "",
    }
    failure = ""
    try:
        read_info(module.params, result)
    except (ApiError, PlanError, ValueError) as exc:
        failure = str(exc)
    names = module.params["option_names"]
    result["msg"] = name_options(failure or result["msg"], names)
    if failure:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
