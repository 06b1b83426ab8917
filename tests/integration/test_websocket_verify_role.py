"""The role websocket_verify against peers on loopback, run by ansible-playbook."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket_peers as peers
from playbook_runs import run_playbook
from websocket_peers import Peer, peer

Act = Callable[[Peer], None]


PONG = b'{"type": "pong"}'


def serving(
    port_of: dict[str, int],
    *,
    events: bool = True,
    upgrade: bool = True,
    greeting: bytes = b"",
    reply: bytes | None = PONG,
) -> Act:
    """A backend and its page on one port: /ws, /api/events, / and its script."""

    def act(connection: Peer) -> None:
        request = connection.request()
        path = request.line.split()[1]
        if request.wants_upgrade and path == "/ws" and upgrade:
            connection.upgrade(request)
            if greeting:
                connection.frame(peers.TEXT, greeting)
            connection.serve(reply)
        elif path == "/api/events" and events:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            while True:
                connection.send(b"data: 1\n\n")
                time.sleep(0.3)
        elif path == "/":
            connection.answer(200, '<script src="/app.js"></script>', Content_Type="text/html")
        elif path == "/app.js":
            connection.answer(200, f'open("ws://app.localhost:{port_of["page"]}/ws")', Content_Type="text/javascript")
        else:
            connection.answer(404, "nothing here")

    return act


class Verified:
    """One run of the role and the fact that it leaves."""

    def __init__(self, directory: Path, variables: dict[str, Any], *options: str) -> None:
        result = directory / "result.json"
        result.unlink(missing_ok=True)
        play = {
            "hosts": "all",
            "gather_facts": False,
            "vars": variables,
            "tasks": [
                {
                    "block": [{"ansible.builtin.import_role": {"name": "codeframe.staging.websocket_verify"}}],
                    "always": [
                        {
                            "ansible.builtin.copy": {
                                "content": "{{ websocket_verify_result | to_json }}",
                                "dest": str(result),
                                "mode": "0600",
                            },
                            "check_mode": False,
                        }
                    ],
                }
            ],
        }
        (directory / "play.json").write_text(json.dumps([play]))
        run = run_playbook(directory / "play.json", *options)
        self.exit_code, self.output = run.exit_code, run.output
        assert result.exists(), self.output
        self.result: dict[str, Any] = json.loads(result.read_text())
        self.lines = [line.split(" (")[0] for line in self.result["lines"]]


@contextmanager
def deployed(
    public: Act | None = None, *, greeting: bytes = b"", reply: bytes | None = PONG, **behind_proxy: bool
) -> Iterator[dict[str, Any]]:
    """Serve a backend and a proxy; the public URL is the proxy's unless it behaves otherwise. Yields role inputs."""
    ports: dict[str, int] = {}
    with ExitStack() as stack:
        ports["backend"] = stack.enter_context(peer(serving(ports, greeting=greeting, reply=reply)))
        ports["proxy"] = stack.enter_context(peer(serving(ports, greeting=greeting, reply=reply, **behind_proxy)))
        ports["page"] = stack.enter_context(peer(public)) if public else ports["proxy"]
        yield {
            "websocket_verify_url": f"ws://app.localhost:{ports['page']}/ws",
            "websocket_verify_page_url": f"http://app.localhost:{ports['page']}/",
            "websocket_verify_proxy_address": "127.0.0.1",
            "websocket_verify_proxy_port": ports["proxy"],
            "websocket_verify_proxy_page": True,
            "websocket_verify_backend_port": ports["backend"],
            "websocket_verify_frontend_port": ports["backend"],
            "websocket_verify_sse_paths": ["/api/events", "/prefix/"],
            "websocket_verify_hold": 1,
            "websocket_verify_browser": "never",
        }


PASSED = [
    "Direct backend connection: passed",
    "Direct event stream /api/events: passed",
    "Connection through the proxy: passed",
    "Event stream through the proxy /api/events: passed",
    "Public connection: passed",
    "Public event stream /api/events: passed",
    "Scripts of the served page: passed",
]


def test_websocket_streams_and_page_are_verified_from_all_vantage_points(tmp_path: Path) -> None:
    with deployed() as inputs:
        verified = Verified(tmp_path, {**inputs, "staging_verify_connections": 12})
    result = verified.result
    assert verified.exit_code == 0, verified.output
    fields = {
        "passed",
        "host_passed",
        "message",
        "lines",
        "diagnosis",
        "page",
        "browser",
        "results",
        "routes",
        "verified",
    }
    assert set(result) == fields
    assert (result["passed"], result["host_passed"], result["message"]) == (True, True, "")
    assert verified.lines == [*PASSED[:4], "Connection through the proxy: passed", *PASSED[4:]]
    assert "12 of 12 connections held at once" in result["lines"][4]
    seen = result["verified"]
    assert [seen["url"], seen["page_url"]] == [inputs["websocket_verify_url"], inputs["websocket_verify_page_url"]]
    assert (seen["sse_paths"], seen["proxy_tls"], seen["send"]) == (["/api/events", "/prefix/"], True, {"type": "ping"})
    assert "changed=1" in verified.output, "nothing but the test's own file"


def test_a_run_that_predicts_verifies_too(tmp_path: Path) -> None:
    with deployed() as inputs:
        verified = Verified(tmp_path, inputs, "--check")
    assert verified.exit_code == 0, verified.output
    assert verified.lines == PASSED


def test_a_stream_that_the_proxy_does_not_route_fails_the_verification(tmp_path: Path) -> None:
    with deployed(events=False) as inputs:
        verified = Verified(tmp_path, {**inputs, "websocket_verify_hold": 0})
    assert verified.exit_code == 2
    assert [line for line in verified.lines if "failed" in line] == [
        "Event stream through the proxy /api/events: failed",
        "Public event stream /api/events: failed",
    ]
    assert (verified.result["passed"], verified.result["host_passed"]) == (False, False)
    assert verified.result["message"].startswith("the proxy (http://app.localhost:")
    assert "although the backend serves the event stream when asked directly" in verified.result["message"]
    assert "add a location for /api/events" in verified.result["message"]


def test_a_failure_that_only_the_controller_sees_is_not_caused_by_the_host(tmp_path: Path) -> None:
    with deployed(public=peers.answering(404, "another server")) as inputs:
        verified = Verified(tmp_path, {**inputs, "websocket_verify_hold": 0, "websocket_verify_sse_paths": []})
    assert verified.exit_code == 2
    assert (verified.result["passed"], verified.result["host_passed"]) == (False, True)
    # Known from what the host has seen.
    assert "the proxy itself passes at its own address" in verified.result["message"]
    assert "at the machine in front of the proxy: " in verified.result["message"]


def test_a_short_idle_timeout_of_the_configuration_fails_although_the_hold_passes(tmp_path: Path) -> None:
    place = "/etc/nginx/sites-enabled/app:30"
    with deployed() as inputs:
        verified = Verified(tmp_path, {**inputs, "websocket_verify_idle_timeout": {"seconds": 20.0, "where": place}})
    assert verified.exit_code == 2
    assert [line for line in verified.lines if "failed" in line] == ["Connection through the proxy: failed"]
    assert place in verified.result["message"]
    assert verified.result["diagnosis"]["cause"] == "idle_timeout_too_short"


def test_a_tolerated_failure_is_reported_without_failing(tmp_path: Path) -> None:
    with deployed(upgrade=False) as inputs:
        verified = Verified(tmp_path, {**inputs, "websocket_verify_hold": 0, "websocket_verify_tolerate_failure": True})
    assert verified.exit_code == 0
    assert not verified.result["passed"]
    assert verified.result["message"].startswith("the proxy drops the upgrade: ")


QUICK = {"websocket_verify_hold": 0, "websocket_verify_sse_paths": []}


@pytest.mark.slow
def test_an_application_that_answers_no_message_passes_if_none_is_sent(tmp_path: Path) -> None:
    with deployed(reply=None) as inputs:
        mute = Verified(tmp_path, {**inputs, **QUICK, "staging_websocket_send": "", "websocket_verify_hold": 1})
    assert mute.exit_code == 0, mute.output
    assert mute.lines == [line for line in PASSED if "stream" not in line]
    with deployed(greeting=b'{"type": "welcome"}', reply=None) as inputs:
        greeted = {"staging_websocket_send": "", "staging_websocket_expect": {"type": "welcome"}}
        assert Verified(tmp_path, {**inputs, **QUICK, **greeted}).exit_code == 0


def test_a_message_of_the_inventory_is_sent_and_its_reply_expected(tmp_path: Path) -> None:
    with deployed(reply=b"any reply") as inputs:
        assert Verified(tmp_path, {**inputs, **QUICK, "staging_websocket_send": "hello"}).exit_code == 0
        ping = Verified(tmp_path, {**inputs, **QUICK})
        assert ping.result["diagnosis"]["cause"] == "unexpected_reply"


def test_secrets_are_in_no_output(tmp_path: Path) -> None:
    secret = "t0ken-of-a-user"
    with deployed(upgrade=False) as inputs:
        more = {"websocket_verify_hold": 0, "websocket_verify_secret_query": {"token": secret}}
        verified = Verified(tmp_path, {**inputs, **more}, "-vvv")
    assert secret not in verified.output
    assert secret not in json.dumps(verified.result)
