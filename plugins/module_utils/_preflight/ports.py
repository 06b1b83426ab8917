# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of the processes and of the proxy, and which of them the public URLs name."""

from __future__ import annotations

from collections.abc import Mapping

from .._host.url import Url
from .urls import PublicUrls
from .variables import BACKEND_PORT, FRONTEND_PORT, GREEN_PORT, PAGE, PROXY_PORT, DeploymentInputs, is_port


def check_ports(inputs: DeploymentInputs) -> dict[str, int]:
    """Each port by itself, and whether two are the same.

    :returns: The ports of the processes that are valid, by variable.
    """
    ports: dict[str, int] = {}
    for variable, port in inputs.own_ports().items():
        if port is None:
            inputs.add("port", variable, "a port from 1 to 65535", "choose a free port above 1023")
            continue
        ports[variable] = port
        if port < 1024:
            inputs.add(
                "port-privileged",
                variable,
                "a port above 1023",
                "choose a free port above 1023",
                found="only root can listen on a port below 1024",
            )
    at_proxy = inputs.get(PROXY_PORT)
    if at_proxy is not None and str(at_proxy) != "0" and not is_port(at_proxy):
        inputs.add(
            "port",
            PROXY_PORT,
            "a port from 1 to 65535, or 0 for the port of the public URLs",
            "remove it for the port of the public URLs",
        )
    for variable, others in ((BACKEND_PORT, (FRONTEND_PORT,)), (GREEN_PORT, (BACKEND_PORT, FRONTEND_PORT))):
        for other in others:
            if variable in ports and ports[variable] == ports.get(other):
                inputs.add(
                    "ports-equal",
                    variable,
                    "a port of its own for each process",
                    "choose another port for one of them",
                    found=f"{other} is {ports[other]} too",
                )
    return ports


def check_listeners(inputs: DeploymentInputs, urls: PublicUrls, ports: Mapping[str, int]) -> None:
    """Whether each public URL names the port of what is to answer there."""
    backend, frontend = ports.get(BACKEND_PORT), ports.get(FRONTEND_PORT)
    for variable, url in urls.named:
        if variable == PAGE:
            _check_page(inputs, url, ports)
        elif url.port == frontend:
            inputs.add(
                "url-of-frontend",
                variable,
                "the host and port of the proxy, which routes to the backend",
                "write the URL that the proxy serves",
                found=f"port {url.port} is that of the page's own server ({FRONTEND_PORT}), which has no such endpoint",
            )
        elif inputs.provider == "nginx":
            _check_port_at_proxy(inputs, variable, url, ports)
        elif url.port == backend:
            inputs.add(
                "proxy-bypassed",
                variable,
                "the host and port of the proxy",
                "write the URL that the proxy serves",
                found=f"port {url.port} is that of the backend ({BACKEND_PORT}), so users bypass the proxy",
            )


def _check_port_at_proxy(inputs: DeploymentInputs, variable: str, url: Url, ports: Mapping[str, int]) -> None:
    """Whether the port at which nginx is to listen for a URL is one of the backend's."""
    port = inputs.port_at_proxy(url)
    for owner in (BACKEND_PORT, GREEN_PORT):
        if port == ports.get(owner):
            inputs.add(
                "port-of-proxy-taken",
                variable,
                "a port that the application does not use",
                "leave the port out for 80 and 443, or choose another port for the backend",
                found=f"nginx would have to listen on port {port}, which is that of the backend ({owner})",
            )


def _check_page(inputs: DeploymentInputs, url: Url, ports: Mapping[str, int]) -> None:
    backend, frontend = ports.get(BACKEND_PORT), ports.get(FRONTEND_PORT)
    at_proxy = inputs.port_at_proxy(url)
    behind_nginx = inputs.proxies_page and inputs.provider == "nginx"
    if url.port == backend:
        inputs.add(
            "url-of-backend",
            PAGE,
            "the host and port under which users open the page",
            "write the URL of the page",
            found=f"port {url.port} is that of the backend ({BACKEND_PORT}), which serves no page",
        )
    elif behind_nginx and at_proxy in (backend, ports.get(GREEN_PORT)):
        _check_port_at_proxy(inputs, PAGE, url, ports)
    elif frontend is None:
        return
    elif behind_nginx and at_proxy == frontend:
        inputs.add(
            "port-of-proxy-taken",
            PAGE,
            "a port that the application does not use",
            "write the port of the proxy, or set staging_proxy_page: false if the page is served without it",
            found=f"nginx would have to listen on port {at_proxy}, which is that of the page's own server"
            f" ({FRONTEND_PORT})",
        )
    elif not inputs.proxies_page and url.port != frontend and inputs.provider == "nginx":
        inputs.add(
            "page-port-unserved",
            PAGE,
            f"port {frontend}, on which the page is served without the proxy ({FRONTEND_PORT})",
            f"write {url.scheme}://{url.host}:{frontend}, or set staging_proxy_page: true",
            found="staging_proxy_page is false",
        )
