# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from a browser to the backend, with the state of each part (pure).

A vantage point that passed clears everything on its way. One that failed accuses the part that no other one clears.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PASSED, FAILED, UNKNOWN = "passed", "failed", "not checked"


@dataclass(frozen=True)
class Part:
    """One part of the way.

    :param state: ``passed``, ``failed``, or ``not checked`` if nothing that was seen tells.
    """

    name: str
    detail: str
    state: str


def parts_of(document: Mapping[str, Any]) -> tuple[Part, ...]:
    """The parts from the browser to the backend."""
    seen: dict[str, bool] = {}
    for check in document["checks"]:
        if check["transport"] == "websocket":
            seen[check["vantage"]] = seen.get(check["vantage"], True) and bool(check["passed"])
    browser = document["browser"]
    if browser is not None and browser["available"]:
        seen["browser"] = browser["passed"]
    order = ("direct", "proxy", "public", "browser")
    names = {
        "direct": ("Backend", "its port on the host"),
        "proxy": ("Proxy", "asked by the host"),
        "public": ("Network", "DNS, TLS and firewall, asked by the controller"),
        "browser": ("Browser", "the page itself"),
    }
    found, accused = [], False
    for position, vantage in enumerate(order):
        outer = [seen[name] for name in order[position:] if name in seen]
        if any(outer):
            state = PASSED
        elif vantage in seen and not accused:
            state, accused = FAILED, True
        else:
            state = UNKNOWN
        found.append(Part(*names[vantage], state))
    page = document["page"]["passed"]
    scripts = Part(
        "Scripts of the page", "the URL in the build", UNKNOWN if page is None else PASSED if page else FAILED
    )
    return (found[3], scripts, *reversed(found[:3]))
