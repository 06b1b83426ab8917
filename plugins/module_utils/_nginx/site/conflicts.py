# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where other files of the configuration take requests away from a site, or the site from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..config import Directive, Tree
from ..listen import Listen, listens_of, names_of


@dataclass(frozen=True)
class Server:
    """What decides whether a server block answers a request."""

    listens: tuple[Listen, ...]
    names: tuple[str, ...]
    where: str
    file: str


@dataclass(frozen=True)
class NameConflict:
    """A host name that two files claim on one address and port; nginx ignores all claims but the first."""

    name: str
    port: int
    other: str
    site_first: bool


@dataclass(frozen=True)
class Claim:
    """A server block of another file that answers for a host name on a port; ``where`` is its file and line."""

    name: str
    port: int
    where: str
    file: str


def claims_of(servers: Sequence[Server]) -> set[tuple[str, int]]:
    """Host names with the ports on which the servers answer for them."""
    return {(name, each.port) for server in servers for each in server.listens for name in server.names if name}


def claims_of_others(
    servers: Sequence[Server], wanted: Collection[tuple[str, int]], own: Collection[str]
) -> list[Claim]:
    """Where files other than ``own`` answer for wanted names and ports, whatever the address: one claim per block."""
    found: list[Claim] = []
    for server in servers:
        both = sorted(claims_of([server]) & set(wanted))
        if both and server.file not in own:
            name, port = both[0]
            found.append(Claim(name, port, server.where, server.file))
    return found


def other_services(servers: Sequence[Server], file: str, wanted: Collection[tuple[str, int]]) -> list[str]:
    """What a file answers for beyond the wanted names and ports, which would be lost without it."""
    found: list[str] = []
    for server in servers:
        if server.file != file:
            continue
        named = claims_of([server])
        if not named or {name for name, _port in named} == {"_"}:
            # Without a name of its own, it answers for whatever no other server does.
            found += [f"other names on port {port}" for port in sorted({each.port for each in server.listens})]
            continue
        found += [f"{name} on port {port}" for name, port in sorted(named - set(wanted)) if name != "_"]
    return list(dict.fromkeys(found))


def servers_of(tree: Tree) -> list[Server]:
    """The servers of a tree in the order in which nginx loads them."""
    return [server_of(block) for block in tree.servers()]


def server_of(block: Directive) -> Server:
    """What decides whether a server block answers a request."""
    return Server(listens_of(block), names_of(block), block.where, block.file)


def name_conflicts(servers: Sequence[Server], site_file: str) -> list[NameConflict]:
    """Host names of the site that another file claims too."""
    found: list[NameConflict] = []
    for index, mine in enumerate(servers):
        if mine.file != site_file:
            continue
        for other_index, other in enumerate(servers):
            if other.file == site_file:
                continue
            for name in mine.names:
                if name == "" or name not in other.names:
                    continue
                ports = {(each.address, each.port) for each in mine.listens} & {
                    (each.address, each.port) for each in other.listens
                }
                for _address, port in sorted(ports)[:1]:
                    found.append(NameConflict(name, port, other.where, index < other_index))
    return found


def hidden_addresses(servers: Sequence[Server], site_file: str) -> list[tuple[str, str]]:
    """Addresses on which a server of another file takes every connection away from the site.

    nginx chooses among the servers that listen on the exact address of a connection, and asks those on any address
    only if there is none. Each entry is the address with its port, and the place of the other server.
    """
    found: list[tuple[str, str]] = []
    own = {(each.address, each.port) for server in servers if server.file == site_file for each in server.listens}
    for server in servers:
        for each in server.listens:
            any_address = "[::]" if each.address.startswith("[") else "*"
            if each.address == any_address or (each.address, each.port) in own or (any_address, each.port) not in own:
                continue
            found.append((f"{each.address}:{each.port}", server.where))
    return found
