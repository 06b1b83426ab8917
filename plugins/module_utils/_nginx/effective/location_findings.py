# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about the location that answers: whether and how it proxies the handshake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..config import Directive, walk
from .findings import ERROR, NOTICE, WARNING, ConfigFinding
from .inheritance import Context, Effective, EffectiveValue, nearest
from .location_choice import is_regex, modifier_and_path, regex_matches, title
from .request import HttpRequest
from .units import seconds
from .variables import Variables


@dataclass(frozen=True)
class Answering:
    """The place that answers a request, with what is in force there.

    :param location: ``None`` if the server itself answers.
    :param contexts: Inner before outer.
    :param returned: The ``return`` that answers instead of a proxied connection.
    :param handshake: Variables of the handshake.
    :param ordinary: Variables of an ordinary request to the same place.
    """

    request: HttpRequest
    server: Directive
    location: Directive | None
    contexts: Sequence[Context]
    effective: Effective
    returned: Directive | None
    handshake: Variables
    ordinary: Variables

    @property
    def title(self) -> str:
        if self.location is not None:
            return title(self.location)
        return f"the server in {self.server.where}, without any location for {self.request.path},"

    @property
    def places(self) -> tuple[str, ...]:
        return () if self.location is None else (self.location.where,)


def redirected(location: Directive, path: str) -> ConfigFinding:
    return ConfigFinding(
        "redirected",
        ERROR,
        f"{title(location)} makes nginx redirect {path} to {path}/, and a WebSocket client follows no redirect",
        (location.where,),
    )


def location_findings(answering: Answering) -> Iterator[ConfigFinding]:
    """Findings about the answer of a location, or of a server without one."""
    path, location = answering.request.path, answering.location
    for each in location.children("internal") if location else ():
        yield ConfigFinding(
            "internal", ERROR, f"{answering.title} is internal, and clients get status 404", (each.where,)
        )
    returned = answering.returned
    if returned is not None:
        yield ConfigFinding(
            "location_returns",
            ERROR,
            f"{answering.title} answers {path} by return {' '.join(returned.args)}",
            (returned.where,),
        )
    if "proxy_pass" not in answering.effective.values:
        if returned is None:
            yield ConfigFinding(
                "not_proxied", ERROR, f"{answering.title} answers {path} and has no proxy_pass", answering.places
            )
        yield from _other_location(answering, "which has a proxy_pass and the upgrade")
        return
    yield from _upgrade(answering)
    yield from _http_version(answering)
    yield from _idle_timeout(answering)
    yield from _restrictions(answering)


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


def _restrictions(answering: Answering) -> Iterator[ConfigFinding]:
    effective = answering.effective
    for name in ("auth_basic", "auth_request"):
        value = effective.values[name]
        if value.value != "off":
            yield ConfigFinding(
                "authentication",
                NOTICE,
                f"{answering.title} asks for authentication by {name}{value.in_place}",
                value.places,
            )
    for denied in effective.lists["deny"]:
        yield ConfigFinding(
            "access", NOTICE, f"{answering.title} denies {denied.value}{denied.in_place}", denied.places
        )
    for limited in effective.lists["limit_conn"]:
        yield ConfigFinding(
            "limit_conn",
            NOTICE,
            f"{answering.title} refuses further connections with status 503 beyond limit_conn {limited.value}"
            f"{limited.in_place}",
            limited.places,
        )


def _upgrade(answering: Answering) -> Iterator[ConfigFinding]:
    """The headers that carry the upgrade to the application."""
    upgrade = answering.effective.headers.get("upgrade")
    if upgrade is None:
        yield _missing_upgrade(answering)
        yield from _other_location(answering, "which has the upgrade")
        return
    sent = answering.handshake.text(upgrade.value)
    if sent is None:
        yield _unknown("Upgrade", upgrade)
    elif sent.lower() != "websocket":
        yield ConfigFinding(
            "upgrade_wrong",
            ERROR,
            f'{answering.title} sends Upgrade "{sent}" for a WebSocket request ({upgrade.value}{upgrade.in_place})',
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
    connection = answering.effective.headers.get("connection")
    if connection is None:
        yield ConfigFinding(
            "connection_missing",
            ERROR,
            f"{answering.title} sets Upgrade but not Connection, which then does not ask for the upgrade"
            f"{upgrade.in_place}",
            upgrade.places,
        )
        return
    sent = answering.handshake.text(connection.value)
    if sent is None:
        yield _unknown("Connection", connection)
    elif "upgrade" not in [word.strip().lower() for word in sent.split(",")]:
        yield ConfigFinding(
            "connection_wrong",
            ERROR,
            f'{answering.title} sends Connection "{sent}" for a WebSocket request ({connection.value}'
            f'{connection.in_place}), "upgrade" is needed',
            connection.places,
        )
    elif (answering.ordinary.text(connection.value) or "").lower() == "upgrade":
        yield ConfigFinding(
            "connection_fixed",
            WARNING,
            f"{answering.title} sends Connection upgrade for every request{connection.in_place}, which breaks ordinary "
            "ones: use a map of $http_upgrade",
            connection.places,
        )


def _unknown(header: str, value: EffectiveValue) -> ConfigFinding:
    return ConfigFinding(
        "unknown_value", NOTICE, f"the value of {header} {value.value} depends on the request{value.in_place}"
    )


def _upgrade_of(context: Context) -> Directive | None:
    for each in context.all_of("proxy_set_header"):
        if each.args and each.args[0].lower() == "upgrade":
            return each
    return None


def _other_location(answering: Answering, what: str) -> Iterator[ConfigFinding]:
    """The first location that has the upgrade and would match, but does not get the request."""
    path, mine = answering.request.path, answering.location
    for each in walk(answering.server.block or ()):
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
