"""The role proxy with the provider nginx_proxy_manager, run by ansible-playbook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import handshake, plain
from playbook_runs import run_playbook
from process_arguments import ArgumentsWatch
from proxy_manager_parts import PASSWORD, endpoint, running_peer
from proxy_manager_peer.pasted import SNIPPET
from proxy_manager_peer.server import Account, Peer


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with running_peer("2.15.1", tmp_path / "manager") as peer:
        yield peer


def play(
    tmp_path: Path, peer: Peer, backend: int, *options: str, result_format: str = "json", **more: Any
) -> tuple[int, str, dict[str, Any]]:
    """(return code, output, the result of the role)."""
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "ANSIBLE_CALLBACK_RESULT_FORMAT": result_format}
    variables = {
        "proxy_provider": "nginx_proxy_manager",
        "proxy_site_name": "app",
        "proxy_page": False,
        "proxy_page_url": "http://app.test:14100",
        "proxy_ws_url": "ws://api.test/ws",
        "proxy_api_url": "http://api.test",
        "proxy_backend_upstream": f"127.0.0.1:{backend}",
        "proxy_manager_api_url": peer.url,
        "proxy_manager_identity": "admin@example.com",
        "proxy_manager_secret": PASSWORD,
        "proxy_manager_port": peer.nginx.port,
    } | more
    saved = tmp_path / "result.json"
    tasks: list[dict[str, Any]] = [
        {
            "ansible.builtin.include_role": {"name": "codeframe.staging.proxy", "tasks_from": "look"},
            "when": "entry is not defined",
        },
        {
            "ansible.builtin.include_role": {
                "name": "codeframe.staging.proxy",
                "tasks_from": "{{ entry | default('main') }}",
            }
        },
        {
            "ansible.builtin.copy": {
                "dest": str(saved),
                "content": "{{ proxy_result | to_json }}",
                "mode": "0600",
            },
            "check_mode": False,
            "when": "proxy_result is defined",
            "changed_when": False,
        },
    ]
    book = tmp_path / "play.json"
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "vars": variables, "tasks": tasks}]))
    with ArgumentsWatch() as watch:
        run = run_playbook(book, "-vvvv", *options, environment=environment)
    output = run.output
    assert PASSWORD not in output
    assert not any(token in output for token in peer.tokens)
    assert watch.showing(str(book))
    assert watch.showing(PASSWORD) == []
    return run.exit_code, output, json.loads(saved.read_text()) if saved.exists() else {}


def test_the_role_manages_the_block_and_changes_nothing_the_second_time(
    tmp_path: Path, peer: Peer, backend: int
) -> None:
    text = "client_max_body_size 20m;\n"
    peer.add_host("api.test", backend, advanced_config=text)
    where = endpoint(peer, "api.test")
    code, output, _ = play(tmp_path, peer, backend, "--check", "--diff")
    assert code == 0, output
    assert "+location = /ws {" in output
    assert peer.puts() == 0
    code, output, first = play(tmp_path, peer, backend)
    assert code == 0, output
    assert first["changes"] == ["the managed block is missing"]
    assert handshake(where, "/ws").upgraded
    code, output, again = play(tmp_path, peer, backend)
    assert "changed=0" in output
    assert (again["changes"], again["state"]) == ([], first["state"])
    assert peer.puts() == 1
    assert peer.logins() == 1, "three runs, each with a look before: one login is enough"


@pytest.mark.slow
def test_the_role_restores_the_verified_state_and_the_previous_one(tmp_path: Path, peer: Peer, backend: int) -> None:
    text = "client_max_body_size 20m;\n"
    peer.add_host("api.test", backend, advanced_config=text)
    code, output, first = play(tmp_path, peer, backend)
    assert code == 0, output
    code, output, _ = play(tmp_path, peer, backend, proxy_websocket_idle_timeout=300)
    assert "proxy_read_timeout 300s" in peer.hosts[1]["advanced_config"], output
    code, output, _ = play(tmp_path, peer, backend, entry="restore", proxy_state=first["state"])
    assert code == 0, output
    assert "proxy_read_timeout 86400s" in peer.hosts[1]["advanced_config"]
    assert first["previous"]["hosts"]["api.test"]["block"] is None
    code, output, _ = play(tmp_path, peer, backend, entry="restore", proxy_state=first["previous"])
    assert code == 0, output
    assert peer.hosts[1]["advanced_config"] == text
    code, output, _ = play(
        tmp_path, peer, backend, entry="restore", proxy_state=first["state"], proxy_manager_secret=""
    )
    assert code != 0
    assert "the login to Nginx Proxy Manager needs either proxy_manager_token, or proxy_manager_identity and " in output
    code, output, explained = play(tmp_path, peer, backend, entry="explain")
    assert code == 0, output
    assert "the block is not in force for api.test (/ws: 404): its Advanced text does not have the block" in output
    assert explained["evidence"].startswith("the block is not in force for api.test")
    assert peer.logins() == 1, "one login for look, main, restore and explain"


def test_a_saved_state_restores_no_proxy_host_that_the_inventory_does_not_name(
    tmp_path: Path, peer: Peer, backend: int
) -> None:
    """Whoever can write the state on the host must not reach the other hosts of Nginx Proxy Manager with the login."""
    peer.add_host("api.test", backend)
    peer.add_host("other.test", backend, advanced_config="# of another team\n")
    code, output, first = play(tmp_path, peer, backend)
    assert code == 0, output
    saved = first["previous"]
    saved["hosts"]["other.test"] = saved["hosts"]["api.test"]
    before = json.dumps(peer.hosts[2], sort_keys=True)
    code, output, _ = play(tmp_path, peer, backend, entry="restore", proxy_state=saved)
    assert code == 0, output
    assert "so they were not changed: other.test." in output
    assert json.dumps(peer.hosts[2], sort_keys=True) == before
    assert "codeframe.staging" not in peer.hosts[1]["advanced_config"]


@pytest.mark.slow
def test_page_and_application_on_one_name_are_created_with_their_paths(
    tmp_path: Path, peer: Peer, backend: int
) -> None:
    one_name = {
        "proxy_page": True,
        "proxy_page_url": "http://one.test",
        "proxy_ws_url": "ws://one.test/ws",
        "proxy_api_url": "http://one.test",
        "proxy_frontend_upstream": "127.0.0.1:9",
        "proxy_sse_paths": ["/api/events"],
        "proxy_manager_forward": True,
    }
    code, output, _ = play(tmp_path, peer, backend, **one_name)
    assert code == 0, output
    where = endpoint(peer, "one.test")
    assert handshake(where, "/ws").upgraded
    assert [plain(where, path).status for path in ("/api/x", "/api/events", "/")] == [404, 404, 502]
    code, output, _ = play(tmp_path, peer, backend, **one_name)
    assert "changed=0" in output, output


@pytest.mark.slow
def test_a_page_that_was_created_without_a_path_is_deleted_again(tmp_path: Path, peer: Peer, backend: int) -> None:
    """As the first deployment does it if it fails afterwards."""
    two_names = {
        "proxy_page": True,
        "proxy_page_url": "http://page.test",
        "proxy_frontend_upstream": f"127.0.0.1:{backend}",
        "proxy_manager_forward": True,
    }
    code, output, first = play(tmp_path, peer, backend, **two_names)
    assert code == 0, output
    assert [host["domain_names"] for host in peer.hosts.values()] == [["api.test"], ["page.test"]]
    code, output, _ = play(tmp_path, peer, backend, entry="restore", proxy_state=first["previous"], **two_names)
    assert code == 0, output
    assert peer.hosts == {}
    assert peer.logins() == 1


@pytest.mark.slow
def test_a_self_signed_api_is_trusted_by_choice_of_the_role(tmp_path: Path, backend: int) -> None:
    with running_peer("2.15.1", tmp_path / "manager", tls=True) as peer:
        peer.add_host("api.test", backend)
        code, output, _ = play(tmp_path, peer, backend)
        assert code != 0
        assert "is not trusted" in output
        code, output, _ = play(tmp_path, peer, backend, proxy_manager_ca_path=str(tmp_path / "manager" / "cert.pem"))
        assert code == 0, output
        code, output, _ = play(tmp_path, peer, backend, proxy_manager_validate_certs=False)
        assert (code, "changed=0" in output) == (0, True), output


@pytest.mark.slow
def test_certificate_and_access_list_are_given_by_name(tmp_path: Path, peer: Peer, backend: int) -> None:
    peer.add_host("api.test", backend)
    peer.add_access_list("staff", "sesame")
    code, output, _ = play(tmp_path, peer, backend, proxy_manager_access_list="staff")
    assert code == 0, output
    assert handshake(endpoint(peer, "api.test"), "/ws").status == 401
    assert handshake(endpoint(peer, "api.test"), "/ws", login=("ann", "sesame")).upgraded


@pytest.mark.slow
def test_the_role_has_a_certificate_requested_and_says_where_tls_ends(tmp_path: Path, backend: int) -> None:
    with running_peer("2.12.6", tmp_path / "manager", with_tls=True) as peer:
        peer.add_host("api.test", backend)
        secure = {
            "proxy_ws_url": "wss://api.test/ws",
            "proxy_api_url": "https://api.test",
            "proxy_manager_tls_port": peer.nginx.tls_port,
        }
        code, output, before = play(tmp_path, peer, backend, **secure)
        assert code == 0, output
        assert before["certificate"]["told"] == ["ends before Nginx Proxy Manager, whose hosts have no certificate"]
        secure |= {
            "proxy_manager_certificate_request": True,
            "proxy_manager_switches": {"ssl_forced": True},
            "proxy_acme_email": "ann@example.com",
        }
        code, output, done = play(tmp_path, peer, backend, **secure)
        assert code == 0, output
        assert peer.certbot.orders == [(("api.test",), "ann@example.com")]
        assert done["certificate"]["told"] == ["ends at Nginx Proxy Manager, with its certificate 1"]
        assert handshake(endpoint(peer, "api.test", tls=True), "/ws").upgraded
        code, output, again = play(tmp_path, peer, backend, **secure)
        assert (code, "changed=0" in output, again["changes"]) == (0, True, []), output
        code, output, _ = play(tmp_path, peer, backend, **secure, proxy_manager_certificate="1")
        assert code != 0
        assert (
            "proxy_manager_certificate is 1, and proxy_manager_certificate_request is true; give one of them" in output
        )


@pytest.mark.slow
def test_two_names_of_one_proxy_host_are_one_entry_with_an_export_and_a_test_login(
    tmp_path: Path, peer: Peer, backend: int
) -> None:
    list_id = peer.add_access_list("staff", "sesame", satisfy_any=False)
    peer.add_host("page.test", backend, access_list_id=list_id, advanced_config="client_max_body_size 20m;\n")
    peer.hosts[1]["domain_names"] = ["page.test", "api.test"]
    peer._configure(1)
    peer.nginx.reload_and_wait()
    two_names = {
        "proxy_page": True,
        "proxy_page_url": "http://page.test",
        "proxy_frontend_upstream": f"127.0.0.1:{backend}",
        "proxy_manager_forward": True,
        "proxy_manager_access_user": "ann",
        "proxy_manager_access_password": "sesame",
        "proxy_manager_backup_dir": str(tmp_path / "exports"),
    }
    code, output, _ = play(tmp_path, peer, backend, **two_names)
    assert code != 0
    assert "proxy host api.test also has the name page.test, which is configured separately" in output
    assert "name both in proxy_manager_domain_names" in output
    assert peer.puts() == 0
    one = two_names | {"proxy_manager_domain_names": {"page.test": ["page.test", "api.test"]}}
    code, output, first = play(tmp_path, peer, backend, **one)
    assert code == 0, output
    assert "sesame" not in output
    assert list(first["state"]["hosts"]) == ["api.test"]
    where = endpoint(peer, "api.test")
    assert handshake(where, "/ws").status == 401
    assert handshake(where, "/ws", login=("ann", "sesame")).upgraded
    (export,) = (tmp_path / "exports").iterdir()
    assert (export.name, export.stat().st_mode & 0o777) == ("api.test.1.json", 0o600)
    assert json.loads(export.read_text())["advanced_config"] == "client_max_body_size 20m;\n"
    code, output, _ = play(tmp_path, peer, backend, **one)
    assert (code, "changed=0" in output, peer.puts()) == (0, True, 1), output
    code, output, _ = play(tmp_path, peer, backend, **one, proxy_manager_api_from="host")
    assert code != 0
    assert "proxy_manager_backup_dir is a directory on the controller, and proxy_manager_api_from is host" in output


def test_a_missing_login_stops_before_anything_is_asked(tmp_path: Path, peer: Peer, backend: int) -> None:
    code, output, _ = play(tmp_path, peer, backend, proxy_manager_secret="")
    assert code != 0
    assert "proxy_manager_identity and proxy_manager_secret are not both set" in output
    assert peer.requests == []


def test_the_block_is_printed_and_asked_for_where_it_is_pasted_manually(
    tmp_path: Path, peer: Peer, backend: int
) -> None:
    peer.add_host("api.test", backend)
    manual = {"proxy_provider": "manual", "proxy_manager_address": "127.0.0.1"}
    code, output, _ = play(tmp_path, peer, backend, **manual, proxy_manager_identity="", proxy_manager_secret="")
    assert code == 0, output
    assert '"location = /ws {",' in output
    assert output.count("# BEGIN codeframe.staging websocket\\n") == 1, "in the result of the module alone, at -v"
    assert "ANSIBLE_CALLBACK_RESULT_FORMAT=yaml" in output
    assert "the block is not in force for api.test (/ws: 404): nothing was pasted" in output
    assert "changed=0" in output
    assert peer.logins() == 0


@pytest.mark.slow
def test_the_printed_block_can_be_copied_and_a_login_that_may_only_view_names_the_cause(
    tmp_path: Path, peer: Peer, backend: int
) -> None:
    peer.accounts.append(Account("view@example.com", PASSWORD, may="view"))
    peer.add_host("api.test", backend, advanced_config=SNIPPET, allow_websocket_upgrade=True)
    manual = {
        "proxy_provider": "manual",
        "proxy_manager_address": "127.0.0.1",
        "proxy_manager_identity": "view@example.com",
        "result_format": "yaml",
    }
    code, output, _ = play(tmp_path, peer, backend, **manual)
    assert code == 0, output
    assert "a WebSocket snippet was pasted at server level (line 1 of the Advanced text) while" in " ".join(
        output.split()
    )
    printed = output[output.index("Print the block") :]
    begin, end = printed.index("# BEGIN codeframe"), printed.index("# END codeframe")
    peer.hosts[1]["advanced_config"] = f"{printed[begin:end]}# END codeframe.staging websocket\n"
    peer._configure(1, first_test=False)
    peer.nginx.reload_and_wait()
    code, output, _ = play(tmp_path, peer, backend, **manual)
    assert "the block is in force for api.test" in " ".join(output.split())
    assert handshake(endpoint(peer, "api.test"), "/ws").upgraded


@pytest.mark.slow
def test_switches_names_and_timeouts_are_variables_of_the_role(tmp_path: Path, peer: Peer, backend: int) -> None:
    peer.add_host("api.test", backend, caching_enabled=True)
    variables = {
        "proxy_manager_switches": {"block_exploits": True},
        "proxy_manager_domain_names": {"api.test": ["api.test", "other.test"], "page.test": ["page.test"]},
        "proxy_manager_api_timeout": 20,
        "proxy_manager_wire_timeout": 5,
        "proxy_manager_token_cache": False,
    }
    code, output, _ = play(tmp_path, peer, backend, **variables)
    assert code == 0, output
    host = peer.hosts[1]
    assert (host["block_exploits"], host["caching_enabled"]) == (True, True)
    assert host["domain_names"] == ["api.test", "other.test"]
    assert not (tmp_path / "codeframe-staging-proxy-manager").exists() or not any(
        (tmp_path / "codeframe-staging-proxy-manager").iterdir()
    )
    code, output, _ = play(tmp_path, peer, backend, proxy_manager_switches={"block_exploit": True})
    assert code != 0
    assert "block_exploit" in output
    assert peer.puts() == 1
