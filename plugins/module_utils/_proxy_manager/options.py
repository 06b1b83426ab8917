# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and results that the modules for Nginx Proxy Manager have in common."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Any

from .block import AccessRules, access_rules
from .client import (
    Credentials,
    ForbiddenError,
    ProxyManagerClient,
    parse_api_url,
)
from .plan import FLAGS, PlanError
from .shared import FileStore, default_directory
from .transaction import nginx_words, online
from .version import flag
from .wire import Endpoint

CONNECTION_OPTIONS: dict[str, dict[str, Any]] = {
    "identity": {"type": "str"},
    "secret": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
    "token_cache": {"type": "bool", "default": True, "no_log": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "api_timeout": {"type": "float", "default": 30},
}
BLOCK_OPTIONS: dict[str, dict[str, Any]] = {
    "websocket_paths": {"type": "list", "elements": "raw", "default": []},
    "forward_paths": {"type": "list", "elements": "raw", "default": []},
    "connect_timeout": {"type": "int", "default": 60},
    "read_timeout": {"type": "int", "default": 86400},
    "send_timeout": {"type": "int", "default": 86400},
}
PROXY_OPTIONS: dict[str, dict[str, Any]] = {
    "proxy_port": {"type": "int"},
    "proxy_tls": {"type": "bool"},
}
_SHOWN = (
    "id",
    "domain_names",
    "forward_scheme",
    "forward_host",
    "forward_port",
    "certificate_id",
    "access_list_id",
    *FLAGS,
    "enabled",
)


def client_of(params: Mapping[str, Any]) -> ProxyManagerClient:
    """The client that the options describe.

    :raises ValueError: One sentence on an option that cannot be used.
    """
    address = parse_api_url(params["api_url"])
    context = None
    if address.tls:
        try:
            context = ssl.create_default_context(cafile=params["ca_path"])
        except OSError as exc:
            raise ValueError(f"ca_path is {params['ca_path']!r}; it cannot be read ({exc.strerror or exc})") from None
        if not params["validate_certs"]:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    identity, secret, token = params["identity"], params["secret"], params["token"]
    if bool(token) == bool(identity or secret):
        raise ValueError("the login to Nginx Proxy Manager needs either token, or identity and secret, and not both")
    if not token and not (identity and secret):
        raise ValueError(f"{'secret' if identity else 'identity'} is not given; a login needs identity and secret")
    store = None
    if params["token_cache"] and not token:
        store = FileStore(address.url, identity, secret, default_directory())
    credentials = Credentials(identity, secret, token or None)
    return ProxyManagerClient(address, credentials, store, params["api_timeout"], context)


def checked_name(name: str) -> str:
    """A domain name as the option gives it.

    :raises ValueError: If it is a URL, or more than one line of a request.
    """
    if not re.fullmatch(r"[^\s\x00-\x1f/:@]+", name):
        raise ValueError(f"domain_name is {name!r}; expected a host name alone, such as api.example.com")
    return name


def endpoint_of(params: Mapping[str, Any], address: str, certificate: bool) -> Endpoint:
    """The proxy to ask for the host of the options.

    :param address: An IPv6 address may have the brackets that it has in a URL.
    :param certificate: Whether the host has one, which decides on TLS where the options do not.
    """
    tls = certificate if params["proxy_tls"] is None else params["proxy_tls"]
    return Endpoint(address.strip("[]"), params["proxy_port"] or (443 if tls else 80), params["domain_name"], tls)


def rules_of(client: ProxyManagerClient, name: str, list_id: int) -> AccessRules:
    """The rules of an access list that is in force for a host.

    :raises PlanError: If the account cannot read them.
    """
    try:
        lists = client.access_lists()
    except ForbiddenError as exc:
        raise PlanError(
            f"proxy host {name}: access list {list_id} is in force, but its rules cannot be read ({exc}); "
            "give the account the permission to view access lists"
        ) from None
    for each in lists:
        if int(each.get("id", 0)) == list_id:
            return access_rules(each)
    raise PlanError(
        f"proxy host {name}: access list {list_id} is in force, but this account does not see it; "
        "without its rules the WebSocket paths would be open to everybody: let the account see all access lists"
    )


def shown(host: Mapping[str, Any]) -> dict[str, Any]:
    """A host for the result: alike for all versions, without the Advanced text."""
    out = {key: flag(host.get(key)) if key in (*FLAGS, "enabled") else host.get(key) for key in _SHOWN}
    return {**out, "online": online(host), "nginx_error": nginx_words(host) or None}
