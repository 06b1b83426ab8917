#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: frontend_bundle_info
short_description: Find out which URLs stand in the client scripts of a build or of a served page
version_added: 0.1.0
description:
  - Looks into the client scripts of a build on the disk, or into those that a served page makes a browser load, and
    says which of the expected URLs are there and which of the forbidden ones.
  - A served page proves what users get; a build on the disk does not.
  - Changes nothing, and does not fail because of what it finds, unless O(fail) says so.
options:
  path:
    description:
      - The output directory of a build, such as C(web-ui/.next) or C(dist).
    type: path
  url:
    description:
      - Address of a page. Its scripts are followed, also those that Next.js names inside of it and those that Vite's
        scripts import later; scripts of other sites are not fetched.
      - C(localhost) and names below it lead to the loopback addresses without a question to the DNS.
    type: str
  pages:
    description:
      - Further pages, as paths relative to O(url).
    type: list
    elements: str
    default: []
  expected_urls:
    description:
      - URLs that should stand in the client scripts.
    type: list
    elements: str
    default: []
  forbidden_urls:
    description:
      - Beginnings of URLs that should not, such as V(ws://localhost). Where one is only a part of an expected URL, it
        does not count.
    type: list
    elements: str
    default: []
  connect_to:
    description:
      - Address, or C(address:port), to connect to instead of the one that the host of O(url) resolves to.
    type: str
  validate_certs:
    description:
      - Whether certificates are checked.
    type: bool
    default: true
  ca_certificates:
    description:
      - Certificate authorities to trust instead of the system's, as PEM text. Not used for a page without TLS.
    type: str
  secret_headers:
    description:
      - Further headers of the requests, such as C(Authorization), whose values are never shown. They are sent to the
        origin of O(url) alone.
    type: dict
    default: {}
  timeout:
    description:
      - Seconds for everything that is fetched.
    type: int
    default: 30
  fail:
    description:
      - Fail if an expected URL is missing, a forbidden one is there, or a page or script cannot be loaded.
    type: bool
    default: false
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Prove that the served page talks to the public WebSocket
  codeframe.staging.frontend_bundle_info:
    url: http://codeframe.example.com:14100/
    connect_to: 127.0.0.1
    expected_urls:
      - wss://api.example.com/ws
    forbidden_urls:
      - ws://localhost:14200/ws
    fail: true
"""

RETURN = r"""
passed:
  description: Whether everything expected is there, nothing forbidden is, and all that is referenced could be loaded.
  returned: always
  type: bool
found:
  description: Scripts by expected URL.
  returned: always
  type: dict
missing:
  description: Expected URLs that stand in no script.
  returned: always
  type: list
  elements: str
forbidden:
  description: Scripts by forbidden URL.
  returned: always
  type: dict
scripts:
  description: The scripts that were looked into.
  returned: always
  type: list
  elements: str
failures:
  description: What is referenced but could not be loaded, with the reason.
  returned: always
  type: dict
pages:
  description: The pages that were loaded, after redirections.
  returned: always
  type: list
  elements: str
complaint:
  description: What is wrong, in one sentence; empty if nothing is.
  returned: always
  type: str
"""

import os
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._frontend.build_host import client_scripts
from ..module_utils._frontend.bundle import complaint, search
from ..module_utils._frontend.bundle_fetch import (
    Bundle,
    Fetcher,
    FetchError,
    Limits,
    load,
    tls_context,
)


def gather(params: dict[str, Any]) -> Bundle:
    """Get the scripts.

    :raises FetchError: If there is nothing to look into.
    """
    if params["path"]:
        if not os.path.isdir(params["path"]):
            raise FetchError(f"{params['path']} is no directory, so there is no build")
        return Bundle(scripts=client_scripts(params["path"]))
    parts = urlsplit(params["url"])
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchError(f"url is {params['url']!r}; expected an address such as http://app.example.com/")
    limits = Limits(timeout_s=params["timeout"])
    fetcher = Fetcher(
        limits,
        params["connect_to"],
        context=tls_context(params["ca_certificates"], validate_certs=params["validate_certs"]),
        headers={name: str(value) for name, value in params["secret_headers"].items()},
    )
    try:
        return load(params["url"], params["pages"], fetcher, limits)
    finally:
        fetcher.close()


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path"},
            "url": {"type": "str"},
            "pages": {"type": "list", "elements": "str", "default": []},
            "expected_urls": {"type": "list", "elements": "str", "default": []},
            "forbidden_urls": {"type": "list", "elements": "str", "default": []},
            "connect_to": {"type": "str"},
            "validate_certs": {"type": "bool", "default": True},
            "ca_certificates": {"type": "str"},
            "secret_headers": {"type": "dict", "no_log": True, "default": {}},
            "timeout": {"type": "int", "default": 30},
            "fail": {"type": "bool", "default": False},
        },
        mutually_exclusive=[("path", "url")],
        required_one_of=[("path", "url")],
        supports_check_mode=True,
    )
    params = module.params
    where = params["path"] or params["url"]
    problem = ""
    try:
        bundle = gather(params)
    except FetchError as err:
        bundle = Bundle()
        problem = str(err)
    findings = search(bundle.scripts, params["expected_urls"], params["forbidden_urls"])
    if not problem:
        said = complaint(findings, where)
        broken = [f"{where} references {address}, but {why}" for address, why in list(bundle.failures.items())[:2]]
        problem = "; ".join([*([said] if said else []), *broken])
    result = {
        "changed": False,
        "passed": not problem,
        "found": {url: list(names) for url, names in findings.found.items()},
        "missing": list(findings.missing),
        "forbidden": {url: list(names) for url, names in findings.forbidden.items()},
        "scripts": list(findings.scripts),
        "failures": bundle.failures,
        "pages": bundle.pages,
        "complaint": problem,
    }
    if problem and params["fail"]:
        module.fail_json(msg=problem, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
