# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nginx does with a WebSocket handshake, derived from its configuration alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..config import Directive, Tree
from ..listen import listens_of
from .findings import ERROR, NOTICE, UNDECIDED, ConfigFinding, works
from .flow import Flow, Place
from .inheritance import Context, EffectiveValue, effective, nearest
from .location_findings import Answering, location_findings
from .patterns import python_regex
from .request import HttpRequest, decoded, handshake_variables, normal_path, ordinary_variables
from .server_choice import Candidate, ChosenServer, choose_server, servers_at, unresolved
from .server_findings import server_findings, socket_findings, unreadable_files
from .surroundings import Decisions, Elsewhere, NotFollowedError, Surroundings
from .units import seconds
from .unknown import unknown_directives
from .upstream import Upstream
from .variables import Definitions, Variables


@dataclass(frozen=True)
class IdleTimeout:
    """Seconds without a byte from the upstream or the client after which nginx closes a WebSocket."""

    seconds: float
    value: EffectiveValue


@dataclass(frozen=True)
class Evaluation:
    """Who answers, with what in force, and what is wrong with it.

    :param idle_timeout: ``None`` where nothing is proxied.
    :param upstream_servers: Those that nginx asks, each with its port.
    """

    findings: tuple[ConfigFinding, ...]
    server: ChosenServer | None = None
    location: Directive | None = None
    values: Mapping[str, EffectiveValue] = field(default_factory=dict)
    headers: Mapping[str, EffectiveValue] = field(default_factory=dict)
    upstream_path: str | None = None
    upstream_servers: tuple[str, ...] = ()
    idle_timeout: IdleTimeout | None = None


def evaluate(
    tree: Tree, request: HttpRequest, version: str = "", surroundings: Surroundings | None = None
) -> Evaluation:
    """Evaluate a configuration for one handshake.

    :param version: Version of nginx, for the defaults; empty if it is unknown.
    :param surroundings: The host of the configuration, if it can be asked.
    """
    around = surroundings or Elsewhere()
    candidates = servers_at(tree.servers(), request, around)
    named = unresolved(tree.servers(), request, around)
    unknown = NotFollowedError(named.where, f"the address of {named.address} is not known") if named else None
    if not candidates and unknown is not None:
        return Evaluation((_not_followed(unknown), *unreadable_files(tree)))
    forwarding = _stream_server(tree, request.port)
    if not candidates and forwarding is not None:
        why = f"the stream server forwards port {request.port} without a look at the request"
        return Evaluation((_not_followed(NotFollowedError(forwarding.where, why)), *unreadable_files(tree)))
    if not candidates:
        nobody = ConfigFinding("no_listener", ERROR, f"no server listens on port {request.port}")
        return Evaluation((nobody, *unreadable_files(tree)))
    run = _Run(tree, _with_path(tree, candidates, request), version, around, candidates, Definitions.of(tree.http()))
    decisions = Decisions()
    evaluations = [run.evaluated(decisions)]
    while decisions.next():
        evaluations.append(run.evaluated(decisions))
    if unknown is not None:
        return replace(evaluations[0], findings=tuple(_without_verdict(evaluations[0].findings, unknown)))
    first = evaluations[0]
    if decisions.first is None or len({works(each.findings) for each in evaluations}) == 1:
        return first
    return replace(first, findings=tuple(_without_verdict(first.findings, decisions.first)))


@dataclass(frozen=True)
class _Run:
    tree: Tree
    request: HttpRequest
    version: str
    surroundings: Surroundings
    candidates: Sequence[Candidate]
    definitions: Definitions

    def evaluated(self, decisions: Decisions) -> Evaluation:
        """The evaluation with these answers to what the configuration does not decide."""
        handshake = Variables(self.definitions, handshake_variables(self.request))
        try:
            chosen = self._chosen(handshake, decisions)
        except NotFollowedError as problem:
            return Evaluation((_not_followed(problem), *unreadable_files(self.tree)))
        socket = list(socket_findings(self.tree, self.candidates, chosen, self.request, self.version))
        evaluation = self._followed(chosen, handshake, decisions)
        findings = [*socket, *evaluation.findings, *unreadable_files(self.tree)]
        failed = works(findings) is False
        return replace(
            evaluation,
            server=chosen,
            findings=(*server_findings(self.tree, self.candidates, chosen, self.request, failed=failed), *findings),
        )

    def _chosen(self, variables: Variables, decisions: Decisions) -> ChosenServer:
        def matches(by: Directive, name: str, host: str) -> bool:
            pattern = python_regex(name[1:], ignore_case=True)
            if pattern is None:
                return decisions.answer(by.where, f"the regular expression {name} cannot be evaluated here")
            return variables.matches(pattern, host)

        chosen = choose_server(self.candidates, self.request.host_name, matches)
        names = [name for each in chosen.server.children("server_name") for name in each.args]
        variables.known["server_name"] = names[0].lower() if names else ""
        return chosen

    def _followed(self, chosen: ChosenServer, handshake: Variables, decisions: Decisions) -> Evaluation:
        flow = Flow(self.tree, chosen.server, self.request, handshake, self.surroundings, decisions)
        try:
            outcome = flow.outcome()
        except NotFollowedError as problem:
            return self._shown(flow.place, [_not_followed(problem)])
        place = outcome.place
        in_force = effective(place.contexts, place.proxying, self.version)
        answering = Answering(self.request, outcome, in_force, handshake, self._ordinary(chosen.server, place))
        findings = list(location_findings(answering))
        unknown = next(unknown_directives(place.contexts, chosen.server), None)
        if unknown is not None:
            why = f"the directive {unknown.name} is not known"
            findings = _without_verdict(findings, NotFollowedError(unknown.where, why))
        return self._shown(place, findings, outcome.upstream)

    def _ordinary(self, server: Directive, place: Place) -> Variables | None:
        """Variables of an ordinary request that gets to the same place."""
        variables = Variables(self.definitions, ordinary_variables(self.request))
        flow = Flow(self.tree, server, self.request, variables, self.surroundings, Decisions())
        try:
            same = flow.outcome().place == place
        except NotFollowedError:
            return None
        return variables if same else None

    def _shown(self, place: Place, findings: Sequence[ConfigFinding], upstream: Upstream | None = None) -> Evaluation:
        in_force = effective(place.contexts, place.proxying, self.version)
        read = in_force.values["proxy_read_timeout"]
        limit_s = seconds(read.value)
        proxied = "proxy_pass" in in_force.values and limit_s is not None
        return Evaluation(
            tuple(findings),
            location=place.location,
            values=in_force.values,
            # A value that is empty is not sent where there is another one.
            headers={
                name: next((each for each in reversed(values) if each.value), values[-1])
                for name, values in in_force.headers.items()
            },
            upstream_path=decoded(upstream.path) if upstream else None,
            upstream_servers=upstream.servers if upstream else (),
            idle_timeout=IdleTimeout(limit_s, read) if proxied and limit_s is not None else None,
        )


def _stream_server(tree: Tree, port: int) -> Directive | None:
    """The server of ``stream`` on a port, such as one that chooses by the name in the TLS handshake."""
    blocks = [each for top in tree.directives if top.name == "stream" for each in top.block or ()]
    return next(
        (each for each in blocks if each.name == "server" and any(own.port == port for own in listens_of(each))), None
    )


def _with_path(tree: Tree, candidates: Sequence[Candidate], request: HttpRequest) -> HttpRequest:
    """The request with its path as the default server reads it, which is before the name is known."""
    first = next((each for each in candidates if each.listen.default), candidates[0]).server
    contexts = (Context("", first.block or ()), Context("", tuple(tree.http())))
    _context, own = nearest(contexts, "merge_slashes")
    if not own or own[0].args != ("off",):
        return request
    return replace(request, path=normal_path(request.path_as_sent, merge_slashes=False))


def _not_followed(problem: NotFollowedError) -> ConfigFinding:
    return ConfigFinding("not_followed", UNDECIDED, f"not followed: {problem.where} ({problem.why})", (problem.where,))


def _without_verdict(findings: Sequence[ConfigFinding], problem: NotFollowedError) -> list[ConfigFinding]:
    """The findings, without those that only hold if what is not followed has no effect."""
    return [_not_followed(problem), *(each for each in findings if each.level == NOTICE)]
