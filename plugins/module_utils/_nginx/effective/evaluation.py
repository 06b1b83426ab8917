# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nginx does with a WebSocket handshake, derived from its configuration alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..config import Directive, Tree
from .findings import ERROR, ConfigFinding
from .inheritance import EffectiveValue, contexts_of, effective
from .location_choice import ChosenLocation, choose_location
from .location_findings import Answering, location_findings, redirected
from .request import HttpRequest, handshake_variables, ordinary_variables
from .rewrite import rewrite
from .server_choice import ChosenServer, choose_server, servers_at
from .server_findings import server_findings, server_returns, unread_patterns, unreadable_files
from .variables import Variables


@dataclass(frozen=True)
class Evaluation:
    """Who answers, with what in force, and what is wrong with it."""

    findings: tuple[ConfigFinding, ...]
    server: ChosenServer | None = None
    location: Directive | None = None
    values: Mapping[str, EffectiveValue] = field(default_factory=dict)
    headers: Mapping[str, EffectiveValue] = field(default_factory=dict)


def evaluate(tree: Tree, request: HttpRequest, version: str = "") -> Evaluation:
    """Evaluate a configuration for one handshake.

    :param version: Version of nginx, for the defaults; empty if it is unknown.
    """
    candidates = servers_at(tree.servers(), request)
    if not candidates:
        nobody = ConfigFinding("no_listener", ERROR, f"no server listens on port {request.port}")
        return Evaluation((nobody, *unreadable_files(tree)))
    chosen = choose_server(candidates, request.host_name)
    findings = list(server_findings(tree, candidates, chosen, request))
    answering, located = _answer(tree, chosen.server, request, version, findings)
    if located.redirects and answering.location is not None:
        findings.append(redirected(answering.location, request.path))
    else:
        findings += location_findings(answering)
    findings += unread_patterns(candidates, chosen.server)
    findings += unreadable_files(tree)
    in_force = answering.effective
    return Evaluation(tuple(findings), chosen, answering.location, in_force.values, in_force.headers)


def _answer(
    tree: Tree, server: Directive, request: HttpRequest, version: str, findings: list[ConfigFinding]
) -> tuple[Answering, ChosenLocation]:
    """Follow a request through the phases of nginx: rewrite of the server, choice and rewrite of the location."""
    handshake = Variables(tree.http(), handshake_variables(request))
    ordinary = Variables(tree.http(), ordinary_variables(request))
    rewrite(server.block or (), ordinary)
    of_server = rewrite(server.block or (), handshake)
    if of_server.returned is not None:
        findings.append(server_returns(server, of_server.returned, request.path))
    located = choose_location(server, request.path)
    location = located.innermost
    inside = location.block or () if location else ()
    rewrite(inside, ordinary)
    of_location = rewrite(inside, handshake)
    contexts = contexts_of(tree, server, located.chain, of_location.entered)
    # An `if` inherits the proxy_pass of its location; a nested location does not inherit that of the outer one.
    proxying = contexts[: 2 if of_location.entered else 1] if location else ()
    in_force = effective(contexts, proxying, version)
    answering = Answering(request, server, location, contexts, in_force, of_location.returned, handshake, ordinary)
    return answering, located
