#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: private_ca
short_description: Give a host a certificate of a private certificate authority
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Issues certificates for names that exist in one network only, which no public authority can prove. The authority is
    on the controller, and its key never leaves it.
  - Creates the authority if O(directory) has none. It is valid for 10 years and can issue certificates of servers
    alone.
  - Issues a certificate if the host has none that is good for O(names), or if that expires within O(renew_days). Each
    has a key of its own, which is written to the host and kept nowhere on the controller. It is part of no result and
    no diff.
options:
  directory:
    description:
      - Directory of the authority on the controller, with C(ca.pem) and C(ca.key). The key is readable for its owner
        alone; one that other users can read is refused.
    type: path
    required: true
  names:
    description: DNS names and IP addresses that the certificate is for.
    type: list
    elements: str
    required: true
  path:
    description:
      - File on the host for the certificate and its key, readable for root alone. nginx takes it as both, and it is
        replaced in one step.
    type: path
    required: true
  authority_name:
    description: Name under which devices list the authority, used when it is created.
    type: str
    default: codeframe.staging private CA
  valid_days:
    description: For how many days a certificate is valid. Apple's devices accept no more than 825.
    type: int
    default: 397
  renew_days:
    description: Days before it expires in which a certificate is renewed.
    type: int
    default: 60
  content:
    description: Set by the part of the module that runs on the controller.
    type: str
attributes:
  check_mode:
    support: full
    description: Creates no authority and issues no certificate. RV(reasons) are those for which the run would.
  diff_mode:
    support: none
    description: A diff would contain keys.
requirements:
  - cryptography 42 or newer on the controller
seealso:
  - module: codeframe.staging.certificate_info
"""

EXAMPLES = r"""
- name: Give the host a certificate of the private authority
  codeframe.staging.private_ca:
    directory: ~/.local/share/codeframe-staging/ca
    names: [app.home.arpa, api.home.arpa]
    path: /etc/ssl/codeframe-staging/app.pem
"""

RETURN = r"""
reasons:
  description: Why a certificate was, or would be, issued; empty if the one that the host has is good.
  returned: success
  type: list
  elements: str
  sample: [it expires in 20 days]
not_after:
  description: When the certificate that was issued expires, in UTC; empty if none was issued.
  returned: success
  type: str
  sample: "2027-01-31T12:00:00Z"
ca_path:
  description: File of the authority's certificate on the controller, which devices must trust.
  returned: success
  type: str
  sample: /home/user/.local/share/codeframe-staging/ca/ca.pem
ca_fingerprint:
  description: Its SHA-256 fingerprint, as devices show it; empty if check mode would create the authority.
  returned: success
  type: str
  sample: "3A:5D:..."
ca_created:
  description: Whether the authority was, or would be, created.
  returned: success
  type: bool
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.files import protected_directory, write_atomic
from ..module_utils._tls.pair import read_pair


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "path": {"type": "path", "required": True},
            "authority_name": {"type": "str", "default": "codeframe.staging private CA"},
            "valid_days": {"type": "int", "default": 397},
            "renew_days": {"type": "int", "default": 60},
            "content": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    path, content = module.params["path"], module.params["content"]
    if content is None:
        pair = read_pair(path, path)
        exists = os.path.lexists(path)
        module.exit_json(changed=False, exists=exists, problem=pair.problem, pem=pair.chain[0] if pair.chain else "")
    if not module.check_mode:
        directory, name = os.path.split(path)
        try:
            with protected_directory(directory, create=0o755) as descriptor:
                write_atomic(name, content, mode=0o600, dir_fd=descriptor)
        except OSError as error:
            module.fail_json(msg=f"the certificate cannot be written to {path}: {error.strerror}")
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
