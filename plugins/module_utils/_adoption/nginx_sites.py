# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx forwards to which ports and sockets of this host, from its configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._nginx.config import Directive, Tree, walk
from .._nginx.site.conflicts import server_of
from .._nginx.site.marker import is_managed

_PORT = re.compile(r"(?:https?://)?(?:127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0):(\d{1,5})(?:/|\Z)")
_SOCKET = re.compile(r"(?:https?://)?unix:(/[^:$]+)(?::|\Z)")
_NAMED = re.compile(r"https?://([A-Za-z0-9_.-]+)(?:/|\Z)")


def forwarding_servers(tree: Tree, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """The server blocks that forward to ports or sockets of this host, in the order of the configuration.

    :param texts: The text of each file, to tell those that this collection manages.
    """
    directives = list(walk(tree.directives))
    upstreams = {
        each.args[0]: [entry.args[0] for entry in each.block or () if entry.name == "server" and entry.args]
        for each in directives
        if each.name == "upstream" and each.args
    }
    found = []
    for each in directives:
        if each.name != "server" or each.block is None:
            continue
        locations = [
            location
            for inner in walk(each.block)
            if inner.name == "location" and inner.args and inner.block is not None
            for location in _location(inner, upstreams, _upgrades(each.block))
        ]
        if not locations:
            continue
        server = server_of(each)
        settings = {one.name: one.args[0] for one in each.block if one.args}
        found.append(
            {
                "names": [name for name in server.names if name and name != "_"],
                "ports": sorted({listen.port for listen in server.listens}),
                "tls": any("ssl" in one.args[1:] for one in each.block if one.name == "listen"),
                "certificate": settings.get("ssl_certificate", ""),
                "key": settings.get("ssl_certificate_key", ""),
                "where": server.where,
                "managed": is_managed(texts.get(server.file, "")),
                "locations": locations,
            }
        )
    return found


def _location(location: Directive, upstreams: Mapping[str, Sequence[str]], upgrades: bool) -> Iterable[dict[str, Any]]:
    for inner in location.block or ():
        if inner.name != "proxy_pass" or not inner.args:
            continue
        target = inner.args[0]
        named = _NAMED.match(target)
        targets = [target, *(upstreams.get(named[1], ()) if named else ())]
        ports, sockets = _ports(targets), [found[1] for found in map(_SOCKET.match, targets) if found]
        if ports or sockets:
            own = _upgrades(location.block or ())
            own = own or (upgrades and not any(each.name == "proxy_set_header" for each in location.block or ()))
            yield {"path": location.args[-1], "ports": ports, "sockets": sockets, "websocket": own}


def _upgrades(block: Iterable[Directive]) -> bool:
    return any(
        each.name == "proxy_set_header" and each.args[:1] and each.args[0].lower() == "upgrade" for each in block
    )


def _ports(targets: Iterable[str]) -> list[int]:
    return [int(found[1]) for found in map(_PORT.match, targets) if found and int(found[1]) < 65536]
