"""browser_check with a real Chromium: each cause provoked by a real page."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
import websocket_peers as peers
from site_peer import Check, Site, running

OPEN = """
const socket = new WebSocket("{url}");
socket.onopen = () => {{ console.log("WebSocket connected"); socket.send('{{"type": "subscribe"}}'); }};
"""


@pytest.fixture(scope="session", name="authority")
def fixture_authority(tmp_path_factory: pytest.TempPathFactory) -> peers.Authority:
    return peers.make_authority(tmp_path_factory.mktemp("certificates"))


def _arguments_of_all_processes() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += path.read_bytes().decode(errors="replace").split("\0")
    return found


def opening(url: str) -> str:
    return OPEN.format(url=url)


def test_a_page_whose_websocket_works_passes(site: Site, check: Check, tmp_path: Path) -> None:
    site.page("/", opening(site.ws_url("/ws?token=1")))
    picture = tmp_path / "page.png"
    result = check(
        site.url(),
        websocket_url=site.ws_url(),
        console="WebSocket connected",
        frames=["sent", "received"],
        screenshot=str(picture),
    )
    assert result["passed"], result
    assert (result["cause"], result["available"], result["changed"]) == ("none", True, False)
    assert (result["websocket"]["status"], result["websocket"]["sent"], result["websocket"]["received"]) == (101, 1, 1)
    assert result["websocket"]["held_s"] >= 1
    assert result["page"] == {"url": site.url(), "status": 200}
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_mode & 0o777 == 0o600


def test_a_page_with_another_url_in_its_bundle_is_stale(site: Site, check: Check) -> None:
    site.page("/", opening("ws://127.0.0.1:9/ws"))
    result = check(site.url(), websocket_url=site.ws_url(), timeout=3)
    assert result["cause"] == "stale_bundle"
    assert result["explanation"] == f"the page asks for ws://127.0.0.1:9/ws instead of {site.ws_url()}"


def test_an_encrypted_page_with_an_unencrypted_websocket_is_mixed_content(
    check: Check, authority: peers.Authority
) -> None:
    with running(Site(), authority.server_context("app.test")) as site:
        site.page("/", opening("ws://api.test:8080/ws"))
        result = check(
            site.url(host="app.test"),
            websocket_url="ws://api.test:8080/ws",
            resolve={"app.test": "127.0.0.1", "api.test": "127.0.0.1"},
            ca_path=authority.ca_path,
            timeout=3,
        )
    assert result["cause"] == "mixed_content"
    assert "build the page with wss://api.test:8080/ws" in result["remedy"]


def test_an_encrypted_websocket_of_a_private_authority_passes(check: Check, authority: peers.Authority) -> None:
    with running(Site(), authority.server_context("app.test")) as site:
        site.page("/", opening(site.ws_url(host="app.test")))
        result = check(site.url(host="app.test"), resolve={"app.test": "127.0.0.1"}, ca_path=authority.ca_path)
    assert result["passed"], result


@pytest.mark.parametrize(
    ("name", "days", "cause"),
    [
        pytest.param("app.test", (-1, 30), "tls_untrusted", id="unknown authority"),
        pytest.param("other.test", (-1, 30), "tls_name_mismatch", id="another name"),
        pytest.param("app.test", (-30, -2), "tls_expired", id="expired"),
    ],
)
def test_a_certificate_that_a_browser_refuses_is_named(
    check: Check, authority: peers.Authority, name: str, days: tuple[int, int], cause: str
) -> None:
    ca_path = None if cause == "tls_untrusted" else authority.ca_path
    with running(Site(), authority.server_context(name, *days)) as site:
        site.page("/", opening(site.ws_url(host="app.test")))
        result = check(site.url(host="app.test"), resolve={"app.test": "127.0.0.1"}, ca_path=ca_path)
    assert result["cause"] == cause


def test_the_certificate_of_the_websocket_alone_is_named(site: Site, check: Check, authority: peers.Authority) -> None:
    with running(Site(), authority.server_context("api.test")) as api:
        site.page("/", opening(api.ws_url(host="api.test")))
        result = check(site.url(), websocket_url=api.ws_url(host="api.test"), resolve={"api.test": "127.0.0.1"})
    assert result["cause"] == "tls_untrusted"
    assert "ERR_CERT_AUTHORITY_INVALID" in result["explanation"]


@pytest.mark.parametrize("place", ["header", "meta"])
def test_a_policy_that_forbids_the_connection_is_named(site: Site, check: Check, place: str) -> None:
    policy = "default-src 'self'; connect-src 'self'"
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if place == "meta" else ""
    site.page("/", opening("ws://127.0.0.1:9/ws"), head)
    if place == "header":
        site.headers["/"] = {"Content-Security-Policy": policy}
    result = check(site.url(), websocket_url="ws://127.0.0.1:9/ws", timeout=3)
    assert result["cause"] == "csp_blocked"
    assert "add ws://127.0.0.1:9 to connect-src" in result["remedy"]


def test_a_refused_origin_is_told_from_any_other_refusal(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()))
    site.origins = ("https://other.example.com",)
    refused = check(site.url())
    assert refused["cause"] == "origin_rejected"
    assert f"without the page's origin {site.url('')} it is accepted" in refused["explanation"]
    site.origins, site.refused_with = (), 403
    other = check(site.url(), timeout=4)
    assert other["cause"] == "handshake_refused"
    assert "status 403" in other["explanation"]


def test_a_proxy_that_drops_the_upgrade_is_a_refused_handshake(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()))
    site.refused_with = 404
    result = check(site.url(), websocket_url=site.ws_url(), timeout=4)
    assert (result["cause"], result["websocket"]["status"]) == ("handshake_refused", 404)


def test_a_websocket_that_is_closed_early_is_named_with_its_time(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()))
    site.close_after_s = 1.5
    result = check(site.url(), hold=6)
    assert result["cause"] == "closed_after"
    assert 1.0 <= result["websocket"]["held_s"] < 6


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        pytest.param("document.title = 'nothing';", "no_websocket_opened", id="no socket"),
        pytest.param("undefinedFunction();", "console_error", id="code fails"),
    ],
)
def test_a_page_that_opens_no_websocket_is_told_with_the_reason(
    site: Site, check: Check, script: str, cause: str
) -> None:
    site.page("/", script)
    result = check(site.url(), timeout=2)
    assert result["cause"] == cause
    assert result["websocket"] is None


def test_a_script_that_does_not_load_is_the_cause(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()))
    del site.files["/app.js"]
    result = check(site.url(), timeout=2)
    assert result["cause"] == "asset_failed"
    assert f"{site.url('/app.js')} did not load (status 404)" in result["explanation"]


def test_a_missing_style_sheet_fails_a_page_whose_websocket_works(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()), '<link rel="stylesheet" href="/gone.css">')
    result = check(site.url())
    assert result["cause"] == "asset_failed"
    assert "/gone.css" in result["explanation"]


def test_an_error_in_the_console_fails_unless_it_is_ignored(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()) + 'console.error("metrics are down");')
    assert check(site.url())["explanation"] == "the console shows an error: metrics are down"
    assert check(site.url(), ignore_console=["^metrics "])["passed"]


def test_the_expected_text_of_the_console_is_waited_for(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()))
    assert check(site.url(), console="Subscribed", timeout=3)["cause"] == "console_text_missing"


def test_a_direction_without_messages_is_named(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()))
    site.greets = False
    result = check(site.url(), frames=["received"], timeout=3)
    assert result["cause"] == "no_frames"
    assert check(site.url(), frames=["sent"])["passed"]


def test_a_service_worker_that_serves_an_old_bundle_is_named(site: Site, check: Check) -> None:
    old = opening("ws://127.0.0.1:9/ws").replace("\n", " ").replace("`", "")
    site.files["/sw.js"] = (
        "self.addEventListener('install', () => self.skipWaiting());"
        "self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));"
        "self.addEventListener('fetch', (event) => { if (event.request.url.endsWith('/app.js')) {"
        f" event.respondWith(new Response(`{old}`, {{headers: {{'Content-Type': 'text/javascript'}}}})); }} }});",
        "text/javascript",
    )
    register = "navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready).then(() => {"
    site.page("/first", f"{register} window.location = '/'; }});")
    site.page("/", opening(site.ws_url()))
    result = check(site.url("/first"), websocket_url=site.ws_url(), timeout=6)
    assert result["cause"] == "service_worker_stale"


def test_a_redirect_to_another_origin_is_no_success(site: Site, check: Check) -> None:
    with running(Site()) as login:
        login.page("/login", "document.title = 'log in';")
        site.redirects["/"] = login.url("/login")
        result = check(site.url(), timeout=2)
        assert result["cause"] == "page_redirected"
        assert login.url("/login") in result["explanation"]


def test_a_redirect_within_the_origin_is_followed(site: Site, check: Check) -> None:
    site.redirects["/"] = "/projects/1"
    site.page("/projects/1", opening(site.ws_url()))
    result = check(site.url())
    assert result["passed"]
    assert result["page"]["url"] == site.url("/projects/1")


@pytest.mark.parametrize("how", ["cookie", "form"])
def test_a_page_behind_a_login_is_reached_and_no_secret_is_shown(site: Site, check: Check, how: str) -> None:
    site.page("/dashboard", opening(site.ws_url()))
    site.needs_cookie["/dashboard"] = "session=s3cret-value"
    site.page(
        "/login",
        """
        document.addEventListener("DOMContentLoaded", () => {
          document.body.innerHTML = '<form><input id="user"><input id="word" type="password"><button type="submit">';
          document.querySelector("form").addEventListener("submit", (event) => {
            event.preventDefault();
            document.cookie = "session=" + document.querySelector("#word").value + "; path=/";
            window.location = "/welcome";
          });
        });
        """,
    )
    site.files["/welcome"] = ("<!doctype html><title>welcome</title>", "text/html")
    fields = {"#user": "check", "#word": "s3cret-value"}
    options = (
        {"cookies": {"session": "s3cret-value"}}
        if how == "cookie"
        else {"login": {"url": site.url("/login"), "fields": fields}}
    )
    result = check(site.url("/dashboard"), **options)
    assert result["passed"], result
    assert "s3cret-value" not in str(result)


def test_a_page_that_refuses_without_the_login_fails_with_its_status(site: Site, check: Check) -> None:
    site.page("/dashboard", opening(site.ws_url()))
    site.needs_cookie["/dashboard"] = "session=1"
    result = check(site.url("/dashboard"), timeout=2)
    assert result["cause"] == "page_failed"
    assert "status 403" in result["explanation"]


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        pytest.param("http://127.0.0.1:9/", "page_failed", id="unsafe port"),
        pytest.param("http://127.0.0.1:45999/", "proxy_down", id="nothing listens"),
        pytest.param("http://no-such-name.invalid/", "name_not_resolved", id="no such name"),
    ],
)
def test_a_page_that_cannot_be_opened_is_named(check: Check, url: str, cause: str) -> None:
    assert check(url, timeout=5)["cause"] == cause


def test_a_failure_fails_the_task_with_cause_and_remedy(site: Site, check: Check) -> None:
    site.page("/", "document.title = 'nothing';")
    result = check(site.url(), timeout=1, fail=True)
    assert result["failed"]
    assert result["msg"] == f"{result['explanation']}; {result['remedy']}"


def test_without_a_browser_nothing_is_checked_and_nothing_fails(check: Check) -> None:
    result = check("http://app.example.com/", browser="/nonexistent/chromium", fail=True)
    assert (result["available"], result["passed"], result["failed"]) == (False, False, False)
    assert "chromium" in result["remedy"]


def test_a_program_that_is_no_browser_fails_with_what_it_said(check: Check, tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'no usable display' >&2\nexit 3\n")
    program.chmod(0o755)
    result = check("http://app.example.com/", browser=str(program))
    assert result["failed"]
    assert result["msg"].endswith("ended with 3 when it was started: no usable display")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"url": "app.example.com"},
            "url is app.example.com, but it does not start with a scheme and ://; expected a URL that begins with http://",
        ),
        (
            {"url": "http://u:secret@a.example.com"},
            "url is http://a.example.com, but it contains a user name or a password",
        ),
        ({"websocket_url": "https://x/ws"}, "websocket_url is https://x/ws; expected a URL that begins with ws:// or"),
        ({"ignore_console": ["("]}, "ignore_console has '(', which is no regular expression"),
        ({"hold": -1}, "hold is -1.0, expected 0 or more seconds"),
    ],
)
def test_bad_input_names_the_option(check: Check, options: dict[str, Any], message: str) -> None:
    result = check(**{"url": "http://app.example.com/", **options})
    assert result["failed"]
    assert result["msg"].startswith(message)


def test_nothing_is_left_behind(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()))
    temporary = Path(os.environ.get("TMPDIR", "/tmp"))
    others = _arguments_of_all_processes()
    before = set(temporary.glob("codeframe-browser-*"))
    assert check(site.url())["passed"]
    assert set(temporary.glob("codeframe-browser-*")) == before
    profiles = [argument for argument in _arguments_of_all_processes() if "codeframe-browser-" in argument]
    assert [each for each in profiles if each not in others] == []
