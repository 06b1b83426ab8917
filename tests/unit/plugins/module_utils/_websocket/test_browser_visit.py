"""What it means for a verification that a browser opened a page."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket import browser_visit
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.browser_visit import BrowserVisit
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.outcome import conclude

SKIPPED = {"skipped": True, "changed": False}
URL = "wss://api.example.com/ws"


def check(vantage: str, cause: str = "none") -> dict[str, Any]:
    return {
        "results": [{"vantage": vantage, "passed": cause == "none"}],
        "diagnosis": {"cause": cause, "explanation": f"{vantage} {cause}", "remedy": "Do this."},
        "summary": [f"line of {vantage}"],
    }


PAGE = "https://app.example.com/a"
OPENED = {"available": True, "passed": True, "websocket": {"opened_s": 0.24, "held_s": 5.02}}
NONE_OPENED = {
    "available": True,
    "passed": False,
    "cause": "no_websocket_opened",
    "explanation": "no WebSocket was opened within 30 s",
    "remedy": "Open another page.",
}
NO_BROWSER = {"available": False, "passed": False, "explanation": "no browser was found", "remedy": "Install chromium."}
BLOCKED = {**NONE_OPENED, "cause": "csp_blocked", "explanation": "connect-src forbids it", "remedy": "Allow it."}


@pytest.mark.parametrize(
    ("result", "chosen", "required", "message", "line"),
    [
        pytest.param(
            OPENED, True, False, "", f"passed ({PAGE} opens the WebSocket, after 0.2 s, held 5.0 s)", id="passed"
        ),
        pytest.param(
            BLOCKED,
            False,
            False,
            f"{PAGE} in a browser: connect-src forbids it; allow it",
            f"failed (csp_blocked): {PAGE}: connect-src forbids it; allow it",
            id="failed",
        ),
        pytest.param(
            NONE_OPENED,
            True,
            False,
            f"{PAGE} in a browser: no WebSocket was opened within 30 s; open another page",
            f"failed (no_websocket_opened): {PAGE}: no WebSocket was opened within 30 s; open another page",
            id="a-page-that-was-named-opens-none",
        ),
        pytest.param(
            NONE_OPENED,
            False,
            False,
            "",
            f"{PAGE} opens no WebSocket; name a page that does in staging_browser_pages",
            id="the-first-page-may-open-none",
        ),
        pytest.param(
            NO_BROWSER, True, False, "", "not used: no browser was found; install chromium", id="without-a-browser"
        ),
        pytest.param(
            NO_BROWSER,
            False,
            True,
            f"{PAGE} in a browser: no browser was found; install chromium",
            "not used: no browser was found; install chromium",
            id="required",
        ),
        pytest.param(
            {"available": True, "passed": False, "msg": "the browser did not start"},
            False,
            False,
            f"{PAGE} in a browser: the browser did not start",
            f"failed (not checked): {PAGE}: the browser did not start",
            id="the-browser-crashed",
        ),
    ],
)
def test_a_browser_proves_the_page(
    result: dict[str, Any], chosen: bool, required: bool, message: str, line: str
) -> None:
    outcome = conclude([check("public")], "x", None, URL, visits=[BrowserVisit(PAGE, result, chosen, required)])
    assert (outcome.message, outcome.passed) == (message, not message)
    # A browser that is missing or does not start is not the fault of the host.
    assert outcome.host_passed is (not message or "cause" not in result)
    assert outcome.lines[-1] == f"Browser: {line}"


def test_a_browser_that_was_not_asked_for_has_no_line() -> None:
    outcome = conclude(
        [check("public")], "x", None, URL, visits=[BrowserVisit(PAGE, SKIPPED, chosen=True, required=True)]
    )
    assert outcome.passed
    assert not any("Browser" in line for line in outcome.lines)


def test_what_the_public_connection_does_not_pass_is_not_the_fault_of_the_page() -> None:
    outcome = conclude(
        [check("public", "tls_expired")], "x", None, URL, visits=[BrowserVisit(PAGE, BLOCKED, chosen=True)]
    )
    assert outcome.host_passed


def test_a_page_that_the_controller_does_not_reach_is_not_the_fault_of_the_host() -> None:
    visit = BrowserVisit(PAGE, {**BLOCKED, "cause": "proxy_down"}, chosen=True)
    outcome = conclude([check("public")], "x", None, URL, visits=[visit])
    assert (outcome.passed, outcome.host_passed) == (False, True)


def test_the_causes_of_the_page_are_in_the_catalogue() -> None:
    assert {cause.value for cause in Cause} >= browser_visit._OF_THE_PAGE
