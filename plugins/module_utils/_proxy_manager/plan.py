# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to write so that a proxy host is as wanted (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .block import (
    AccessRules,
    Advanced,
    Block,
    BlockError,
    Piece,
    Timeouts,
    WebSocketPath,
    cut_out,
    digest,
    put_back,
    render,
    take_apart,
    with_access,
)
from .clash import Finding, findings
from .version import flag

FLAGS = (
    "allow_websocket_upgrade",
    "block_exploits",
    "caching_enabled",
    "hsts_enabled",
    "hsts_subdomains",
    "http2_support",
    "ssl_forced",
)
#: Nginx Proxy Manager switches these off by itself without a certificate.
NEED_CERTIFICATE = ("hsts_enabled", "hsts_subdomains", "http2_support", "ssl_forced")


class PlanError(Exception):
    """The wanted state cannot be had; one sentence with the remedy."""


@dataclass(frozen=True)
class Wanted:
    """A proxy host as it should be.

    ``fields`` holds only what the user gave, by the names of the API;
    ``access`` the rules of the access list that will be in force.
    """

    domain_name: str
    paths: tuple[WebSocketPath, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    fields: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool | None = None
    access: AccessRules | None = None
    replace_snippet: bool = False
    present: bool = True


@dataclass(frozen=True)
class Plan:
    """``body`` is what a partial PUT would carry, ``former`` the values that it replaces."""

    body: Mapping[str, Any]
    former: Mapping[str, Any]
    block: Block | None
    before: Advanced
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    removed: tuple[Piece, ...] = ()
    set_enabled: bool | None = None

    @property
    def changes(self) -> bool:
        return bool(self.body) or self.set_enabled is not None

    @property
    def foreign_after(self) -> str:
        """The text outside the block once this is written."""
        return take_apart(str(self.body.get("advanced_config", self.before.with_block(self.before.block)))).foreign


def find_host(hosts: list[dict[str, Any]], domain_name: str) -> dict[str, Any] | None:
    """The proxy host that serves a domain name."""
    wanted = domain_name.lower()
    for host in hosts:
        if wanted in (str(name).lower() for name in host.get("domain_names") or ()):
            return host
    return None


def plan(host: Mapping[str, Any], wanted: Wanted) -> Plan:
    """Compare a host as the API tells it with the wanted one.

    :raises PlanError: If something stands in the way; nothing may be written then.
    """
    name = wanted.domain_name
    text = str(host.get("advanced_config") or "")
    try:
        before = take_apart(text)
    except BlockError as exc:
        raise PlanError(f"proxy host {name}: {exc}") from None
    foreign, removed, found = _clear_the_way(host, before, wanted)
    block = None
    if wanted.present and (wanted.paths or before.created_by_us):
        block = render(wanted.paths, wanted.timeouts, wanted.access, before.created_by_us)
    after = _put(before, foreign, block)
    _refuse(name, found, settled=before.block is not None and block is not None and before.block == block.text)
    body: dict[str, Any] = {}
    former: dict[str, Any] = {}
    reasons: list[str] = []
    for key, value in _differing_fields(host, wanted):
        body[key], former[key] = value
        reasons.append(f"{key} is {former[key]!r}, wanted {body[key]!r}")
    if after != text:
        body["advanced_config"], former["advanced_config"] = after, text
        reasons += _block_reasons(before, block, removed)
    set_enabled = None
    if wanted.present and wanted.enabled is not None and flag(host.get("enabled", True)) != wanted.enabled:
        set_enabled = wanted.enabled
        reasons.append("the host is disabled" if wanted.enabled else "the host is enabled")
    return Plan(body, former, block, before, tuple(reasons), found, removed, set_enabled)


def _clear_the_way(
    host: Mapping[str, Any], before: Advanced, wanted: Wanted
) -> tuple[str, tuple[Piece, ...], tuple[Finding, ...]]:
    """The user's text, without what the user wants replaced, and what is then still to be said of it."""
    if not wanted.present:
        return before.foreign, (), ()
    switch_on = flag(wanted.fields.get("allow_websocket_upgrade", host.get("allow_websocket_upgrade")))
    custom = host.get("locations") or ()
    found = findings(before.foreign, custom, wanted.paths, switch_on)
    if not wanted.replace_snippet:
        return before.foreign, (), found
    spans = {span for each in found for span in each.spans}
    foreign, removed = cut_out(before.foreign, spans)
    return foreign, removed, findings(foreign, custom, wanted.paths, switch_on) if removed else found


def _put(before: Advanced, foreign: str, block: Block | None) -> str:
    """Put the block where it was; in front of the text where it was not, or where text was taken out."""
    text = block.text if block else None
    if foreign == before.foreign:
        return before.with_block(text)
    return (text or "") + foreign


def _refuse(name: str, found: tuple[Finding, ...], settled: bool) -> None:
    for each in found:
        if not each.fatal or (each.shadowed and settled):
            continue
        remedy = "remove it there"
        if each.spans:
            remedy = "remove it there, or set replace_snippet to true to have it replaced"
        raise PlanError(f"proxy host {name}: {each.text}; {remedy}")


def _differing_fields(host: Mapping[str, Any], wanted: Wanted) -> list[tuple[str, tuple[Any, Any]]]:
    if not wanted.present:
        return []
    certificate = wanted.fields.get("certificate_id", host.get("certificate_id") or 0)
    for key in NEED_CERTIFICATE:
        if wanted.fields.get(key) and not certificate:
            raise PlanError(
                f"proxy host {wanted.domain_name}: {key} needs a certificate, and the host has none; "
                "give certificate, or leave it out"
            )
    differing: list[tuple[str, tuple[Any, Any]]] = []
    for key, value in wanted.fields.items():
        current = host.get(key)
        if key in FLAGS:
            current = flag(current)
        elif key.endswith("_id"):
            current = int(current or 0)
        elif key == "domain_names" and _names(current) == _names(value):
            continue
        if current != value:
            differing.append((key, (value, current)))
    return differing


def _names(value: Any) -> set[str]:
    return {str(each).lower() for each in value or ()}


def _block_reasons(before: Advanced, block: Block | None, removed: tuple[Piece, ...]) -> list[str]:
    reasons = []
    if removed:
        reasons.append("a WebSocket snippet pasted by hand is replaced")
    if block is None and before.block is not None:
        reasons.append("the managed block is taken out")
    elif block is not None and before.block is None:
        reasons.append("the managed block is missing")
    elif block is not None and before.block != block.text:
        reasons.append("the managed block differs")
    return reasons


def creation(wanted: Wanted) -> tuple[dict[str, Any], Block]:
    """The body of a POST, and the block in it, which marks the host as created by us.

    :raises PlanError: If a field that it needs is not given.
    """
    for key in ("forward_scheme", "forward_host", "forward_port"):
        if wanted.fields.get(key) in (None, ""):
            raise PlanError(
                f"there is no proxy host {wanted.domain_name} that this account sees, and {key} is not given to "
                "create one; check domain_name, give forward_scheme, forward_host and forward_port, or let the "
                "account see all hosts"
            )
    _differing_fields({}, wanted)
    block = render(wanted.paths, wanted.timeouts, wanted.access, created=True)
    return {"domain_names": [wanted.domain_name], **wanted.fields, "advanced_config": block.text}, block


def memory(host: Mapping[str, Any], made: Plan) -> dict[str, Any]:
    """What the way back needs, without the user's own text."""
    return {
        "created": False,
        "fields": {key: value for key, value in made.former.items() if key != "advanced_config"},
        "enabled": flag(host.get("enabled", True)),
        "block": made.before.block,
        "removed": [{"offset": each.offset, "text": each.text} for each in made.removed],
        "foreign_digest": digest(made.foreign_after),
    }


def way_back(
    host: Mapping[str, Any], former: Mapping[str, Any], domain_name: str, access: AccessRules | None = None
) -> Plan:
    """The plan that brings back what :func:`memory` kept.

    :param access: The rules of the access list that will be in force; those in a block that was kept may be older.
    :raises PlanError: If the block cannot be found in the text, or cannot be given the rules.
    """
    text = str(host.get("advanced_config") or "")
    old = former.get("block")
    try:
        before = take_apart(text)
        old = with_access(old, access) if old else None
    except BlockError as exc:
        raise PlanError(f"proxy host {domain_name}: {exc}") from None
    pieces = tuple(Piece(int(each["offset"]), str(each["text"])) for each in former.get("removed") or ())
    found: tuple[Finding, ...] = ()
    foreign = before.foreign
    if pieces:
        if digest(foreign) == former.get("foreign_digest"):
            foreign = put_back(foreign, pieces)
        else:
            found = (
                Finding(
                    "text_moved_on",
                    "the Advanced text was edited since, so that the snippet that had been replaced stays out",
                ),
            )
    after = before.with_block(old) if foreign == before.foreign else (old or "") + foreign
    body: dict[str, Any] = {}
    was: dict[str, Any] = {}
    reasons: list[str] = []
    wanted = Wanted(domain_name, fields=dict(former.get("fields") or {}))
    for key, (value, current) in _differing_fields(host, wanted):
        body[key], was[key] = value, current
        reasons.append(f"{key} is {current!r}, was {value!r}")
    if after != text:
        body["advanced_config"], was["advanced_config"] = after, text
        reasons.append("the managed block was another one" if old else "there was no managed block")
    enabled = former.get("enabled")
    set_enabled = None
    if enabled is not None and flag(host.get("enabled", True)) != bool(enabled):
        set_enabled = bool(enabled)
        reasons.append(f"the host was {'enabled' if enabled else 'disabled'}")
    revision = take_apart(after).revision
    block = Block(old, revision) if old and revision else None
    return Plan(body, was, block, before, tuple(reasons), found, (), set_enabled)
