"""What goes wrong with Nginx Proxy Manager: what the module says, and that the host serves on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._npm_block import take_apart
from ansible_collections.codeframe.staging.plugins.module_utils._npm_transaction import Transaction
from ansible_collections.codeframe.staging.plugins.module_utils._npm_wire import handshake, plain
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host, nginx_proxy_manager_info
from npm_parts import TESTS, RequestLoop, arguments, endpoint, free_port, running_backend, running_peer
from npm_peer.behaviour import VERSIONS
from npm_peer.server import Account, Peer

NAME = "api.test"
SNIPPET = """\
proxy_http_version 1.1;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection "upgrade";
"""


@pytest.fixture(autouse=True)
def private_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens and journals of a test are its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def backend() -> Iterator[int]:
    with running_backend() as port:
        yield port


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
    where = endpoint(peer, NAME)
    began = time.monotonic()
    with RequestLoop(where) as loop:
        failed = keep(peer, websocket_paths=["/ws"], forward_port=peer.hosts[1]["forward_port"])
        took = time.monotonic() - began
    assert failed["failed"]
    assert 'open() "/data/gone.conf" failed' in failed["msg"]
    # The text was bad before the save, so nothing good could come back; the words must not claim it.
    assert failed["restored"] is False
    assert "the former values are back, but the host does not serve" in failed["msg"]
    assert took < 5, loop.outage_s


def test_a_refused_forward_address_comes_back_and_the_loss_is_counted(peer: Peer) -> None:
    """What the module itself brings in is refused: the former configuration serves again."""
    where = endpoint(peer, NAME)
    former = dict(peer.hosts[1])
    with RequestLoop(where) as loop:
        failed = keep(peer, forward_host='no such host" {')
    assert failed["failed"]
    assert "went offline after the save" in failed["msg"]
    assert "the former configuration is back and serving" in failed["msg"]
    assert (failed["changed"], failed["restored"]) == (False, True)
    assert {key: peer.hosts[1][key] for key in former if key != "meta"} == {
        key: value for key, value in former.items() if key != "meta"
    }
    assert plain(where).status == 200
    assert loop.outage_s < 3
    print(f"\n{peer.version}: {loop.lost} of {len(loop.answers)} requests lost in {loop.outage_s:.2f} s")


def test_an_unreachable_application_brings_the_former_address_back(peer: Peer) -> None:
    failed = keep(peer, forward_port=free_port(), wire_timeout=0.5)
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
    kept = list((tmp_path / "codeframe-staging-npm").iterdir())
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]
    peer.tokens.clear()
    later = keep(peer, token_cache=True)
    assert (later["failed"], later["changed"]) == (False, False), later["msg"]
    assert "POST /tokens" in later["api_calls"]
    wrong = keep(peer, token_cache=True, secret="not the one of the kept token")
    assert "refused the login" in wrong["msg"]


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


def test_a_reload_that_got_lost_is_repeated(peer: Peer) -> None:
    peer.faults.lost_reloads = 1
    done = keep(peer, wire_timeout=0.5)
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

    def verdict(text: str, switch: bool = False) -> str:
        peer.hosts[1] |= {"advanced_config": text, "allow_websocket_upgrade": switch}
        peer._configure(1, first_test=False)
        peer.nginx.reload_and_wait()
        result = module_runner.run(nginx_proxy_manager_info, ask)
        assert not result["failed"]
        return str(result["verdict"])

    block = module_runner.run(nginx_proxy_manager_info, ask)["block"]
    inner = "\n".join(line for line in block.splitlines() if line.startswith("    proxy_"))
    assert verdict("") == "not_in_force"
    assert verdict(block) == "in_force"
    assert verdict(block, switch=True) == "in_force"
    assert verdict("", switch=True) == "upgrades_without_block"
    assert verdict(SNIPPET) == "not_in_force"
    assert verdict(SNIPPET, switch=True) == "not_served"
    assert verdict(inner) == "not_served", "its variables are set outside of the location"
    assert verdict(block.replace("86400s", "90s")) == "in_force", "the revision line was copied with it"
    older = module_runner.run(nginx_proxy_manager_info, ask | {"read_timeout": 90})["block"]
    assert verdict(older) == "other_block"


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
        command = [sys.executable, "-m", "ansible", "playbook", "--forks", "8", "-i", ",".join(names) + ","]
        run = subprocess.run(
            [*command, "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", str(book)],
            env=os.environ
            | {"ANSIBLE_COLLECTIONS_PATH": str(TESTS.parent / "collections"), "XDG_RUNTIME_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert peer.puts() == 8
        assert "OVERLAP" not in [method for method, _ in peer.requests]
        assert all(host["meta"]["nginx_online"] for host in peer.hosts.values())
        assert all(handshake(endpoint(peer, name), "/ws").upgraded for name in names)
        assert "correct horse" not in run.stdout + run.stderr
