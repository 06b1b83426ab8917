#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: websocket_check
short_description: Prove that a WebSocket works, or name the cause why not
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Opens one or several endpoints side by side, each through name resolution, TCP, TLS, HTTP upgrade,
    first message, hold and close, and times every phase.
  - Compares what the endpoints did (the backend itself, the proxy, the public address) and names one cause with
    a remedy. All causes are listed in C(docs/diagnosis.md).
  - Says what a hold proves about idle timeouts, and what it does not.
  - Changes nothing, on no host. It runs on the managed host or on the controller.
  - Host names C(localhost) and those below it, such as C(app.localhost), lead to the loopback addresses
    C(127.0.0.1) and C(::1) without asking DNS (RFC 6761).
  - Proxies named by environment variables (C(http_proxy), C(https_proxy)) are not used.
attributes:
  check_mode:
    description: Runs fully in check mode, since it changes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
requirements:
  - python >= 3.9
  - websockets >= 10.4 (C(python3-websockets) on Debian and Ubuntu)
options:
  endpoints:
    description:
      - What to check. All are checked at the same time, so that the call takes as long as the slowest.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: How the endpoint is called in the results. Must be unique.
        type: str
        required: true
      url:
        description:
          - C(ws://) or C(wss://), for O(endpoints[].transport=sse) C(http://) or C(https://).
          - It may hold neither a user name nor a fragment. Secrets belong into O(endpoints[].secret_query).
        type: str
        required: true
      vantage:
        description:
          - What the endpoint stands for. Its difference to the others is the diagnosis.
          - V(direct) is the backend without anything in between, V(proxy) the proxy with the public host name,
            V(public) the public URL with everything in between.
        type: str
        choices: [direct, proxy, public]
        default: direct
      transport:
        description:
          - V(sse) checks a stream of server-sent events. It never counts as a passed WebSocket.
        type: str
        choices: [websocket, sse]
        default: websocket
      origin:
        description: The C(Origin) header, as a browser on the page would send it.
        type: str
      subprotocols:
        description: Subprotocols to ask for; the server must choose one of them, as browsers demand.
        type: list
        elements: str
        default: []
      headers:
        description: Further request headers.
        type: dict
        default: {}
      secret_headers:
        description: Further request headers whose values are never shown, such as C(Authorization) or C(Cookie).
        type: dict
        default: {}
      secret_query:
        description: Parameters that are added to the URL's query and never shown, such as a token.
        type: dict
        default: {}
      connect_to:
        description:
          - Connect to this C(host:port) instead of the URL's. The C(Host) header, SNI and the check of the
            certificate stay those of the URL.
        type: str
      validate_certs:
        description: Whether the certificate must be valid for the URL's host.
        type: bool
        default: true
      ca_path:
        description: A file or directory with certificate authorities to trust instead of the system's.
        type: path
      ca_certificates:
        description:
          - Certificate authorities to trust instead of the system's, as a text (PEM). No file is needed where the
            module runs.
        type: str
      client_cert:
        description: A client certificate (PEM), which may contain its key.
        type: path
      client_key:
        description: The key of O(endpoints[].client_cert), unencrypted.
        type: path
  handshake_timeout:
    description: Seconds from the start of an endpoint's check until it is upgraded.
    type: float
    default: 10
  send:
    description: First message to send; a mapping or list is sent as JSON.
    type: raw
  expect:
    description:
      - What a message of the server must fulfil. Other messages may come before it, such as a greeting.
      - A mapping is a subset of a JSON object at every depth; a string is a regular expression that is searched for.
      - Without O(expect), any message answers O(send). Without O(send), a greeting is waited for.
    type: raw
  message_timeout:
    description: Seconds until the expected message (or the first event) must have come.
    type: float
    default: 10
  hold:
    description:
      - Seconds to hold the connection after that, V(0) for none.
      - A hold must last longer than an idle timeout to see it, nginx's default being 60 seconds.
    type: float
    default: 0
  hold_mode:
    description:
      - V(quiet) sends nothing of its own and answers the server's pings. Only this mode can prove an idle timeout.
      - V(ping) sends protocol pings, V(message) sends O(send) every O(interval) seconds; both measure round trips.
    type: str
    choices: [quiet, ping, message]
    default: quiet
  interval:
    description: Seconds between pings or messages of ours.
    type: float
    default: 10
  connections:
    description:
      - How many connections to hold at once to the one endpoint, to see limits before users do.
      - More than 1 needs exactly one endpoint; at most 10000.
    type: int
    default: 1
  expected_idle_timeout:
    description: The idle timeout in seconds that the proxy is configured with; a cut is compared with it.
    type: float
  max_message_size:
    description: Largest message in bytes that is accepted.
    type: int
    default: 1048576
  timeout:
    description:
      - The time in seconds that the whole call may take, such as the task's own C(timeout), which a module cannot see.
      - A O(hold) that does not fit into it is refused before the first connection.
    type: float
  earlier_results:
    description:
      - RV(results) of an earlier call, made from another machine, that the diagnosis shall take into account.
    type: list
    elements: dict
    default: []
  fail_on:
    description:
      - Which failures make the module fail. V(public) means those of endpoints with O(endpoints[].vantage=public)
        alone; if there is none, the module does not fail. The results are the same in every case.
    type: str
    choices: [any, public, never]
    default: any
"""

EXAMPLES = r"""
- name: Check backend and proxy side by side, longer than nginx's default idle timeout
  codeframe.staging.websocket_check:
    endpoints:
      - name: backend
        url: ws://127.0.0.1:14200/ws
        vantage: direct
      - name: proxy
        url: wss://api.example.com/ws
        vantage: proxy
        connect_to: 127.0.0.1:443
        origin: https://app.example.com
    send:
      type: ping
    expect:
      type: pong
    hold: 65

- name: Check the public address from the controller, with a token in the URL
  codeframe.staging.websocket_check:
    endpoints:
      - name: public
        url: wss://api.example.com/ws
        vantage: public
        secret_query:
          token: "{{ staging_websocket_token }}"
  delegate_to: localhost
  become: false
"""

RETURN = r"""
results:
  description: One entry per endpoint, in the order of O(endpoints).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The endpoint's name.
      type: str
    url:
      description: Its URL, without O(endpoints[].secret_query).
      type: str
    vantage:
      description: What it stands for.
      type: str
    transport:
      description: V(websocket) or V(sse).
      type: str
    passed:
      description: Whether every phase passed.
      type: bool
    cause:
      description: The cause of the failure, null when passed.
      type: str
    explanation:
      description: The cause in one sentence, null when passed.
      type: str
    status:
      description: Status of the HTTP answer to the upgrade, null when none came.
      type: int
    address:
      description: The address that was connected to.
      type: str
    phases:
      description: Seconds of the phases C(resolve), C(tcp), C(tls), C(upgrade), C(message), C(hold), C(close).
      type: dict
    subprotocol:
      description: The subprotocol that the server chose.
      type: str
    extensions:
      description: The extensions that the server named.
      type: str
    server:
      description: The C(Server) header of the answer.
      type: str
    held_s:
      description: Seconds that the connection was held, null without a hold.
      type: float
    longest_silence_s:
      description: The longest time without a byte in either direction, null without a hold.
      type: float
    idle_timeout_proven_s:
      description: An idle timeout of at least so many seconds is proven; null when none is.
      type: float
    proves:
      description: What the hold proves, in one sentence.
      type: str
    server_pings:
      description: Pings that the server sent during the hold.
      type: int
    round_trips:
      description: Round trips in seconds (C(min), C(median), C(p95), C(max)), and how many were C(sent) and C(lost).
      type: dict
    close:
      description: Close C(code), its C(name) and C(reason), and C(by) whom (V(client), V(server), V(nobody) for a cut).
      type: dict
    tls:
      description: Version, cipher, and the certificate's subject, issuer, names and days until it expires.
      type: dict
    first_event_s:
      description: Seconds until the first event of an event stream.
      type: float
    event_gaps:
      description: Seconds between events of an event stream (C(min), C(median), C(max)) and their C(count).
      type: dict
    connections:
      description: With O(connections) above 1, how many were accepted and held, failures by cause, handshake times.
      type: dict
    evidence:
      description: What was seen, one line per fact.
      type: list
      elements: str
diagnosis:
  description: One cause for the whole, from all endpoints together.
  returned: always
  type: dict
  contains:
    cause:
      description:
        - The cause, V(none) when all passed, V(not_checked) when an option or a missing library prevented the check.
        - See C(docs/diagnosis.md).
      type: str
    explanation:
      description: The cause in one sentence.
      type: str
    remedy:
      description: What to do about it.
      type: str
    evidence:
      description: What was seen, one line per fact.
      type: list
      elements: str
summary:
  description: One line per endpoint, for people.
  returned: always
  type: list
  elements: str
  sample:
    - "Direct backend connection: passed (handshake 4 ms, reply 2 ms, held 65.0 s, longest silence 20.0 s)"
"""

import asyncio
import sys
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._websocket.call import parse_call
from ..module_utils._websocket.diagnosis import diagnose
from ..module_utils._websocket.frames import library_problem
from ..module_utils._websocket.load import allow_files
from ..module_utils._websocket.report import report, report_not_checked
from ..module_utils._websocket.run import observe

ENDPOINT_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "url": {"type": "str", "required": True},
    "vantage": {"type": "str", "choices": ["direct", "proxy", "public"], "default": "direct"},
    "transport": {"type": "str", "choices": ["websocket", "sse"], "default": "websocket"},
    "origin": {"type": "str"},
    "subprotocols": {"type": "list", "elements": "str", "default": []},
    "headers": {"type": "dict", "default": {}},
    "secret_headers": {"type": "dict", "default": {}, "no_log": True},
    "secret_query": {"type": "dict", "default": {}, "no_log": True},
    "connect_to": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "ca_certificates": {"type": "str"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
}

ARGUMENT_SPEC: dict[str, Any] = {
    "endpoints": {"type": "list", "elements": "dict", "required": True, "options": ENDPOINT_SPEC},
    "handshake_timeout": {"type": "float", "default": 10},
    "send": {"type": "raw"},
    "expect": {"type": "raw"},
    "message_timeout": {"type": "float", "default": 10},
    "hold": {"type": "float", "default": 0},
    "hold_mode": {"type": "str", "choices": ["quiet", "ping", "message"], "default": "quiet"},
    "interval": {"type": "float", "default": 10},
    "connections": {"type": "int", "default": 1},
    "expected_idle_timeout": {"type": "float"},
    "max_message_size": {"type": "int", "default": 1048576},
    "timeout": {"type": "float"},
    "earlier_results": {"type": "list", "elements": "dict", "default": []},
    "fail_on": {"type": "str", "choices": ["any", "public", "never"], "default": "any"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)

    def fail_unchecked(message: str, remedy: str) -> None:
        module.fail_json(msg=f"{message}; {remedy}", **report_not_checked(message, remedy))

    problem = library_problem()
    if problem is not None:
        fail_unchecked(
            f"{problem} for {sys.executable}, which websocket_check needs",
            "install it with 'apt install python3-websockets' or 'pip install websockets'",
        )
    try:
        call = parse_call(module.params)
        allow_files(max(call.settings.connections, len(call.targets)))
    except ValueError as exc:
        fail_unchecked(str(exc), "nothing was checked")

    observations = asyncio.run(observe(call))
    diagnosis = diagnose(observations, call.settings.expected_idle_timeout_s, call.earlier)
    result = report(observations, diagnosis, call.settings.expected_idle_timeout_s)
    failed = {seen.target.vantage for seen, verdict in zip(observations, diagnosis.verdicts) if not verdict.passed}
    deciding = {"any": {"direct", "proxy", "public"}, "public": {"public"}, "never": set()}[module.params["fail_on"]]
    if failed & deciding:
        module.fail_json(msg=diagnosis.message, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
