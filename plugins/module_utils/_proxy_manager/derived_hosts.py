# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy hosts that Nginx Proxy Manager needs, derived from the public URLs (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._nginx.site_inputs import SiteInputs


@dataclass(frozen=True)
class HostPath:
    """A path that the managed block routes; an empty ``upstream`` is the forward address of the host."""

    path: str
    upstream: str = ""
    buffering: bool = True

    def as_option(self) -> dict[str, Any]:
        """An entry of the module's option ``forward_paths``."""
        return {**self.as_websocket_option(), "buffering": self.buffering}

    def as_websocket_option(self) -> dict[str, Any]:
        """An entry of the module's option ``websocket_paths``."""
        return {"path": self.path, "prefix": self.path.endswith("/"), "upstream": self.upstream}


@dataclass(frozen=True)
class DerivedHost:
    """One proxy host: its forward address and the paths of its block."""

    name: str
    forward_host: str
    forward_port: int
    websocket_paths: tuple[HostPath, ...]
    forward_paths: tuple[HostPath, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "forward_host": self.forward_host,
            "forward_port": self.forward_port,
            "websocket_paths": [each.as_websocket_option() for each in self.websocket_paths],
            "forward_paths": [each.as_option() for each in self.forward_paths],
        }


def plan_hosts(inputs: SiteInputs, forward: bool) -> tuple[DerivedHost, ...]:
    """One entry for each host name that needs something.

    A host of the page forwards to the page, and its block routes the application's paths to the backend.

    :param forward: Whether hosts are wanted for their forward address alone.
    """
    page = inputs.public_page
    names = [inputs.public_websocket.host, inputs.public_api.host, *([page.host] if page else [])]
    hosts = []
    for name in dict.fromkeys(names):
        is_page = page is not None and name == page.host
        address = inputs.frontend_upstream if is_page else inputs.backend_upstream
        websockets = tuple(_websockets(inputs, name, address))
        ordinary = tuple(_ordinary(inputs, name, address, is_page))
        if websockets or ordinary or forward:
            host, _, port = address.rpartition(":")
            hosts.append(DerivedHost(name, host, int(port), websockets, ordinary))
    return tuple(hosts)


def _websockets(inputs: SiteInputs, name: str, forward: str) -> Iterator[HostPath]:
    if name != inputs.public_websocket.host:
        return
    for path in inputs.websocket_paths:
        yield HostPath(path, _unless(forward, inputs.websocket_upstreams.get(path, inputs.backend_upstream)))


def _ordinary(inputs: SiteInputs, name: str, forward: str, is_page: bool) -> Iterator[HostPath]:
    if name != inputs.public_api.host:
        return
    taken = {*inputs.websocket_paths} if name == inputs.public_websocket.host else set()
    upstream = _unless(forward, inputs.backend_upstream)
    for path in inputs.sse_paths:
        if path not in taken:
            taken.add(path)
            yield HostPath(path, upstream, buffering=False)
    for path in inputs.api_paths if is_page else ():
        if path not in taken:
            taken.add(path)
            yield HostPath(path, upstream)


def _unless(forward: str, upstream: str) -> str:
    return "" if upstream == forward else upstream
