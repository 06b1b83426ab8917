#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_proxy_manager_host
short_description: Manage a proxy host of Nginx Proxy Manager and its WebSocket locations
version_added: "0.1.0"
description:
  - Finds a proxy host by one of its domain names, or creates it, and manages the locations for its WebSocket paths as a
    block in its Advanced text. Everything else in that text stays byte for byte as it is.
  - Nginx Proxy Manager answers with success to a save that takes the host offline. So the module reads back what became
    of a save and asks the proxy itself for the new configuration. Otherwise it restores the previous values, verifies
    that they are served, and fails with the error of nginx.
  - Compares who is let in before and after a save, and restores the previous values if that differs.
  - Compares the database with the running nginx in every run, and repairs a difference by saving again.
  - Works with Nginx Proxy Manager 2.9.0 and newer, with its switch Websockets Support on or off.
options:
  api_url:
    description:
      - Address of the admin interface, such as C(http://proxy.example.com:81).
    type: str
    required: true
  domain_name:
    description:
      - Domain name by which the proxy host is found. If no host has it, by the other O(domain_names). If only the block
        is managed, the host of a wildcard that serves the name is found too.
    type: str
    required: true
  state:
    description:
      - V(present) manages the block and the given fields.
      - V(absent) deletes a host that this module created. From any other host it removes the block.
      - V(restored) restores the state in O(previous).
    type: str
    choices: [present, absent, restored]
    default: present
  previous:
    description:
      - The state to restore with O(state=restored), as RV(previous) or RV(current) of an earlier run.
    type: dict
  forward_scheme:
    description:
      - Scheme that the host forwards to. Required to create a host.
    type: str
    choices: [http, https]
  forward_host:
    description:
      - Address that the host forwards to. Required to create a host.
    type: str
  forward_port:
    description:
      - Port that the host forwards to. Required to create a host.
    type: int
  domain_names:
    description:
      - All domain names of the host. O(domain_name) must be among them.
    type: list
    elements: str
  separate_names:
    description:
      - Domain names that other tasks configure. A host that has one of them too is refused, since each task would
        remove the block of the other.
    type: list
    elements: str
    default: []
  certificate:
    description:
      - Certificate of the host by its id, its name, or a domain name that it is for, also by a wildcard. V(none) for no
        certificate, which turns off the switches that need one.
    type: str
  certificate_request:
    description:
      - Have Nginx Proxy Manager request a certificate from Let's Encrypt, if it has none that is valid for all domain
        names of the host. Otherwise the host gets that one. Nginx Proxy Manager renews it.
      - Each name needs a DNS record that leads to Nginx Proxy Manager, whose port 80 must be reachable for Let's
        Encrypt. The terms of Let's Encrypt are accepted.
      - Nginx Proxy Manager takes the host off its nginx for as long as the request takes, mostly 10 to 30 seconds.
        Afterwards the module saves the host once more, since Nginx Proxy Manager leaves it without its access list, and
        proves that it serves as before, also if there is no certificate.
      - The account needs the permission to manage certificates.
    type: bool
    default: false
  certificate_email:
    description:
      - E-mail address for Let's Encrypt, for Nginx Proxy Manager before 2.13.0. By default, and since then, it is that
        of the account.
    type: str
  certificate_timeout:
    description:
      - Seconds within which there must be a certificate.
    type: float
    default: 300
  access_list:
    description:
      - Access list of the host by its id or name. V(none) for no access list.
    type: str
  access_list_rules:
    description:
      - How an access list of the host is handled. It does not apply to locations of the Advanced text by itself.
      - V(carry) adds its rules to the block.
      - V(refuse) fails.
    type: str
    choices: [carry, refuse]
    default: carry
  access_user:
    description:
      - Name of a user of the access list, for a test. Who is let in is compared before and after a save, without
        credentials and with these. Needs O(access_password).
    type: str
  access_password:
    description:
      - Password of O(access_user).
    type: str
  switches:
    description:
      - Switches of the host. Those that are not given stay as they are.
    type: dict
    suboptions:
      allow_websocket_upgrade:
        description:
          - The switch Websockets Support. The block does not need it.
        type: bool
      block_exploits:
        description:
          - The switch Block Common Exploits.
        type: bool
      caching_enabled:
        description:
          - The switch Cache Assets.
        type: bool
      ssl_forced:
        description:
          - The switch Force SSL. Needs a certificate.
        type: bool
      http2_support:
        description:
          - The switch HTTP/2 Support. Needs a certificate.
        type: bool
      hsts_enabled:
        description:
          - The switch HSTS Enabled. Needs O(switches.ssl_forced).
        type: bool
      hsts_subdomains:
        description:
          - The switch HSTS Subdomains. Needs O(switches.hsts_enabled).
        type: bool
      trust_forwarded_proto:
        description:
          - The switch Trust Upstream Forwarded Proto Headers, of Nginx Proxy Manager 2.14.0 and newer. For a host with
            O(switches.ssl_forced) behind another proxy at which TLS ends.
        type: bool
  replace_snippet:
    description:
      - Replace a WebSocket snippet that was pasted at server level or as a location of one of the paths.
      - Otherwise, a snippet that prevents the change is reported as its cause, and nothing is changed.
    type: bool
    default: false
  check_wire:
    description:
      - Whether the proxy itself is asked. V(false) is for a task that cannot reach the proxy. A save is then judged by
        the API alone.
    type: bool
    default: true
  wire_timeout:
    description:
      - Seconds within which the proxy must answer with a saved configuration.
    type: float
    default: 10
  backup_dir:
    description:
      - Directory on the machine of this task. Before its first change, a host is exported there as the API returns it,
        into a file with mode 0600. An export that exists is kept.
    type: path
extends_documentation_fragment:
  - codeframe.staging.nginx_proxy_manager
  - codeframe.staging.nginx_proxy_manager.block
  - codeframe.staging.nginx_proxy_manager.proxy
attributes:
  check_mode:
    description: Can run in check mode and predicts the changes without saving.
    support: full
  diff_mode:
    description: Shows the managed block and the fields that change, never the user's own text.
    support: full
seealso:
  - module: codeframe.staging.nginx_proxy_manager_info
  - module: codeframe.staging.websocket_check
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Forward WebSockets to the application
  codeframe.staging.nginx_proxy_manager_host:
    api_url: http://proxy.example.com:81
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
    domain_name: api.example.com
    websocket_paths: [/ws]
  delegate_to: localhost
  throttle: 1
  register: proxy_host

- name: Create the host if it does not exist
  codeframe.staging.nginx_proxy_manager_host:
    api_url: https://proxy.example.com
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
    domain_name: api.example.com
    forward_scheme: http
    forward_host: 192.0.2.10
    forward_port: 14200
    certificate: "*.example.com"
    switches:
      ssl_forced: true
    websocket_paths:
      - path: /socket.io/
        prefix: true

- name: Request a certificate for a host that has none for its names
  codeframe.staging.nginx_proxy_manager_host:
    api_url: http://proxy.example.com:81
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
    domain_name: api.example.com
    websocket_paths: [/ws]
    certificate_request: true
    switches:
      ssl_forced: true

- name: Restore the previous state of the host
  codeframe.staging.nginx_proxy_manager_host:
    api_url: http://proxy.example.com:81
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
    domain_name: api.example.com
    state: restored
    previous: "{{ proxy_host.previous }}"
"""

RETURN = r"""
msg:
  description: What was done, or why it failed and what to do.
  returned: always
  type: str
version:
  description: Version of Nginx Proxy Manager; empty if its API did not answer.
  returned: always
  type: str
reasons:
  description: Why the host is, or would be, changed; empty for no change.
  returned: always
  type: list
  elements: str
findings:
  description: What else in the settings of the host matters for the WebSocket.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: A word for programs.
      type: str
    text:
      description: One sentence.
      type: str
drift:
  description: Differences between the database and the running nginx.
  returned: always
  type: list
  elements: str
notes:
  description: What a save needed beyond one request, such as a repetition.
  returned: always
  type: list
  elements: str
block:
  description: The managed block as it is wanted; empty for none.
  returned: always
  type: str
revision:
  description: Revision of the block, which the proxy returns in the response header C(X-WebSocket-Block).
  returned: always
  type: str
host:
  description: The proxy host as it is afterwards, without its Advanced text.
  returned: when it was found or created
  type: dict
wire:
  description: Answers of the proxy to a handshake on each path, before and after.
  returned: always
  type: dict
previous:
  description:
    - The state before, for O(state=restored).
    - With O(replace_snippet) it contains the text that was removed, which may be a whole location that was added
      manually.
  returned: always
  type: dict
current:
  description: The state after, for O(state=restored) later.
  returned: always
  type: dict
proof:
  description:
    - What the answers of the proxy prove of a save, in C(proven), and the fields of which it does not show from outside
      whether they are in force, in C(unproven).
  returned: always
  type: dict
backup:
  description: File with the host as it was before its first change.
  returned: when O(backup_dir) is given and something was saved
  type: str
restored:
  description: Whether the previous configuration is served again after a save that failed.
  returned: when a save failed
  type: bool
text_digest:
  description: Digest of the Advanced text without the block, before and after.
  returned: always
  type: dict
api_calls:
  description: Methods and paths of the requests to the API, in order.
  returned: always
  type: list
  elements: str
lock_waited_s:
  description: Seconds that the task waited for other tasks that were writing.
  returned: always
  type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._proxy_manager.api_errors import ApiError
from ..module_utils._proxy_manager.manage import LOCK_TIMEOUT_S, HostTask, ProxyHostOptions
from ..module_utils._proxy_manager.messages import name_options
from ..module_utils._proxy_manager.options import BLOCK_OPTIONS, CONNECTION_OPTIONS, PROXY_OPTIONS, client_of
from ..module_utils._proxy_manager.plan import SWITCHES, PlanError
from ..module_utils._proxy_manager.report import HostReport
from ..module_utils._proxy_manager.transaction import TransactionError
from ..module_utils._proxy_manager.write_lock import LockTimeoutError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "api_url": {"type": "str", "required": True},
            **CONNECTION_OPTIONS,
            "domain_name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent", "restored"], "default": "present"},
            "previous": {"type": "dict"},
            **BLOCK_OPTIONS,
            "forward_scheme": {"type": "str", "choices": ["http", "https"]},
            "forward_host": {"type": "str"},
            "forward_port": {"type": "int"},
            "domain_names": {"type": "list", "elements": "str"},
            "separate_names": {"type": "list", "elements": "str", "default": []},
            "certificate": {"type": "str"},
            "certificate_request": {"type": "bool", "default": False},
            "certificate_email": {"type": "str"},
            "certificate_timeout": {"type": "float", "default": 300},
            "access_list": {"type": "str"},
            "access_list_rules": {"type": "str", "choices": ["carry", "refuse"], "default": "carry"},
            "access_user": {"type": "str"},
            "access_password": {"type": "str", "no_log": True},
            "switches": {"type": "dict", "options": {name: {"type": "bool"} for name in SWITCHES}},
            "replace_snippet": {"type": "bool", "default": False},
            "check_wire": {"type": "bool", "default": True},
            **PROXY_OPTIONS,
            "wire_timeout": {"type": "float", "default": 10},
            "backup_dir": {"type": "path"},
        },
        required_if=[("state", "restored", ("previous",))],
        supports_check_mode=True,
    )
    report = HostReport(module.params["domain_name"])
    failure = ""
    try:
        client = client_of(module.params)
        HostTask(client, ProxyHostOptions.of(module.params, module.check_mode), report).run()
    except LockTimeoutError as exc:
        failure = (
            f"another task writes to Nginx Proxy Manager and did not finish within {LOCK_TIMEOUT_S:g} s (lock {exc}); "
            "find and end it, then run again"
        )
    except (ApiError, PlanError, TransactionError, ValueError, OSError) as exc:
        failure = str(exc)
    names = module.params["option_names"]
    for finding in report.findings:
        module.warn(f"proxy host {report.name}: {name_options(finding['text'], names)}")
    for kind, sentences in report.proof.items():
        report.proof[kind] = [name_options(each, names) for each in sentences]
    result = report.result()
    if module._diff:
        result["diff"] = report.diff
    if failure:
        module.fail_json(**{**result, "msg": name_options(failure, names)})
    module.exit_json(**result)


if __name__ == "__main__":
    main()
