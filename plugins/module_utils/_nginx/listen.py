# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ``listen`` and ``server_name`` directives of server blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .config import Directive


@dataclass(frozen=True)
class Listen:
    """One ``listen`` of a server.

    :param address: ``*`` for any IPv4 address and ``[::]`` for any IPv6 address; a host name as it is written.
    :param http2: Whether it has the option ``http2``.
    :param proxy_protocol: Whether connections begin with a header of the PROXY protocol.
    :param both_families: Whether ``[::]`` takes connections of IPv4 too.
    :param where: FILE:LINE of the directive.
    """

    address: str
    port: int
    default: bool = False
    tls: bool = False
    http2: bool = False
    proxy_protocol: bool = False
    both_families: bool = False
    where: str = field(default="", compare=False)


#: Where a server without a ``listen`` directive listens.
_UNSET = Listen("*", 80)


def parse_listen(args: Sequence[str]) -> tuple[Listen, ...]:
    """Read the arguments of ``listen``; one for each port of a range, none for a unix socket."""
    if not args or args[0].startswith("unix:"):
        return ()
    match = re.fullmatch(r"(?:(\[[0-9A-Fa-f:.%\w]*\]|[^:\[\]]+?)(?::|\Z))?(?:(\d+)(?:-(\d+))?)?", args[0])
    if match is None:
        return ()
    address, first, last = match.groups()
    if first is None and re.fullmatch(r"\d+(-\d+)?", address or ""):
        first, _dash, last = address.partition("-")
        address = "*"
    if address in (None, "0.0.0.0", "*"):  # noqa: S104 - compared, not bound
        address = "*"
    options = set(args[1:])
    one = Listen(
        address.lower(),
        0,
        default=bool(options & {"default_server", "default"}),
        tls=bool(options & {"ssl", "quic"}),
        http2="http2" in options,
        proxy_protocol="proxy_protocol" in options,
        both_families="ipv6only=off" in options,
    )
    return tuple(replace(one, port=port) for port in range(int(first or 80), int(last or first or 80) + 1))


def listens_of(server: Directive) -> tuple[Listen, ...]:
    """The TCP sockets of a server block."""
    directives = server.children("listen")
    if not directives:
        return (replace(_UNSET, where=server.where),)
    return tuple(replace(one, where=each.where) for each in directives for one in parse_listen(each.args))


def names_of(server: Directive) -> tuple[str, ...]:
    """The names of a server, ``""`` if it has none; ``.example.com`` is ``example.com`` and ``*.example.com``."""
    found: list[str] = []
    for each in server.children("server_name"):
        for name in each.args:
            if name.startswith("."):
                found += [name[1:].lower(), f"*{name.lower()}"]
            else:
                found.append(name if name.startswith("~") else name.lower())
    return tuple(found) or ("",)
