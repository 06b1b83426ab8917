"""Failures of Nginx Proxy Manager: what the module reports, and that the host keeps serving."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager import transaction
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import split_text
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import handshake, plain
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.transaction import Transaction
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host, nginx_proxy_manager_info
from free_ports import free_port
from playbook_runs import run_playbook
from proxy_manager_parts import PASSWORD, RequestLoop, arguments, endpoint, running_peer
from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.pasted import SNIPPET
from proxy_manager_peer.server import Account, Peer

NAME = "api.test"
pytestmark = pytest.mark.usefixtures("private_directory")


@pytest.fixture(params=[pytest.param(version, marks=pytest.mark.slow) for version in VERSIONS[:-1]] + [VERSIONS[-1]])
def peer(request: pytest.FixtureRequest, tmp_path: Path, backend: int) -> Iterator[Peer]:
    with running_peer(request.param, tmp_path, save_delay_s=0.1) as peer:
        peer.add_host(NAME, backend)
        yield peer


def configure(peer: Peer, check: bool = False, **more: Any) -> dict[str, Any]:
    args = arguments(peer, NAME, **({"websocket_paths": ["/ws"]} | more))
    return module_runner.run(nginx_proxy_manager_host, args, check=check)


def block_in(peer: Peer) -> str | None:
    return split_text(peer.hosts[1]["advanced_config"]).block


def test_a_text_that_was_bad_before_is_not_reported_as_restored(peer: Peer) -> None:
    """The file that the user's text includes was removed since, which only nginx itself can see."""
    peer.hosts[1]["advanced_config"] = "# was saved while nginx accepted it\ninclude /data/gone.conf;\n"
    failed = configure(peer)
    assert failed["failed"]
    assert 'open() "/data/gone.conf" failed' in failed["msg"]
    # The text was bad before the save, so that there was nothing to restore.
    assert failed["restored"] is False
    assert "the previous values are restored, but the host does not serve" in failed["msg"]


def test_a_refused_forward_address_is_restored(peer: Peer) -> None:
    """nginx refuses what the module itself adds: the previous configuration is active again."""
    previous = dict(peer.hosts[1])
    failed = configure(peer, forward_host='no such host" {')
    assert failed["failed"]
    assert "went offline after the save" in failed["msg"]
    assert "the previous configuration is restored and serving" in failed["msg"]
    assert (failed["changed"], failed["restored"]) == (False, True)
    assert {key: peer.hosts[1][key] for key in previous if key != "meta"} == {
        key: value for key, value in previous.items() if key != "meta"
    }
    assert plain(endpoint(peer, NAME)).status == 200


@pytest.mark.slow
def test_after_a_refused_save_the_host_serves_within_three_seconds(peer: Peer) -> None:
    """A second location of the path that the API does not show: in a file that the user's text includes."""
    (peer.root / "data" / "own.conf").write_text("location = /ws { return 410; }\n")
    peer.add_host("own.test", peer.hosts[1]["forward_port"], advanced_config="include /data/own.conf;\n")
    # Sooner than the restoration begins, so that the host is really away.
    peer.reload_delay_s = 0.01
    where = endpoint(peer, "own.test")
    args = arguments(peer, "own.test", websocket_paths=["/ws"])
    with RequestLoop(where) as loop:
        failed = module_runner.run(nginx_proxy_manager_host, args)
        ended = time.monotonic()
        time.sleep(1)
    assert 'went offline after the save (duplicate location "/ws" in /data/' in failed["msg"]
    assert "the previous configuration is restored and serving; remove the other location of this path" in failed["msg"]
    assert (failed["failed"], failed["restored"], failed["notes"]) == (True, True, [])
    assert loop.lost > 0
    assert loop.outage_s < 3
    assert {status for moment, status in loop.answers if moment > ended} == {200}
    print(f"\n{peer.version}: {loop.lost} of {len(loop.answers)} requests lost, away for {loop.outage_s:.2f} s")


def test_an_unreachable_application_restores_the_previous_address(peer: Peer) -> None:
    failed = configure(peer, forward_port=free_port(), wire_timeout=3)
    assert failed["failed"]
    assert "cannot reach what it forwards to with the new settings" in failed["msg"]
    assert failed["restored"]
    assert plain(endpoint(peer, NAME)).status == 200


def test_a_stopped_api_changes_nothing(peer: Peer) -> None:
    failed = configure(peer, api_url=f"http://127.0.0.1:{free_port()}")
    assert failed["failed"]
    assert (
        "cannot be reached (connection refused); check that it runs and that api_url is its admin port" in failed["msg"]
    )
    assert plain(endpoint(peer, NAME)).status == 200


def test_a_wrong_password_is_reported_and_not_shown(peer: Peer) -> None:
    failed = configure(peer, secret="wrong battery staple")
    assert failed["failed"]
    status = 400 if peer.version in ("2.13.5", "2.15.1") else 401
    assert f"refused the login of admin@example.com (status {status}: Invalid email or password)" in failed["msg"]
    assert "wrong battery staple" not in json.dumps(failed)
    assert peer.puts() == 0


def test_an_account_that_may_only_view_is_refused_before_anything_is_saved(peer: Peer) -> None:
    peer.accounts.append(Account("view@example.com", "looking", may="view"))
    failed = configure(peer, identity="view@example.com", secret="looking")
    assert "the account may only view proxy hosts" in failed["msg"]
    assert peer.puts() == 0
    assert configure(peer, check=True, identity="view@example.com", secret="looking")["changed"]


def test_an_account_that_sees_only_its_own_hosts_is_not_told_to_create_one(peer: Peer) -> None:
    peer.accounts.append(Account("own@example.com", "narrow", sees="user"))
    failed = configure(peer, identity="own@example.com", secret="narrow")
    assert f"there is no proxy host {NAME} that this account sees" in failed["msg"]
    assert "let the account see all hosts" in failed["msg"]


def test_an_account_that_may_not_see_proxy_hosts_is_refused(peer: Peer) -> None:
    peer.accounts.append(Account("hidden@example.com", "unseen", may="hidden"))
    failed = configure(peer, identity="hidden@example.com", secret="unseen")
    assert f"answered {peer.behaviour.no_permission} to GET /nginx/proxy-hosts (" in failed["msg"]
    assert "give it the permission to manage proxy hosts" in failed["msg"]


def test_a_second_factor_is_recognised_where_there_is_one(peer: Peer) -> None:
    peer.accounts.append(Account("two@example.com", "factors", two_factor=True))
    result = configure(peer, identity="two@example.com", secret="factors")
    assert result["failed"] is peer.behaviour.has_two_factor
    if result["failed"]:
        assert "has two-factor login" in result["msg"]
        assert "create a separate account for deployments" in result["msg"]


@pytest.mark.parametrize("token", ["no-token-at-all", "ex.pir.ed"])
def test_a_token_that_is_not_accepted_is_reported(peer: Peer, token: str) -> None:
    failed = configure(peer, token=token, identity=None, secret=None)
    assert "does not accept the token" in failed["msg"]
    assert "it is expired, malformed or of an account without permission" in failed["msg"]
    assert token not in json.dumps(failed)


def test_a_token_that_expires_during_the_run_is_replaced(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    first = configure(peer, token_cache=True)
    assert first["changed"], first["msg"]
    again = configure(peer, token_cache=True)
    assert "POST /tokens" not in again["api_calls"], "one login is enough for a run"
    stored = list((tmp_path / "codeframe-staging-proxy-manager").iterdir())
    assert [path.stat().st_mode & 0o777 for path in stored] == [0o600]
    peer.tokens.clear()
    later = configure(peer, token_cache=True)
    assert (later["failed"], later["changed"]) == (False, False), later["msg"]
    assert "POST /tokens" in later["api_calls"]
    wrong = configure(peer, token_cache=True, secret="not the one of the stored token")
    assert "refused the login" in wrong["msg"]


@pytest.mark.parametrize("cached", [True, False], ids=["login-of-an-earlier-task", "own-login"])
def test_a_token_that_expires_before_the_save_is_replaced(peer: Peer, cached: bool) -> None:
    if cached:
        configure(peer, check=True, token_cache=True)
    peer.faults.expiries = 1
    done = configure(peer, token_cache=cached)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert done["api_calls"].count("POST /tokens") == (1 if cached else 2)
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_given_token_that_expires_before_the_save_changes_nothing(peer: Peer) -> None:
    peer.tokens["given.by.user"] = peer.accounts[0]
    peer.faults.expiries = 1
    failed = configure(peer, token="given.by.user", identity=None, secret=None)
    assert "does not accept the token any more (status" in failed["msg"]
    assert (failed["failed"], failed["changed"]) == (True, False)
    assert block_in(peer) is None
    assert plain(endpoint(peer, NAME)).status == 200


def test_a_save_that_is_rejected_has_changed_nothing(peer: Peer, backend: int) -> None:
    peer.add_host("taken.test", backend)
    failed = configure(peer, domain_names=[NAME, "taken.test"])
    assert "(taken.test is already in use); nothing was changed" in failed["msg"]
    assert (failed["failed"], failed["changed"]) == (True, False)
    assert block_in(peer) is None


def test_a_broken_nginx_elsewhere_leaves_no_created_host(peer: Peer, backend: int) -> None:
    """Status 500, although the database has the new host."""
    peer.conf(99).write_text("server { nonsense }\n")
    new = {"domain_name": "new.test", "forward_scheme": "http", "forward_host": "127.0.0.1", "forward_port": backend}
    failed = configure(peer, **new)
    assert "nginx is broken by something else than this host, which is deleted again" in failed["msg"]
    assert (failed["failed"], failed["changed"]) == (True, False)
    assert list(peer.hosts) == [1]
    peer.conf(99).unlink()
    done = configure(peer, **new)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]


def test_a_broken_nginx_elsewhere_changes_neither_database_nor_answers(peer: Peer) -> None:
    broken = peer.conf(99)
    broken.write_text("server { nonsense }\n")
    failed = configure(peer)
    assert failed["failed"]
    assert "nginx is broken by something else than this host" in failed["msg"]
    assert (
        "the previous values are restored in the database and the previous configuration keeps serving" in failed["msg"]
    )
    assert failed["restored"]
    assert block_in(peer) is None
    assert plain(endpoint(peer, NAME)).status == 200
    broken.unlink()
    assert configure(peer)["changed"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


@pytest.mark.parametrize("fault", ["cut_after_write", "cut_before_write"])
def test_a_connection_cut_during_the_save_is_finished(peer: Peer, fault: str) -> None:
    setattr(peer.faults, fault, 1)
    peer.faults.away_s = 0.5
    done = configure(peer)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert done["notes"] == ["the connection was cut after the save was sent"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_connection_cut_twice_leaves_what_served(peer: Peer) -> None:
    peer.faults.cut_before_write = 2
    failed = configure(peer)
    assert "and so did the next one, so that it is unknown whether the save was carried out; run again" in failed["msg"]
    assert plain(endpoint(peer, NAME)).status == 200
    assert configure(peer)["changed"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_cut_during_the_restoration_does_not_leave_the_host_offline(peer: Peer) -> None:
    peer.faults.cut_after_write = 2
    peer.faults.away_s = 0.5
    failed = configure(peer, forward_host='no such host" {')
    assert "the previous configuration is restored and serving" in failed["msg"]
    assert (failed["changed"], failed["restored"]) == (False, True)
    assert plain(endpoint(peer, NAME)).status == 200


def test_an_api_that_goes_away_after_its_answer_is_waited_for(peer: Peer) -> None:
    peer.faults.away_after_write, peer.faults.away_s = 1, 1.0
    done = configure(peer)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_an_api_that_stays_away_after_its_answer_is_reported(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "_API_BACK_S", 0.3)
    peer.faults.away_after_write, peer.faults.away_s = 1, 600
    failed = configure(peer)
    assert failed["msg"] == (
        f"proxy host {NAME}: the save was sent, and the API did not come back within 0.3 s, so that it is unknown "
        "whether the save was carried out; run again once Nginx Proxy Manager answers, which finishes it"
    )
    assert (failed["changed"], failed["restored"]) == (True, False)
    peer.come_back()
    again = configure(peer)
    assert (again["failed"], again["changed"]) == (False, False), again["msg"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_reload_that_got_lost_is_repeated(peer: Peer) -> None:
    peer.faults.lost_reloads = 1
    done = configure(peer, wire_timeout=3)
    assert not done["failed"], done["msg"]
    assert done["notes"] == ["the running nginx did not load the save and it was repeated"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_what_only_the_database_has_is_named_and_saved_again(peer: Peer) -> None:
    assert configure(peer)["changed"]
    text = peer.hosts[1]["advanced_config"]
    peer.hosts[1]["advanced_config"] = ""
    peer._configure(1)
    peer.nginx.reload_and_wait()
    peer.hosts[1]["advanced_config"] = text
    predicted = configure(peer, check=True)
    assert predicted["changed"]
    repaired = configure(peer)
    for result in (predicted, repaired):
        assert result["drift"] == ["the database has the managed block, the running nginx has not"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded
    assert not configure(peer)["changed"]


@pytest.mark.parametrize(
    ("running", "database", "drift"),
    [
        pytest.param(300, None, "the running nginx has a managed block, the database has not", id="nginx-alone"),
        pytest.param(300, 86400, "the database has the managed block, the running nginx has another", id="older"),
    ],
)
def test_a_block_that_only_nginx_has_is_named(peer: Peer, running: int, database: int | None, drift: str) -> None:
    """As after a backup of the database was restored."""
    assert configure(peer, read_timeout=running)["changed"]
    text = configure(peer, check=True, read_timeout=database)["block"] if database else ""
    peer.hosts[1]["advanced_config"] = text
    repaired = configure(peer)
    assert (repaired["failed"], repaired["changed"]) == (False, True), repaired["msg"]
    assert repaired["drift"] == [drift]
    assert not configure(peer)["changed"]


def test_a_host_that_is_disabled_in_the_database_alone_is_named(peer: Peer) -> None:
    """As PUT does it, and a save does not change it."""
    peer.hosts[1]["enabled"] = False
    result = configure(peer, websocket_paths=[])
    assert (result["failed"], result["changed"]) == (False, False), result["msg"]
    assert result["drift"] == [
        "the database has the host disabled, the running nginx serves this name (a save leaves it so; "
        "switch the host on and off)"
    ]


def test_absent_does_not_repair_a_host_without_the_block(peer: Peer, backend: int) -> None:
    peer.add_host("down.test", backend, advanced_config="nonsense;")
    result = configure(peer, domain_name="down.test", state="absent")
    assert (result["failed"], result["changed"], peer.puts()) == (False, False, 0), result["msg"]
    assert "the host is offline" in result["drift"][0]


def test_an_offline_host_is_saved_again(peer: Peer) -> None:
    assert configure(peer)["changed"]
    peer.conf(1).unlink()
    peer.hosts[1]["meta"] = {"nginx_online": False, "nginx_err": "nginx: [emerg] bind() failed"}
    peer.nginx.reload_and_wait()
    assert not handshake(endpoint(peer, NAME), "/ws").upgraded
    repaired = configure(peer)
    assert repaired["drift"] == ["the host is offline: nginx refused what the database has (bind() failed)"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


@pytest.mark.parametrize(
    ("fault", "note"),
    [
        ("disturbed_before", "nginx was broken by something else for a moment, and the save was repeated"),
        ("disturbed_after", "the save was disturbed by another one and was repeated"),
    ],
)
def test_a_save_that_another_one_disturbs_is_repeated(peer: Peer, fault: str, note: str) -> None:
    setattr(peer.faults, fault, 1)
    done = configure(peer)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert done["notes"] == [note]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_what_a_killed_run_left_offline_is_restored_by_the_next(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the save that nginx refused and its restoration."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "_failed", killed)
        with pytest.raises(KeyboardInterrupt):
            configure(peer, forward_host='bad" {')
    assert peer.hosts[1]["meta"]["nginx_online"] is False
    kept = list((tmp_path / "codeframe-staging-proxy-manager").iterdir())
    assert [(path.suffix, path.stat().st_mode & 0o777) for path in kept] == [(".journal", 0o600)]
    assert PASSWORD not in kept[0].read_text()
    peer.hosts[2] = {**peer.hosts[1], "id": 2, "domain_names": ["taken.test"]}
    assert "taken.test is already in use" in configure(peer, domain_names=[NAME, "taken.test"])["msg"]
    # A run in between that could not save has not removed the journal.
    failed = configure(peer)
    assert "the previous configuration is restored and serving" in failed["msg"]
    assert plain(endpoint(peer, NAME)).status == 200
    done = configure(peer)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_stopped_proxy_is_no_reason_to_save_blindly(peer: Peer) -> None:
    failed = configure(peer, proxy_port=free_port())
    assert "the proxy does not answer at 127.0.0.1:" in failed["msg"]
    assert peer.puts() == 0
    trusting = configure(peer, check_wire=False)
    assert trusting["changed"]
    assert trusting["msg"] == f"proxy host {NAME} is saved (the proxy was not asked)"


def test_a_self_signed_api_needs_a_choice(tmp_path: Path, backend: int) -> None:
    with running_peer("2.15.1", tmp_path, tls=True) as peer:
        peer.add_host(NAME, backend)
        assert "is not trusted" in configure(peer)["msg"]
        assert configure(peer, ca_path=str(tmp_path / "cert.pem"))["changed"]
        assert not configure(peer, validate_certs=False)["failed"]


def test_a_host_with_a_certificate_is_asked_over_tls(tmp_path: Path, backend: int) -> None:
    with running_peer("2.15.1", tmp_path, with_tls=True) as peer:
        peer.certificates[7] = {"id": 7, "nice_name": "*.test", "domain_names": ["*.test"]}
        peer.add_host(NAME, backend)
        done = configure(
            peer, certificate="*.test", switches={"ssl_forced": True}, proxy_port=peer.nginx.tls_port, proxy_tls=True
        )
        assert not done["failed"], done["msg"]
        assert done["wire"]["after"]["/ws"]["upgraded"]
        assert plain(endpoint(peer, NAME)).status == 301
        assert "it sees: *.test" in configure(peer, certificate="other")["msg"]


def test_a_pasted_block_is_judged_by_the_answers(peer: Peer) -> None:
    ask = {
        "domain_name": NAME,
        "websocket_paths": ["/ws"],
        "proxy_address": "127.0.0.1",
        "proxy_port": peer.nginx.port,
    }

    login = {"api_url": peer.url, "identity": "admin@example.com", "secret": PASSWORD, "token_cache": False}

    def verdict(text: str, switch: bool = False) -> tuple[str, str, str]:
        """The verdict and the message from the answers alone, and the message with a login."""
        peer.hosts[1] |= {"advanced_config": text, "allow_websocket_upgrade": switch}
        peer._configure(1, first_test=False)
        peer.nginx.reload_and_wait()
        alone, told = (module_runner.run(nginx_proxy_manager_info, more) for more in (ask, ask | login))
        assert not alone["failed"]
        assert not told["failed"], told["msg"]
        assert alone["verdict"] == told["verdict"]
        return str(alone["verdict"]), str(alone["msg"]), str(told["msg"])

    block = module_runner.run(nginx_proxy_manager_info, ask)["block"]
    inner = "\n".join(line for line in block.splitlines() if line.startswith("    proxy_"))

    kind, alone, told = verdict("")
    assert kind == "not_in_force"
    assert f"is not in force for {NAME} (/ws: 404): nothing was pasted, it was not saved, or another snippet" in alone
    assert "(/ws: 404): its Advanced text does not have the block; paste" in told

    kind, alone, told = verdict(SNIPPET)
    assert kind == "not_in_force"
    assert "another snippet was pasted at server level, where it has no effect while Websockets Support is off" in alone
    assert "a WebSocket snippet was pasted at server level (line 1 of the Advanced text), where it has no" in told

    kind, alone, told = verdict(SNIPPET, switch=True)
    assert kind == "not_served"
    assert "if a snippet is at server level while Websockets Support is on" in alone
    assert "a WebSocket snippet was pasted at server level (line 1 of the Advanced text) while Websockets Sup" in told
    assert 'nginx refused the proxy host ("proxy_http_version" directive is duplicate in ' in told

    kind, alone, told = verdict("", switch=True)
    assert kind == "upgrades_without_block"
    assert "Websockets Support is on, or a location was added manually; paste" in alone
    assert "Websockets Support is on; its Advanced text does not have the block; paste" in told

    kind, alone, told = verdict(inner)
    assert kind == "not_served"
    assert "if lines of the block are outside of their location" in alone
    assert 'unknown "codeframe_upgrade" variable' in told

    assert verdict(block) == ("in_force", *[f"the block is in force for {NAME}"] * 2)
    assert verdict(block, switch=True)[0] == "in_force"
    assert verdict(block.replace("86400s", "90s"))[0] == "in_force", "the revision line was copied with it"
    kind, _, told = verdict(module_runner.run(nginx_proxy_manager_info, ask | {"read_timeout": 90})["block"])
    assert kind == "other_block"

    del peer.hosts[1]
    peer.conf(1).unlink()
    peer.nginx.reload_and_wait()
    gone = module_runner.run(nginx_proxy_manager_info, ask | login)
    assert gone["verdict"] == "not_served"
    assert "Nginx Proxy Manager has no such proxy host, or none that this account sees" in gone["msg"]


def test_with_a_login_the_block_to_paste_has_the_rules_of_the_access_list(peer: Peer) -> None:
    list_id = peer.add_access_list("staff", "sesame")
    assert configure(peer, access_list="staff")["changed"]
    ask = {
        "domain_name": NAME,
        "websocket_paths": ["/ws"],
        "proxy_port": peer.nginx.port,
        "api_url": peer.url,
        "identity": "admin@example.com",
        "secret": PASSWORD,
    }
    result = module_runner.run(nginx_proxy_manager_info, ask)
    assert f"auth_basic_user_file /data/access/{list_id};" in result["block"]
    assert result["verdict"] == "in_force"


def test_the_list_has_every_host_in_the_same_form(peer: Peer, backend: int) -> None:
    peer.add_host("down.test", backend, advanced_config="nonsense;")
    login = {key: value for key, value in arguments(peer, NAME).items() if key in ("api_url", "identity", "secret")}
    result = module_runner.run(nginx_proxy_manager_info, login | {"token_cache": False})
    assert result["version"] == peer.version
    assert [(each["domain_names"], each["online"]) for each in result["hosts"]] == [
        ([NAME], True),
        (["down.test"], False),
    ]
    assert 'unknown directive "nonsense"' in result["hosts"][1]["nginx_error"]
    assert result["hosts"][0]["allow_websocket_upgrade"] is False


def test_two_saves_at_once_would_be_noticed(peer: Peer) -> None:
    """What the test server says of saves that nothing serialises."""

    def request(method: str, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(peer.url).port, timeout=60)
        connection.request(method, f"/api/{path}", json.dumps(body), {"Content-Type": "application/json", **headers})
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return found

    token = request("POST", "tokens", {"identity": "admin@example.com", "secret": PASSWORD})["token"]
    peer.save_delay_s = 1
    save = ("PUT", "nginx/proxy-hosts/1", {"caching_enabled": True})
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: request(*save, Authorization=f"Bearer {token}"), range(2)))
    assert "OVERLAP" in [method for method, _ in peer.requests]


@pytest.mark.slow
def test_eight_hosts_at_once_are_saved_one_after_the_other(tmp_path: Path, backend: int) -> None:
    """Through ansible-playbook with eight forks; without the lock good hosts go offline."""
    names = [f"h{number}.test" for number in range(8)]
    with running_peer("2.15.1", tmp_path / "manager", save_delay_s=0.1) as peer:
        for name in names:
            peer.add_host(name, backend)
        play = [
            {
                "hosts": "all",
                "gather_facts": False,
                "tasks": [
                    {
                        "codeframe.staging.nginx_proxy_manager_host": arguments(
                            peer, "{{ inventory_hostname }}", websocket_paths=["/ws"], token_cache=True
                        )
                    }
                ],
            }
        ]
        book = tmp_path / "play.json"
        book.write_text(json.dumps(play))
        run = run_playbook(
            book, "--forks=8", inventory=",".join(names) + ",", environment={"XDG_RUNTIME_DIR": str(tmp_path)}
        )
        assert run.exit_code == 0, run.output
        assert peer.puts() == 8
        assert "OVERLAP" not in [method for method, _ in peer.requests]
        assert all(host["meta"]["nginx_online"] for host in peer.hosts.values())
        assert all(handshake(endpoint(peer, name), "/ws").upgraded for name in names)
        assert "correct horse" not in run.output
