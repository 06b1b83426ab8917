"""One cause for all endpoints, from what each of them proves about the others."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.diagnosis import (
    Diagnosis,
    EarlierResult,
    diagnose,
    parse_earlier,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.http_answer import Page
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Fault,
    FollowUp,
    Observation,
)
from websocket_observations import answer, hold, seen

PASSED = {"answer": answer(101), "opened": True}


def refused(status: int, body: str = "") -> dict[str, Any]:
    return {"fault": Fault.HTTP_ANSWER, "answer": answer(status, body), "detail": f"HTTP {status}"}


def earlier(vantage: str = "direct", passed: bool = True, **more: Any) -> EarlierResult:
    return replace(EarlierResult("before", vantage, "websocket", passed), **more)


def causes(*observations: Observation, **more: Any) -> list[str]:
    return [verdict.cause.value for verdict in diagnose(observations, **more).verdicts]


def test_all_endpoints_passed() -> None:
    found = diagnose([seen("direct", name="backend", **PASSED), seen("proxy", name="p", **PASSED)], earlier=[earlier()])
    assert (found.cause, found.explanation, found.remedy) == (Cause.NONE, "every endpoint passed", "None is needed.")
    assert found.evidence == (
        "backend (direct): passed",
        "p (proxy): passed",
        "before (direct, from an earlier call): passed",
    )


def test_the_first_cause_on_the_way_is_the_diagnosis_with_its_evidence() -> None:
    found = diagnose(
        [
            seen("public", name="public", **refused(502)),
            seen("proxy", name="proxy", **refused(504)),
            seen("direct", name="backend", **refused(500)),
        ],
        earlier=[earlier("proxy", passed=False, cause="bad_gateway")],
    )
    assert found.cause is Cause.SERVER_ERROR
    assert found.evidence == (
        "public (public): failed (bad_gateway)",
        "proxy (proxy): failed (gateway_timeout)",
        "backend (direct): failed (server_error)",
        "before (proxy, from an earlier call): failed (bad_gateway)",
        "backend: HTTP/1.1 500 Reason",
    )


def test_a_wrong_direct_address_is_the_diagnosis_only_if_nothing_else_failed() -> None:
    direct = seen("direct", fault=Fault.REFUSED, detail="refused")
    assert diagnose([direct, seen("proxy", **PASSED)]).cause is Cause.WRONG_DIRECT_ADDRESS
    both = diagnose([direct, seen("proxy", **PASSED), seen("public", name="public", **refused(504))])
    assert both.cause is Cause.GATEWAY_TIMEOUT


def test_the_message_is_explanation_and_remedy_in_one_sentence() -> None:
    diagnosis = Diagnosis(Cause.SERVER_ERROR, "it failed", "Read the log.", (), ())
    assert diagnosis.message == "it failed; read the log"


def test_nothing_observed_proves_nothing() -> None:
    with pytest.raises(ValueError, match="no endpoint was observed"):
        diagnose([])


@pytest.mark.parametrize(
    ("others", "results", "cause"),
    [
        pytest.param([], [], "path_not_found", id="alone"),
        pytest.param([seen("direct", **PASSED)], [], "refused_behind_proxy", id="direct-passed"),
        pytest.param([seen("direct", **refused(500))], [], "path_not_found", id="direct-failed"),
        pytest.param([seen("direct", **PASSED), seen("direct", **refused(500))], [], "path_not_found", id="one-of-two"),
        pytest.param([], [earlier()], "refused_behind_proxy", id="direct-passed-earlier"),
        pytest.param(
            [], [earlier(without_upgrade=answer(404, "page").page)], "upgrade_not_forwarded", id="its-page-earlier"
        ),
        pytest.param([seen("direct", **PASSED)], [earlier(passed=False)], "path_not_found", id="and-failed-earlier"),
        pytest.param([seen("direct", "sse", **PASSED)], [], "path_not_found", id="another-transport"),
        pytest.param([], [earlier(transport="sse")], "path_not_found", id="another-transport-earlier"),
        pytest.param([seen("public", **PASSED)], [earlier("public")], "path_not_found", id="no-direct"),
    ],
)
def test_what_direct_proves_decides_on_an_answer_of_the_proxy(
    others: list[Observation], results: list[EarlierResult], cause: str
) -> None:
    assert causes(*others, seen("proxy", **refused(404, "page")), earlier=results)[-1] == cause


@pytest.mark.parametrize(
    ("others", "results", "cause"),
    [
        pytest.param([], [], "backend_down", id="alone"),
        pytest.param([seen("public", **PASSED)], [], "wrong_direct_address", id="public-passed"),
        pytest.param([seen("proxy", **refused(502))], [], "backend_down", id="proxy-failed"),
        pytest.param([], [earlier("proxy")], "wrong_direct_address", id="proxy-passed-earlier"),
        pytest.param([], [earlier("proxy", passed=False)], "backend_down", id="proxy-failed-earlier"),
        pytest.param([seen("direct", **PASSED)], [earlier("direct")], "backend_down", id="another-direct-passed"),
    ],
)
def test_what_the_proxy_reaches_decides_on_a_refused_backend(
    others: list[Observation], results: list[EarlierResult], cause: str
) -> None:
    refused_backend = seen("direct", name="refused", fault=Fault.REFUSED, detail="refused")
    assert causes(refused_backend, *others, earlier=results)[0] == cause


@pytest.mark.parametrize(
    ("direct", "cause"),
    [
        pytest.param(seen("direct", **PASSED), "refused_behind_proxy", id="same"),
        pytest.param(seen("direct", secret_headers={"Cookie": "a"}, **PASSED), "authentication_required", id="headers"),
        pytest.param(seen("direct", origin="http://page", **PASSED), "authentication_required", id="origin"),
        pytest.param(seen("direct", **refused(500)), "authentication_required", id="failed"),
    ],
)
def test_a_403_is_the_proxys_fault_only_if_direct_passed_with_the_same_credentials(
    direct: Observation, cause: str
) -> None:
    assert causes(direct, seen("proxy", **refused(403)))[1] == cause


def test_the_page_of_direct_without_an_upgrade_is_compared() -> None:
    direct = seen("direct", follow_up=FollowUp(plain_request=answer(418, "page")), **PASSED)
    assert causes(direct, seen("proxy", **refused(418, "page")))[1] == "upgrade_not_forwarded"
    assert causes(direct, seen("proxy", **refused(418, "other")))[1] == "refused_behind_proxy"
    empty = seen("direct", follow_up=FollowUp(plain_request=answer(418)), **PASSED)
    assert causes(empty, seen("proxy", **refused(418)))[1] == "refused_behind_proxy"


@pytest.mark.parametrize(
    ("direct", "results", "said"),
    [
        pytest.param(
            seen("direct", hold=hold(alive_at_end=True, silence_at_cut_s=None, longest_silence_s=65.0), **PASSED),
            [],
            "survived 65.0 s",
            id="held",
        ),
        pytest.param(
            seen("direct", hold=hold(alive_at_end=None, silence_at_cut_s=None, longest_silence_s=65.0), **PASSED),
            [],
            None,
            id="perhaps-dead",
        ),
        pytest.param(seen("direct", hold=hold(longest_silence_s=65.0), **PASSED), [], None, id="cut"),
        pytest.param(seen("direct", **PASSED), [earlier(longest_silence_s=70.0)], "survived 70.0 s", id="earlier"),
        pytest.param(
            seen("direct", **PASSED), [earlier(passed=False, longest_silence_s=70.0)], None, id="failed-earlier"
        ),
        pytest.param(seen("direct", **PASSED), [earlier("proxy", longest_silence_s=70.0)], None, id="proxy-earlier"),
    ],
)
def test_a_cut_is_compared_with_the_silence_that_direct_survived(
    direct: Observation, results: list[EarlierResult], said: str | None
) -> None:
    cut = seen("proxy", fault=Fault.CUT, detail="ended", hold=hold())
    explanation = diagnose([direct, cut], earlier=results).verdicts[1].explanation
    assert ("survived" in explanation) is (said is not None)
    assert said is None or said in explanation


def test_bursts_are_compared_with_the_direct_stream_and_the_refusal_with_its_status() -> None:
    direct = seen("direct", "sse", largest_burst=1, **PASSED)
    assert causes(direct, seen("proxy", "sse", bursts=2, largest_burst=5, **PASSED)) == ["none", "events_buffered"]
    both = diagnose([seen("direct", **refused(401)), seen("proxy", **refused(401))])
    assert "the backend refuses in the same way when asked directly" in both.verdicts[1].explanation
    before = diagnose([seen("proxy", **refused(401))], earlier=[earlier(passed=False, status=401)])
    assert "the backend refuses in the same way when asked directly" in before.explanation


def test_the_configured_idle_timeout_is_known_to_every_verdict() -> None:
    cut = seen("proxy", fault=Fault.CUT, detail="ended", hold=hold())
    assert "the configured idle timeout of 86400 s" in diagnose([cut], 86400.0).explanation


def test_earlier_results_are_read() -> None:
    result = {
        "name": "backend",
        "vantage": "direct",
        "transport": "sse",
        "passed": False,
        "status": 502,
        "longest_silence_s": 3.5,
        "cause": "bad_gateway",
        "url": "ignored",
        "without_upgrade": {"status": 404, "digest": "d"},
    }
    assert parse_earlier([result, {"vantage": "proxy", "passed": True}]) == (
        EarlierResult("backend", "direct", "sse", False, 502, 3.5, "bad_gateway", Page(404, "d")),
        EarlierResult("", "proxy", "websocket", True),
    )


@pytest.mark.parametrize("result", [{"vantage": "moon", "passed": True}, {"vantage": "direct"}, "text"])
def test_what_is_not_a_result_is_refused_by_its_place(result: Any) -> None:
    message = "earlier_results[1] is not a result of websocket_check: it has no vantage or passed"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_earlier([{"vantage": "direct", "passed": True}, result])


@pytest.mark.parametrize(
    ("others", "results", "in_front"),
    [
        pytest.param([seen("proxy", **PASSED)], [], True, id="proxy-passed"),
        pytest.param([], [earlier("proxy")], True, id="proxy-passed-earlier"),
        pytest.param([seen("direct", **PASSED)], [], False, id="direct-alone"),
        pytest.param([seen("proxy", **PASSED)], [earlier("proxy", passed=False)], False, id="proxy-failed-once"),
        pytest.param([], [earlier("proxy", transport="sse")], False, id="another-transport"),
    ],
)
def test_a_proxy_that_passed_clears_everything_behind_it(
    others: list[Observation], results: list[EarlierResult], in_front: bool
) -> None:
    diagnosis = diagnose([*others, seen("public", **refused(502))], earlier=results)
    assert diagnosis.remedy.startswith("at the machine in front of the proxy: ") is in_front
    assert ("so the cause is in front of it" in diagnosis.explanation) is in_front
