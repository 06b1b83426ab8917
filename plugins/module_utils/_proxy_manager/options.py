# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that the modules for Nginx Proxy Manager share, and what is made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._host.tls import client_context
from .api_address import parse_api_url
from .block import Timeouts
from .client import Credentials, ProxyManagerClient
from .plan import PlanError
from .private_files import FileTokenStore, default_directory
from .probe import ProxyEndpoint

CONNECTION_OPTIONS: dict[str, dict[str, Any]] = {
    "identity": {"type": "str"},
    "secret": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
    "token_cache": {"type": "bool", "default": True, "no_log": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "api_timeout": {"type": "float", "default": 30},
    "option_names": {"type": "dict", "default": {}},
}
BLOCK_OPTIONS: dict[str, dict[str, Any]] = {
    "websocket_paths": {"type": "list", "elements": "raw", "default": []},
    "forward_paths": {"type": "list", "elements": "raw", "default": []},
    "connect_timeout": {"type": "int", "default": 60},
    "read_timeout": {"type": "int", "default": 86400},
    "send_timeout": {"type": "int", "default": 86400},
}
PROXY_OPTIONS: dict[str, dict[str, Any]] = {
    "proxy_address": {"type": "str"},
    "proxy_port": {"type": "int"},
    "proxy_tls_port": {"type": "int"},
    "proxy_tls": {"type": "bool"},
}
#: Ports of the proxy unless others are given, without TLS and with it.
PORTS = {False: 80, True: 443}
_LONGEST_S = 31536000


def client_of(params: Mapping[str, Any]) -> ProxyManagerClient:
    """The client that the options describe.

    :raises ValueError: One sentence on an option that cannot be used.
    """
    address = parse_api_url(params["api_url"])
    context = None
    if address.server.secure:
        try:
            context = client_context(verify=params["validate_certs"], ca_path=params["ca_path"])
        except OSError as exc:
            raise ValueError(
                f"O(ca_path) is {params['ca_path']!r}; it cannot be read ({exc.strerror or exc})"
            ) from None
    identity, secret, token = params["identity"], params["secret"], params["token"]
    if bool(token) == bool(identity or secret):
        raise ValueError(
            "the login to Nginx Proxy Manager needs either O(token), or O(identity) and O(secret), and not both"
        )
    if not token and not (identity and secret):
        missing = "O(secret)" if identity else "O(identity)"
        raise ValueError(f"{missing} is not given; a login needs O(identity) and O(secret)")
    store = None
    if params["token_cache"] and not token:
        store = FileTokenStore(address.url, identity, secret, default_directory())
    return ProxyManagerClient(
        address, Credentials(identity, secret, token or None), store, params["api_timeout"], context
    )


def parse_name(name: str) -> str:
    """A domain name as the option gives it.

    :raises ValueError: If it is a URL, or more than one line of a request.
    """
    if not re.fullmatch(r"[^\s\x00-\x1f/:@]+", name):
        raise ValueError(f"O(domain_name) is {name!r}; expected a host name alone, such as api.example.com")
    return name


def parse_timeouts(params: Mapping[str, Any]) -> Timeouts:
    """The timeouts of the block.

    :raises PlanError: If nginx would refuse one.
    """
    for name in ("connect_timeout", "read_timeout", "send_timeout"):
        if not 1 <= params[name] <= _LONGEST_S:
            raise PlanError(f"O({name}) is {params[name]}; expected 1 to {_LONGEST_S} seconds")
    return Timeouts(params["connect_timeout"], params["read_timeout"], params["send_timeout"])


@dataclass(frozen=True)
class ProxyOptions:
    """Where the proxy is asked.

    :param address: Empty if it is unknown; an IPv6 address may have the brackets that it has in a URL.
    :param port: Without one, the usual one of its protocol.
    :param tls_port: With TLS, if it is another one.
    :param tls: Without a value, the certificate of the host decides.
    """

    address: str = ""
    port: int | None = None
    tls: bool | None = None
    tls_port: int | None = None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> ProxyOptions:
        """The options, with the address of the API if there is no other."""
        address = params["proxy_address"] or (parse_api_url(params["api_url"]).host if params["api_url"] else "")
        return cls(address, params["proxy_port"], params["proxy_tls"], params["proxy_tls_port"])

    def endpoint(self, host_name: str, has_certificate: bool) -> ProxyEndpoint:
        tls = has_certificate if self.tls is None else self.tls
        port = (self.tls_port if tls else None) or self.port or PORTS[tls]
        return ProxyEndpoint(self.address.strip("[]"), port, host_name, tls)
