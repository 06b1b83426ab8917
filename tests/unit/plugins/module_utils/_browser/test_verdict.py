"""The verdict about a page, from what a browser observed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._browser.observation import (
    ConsoleLine,
    FailedAsset,
    PageObservation,
    Socket,
    Violation,
)
from ansible_collections.codeframe.staging.plugins.module_utils._browser.verdict import (
    Expected,
    Handshakes,
    cause_of,
    console_errors,
    judge,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause

PAGE = "https://app.example.com/"
WS = "wss://api.example.com/ws"
OPEN = Socket(WS, 0.5, status=101, origin="https://app.example.com", opened_s=1.0, sent=1, received=2)
SCRIPT = FailedAsset("https://app.example.com/app.js", "Script", 404, "")
GOOD = PageObservation(PAGE, final_url=PAGE, status=200, sockets=[OPEN], observed_s=6.5)


def seen(*sockets: Socket, **changes: object) -> PageObservation:
    return replace(GOOD, sockets=list(sockets), **changes)


@pytest.mark.parametrize(
    ("observation", "cause"),
    [
        pytest.param(GOOD, Cause.NONE, id="works"),
        pytest.param(seen(navigation_error="net::ERR_CERT_DATE_INVALID"), Cause.TLS_EXPIRED, id="navigation fails"),
        pytest.param(seen(OPEN, status=None), Cause.PAGE_FAILED, id="no answer"),
        pytest.param(seen(OPEN, status=502), Cause.PAGE_FAILED, id="page answers 502"),
        pytest.param(seen(OPEN, final_url="https://login.example.com/"), Cause.PAGE_REDIRECTED, id="other origin"),
        pytest.param(seen(OPEN, final_url=PAGE + "projects/1"), Cause.NONE, id="same origin"),
        pytest.param(seen(), Cause.NO_WEBSOCKET_OPENED, id="no socket"),
        pytest.param(seen(failed_assets=[SCRIPT]), Cause.ASSET_FAILED, id="no socket, script missing"),
        pytest.param(
            seen(failed_assets=[SCRIPT], exceptions=["TypeError: x"]), Cause.ASSET_FAILED, id="the script comes first"
        ),
        pytest.param(seen(exceptions=["TypeError: x"]), Cause.CONSOLE_ERROR, id="no socket, code fails"),
        pytest.param(seen(replace(OPEN, url="ws://localhost:8080/ws")), Cause.STALE_BUNDLE, id="another socket"),
        pytest.param(seen(replace(OPEN, url=WS + "?token=1")), Cause.NONE, id="the query does not count"),
        pytest.param(seen(replace(OPEN, url="wss://API.example.com:443/ws")), Cause.NONE, id="port and capitals"),
        pytest.param(seen(replace(OPEN, url="wss://api.example.com/ws/")), Cause.STALE_BUNDLE, id="another path"),
        pytest.param(
            seen(replace(OPEN, url="ws://localhost:3000/_next/webpack-hmr")),
            Cause.NO_WEBSOCKET_OPENED,
            id="a development server's socket is none of the application's",
        ),
        pytest.param(
            seen(replace(OPEN, url="ws://x/ws"), from_service_worker=[PAGE + "app.js"]),
            Cause.SERVICE_WORKER_STALE,
            id="another socket, by a service worker",
        ),
        pytest.param(
            seen(violations=[Violation("mixed_content", "ws://api.example.com/ws")]), Cause.MIXED_CONTENT, id="mixed"
        ),
        pytest.param(
            seen(violations=[Violation("mixed_content", "http://cdn.example.com/a.png")]),
            Cause.NO_WEBSOCKET_OPENED,
            id="a picture without TLS is no WebSocket",
        ),
        pytest.param(seen(violations=[Violation("csp", WS, "connect-src")]), Cause.CSP_BLOCKED, id="policy"),
        pytest.param(
            seen(violations=[Violation("csp", "https://x/a.js", "script-src")]),
            Cause.NO_WEBSOCKET_OPENED,
            id="another directive of the policy",
        ),
        pytest.param(seen(OPEN, violations=[Violation("csp", WS, "connect-src")]), Cause.NONE, id="open all the same"),
        pytest.param(seen(replace(OPEN, status=None, opened_s=None)), Cause.HANDSHAKE_STALLED, id="no answer to it"),
        pytest.param(seen(replace(OPEN, status=404, opened_s=None)), Cause.HANDSHAKE_REFUSED, id="refused"),
        pytest.param(
            seen(replace(OPEN, status=None, opened_s=None, error="net::ERR_CERT_COMMON_NAME_INVALID")),
            Cause.TLS_NAME_MISMATCH,
            id="certificate of the socket",
        ),
        pytest.param(seen(replace(OPEN, closed_s=5.9)), Cause.CLOSED_AFTER, id="closed a moment too early"),
        pytest.param(seen(replace(OPEN, closed_s=6.0)), Cause.NONE, id="closed after the hold"),
        pytest.param(seen(replace(OPEN, sent=0)), Cause.NO_FRAMES, id="nothing sent"),
        pytest.param(seen(replace(OPEN, received=0)), Cause.NO_FRAMES, id="nothing received"),
        pytest.param(seen(OPEN, failed_assets=[SCRIPT]), Cause.ASSET_FAILED, id="works, script missing"),
        pytest.param(
            seen(OPEN, console=[ConsoleLine("error", "down", 1.0)]), Cause.CONSOLE_ERROR, id="works, console error"
        ),
        pytest.param(seen(OPEN, console=[ConsoleLine("warning", "slow", 1.0)]), Cause.NONE, id="a warning"),
    ],
)
def test_one_cause_follows_from_what_was_observed(observation: PageObservation, cause: Cause) -> None:
    verdict = judge(observation, Expected(WS, hold_s=5.0, frames=("sent", "received")))
    assert verdict.cause is cause
    assert verdict.passed is (cause is Cause.NONE)
    assert verdict.explanation
    assert verdict.remedy


@pytest.mark.parametrize(
    ("violation", "explanation", "remedy"),
    [
        pytest.param(
            Violation("mixed_content", "ws://api.example.com/ws"),
            "the page is loaded by https, so the browser refuses its unencrypted WebSocket ws://api.example.com/ws",
            "build the page with wss://api.example.com/ws (staging_public_ws_url), which needs TLS on that name",
            id="mixed content",
        ),
        pytest.param(
            Violation("csp", WS, "connect-src"),
            f"the page's Content-Security-Policy (connect-src) forbids {WS}",
            "add wss://api.example.com to connect-src where the header or the meta element is set",
            id="policy",
        ),
    ],
)
def test_what_the_browser_forbids_is_said_with_the_remedy(violation: Violation, explanation: str, remedy: str) -> None:
    verdict = judge(seen(violations=[violation]), Expected(WS))
    assert (verdict.explanation, verdict.remedy) == (explanation, remedy)


@pytest.mark.parametrize(
    ("handshakes", "cause"),
    [
        (Handshakes(403, 101), Cause.ORIGIN_REJECTED),
        (Handshakes(403, 403), Cause.HANDSHAKE_REFUSED),
        (Handshakes(101, 101), Cause.HANDSHAKE_REFUSED),
        (Handshakes(None, 101), Cause.HANDSHAKE_REFUSED),
        (None, Cause.HANDSHAKE_REFUSED),
    ],
)
def test_the_origin_is_the_cause_only_if_it_makes_the_difference(handshakes: Handshakes | None, cause: Cause) -> None:
    refused = seen(replace(OPEN, status=403, opened_s=None))
    assert judge(refused, Expected(WS), handshakes).cause is cause


def test_the_socket_that_is_open_counts_when_a_page_tries_again() -> None:
    retried = seen(replace(OPEN, status=503, opened_s=None), OPEN, replace(OPEN, status=503, opened_s=None))
    assert judge(retried, Expected(WS)).cause is Cause.NONE


def test_the_expected_text_of_the_console_is_looked_for_in_every_line() -> None:
    told = seen(OPEN, console=[ConsoleLine("log", "a", 1.0), ConsoleLine("log", "WebSocket connected now", 1.1)])
    assert judge(told, Expected(WS, console="WebSocket connected")).passed
    assert judge(GOOD, Expected(WS, console="WebSocket connected")).cause is Cause.CONSOLE_TEXT_MISSING


def test_console_errors_are_listed_once_without_those_that_are_ignored() -> None:
    lines = [
        ConsoleLine("error", "Failed to load resource (http://app.example.com/favicon.ico)", 1.0),
        ConsoleLine("error", "metrics are down", 1.0),
        ConsoleLine("error", "metrics are down", 2.0),
        ConsoleLine("log", "fine", 2.0),
    ]
    observation = seen(OPEN, console=lines, exceptions=["TypeError: x"])
    assert console_errors(observation, ()) == ["TypeError: x", "metrics are down"]
    assert console_errors(observation, ("^metrics ", "TypeError")) == []


NO_DATA = "Failed to load resource: the server responded with a status of 404 (Not Found) (http://api.example.com/p/1)"
BROKEN = "Failed to load resource: the server responded with a status of 502 (Bad Gateway) (http://api.example.com/p/1)"
CORS = (
    "Access to fetch at 'http://api.example.com/p/1' from origin 'http://a' has been blocked by CORS policy: No header"
)
UNREACHED = "Failed to load resource: net::ERR_CONNECTION_REFUSED (http://api.example.com/p/1)"
CODE = "TypeError: project is undefined"


@pytest.mark.parametrize(
    ("errors", "counted"),
    [
        pytest.param("all", [CODE, NO_DATA, BROKEN, CORS, UNREACHED], id="chosen-page"),
        pytest.param("without_data", [CODE, BROKEN, CORS, UNREACHED], id="found-page"),
        pytest.param("deployment", [CORS, UNREACHED], id="page-of-data-that-does-not-exist"),
    ],
)
def test_how_much_is_known_of_a_page_decides_which_errors_count(errors, counted) -> None:
    lines = [ConsoleLine("error", text, 1.0) for text in (NO_DATA, BROKEN, CORS, UNREACHED)]
    observation = seen(OPEN, console=lines, exceptions=[CODE])
    assert console_errors(observation, (), errors) == counted
    for line in lines:
        fails = not judge(seen(OPEN, console=[line]), Expected(WS, errors=errors)).passed
        assert fails is (line.text in counted)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("net::ERR_CERT_WEAK_KEY", Cause.TLS_FAILED),
        ("net::ERR_SSL_PROTOCOL_ERROR", Cause.TLS_FAILED),
        ("Error in connection establishment: net::ERR_CONNECTION_REFUSED", Cause.PROXY_DOWN),
        ("net::ERR_SOMETHING_NEW", None),
        ("closed", None),
    ],
)
def test_network_errors_name_a_cause_where_they_do(error: str, cause: Cause | None) -> None:
    assert cause_of(error) is cause


def test_evidence_lists_what_else_was_seen() -> None:
    observation = seen(
        replace(OPEN, url="ws://localhost/ws", status=None, opened_s=None, error="net::ERR_CONNECTION_REFUSED"),
        redirects=[PAGE + "a"],
        failed_assets=[replace(SCRIPT, kind="Font", status=None, error="net::ERR_ABORTED")],
        exceptions=["TypeError: x"],
    )
    assert judge(observation, Expected(WS)).evidence == (
        "redirect to https://app.example.com/a",
        "WebSocket ws://localhost/ws (not expected): net::ERR_CONNECTION_REFUSED",
        "font https://app.example.com/app.js: net::ERR_ABORTED",
        "console: TypeError: x",
    )
