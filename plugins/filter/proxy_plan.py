# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: proxy_plan
short_description: Derive the configuration of the proxy from the public URLs
version_added: 0.1.0
description:
  - Derives servers and locations of nginx, and proxy hosts of Nginx Proxy Manager, from the inputs of the role proxy.
positional: _input
options:
  _input:
    description:
      - The inputs, by the names of the role's options without C(proxy_).
    type: dict
    required: true
author:
  - The codeframe.staging contributors (@codeframe)
seealso:
  - plugin: codeframe.staging.proxy_problems
    plugin_type: filter
"""

EXAMPLES = r"""
servers: "{{ (inputs | codeframe.staging.proxy_plan).site.servers }}"
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    inputs:
      description: The inputs of the site, each with a value. The same plan can be made of them later.
      type: dict
    site:
      description: Servers, locations and redirects of nginx.
      type: dict
    websocket:
      description:
        - Where nginx takes the requests for the WebSocket, with C(host), C(port), C(tls) and C(path), and whether its
          public URL is C(secure).
      type: dict
    tls_servers:
      description: Servers of nginx with TLS, with C(name) and C(port).
      type: list
      elements: dict
    hosts:
      description:
        - Proxy hosts of Nginx Proxy Manager, with C(name), C(forward_host), C(forward_port), C(websocket_paths) and
          C(forward_paths).
      type: list
      elements: dict
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.lasting_names import LASTING_PATTERNS
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site_inputs import (
    SiteInputError,
    read_inputs,
    truth,
)
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.topology import (
    SiteLocation,
    SiteServer,
    address_of,
    plan_site,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.derived_hosts import plan_hosts


def proxy_plan(values: Mapping[str, Any]) -> dict[str, Any]:
    """Put the plans into a template's terms.

    :raises AnsibleFilterError: If the inputs cannot be used.
    """
    try:
        inputs = read_inputs(values)
    except SiteInputError as exc:
        raise AnsibleFilterError(f"proxy_plan: {exc}") from exc
    site = plan_site(inputs)
    hosts = plan_hosts(inputs, truth(values.get("manager_forward", False)), values.get("manager_domain_names") or {})
    websocket = address_of(inputs, "ws", inputs.public_websocket)
    return {
        "inputs": inputs.as_dict(),
        "site": {
            "slug": site.slug,
            "servers": [_server(each) for each in site.servers],
            "redirects": [_server(each) for each in site.redirects],
            "redirect_listen": list(site.redirect_listen),
            "access": list(site.access),
            "main": site.main,
            "lasting": list(LASTING_PATTERNS),
        },
        "websocket": {
            "host": websocket.host,
            "port": websocket.port,
            "tls": websocket.tls,
            "secure": websocket.secure,
            "path": inputs.public_websocket.path or "/",
        },
        "tls_servers": [
            {"name": each.address.host, "port": each.address.port} for each in site.servers if each.address.tls
        ],
        "hosts": [each.as_dict() for each in hosts],
    }


def _server(server: SiteServer) -> dict[str, Any]:
    address = server.address
    return {
        "name": address.name,
        "authority": address.authority,
        "secure": address.secure,
        "public_port": address.public_port,
        "port": address.port,
        "tls": address.tls,
        "listen": list(server.listen),
        "challenges": server.challenges,
        "locations": [_location(each) for each in server.locations],
    }


def _location(location: SiteLocation) -> dict[str, Any]:
    """With the path and whether it matches itself alone, for proxies that have another notation than nginx."""
    *modifiers, path = location.match.split(" ")
    return {**asdict(location), "path": path, "exact": "=" in modifiers}


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"proxy_plan": proxy_plan}
