# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where ``proxy_pass`` sends a request (``ngx_http_proxy_module.c``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ..config import Directive, Tree, walk
from .inheritance import Context, nearest
from .location_choice import modifier_and_path
from .request import HttpRequest
from .rewrite import Ended, Uri
from .surroundings import NotFollowedError, Surroundings
from .variables import Variables

_URL = re.compile(r"(https?)://(unix:[^:]*:?|\[[^\]]*\](?::\d+)?|[^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_ADDRESS = re.compile(r"\[[0-9A-Fa-f:.]+\]|\d+\.\d+\.\d+\.\d+")
_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class Upstream:
    """The target of a request.

    :param path: The path that the upstream gets, as it is sent but without arguments.
    :param failure: nginx's answer if it cannot connect.
    :param servers: Addresses with ports, or sockets, of which nginx asks one.
    """

    by: Directive
    tls: bool
    path: str
    failure: Ended | None = None
    servers: tuple[str, ...] = ()


def upstream_of(
    tree: Tree,
    by: Directive,
    location: Directive | None,
    contexts: Sequence[Context],
    uri: Uri,
    variables: Variables,
    request: HttpRequest,
    surroundings: Surroundings,
) -> Upstream:
    """Evaluate a ``proxy_pass``.

    :raises NotFollowedError: If its host is only known while nginx runs.
    """
    template = by.args[0] if by.args else ""
    dynamic = "$" in template
    url = variables.text(template)
    if url is None:
        raise NotFollowedError(by.where, f"the value of {template} is not known")
    match = _URL.fullmatch(url)
    if match is None:
        return Upstream(by, False, "", Ended(500, by))
    scheme, host, own = match.group(1).lower(), match.group(2), match.group(3)
    failure = None
    if dynamic:
        failure = _unresolved(tree, by, contexts, scheme, host)
        path = own if own.startswith("/") or not own else f"/{own}"
    elif own and uri.in_location:
        # A path replaces what the location matched, unless a `rewrite ... break` came first.
        matched = modifier_and_path(location)[1] if location is not None else ""
        path = own if "?" in own else own + _escaped(uri.path[len(matched) :])
    else:
        path = ""
    if not path:
        path = request.path_as_sent if uri.original else _escaped(uri.path)
    tls = scheme == "https"
    if failure is None and request.upstream_tls is not None and tls != request.upstream_tls:
        failure = Ended(502, by)
    if failure is None:
        failure = _dead(tree, by, host, surroundings) or _bound(contexts, variables, surroundings)
    servers = _servers(tree, host)
    asked = [each.args[0] for each in servers if "down" not in each.args[1:]] if servers else [host]
    port = "80" if servers else _PORTS[scheme]
    return Upstream(by, tls, path.partition("?")[0], failure, tuple(_with_port(each, port) for each in asked))


def _escaped(path: str) -> str:
    """A path as nginx sends it (``NGX_ESCAPE_URI``)."""
    return quote(path, safe="!$&'()*+,/:;=@[]\\^`{|}~<>\"", errors="surrogateescape")


def _dead(tree: Tree, by: Directive, host: str, surroundings: Surroundings) -> Ended | None:
    """nginx's answer if all servers of an upstream are marked down, or are sockets that do not exist."""
    servers = _servers(tree, host)
    if servers and all("down" in each.args[1:] or _is_missing(each.args[0], surroundings) for each in servers):
        return Ended(502, by, why=f"none of the servers in {servers[0].where} can be asked (down, or a missing socket)")
    if _is_missing(host, surroundings):
        return Ended(502, by, why="that socket does not exist")
    if _is_closed(host, surroundings):
        return Ended(
            502, by, why="the user of nginx may not connect to that socket (by its mode, or a directory's above it)"
        )
    return None


def _servers(tree: Tree, host: str) -> list[Directive]:
    """The servers of the ``upstream`` of this name; none if there is none."""
    found = (
        each for each in tree.http() if each.name == "upstream" and [*map(str.lower, each.args[:1])] == [host.lower()]
    )
    block = next(found, None)
    return block.children("server") if block is not None else []


def _with_port(address: str, port: str) -> str:
    return address if address.startswith("unix:") or re.search(r":\d+\Z", address) else f"{address}:{port}"


def _is_missing(address: str, surroundings: Surroundings) -> bool:
    path = _socket_path(address)
    try:
        surroundings.is_directory(path) if path else None
    except FileNotFoundError:
        return True
    return False


def _is_closed(address: str, surroundings: Surroundings) -> bool:
    path = _socket_path(address)
    return bool(path) and surroundings.may_connect(path) is False


def _socket_path(address: str) -> str:
    """The path of a UNIX socket; empty for another address."""
    return address[5:].rstrip(":") if address.lower().startswith("unix:/") else ""


def _bound(contexts: Sequence[Context], variables: Variables, surroundings: Surroundings) -> Ended | None:
    """nginx's answer if ``proxy_bind`` names an address that this host does not have."""
    _context, own = nearest(contexts, "proxy_bind")
    if not own or own[0].args[0] == "off" or "transparent" in own[0].args:
        return None
    address = variables.text(own[0].args[0])
    if address is None:
        raise NotFollowedError(own[0].where, f"the value of {own[0].args[0]} is not known")
    literal = re.sub(r"\A\[(.*)\](:\d+)?\Z|\A([\d.]+):\d+\Z", r"\1\3", address)
    has = surroundings.has_address(literal) if literal else True
    if has is None:
        raise NotFollowedError(own[0].where, f"whether the host has the address {address} is not known")
    return None if has else Ended(500, own[0])


def _unresolved(tree: Tree, by: Directive, contexts: Sequence[Context], scheme: str, host: str) -> Ended | None:
    """nginx's answer if a host that a variable names cannot be resolved."""
    if host.lower().startswith("unix:"):
        return None
    name, _colon, port = host.rpartition(":") if re.search(r":\d*\Z", host) else (host, "", "")
    if _ADDRESS.fullmatch(name):
        return None
    if not name:
        return Ended(500, by)
    if (name.lower(), port or _PORTS[scheme]) in _implicit(tree):
        return None
    if not port and name.lower() in _explicit(tree):
        return None
    _context, resolver = nearest(contexts, "resolver")
    if resolver:
        raise NotFollowedError(by.where, f"the resolver in {resolver[0].where} looks up {name} while nginx runs")
    return Ended(502, by)


def _explicit(tree: Tree) -> set[str]:
    return {each.args[0].lower() for each in tree.http() if each.name == "upstream" and each.args}


def _implicit(tree: Tree) -> set[tuple[str, str]]:
    """Hosts with ports that a ``proxy_pass`` without variables names: nginx resolved them when it started."""
    found = set()
    for each in walk(tree.http()):
        if each.name.endswith("_pass") and each.args and "$" not in each.args[0]:
            match = _URL.fullmatch(each.args[0])
            if match is not None and not match.group(2).startswith(("[", "unix:")):
                name, _colon, port = match.group(2).partition(":")
                found.add((name.lower(), port or _PORTS[match.group(1).lower()]))
    return found - {(name, "80") for name in _explicit(tree)}
