# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_plan
short_description: Derive the endpoints to verify from the URLs of a deployment
version_added: 0.1.0
description:
  - Derives the endpoints for M(codeframe.staging.websocket_check) and the address of the page for
    M(codeframe.staging.frontend_bundle_info) from the inputs of the role websocket_verify.
options:
  _input:
    description:
      - The inputs, by the names of the role's options without C(websocket_verify_), and C(ca_certificates) as text.
    type: dict
    required: true
seealso:
  - plugin: codeframe.staging.verification_result
    plugin_type: filter
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
endpoints: "{{ (inputs | codeframe.staging.verification_plan).host }}"
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    host:
      description: Endpoints to check from the host, backend first.
      type: list
      elements: dict
    controller:
      description: Endpoints to check from the controller.
      type: list
      elements: dict
    load:
      description: A list with the endpoint in C(host) for connections at the same time, if there is one.
      type: list
      elements: dict
    browser:
      description: URLs of pages that a browser opens.
      type: list
      elements: str
    browser_errors:
      description: Which errors of the console count, by URL, as O(codeframe.staging.browser_check#module:errors).
      type: dict
    page:
      description: C(url) and C(connect_to) of the page, and C(way), the way to it in words.
      type: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import UrlError
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.deployment import Deployment

# Of each endpoint, as they are.
_COMMON = ("origin", "headers", "secret_headers", "secret_query", "validate_certs")


def verification_plan(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Put the endpoints into the terms of the modules.

    :raises AnsibleFilterError: If an input is missing or a URL cannot be used.
    """
    try:
        deployment = Deployment(
            url=inputs["url"],
            api_url=inputs["api_url"],
            page_url=inputs["page_url"],
            path=inputs["path"],
            event_paths=tuple(inputs["sse_paths"]),
            event_timeout_s=float(inputs["event_timeout"]),
            backend_port=int(inputs["backend_port"]),
            backend_socket=str(inputs["backend_socket"]),
            frontend_port=int(inputs["frontend_port"]),
            proxy_address=inputs["proxy_address"],
            proxy_port=int(inputs["proxy_port"]),
            proxy_tls=bool(inputs["proxy_tls"]),
            proxy_page=bool(inputs["proxy_page"]),
            vantages=tuple(inputs["vantages"]),
            idle_timeout=inputs["idle_timeout"],
            ca_certificates=inputs.get("ca_certificates") or "",
        )
        endpoints = deployment.endpoints({name: inputs[name] for name in _COMMON})
        page = deployment.page()
        browser = deployment.browser_pages(inputs["browser_pages"], inputs["routes"])
        browser_errors = deployment.browser_errors(inputs["browser_pages"], inputs["routes"])
    except KeyError as error:
        raise AnsibleFilterError(f"verification_plan: the input {error} is missing") from None
    except (UrlError, ValueError) as error:
        raise AnsibleFilterError(f"verification_plan: an input cannot be used: {error}") from None
    host = [endpoint for endpoint in endpoints if endpoint["vantage"] != "public"]
    return {
        "host": host,
        "controller": [endpoint for endpoint in endpoints if endpoint["vantage"] == "public"],
        "load": [endpoint for endpoint in host if "transport" not in endpoint][-1:],
        "page": page,
        "browser": browser,
        "browser_errors": browser_errors,
    }


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"verification_plan": verification_plan}
