"""What the checks of a deployment come to: one message, and whether the host can be the cause."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.outcome import conclude

URL = "wss://api.example.com/ws"


def check(vantage: str, cause: str = "none") -> dict[str, Any]:
    return {
        "results": [{"vantage": vantage, "passed": cause == "none"}],
        "diagnosis": {"cause": cause, "explanation": f"{vantage} {cause}", "remedy": "Do this."},
        "summary": [f"line of {vantage}"],
    }


SKIPPED = {"skipped": True, "changed": False}
NO_LIBRARY = {
    "msg": "no library",
    "results": [],
    "diagnosis": {"cause": "not_checked"},
    "summary": ["Nothing was checked"],
}
CRASHED = {"msg": "MODULE FAILURE"}


def test_everything_passed() -> None:
    outcome = conclude([check("direct"), SKIPPED, check("public")], "through the proxy", None, URL)
    assert (outcome.passed, outcome.host_passed, outcome.message) == (True, True, "")
    assert outcome.lines == (
        "line of direct",
        "line of public",
        f"Scripts of the served page: passed (through the proxy they contain {URL})",
    )
    assert [result["vantage"] for result in outcome.results] == ["direct", "public"]


@pytest.mark.parametrize(
    ("checks", "page_fault", "host_passed", "message"),
    [
        pytest.param(
            [check("proxy", "bad_gateway"), check("public")], None, False, "proxy bad_gateway; do this", id="host"
        ),
        pytest.param(
            [check("proxy"), check("public", "tls_expired")], None, True, "public tls_expired; do this", id="public"
        ),
        pytest.param(
            [check("direct", "backend_down"), check("public", "bad_gateway")],
            None,
            False,
            "direct backend_down; do this",
            id="the-first-cause-alone",
        ),
        pytest.param(
            [check("direct")], "it holds ws://localhost.", False, "own port, it holds ws://localhost", id="page"
        ),
        pytest.param([NO_LIBRARY, NO_LIBRARY], None, False, "no library", id="not-checked-twice"),
        pytest.param([CRASHED, check("public")], None, False, "MODULE FAILURE", id="crashed"),
        pytest.param([{}], None, False, "a check gave no result", id="nothing"),
        pytest.param(
            [NO_LIBRARY, check("public", "proxy_down")],
            "no page",
            False,
            "no library; public proxy_down; do this; own port, no page",
            id="all",
        ),
    ],
)
def test_a_failure_is_told_in_one_sentence(
    checks: list[dict[str, Any]], page_fault: str | None, host_passed: bool, message: str
) -> None:
    outcome = conclude(checks, "own port", page_fault, URL)
    assert (outcome.passed, outcome.host_passed, outcome.message) == (False, host_passed, message)


def test_without_a_check_the_page_alone_decides() -> None:
    assert conclude([SKIPPED, SKIPPED], "own port", None, URL).passed
    failed = conclude([SKIPPED], "own port", "HTTP 502", URL)
    assert not failed.passed
    assert failed.lines == ("Scripts of the served page: failed (own port, HTTP 502)",)


def test_the_evidence_of_the_page_takes_the_place_of_the_sentence_without_it() -> None:
    outcome = conclude([SKIPPED], "own port", None, URL, f"those of /a contain {URL}")
    assert outcome.lines[-1] == f"Scripts of the served page: passed (own port those of /a contain {URL})"
