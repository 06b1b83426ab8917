# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task reports about a proxy host; complete at any moment, so that a failure reports it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .advanced_text import digest, split_text
from .answer import ProxyAnswer
from .block import Block
from .host_status import shown
from .plan import HostPlan, WantedHost, saved_state, wanted_state


@dataclass
class HostReport:
    """The result of a task; for the fields, see RETURN of the module."""

    name: str
    changed: bool = False
    msg: str = ""
    version: str = ""
    reasons: list[str] = field(default_factory=list)
    findings: list[dict[str, str]] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    block: str = ""
    revision: str = ""
    host: dict[str, Any] | None = None
    wire: dict[str, dict[str, Any]] = field(default_factory=lambda: {"before": {}, "after": {}})
    previous: dict[str, Any] = field(default_factory=dict)
    current: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, list[str]] = field(default_factory=lambda: {"proven": [], "unproven": []})
    restored: bool | None = None
    backup: str | None = None
    text_digest: dict[str, str] = field(default_factory=lambda: {"before": "", "after": ""})
    api_calls: list[str] = field(default_factory=list)
    lock_waited_s: float = 0.0
    diff: list[dict[str, str]] = field(default_factory=list)

    def find(self, kind: str, text: str) -> None:
        """Add a finding, of which the user is warned."""
        self.findings.append({"kind": kind, "text": text})

    def describe_plan(
        self, host: Mapping[str, Any], plan: HostPlan, wanted: WantedHost, seen: Mapping[str, ProxyAnswer]
    ) -> None:
        """Report what a plan would change of a host.

        :param seen: The answers of the proxy before.
        """
        self.reasons = list(plan.reasons)
        for each in plan.clashes:
            self.find(each.kind, each.text)
        self.host = shown(host)
        self.previous = saved_state(plan)
        self.current = wanted_state(wanted, plan.block)
        self.wire["before"] = _as_results(seen)
        self.text_digest = {"before": digest(plan.before.unmanaged), "after": digest(plan.unmanaged_after)}
        self.describe_change(plan.block, plan.before.block or "", plan.previous, plan.body)

    def describe_change(
        self, block: Block | None, before: str, previous: Mapping[str, Any], body: Mapping[str, Any]
    ) -> None:
        """Report block and fields, before and after."""
        self.block = block.text if block else ""
        self.revision = block.revision if block else ""
        self.diff = [
            {
                "before_header": f"managed block of {self.name}",
                "after_header": f"managed block of {self.name}",
                "before": before,
                "after": self.block,
            },
            {
                "before_header": f"fields of {self.name}",
                "after_header": f"fields of {self.name}",
                "before": _lines(previous),
                "after": _lines(body),
            },
        ]

    def describe_outcome(
        self, host: Mapping[str, Any], seen: Mapping[str, ProxyAnswer], verb: str, confirmed: bool
    ) -> None:
        """Report what became of a host; ``proof`` is complete before.

        :param seen: The answers of the proxy afterwards.
        :param confirmed: Whether the proxy was asked for the new configuration.
        """
        self.host = shown(host)
        self.text_digest["after"] = digest(split_text(str(host.get("advanced_config") or "")).unmanaged)
        self.wire["after"] = _as_results(seen)
        unproven = self.proof["unproven"]
        if not confirmed:
            proof = " (the proxy was not asked)"
        elif unproven:
            proof = (
                " and Nginx Proxy Manager reports it online; whether the running nginx has loaded "
                f"{', '.join(unproven)} does not show from outside"
            )
        else:
            proof = " and its new configuration answers"
        self.msg = f"proxy host {self.name} is {verb}{proof}"

    def result(self) -> dict[str, Any]:
        """The result of the module, without its diff."""
        kept = {key: value for key, value in vars(self).items() if key not in ("name", "diff")}
        return {key: value for key, value in kept.items() if value is not None}


def _as_results(seen: Mapping[str, ProxyAnswer]) -> dict[str, dict[str, object]]:
    return {path: each.as_result() for path, each in seen.items()}


def _lines(fields: Mapping[str, Any]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in sorted(fields.items()) if key != "advanced_config")
