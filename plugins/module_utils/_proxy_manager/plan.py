# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to write so that a proxy host is as wanted (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .access import AccessRules
from .advanced_text import (
    AdvancedText,
    LoadedState,
    RemovedText,
    digest,
    insert_pieces,
    original_offset,
    remove_spans,
    split_text,
)
from .block import Block, Timeouts, render, with_rules
from .certificate_field import NEW_CERTIFICATE, has_certificate
from .clash import Clash, find_clashes
from .headers import header_names, hsts_directive, repeated_headers
from .locations import keeps_default_location
from .paths import BlockError, BlockPath
from .version import LATEST, TRUSTS_FORWARDED_PROTO, Version, flag

#: The switches of a proxy host, by the names of the API.
SWITCHES = (
    "allow_websocket_upgrade",
    "block_exploits",
    "caching_enabled",
    "hsts_enabled",
    "hsts_subdomains",
    "http2_support",
    "ssl_forced",
    "trust_forwarded_proto",
)
#: A switch, and what it needs: without that, Nginx Proxy Manager turns it off by itself.
NEEDS = (
    ("ssl_forced", "certificate_id"),
    ("http2_support", "certificate_id"),
    ("hsts_enabled", "ssl_forced"),
    ("hsts_subdomains", "hsts_enabled"),
)


class PlanError(Exception):
    """The wanted state cannot be reached; one sentence with the remedy."""


@dataclass(frozen=True)
class WantedHost:
    """A proxy host as it should be.

    :param fields: Only those that the user gave, by the names of the API.
    :param access: The rules of the access list that will be in force.
    :param present: Whether the managed block is wanted.
    :param version: Of Nginx Proxy Manager.
    """

    domain_name: str
    paths: tuple[BlockPath, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    fields: Mapping[str, Any] = field(default_factory=dict)
    access: AccessRules | None = None
    replace_snippet: bool = False
    present: bool = True
    version: Version = LATEST


@dataclass(frozen=True)
class Served:
    """What a host serves.

    :param tls: Whether it answers with TLS.
    :param own_page: Whether ``/`` is the location of Nginx Proxy Manager itself, with the access rules of the host.
    :param headers: Names of the headers that the Advanced text adds at server level.
    """

    tls: bool = False
    own_page: bool = True
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostPlan:
    """The changes to a proxy host.

    :param body: What a partial PUT carries; empty for no change.
    :param previous: The values that it replaces.
    :param block: The managed block as it will be.
    :param before: The Advanced text as it is.
    :param served: What the host serves once this is written.
    """

    body: Mapping[str, Any]
    previous: Mapping[str, Any]
    block: Block | None
    before: AdvancedText
    reasons: tuple[str, ...]
    clashes: tuple[Clash, ...]
    removed: tuple[RemovedText, ...] = ()
    served: Served = field(default_factory=Served)

    @property
    def unmanaged_after(self) -> str:
        """The user's text once this is written."""
        return split_text(str(self.body.get("advanced_config", self.before.with_block(self.before.block)))).unmanaged

    @property
    def loaded_before(self) -> LoadedState:
        """What the running nginx shows before."""
        before = self.before.loaded
        return before if before.paths or self.block is None else LoadedState(None, split_text(self.block.text).paths)

    @property
    def loaded_after(self) -> LoadedState:
        """What the running nginx shows once this is in force."""
        if self.block is None:
            # Without a block, its absence shows on the paths that it had.
            return LoadedState(None, self.before.paths)
        return LoadedState(self.block.revision, split_text(self.block.text).paths)

    @property
    def probed_paths(self) -> tuple[str, ...]:
        """The paths on which the difference shows."""
        return self.loaded_after.paths or self.loaded_before.paths


def find_host(
    hosts: Sequence[dict[str, Any]], domain_name: str, others: Sequence[str] = (), wildcards: bool = False
) -> dict[str, Any] | None:
    """The proxy host that serves a domain name.

    :param others: Other names that the host is to have, by which it is found if none has the first.
    :param wildcards: Whether a host of a wildcard serves the name too, as it does for nginx if no other has it.
    """
    wanted = [domain_name]
    wanted += [each for each in others if each.lower() != domain_name.lower()]
    if wildcards:
        parts = domain_name.split(".")
        wanted += [".".join(["*", *parts[number:]]) for number in range(1, len(parts))]
    for name in wanted:
        for host in hosts:
            if name.lower() in _names(host.get("domain_names")):
                return host
    return None


def plan_host(host: Mapping[str, Any], wanted: WantedHost) -> HostPlan:
    """Compare a host as the API returns it with the wanted one.

    :raises PlanError: If something prevents it; nothing may be written then.
    """
    name = wanted.domain_name
    text = str(host.get("advanced_config") or "")
    try:
        before = split_text(text)
    except BlockError as exc:
        raise PlanError(f"proxy host {name}: {exc}") from None
    unmanaged, removed, clashes = _without_snippet(host, before, wanted)
    after_host = {**host, **_fields_after(host, wanted)}
    block = None
    if wanted.present and (wanted.paths or before.created_by_us):
        block = _render(after_host, unmanaged, wanted, before.created_by_us)
    after = _with_block(before, unmanaged, block.text if block else None)
    unchanged = before.block is not None and block is not None and before.block == block.text
    _refuse_clashes(name, clashes, unchanged)
    body: dict[str, Any] = {}
    previous: dict[str, Any] = {}
    reasons: list[str] = []
    for key, value, current in _changed_fields(host, wanted):
        body[key], previous[key] = value, current
        if value == NEW_CERTIFICATE:
            reasons.append("it has no certificate that is valid for its names, and gets one from Let's Encrypt")
        else:
            reasons.append(f"{key} is {current!r}, wanted {value!r}")
    if after != text:
        body["advanced_config"], previous["advanced_config"] = after, text
        reasons += _block_reasons(before, block, removed)
    served = _served(after_host, unmanaged)
    return HostPlan(body, previous, block, before, tuple(reasons), clashes, removed, served)


def _served(after_host: Mapping[str, Any], unmanaged: str) -> Served:
    return Served(
        has_certificate(after_host),
        keeps_default_location(unmanaged, after_host.get("locations")),
        header_names(unmanaged),
    )


def _render(after_host: Mapping[str, Any], unmanaged: str, wanted: WantedHost, created: bool) -> Block:
    """The block of a host, with what it repeats of it.

    :param after_host: The host as it will be.
    """
    hsts = hsts_directive(after_host, wanted.version)
    headers = repeated_headers(unmanaged, after_host.get("locations") or (), hsts)
    return render(wanted.paths, wanted.timeouts, wanted.access, created, headers)


def _without_snippet(
    host: Mapping[str, Any], before: AdvancedText, wanted: WantedHost
) -> tuple[str, tuple[RemovedText, ...], tuple[Clash, ...]]:
    """The user's text without what the user wants replaced, and the clashes that are left then."""
    if not wanted.present:
        return before.unmanaged, (), ()
    switch_on = flag(wanted.fields.get("allow_websocket_upgrade", host.get("allow_websocket_upgrade")))
    custom = host.get("locations") or ()
    clashes = find_clashes(before.unmanaged, custom, wanted.paths, switch_on, before.line_of)
    if not wanted.replace_snippet:
        return before.unmanaged, (), clashes
    spans = {span for each in clashes for span in each.spans}
    unmanaged, removed = remove_spans(before.unmanaged, spans)
    if not removed:
        return unmanaged, removed, clashes

    def line_of(offset: int) -> int:
        return before.line_of(original_offset(offset, removed))

    return unmanaged, removed, find_clashes(unmanaged, custom, wanted.paths, switch_on, line_of)


def _with_block(before: AdvancedText, unmanaged: str, block: str | None) -> str:
    """Put the block where it was; in front of the text if there was none, or if text was removed or restored."""
    return before.with_block(block) if unmanaged == before.unmanaged else (block or "") + unmanaged


def _refuse_clashes(name: str, clashes: tuple[Clash, ...], unchanged: bool) -> None:
    for each in clashes:
        if not each.fatal or (each.shadowed and unchanged):
            continue
        remedy = "remove it there"
        if each.spans:
            remedy = "remove it there, or set O(replace_snippet) to true to have it replaced"
        raise PlanError(f"proxy host {name}: {each.text}; {remedy}")


def _fields_after(host: Mapping[str, Any], wanted: WantedHost) -> dict[str, Any]:
    """The wanted fields, with the switches that Nginx Proxy Manager turns off by itself.

    They are turned off explicitly, so that a restoration turns them on again.

    :raises PlanError: If one of the wanted switches cannot be on.
    """
    fields = dict(wanted.fields) if wanted.present else {}
    if flag(fields.get("trust_forwarded_proto")) and wanted.version < TRUSTS_FORWARDED_PROTO:
        raise PlanError(
            f"proxy host {wanted.domain_name}: trust_forwarded_proto needs Nginx Proxy Manager "
            f"{TRUSTS_FORWARDED_PROTO} or newer, and this is {wanted.version}; leave it out"
        )
    for switch, needed in NEEDS:
        present = {**host, **fields}
        if flag(present.get(needed)) or (needed == "certificate_id" and has_certificate(present)):
            continue
        if flag(fields.get(switch)):
            what = "a certificate, and the host has none; give O(certificate)" if needed.endswith("_id") else needed
            raise PlanError(f"proxy host {wanted.domain_name}: {switch} needs {what}, or leave it out")
        if flag(host.get(switch)):
            fields[switch] = False
    return fields


def _changed_fields(host: Mapping[str, Any], wanted: WantedHost) -> list[tuple[str, Any, Any]]:
    """(name, wanted value, present value) of each field that differs."""
    changed: list[tuple[str, Any, Any]] = []
    for key, value in _fields_after(host, wanted).items():
        current = host.get(key)
        if key in SWITCHES:
            current = flag(current)
        elif key.endswith("_id"):
            current = int(current or 0)
        elif key == "domain_names" and _names(current) == _names(value):
            continue
        if current != value:
            changed.append((key, value, current))
    return changed


def _names(value: Any) -> set[str]:
    return {str(each).lower() for each in value or ()}


def _block_reasons(before: AdvancedText, block: Block | None, removed: tuple[RemovedText, ...]) -> list[str]:
    reasons = []
    if removed:
        reasons.append("a pasted WebSocket snippet is replaced")
    if block is None and before.block is not None:
        reasons.append("the managed block is removed")
    elif block is not None and before.block is None:
        reasons.append("the managed block is missing")
    elif block is not None and before.block != block.text:
        reasons.append("the managed block differs")
    return reasons


def plan_creation(wanted: WantedHost) -> tuple[dict[str, Any], Block]:
    """The body of a POST, and the block in it, which marks the host as created by the collection.

    :raises PlanError: If a field that it needs is not given.
    """
    for key in ("forward_host", "forward_port", "forward_scheme"):
        if wanted.fields.get(key) in (None, ""):
            raise PlanError(
                f"there is no proxy host {wanted.domain_name} that this account sees, and O({key}) is not given to "
                "create one; check the name, give the forward address, or let the account see all hosts"
            )
    block = _render(_fields_after({}, wanted), "", wanted, created=True)
    return {"domain_names": [wanted.domain_name], **wanted.fields, "advanced_config": block.text}, block


def saved_state(plan: HostPlan) -> dict[str, Any]:
    """What :func:`plan_restoration` needs to undo a plan, without the user's own text."""
    return {
        "created": False,
        "fields": {key: value for key, value in plan.previous.items() if key != "advanced_config"},
        "block": plan.before.block,
        "removed": [{"offset": each.offset, "text": each.text} for each in plan.removed],
        "unmanaged_digest": digest(plan.unmanaged_after),
    }


def wanted_state(wanted: WantedHost, block: Block | None) -> dict[str, Any]:
    """The same for the state that is wanted: equal in every run that wants it."""
    kept = ("forward_scheme", "forward_host", "forward_port", *SWITCHES)
    return {
        "created": False,
        "fields": {key: wanted.fields[key] for key in kept if key in wanted.fields},
        "block": block.text if block else None,
        "removed": [],
        "unmanaged_digest": "",
    }


def plan_restoration(
    host: Mapping[str, Any],
    saved: Mapping[str, Any],
    domain_name: str,
    access: AccessRules | None = None,
    version: Version = LATEST,
) -> HostPlan:
    """The plan that restores a saved state.

    :param access: The rules of the access list that will be in force; those in the saved block may be older, as may
        its headers.
    :raises PlanError: If the block cannot be found in the text, or cannot be given the rules.
    """
    text = str(host.get("advanced_config") or "")
    old = saved.get("block")
    try:
        before = split_text(text)
    except BlockError as exc:
        raise PlanError(f"proxy host {domain_name}: {exc}") from None
    pieces = tuple(RemovedText(int(each["offset"]), str(each["text"])) for each in saved.get("removed") or ())
    clashes: tuple[Clash, ...] = ()
    unmanaged = before.unmanaged
    if pieces:
        if digest(unmanaged) == saved.get("unmanaged_digest"):
            unmanaged = insert_pieces(unmanaged, pieces)
        else:
            clashes = (
                Clash(
                    "text_edited",
                    "the Advanced text was edited since, so that the snippet that was replaced is not restored",
                ),
            )
    wanted = WantedHost(domain_name, fields=dict(saved.get("fields") or {}), version=version)
    after_host = {**host, **_fields_after(host, wanted)}
    if old:
        headers = repeated_headers(unmanaged, host.get("locations") or (), hsts_directive(after_host, version))
        try:
            old = with_rules(old, access, headers)
        except BlockError as exc:
            raise PlanError(f"proxy host {domain_name}: {exc}") from None
    after = _with_block(before, unmanaged, old)
    body: dict[str, Any] = {}
    previous: dict[str, Any] = {}
    reasons: list[str] = []
    for key, value, current in _changed_fields(host, wanted):
        body[key], previous[key] = value, current
        reasons.append(f"{key} is {current!r}, was {value!r}")
    if after != text:
        body["advanced_config"], previous["advanced_config"] = after, text
        reasons.append("the managed block was another one" if old else "there was no managed block")
    revision = split_text(after).revision
    block = Block(old, revision) if old and revision else None
    served = _served(after_host, unmanaged)
    return HostPlan(body, previous, block, before, tuple(reasons), clashes, served=served)


def resume_interrupted(
    host: Mapping[str, Any],
    plan: tuple[Mapping[str, Any], Mapping[str, Any]],
    pending: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(body, previous values) of a plan, extended by a save that was interrupted before it was confirmed.

    Its previous values are then those that served before the interrupted save.

    :param pending: Body and previous values of the interrupted save, both empty if there was none.
    """
    (body, previous), (begun, replaced) = plan, pending
    if not has_values(host, begun):
        return dict(body), dict(previous)
    return {**begun, **body}, {**previous, **replaced}


def has_values(host: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a host has all these values; false for none."""
    return bool(values) and all(same(host.get(key), value) for key, value in values.items())


def same(current: Any, wanted: Any) -> bool:
    """Whether a value of the API is the wanted one, whatever type its version has for it."""
    if isinstance(wanted, bool):
        return flag(current) is wanted
    if isinstance(wanted, (list, tuple)):
        return list(current or ()) == list(wanted)
    return bool(current == wanted) or (not current and not wanted)
