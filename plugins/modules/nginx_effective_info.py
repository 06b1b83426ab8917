#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_effective_info
short_description: Explain what nginx does with a WebSocket request
version_added: "0.1.0"
description:
  - Follows the handshake through the configuration by nginx's own rules, with C(rewrite), C(if), C(return),
    C(error_page), C(try_files), named locations, access rules and variables. Returns the server and the location that
    answer for a host name, a port and a path, and the proxy directives in force there, each with its file and line.
  - Lists what breaks or endangers a WebSocket, such as a header that is dropped because the location has a
    C(proxy_set_header) of its own.
  - Gives no verdict where the configuration alone does not decide, or has a directive that is not followed. The finding
    names the place.
  - The handshake is that of a browser that reaches nginx directly, without credentials and without C(X-Forwarded)
    headers.
  - Lists the files that are newer than the running nginx.
  - Reads the configuration of the host, or with O(dump) the output of C(nginx -T) from another host.
options:
  host_name:
    description:
      - Host name that clients use.
    type: str
    required: true
  path:
    description:
      - Path that clients request. It may have arguments, and C(%) sequences, dot segments and double slashes are
        resolved as nginx does it.
    type: str
    default: /ws
  port:
    description:
      - Port of nginx that clients connect to. By default 443 with O(tls) and 80 without.
    type: int
  tls:
    description:
      - Whether clients use TLS.
    type: bool
    default: false
  address:
    description:
      - Address of the host that clients connect to, if servers listen on certain addresses only.
    type: str
  client_address:
    description:
      - Address of the client, by which access rules are decided. Without it, rules that let in some addresses alone
        leave the verdict open.
    type: str
  upstream_path:
    description:
      - Path at which the application serves the WebSocket. Without it, a path that nginx changes leaves the verdict
        open.
    type: str
  upstream_tls:
    description:
      - Whether the application speaks TLS. Without it, an upstream with C(https://) leaves the verdict open.
    type: bool
  origin:
    description:
      - Origin of the page that opens the WebSocket, such as V(https://app.example.com). Without it, conditions on
        C($http_origin) leave the verdict open.
    type: str
  idle_timeout:
    description:
      - Seconds without a byte in either direction that a connection is expected to survive.
    type: int
    default: 86400
  dump:
    description:
      - Output of C(nginx -T) to evaluate instead of the configuration of the host.
    type: str
  nginx_version:
    description:
      - Version of the nginx that O(dump) comes from. It determines the defaults.
    type: str
attributes:
  check_mode:
    support: full
    description: The module changes nothing.
  diff_mode:
    support: none
    description: The module changes nothing.
extends_documentation_fragment:
  - codeframe.staging.nginx
"""

EXAMPLES = r"""
- name: Explain what nginx does with the WebSocket
  codeframe.staging.nginx_effective_info:
    host_name: api.example.com
    path: /ws
  register: effective

- name: Show what is wrong
  ansible.builtin.debug:
    var: effective.findings

- name: Evaluate the dump of another host
  codeframe.staging.nginx_effective_info:
    host_name: api.example.com
    dump: "{{ lookup('ansible.builtin.file', 'nginx-T.txt') }}"
  delegate_to: localhost
"""

RETURN = r"""
ok:
  description:
    - Whether a handshake opens a WebSocket if the application accepts it. V(false) with a finding of level V(error).
    - Null if the configuration alone does not decide it, with a finding of level V(undecided).
  returned: always
  type: bool
server:
  description: The server that answers; null if there is none.
  returned: always
  type: dict
  contains:
    where: {description: File and line., type: str, sample: "/etc/nginx/sites-enabled/codeframe-staging:12"}
    names: {description: Its names., type: list, elements: str}
    matched_by: {description: "V(name), V(wildcard), V(regex) or V(default).", type: str}
location:
  description: The location that answers; null if the server itself answers.
  returned: always
  type: dict
  contains:
    where: {description: File and line., type: str}
    match: {description: Its modifier and path., type: str, sample: = /ws}
effective:
  description: Directives in force, each with its value, its place (null for a default) and its context.
  returned: always
  type: dict
  sample: {"proxy_read_timeout": {"value": "86400s", "where": "/etc/nginx/sites-enabled/codeframe-staging:30",
    "context": "location = /ws in /etc/nginx/sites-enabled/codeframe-staging:18"}}
headers:
  description: Headers that C(proxy_set_header) sets, by name in lower case, in the same form.
  returned: always
  type: dict
upstream_path:
  description: The path that the application gets, decoded; null if nothing is proxied.
  returned: always
  type: str
  sample: /ws
upstream_servers:
  description:
    - Addresses with ports, or sockets, of the servers that C(proxy_pass) leads to; empty if nothing is proxied.
  returned: always
  type: list
  elements: str
  sample: ["127.0.0.1:14200"]
idle_timeout:
  description:
    - Seconds without a byte in either direction after which nginx closes the connection; null if nothing is proxied.
  returned: always
  type: dict
  contains:
    seconds: {description: C(proxy_read_timeout) in seconds., type: float, sample: 86400}
    value: {description: The value as it is written., type: str, sample: 1d}
    where: {description: File and line; null for the default of nginx., type: str}
    context: {description: The context that has the directive., type: str}
findings:
  description: What breaks or endangers the WebSocket.
  returned: always
  type: list
  elements: dict
  contains:
    code: {description: A stable name., type: str, sample: header_shadowed}
    level: {description: "V(error), V(undecided), V(warning) or V(notice).", type: str}
    message: {description: One sentence with the places., type: str}
    where: {description: The places as FILE:LINE., type: list, elements: str}
message:
  description: All findings but notices in one text; empty if there are none.
  returned: always
  type: str
running:
  description: Whether nginx runs; null for a dump.
  returned: always
  type: bool
newer_than_running:
  description:
    - Files that are newer than the oldest worker, so that nginx may run another configuration. Includes certificates,
      keys, and directories in which files were created or removed.
  returned: always
  type: list
  elements: str
version:
  description: The version of nginx; empty if it is unknown.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._nginx.effective.arguments import EFFECTIVE
from ..module_utils._nginx.effective.inspection import NOTHING, inspect_dump, inspect_host
from ..module_utils._nginx.effective.request import HttpRequest
from ..module_utils._nginx.program import Nginx


def main() -> None:
    module = AnsibleModule(
        argument_spec=EFFECTIVE,
        required_by={"nginx_version": ["dump"]},
        supports_check_mode=True,
    )
    params = module.params
    if not params["path"].startswith("/"):
        module.fail_json(
            msg=f"path is {params['path']!r}, expected one that starts with a slash, such as /ws", **NOTHING
        )
    try:
        if params["dump"] is not None:
            result = inspect_dump(params["dump"], params["nginx_version"] or "", HttpRequest.of(params))
        else:
            result = inspect_host(Nginx.of(params), HttpRequest.of(params))
    except (OSError, ValueError) as exc:
        module.fail_json(msg=f"the configuration of nginx cannot be read: {exc}", **NOTHING)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
