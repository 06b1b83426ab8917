"""What real installations have: access lists, TLS, HSTS, custom locations, forward addresses that do not answer."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.http import request
from ansible_collections.codeframe.staging.plugins.module_utils._host.tls import client_context
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager import access
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.access_guard import AccessGuard
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import (
    ProxyEndpoint,
    handshake,
    plain,
)
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host
from lateness import Lateness
from nginx_tree import wait_for
from proxy_manager_parts import RequestLoop, arguments, endpoint, running_peer, silent_server
from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.server import Account, Peer

NAME = "api.test"
LOGIN = ("ann", "sesame")
LAN = [{"directive": "allow", "address": "127.0.0.0/8"}]
OTHERS = [{"directive": "allow", "address": "192.0.2.0/24"}]
pytestmark = pytest.mark.usefixtures("private_directory")
ALL_VERSIONS = [*(pytest.param(version, marks=pytest.mark.slow) for version in VERSIONS[:-1]), VERSIONS[-1]]


@pytest.fixture(params=ALL_VERSIONS)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    with running_peer(request.param, tmp_path, save_delay_s=0.01, reload_delay_s=0.03) as peer:
        yield peer


@pytest.fixture(params=ALL_VERSIONS)
def tls_peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    with running_peer(request.param, tmp_path, with_tls=True, save_delay_s=0.01, reload_delay_s=0.03) as peer:
        peer.certificates[7] = {"id": 7, "nice_name": "wild", "domain_names": ["*.test"]}
        yield peer


def configure(peer: Peer, check: bool = False, **more: Any) -> dict[str, Any]:
    given = {"websocket_paths": ["/ws"], "proxy_tls_port": peer.nginx.tls_port} | more
    return module_runner.run(nginx_proxy_manager_host, arguments(peer, NAME, **given), check=check)


def headers(where: ProxyEndpoint, path: str) -> dict[str, str]:
    """The headers of an ordinary answer, without those that the application or the time make."""
    url = ProxyEndpoint(where.address, where.port, where.host_name, where.tls).url
    answer = request(
        type(url)(url.scheme, url.host, url.port, path),
        timeout_s=5,
        connect_to=(where.address, where.port),
        context=client_context(verify=False),
    )
    left_out = ("date", "content-length", "content-type", "connection", "server", "x-websocket-block", "x-served-by")
    return {name.lower(): value for name, value in answer.headers if name.lower() not in left_out}


# 1. Access lists.

LISTS: dict[str, dict[str, Any]] = {
    "users-all": {"password": "sesame", "satisfy_any": False},
    "users-any": {"password": "sesame", "satisfy_any": True},
    "empty": {"password": None, "satisfy_any": False},
    "addresses": {"password": None, "satisfy_any": False, "clients": LAN},
    "other-addresses": {"password": None, "satisfy_any": False, "clients": OTHERS},
    "users-or-addresses": {"password": "sesame", "satisfy_any": True, "clients": LAN},
    "users-and-addresses": {"password": "sesame", "satisfy_any": False, "clients": LAN},
    "users-or-other-addresses": {"password": "sesame", "satisfy_any": True, "clients": OTHERS},
}


def add_list(peer: Peer, kind: str) -> int:
    given = dict(LISTS[kind])
    return peer.add_access_list(kind, given.pop("password"), **given)


@pytest.mark.parametrize("kind", LISTS)
def test_an_access_list_lets_in_whom_it_let_in_before(peer: Peer, backend: int, kind: str) -> None:
    peer.add_host(NAME, backend, access_list_id=add_list(peer, kind), allow_websocket_upgrade=True)
    where = endpoint(peer, NAME)

    def statuses() -> list[int | None]:
        return [handshake(where, "/ws").status, handshake(where, "/ws", login=LOGIN).status, plain(where, "/ws").status]

    before = statuses()
    done = configure(peer, access_user="ann", access_password="sesame")
    assert not done["failed"], done["msg"]
    assert statuses() == before
    assert "the same access as before, without credentials and with those of access_user" in done["proof"]["proven"]
    assert not configure(peer)["changed"]


def test_an_access_list_that_is_new_applies_to_the_websocket_as_to_the_page(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    add_list(peer, "users-any")
    done = configure(peer, access_list="users-any", access_user="ann", access_password="sesame")
    assert not done["failed"], done["msg"]
    assert "the same access as for /, without credentials and with those of access_user" in done["proof"]["proven"]
    where = endpoint(peer, NAME)
    assert (plain(where).status, handshake(where, "/ws").status) == (401, 401)
    assert handshake(where, "/ws", login=LOGIN).upgraded


@pytest.mark.parametrize(
    ("kind", "wrong", "request_name"),
    [
        # Before 2.15.0, users alone and `satisfy all` refuse every request, so that these rules would be right there.
        pytest.param("users-any", ("deny all;",), "GET /ws without credentials", id="locked-out"),
        pytest.param("users-all", (), "GET /ws without credentials", id="let-in"),
        pytest.param("addresses", ("deny all;",), "GET /ws without credentials", id="addresses-locked-out"),
        pytest.param(
            "users-or-other-addresses",
            ('auth_basic "Authorization required";', "auth_basic_user_file /data/access/none;"),
            "with the credentials of access_user",
            id="users-locked-out",
        ),
    ],
)
def test_wrong_rules_are_noticed_and_the_previous_configuration_restored(
    peer: Peer, backend: int, monkeypatch: pytest.MonkeyPatch, kind: str, wrong: tuple[str, ...], request_name: str
) -> None:
    list_id = add_list(peer, kind)
    peer.add_host(NAME, backend, access_list_id=list_id, allow_websocket_upgrade=True)
    where = endpoint(peer, NAME)
    before = handshake(where, "/ws", login=LOGIN).status
    monkeypatch.setattr(access.AccessRules, "directives", wrong)
    changed_at: list[float] = []
    peer.requests.clear()
    began = time.monotonic()
    failed = configure(peer, access_user="ann", access_password="sesame")
    changed_at.append(time.monotonic() - began)
    assert failed["failed"]
    assert request_name in failed["msg"]
    assert "the previous configuration is restored and serving" in failed["msg"]
    assert (failed["changed"], failed["restored"]) == (False, True)
    assert "sesame" not in json.dumps(failed)
    assert handshake(where, "/ws", login=LOGIN).status == before
    assert peer.hosts[1]["advanced_config"] == ""
    assert changed_at[0] < 30


def test_wrong_rules_are_in_force_for_less_than_three_seconds(
    peer: Peer, backend: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.add_host(NAME, backend, access_list_id=add_list(peer, "addresses"))
    monkeypatch.setattr(access.AccessRules, "directives", ("deny all;",))
    where = endpoint(peer, NAME)
    with RequestLoop(where, pause_s=0.05, path="/ws") as loop, Lateness() as lateness:
        failed = configure(peer)
        time.sleep(0.5)
    assert failed["restored"], failed["msg"]
    denied = [moment for moment, status in loop.answers if status == 403]
    assert denied, "the wrong rules were in force"
    assert denied[-1] - denied[0] < 3 + lateness.worst_s
    assert loop.answers[-1][1] == 404


def test_what_a_killed_run_did_not_prove_is_proven_by_the_next(
    peer: Peer, backend: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the save and the question who is let in."""
    peer.add_host(NAME, backend, access_list_id=add_list(peer, "addresses"))

    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    def interrupt() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(AccessGuard, "difference", killed)
            with pytest.raises(KeyboardInterrupt):
                configure(peer)

    with monkeypatch.context() as patch:
        patch.setattr(access.AccessRules, "directives", ("deny all;",))
        interrupt()
        wait_for(lambda: plain(endpoint(peer, NAME), "/ws").status == 403)  # nginx reloads after the run was killed
        failed = configure(peer)
    assert "answers 403 to GET /ws without credentials, and 200 to GET /" in failed["msg"]
    assert (failed["failed"], failed["restored"]) == (True, True)
    assert plain(endpoint(peer, NAME), "/ws").status == 404
    interrupt()
    puts = peer.puts()
    again = configure(peer)
    assert (again["failed"], again["changed"], peer.puts()) == (False, False, puts), again["msg"]
    assert not configure(peer)["changed"]


# 2. TLS.


def test_a_plain_host_gets_tls_and_loses_it_again(tls_peer: Peer, backend: int) -> None:
    tls_peer.add_host(NAME, backend)
    done = configure(tls_peer, certificate="wild", switches={"ssl_forced": True, "http2_support": True})
    assert not done["failed"], done["msg"]
    assert done["wire"]["after"]["/ws"]["upgraded"]
    assert handshake(endpoint(tls_peer, NAME, tls=True), "/ws").upgraded
    assert plain(endpoint(tls_peer, NAME)).status == 301
    again = configure(tls_peer, certificate="wild", switches={"ssl_forced": True, "http2_support": True})
    assert not again["changed"], again["msg"]
    assert tls_peer.puts() == 1
    back = configure(tls_peer, state="restored", previous=done["previous"], websocket_paths=[])
    assert (back["failed"], back["changed"]) == (False, True), back["msg"]
    assert plain(endpoint(tls_peer, NAME)).status == 200
    assert not tls_peer.hosts[1]["certificate_id"]


def test_a_host_with_tls_becomes_a_plain_one_and_can_be_restored(tls_peer: Peer, backend: int) -> None:
    """Without a certificate Nginx Proxy Manager turns the switches for TLS off, which a restoration turns on again."""
    tls = {"ssl_forced": True, "http2_support": True, "hsts_enabled": True, "hsts_subdomains": True}
    tls_peer.add_host(NAME, backend, certificate_id=7, **tls)
    done = configure(tls_peer, certificate="none")
    assert not done["failed"], done["msg"]
    assert handshake(endpoint(tls_peer, NAME), "/ws").upgraded
    assert not configure(tls_peer, certificate="none")["changed"]
    back = configure(tls_peer, state="restored", previous=done["previous"], websocket_paths=[])
    assert not back["failed"], back["msg"]
    assert {key: tls_peer.hosts[1][key] for key in tls} == tls
    assert tls_peer.hosts[1]["certificate_id"] == 7


# 4. Headers.


@pytest.mark.parametrize("subdomains", [False, True])
def test_hsts_is_sent_as_before(tls_peer: Peer, backend: int, subdomains: bool) -> None:
    tls_peer.add_host(
        NAME, backend, certificate_id=7, ssl_forced=True, hsts_enabled=True, hsts_subdomains=subdomains,
        advanced_config="add_header X-Team blue;\n",
    )  # fmt: skip
    where = endpoint(tls_peer, NAME, tls=True)
    page, before = headers(where, "/"), headers(where, "/ws")
    assert "strict-transport-security" in before
    done = configure(tls_peer)
    assert not done["failed"], done["msg"]
    assert headers(where, "/ws") == before
    assert headers(where, "/") == page
    off = configure(tls_peer, switches={"hsts_enabled": False, "hsts_subdomains": False})
    assert not off["failed"], off["msg"]
    assert "strict-transport-security" not in headers(where, "/ws")
    on = configure(tls_peer, state="restored", previous=off["previous"], websocket_paths=[])
    assert not on["failed"], on["msg"]
    assert headers(where, "/ws") == before


def test_a_header_of_the_server_level_stays_where_it_was_inherited(peer: Peer, backend: int) -> None:
    """By a location / of the user, which has no header of its own."""
    text = (
        'add_header X-Team "blue and green" always;\n'
        f"location / {{ proxy_pass http://127.0.0.1:{backend}; proxy_set_header Host $host; }}\n"
    )
    peer.add_host(NAME, backend, advanced_config=text)
    where = endpoint(peer, NAME)
    before = headers(where, "/ws")
    assert before["x-team"] == "blue and green"
    done = configure(peer)
    assert not done["failed"], done["msg"]
    assert headers(where, "/ws") == before
    assert not configure(peer)["changed"]


def test_a_header_that_an_include_adds_is_told_where_it_is_lost(peer: Peer, backend: int) -> None:
    """The text of a file in the container cannot be read, so the block cannot repeat it."""
    file = peer.root / "headers.conf"
    file.write_text("add_header X-Team blue always;\n")
    own = f"location / {{ proxy_pass http://127.0.0.1:{backend}; proxy_set_header Host $host; }}"
    peer.add_host(NAME, backend, advanced_config=f"include {file};\n{own}\n")
    assert headers(endpoint(peer, NAME), "/ws")["x-team"] == "blue"
    done = configure(peer)
    assert not done["failed"], done["msg"]
    (text,) = [each["text"] for each in done["findings"] if each["kind"] == "headers_lost"]
    assert "answers GET /ws without credentials without the header x-team, which it sent before" in text


# 5. and 6. Locations.


@pytest.mark.parametrize("path", ["/ws", "= /ws", "^~ /ws", "~ ^/ws", "~* ^/WS$", "=/ws", '"/ws"', "~ ^/(ws|chat)"])
def test_a_custom_location_of_the_path_is_named_before_anything_is_saved(peer: Peer, backend: int, path: str) -> None:
    own = [{"path": path, "forward_scheme": "http", "forward_host": "127.0.0.1", "forward_port": 9}]
    peer.add_host(NAME, backend, locations=own)
    assert peer.hosts[1]["meta"]["nginx_online"], peer.hosts[1]["meta"]
    failed = configure(peer)
    assert (failed["failed"], peer.puts()) == (True, 0), failed["msg"]
    assert f"the host has a custom location {path}, " in failed["msg"]
    assert plain(endpoint(peer, NAME), "/ws").status == 502


@pytest.mark.parametrize(
    ("text", "page", "warned"),
    [
        pytest.param("# location / { was here }\n", True, [], id="comment-alone"),
        pytest.param("# it was here; location / { }\n", False, ["default_location_mentioned"], id="after-a-semicolon"),
        pytest.param("# it was\n#; location\n# / {\n", True, [], id="over-lines"),
    ],
)
def test_what_drops_the_location_of_the_proxy_is_warned_of(
    peer: Peer, backend: int, text: str, page: bool, warned: list[str]
) -> None:
    peer.add_host(NAME, backend, advanced_config=text)
    where = endpoint(peer, NAME)

    def shows_page() -> bool:
        """Whether the application answers, and not nginx with a file or a page of its own."""
        return "x-served-by" in plain(where).headers

    assert shows_page() is page
    done = configure(peer)
    assert not done["failed"], done["msg"]
    assert [each["kind"] for each in done["findings"]] == warned
    assert shows_page() is page


# 7. Permissions.


def test_an_account_that_may_not_see_access_lists_is_told_the_permission(peer: Peer, backend: int) -> None:
    peer.accounts.append(Account("hosts@example.com", "hosts alone", lists="hidden"))
    peer.add_host(NAME, backend, access_list_id=add_list(peer, "users-any"))
    login = {"identity": "hosts@example.com", "secret": "hosts alone"}
    for more in ({}, {"access_list": "users-any"}):
        failed = configure(peer, **login, **more)
        assert "give it the permission to view access lists" in failed["msg"]
        assert (failed["failed"], peer.puts()) == (True, 0)
    assert "give it the permission to view certificates" in configure(peer, **login, certificate="wild")["msg"]


# 8. Forward addresses.


@pytest.mark.parametrize(
    "paths", [pytest.param(["/ws"], id="block"), pytest.param([], id="fields-alone", marks=pytest.mark.slow)]
)
def test_a_forward_host_that_does_not_answer_is_restored(peer: Peer, backend: int, paths: list[str]) -> None:
    peer.add_host(NAME, backend)
    with silent_server() as silent:
        for forward in ({"forward_port": silent}, {"forward_host": "no-such-name.test"}):
            failed = configure(peer, websocket_paths=paths, wire_timeout=2, **forward)
            assert failed["failed"], failed["msg"]
            assert (failed["changed"], failed["restored"]) == (False, True), failed["msg"]
            assert "no answer in time" in failed["msg"]
            wait_for(lambda: plain(endpoint(peer, NAME)).status == 200)


def test_a_forward_address_that_did_not_answer_before_is_no_success_without_a_word(peer: Peer) -> None:
    peer.add_host(NAME, 9)
    done = configure(peer, forward_port=11)
    assert not done["failed"], done["msg"]
    assert [each["kind"] for each in done["findings"]] == ["forward_unreachable"]
    assert "does not reach what it forwards to (502)" in done["msg"]


def test_a_host_is_not_created_for_an_application_that_does_not_answer(peer: Peer) -> None:
    with silent_server() as silent:
        new = {"forward_scheme": "http", "forward_host": "127.0.0.1", "forward_port": silent}
        failed = configure(peer, wire_timeout=1, **new)
    assert failed["failed"]
    assert "no answer in time" in failed["msg"]
    assert peer.hosts == {}


# 9. What the user sees.


def test_a_line_is_counted_as_the_user_sees_it(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    assert configure(peer)["changed"]
    text = peer.hosts[1]["advanced_config"] + "# mine\nlocation = /chat { return 410; }\n"
    peer.hosts[1]["advanced_config"] = text
    line = text.splitlines().index("location = /chat { return 410; }") + 1
    failed = configure(peer, websocket_paths=["/ws", "/chat"])
    assert f"line {line} of the Advanced text has a location = /chat of its own" in failed["msg"]


def test_a_host_that_was_offline_before_is_said_to_be(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend, advanced_config="include /data/gone.conf;\n")
    failed = configure(peer)
    assert failed["failed"]
    assert "is offline, as it was before (open() " in failed["msg"]
    assert "went offline after the save" not in failed["msg"]
    assert (failed["restored"], peer.puts()) == (False, 2)
    assert peer.hosts[1]["advanced_config"] == "include /data/gone.conf;\n"


# 10. Fields that the module does not know.


def test_unknown_fields_survive_a_save(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    peer.hosts[1]["a_field_of_a_later_version"] = "kept"
    if peer.behaviour.trusts_forwarded_proto:
        peer.hosts[1]["trust_forwarded_proto"] = True
    before = dict(peer.hosts[1])
    assert configure(peer)["changed"]
    after = peer.hosts[1]
    assert {key for key in after if after[key] != before[key]} <= {"advanced_config", "meta"}


def test_forced_tls_behind_another_proxy_is_an_option(tls_peer: Peer, backend: int) -> None:
    tls_peer.add_host(NAME, backend, certificate_id=7, ssl_forced=True)
    result = configure(tls_peer, switches={"trust_forwarded_proto": True})
    if not tls_peer.behaviour.trusts_forwarded_proto:
        assert "trust_forwarded_proto needs Nginx Proxy Manager 2.14.0 or newer" in result["msg"]
        assert (result["failed"], tls_peer.puts()) == (True, 0)
        return
    assert not result["failed"], result["msg"]
    connection = http.client.HTTPConnection("127.0.0.1", tls_peer.nginx.port, timeout=5)
    connection.request("GET", "/", headers={"Host": NAME, "X-Forwarded-Proto": "https"})
    answer = connection.getresponse()
    seen = json.loads(answer.read())["headers"]
    connection.close()
    assert (answer.status, seen["x-forwarded-proto"]) == (200, "https")


# 11. What is proven.


def test_a_save_that_shows_nowhere_is_not_said_to_answer(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    assert configure(peer)["proof"] == {
        "proven": [
            "the running nginx has loaded this save: it returns the new revision of the block",
            "the same access as before, without credentials",
        ],
        "unproven": [],
    }
    done = configure(peer, switches={"caching_enabled": True})
    assert done["msg"] == (
        f"proxy host {NAME} is saved and Nginx Proxy Manager reports it online; whether the running nginx has loaded "
        "caching_enabled does not show from outside"
    )
    assert done["proof"]["unproven"] == ["caching_enabled"]
