#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificate_info
short_description: Read a TLS certificate on the disk, and compare it with what is served
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Reads a certificate chain and its key as a web server would. Changes nothing.
  - With O(served), it also connects and says whether the server presents this certificate, and which versions of TLS it
    accepts. A server that was not reloaded after a renewal still presents the previous one.
options:
  path:
    description: File of the certificate chain, as PEM.
    type: path
    required: true
  key:
    description: File of the private key; it may be the same.
    type: path
    required: true
  served:
    description: Servers that should present this certificate.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Server name to ask for (SNI).
        type: str
        required: true
      port:
        description: Port with TLS.
        type: int
        required: true
  address:
    description: Address of the servers.
    type: str
    default: 127.0.0.1
attributes:
  check_mode:
    support: full
    description: Changes nothing in any mode.
  diff_mode:
    support: none
    description: Nothing is changed.
seealso:
  - module: codeframe.staging.private_ca
"""

EXAMPLES = r"""
- name: Read the certificate that nginx should present
  codeframe.staging.certificate_info:
    path: /etc/letsencrypt/live/app.example.com/fullchain.pem
    key: /etc/letsencrypt/live/app.example.com/privkey.pem
    served:
      - name: app.example.com
        port: 443
"""

RETURN = r"""
problem:
  description: Why the files cannot be used, as a clause; empty if they can.
  returned: always
  type: str
  sample: there is no file /etc/ssl/app.pem
pem:
  description: The first certificate of the chain, as PEM; empty if there is none.
  returned: always
  type: str
chain_length:
  description: Number of certificates in the file.
  returned: always
  type: int
names:
  description: Names that the certificate is for.
  returned: always
  type: list
  elements: str
issuer:
  description: Name of the authority that has issued it; empty if it cannot be read.
  returned: always
  type: str
days_left:
  description: Whole days until it expires, negative once it has.
  returned: always
  type: int
  sample: 60
served:
  description: What each of O(served) presents.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: As given.
      type: str
    port:
      description: As given.
      type: int
    same:
      description: Whether it is this certificate.
      type: bool
    versions:
      description: Versions of TLS that are accepted.
      type: list
      elements: str
    problem:
      description: Why there was no handshake; empty if there was one.
      type: str
problems:
  description: What is wrong with what is served, one sentence each.
  returned: always
  type: list
  elements: str
obsolete:
  description: Versions of TLS that a server accepts and browsers have given up, one sentence each.
  returned: always
  type: list
  elements: str
"""

import ssl
from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._tls.pair import read_pair
from ..module_utils._tls.served import OBSOLETE, Served, look


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "key": {"type": "path", "required": True},
            "served": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "port": {"type": "int", "required": True},
                },
            },
            "address": {"type": "str", "default": "127.0.0.1"},
        },
        supports_check_mode=True,
    )
    params = module.params
    pair = read_pair(params["path"], params["key"])
    pem = pair.chain[0] if pair.chain else ""
    seen = [(server, look(params["address"], server["port"], server["name"])) for server in params["served"]]
    module.exit_json(
        changed=False,
        problem=pair.problem,
        pem=pem,
        chain_length=len(pair.chain),
        names=list(pair.leaf.names) if pair.leaf else [],
        issuer=(pair.leaf.issuer or "") if pair.leaf else "",
        days_left=pair.leaf.expires_in_days(datetime.now(timezone.utc)) if pair.leaf else 0,
        served=[
            {
                "name": server["name"],
                "port": server["port"],
                "same": _is_same(pem, served),
                "versions": list(served.versions),
                "problem": served.problem,
            }
            for server, served in seen
        ],
        problems=[sentence for server, served in seen if (sentence := _problem(server, served, pem, params["path"]))],
        obsolete=[
            f"port {server['port']} accepts {', '.join(old)} for {server['name']}; ssl_protocols of the default server"
            " of that port, which may be in another site, decides it"
            for server, served in seen
            if (old := [version for version in served.versions if version in OBSOLETE])
        ],
    )


def _is_same(pem: str, served: Served) -> bool:
    return bool(pem and served.der) and ssl.PEM_cert_to_DER_cert(pem) == served.der


def _problem(server: dict[str, Any], served: Served, pem: str, path: str) -> str:
    place = f"{server['name']} at port {server['port']}"
    if served.problem:
        return f"no TLS connection to {place}: {served.problem}"
    if not _is_same(pem, served):
        return f"{place} presents another certificate than the one in {path}"
    return ""


if __name__ == "__main__":
    main()
