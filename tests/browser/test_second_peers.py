"""A second page for each cause that only a browser sees, and a page that looks similar and must not be called so."""

from __future__ import annotations

import pytest
import websocket_peers as peers
from site_peer import Check, Site, running

pytestmark = pytest.mark.slow
WORKER = """
self.addEventListener('install', (event) => {{ self.skipWaiting(); {install} }});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {{ {fetch} }});
"""
REGISTER = (
    "navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)"
    ".then(() => { window.location = '/'; });"
)


def opening(url: str, after: str = "socket.send('{}')") -> str:
    return f'const socket = new WebSocket("{url}"); socket.onopen = () => {{ {after}; }};'


def test_a_page_that_is_not_there_has_failed(site: Site, check: Check) -> None:
    result = check(site.url("/nowhere"), timeout=2)
    assert result["cause"] == "page_failed"
    assert "status 404" in result["explanation"]


def test_redirects_that_leave_the_origin_after_a_step_within_it(site: Site, check: Check) -> None:
    with running(Site()) as login:
        login.page("/login", "document.title = 'log in';")
        site.redirects.update({"/": "/start", "/start": login.url("/login")})
        assert check(site.url(), timeout=2)["cause"] == "page_redirected"


def test_an_encrypted_page_that_opens_an_unencrypted_websocket_later(check: Check, authority: peers.Authority) -> None:
    with running(Site(), authority.server_context("app.test")) as site:
        site.page("/", f"setTimeout(() => {{ {opening('ws://api.test/ws')} }}, 500);")
        resolve = {"app.test": "127.0.0.1", "api.test": "127.0.0.1"}
        result = check(site.url(host="app.test"), resolve=resolve, ca_path=authority.ca_path, timeout=4)
    assert result["cause"] == "mixed_content"


def test_an_encrypted_websocket_at_a_port_without_tls_is_no_mixed_content(
    site: Site, check: Check, authority: peers.Authority
) -> None:
    with running(Site(), authority.server_context("app.test")) as page:
        page.page("/", opening(f"wss://api.test:{site.port}/ws"))
        resolve = {"app.test": "127.0.0.1", "api.test": "127.0.0.1"}
        result = check(page.url(host="app.test"), resolve=resolve, ca_path=authority.ca_path, timeout=4)
    assert not result["passed"]
    assert result["cause"] != "mixed_content"


def test_a_policy_without_a_rule_for_connections_falls_back_to_its_default(site: Site, check: Check) -> None:
    site.page("/", opening("ws://127.0.0.1:9/ws"))
    site.headers["/"] = {"Content-Security-Policy": "default-src 'self'"}
    assert check(site.url(), websocket_url="ws://127.0.0.1:9/ws", timeout=3)["cause"] == "csp_blocked"


def test_a_policy_that_only_reports_blocks_nothing(site: Site, check: Check) -> None:
    with running(Site()) as api:
        site.page("/", opening(api.ws_url()))
        site.headers["/"] = {"Content-Security-Policy-Report-Only": "connect-src 'none'"}
        result = check(site.url(), websocket_url=api.ws_url(), ignore_console=["Content Security Policy"])
    assert result["passed"], result


def test_a_bundle_with_another_path_of_the_same_host_is_stale(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url("/socket")))
    result = check(site.url(), websocket_url=site.ws_url(), timeout=3)
    assert result["cause"] == "stale_bundle"


def test_a_page_that_opens_another_websocket_too_is_not_stale(site: Site, check: Check) -> None:
    site.page("/", f'new WebSocket("{site.ws_url("/reload")}"); setTimeout(() => {{ {opening(site.ws_url())} }}, 300);')
    result = check(site.url(), websocket_url=site.ws_url())
    assert result["passed"], result


def test_a_service_worker_that_has_the_old_bundle_in_a_cache(site: Site, check: Check) -> None:
    old = opening("ws://127.0.0.1:9/ws")
    body = f"new Response(`{old}`, {{headers: {{'Content-Type': 'text/javascript'}}}})"
    install = f"event.waitUntil(caches.open('v1').then((cache) => cache.put('/app.js', {body})));"
    fetch = "event.respondWith(caches.match(event.request).then((found) => found || fetch(event.request)));"
    site.files["/sw.js"] = (WORKER.format(install=install, fetch=fetch), "text/javascript")
    site.page("/first", REGISTER)
    site.page("/", opening(site.ws_url()))
    assert check(site.url("/first"), websocket_url=site.ws_url(), timeout=6)["cause"] == "service_worker_stale"


def test_a_service_worker_that_passes_everything_on_is_not_stale(site: Site, check: Check) -> None:
    fetch = "event.respondWith(fetch(event.request));"
    site.files["/sw.js"] = (WORKER.format(install="", fetch=fetch), "text/javascript")
    site.page("/first", REGISTER)
    site.page("/", opening(site.ws_url()))
    result = check(site.url("/first"), websocket_url=site.ws_url())
    assert result["passed"], result


def test_a_page_that_waits_for_a_click_opens_no_websocket(site: Site, check: Check) -> None:
    site.page("/", f"document.addEventListener('click', () => {{ {opening(site.ws_url())} }});")
    assert check(site.url(), timeout=2)["cause"] == "no_websocket_opened"


def test_a_page_that_opens_its_websocket_late_passes(site: Site, check: Check) -> None:
    site.page("/", f"setTimeout(() => {{ {opening(site.ws_url())} }}, 1500);")
    assert check(site.url())["passed"]


def test_a_page_that_closes_its_websocket_itself_is_named_with_its_time(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url(), "setTimeout(() => socket.close(1000), 700)"))
    result = check(site.url(), hold=5)
    assert result["cause"] == "closed_after"


def test_a_page_that_sends_nothing(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url(), "0"))
    assert check(site.url(), frames=["sent"], timeout=3)["cause"] == "no_frames"


def test_a_page_that_sends_late_is_waited_for(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url(), "setTimeout(() => socket.send('{}'), 1500)"))
    assert check(site.url(), frames=["sent"])["passed"]


def test_a_text_that_the_console_shows_in_other_words(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url(), "console.log('socket open')"))
    assert check(site.url(), console="WebSocket connected", timeout=3)["cause"] == "console_text_missing"


def test_a_text_that_the_console_shows_late(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url(), "setTimeout(() => console.log('WebSocket connected'), 1500)"))
    assert check(site.url(), console="WebSocket connected")["passed"]


def test_a_promise_that_nobody_handles_is_an_error_of_the_console(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()) + 'Promise.reject(new Error("no metrics"));')
    result = check(site.url())
    assert result["cause"] == "console_error"
    assert "no metrics" in result["explanation"]


def test_a_warning_in_the_console_is_no_error(site: Site, check: Check) -> None:
    site.page("/", opening(site.ws_url()) + 'console.warn("metrics are slow");')
    assert check(site.url())["passed"]


@pytest.fixture(scope="session", name="authority")
def fixture_authority(tmp_path_factory: pytest.TempPathFactory) -> peers.Authority:
    return peers.make_authority(tmp_path_factory.mktemp("certificates"))
