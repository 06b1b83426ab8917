# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about the choice of the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..config import Directive, Tree, walk
from ..listen import listens_of, names_of
from .findings import ERROR, WARNING, ConfigFinding
from .location_choice import is_regex, modifier_and_path, title
from .patterns import python_regex
from .request import HttpRequest
from .server_choice import Candidate, ChosenServer

_ANY_ADDRESS = ("*", "[::]")


def server_findings(
    tree: Tree, candidates: Sequence[Candidate], chosen: ChosenServer, request: HttpRequest
) -> Iterator[ConfigFinding]:
    """Findings about the server that answers, and about others that take requests from it."""
    if chosen.matched_by == "default":
        yield _default_server(tree, chosen, request)
    yield from _duplicate_names(candidates, chosen, request)
    if request.address is None:
        yield from _taken_addresses(tree, chosen, request.port)
    yield from _tls(chosen, request)


def server_returns(server: Directive, returned: Directive, path: str) -> ConfigFinding:
    what = "everything" if returned in (server.block or ()) else path
    return ConfigFinding(
        "server_returns",
        ERROR,
        f"the server in {server.where} answers {what} by return {' '.join(returned.args)} in {returned.where}, "
        "before a location is chosen",
        (returned.where,),
    )


def unread_patterns(candidates: Sequence[Candidate], server: Directive) -> Iterator[ConfigFinding]:
    """Regular expressions that only nginx can read and that may decide the choice."""
    for each in walk(server.block or ()):
        if each.name == "location" and is_regex(each):
            modifier, text = modifier_and_path(each)
            if python_regex(text, ignore_case=modifier == "~*") is None:
                yield ConfigFinding(
                    "unread_pattern",
                    WARNING,
                    f"the regular expression of {title(each)} cannot be evaluated here, and nginx may choose that "
                    "location",
                    (each.where,),
                )
    for candidate in candidates:
        for each in candidate.server.children("server_name"):
            for name in each.args:
                if name.startswith("~") and python_regex(name[1:], ignore_case=True) is None:
                    yield ConfigFinding(
                        "unread_pattern",
                        WARNING,
                        f"the regular expression {name} in {each.where} cannot be evaluated here, and nginx may choose "
                        "that server",
                        (each.where,),
                    )


def unreadable_files(tree: Tree) -> Iterator[ConfigFinding]:
    for each in tree.unreadable:
        yield ConfigFinding("unreadable_file", WARNING, f"a file cannot be read and is not evaluated: {each}")


def _default_server(tree: Tree, chosen: ChosenServer, request: HttpRequest) -> ConfigFinding:
    host, port, server = request.host_name.lower(), request.port, chosen.server
    named = [each for each in tree.servers() if host in names_of(each)]
    elsewhere = ""
    if named:
        ports = sorted({each.port for other in named for each in listens_of(other)})
        elsewhere = f"; {named[0].where} has the name, on port {', '.join(map(str, ports))}"
    return ConfigFinding(
        "default_server",
        ERROR,
        f"no server on port {port} has the name {host}, so the default server in {server.where} answers{elsewhere}",
        (server.where, *(each.where for each in named)),
    )


def _duplicate_names(
    candidates: Sequence[Candidate], chosen: ChosenServer, request: HttpRequest
) -> Iterator[ConfigFinding]:
    host, first = request.host_name.lower(), chosen.server.where
    servers = [each.server for each in candidates if each.server is not chosen.server]
    for where in dict.fromkeys(each.where for each in servers if host in names_of(each)):
        yield ConfigFinding(
            "duplicate_name",
            WARNING,
            f"{where} has the name {host} on port {request.port} too and is ignored, since {first} comes first",
            (first, where),
        )


def _taken_addresses(tree: Tree, chosen: ChosenServer, port: int) -> Iterator[ConfigFinding]:
    if chosen.listen.address not in _ANY_ADDRESS:
        return
    for each in tree.servers():
        for own in listens_of(each):
            if own.port == port and own.address not in _ANY_ADDRESS:
                yield ConfigFinding(
                    "address_taken",
                    WARNING,
                    f"connections to {own.address}:{port} are answered by {each.where} whatever their host name, "
                    "since it listens on that very address",
                    (each.where,),
                )


def _tls(chosen: ChosenServer, request: HttpRequest) -> Iterator[ConfigFinding]:
    where = chosen.server.where
    if request.tls and not chosen.listen.tls:
        yield ConfigFinding(
            "plain_port", ERROR, f"{where} speaks no TLS on port {request.port}, and wss was asked for", (where,)
        )
    if not request.tls and chosen.listen.tls:
        yield ConfigFinding(
            "tls_port",
            ERROR,
            f"{where} speaks TLS on port {request.port}, and a plain request gets status 400 there",
            (where,),
        )
