#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: websocket_check
short_description: Prove that a WebSocket works, or name the cause of its failure
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Checks one or several endpoints at the same time. Each is checked in phases, namely name resolution, TCP, TLS, HTTP
    upgrade, first message, hold and close, and every phase is timed.
  - Compares the results of the endpoints (the backend itself, the proxy, the public address) and names one cause with
    a remedy. C(docs/diagnosis.md) lists all causes.
  - States what a hold proves about idle timeouts, and what it does not prove.
  - Changes nothing. It can run on the managed host and on the controller.
  - The host name C(localhost) and names below it, such as C(app.localhost), mean the loopback addresses C(127.0.0.1)
    and C(::1) (RFC 6761); DNS is not asked.
  - Proxies in environment variables (C(http_proxy), C(https_proxy)) are not used.
attributes:
  check_mode:
    description: Runs fully in check mode, since it changes nothing.
    support: full
  diff_mode:
    description: Shows no difference, since it changes nothing.
    support: none
requirements:
  - python >= 3.9
  - websockets >= 10.4 (C(python3-websockets) on Debian and Ubuntu)
extends_documentation_fragment:
  - codeframe.staging.progress
options:
  endpoints:
    description:
      - What to check. All endpoints are checked at the same time; the call takes as long as the slowest.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the endpoint in the results. Must be unique.
        type: str
        required: true
      url:
        description:
          - C(ws://) or C(wss://), for O(endpoints[].transport=sse) C(http://) or C(https://).
          - User name, password and fragment are not allowed. Use O(endpoints[].secret_query) for secrets.
        type: str
        required: true
      vantage:
        description:
          - Which part of the way to the backend the endpoint includes. The diagnosis compares the vantage points.
          - V(direct) is the backend itself, V(proxy) the proxy with the public host name, V(public) the public URL with
            everything on the way.
        type: str
        choices: [direct, proxy, public]
        default: direct
      transport:
        description:
          - V(websocket) checks a WebSocket, V(sse) a stream of server-sent events.
        type: str
        choices: [websocket, sse]
        default: websocket
      origin:
        description: The C(Origin) header, as a browser on the page sends it.
        type: str
      public_url:
        description:
          - The URL that users ask for, where the endpoint is behind the proxy that they reach. The request then has
            the headers that a correct proxy sends for that URL, namely C(Host), C(X-Forwarded-Proto),
            C(X-Forwarded-Host), C(X-Forwarded-Port), C(X-Forwarded-For) and C(X-Real-IP).
          - Without it, an application that checks host names, redirects to HTTPS or compares origins may refuse a
            request that it would accept through the proxy.
        type: str
      subprotocols:
        description: Subprotocols to offer. The server must choose one of them, as browsers require.
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
          - Connect to this C(host:port) instead of that of the URL. The C(Host) header, SNI and the name in the
            certificate remain those of the URL.
          - C(unix:/path) connects to a UNIX socket.
        type: str
      validate_certs:
        description: Whether the certificate must be valid for the host of the URL.
        type: bool
        default: true
      ca_path:
        description: File or directory with certificate authorities to trust instead of those of the system.
        type: path
      ca_certificates:
        description:
          - Certificate authorities to trust instead of those of the system, as text (PEM). The machine that runs the
            check needs no file then.
        type: str
      client_cert:
        description: File with a client certificate (PEM), and with its key unless O(endpoints[].client_key) is given.
        type: path
      client_key:
        description: File with the key of O(endpoints[].client_cert), unencrypted.
        type: path
      configured_idle_timeout:
        description:
          - Idle timeout in seconds that the configuration of the proxy on this way has, such as C(idle_timeout) of
            M(codeframe.staging.nginx_effective_info). It is said beside what the hold proves.
          - One that is shorter than O(expected_idle_timeout) fails, also where pings of the server hide it.
        type: float
      configured_idle_timeout_from:
        description: Where O(endpoints[].configured_idle_timeout) is set, such as file and line.
        type: str
      message_timeout:
        description: O(message_timeout) of this endpoint.
        type: float
  handshake_timeout:
    description: Seconds within which an endpoint must be connected and upgraded.
    type: float
    default: 10
  protocol:
    description:
      - What the application speaks over the WebSocket.
      - V(socketio) asks for Engine.IO 4, as Socket.IO 3 and 4 do, connects to the main namespace, and answers the pings
        of the server. A URL without a path becomes C(/socket.io/), its query is added.
      - V(graphql-transport-ws) asks for that subprotocol, sends C(connection_init), expects C(connection_ack), and
        answers the pings of the server.
      - With another one than V(plain), O(send) and O(expect) cannot be given.
    type: str
    choices: [plain, socketio, graphql-transport-ws]
    default: plain
  send:
    description: First message to send; a mapping or list is sent as JSON.
    type: raw
  expect:
    description:
      - What a message of the server must match. Other messages, such as a greeting, may come before it.
      - A mapping must be contained in a JSON object, at every depth; a string is a regular expression to search for.
      - Without O(expect), any message answers O(send). Without O(send), the check waits for a message that the server
        sends by itself.
    type: raw
  message_timeout:
    description: Seconds within which the expected message (or the first event) must come.
    type: float
    default: 10
  hold:
    description:
      - Seconds to hold the connection after the first message; V(0) for none.
      - A hold can detect an idle timeout only if it is longer. The default of nginx is 60 seconds.
    type: float
    default: 0
  hold_mode:
    description:
      - V(quiet) sends nothing and answers the pings of the server. Only this mode can prove an idle timeout.
      - V(ping) sends pings, V(message) sends O(send), every O(interval) seconds. Both measure round trips.
    type: str
    choices: [quiet, ping, message]
    default: quiet
  interval:
    description: Seconds between the pings or messages that the check sends.
    type: float
    default: 10
  connections:
    description:
      - How many connections to open and hold at the same time, to find the limits of the server.
      - More than 1 requires exactly one endpoint, with O(endpoints[].transport=websocket); at most 10000.
    type: int
    default: 1
  further_handshakes:
    description:
      - Whether to make further handshakes while the connection is held, each of which is closed at once. They are in
        the header forms of Chromium, Firefox and Safari, and with 3 kB of cookies. Directly one of each; through a
        proxy three of each, since each may reach another upstream; 10 more where a form is refused. A refused
        handshake is repeated 5 times.
      - For O(endpoints[].vantage=public), the handshake is made at every address of the name, at most 8. An address
        without a route from this machine is reported and does not fail.
    type: bool
    default: true
  expected_idle_timeout:
    description: Idle timeout in seconds that the proxy is configured with. A cut is compared with it.
    type: float
  max_message_size:
    description: Largest message in bytes that is accepted.
    type: int
    default: 1048576
  timeout:
    description:
      - Seconds that the whole call may take. Set it to the C(timeout) of the task, which a module cannot read.
      - A O(hold) that does not fit into it is refused before the first connection.
    type: float
  earlier_results:
    description:
      - RV(results) of an earlier call, from this or another machine, that the diagnosis takes into account.
    type: list
    elements: dict
    default: []
  fail_on:
    description:
      - Which failed endpoints make the module fail. With V(public), only those with O(endpoints[].vantage=public). The
        results are the same in every case.
    type: str
    choices: [any, public, never]
    default: any
"""

EXAMPLES = r"""
- name: Check backend and proxy for longer than nginx's default idle timeout
  codeframe.staging.websocket_check:
    endpoints:
      - name: backend
        url: ws://127.0.0.1:14200/ws
        public_url: wss://api.example.com/ws
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
  description: One entry for each endpoint, in the order of O(endpoints).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the endpoint.
      type: str
    url:
      description: URL of the endpoint, without O(endpoints[].secret_query).
      type: str
    vantage:
      description: Vantage point of the endpoint.
      type: str
    transport:
      description: V(websocket) or V(sse).
      type: str
    passed:
      description: Whether all phases passed.
      type: bool
    cause:
      description: Cause of the failure, null if the endpoint passed.
      type: str
    explanation:
      description: The cause in one sentence, null if the endpoint passed.
      type: str
    status:
      description: Status of the HTTP answer to the handshake, null without an answer.
      type: int
    address:
      description: Address that was connected to.
      type: str
    phases:
      description: Seconds of the phases C(resolve), C(tcp), C(tls), C(upgrade), C(message), C(hold), C(close).
      type: dict
    subprotocol:
      description: Subprotocol that the server chose.
      type: str
    extensions:
      description: Extensions in the answer of the server.
      type: str
    server:
      description: C(Server) header of the answer.
      type: str
    held_s:
      description: Seconds for which the connection was held, null without a hold.
      type: float
    longest_silence_s:
      description: Longest time in seconds without a byte in either direction, null without a hold.
      type: float
    idle_timeout_proven_s:
      description: The idle timeout in force is at least this many seconds; null if nothing is proven.
      type: float
    configured_idle_timeout_s:
      description: The configured idle timeout in seconds, as given.
      type: float
    proves:
      description: What the hold proves, in one sentence.
      type: str
    server_pings:
      description: Number of pings that the server sent during the hold.
      type: int
    round_trips:
      description:
        - Round trips in seconds (C(min), C(median), C(p95), C(max)), and the numbers C(sent) and C(lost).
      type: dict
    samples:
      description:
        - Of the first 200 messages of a hold, the second at which each was sent and the seconds until its answer.
      type: list
      elements: list
    arrivals_s:
      description: Seconds from the start of the hold at which something came from the server, of the first 200.
      type: list
      elements: float
    close:
      description: Close C(code), its C(name), the C(reason), and who closed (C(by), V(nobody) for a cut).
      type: dict
    tls:
      description:
        - Version and cipher; subject, issuer, names and expiry of the certificate; the C(chain) of certificates that
          the server sent, the server's own first.
      type: dict
    first_event_s:
      description: Seconds until the first event of an event stream.
      type: float
    event_gaps:
      description: Seconds between the events of an event stream (C(min), C(median), C(max)) and their C(count).
      type: dict
    connections:
      description: With O(connections) above 1, numbers of accepted and held connections, failures by cause, and times.
      type: dict
    without_upgrade:
      description:
        - The C(status) of the answer to the same request without an upgrade, and a C(digest) of its body; null where it
          was not asked for. With O(earlier_results), it proves in a later call that an upgrade was lost.
      type: dict
    further_handshakes:
      description:
        - How many were C(made) and C(opened), the C(refused_forms), and whether a limit ended them (C(limited)); null
          without any.
      type: dict
    addresses:
      description:
        - With several addresses of a public name, the C(address), whether it C(passed) (null without a route from
          here), and the C(status) and C(detail) of the answer.
      type: list
      elements: dict
    evidence:
      description: What was seen, one line for each fact.
      type: list
      elements: str
diagnosis:
  description: One cause for the whole call, from all endpoints together.
  returned: always
  type: dict
  contains:
    cause:
      description:
        - V(none) if all endpoints passed, V(not_checked) if an option or a missing library prevented the check, or a
          cause from C(docs/diagnosis.md).
      type: str
    explanation:
      description: The cause in one sentence.
      type: str
    remedy:
      description: What to do about it.
      type: str
    evidence:
      description: What was seen, one line for each fact.
      type: list
      elements: str
summary:
  description: One line for each endpoint, for people.
  returned: always
  type: list
  elements: str
  sample:
    - "Direct backend connection: passed (handshake 4 ms, reply 2 ms, held 65.0 s, longest silence 20.0 s)"
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._websocket.arguments import ARGUMENT_SPEC
from ..module_utils._websocket.check import check


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    result = check(module.params)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
