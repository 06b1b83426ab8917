"""Observations and verdicts as plain values and short lines."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.diagnosis import diagnose
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Close,
    Fault,
    Load,
    Observation,
    Tls,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.report import report, report_not_checked
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.round_trips import round_trips
from websocket_observations import answer, hold, seen

HELD = hold(held_s=65.04, longest_silence_s=20.06, alive_at_end=True, silence_at_cut_s=None, server_pings=3)


def reported(*observations: Observation, expected_s: float | None = None) -> dict[str, Any]:
    return report(observations, diagnose(observations, expected_s), expected_s)


@pytest.mark.parametrize(
    ("observation", "line"),
    [
        pytest.param(seen("direct"), "Direct backend connection: passed", id="nothing-measured"),
        pytest.param(
            seen("proxy", phases={"resolve": 0.001, "tcp": 0.001, "upgrade": 0.0021, "message": 0.0004}, hold=HELD),
            "Connection through the proxy: passed "
            "(handshake 4 ms, reply under 1 ms, held 65.0 s, longest silence 20.1 s)",
            id="all-phases",
        ),
        pytest.param(
            seen("public", tls=Tls("TLSv1.3", None, "h", "CA", ("h",), None, 21, True)),
            "Public connection: passed (TLSv1.3, certificate valid for 21 days)",
            id="certificate",
        ),
        pytest.param(
            seen("public", tls=Tls(None, None, "h", "CA", ("h",), None, 20, True)),
            "Public connection: passed (the certificate expires in 20 days)",
            id="certificate-that-expires-soon",
        ),
        pytest.param(
            seen("public", tls=Tls("TLSv1.3", None, None, None, (), None, None, True)),
            "Public connection: passed (TLSv1.3)",
            id="certificate-that-cannot-be-read",
        ),
        pytest.param(
            seen("direct", hold=hold(mode="ping", silence_at_cut_s=None, trips=round_trips([0.1, 0.2, 0.3]))),
            "Direct backend connection: passed (held 65.0 s, longest silence 60.1 s, median round trip 200 ms)",
            id="round-trips",
        ),
        pytest.param(
            seen(
                "proxy",
                "sse",
                first_event_s=0.25,
                phases={"answer": 0.1, "message": 0.25},
                close=Close(None, "", "client"),
            ),
            "Event stream through the proxy /ws: passed (handshake 100 ms, first event 250 ms)",
            id="stream",
        ),
        pytest.param(
            seen("direct", "sse", hold=HELD, close=Close(None, "", "server")),
            "Direct event stream /ws: passed (ended by the server after 65.0 s, longest silence 20.1 s)",
            id="stream-that-ended",
        ),
        pytest.param(
            seen("proxy", load=Load(50, 50, 49, {}, {}, round_trips([0.004]), 1.0), phases={"upgrade": 9.0}),
            "Connection through the proxy: passed (49 of 50 connections held at once, median handshake 4 ms)",
            id="load",
        ),
        pytest.param(
            seen("direct", fault=Fault.REFUSED, detail="why"),
            "Direct backend connection: failed (backend_down): "
            "the backend (ws://h/ws) does not accept connections: why",
            id="failed",
        ),
    ],
)
def test_an_endpoint_has_one_line(observation: Observation, line: str) -> None:
    assert reported(observation)["summary"] == [line]


def test_lines_that_would_be_alike_have_the_endpoints_name() -> None:
    lines = reported(seen("direct", name="a"), seen("direct", name="b"), seen("proxy", name="c"))["summary"]
    assert lines == [
        "Direct backend connection (a): passed",
        "Direct backend connection (b): passed",
        "Connection through the proxy: passed",
    ]


def test_a_result_has_rounded_values() -> None:
    tls = Tls("TLSv1.3", "AES", "h", "CA", ("h", "i"), "2030-01-01T00:00:00+00:00", 30, True)
    observation = seen(
        "proxy",
        phases={"tcp": 0.123456, "upgrade": 0.2},
        address="192.0.2.1:80",
        answer=answer(101, Server="nginx"),
        subprotocol="v1",
        extensions="x",
        tls=tls,
        hold=hold(
            mode="ping",
            held_s=65.04321,
            alive_at_end=True,
            silence_at_cut_s=None,
            server_pings=2,
            trips=round_trips([0.1234567], lost=1),
            samples=[(1.23456, 0.1234567)],
            arrivals_s=[1.35802],
        ),
        close=Close(1000, "bye", "client"),
    )
    (result,) = reported(observation, expected_s=10.0)["results"]
    assert result == {
        "name": "e",
        "url": "ws://h/ws",
        "vantage": "proxy",
        "transport": "websocket",
        "passed": True,
        "cause": None,
        "explanation": None,
        "status": 101,
        "address": "192.0.2.1:80",
        "phases": {"tcp": 0.1235, "upgrade": 0.2},
        "subprotocol": "v1",
        "extensions": "x",
        "server": "nginx",
        "held_s": 65.043,
        "longest_silence_s": 60.1,
        "idle_timeout_proven_s": None,
        "configured_idle_timeout_s": None,
        "proves": "no idle timeout is proven: the check sent a ping every 10 s",
        "server_pings": 2,
        "round_trips": {"sent": 2, "lost": 1, "min": 0.12346, "median": 0.12346, "p95": 0.12346, "max": 0.12346},
        "samples": [[1.23, 0.12346]],
        "arrivals_s": [1.36],
        "close": {"code": 1000, "name": "normal closure", "reason": "bye", "by": "client"},
        "tls": {
            "version": "TLSv1.3",
            "cipher": "AES",
            "subject": "h",
            "issuer": "CA",
            "names": ["h", "i"],
            "not_after": "2030-01-01T00:00:00+00:00",
            "expires_in_days": 30,
            "verified": True,
            "chain": [],
        },
        "first_event_s": None,
        "event_gaps": None,
        "connections": None,
        "without_upgrade": None,
        "further_handshakes": None,
        "addresses": [],
        "evidence": [
            "connected to 192.0.2.1:80 as h",
            "TLSv1.3 with the certificate of h, expires in 30 days",
            "HTTP/1.1 101 Reason, Server: nginx",
        ],
    }


def test_what_was_not_seen_is_null() -> None:
    (result,) = reported(seen("direct", fault=Fault.REFUSED, detail="why"))["results"]
    empty = {name for name, value in result.items() if value in (None, {}, 0, [])}
    assert (result["cause"], result["passed"]) == ("backend_down", False)
    assert empty == set(result) - {"name", "url", "vantage", "transport", "cause", "explanation", "evidence"}


def test_streams_and_load_are_counted() -> None:
    load = Load(3, 2, 1, {"proxy_down": 1}, {"503": 1}, round_trips([0.1, 0.3]), 1.23456)
    stream, many = reported(
        seen("direct", "sse", first_event_s=0.12345, event_gaps_s=(0.3, 0.1, 0.2)), seen("proxy", load=load)
    )["results"]
    assert (stream["first_event_s"], stream["event_gaps"]) == (
        0.123,
        {"count": 3, "min": 0.1, "median": 0.2, "max": 0.3},
    )
    assert many["connections"] == {
        "asked": 3,
        "accepted": 2,
        "held": 1,
        "failures": {"proxy_down": 1},
        "refused_by_status": {"503": 1},
        "handshake_s": {"min": 0.1, "median": 0.1, "p95": 0.3, "max": 0.3},
        "opened_s": 1.235,
    }


def test_the_diagnosis_is_that_of_the_call() -> None:
    result = reported(seen("direct", fault=Fault.REFUSED, detail="why"))
    assert (result["changed"], set(result["diagnosis"])) == (False, {"cause", "explanation", "remedy", "evidence"})
    assert result["diagnosis"]["cause"] == "backend_down"


def test_a_call_that_could_not_run_has_the_same_keys() -> None:
    result = report_not_checked("no library", "install it")
    assert set(result) == set(reported(seen()))
    assert result == {
        "changed": False,
        "results": [],
        "diagnosis": {"cause": "not_checked", "explanation": "no library", "remedy": "install it", "evidence": []},
        "summary": ["Nothing was checked: no library"],
    }
