"""Who is let in after a save, asked while old workers of nginx still answer now and then."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.access_guard import AccessGuard
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import REVISION_HEADER
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.paths import BlockPath
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.plan import (
    HostPlan,
    WantedHost,
    plan_host,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import ProxyEndpoint

NAME = "api.example.com"
REALM = 'Basic realm="Authorization required"'


class Proxy:
    """A proxy whose page is that of an old worker at first, and whose path is always that of the new one."""

    def __init__(self, old: list[int], new: int, path: int = 401, revision: str = "new") -> None:
        self.old, self.new, self.path, self.revision = list(old), new, path, revision
        self.asked = 0

    def answer(self, path: str) -> tuple[int, dict[str, str]]:
        self.asked += 1
        if path == "/":
            return (self.old.pop(0) if self.old else self.new), {}
        return self.path, {REVISION_HEADER: self.revision}


@contextlib.contextmanager
def running(proxy: Proxy) -> Iterator[ProxyEndpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers = proxy.answer(self.path)
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", REALM)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield ProxyEndpoint("127.0.0.1", int(server.server_address[1]), NAME)
        finally:
            server.shutdown()


def plan(**fields: int) -> HostPlan:
    host = {
        "id": 1,
        "domain_names": [NAME],
        "forward_scheme": "http",
        "forward_host": "192.0.2.1",
        "forward_port": 14200,
        "advanced_config": "",
        "access_list_id": 0,
        "certificate_id": 0,
        "enabled": 1,
        "locations": None,
    }
    return plan_host(host, WantedHost(NAME, (BlockPath("/ws"),), fields=fields))


def guard(endpoint: ProxyEndpoint, **fields: int) -> AccessGuard:
    """A guard that has looked; by default, the host gets an access list, so that its page is what is compared with."""
    made = AccessGuard(plan(**(fields or {"access_list_id": 1})))
    made.look_before(endpoint, is_served=True)
    return made


@pytest.mark.parametrize("revision", [None, "new"], ids=["after-the-save", "first-look"])
@pytest.mark.parametrize("old", [[200], [200, 200], [401, 200, 401, 200]], ids=["once", "twice", "in-between"])
def test_a_page_of_an_old_worker_is_no_difference(old: list[int], revision: str | None) -> None:
    with running(Proxy(old, 401)) as endpoint:
        assert guard(endpoint).difference(endpoint, revision) == ""


@pytest.mark.parametrize("revision", [None, "new"], ids=["after-the-save", "first-look"])
def test_a_difference_that_stays_is_one(revision: str | None) -> None:
    with running(Proxy([], 200)) as endpoint:
        found = guard(endpoint).difference(endpoint, revision)
    assert found == "answers 401 to GET /ws without credentials, and 200 to GET /"


def test_an_agreement_with_the_page_of_an_old_worker_is_none() -> None:
    """The path is open, and so was the page before the list."""
    with running(Proxy([200, 200], 401, path=200)) as endpoint:
        assert guard(endpoint).difference(endpoint) == "answers 200 to GET /ws without credentials, and 401 to GET /"


def test_the_first_look_concludes_nothing_from_an_old_worker() -> None:
    proxy = Proxy([], 200, revision="old")
    with running(proxy) as endpoint:
        assert guard(endpoint).difference(endpoint, "new") == ""
    assert proxy.asked == 3


def test_answers_that_never_stay_are_a_difference_after_the_save_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.access_guard"
    monkeypatch.setattr(f"{module}._MOST_ROUNDS", 3)
    with running(Proxy([200, 401, 200, 401, 200], 401)) as endpoint:
        asked = guard(endpoint)
        assert asked.difference(endpoint, "new") == ""
        assert asked.difference(endpoint) == "answers 401 to GET /ws without credentials, and 200 to GET /"


@pytest.mark.parametrize("revision", [None, "new"], ids=["after-the-save", "first-look"])
def test_a_path_that_answers_otherwise_than_before_is_restored_at_once(revision: str | None) -> None:
    proxy = Proxy([], 200, path=200)
    with running(proxy) as endpoint:
        asked = guard(endpoint, forward_port=14201)
        proxy.path, proxy.asked = 401, 0
        found = asked.difference(endpoint, revision)
        assert found == "answers 401 to GET /ws without credentials, and answered 200 before"
        assert proxy.asked == 3
