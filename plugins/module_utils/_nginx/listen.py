# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ``listen`` and ``server_name`` directives of server blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .config import Directive


@dataclass(frozen=True)
class Listen:
    """One ``listen`` of a server; the address is ``*`` for any IPv4 address and ``[::]`` for any IPv6 address."""

    address: str
    port: int
    default: bool = False
    tls: bool = False


#: Where a server without a ``listen`` directive listens.
_UNSET = Listen("*", 80)


def parse_listen(args: Sequence[str]) -> Listen | None:
    """Read the arguments of ``listen``; ``None`` for a unix socket."""
    if not args or args[0].startswith("unix:"):
        return None
    value, options = args[0], set(args[1:])
    default, tls = bool(options & {"default_server", "default"}), bool(options & {"ssl", "quic"})
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.%\w]*\]|[^:\[\]]+)(?::(\d+))?", value)
    if match is None:
        return None
    address, port = match.group(1), match.group(2)
    if port is None and address.isdigit():
        return Listen("*", int(address), default, tls)
    if address in ("0.0.0.0", "*"):  # noqa: S104 - compared, not bound
        address = "*"
    return Listen(address.lower(), int(port or 80), default, tls)


def listens_of(server: Directive) -> tuple[Listen, ...]:
    """The TCP sockets of a server block."""
    directives = server.children("listen")
    if not directives:
        return (_UNSET,)
    return tuple(parsed for each in directives if (parsed := parse_listen(each.args)) is not None)


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
