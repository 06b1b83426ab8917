#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_proxy_manager_info
short_description: Proxy hosts of Nginx Proxy Manager as they are
version_added: "0.1.0"
description:
  - Lists the proxy hosts that an account sees, with what nginx said of them. Needs I(api_url) and a login.
  - Makes the block for the Advanced text of a host, and asks the proxy whether it is in force. Needs no login, so that
    it serves where nobody may use the API and the block is pasted by hand. With a login, for which an account that may
    only look is enough, the block has the rules of the host's access list, and the verdict names the very cause.
options:
  api_url:
    description:
      - Address of the admin interface, such as C(http://npm.example.com:81). Without it the API is not asked.
    type: str
  domain_name:
    description:
      - List only the host of this domain name, and ask the proxy for it.
    type: str
  proxy_address:
    description:
      - Address of the proxy to ask. By default the host of I(api_url); without both nothing is asked.
    type: str
extends_documentation_fragment:
  - codeframe.staging.nginx_proxy_manager
  - codeframe.staging.nginx_proxy_manager.block
  - codeframe.staging.nginx_proxy_manager.proxy
attributes:
  check_mode:
    description: Changes nothing.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
seealso:
  - module: codeframe.staging.nginx_proxy_manager_host
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: List all proxy hosts
  codeframe.staging.nginx_proxy_manager_info:
    api_url: http://npm.example.com:81
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
  register: npm

- name: Show the hosts that are down
  ansible.builtin.debug:
    msg: "{{ npm.hosts | selectattr('online', 'false') | map(attribute='domain_names') }}"

- name: Make the block to paste, and see whether it is in force
  codeframe.staging.nginx_proxy_manager_info:
    domain_name: api.example.com
    websocket_paths: [/ws]
    proxy_address: 192.0.2.20
  register: pasted
"""

RETURN = r"""
version:
  description: Version of Nginx Proxy Manager.
  returned: when I(api_url) is given
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
      description: What Nginx Proxy Manager says of it.
      type: bool
    nginx_error:
      description: nginx's line on why it refused the host.
      type: str
    block:
      description: Revision of the managed block in its Advanced text.
      type: str
    created:
      description: Whether M(codeframe.staging.nginx_proxy_manager_host) created it.
      type: bool
    findings:
      description: What in its settings stands in the way of a WebSocket.
      type: list
      elements: dict
block:
  description: The block for the Advanced text. Without a login it lacks the rules of an access list.
  returned: always
  type: str
revision:
  description: Revision of that block, which the proxy tells in the response header C(X-WebSocket-Block).
  returned: always
  type: str
wire:
  description: Answers of the proxy to a handshake on each path.
  returned: always
  type: dict
verdict:
  description:
    - What the wire says of the block. V(in_force), V(other_block), V(not_in_force), V(upgrades_without_block),
      V(not_served), V(no_answer), or V(not_asked).
  returned: always
  type: str
msg:
  description: The verdict as a sentence, with the remedy.
  returned: always
  type: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._proxy_manager.block import (
    Block,
    BlockError,
    Timeouts,
    parse_paths,
    render,
    take_apart,
)
from ..module_utils._proxy_manager.clash import findings
from ..module_utils._proxy_manager.client import ApiError, parse_api_url
from ..module_utils._proxy_manager.options import (
    BLOCK_OPTIONS,
    CONNECTION_OPTIONS,
    PROXY_OPTIONS,
    checked_name,
    client_of,
    endpoint_of,
    rules_of,
    shown,
)
from ..module_utils._proxy_manager.plan import PlanError, find_host
from ..module_utils._proxy_manager.verdict import judge, tell
from ..module_utils._proxy_manager.version import flag
from ..module_utils._proxy_manager.wire import handshake, is_served


def described(host: Mapping[str, Any], paths: Any) -> dict[str, Any]:
    """A host with what its Advanced text means for WebSockets."""
    out = shown(host)
    try:
        text = take_apart(str(host.get("advanced_config") or ""))
    except BlockError as exc:
        broken = {"kind": "broken_markers", "text": str(exc)}
        return {**out, "block": None, "created": False, "findings": [broken]}
    found = findings(text.foreign, host.get("locations") or (), paths, flag(host.get("allow_websocket_upgrade")))
    return {
        **out,
        "block": text.revision,
        "created": text.created_by_us,
        "findings": [{"kind": each.kind, "text": each.text} for each in found],
    }


def run(module: AnsibleModule, result: dict[str, Any]) -> None:
    """Fill the result.

    :raises ApiError: If the API does not answer as it should.
    """
    params = module.params
    name = params["domain_name"] and checked_name(params["domain_name"])
    paths = parse_paths(params["websocket_paths"], params["forward_paths"])
    hosts: list[dict[str, Any]] = []
    access, created = None, False
    if params["api_url"]:
        client = client_of(params)
        result["version"] = str(client.version)
        hosts = client.hosts()
        if name:
            hosts = [host for host in (find_host(hosts, name),) if host]
            for host in hosts:
                list_id = int(host.get("access_list_id") or 0)
                access = rules_of(client, name, list_id) if paths and list_id else None
        result["hosts"] = [described(host, paths) for host in hosts]
        created = bool(name) and any(each["created"] for each in result["hosts"])
    block: Block | None = None
    if paths or created:
        timeouts = Timeouts(params["connect_timeout"], params["read_timeout"], params["send_timeout"])
        block = render(paths, timeouts, access, created)
        result["block"], result["revision"] = block.text, block.revision
    address = params["proxy_address"] or (parse_api_url(params["api_url"]).host if params["api_url"] else "")
    certificate = any(each.get("certificate_id") for each in hosts)
    endpoint = endpoint_of(params, address, certificate) if address and name else None
    seen = {each.path: handshake(endpoint, each.path) for each in paths} if endpoint else {}
    result["wire"] = {path: each.shown() for path, each in seen.items()}
    served = is_served(endpoint) if endpoint else None
    told = tell(result["hosts"], result["revision"]) if params["api_url"] else ()
    verdict = judge(name, result["revision"] or None, seen, served, asked=endpoint is not None, told=told)
    result["verdict"], result["msg"] = verdict.kind, verdict.text


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "api_url": {"type": "str"},
            **CONNECTION_OPTIONS,
            "domain_name": {"type": "str"},
            **BLOCK_OPTIONS,
            "proxy_address": {"type": "str"},
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
    try:
        run(module, result)
    except (ApiError, BlockError, PlanError, ValueError) as exc:
        module.fail_json(**{**result, "msg": str(exc)})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
