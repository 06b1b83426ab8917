# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about the socket and about the choice of the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..config import Tree
from ..listen import listens_of, names_of
from .findings import ERROR, NOTICE, WARNING, ConfigFinding
from .inheritance import Context, nearest
from .request import HttpRequest
from .server_choice import Candidate, ChosenServer
from .units import version_numbers

_ANY_ADDRESS = ("*", "[::]")
#: Since this version a port with ``http2`` and without TLS takes HTTP/1.1 too.
_HTTP2_BESIDE_HTTP1 = (1, 25, 1)


def server_findings(
    tree: Tree, candidates: Sequence[Candidate], chosen: ChosenServer, request: HttpRequest, *, failed: bool
) -> Iterator[ConfigFinding]:
    """Findings about the server that answers, and about others that take requests from it.

    :param failed: Whether a WebSocket does not work there.
    """
    if chosen.matched_by == "default":
        yield _default_server(tree, chosen, request, ERROR if failed else NOTICE)
    yield from _duplicate_names(candidates, chosen, request)
    if request.address is None:
        yield from _taken_addresses(tree, chosen, request.port)


def socket_findings(
    tree: Tree, candidates: Sequence[Candidate], chosen: ChosenServer, request: HttpRequest, version: str
) -> Iterator[ConfigFinding]:
    """Findings about the protocols of the socket; an option of one server holds for all at the same address."""
    where, port = chosen.server.where, request.port
    speaking_tls = [each.listen.where for each in candidates if each.listen.tls]
    if request.tls and not speaking_tls:
        yield ConfigFinding(
            "plain_port", ERROR, f"{where} speaks no TLS on port {port}, and wss was asked for", (where,)
        )
    if not request.tls and speaking_tls:
        place = where if chosen.listen.tls else speaking_tls[0]
        yield ConfigFinding(
            "tls_port", ERROR, f"{place} speaks TLS on port {port}, and a plain request gets status 400 there", (place,)
        )
    for each in [each.listen.where for each in candidates if each.listen.proxy_protocol][:1]:
        yield ConfigFinding(
            "proxy_protocol",
            ERROR,
            f"connections to port {port} must begin with a PROXY protocol header, also those to {where}, because of "
            f"listen ... proxy_protocol in {each}; nginx answers no others",
            (each,),
        )
    known = version_numbers(version)
    for each in [each.listen.where for each in candidates if each.listen.http2][:1]:
        if not speaking_tls and known and known < _HTTP2_BESIDE_HTTP1:
            yield ConfigFinding(
                "http2_only",
                ERROR,
                f"port {port} speaks HTTP/2 without TLS alone because of {each}, and a handshake is HTTP/1.1",
                (each,),
            )
    if request.tls and speaking_tls:
        yield from _tls_settings(tree, chosen)


def _tls_settings(tree: Tree, chosen: ChosenServer) -> Iterator[ConfigFinding]:
    contexts = (Context("", chosen.server.block or ()), Context("", tuple(tree.http())))
    for name, what in (
        ("ssl_reject_handshake", "refuses every TLS connection"),
        ("ssl_verify_client", "answers clients without a certificate with status 400"),
    ):
        _context, own = nearest(contexts, name)
        if own and own[0].args == ("on",):
            yield ConfigFinding(
                name, ERROR, f"{chosen.server.where} {what} ({name} in {own[0].where})", (own[0].where,)
            )


def unreadable_files(tree: Tree) -> Iterator[ConfigFinding]:
    for each in tree.unreadable:
        yield ConfigFinding("unreadable_file", WARNING, f"a file cannot be read and is not evaluated: {each}")


def _default_server(tree: Tree, chosen: ChosenServer, request: HttpRequest, level: str) -> ConfigFinding:
    host, port, server = request.host_name.lower(), request.port, chosen.server
    named = [each for each in tree.servers() if host in names_of(each)]
    elsewhere = ""
    if named:
        ports = sorted({each.port for other in named for each in listens_of(other)})
        elsewhere = f"; {named[0].where} has the name, on port {', '.join(map(str, ports))}"
    return ConfigFinding(
        "default_server",
        level,
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
