"""Observations of websocket_check as a test wants them: facts in, no connection."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.hold_report import HoldReport
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.http_answer import RawAnswer
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import Observation
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import parse_target

#: A part of the pages that nginx makes itself.
NGINX = "<center>nginx/1.22.1</center>"


def seen(vantage: str = "proxy", transport: str = "websocket", secure: bool = False, **facts: Any) -> Observation:
    """What was seen of an endpoint ``/ws`` of the host ``h``.

    :param facts: Fields of the observation, and ``origin``, ``name`` and ``secret_headers`` of the endpoint.
    """
    scheme = {"websocket": "ws", "sse": "http"}[transport] + ("s" if secure else "")
    raw = {"name": "e", "url": f"{scheme}://h/ws", "vantage": vantage, "transport": transport}
    raw.update({option: facts.pop(option) for option in ("origin", "name", "secret_headers") if option in facts})
    return replace(Observation(parse_target(raw)), **facts)


def answer(status: int, body: str = "", version: str = "1.1", **headers: str) -> RawAnswer:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return RawAnswer(status, "Reason", fields, body.encode(), version=version)


def hold(**facts: Any) -> HoldReport:
    """A hold that was cut after 65 s, of which the last 60.1 s were silent."""
    cut = {"mode": "quiet", "held_s": 65.0, "interval_s": 10.0, "longest_silence_s": 60.1, "silence_at_cut_s": 60.1}
    return HoldReport(**{**cut, **facts})
