# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a line of progress says of a check that goes on."""

from __future__ import annotations

import asyncio

import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.call import Call
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import Fault, Observation
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.progress import doing
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.run import observe
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.settings import Settings
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import parse_target

TARGET = parse_target({"name": "e", "url": "ws://127.0.0.1:1/ws"}, "endpoints[0]")


def seen(held_since: float | None, trip_s: float | None = None, fault: Fault | None = None) -> Observation:
    return Observation(TARGET, held_since=held_since, last_round_trip_s=trip_s, fault=fault)


def test_before_a_connection_is_open_only_the_phase_is_known() -> None:
    assert doing([seen(None), seen(None, fault=Fault.REFUSED)], 65, 7.0) == ("handshake", "")


def test_a_hold_says_how_long_how_many_and_how_fast() -> None:
    observations = [seen(100.0, 0.005), seen(100.5, 0.0214), seen(101.0, fault=Fault.CUT), seen(None)]
    assert doing(observations, 65, 112.2) == (
        "hold",
        "12 of 65 s, 2 of 3 connections open, last round trip 21 ms",
    )
    assert doing([seen(100.0)], 0.5, 112.2) == ("hold", "0 of 0.5 s, 1 of 1 connections open")


def test_a_check_tells_while_it_holds() -> None:
    told: list[tuple[str, str]] = []
    with peers.peer(peers.healthy) as port:
        target = parse_target({"name": "e", "url": f"ws://127.0.0.1:{port}/ws"}, "endpoints[0]")
        settings = Settings(hold_s=1.5, hold_mode="ping", interval_s=0.1, further_handshakes=False)
        (ended,) = asyncio.run(
            observe(Call(settings, (target,), {"e": None}), lambda phase, line: told.append((phase, line)))
        )
    assert ended.fault is None
    assert told[0] == ("handshake", "")
    assert told[-1][0] == "hold"
    assert "of 1.5 s, 1 of 1 connections open, last round trip" in told[-1][1]
