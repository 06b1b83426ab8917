# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about the answer to a handshake: whether and how it is proxied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..config import Directive, walk
from .findings import ERROR, NOTICE, UNDECIDED, WARNING, ConfigFinding, works
from .flow import Outcome, Place
from .inheritance import Context, Effective, EffectiveValue, nearest
from .location_choice import is_regex, modifier_and_path, regex_matches, title
from .request import KEY, HttpRequest, decoded
from .rewrite import Ended
from .units import seconds, size
from .upstream import Upstream
from .variables import Variables

#: Headers of the answer without which a client refuses it.
_NEEDED_BY_CLIENTS = ("upgrade", "connection", "sec-websocket-accept")
#: Bytes that the answer to a handshake has with a few headers and cookies.
_SMALL_ANSWER = 1024


@dataclass(frozen=True)
class Answering:
    """The outcome of a handshake, with what is in force there.

    :param handshake: Variables of the handshake.
    :param ordinary: Variables of an ordinary request to the same place; ``None`` if it gets elsewhere.
    """

    request: HttpRequest
    outcome: Outcome
    effective: Effective
    handshake: Variables
    ordinary: Variables | None

    @property
    def location(self) -> Directive | None:
        return self.outcome.place.location

    @property
    def title(self) -> str:
        return _title(self.outcome.place, self.request)

    @property
    def contexts(self) -> Sequence[Context]:
        return self.outcome.place.contexts

    @property
    def places(self) -> tuple[str, ...]:
        return () if self.location is None else (self.location.where,)


def _title(place: Place, request: HttpRequest) -> str:
    if place.location is not None:
        return title(place.location)
    return f"the server in {place.server.where}, without any location for {request.path},"


def location_findings(answering: Answering) -> Iterator[ConfigFinding]:
    """Findings about the answer of a location, or of a server without one."""
    outcome, path = answering.outcome, answering.request.path
    yield from outcome.doubts
    if outcome.upstream is not None:
        findings = list(_proxied(answering, outcome.upstream))
        page = outcome.error_page or (nearest(answering.contexts, "error_page")[1] or (None,))[0]
        _context, intercepted = nearest(answering.contexts, "proxy_intercept_errors")
        if works(findings) is False and page is not None and intercepted and intercepted[0].args == ("on",):
            # The refusal of the application may lead to another location.
            why = "the answer of the application decides whether it applies"
            yield ConfigFinding("not_followed", UNDECIDED, f"not followed: {page.where} ({why})", (page.where,))
            return
        yield from findings
        return
    if outcome.ended is not None and outcome.ended_at is not None:
        yield ended_finding(outcome.ended, outcome.ended_at, answering.request)
        if answering.location is not None and "proxy_pass" not in answering.effective.values:
            yield from _other_location(answering, "which has a proxy_pass and the upgrade")
        return
    by = f" ({outcome.handler.name} in {outcome.handler.where})" if outcome.handler else ""
    yield ConfigFinding(
        "not_proxied", ERROR, f"{answering.title} answers {path} and has no proxy_pass{by}", answering.places
    )
    yield from _other_location(answering, "which has a proxy_pass and the upgrade")


def ended_finding(ended: Ended, place: Place, request: HttpRequest) -> ConfigFinding:
    """The finding for an answer of nginx's own."""
    by, path, where = ended.by, request.path, _title(place, request)
    name = by.name if by is not None else ""
    places = (by.where,) if by is not None else ()
    code, message = "answered", f"{where} answers {path} with status {ended.status}"
    if by is None:
        code = "not_proxied"
    elif name == "return" and by.args and place.location is None:
        what = "everything" if by in (place.server.block or ()) else path
        code = "server_returns"
        message = (
            f"the server in {place.server.where} answers {what} by return {' '.join(by.args)} in {by.where}, "
            "before a location is chosen"
        )
    elif name == "return":
        code, message = "location_returns", f"{where} answers {path} by return {' '.join(by.args)}"
    elif name == "location" and ended.status == 301:
        code = "redirected"
        message = f"{where} makes nginx redirect {path} to {ended.target}, and a WebSocket client follows no redirect"
    elif name == "rewrite" and ended.target:
        code = "redirected"
        message = (
            f"rewrite {' '.join(by.args)} in {by.where} redirects {path} to {ended.target}, and a WebSocket client "
            "follows no redirect"
        )
    elif name == "internal":
        code, message = "internal", f"{where} is internal, and clients get status 404"
    elif name == "auth_request":
        code = "refused_by_auth_request"
        message = f"{where} asks auth_request {by.args[0]} in {by.where}, which {ended.why}: clients get {ended.status}"
    elif name == "proxy_bind":
        code = "bind_failed"
        message = (
            f"{where} connects from {by.args[0]} in {by.where}, an address that this host does not have: clients get "
            f"status {ended.status}"
        )
    elif name in ("deny", "allow"):
        code = "denied"
        message = f"{where} denies {' '.join(by.args)} in {by.where}, and clients get status 403"
    elif name == "try_files" and by.args[-1].startswith("="):
        code = "try_files"
        message = f"try_files in {by.where} finds no file for {path}, and clients get status {ended.status}"
    elif name == "proxy_pass":
        code, message = _unreachable(ended, by, where)
    else:
        message += f" because of {name} in {by.where}"
    return ConfigFinding(code, ERROR, message, places)


def _unreachable(ended: Ended, by: Directive, where: str) -> tuple[str, str]:
    target = " ".join(by.args)
    if ended.why:
        refused = f"clients get status {ended.status}"
        return "upstream_down", f"{where} proxies to {target} in {by.where}, but {ended.why}: {refused}"
    if ended.status == 500:
        return "upstream_invalid", f"{where} proxies to {target} in {by.where}, which is no URL for this request"
    if "$" in target:
        return (
            "no_resolver",
            f"{where} proxies to {target} in {by.where}, a host that nginx looks up for each request, and no resolver "
            f"is set: clients get status {ended.status}",
        )
    expected = "https" if target.startswith("http:") else "http"
    return (
        "upstream_scheme",
        f"{where} proxies to {target} in {by.where}, and the application is reached by {expected}://: clients get "
        f"status {ended.status}",
    )


def _proxied(answering: Answering, upstream: Upstream) -> Iterator[ConfigFinding]:
    outcome = answering.outcome
    if outcome.status not in (0, 101) and outcome.error_page is not None:
        page = outcome.error_page
        yield ConfigFinding(
            "status_replaced",
            ERROR,
            f"error_page {' '.join(page.args)} in {page.where} gives the answer the status {outcome.status}; with = "
            "before the target it keeps its own",
            (page.where,),
        )
    yield from _target(answering, upstream)
    yield from _upgrade(answering)
    yield from _websocket_headers(answering)
    yield from _hidden_headers(answering)
    yield from _added_headers(answering)
    yield from _body(answering)
    yield from _small_limits(answering)
    yield from _http_version(answering)
    yield from _idle_timeout(answering)
    yield from _limits(answering)


def _target(answering: Answering, upstream: Upstream) -> Iterator[ConfigFinding]:
    """The scheme and the path that the application gets."""
    request, by = answering.request, upstream.by
    if upstream.tls and request.upstream_tls is None:
        yield ConfigFinding(
            "upstream_tls",
            UNDECIDED,
            f"{answering.title} speaks TLS to the upstream in {by.where}: it works only if the application does",
            (by.where,),
        )
    got, wanted = upstream.path, (request.upstream_path or request.path_as_sent).partition("?")[0]
    if decoded(got) != decoded(wanted):
        yield ConfigFinding(
            "path_changed",
            UNDECIDED if request.upstream_path is None else ERROR,
            f"the application gets {got} for {request.path_as_sent} ({' '.join(by.args)} in {by.where})"
            + (
                ": it works only if its WebSocket is there"
                if request.upstream_path is None
                else f", and its WebSocket is at {request.upstream_path}"
            ),
            (by.where,),
        )
    elif got != wanted and request.upstream_path is not None:
        yield ConfigFinding(
            "path_encoded",
            UNDECIDED,
            f"the application gets {got} for {request.path_as_sent}: it works only if it takes that for {wanted}",
            (by.where,),
        )


def _http_version(answering: Answering) -> Iterator[ConfigFinding]:
    version = answering.effective.values["proxy_http_version"]
    if version.value == "1.0":
        since = "" if version.where else ", the default of nginx before 1.29.7"
        yield ConfigFinding(
            "http_version",
            ERROR,
            f"{answering.title} speaks HTTP/1.0 to the upstream{since}{version.in_place}, which has no upgrade: "
            "set proxy_http_version 1.1",
            version.places,
        )
    elif version.value != "1.1":
        yield ConfigFinding(
            "http_version",
            ERROR,
            f"{answering.title} speaks HTTP/{version.value} to the upstream{version.in_place}, where nginx passes no "
            "upgrade: set proxy_http_version 1.1",
            version.places,
        )


def _idle_timeout(answering: Answering) -> Iterator[ConfigFinding]:
    read, expected_s = answering.effective.values["proxy_read_timeout"], answering.request.idle_timeout_s
    limit_s = seconds(read.value)
    if limit_s is not None and limit_s < expected_s:
        default = "" if read.where else ", the default"
        yield ConfigFinding(
            "idle_timeout",
            WARNING,
            f"{answering.title} closes a connection after {limit_s:g} s of silence "
            f"(proxy_read_timeout{default}{read.in_place}), expected are {expected_s:g} s",
            read.places,
        )


def _limits(answering: Answering) -> Iterator[ConfigFinding]:
    for limited in answering.effective.lists["limit_conn"]:
        yield ConfigFinding(
            "limit_conn",
            NOTICE,
            f"{answering.title} refuses further connections with status 503 beyond limit_conn {limited.value}"
            f"{limited.in_place}",
            limited.places,
        )


def _sent(answering: Answering, name: str, variables: Variables) -> list[tuple[EffectiveValue, str | None]]:
    """The values of a header that the upstream gets; nginx sends none that are empty."""
    values = [(each, variables.text(each.value)) for each in answering.effective.headers.get(name, ())]
    return [(each, text) for each, text in values if text != ""]


def _websocket_headers(answering: Answering) -> Iterator[ConfigFinding]:
    """The other headers of the handshake."""
    passed = answering.effective.values["proxy_pass_request_headers"]
    method = answering.effective.values["proxy_method"]
    if method.value.upper() != "GET":
        yield ConfigFinding(
            "method_changed",
            ERROR,
            f"{answering.title} sends {method.value} to the upstream{method.in_place}, and a handshake is a GET",
            method.places,
        )
    for header, needed in (("Sec-WebSocket-Key", KEY), ("Sec-WebSocket-Version", "13")):
        name = header.lower()
        set_here = answering.effective.headers.get(name, ())
        sent = _sent(answering, name, answering.handshake)
        if not set_here and passed.value == "off":
            yield ConfigFinding(
                "header_removed",
                ERROR,
                f"{answering.title} does not pass {header} to the upstream "
                f"(proxy_pass_request_headers{passed.in_place})",
                passed.places,
            )
        elif set_here and not sent:
            yield ConfigFinding(
                "header_removed",
                ERROR,
                f"{answering.title} removes {header} from the handshake{set_here[-1].in_place}",
                set_here[-1].places,
            )
        elif any(text is not None and text != needed for _each, text in sent):
            yield ConfigFinding(
                "header_changed",
                ERROR,
                f"{answering.title} replaces {header} of the handshake{set_here[-1].in_place}",
                set_here[-1].places,
            )
        elif len(sent) > 1 or any(text is None for _each, text in sent):
            yield _several(answering, header, sent)
    protocol = answering.effective.headers.get("sec-websocket-protocol", ())
    if protocol and not _sent(answering, "sec-websocket-protocol", answering.handshake):
        yield ConfigFinding(
            "protocol_removed",
            WARNING,
            f"{answering.title} removes Sec-WebSocket-Protocol from the handshake{protocol[-1].in_place}: a browser "
            "that asks for a subprotocol and gets none fails",
            protocol[-1].places,
        )
    host = answering.effective.headers.get("host", ())
    sent = _sent(answering, "host", answering.handshake)
    if len(sent) > 1:
        yield _several(answering, "Host", sent)
    elif host and not sent:
        yield ConfigFinding(
            "host_removed",
            UNDECIDED,
            f"{answering.title} sends no Host{host[-1].in_place}, which most applications refuse",
            host[-1].places,
        )
    request = answering.request
    with_port = f"{request.host_name.lower()}:{request.port}"
    if sent and request.port != (443 if request.tls else 80) and sent[-1][1] == request.host_name.lower():
        yield ConfigFinding(
            "host_without_port",
            NOTICE,
            f"{answering.title} sends Host without the port{host[-1].in_place}: an application that compares it with "
            f"Origin expects {with_port}; set proxy_set_header Host $http_host",
            host[-1].places,
        )
    scheme = answering.effective.headers.get("x-forwarded-proto", ())
    if not request.tls and any("$scheme" in each.value for each in scheme):
        yield ConfigFinding(
            "forwarded_scheme",
            NOTICE,
            f"{answering.title} says http to the application whatever a machine in front says{scheme[-1].in_place}: if "
            "TLS ends there, an application that requires HTTPS redirects for ever; then pass on its "
            "$http_x_forwarded_proto",
            scheme[-1].places,
        )
    if not host:
        yield ConfigFinding(
            "host_not_forwarded",
            NOTICE,
            f"{answering.title} sends the name of the upstream as Host: an application that compares Origin or allowed "
            "hosts with it refuses the handshake; set proxy_set_header Host $host",
            answering.places,
        )


def _body(answering: Answering) -> Iterator[ConfigFinding]:
    """A body, or the announcement of one, in a request that must have none."""
    body = answering.effective.values["proxy_set_body"]
    sent = [("proxy_set_body", body, answering.handshake.text(body.value))] if body.where else []
    for name in ("content-length", "transfer-encoding"):
        sent += [(name, each, text) for each, text in _sent(answering, name, answering.handshake)]
    for name, each, text in sent:
        if text not in ("", "0"):
            yield ConfigFinding(
                "body_sent",
                ERROR if text is not None else UNDECIDED,
                f"{answering.title} sends the handshake with a body ({name} {each.value}{each.in_place}), which the "
                "application takes for frames or refuses",
                each.places,
            )


def _small_limits(answering: Answering) -> Iterator[ConfigFinding]:
    """Limits that the answer to a handshake may not fit in."""
    for name, what in (("proxy_buffer_size", "the headers of an answer"), ("limit_rate", "an answer each second")):
        each = answering.effective.values[name]
        # A `set` of this variable has the effect of the directive.
        own = answering.handshake.known.get(name)
        limit = size(own or answering.handshake.text(each.value) or "")
        if limit is not None and 0 < limit < _SMALL_ANSWER:
            yield ConfigFinding(
                name,
                UNDECIDED,
                f"{answering.title} has {limit} bytes for {what} ({name}{each.in_place}), and the answer to a "
                "handshake may be longer",
                each.places,
            )


def _hidden_headers(answering: Answering) -> Iterator[ConfigFinding]:
    passed = {each.value.lower() for each in answering.effective.lists["proxy_pass_header"]}
    for each in answering.effective.lists["proxy_hide_header"]:
        name = each.value.lower()
        if name in passed:
            continue
        if name in _NEEDED_BY_CLIENTS and name != "connection":
            yield ConfigFinding(
                "header_hidden",
                ERROR,
                f"{answering.title} hides {each.value} of the answer{each.in_place}, without which a client refuses it",
                each.places,
            )
        elif name in ("sec-websocket-extensions", "sec-websocket-protocol"):
            yield ConfigFinding(
                "header_hidden",
                UNDECIDED,
                f"{answering.title} hides {each.value} of the answer{each.in_place}: it works only if client and "
                "application agree on none",
                each.places,
            )


def _added_headers(answering: Answering) -> Iterator[ConfigFinding]:
    """Headers that nginx adds to the answer beside those of the application; without ``always`` not to a 101."""
    for each in answering.effective.lists["add_header"]:
        name, value, *options = each.words
        needed = name.lower() in _NEEDED_BY_CLIENTS and name.lower() != "connection"
        agreed = name.lower() in ("sec-websocket-extensions", "sec-websocket-protocol")
        if "always" in options and answering.handshake.text(value) != "" and (needed or agreed):
            yield ConfigFinding(
                "header_added",
                ERROR if needed else UNDECIDED,
                f"{answering.title} adds a second {name} to the answer{each.in_place}, which a client refuses",
                each.places,
            )


def _several(answering: Answering, header: str, sent: Sequence[tuple[EffectiveValue, str | None]]) -> ConfigFinding:
    values = ", ".join(f"{each.value}{each.in_place}" for each, _text in sent)
    what = f"{header} more than once" if len(sent) > 1 else f"{header} with a value that depends on the request"
    return ConfigFinding(
        "header_doubled" if len(sent) > 1 else "unknown_value",
        UNDECIDED,
        f"{answering.title} sends {what} ({values}), and the application decides what that means",
        tuple(place for each, _text in sent for place in each.places),
    )


def _upgrade(answering: Answering) -> Iterator[ConfigFinding]:
    """The headers that carry the upgrade to the application."""
    upgrades = answering.effective.headers.get("upgrade", ())
    if not upgrades:
        yield _missing_upgrade(answering)
        yield from _other_location(answering, "which has the upgrade")
        return
    sent = _sent(answering, "upgrade", answering.handshake)
    upgrade = sent[-1][0] if sent else upgrades[-1]
    text = sent[-1][1] if sent else ""
    if len(sent) > 1 or text is None:
        yield _several(answering, "Upgrade", sent)
    elif text.strip().lower() != "websocket":
        yield ConfigFinding(
            "upgrade_wrong",
            ERROR,
            f'{answering.title} sends Upgrade "{text}" for a WebSocket request ({upgrade.value}{upgrade.in_place})',
            upgrade.places,
        )
    if upgrade.value in ("$http_upgrade", "${http_upgrade}"):
        yield ConfigFinding(
            "every_upgrade",
            NOTICE,
            f"{answering.title} lets every upgrade through, not only that to a WebSocket{upgrade.in_place}",
            upgrade.places,
        )
    yield from _connection(answering, upgrade)


def _missing_upgrade(answering: Answering) -> ConfigFinding:
    context, own = nearest(answering.contexts, "proxy_set_header")
    hidden = None
    if context is not None:
        outer = answering.contexts[answering.contexts.index(context) + 1 :]
        hidden = next((each for each in map(_upgrade_of, outer) if each is not None), None)
    if context is None or hidden is None:
        return ConfigFinding(
            "upgrade_missing",
            ERROR,
            f"{answering.title} proxies {answering.request.path} without proxy_set_header Upgrade, so the upstream "
            "gets an ordinary request",
            answering.places,
        )
    return ConfigFinding(
        "header_shadowed",
        ERROR,
        f"{context.name} sets proxy_set_header {own[0].args[0]} in {own[0].where} and so drops Upgrade set in "
        f"{hidden.where}",
        (own[0].where, hidden.where),
    )


def _connection(answering: Answering, upgrade: EffectiveValue) -> Iterator[ConfigFinding]:
    connections = answering.effective.headers.get("connection", ())
    if not connections:
        yield ConfigFinding(
            "connection_missing",
            ERROR,
            f"{answering.title} sets Upgrade but not Connection, which then does not ask for the upgrade"
            f"{upgrade.in_place}",
            upgrade.places,
        )
        return
    sent = _sent(answering, "connection", answering.handshake)
    connection = sent[-1][0] if sent else connections[-1]
    text = sent[-1][1] if sent else ""
    if len(sent) > 1 or text is None:
        yield _several(answering, "Connection", sent)
    elif "upgrade" not in [word.strip().lower() for word in text.split(",")]:
        yield ConfigFinding(
            "connection_wrong",
            ERROR,
            f'{answering.title} sends Connection "{text}" for a WebSocket request ({connection.value}'
            f'{connection.in_place}), "upgrade" is needed',
            connection.places,
        )
    elif answering.ordinary is not None and (answering.ordinary.text(connection.value) or "").lower() == "upgrade":
        yield ConfigFinding(
            "connection_fixed",
            WARNING,
            f"{answering.title} sends Connection upgrade for every request{connection.in_place}, which breaks ordinary "
            "ones: use a map of $http_upgrade",
            connection.places,
        )


def _upgrade_of(context: Context) -> Directive | None:
    for each in context.all_of("proxy_set_header"):
        if each.args and each.args[0].lower() == "upgrade":
            return each
    return None


def _other_location(answering: Answering, what: str) -> Iterator[ConfigFinding]:
    """The first location that has the upgrade and would match, but does not get the request."""
    path, mine = answering.request.path, answering.location
    for each in walk(answering.outcome.place.server.block or ()):
        if each.name != "location" or each is mine or _upgrade_of(Context("", each.block or ())) is None:
            continue
        text = modifier_and_path(each)[1]
        fits = path.startswith(text.rstrip("/") or "/") or text.startswith(path.rstrip("/") or "/")
        if regex_matches(each, path) if is_regex(each) else fits:
            yield ConfigFinding(
                "other_location",
                ERROR,
                f"{title(mine) if mine else 'no location'} gets {path}, and {title(each)}, {what}, does not",
                (*answering.places, each.where),
            )
            return
