# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy hosts that Nginx Proxy Manager needs, derived from the public URLs (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """One proxy host: its forward address and the paths of its block.

    :param domain_names: All its names; empty to leave them as they are.
    """

    name: str
    forward_host: str
    forward_port: int
    websocket_paths: tuple[HostPath, ...]
    forward_paths: tuple[HostPath, ...]
    domain_names: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "forward_host": self.forward_host,
            "forward_port": self.forward_port,
            "websocket_paths": [each.as_websocket_option() for each in self.websocket_paths],
            "forward_paths": [each.as_option() for each in self.forward_paths],
            "domain_names": list(self.domain_names),
        }


def plan_hosts(
    inputs: SiteInputs, forward: bool, domain_names: Mapping[str, Sequence[str]] | None = None
) -> tuple[DerivedHost, ...]:
    """One entry for each proxy host that is needed; none for a backend at a socket, which only nginx beside it uses.

    A host of the page forwards to the page, and its block routes the application's paths to the backend.

    :param forward: Whether hosts are wanted for their forward address alone.
    :param domain_names: All names of a proxy host, by one of them. Names of one host are one entry.
    """
    if inputs.backend_upstream.startswith("unix:"):
        return ()
    page = inputs.public_page
    hosts = []
    for group in _groups(inputs, domain_names or {}):
        is_page = page is not None and page.host in group
        address = inputs.frontend_upstream if is_page else inputs.backend_upstream
        websockets = tuple(each for name in group for each in _websockets(inputs, name, address))
        taken = {each.path for each in websockets}
        ordinary = tuple(each for name in group for each in _ordinary(inputs, name, address, is_page, taken))
        if websockets or ordinary or forward:
            host, _, port = address.rpartition(":")
            names = _declared(group, domain_names or {})
            hosts.append(DerivedHost(group[0], host, int(port), websockets, ordinary, names))
    return tuple(hosts)


def _declared(group: Sequence[str], domain_names: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names that the user gave for a host; empty if there are none."""
    known = {each.lower() for each in group}
    for one, others in domain_names.items():
        if known & {str(each).lower() for each in (one, *others)}:
            return tuple(str(each) for each in others)
    return ()


def _groups(inputs: SiteInputs, domain_names: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The public names, those of one proxy host together; the first one is that of the WebSocket if it is there."""
    page = inputs.public_page
    groups: list[list[str]] = []
    for name in dict.fromkeys([inputs.public_websocket.host, inputs.public_api.host, *([page.host] if page else [])]):
        together = {name}
        for one, others in domain_names.items():
            names = {str(each).lower() for each in (one, *others)}
            together |= names if name.lower() in names else set()
        for group in groups:
            if any(each.lower() in together for each in group):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _websockets(inputs: SiteInputs, name: str, forward: str) -> Iterator[HostPath]:
    if name != inputs.public_websocket.host:
        return
    for path in inputs.websocket_paths:
        yield HostPath(path, _unless(forward, inputs.websocket_upstreams.get(path, inputs.backend_upstream)))


def _ordinary(inputs: SiteInputs, name: str, forward: str, is_page: bool, websockets: set[str]) -> Iterator[HostPath]:
    if name != inputs.public_api.host:
        return
    taken = set(websockets)
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
