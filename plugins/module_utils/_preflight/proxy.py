# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy: its provider, its routes, its certificate."""

from __future__ import annotations

from collections.abc import Mapping

from .._host.url import Url, as_address, is_internal, is_loopback
from .paths import is_plain_path, route_takes
from .urls import PublicUrls
from .variables import WS, DeploymentInputs

_WEBSOCKET_PATHS = "staging_websocket_paths"
_API_PATHS = "staging_api_paths"
_CERTIFICATE, _KEY, _TLS = "staging_tls_certificate", "staging_tls_key", "staging_tls"
_ACME_DIRECTORY = "staging_acme_directory"


def check_choices(inputs: DeploymentInputs) -> None:
    if inputs.blue_green and inputs.provider != "nginx":
        inputs.add(
            "blue-green-without-nginx",
            "staging_backend_switch",
            "restart",
            "write restart",
            found=f"staging_proxy_provider is {inputs.provider}, and only nginx on the same host can switch between"
            " two instances",
        )
    for variable in ("staging_proxy_page", "staging_allow_loopback"):
        value = inputs.get(variable)
        if value is not None and not isinstance(value, bool):
            inputs.add("type", variable, "true or false", "write it without quotes")


def check_routes(inputs: DeploymentInputs, ws: Url | None) -> None:
    """The paths that the proxy routes to the backend, and whether that of the WebSocket is one of them."""
    routed = _routes(inputs)
    websockets = [path for path, variable in routed.items() if variable == _WEBSOCKET_PATHS]
    if ws is not None and websockets:
        path = ws.path or "/"
        if not any(route_takes(route, path) for route in websockets):
            inputs.add(
                "websocket-path-unrouted",
                WS,
                "a routed path (a route that ends with a slash includes the paths below it)",
                f"add {path} to {_WEBSOCKET_PATHS}, or correct the path of the URL",
                found=f"the proxy routes WebSockets for {', '.join(websockets)} only ({_WEBSOCKET_PATHS})",
            )
    if "/" in websockets:
        inputs.add(
            "websocket-path-root",
            (_WEBSOCKET_PATHS, inputs.texts(_WEBSOCKET_PATHS).index("/")),
            "the path of the WebSocket alone",
            "list that path, for example /ws",
            found="this route matches every request of the host",
        )


def _routes(inputs: DeploymentInputs) -> dict[str, str]:
    """The valid routes, each with the first variable that lists it."""
    seen: dict[str, str] = {}
    for variable in (_WEBSOCKET_PATHS, "staging_sse_paths", _API_PATHS):
        value = inputs.get(variable)
        if value is None:
            continue
        if not isinstance(value, list):
            inputs.add("type", variable, "a list of paths", f"write [{value}]")
            continue
        if not value and variable == _WEBSOCKET_PATHS:
            inputs.add("routes-empty", variable, "at least one path", "list the path of the WebSocket")
        for index, path in enumerate(value):
            if not isinstance(path, str) or not path.startswith("/") or not is_plain_path(path):
                inputs.add(
                    "route",
                    (variable, index),
                    "a path that starts with a slash, without spaces, %, patterns, and . or .. as parts",
                    "write it as /ws, or as /ws/ for all paths below it",
                )
            elif path in seen and (seen[path] == variable or variable != _API_PATHS):
                inputs.add(
                    "route-twice",
                    (variable, index),
                    "each path once",
                    "remove one of the two",
                    found=f"{seen[path]} has it already",
                )
            else:
                # The other lists win over the paths of the API.
                seen.setdefault(path, variable)
    return seen


def check_certificate(inputs: DeploymentInputs, urls: PublicUrls) -> None:
    """Whether certificate and key are set where nginx needs them, and only there."""
    for variable in (_CERTIFICATE, _KEY):
        path = inputs.line(variable)
        if path is not None and not path.startswith("/"):
            inputs.add("path", variable, "an absolute path on the host", "start it with a slash")
    has_certificate, has_key = inputs.get(_CERTIFICATE) is not None, inputs.get(_KEY) is not None
    if has_certificate != has_key:
        missing, given = (_KEY, _CERTIFICATE) if has_certificate else (_CERTIFICATE, _KEY)
        inputs.add("certificate", missing, "both, because nginx needs both", f"set {missing}", found=f"{given} is set")
    issued = _check_issued(inputs, given=has_certificate or has_key)
    if inputs.provider != "nginx":
        return
    served = urls.served(inputs)
    secure = [variable for variable, url in served if url.secure]
    if inputs.tls == "certbot":
        _check_order(inputs, {variable: url for variable, url in served if url.secure})
    source = _TLS if issued else _CERTIFICATE
    if inputs.tls_ends_before_proxy:
        if has_certificate or issued:
            inputs.add(
                "certificate",
                source,
                "no certificate for nginx",
                "remove one of the two variables",
                found="staging_tls_before_proxy says that TLS ends before nginx",
            )
    elif secure and not issued and not has_certificate and not has_key and inputs.get(_TLS) != "files":
        inputs.add(
            "certificate",
            _CERTIFICATE,
            "a certificate and a key for nginx",
            f"set {_TLS} to certbot or private_ca, or {_CERTIFICATE} and {_KEY}, or staging_tls_before_proxy where TLS"
            " ends before nginx",
            found=f"{' and '.join(secure)} {'uses' if len(secure) == 1 else 'use'} TLS",
        )
    if (has_certificate or issued) and served and not secure:
        inputs.add(
            "certificate-unused",
            source,
            "a public URL with https:// or wss://",
            "write the URLs with https:// and wss://, or remove the certificate",
            found="no public URL uses TLS",
        )


def _check_issued(inputs: DeploymentInputs, *, given: bool) -> bool:
    """Whether the certificate is issued by the deployment itself, and what contradicts it.

    :param given: Whether files of a certificate are set.
    """
    issued = inputs.tls in ("certbot", "private_ca")
    if issued and inputs.provider != "nginx":
        remedy = "configure the certificate in that proxy"
        if inputs.provider == "nginx_proxy_manager":
            remedy = "set staging_proxy_manager_certificate, or staging_proxy_manager_certificate_request: true"
        inputs.add(
            "tls-without-nginx",
            _TLS,
            "nginx as the proxy",
            f"remove it, and {remedy}",
            found=f"staging_proxy_provider is {inputs.provider}, which has its own certificates",
        )
    explicit = inputs.get(_TLS)
    if given and explicit in ("none", "certbot", "private_ca"):
        inputs.add(
            "certificate",
            _TLS,
            "files, for a certificate that is set",
            f"remove {_TLS}, or {_CERTIFICATE} and {_KEY}",
            found=f"{_CERTIFICATE} or {_KEY} is set",
        )
    elif explicit == "files" and not given:
        inputs.add(
            "certificate",
            _TLS,
            f"files that are named by {_CERTIFICATE} and {_KEY}",
            "set both",
            found="neither is set",
        )
    return issued


def _check_order(inputs: DeploymentInputs, secure: Mapping[str, Url]) -> None:
    """Whether an ACME authority can prove the names at port 80."""
    directory = inputs.line(_ACME_DIRECTORY)
    if directory is not None and not directory.startswith("https://"):
        inputs.add("acme-directory", _ACME_DIRECTORY, "a URL with https://", "write the one that the authority names")
    hosts: set[str] = set()
    for variable, url in secure.items():
        if url.host in hosts:
            continue
        hosts.add(url.host)
        address = as_address(url.host) is not None
        if address or (directory is None and (is_internal(url.host) or is_loopback(url.host))):
            inputs.add(
                "acme-name",
                variable,
                "a name in the public DNS" if not address else "a name",
                f"set {_TLS} to private_ca",
                found=f"certbot gets no certificate for {url.host}"
                + ("" if address else ", which no public authority can reach"),
            )
    if "staging_acme_root" in inputs.given and not inputs.get("staging_acme_root"):
        inputs.add(
            "acme-root",
            "staging_acme_root",
            "a directory",
            "remove the variable",
            found=f"{_TLS} is certbot, which answers challenges from it",
        )
    if inputs.get("staging_tls_redirect") is not None and not inputs.is_true("staging_tls_redirect"):
        inputs.add(
            "acme-port",
            "staging_tls_redirect",
            "true",
            "remove the variable",
            found=f"{_TLS} is certbot, which answers challenges at port 80, where no server would listen",
        )
