# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which server block answers a request.

The rules are those of ``ngx_http_request.c`` and of https://nginx.org/en/docs/http/server_names.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..config import Directive
from ..listen import Listen, listens_of
from .patterns import python_regex
from .request import HttpRequest
from .surroundings import Elsewhere, Surroundings

#: Whether a regular expression of a server name, by the directive that has it, matches a host name.
NameMatches = Callable[[Directive, str, str], bool]


@dataclass(frozen=True)
class Candidate:
    """A server block at one of its ``listen`` directives."""

    server: Directive
    listen: Listen


@dataclass(frozen=True)
class ChosenServer:
    """The server that answers; ``matched_by`` is ``name``, ``wildcard``, ``regex`` or ``default``."""

    server: Directive
    listen: Listen
    matched_by: str


def servers_at(
    servers: Sequence[Directive], request: HttpRequest, surroundings: Surroundings | None = None
) -> list[Candidate]:
    """The servers that nginx chooses among for a connection, in the order in which it loads them.

    Those that listen on the exact address exclude those on any address.
    """
    there = [
        (Candidate(server, each), _addresses(each, surroundings or Elsewhere()))
        for server in servers
        for each in listens_of(server)
        if each.port == request.port
    ]
    if request.address is None:
        addresses = ["*", "[::]", *(address for _each, known in there for address in known)]
    elif ":" in request.address:
        addresses = [f"[{request.address}]", "[::]"]
    else:
        both = any(candidate.listen.both_families for candidate, known in there if "[::]" in known)
        addresses = [request.address, "*", *(["[::]"] if both else [])]
    for address in addresses:
        found = [candidate for candidate, known in there if address in known]
        if found:
            return found
    return []


def unresolved(servers: Sequence[Directive], request: HttpRequest, surroundings: Surroundings) -> Listen | None:
    """The first host name in a ``listen`` that may stand for the address that the client connects to."""
    if request.address is None:
        return None
    for server in servers:
        for each in listens_of(server):
            if each.port == request.port and _is_name(each) and surroundings.addresses_of(each.address) is None:
                return each
    return None


def _is_name(listen: Listen) -> bool:
    return not listen.address.startswith("[") and re.search("[a-z]", listen.address) is not None


def _addresses(listen: Listen, surroundings: Surroundings) -> tuple[str, ...]:
    """The addresses of a ``listen``; a host name that is not known is its own address."""
    if not _is_name(listen):
        return (listen.address,)
    return surroundings.addresses_of(listen.address) or (listen.address,)


def choose_server(candidates: Sequence[Candidate], host_name: str, matches: NameMatches | None = None) -> ChosenServer:
    """The server for a host name.

    :param candidates: At least one, see :func:`servers_at`.
    """
    host = host_name.lower().rstrip(".")
    names = _Names(candidates)
    for index, matched_by in ((names.exact(host), "name"), (names.wildcard(host), "wildcard")):
        if index is not None:
            return _chosen(candidates[index], matched_by)
    for each in candidates:
        for directive in each.server.children("server_name"):
            regexes = [name for name in directive.args if name.startswith("~")]
            if any((matches or _regex_matches)(directive, name, host) for name in regexes):
                return _chosen(each, "regex")
    marked = (each for each in candidates if each.listen.default)
    return _chosen(next(marked, candidates[0]), "default")


class _Names:
    """The hash tables of nginx: names to the index of the server that has them first."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.names: dict[str, int] = {}
        self.leading: dict[str, int] = {}
        self.trailing: dict[str, int] = {}
        taken: set[str] = set()
        for index, candidate in enumerate(candidates):
            for name in map(str.lower, _names(candidate.server)):
                # A regular expression may be in the tables: no host name begins with a tilde.
                suffix = name.lstrip("*.")
                if name.startswith("*."):
                    self.leading.setdefault(suffix, index)
                elif name.endswith(".*"):
                    self.trailing.setdefault(name[:-1], index)
                elif suffix not in taken:
                    # nginx drops a name that is taken, `.example.com` with everything below it.
                    taken.add(suffix)
                    if not name.startswith("."):
                        self.names[name] = index
                    elif suffix not in self.leading:
                        self.names[suffix] = self.leading[suffix] = index

    def exact(self, host: str) -> int | None:
        return self.names.get(host)

    def wildcard(self, host: str) -> int | None:
        """The longest one with a leading asterisk, otherwise the longest one with a trailing asterisk."""
        leading = [(len(each), index) for each, index in self.leading.items() if host.endswith(f".{each}")]
        trailing = [(len(each), index) for each, index in self.trailing.items() if host.startswith(each)]
        return max(leading or trailing)[1] if leading or trailing else None


def _names(server: Directive) -> list[str]:
    return [name for each in server.children("server_name") for name in each.args]


def _regex_matches(_directive: Directive, name: str, host: str) -> bool:
    pattern = python_regex(name[1:], ignore_case=True)
    return pattern is not None and pattern.search(host) is not None


def _chosen(candidate: Candidate, matched_by: str) -> ChosenServer:
    return ChosenServer(candidate.server, candidate.listen, matched_by)
