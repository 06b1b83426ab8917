# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The paths of a managed block, as the modules' options give them (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What nginx takes in a location without quotes, and no escapes: it compares decoded paths.
_PATH = re.compile(r"/[A-Za-z0-9._~@:+,=/-]*")
# Host name, IPv4 address or IPv6 address in brackets, and a port.
_UPSTREAM = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


class BlockError(ValueError):
    """A value or a text that no block can be made of; one sentence."""


@dataclass(frozen=True)
class BlockPath:
    """A path with locations of its own.

    :param prefix: Whether the paths below it belong to it too; ``/wsx`` never belongs to ``/ws``.
    :param upstream: Host and port, if they are not the forward address of the host.
    :param upgrade: Whether it is a path of WebSockets.
    """

    path: str
    prefix: bool = False
    upstream: str = ""
    upgrade: bool = True
    buffering: bool = False

    @property
    def locations(self) -> tuple[tuple[str, str], ...]:
        """The nginx locations (modifier, path) that match exactly this."""
        if not self.prefix:
            return (("=", self.path),)
        if self.path.endswith("/"):
            return (("^~", self.path),)
        return (("=", self.path), ("^~", f"{self.path}/"))


def parse_path(raw: object, option: str = "websocket_paths") -> BlockPath:
    """Read one entry: a path, or a mapping of ``path``, ``prefix`` and ``upstream`` (``buffering`` for ordinary ones).

    :raises BlockError: If it is not a path that a location can be made of.
    """
    upgrade = option == "websocket_paths"
    entry: Mapping[str, object] = raw if isinstance(raw, Mapping) else {"path": raw}
    keys = ("path", "prefix", "upstream") if upgrade else ("path", "prefix", "upstream", "buffering")
    unknown = sorted(str(key) for key in set(entry) - set(keys))
    if unknown:
        raise BlockError(f"O({option}) has an entry with the key {unknown[0]!r}; expected {', '.join(keys)}")
    path, upstream = entry.get("path"), entry.get("upstream") or ""
    if not isinstance(path, str) or not _PATH.fullmatch(path) or "//" in path or "/./" in path or "/../" in path:
        raise BlockError(
            f"O({option}) has the entry {path!r}; expected a path like /ws of letters, digits and ._~@:+,=/-"
        )
    if not isinstance(upstream, str) or (upstream and not _UPSTREAM.fullmatch(upstream)):
        raise BlockError(
            f"O({option}) has the upstream {upstream!r} for {path}; expected host and port like 192.0.2.10:80"
        )
    prefix = _truth(entry.get("prefix", False))
    if prefix and path == "/":
        raise BlockError(
            f"O({option}) has the prefix /, which is the location of Nginx Proxy Manager itself; name the path, or "
            "switch Websockets Support on instead"
        )
    return BlockPath(path, prefix, upstream, upgrade, not upgrade and _truth(entry.get("buffering", True)))


def _truth(value: object) -> bool:
    """A boolean, also where a template made it a word."""
    return value.strip().lower() in ("yes", "true", "on", "1") if isinstance(value, str) else bool(value)


def parse_paths(raw: Sequence[object], ordinary: Sequence[object] = ()) -> tuple[BlockPath, ...]:
    """Read all entries, those for WebSockets first.

    :raises BlockError: If one is not a path, or two of them need the same location.
    """
    paths = tuple(parse_path(each) for each in raw) + tuple(parse_path(each, "forward_paths") for each in ordinary)
    seen: set[tuple[str, str]] = set()
    for each in paths:
        for location in each.locations:
            if location in seen:
                raise BlockError(f"O(websocket_paths) and O(forward_paths) name {each.path!r} twice; name it once")
            seen.add(location)
    return paths
