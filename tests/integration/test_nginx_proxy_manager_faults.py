"""What goes wrong with Nginx Proxy Manager: what the module says, and that the host serves on."""

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
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager import (
    transaction as _proxy_manager_transaction,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.block import take_apart
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.transaction import Transaction
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.wire import handshake, plain
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


def keep(peer: Peer, check: bool = False, **more: Any) -> dict[str, Any]:
    args = arguments(peer, NAME, **({"websocket_paths": ["/ws"]} | more))
    return module_runner.run(nginx_proxy_manager_host, args, check=check)


def block_in(peer: Peer) -> str | None:
    return take_apart(peer.hosts[1]["advanced_config"]).block


def test_a_text_that_was_bad_before_is_not_called_restored(peer: Peer) -> None:
    """What the user's own text includes is gone meanwhile: only nginx itself can see that."""
    peer.hosts[1]["advanced_config"] = "# was saved while nginx accepted it\ninclude /data/gone.conf;\n"
    failed = keep(peer)
    assert failed["failed"]
    assert 'open() "/data/gone.conf" failed' in failed["msg"]
    # The text was bad before the save, so nothing good could come back; the words must not claim it.
    assert failed["restored"] is False
    assert "the former values are back, but the host does not serve" in failed["msg"]


def test_a_refused_forward_address_comes_back(peer: Peer) -> None:
    """What the module itself brings in is refused: the former configuration serves again."""
    former = dict(peer.hosts[1])
    failed = keep(peer, forward_host='no such host" {')
    assert failed["failed"]
    assert "went offline after the save" in failed["msg"]
    assert "the former configuration is back and serving" in failed["msg"]
    assert (failed["changed"], failed["restored"]) == (False, True)
    assert {key: peer.hosts[1][key] for key in former if key != "meta"} == {
        key: value for key, value in former.items() if key != "meta"
    }
    assert plain(endpoint(peer, NAME)).status == 200


@pytest.mark.slow
def test_a_refused_save_serves_again_within_three_seconds_and_the_loss_is_counted(peer: Peer) -> None:
    """A second location of the path that no API shows: in a file that the user's own text includes."""
    (peer.root / "data" / "own.conf").write_text("location = /ws { return 410; }\n")
    peer.add_host("own.test", peer.hosts[1]["forward_port"], advanced_config="include /data/own.conf;\n")
    # Sooner than the way back begins, so that the host is really away.
    peer.reload_delay_s = 0.01
    where = endpoint(peer, "own.test")
    args = arguments(peer, "own.test", websocket_paths=["/ws"])
    with RequestLoop(where) as loop:
        failed = module_runner.run(nginx_proxy_manager_host, args)
        ended = time.monotonic()
        time.sleep(1)
    assert 'went offline after the save (duplicate location "/ws" in /data/' in failed["msg"]
    assert "the former configuration is back and serving; remove the other location of this path" in failed["msg"]
    assert (failed["failed"], failed["restored"], failed["notes"]) == (True, True, [])
    assert loop.lost > 0
    assert loop.outage_s < 3
    assert {status for moment, status in loop.answers if moment > ended} == {200}
    print(f"\n{peer.version}: {loop.lost} of {len(loop.answers)} requests lost, away for {loop.outage_s:.2f} s")


def test_an_unreachable_application_brings_the_former_address_back(peer: Peer) -> None:
    failed = keep(peer, forward_port=free_port(), wire_timeout=3)
    assert failed["failed"]
    assert "cannot reach what it forwards to with the new settings" in failed["msg"]
    assert failed["restored"]
    assert plain(endpoint(peer, NAME)).status == 200


def test_a_stopped_api_changes_nothing(peer: Peer) -> None:
    failed = keep(peer, api_url=f"http://127.0.0.1:{free_port()}")
    assert failed["failed"]
    assert (
        "cannot be reached (Connection refused); check that it runs and that api_url is its admin port" in failed["msg"]
    )
    assert plain(endpoint(peer, NAME)).status == 200


def test_a_wrong_password_is_said_and_not_shown(peer: Peer) -> None:
    failed = keep(peer, secret="wrong battery staple")
    assert failed["failed"]
    status = 400 if peer.version in ("2.13.5", "2.15.1") else 401
    assert f"refused the login of admin@example.com (status {status}: Invalid email or password)" in failed["msg"]
    assert "wrong battery staple" not in json.dumps(failed)
    assert peer.puts() == 0


def test_an_account_that_may_only_look_is_told_before_anything_is_saved(peer: Peer) -> None:
    peer.accounts.append(Account("view@example.com", "looking", may="view"))
    failed = keep(peer, identity="view@example.com", secret="looking")
    assert "the account may only view proxy hosts" in failed["msg"]
    assert peer.puts() == 0
    assert keep(peer, check=True, identity="view@example.com", secret="looking")["changed"]


def test_an_account_that_sees_only_its_own_hosts_is_not_told_to_create_one(peer: Peer) -> None:
    peer.accounts.append(Account("own@example.com", "narrow", sees="user"))
    failed = keep(peer, identity="own@example.com", secret="narrow")
    assert f"there is no proxy host {NAME} that this account sees" in failed["msg"]
    assert "let the account see all hosts" in failed["msg"]


def test_an_account_that_may_not_see_proxy_hosts_is_told_so(peer: Peer) -> None:
    peer.accounts.append(Account("hidden@example.com", "unseen", may="hidden"))
    failed = keep(peer, identity="hidden@example.com", secret="unseen")
    assert "answered 403 to GET /nginx/proxy-hosts (Permission Denied)" in failed["msg"]
    assert "give it the permission to manage proxy hosts" in failed["msg"]


def test_a_second_factor_is_recognised_where_there_is_one(peer: Peer) -> None:
    peer.accounts.append(Account("two@example.com", "factors", two_factor=True))
    result = keep(peer, identity="two@example.com", secret="factors")
    assert result["failed"] is peer.behaviour.has_two_factor
    if result["failed"]:
        assert "has two-factor login" in result["msg"]
        assert "make an account of its own for deployments" in result["msg"]


@pytest.mark.parametrize("token", ["no-token-at-all", "ex.pir.ed"])
def test_a_token_that_is_none_any_more_is_said(peer: Peer, token: str) -> None:
    failed = keep(peer, token=token, identity=None, secret=None)
    assert "does not accept the token" in failed["msg"]
    assert "it is expired, malformed or of an account without permission" in failed["msg"]
    assert token not in json.dumps(failed)


def test_a_token_that_expires_during_the_run_is_replaced(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    first = keep(peer, token_cache=True)
    assert first["changed"], first["msg"]
    again = keep(peer, token_cache=True)
    assert "POST /tokens" not in again["api_calls"], "one login is enough for a run"
    kept = list((tmp_path / "codeframe-staging-proxy-manager").iterdir())
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]
    peer.tokens.clear()
    later = keep(peer, token_cache=True)
    assert (later["failed"], later["changed"]) == (False, False), later["msg"]
    assert "POST /tokens" in later["api_calls"]
    wrong = keep(peer, token_cache=True, secret="not the one of the kept token")
    assert "refused the login" in wrong["msg"]


@pytest.mark.parametrize("cached", [True, False], ids=["login-of-an-earlier-task", "own-login"])
def test_a_token_that_expires_before_the_save_is_replaced(peer: Peer, cached: bool) -> None:
    if cached:
        keep(peer, check=True, token_cache=True)
    peer.faults.expiries = 1
    done = keep(peer, token_cache=cached)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert done["api_calls"].count("POST /tokens") == (1 if cached else 2)
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_given_token_that_expires_before_the_save_leaves_all_as_it_was(peer: Peer) -> None:
    peer.tokens["given.to.us"] = peer.accounts[0]
    peer.faults.expiries = 1
    failed = keep(peer, token="given.to.us", identity=None, secret=None)
    assert "the token is not accepted any more" in failed["msg"]
    assert (failed["failed"], failed["changed"]) == (True, False)
    assert block_in(peer) is None
    assert plain(endpoint(peer, NAME)).status == 200


def test_a_save_that_is_rejected_has_changed_nothing(peer: Peer, backend: int) -> None:
    peer.add_host("taken.test", backend)
    failed = keep(peer, domain_names=[NAME, "taken.test"])
    assert "(taken.test is already in use); nothing was changed" in failed["msg"]
    assert (failed["failed"], failed["changed"]) == (True, False)
    assert block_in(peer) is None


def test_a_broken_nginx_elsewhere_leaves_no_host_that_was_to_be_created(peer: Peer, backend: int) -> None:
    """Status 500, and the database has the new host all the same."""
    peer.conf(99).write_text("server { nonsense }\n")
    new = {"domain_name": "new.test", "forward_scheme": "http", "forward_host": "127.0.0.1", "forward_port": backend}
    failed = keep(peer, **new)
    assert "nginx is broken by something else than this host, which is deleted again" in failed["msg"]
    assert (failed["failed"], failed["changed"]) == (True, False)
    assert list(peer.hosts) == [1]
    peer.conf(99).unlink()
    done = keep(peer, **new)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]


def test_a_broken_nginx_elsewhere_leaves_database_and_wire_as_they_were(peer: Peer) -> None:
    broken = peer.conf(99)
    broken.write_text("server { nonsense }\n")
    failed = keep(peer)
    assert failed["failed"]
    assert "nginx is broken by something else than this host" in failed["msg"]
    assert "the former values are back in the database and the former configuration goes on serving" in failed["msg"]
    assert failed["restored"]
    assert block_in(peer) is None
    assert plain(endpoint(peer, NAME)).status == 200
    broken.unlink()
    assert keep(peer)["changed"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


@pytest.mark.parametrize("fault", ["cut_after_write", "cut_before_write"])
def test_a_connection_cut_during_the_save_is_finished(peer: Peer, fault: str) -> None:
    setattr(peer.faults, fault, 1)
    peer.faults.away_s = 0.5
    done = keep(peer)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert done["notes"] == ["the connection was cut after the save was sent"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_connection_cut_twice_leaves_what_served(peer: Peer) -> None:
    peer.faults.cut_before_write = 2
    failed = keep(peer)
    assert "and so did the next one, so that nobody knows what became of the save; run again" in failed["msg"]
    assert plain(endpoint(peer, NAME)).status == 200
    assert keep(peer)["changed"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_cut_on_the_way_back_is_no_reason_to_leave_the_host_offline(peer: Peer) -> None:
    peer.faults.cut_after_write = 2
    peer.faults.away_s = 0.5
    failed = keep(peer, forward_host='no such host" {')
    assert "the former configuration is back and serving" in failed["msg"]
    assert (failed["changed"], failed["restored"]) == (False, True)
    assert plain(endpoint(peer, NAME)).status == 200


def test_an_api_that_goes_away_after_its_answer_is_waited_for(peer: Peer) -> None:
    peer.faults.away_after_write, peer.faults.away_s = 1, 1.0
    done = keep(peer)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_an_api_that_stays_away_after_its_answer_is_said(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_proxy_manager_transaction, "_API_BACK_S", 0.3)
    peer.faults.away_after_write, peer.faults.away_s = 1, 600
    failed = keep(peer)
    assert failed["msg"] == (
        f"proxy host {NAME}: the save was sent, and the API did not come back within 0.3 s, so that nobody knows what "
        "became of the save; run again once Nginx Proxy Manager answers, which finishes it"
    )
    assert (failed["changed"], failed["restored"]) == (True, False)
    peer.come_back()
    again = keep(peer)
    assert (again["failed"], again["changed"]) == (False, False), again["msg"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_reload_that_got_lost_is_repeated(peer: Peer) -> None:
    peer.faults.lost_reloads = 1
    done = keep(peer, wire_timeout=3)
    assert not done["failed"], done["msg"]
    assert done["notes"] == ["the running nginx did not take the save and it was repeated"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_what_only_the_database_has_is_named_and_saved_again(peer: Peer) -> None:
    assert keep(peer)["changed"]
    text = peer.hosts[1]["advanced_config"]
    peer.hosts[1]["advanced_config"] = ""
    peer._configure(1)
    peer.nginx.reload_and_wait()
    peer.hosts[1]["advanced_config"] = text
    predicted = keep(peer, check=True)
    assert predicted["changed"]
    repaired = keep(peer)
    for result in (predicted, repaired):
        assert result["drift"] == ["the database has the managed block, the running nginx has not"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded
    assert not keep(peer)["changed"]


@pytest.mark.parametrize(
    ("running", "database", "drift"),
    [
        pytest.param(300, None, "the running nginx has a managed block, the database has not", id="nginx-alone"),
        pytest.param(300, 86400, "the database has the managed block, the running nginx has another", id="older"),
    ],
)
def test_a_block_that_only_nginx_has_is_named(peer: Peer, running: int, database: int | None, drift: str) -> None:
    """As after a backup of the database was brought back."""
    assert keep(peer, read_timeout=running)["changed"]
    text = keep(peer, check=True, read_timeout=database)["block"] if database else ""
    peer.hosts[1]["advanced_config"] = text
    repaired = keep(peer)
    assert (repaired["failed"], repaired["changed"]) == (False, True), repaired["msg"]
    assert repaired["drift"] == [drift]
    assert not keep(peer)["changed"]


def test_a_host_that_is_disabled_in_the_database_alone_is_named(peer: Peer) -> None:
    """As PUT does it; a save leaves it so."""
    peer.hosts[1]["enabled"] = False
    result = keep(peer, websocket_paths=[], enabled=False)
    assert (result["failed"], result["changed"]) == (False, False), result["msg"]
    assert result["drift"] == [
        "the database has the host disabled, the running nginx serves this name (a save leaves it so; "
        "switch the host on and off)"
    ]


def test_a_host_that_does_not_come_online_is_disabled_again(peer: Peer) -> None:
    peer.hosts[1] |= {"enabled": False, "advanced_config": "nonsense;\n"}
    peer.conf(1).unlink()
    failed = keep(peer, websocket_paths=[], enabled=True)
    assert f"proxy host {NAME} did not come online after it was enabled" in failed["msg"]
    assert 'unknown directive "nonsense"' in failed["msg"]
    assert (failed["changed"], failed["restored"], peer.hosts[1]["enabled"]) == (False, True, False)
    failed = keep(peer, enabled=True)
    assert "went offline after the save" in failed["msg"]
    assert peer.hosts[1]["enabled"] is False
    peer.hosts[1]["advanced_config"] = ""
    assert keep(peer, enabled=True)["changed"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_absent_leaves_an_offline_host_without_our_block_alone(peer: Peer, backend: int) -> None:
    peer.add_host("down.test", backend, advanced_config="nonsense;")
    result = keep(peer, domain_name="down.test", state="absent")
    assert (result["failed"], result["changed"], peer.puts()) == (False, False, 0), result["msg"]
    assert "the host is offline" in result["drift"][0]


def test_an_offline_host_is_saved_again(peer: Peer) -> None:
    assert keep(peer)["changed"]
    peer.conf(1).unlink()
    peer.hosts[1]["meta"] = {"nginx_online": False, "nginx_err": "nginx: [emerg] bind() failed"}
    peer.nginx.reload_and_wait()
    assert not handshake(endpoint(peer, NAME), "/ws").upgraded
    repaired = keep(peer)
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
    done = keep(peer)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert done["notes"] == [note]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_what_a_killed_run_left_offline_goes_back_to_what_served_before(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the save that nginx refused and the one that would have taken it back."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "_fail", killed)
        with pytest.raises(KeyboardInterrupt):
            keep(peer, forward_host='bad" {')
    assert peer.hosts[1]["meta"]["nginx_online"] is False
    kept = list((tmp_path / "codeframe-staging-proxy-manager").iterdir())
    assert [(path.suffix, path.stat().st_mode & 0o777) for path in kept] == [(".journal", 0o600)]
    assert PASSWORD not in kept[0].read_text()
    peer.hosts[2] = {**peer.hosts[1], "id": 2, "domain_names": ["taken.test"]}
    assert "taken.test is already in use" in keep(peer, domain_names=[NAME, "taken.test"])["msg"]
    # A run that could not save in between has not forgotten it.
    failed = keep(peer)
    assert "the former configuration is back and serving" in failed["msg"]
    assert plain(endpoint(peer, NAME)).status == 200
    done = keep(peer)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert handshake(endpoint(peer, NAME), "/ws").upgraded


def test_a_stopped_proxy_is_no_reason_to_save_blindly(peer: Peer) -> None:
    failed = keep(peer, proxy_port=free_port())
    assert "the proxy does not answer at 127.0.0.1:" in failed["msg"]
    assert peer.puts() == 0
    trusting = keep(peer, check_wire=False)
    assert trusting["changed"]
    assert trusting["msg"] == f"proxy host {NAME} is saved (not asked on the wire)"


def test_a_self_signed_api_needs_a_choice(tmp_path: Path, backend: int) -> None:
    with running_peer("2.15.1", tmp_path, tls=True) as peer:
        peer.add_host(NAME, backend)
        assert "is not trusted" in keep(peer)["msg"]
        assert keep(peer, ca_path=str(tmp_path / "cert.pem"))["changed"]
        assert not keep(peer, validate_certs=False)["failed"]


def test_a_host_with_a_certificate_is_asked_over_tls(tmp_path: Path, backend: int) -> None:
    with running_peer("2.15.1", tmp_path, with_tls=True) as peer:
        peer.certificates[7] = {"id": 7, "nice_name": "*.test", "domain_names": ["*.test"]}
        peer.add_host(NAME, backend)
        done = keep(peer, certificate="*.test", ssl_forced=True, proxy_port=peer.nginx.tls_port, proxy_tls=True)
        assert not done["failed"], done["msg"]
        assert done["wire"]["after"]["/ws"]["upgraded"]
        assert plain(endpoint(peer, NAME)).status == 301
        assert "there are: *.test" in keep(peer, certificate="other")["msg"]


def test_a_block_pasted_by_hand_is_judged_by_the_wire(peer: Peer) -> None:
    ask = {
        "domain_name": NAME,
        "websocket_paths": ["/ws"],
        "proxy_address": "127.0.0.1",
        "proxy_port": peer.nginx.port,
    }

    login = {"api_url": peer.url, "identity": "admin@example.com", "secret": PASSWORD, "token_cache": False}

    def verdict(text: str, switch: bool = False) -> tuple[str, str, str]:
        """The verdict and the message by the wire alone, and the message with a login."""
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
    assert "with a snippet at server level while Websockets Support is on" in alone
    assert "a WebSocket snippet was pasted at server level (line 1 of the Advanced text) while Websockets Sup" in told
    assert 'nginx refused the proxy host ("proxy_http_version" directive is duplicate in ' in told

    kind, alone, told = verdict("", switch=True)
    assert kind == "upgrades_without_block"
    assert "the switch Websockets Support is on, or a location was made by hand; paste" in alone
    assert "Websockets Support is on; its Advanced text does not have the block; paste" in told

    kind, alone, told = verdict(inner)
    assert kind == "not_served"
    assert "with lines of the block outside of their location" in alone
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
    assert keep(peer, access_list="staff")["changed"]
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


def test_the_list_tells_of_every_host_in_the_same_words(peer: Peer, backend: int) -> None:
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
    with running_peer("2.15.1", tmp_path / "npm", save_delay_s=0.1) as peer:
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
