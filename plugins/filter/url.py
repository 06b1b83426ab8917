# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: url
short_description: Split a URL and derive its origin and API address
version_added: 0.1.0
description:
  - Splits an absolute URL with the scheme C(http), C(https), C(ws) or C(wss) into its parts, and derives the addresses
    that belong to it, in the form in which a browser sends them.
  - Other than R(ansible.builtin.urlsplit,ansible_collections.ansible.builtin.urlsplit_filter) it fails for what is not
    a URL, fills in the default port, and leaves out a default port and capital letters where two programs compare
    texts.
positional: _input
options:
  _input:
    description:
      - An absolute URL without user name and password. A host name in other letters than ASCII is returned in its
        ASCII form (C(xn--...)).
    type: str
    required: true
seealso:
  - plugin: ansible.builtin.urlsplit
    plugin_type: filter
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
# {'scheme': 'wss', 'secure': true, 'host': 'api.example.com', 'port': 443, 'authority': 'api.example.com',
#  'origin': 'https://api.example.com', 'path': '/ws', 'api_url': 'https://api.example.com'}
parts: "{{ 'wss://API.example.com:443/ws' | codeframe.staging.url }}"

# http://app.example.com:14100
cors_origin: "{{ ('http://app.example.com:14100/projects' | codeframe.staging.url).origin }}"
"""

RETURN = r"""
_value:
  description: The parts of the URL.
  type: dict
  contains:
    scheme:
      description: C(http), C(https), C(ws) or C(wss).
      type: str
      sample: wss
    secure:
      description: Whether the scheme uses TLS.
      type: bool
      sample: true
    host:
      description: Host name or address in lower case; an IPv6 address without brackets.
      type: str
      sample: api.example.com
    port:
      description: The port, also where it is the default of the scheme.
      type: int
      sample: 443
    authority:
      description: Host and port as in a C(Host) header, without the default port.
      type: str
      sample: api.example.com
    origin:
      description: The origin that a browser sends for a page at this address.
      type: str
      sample: https://api.example.com
    path:
      description: The path without the query, C(/) if the URL has none.
      type: str
      sample: /ws
    api_url:
      description: The address of the HTTP API at the same server, without a path.
      type: str
      sample: https://api.example.com
"""

from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import DEFAULT_PORTS, UrlError, parse_url

_EXPECTED = "expected an absolute URL such as https://app.example.com or wss://api.example.com/ws"


def url(text: Any) -> dict[str, Any]:
    """Return the parts of a URL.

    :raises AnsibleFilterError: If it is not one; a password in it is not repeated.
    """
    if not isinstance(text, str):
        raise AnsibleFilterError(f"url: a value of type {type(text).__name__} is given; {_EXPECTED}")
    shown = "a URL with a password" if "@" in text else repr(str(text))
    try:
        parsed = parse_url(text, lenient=True)
    except UrlError as error:
        raise AnsibleFilterError(f"url: {shown} is given, but {error}; {_EXPECTED}") from None
    if parsed.scheme not in DEFAULT_PORTS:
        schemes = ", ".join(f"{scheme}://" for scheme in sorted(DEFAULT_PORTS))
        raise AnsibleFilterError(f"url: {shown} is given, but the scheme is not one of {schemes}; {_EXPECTED}")
    return {
        "scheme": parsed.scheme,
        "secure": parsed.secure,
        "host": parsed.host,
        "port": parsed.port,
        "authority": parsed.authority,
        "origin": parsed.origin,
        "path": parsed.path or "/",
        "api_url": parsed.api_url,
    }


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"url": url}
