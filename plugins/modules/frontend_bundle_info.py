#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: frontend_bundle_info
short_description: Read which URLs the client scripts of a served page contain
version_added: 0.1.0
description:
  - Reads the client scripts that a served page makes a browser load, and returns which of the expected and of the
    forbidden URLs they contain, and all WebSocket and API URLs in them.
  - Changes nothing, and does not fail because of what it finds, unless O(fail) is set.
options:
  url:
    description:
      - URL of a page. Its scripts are followed, including those that Next.js names inside of it and those that Vite's
        scripts import later. Scripts of other sites are not fetched.
      - C(localhost) and names below it resolve to the loopback addresses without DNS.
    type: str
    required: true
  pages:
    description:
      - Further pages, as paths relative to O(url).
      - They fill the dynamic segments of routes as well, such as V(/projects/7) those of C(/projects/[projectId]).
    type: list
    elements: str
    default: []
  build_dir:
    description:
      - Output directory of the build that is served, on the same host, such as C(.next) of Next.js or C(dist) of Vite.
      - If none of the pages has the expected URLs, those routes are read that have them in this build. Their dynamic
        segments are filled from O(pages), otherwise from a page that was rendered when it was built, otherwise with a
        placeholder. If no page of a route is answered, its scripts are read without a page.
      - Without a readable build, only O(url) and O(pages) are read.
    type: path
  expected_urls:
    description:
      - URLs that the client scripts should contain.
    type: list
    elements: str
    default: []
  forbidden_urls:
    description:
      - Beginnings of URLs that they should not contain, such as V(ws://localhost). An occurrence inside an expected URL
        is ignored.
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
        origin of O(url) only.
    type: dict
    default: {}
  fail:
    description:
      - Fail if an expected URL is missing, a forbidden one is found, or a page or script cannot be loaded.
    type: bool
    default: false
attributes:
  check_mode:
    description: Changes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Prove that the served page uses the public WebSocket
  codeframe.staging.frontend_bundle_info:
    url: http://codeframe.example.com:14100/
    connect_to: 127.0.0.1
    expected_urls:
      - wss://api.example.com/ws
    forbidden_urls:
      - ws://localhost:14200/ws
    fail: true

- name: List the WebSocket and API URLs of a page
  codeframe.staging.frontend_bundle_info:
    url: https://app.example.com/
  register: page
"""

RETURN = r"""
passed:
  description:
    - Whether all expected URLs were found and no forbidden one, and all scripts that the pages refer to were loaded.
  returned: always
  type: bool
found:
  description: Scripts by expected URL.
  returned: always
  type: dict
missing:
  description: Expected URLs that no script contains.
  returned: always
  type: list
  elements: str
forbidden:
  description: Scripts by forbidden URL.
  returned: always
  type: dict
urls:
  description:
    - Scripts by URL, for all WebSocket URLs and then all other absolute URLs that they contain. XML namespaces and the
      documentation that libraries name are left out.
  returned: always
  type: dict
  sample: {"wss://api.example.com/ws": ["https://app.example.com/_next/static/chunks/app.js"]}
scripts:
  description: The scripts that were read.
  returned: always
  type: list
  elements: str
failures:
  description: What a page refers to but could not be loaded, with the reason.
  returned: always
  type: dict
pages:
  description: The pages that were loaded, after redirects.
  returned: always
  type: list
  elements: str
routes:
  description: The routes of the build that have an expected URL, as they were served; empty without O(build_dir).
  returned: always
  type: list
  elements: dict
  contains:
    route:
      description: Name of the route.
      type: str
      sample: /projects/[projectId]
    page:
      description: URL of the page that was read; empty if none was answered.
      type: str
    scripts:
      description: URLs of the served scripts with an expected URL.
      type: list
      elements: str
    unanswered:
      description: Why no page was read.
      type: str
evidence:
  description: Which scripts contain the expected URLs, in words; empty if that is not known.
  returned: always
  type: str
complaint:
  description: What is wrong, in one sentence; empty if nothing is.
  returned: always
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._frontend.bundle import complaint, listed_urls, search
from ..module_utils._frontend.bundle_fetch import (
    Bundle,
    Fetcher,
    FetchError,
    Limits,
    load,
    page_context,
    refuse_malformed,
)
from ..module_utils._frontend.served_routes import Proof, RouteProof, evidence, objection, read_build
from ..module_utils._host.shown import shown, shown_result


def load_scripts(params: dict[str, Any]) -> tuple[Bundle, Proof]:
    """Load the pages and their scripts, and those of the routes that have the URLs in the build.

    :raises FetchError: If the first page cannot be loaded.
    """
    refuse_malformed(params["url"])
    limits = Limits()
    fetcher = Fetcher(
        limits,
        params["connect_to"],
        context=page_context(params["ca_certificates"], validate_certs=params["validate_certs"]),
        headers={name: str(value) for name, value in params["secret_headers"].items()},
    )
    try:
        bundle = load(params["url"], params["pages"], fetcher, limits)
        if not params["build_dir"]:
            return bundle, Proof()
        build = read_build(params["build_dir"])
        return bundle, RouteProof(bundle, build, params["url"], params["expected_urls"], fetcher, limits).prove()
    finally:
        fetcher.close()


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "pages": {"type": "list", "elements": "str", "default": []},
            "build_dir": {"type": "path"},
            "expected_urls": {"type": "list", "elements": "str", "default": []},
            "forbidden_urls": {"type": "list", "elements": "str", "default": []},
            "connect_to": {"type": "str"},
            "validate_certs": {"type": "bool", "default": True},
            "ca_certificates": {"type": "str"},
            "secret_headers": {"type": "dict", "no_log": True, "default": {}},
            "fail": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    problem = ""
    proof = Proof()
    try:
        bundle, proof = load_scripts(params)
    except FetchError as err:
        bundle = Bundle()
        problem = str(err)
    findings = search(bundle.scripts, params["expected_urls"], params["forbidden_urls"])
    if not problem:
        wrong = complaint(findings, params["url"])
        broken = [f"{params['url']} refers to {url}, but {why}" for url, why in list(bundle.failures.items())[:2]]
        problem = "; ".join(part for part in (wrong, objection(proof, findings), *broken) if part)
    result = {
        "changed": False,
        "passed": not problem,
        "found": {url: list(names) for url, names in findings.found.items()},
        "missing": list(findings.missing),
        "forbidden": {url: list(names) for url, names in findings.forbidden.items()},
        "urls": {url: list(names) for url, names in listed_urls(bundle.scripts).items()},
        "scripts": list(findings.scripts),
        "failures": bundle.failures,
        "pages": bundle.pages,
        "routes": [
            {
                "route": served.route,
                "page": served.page,
                "scripts": list(served.scripts),
                "unanswered": served.unanswered,
            }
            for served in proof.served
        ],
        "evidence": evidence(proof, ", ".join(findings.found)),
        "complaint": problem,
    }
    if problem and params["fail"]:
        module.fail_json(msg=shown(problem), **shown_result(result))
    module.exit_json(**shown_result(result))


if __name__ == "__main__":
    main()
