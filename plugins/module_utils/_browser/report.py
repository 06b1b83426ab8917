# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of the module, from what was observed and judged (pure)."""

from __future__ import annotations

from typing import Any

from .observation import PageObservation
from .verdict import Expected, PageVerdict

_CONSOLE_LIMIT = 50


def page_result(seen: PageObservation, verdict: PageVerdict, expected: Expected, screenshot: str) -> dict[str, Any]:
    """The fields that the module's documentation names."""
    return {
        "available": True,
        "passed": verdict.passed,
        "cause": verdict.cause.value,
        "explanation": verdict.explanation,
        "remedy": verdict.remedy,
        "evidence": list(verdict.evidence),
        "page": {"url": seen.final_url or seen.url, "status": seen.status},
        "websocket": _websocket(seen, expected),
        "console": [f"{line.level}: {line.text}" for line in seen.console[:_CONSOLE_LIMIT]],
        "screenshot": screenshot,
    }


def _websocket(seen: PageObservation, expected: Expected) -> dict[str, Any] | None:
    socket = seen.socket_for(expected.websocket_url)
    if socket is None:
        return None
    held = None
    if socket.opened_s is not None:
        held = (socket.closed_s if socket.closed_s is not None else seen.observed_s) - socket.opened_s
    return {
        "url": socket.url,
        "status": socket.status,
        "opened_s": None if socket.opened_s is None else round(socket.opened_s, 3),
        "held_s": None if held is None else round(held, 3),
        "sent": socket.sent,
        "received": socket.received,
    }
