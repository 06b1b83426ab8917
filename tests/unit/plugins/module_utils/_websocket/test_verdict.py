"""Every fault is judged, at every vantage point, with every knowledge of the other endpoints."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket import (
    verdict_connection,
    verdict_further,
    verdict_http,
    verdict_session,
    verdict_stream,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import CATALOGUE, Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.header_form import HeaderForm
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.judgement import Reference
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Fault,
    FurtherHandshake,
    Load,
    Observation,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.round_trips import round_trips
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import parse_target
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.verdict import JUDGES, judge


def failed(fault: Fault, vantage: str = "direct", transport: str = "websocket", detail: str = "detail") -> Observation:
    url = "http://h/x" if transport == "sse" else "ws://h/x"
    seen = Observation(
        parse_target(
            {
                "name": "e",
                "url": url,
                "vantage": vantage,
                "transport": transport,
                "secret_headers": {"Cookie": "s3cret"},
            }
        )
    )
    seen.fail(fault, detail)
    if fault in (Fault.FORM_REFUSED, Fault.SOME_REFUSED):
        seen.further = [
            FurtherHandshake(HeaderForm.CHROMIUM, True, 101),
            FurtherHandshake(HeaderForm.FIREFOX, False, None, detail),
        ]
    if fault is Fault.IDLE_TIMEOUT_SHORT:
        seen.target = replace(seen.target, configured_idle_timeout_s=25.0)
    if fault is Fault.ADDRESS_REFUSED:
        seen.at_addresses = [replace(seen, opened=True, fault=None), replace(seen, fault=Fault.REFUSED)]
    return seen


def test_each_fault_has_exactly_one_judge() -> None:
    modules = (verdict_connection, verdict_further, verdict_http, verdict_session, verdict_stream)
    owners = Counter(fault for module in modules for fault in module.JUDGES)
    # Its judge asks those of the other faults.
    owners[Fault.ADDRESS_REFUSED] += 1
    assert owners == Counter(Fault)
    assert set(JUDGES) == set(Fault)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HTTP_ANSWER], ids=lambda f: f.value)
@pytest.mark.parametrize("vantage", ["direct", "proxy", "public"])
@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_every_fault_has_a_judgement_without_secrets(fault: Fault, vantage: str, transport: str) -> None:
    for reference in (Reference(), Reference(direct_passed=True), Reference(direct_passed=False)):
        verdict = judge(failed(fault, vantage, transport, "it sent s3cret"), reference)
        assert verdict.cause is not Cause.NONE
        assert not verdict.passed
        assert verdict.explanation
        assert verdict.remedy
        assert "`" not in verdict.remedy
        assert "s3cret" not in verdict.explanation + verdict.remedy + "".join(verdict.evidence)


def test_an_endpoint_that_passed() -> None:
    seen = Observation(parse_target({"name": "e", "url": "ws://h/x", "vantage": "proxy"}))
    verdict = judge(seen, Reference())
    assert (verdict.cause, verdict.explanation, verdict.passed) == (Cause.NONE, "the proxy works", True)


def test_without_a_remedy_of_its_own_that_of_the_catalogue_applies_without_markup() -> None:
    verdict = judge(failed(Fault.REFUSED), Reference())
    assert verdict.cause is Cause.BACKEND_DOWN
    assert verdict.remedy == CATALOGUE[Cause.BACKEND_DOWN].remedy.replace("`", "")
    assert "pm2 status" in verdict.remedy


@pytest.mark.parametrize(
    ("fault", "accepted", "cause"),
    [
        pytest.param(Fault.REFUSED, 30, Cause.UNAVAILABLE_OR_LIMITED, id="some-are-refused"),
        pytest.param(Fault.REFUSED, 0, Cause.BACKEND_DOWN, id="all-are-refused"),
        pytest.param(Fault.CLOSED_IN_HANDSHAKE, 99, Cause.UNAVAILABLE_OR_LIMITED, id="one-is-closed"),
        pytest.param(Fault.REFUSED, 100, Cause.BACKEND_DOWN, id="all-were-accepted"),
        pytest.param(Fault.ACCEPT_KEY_WRONG, 30, Cause.ACCEPT_KEY_WRONG, id="nothing-that-a-limit-does"),
    ],
)
def test_under_load_a_failure_of_some_connections_is_a_limit(fault: Fault, accepted: int, cause: Cause) -> None:
    seen = failed(fault)
    seen.load = Load(100, accepted, accepted - 1, {}, {}, round_trips([]), 1.0)
    verdict = judge(seen, Reference())
    assert verdict.cause is cause
    alone = judge(failed(fault), Reference()).explanation
    assert verdict.explanation == (
        f"of 100 connections at once {accepted} were accepted and {accepted - 1} held to the end; "
        f"the most common failure: {alone}"
    )
    assert ("worker_connections (nginx needs two for each WebSocket)" in verdict.remedy) is (
        cause is Cause.UNAVAILABLE_OR_LIMITED
    )
