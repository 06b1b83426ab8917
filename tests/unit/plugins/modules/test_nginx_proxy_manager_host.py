"""The module against the API of the test server, without nginx.

What its saves do to a real nginx is in tests/integration/test_nginx_proxy_manager_*.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager import manage
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.write_lock import write_lock
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host
from module_runner import RunModule
from proxy_manager_options import option_specs
from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.nginx import NoNginx
from proxy_manager_peer.server import Peer

NAME = "api.test"
SECRET = "correct horse"


pytestmark = pytest.mark.usefixtures("private_directory")


@pytest.fixture(params=VERSIONS)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    with Peer(request.param, tmp_path, NoNginx(tmp_path), save_delay_s=0, reload_delay_s=0) as peer:
        peer.add_host(NAME, 14200, advanced_config='proxy_set_header Authorization "Basic c2VjcmV0";\n')
        yield peer


def arguments(peer: Peer, **more: Any) -> dict[str, Any]:
    return {
        "api_url": peer.url,
        "identity": "admin@example.com",
        "secret": SECRET,
        "domain_name": NAME,
        "websocket_paths": ["/ws"],
        "token_cache": False,
        "check_wire": False,
    } | more


def test_check_mode_predicts_the_block_and_saves_nothing(peer: Peer, run_module: RunModule) -> None:
    predicted = run_module(nginx_proxy_manager_host, arguments(peer), check=True, diff=True)
    assert predicted["changed"]
    assert peer.puts() == 0
    done = run_module(nginx_proxy_manager_host, arguments(peer), diff=True)
    assert (done["changed"], done["diff"]) == (True, predicted["diff"])
    assert run_module(nginx_proxy_manager_host, arguments(peer))["changed"] is False
    assert peer.puts() == 1


def test_neither_the_password_nor_the_users_text_is_shown(peer: Peer, run_module: RunModule) -> None:
    result = run_module(nginx_proxy_manager_host, arguments(peer), diff=True)
    shown = json.dumps(result)
    assert SECRET not in shown
    assert "c2VjcmV0" not in shown
    assert not any(token in shown for token in peer.tokens)


def test_a_refused_save_is_restored(peer: Peer, run_module: RunModule) -> None:
    before = dict(peer.hosts[1])
    failed = run_module(nginx_proxy_manager_host, arguments(peer, forward_host="nonsense"))
    assert failed["failed"]
    assert (failed["changed"], failed["restored"]) == (False, True)
    assert (
        'went offline after the save (unknown directive "nonsense" in /data/nginx/proxy_host/1.conf:' in failed["msg"]
    )
    assert "the previous configuration is restored and serving; correct the text in the Advanced tab" in failed["msg"]
    assert {key: peer.hosts[1][key] for key in before if key != "meta"} == {
        key: value for key, value in before.items() if key != "meta"
    }
    assert peer.hosts[1]["meta"]["nginx_online"] is True


def test_results_have_the_same_keys_whatever_happens(peer: Peer, run_module: RunModule) -> None:
    keys = {"changed", "msg", "reasons", "findings", "drift", "block", "previous", "current", "api_calls", "wire"}
    for args in (
        arguments(peer),
        arguments(peer),
        arguments(peer, secret="wrong one"),
        arguments(peer, state="absent"),
    ):
        assert keys <= set(run_module(nginx_proxy_manager_host, args))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param({"token": "a.b.c"}, "needs either token, or identity and secret, and not both", id="both"),
        pytest.param({"secret": None}, "secret is not given; a login needs identity and secret", id="half"),
        pytest.param({"read_timeout": 0}, "read_timeout is 0; expected 1 to 31536000 seconds", id="timeout"),
        pytest.param({"forward_port": 70000}, "forward_port is 70000; expected 1 to 65535", id="port"),
        pytest.param({"domain_name": "http://api.test"}, "domain_name is 'http://api.test'; expected a host", id="url"),
        pytest.param({"domain_name": "a.test\r\nX: y"}, "expected a host name alone", id="more-than-one-line"),
        pytest.param({"domain_names": ["x.test"]}, "domain_names does not contain api.test", id="names"),
        pytest.param(
            {"access_list": "none such"}, "access_list is 'none such', which this account does not", id="list"
        ),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    tmp_path: Path, run_module: RunModule, more: dict[str, Any], message: str
) -> None:
    with Peer("2.15.1", tmp_path, NoNginx(tmp_path)) as peer:
        peer.add_host(NAME, 14200)
        result = run_module(nginx_proxy_manager_host, arguments(peer, **more))
    assert result["failed"]
    assert message in result["msg"]
    assert peer.puts() == 0


@pytest.mark.parametrize(
    ("option", "value", "field", "found"),
    [
        pytest.param("certificate", "7", "certificate_id", 7, id="certificate-by-id"),
        pytest.param("certificate", "the wildcard", "certificate_id", 7, id="certificate-by-name"),
        pytest.param("certificate", "*.test", "certificate_id", 7, id="certificate-by-its-domain"),
        pytest.param("access_list", "1", "access_list_id", 1, id="list-by-id"),
        pytest.param("access_list", "staff", "access_list_id", 1, id="list-by-name"),
        pytest.param("certificate", "twin", None, "which fits the ids 8, 9; give one of them", id="two-of-a-name"),
        pytest.param("certificate", "5", None, "it sees: the wildcard, twin, twin", id="no-such-id"),
    ],
)
def test_certificate_and_access_list_are_found_by_name_or_id(
    tmp_path: Path, run_module: RunModule, option: str, value: str, field: str | None, found: int | str
) -> None:
    with Peer("2.15.1", tmp_path, NoNginx(tmp_path)) as peer:
        peer.add_host(NAME, 14200)
        peer.add_access_list("staff", "sesame")
        for number, name, names in ((7, "the wildcard", ["*.test"]), (8, "twin", ["a.test"]), (9, "twin", ["b.test"])):
            peer.certificates[number] = {"id": number, "nice_name": name, "domain_names": names}
        result = run_module(nginx_proxy_manager_host, arguments(peer, **{option: value}))
        if field is None:
            assert (result["failed"], peer.puts()) == (True, 0)
            assert str(found) in result["msg"]
            return
        assert not result["failed"], result["msg"]
        assert peer.hosts[1][field] == found
        assert not run_module(nginx_proxy_manager_host, arguments(peer, **{option: value}))["changed"]
        assert not run_module(nginx_proxy_manager_host, arguments(peer, **{option: str(found)}))["changed"]
        run_module(nginx_proxy_manager_host, arguments(peer, **{option: "none"}))
        assert peer.hosts[1][field] == 0


def test_a_finding_is_a_warning(peer: Peer, run_module: RunModule) -> None:
    peer.hosts[1]["advanced_config"] = "proxy_set_header Upgrade $http_upgrade;\n"
    (warning,) = run_module(nginx_proxy_manager_host, arguments(peer))["warnings"]
    assert warning == (
        f"proxy host {NAME}: a WebSocket snippet was pasted at server level (line 1 of the Advanced text), "
        "where it has no effect on the locations of Nginx Proxy Manager"
    )


def test_switches_that_are_not_given_stay_as_they_are(peer: Peer, run_module: RunModule) -> None:
    peer.hosts[1]["caching_enabled"] = True
    args = arguments(peer, switches={"block_exploits": True})
    result = run_module(nginx_proxy_manager_host, args)
    assert "block_exploits is False, wanted True" in result["reasons"]
    assert (peer.hosts[1]["block_exploits"], peer.hosts[1]["caching_enabled"]) == (True, True)
    assert not run_module(nginx_proxy_manager_host, args)["changed"]
    undone = {"state": "restored", "previous": result["previous"], "websocket_paths": []}
    run_module(nginx_proxy_manager_host, arguments(peer, **undone))
    assert (peer.hosts[1]["block_exploits"], peer.hosts[1]["caching_enabled"]) == (False, True)


def test_absent_deletes_only_a_host_that_was_created(peer: Peer, run_module: RunModule) -> None:
    text = peer.hosts[1]["advanced_config"]
    run_module(nginx_proxy_manager_host, arguments(peer))
    removed = run_module(nginx_proxy_manager_host, arguments(peer, state="absent"))
    assert (removed["changed"], peer.hosts[1]["advanced_config"]) == (True, text)
    new = arguments(peer, domain_name="new.test", forward_scheme="http", forward_host="127.0.0.1", forward_port=80)
    assert run_module(nginx_proxy_manager_host, new)["previous"] == {"created": True}
    absent = arguments(peer, domain_name="new.test", state="absent")
    assert run_module(nginx_proxy_manager_host, absent, check=True)["msg"] == "proxy host new.test would be deleted"
    assert len(peer.hosts) == 2
    assert run_module(nginx_proxy_manager_host, absent)["msg"] == "proxy host new.test is deleted"
    assert list(peer.hosts) == [1]
    assert not run_module(nginx_proxy_manager_host, absent)["changed"]


def test_a_message_names_the_variables_of_the_role(peer: Peer, run_module: RunModule) -> None:
    names = {"identity": "staging_proxy_manager_identity", "replace_snippet": "proxy_manager_replace_snippet"}
    result = run_module(nginx_proxy_manager_host, arguments(peer, secret="wrong one", option_names=names))
    assert "check staging_proxy_manager_identity and secret" in result["msg"]
    peer.hosts[1]["advanced_config"] = "proxy_http_version 1.1;\n"
    args = arguments(peer, switches={"allow_websocket_upgrade": True}, option_names=names)
    assert "or set proxy_manager_replace_snippet to true" in run_module(nginx_proxy_manager_host, args)["msg"]


def test_a_lock_that_others_keep_is_named(peer: Peer, run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manage, "LOCK_TIMEOUT_S", 0.1)
    with write_lock(f"{peer.url}/api", 1):
        result = run_module(nginx_proxy_manager_host, arguments(peer))
    assert (result["failed"], peer.puts()) == (True, 0)
    assert "another task writes to Nginx Proxy Manager and did not finish within" in result["msg"]


def test_a_host_is_exported_before_its_first_change(peer: Peer, tmp_path: Path, run_module: RunModule) -> None:
    directory = tmp_path / "exports"
    args = arguments(peer, backup_dir=str(directory))
    before = json.loads(json.dumps(peer._shown(peer.hosts[1])))
    assert "backup" not in run_module(nginx_proxy_manager_host, args, check=True)
    assert not directory.exists()
    first = run_module(nginx_proxy_manager_host, args)
    export = directory / f"{NAME}.1.json"
    assert first["backup"] == str(export)
    assert (export.stat().st_mode & 0o777, directory.stat().st_mode & 0o777) == (0o600, 0o700)
    assert json.loads(export.read_text()) == before
    assert "c2VjcmV0" not in json.dumps(first)
    assert "backup" not in run_module(nginx_proxy_manager_host, args), "nothing was changed"
    later = run_module(nginx_proxy_manager_host, {**args, "websocket_paths": ["/chat"]})
    assert (later["changed"], json.loads(export.read_text())) == (True, before)


def test_without_an_export_nothing_is_changed(peer: Peer, tmp_path: Path, run_module: RunModule) -> None:
    (tmp_path / "file").write_text("")
    failed = run_module(nginx_proxy_manager_host, arguments(peer, backup_dir=str(tmp_path / "file")))
    assert failed["msg"] == (
        f"proxy host {NAME} cannot be exported to {tmp_path}/file (File exists); correct backup_dir; nothing was "
        "changed"
    )
    assert (failed["failed"], failed["changed"], peer.puts()) == (True, False, 0)


def test_a_deleted_host_is_exported_too(peer: Peer, tmp_path: Path, run_module: RunModule) -> None:
    new = arguments(peer, domain_name="*.new.test", forward_scheme="http", forward_host="127.0.0.1", forward_port=80)
    run_module(nginx_proxy_manager_host, new)
    gone = run_module(
        nginx_proxy_manager_host,
        arguments(peer, domain_name="*.new.test", state="absent", backup_dir=str(tmp_path / "exports")),
    )
    assert (gone["changed"], gone["backup"]) == (True, str(tmp_path / "exports" / "_.new.test.2.json"))


def test_a_host_is_found_by_another_of_its_names(peer: Peer, run_module: RunModule) -> None:
    peer.hosts[1]["domain_names"] = ["old.test"]
    args = arguments(peer, domain_names=[NAME, "old.test"])
    done = run_module(nginx_proxy_manager_host, args)
    assert (done["failed"], list(peer.hosts)) == (False, [1]), done["msg"]
    assert peer.hosts[1]["domain_names"] == [NAME, "old.test"]
    assert not run_module(nginx_proxy_manager_host, args)["changed"]


def test_the_host_of_a_wildcard_gets_the_block_and_nothing_else(peer: Peer, run_module: RunModule) -> None:
    peer.hosts[1]["domain_names"] = ["*.test"]
    refused = run_module(nginx_proxy_manager_host, arguments(peer, switches={"block_exploits": True}))
    assert f"there is no proxy host {NAME} that this account sees" in refused["msg"]
    done = run_module(nginx_proxy_manager_host, arguments(peer))
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert "location = /ws {" in peer.hosts[1]["advanced_config"]
    assert peer.hosts[1]["domain_names"] == ["*.test"]


def test_a_host_with_a_name_that_is_configured_separately_is_refused(peer: Peer, run_module: RunModule) -> None:
    """Otherwise each task would remove the block of the other, in every run."""
    peer.hosts[1]["domain_names"] = [NAME, "APP.test"]
    names = {"domain_names": "staging_proxy_manager_domain_names"}
    failed = run_module(nginx_proxy_manager_host, arguments(peer, separate_names=["app.test"], option_names=names))
    assert failed["msg"] == (
        f"proxy host {NAME} also has the name APP.test, which is configured separately, so that each would remove the "
        "block of the other; name both in staging_proxy_manager_domain_names"
    )
    assert peer.puts() == 0


def test_a_certificate_is_found_by_a_name_that_its_wildcard_covers(tmp_path: Path, run_module: RunModule) -> None:
    with Peer("2.15.1", tmp_path, NoNginx(tmp_path)) as peer:
        peer.add_host(NAME, 14200)
        peer.certificates[7] = {"id": 7, "nice_name": "the wildcard", "domain_names": ["test", "*.test"]}
        args = arguments(peer, certificate=NAME, switches={"http2_support": True})
        assert not run_module(nginx_proxy_manager_host, args)["failed"]
        assert (peer.hosts[1]["certificate_id"], peer.hosts[1]["http2_support"]) == (7, True)
        assert (
            "it sees: the wildcard" in run_module(nginx_proxy_manager_host, {**args, "certificate": "a.b.test"})["msg"]
        )
        # A certificate for exactly the name comes first.
        peer.certificates[8] = {"id": 8, "nice_name": "single", "domain_names": [NAME]}
        run_module(nginx_proxy_manager_host, args)
        assert peer.hosts[1]["certificate_id"] == 8


def test_the_api_may_have_a_name_and_a_certificate_of_a_private_authority(
    tmp_path: Path, run_module: RunModule
) -> None:
    with Peer("2.15.1", tmp_path, NoNginx(tmp_path), tls=True) as peer:
        peer.add_host(NAME, 14200)
        url = f"https://localhost:{peer.port}"
        authority = str(tmp_path / "cert.pem")
        assert "is not trusted" in run_module(nginx_proxy_manager_host, arguments(peer, api_url=url))["msg"]
        assert run_module(nginx_proxy_manager_host, arguments(peer, api_url=url, ca_path=authority))["changed"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param({"access_user": "ann"}, "access_password is not given, and access_user is", id="user-alone"),
        pytest.param({"access_password": "sesame"}, "access_user is not given, and access_password is", id="password"),
    ],
)
def test_credentials_for_the_test_are_complete(
    tmp_path: Path, run_module: RunModule, more: dict[str, Any], message: str
) -> None:
    with Peer("2.15.1", tmp_path, NoNginx(tmp_path)) as peer:
        peer.add_host(NAME, 14200)
        failed = run_module(nginx_proxy_manager_host, arguments(peer, **more))
    assert (failed["failed"], peer.puts()) == (True, 0)
    assert message in failed["msg"]


def test_the_documented_options_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    documented, declared = option_specs(nginx_proxy_manager_host, monkeypatch)
    assert documented == declared
