"""The module against the API of the test server, without nginx; on the wire: tests/integration."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.doc_fragments.nginx_proxy_manager import ModuleDocFragment
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager import shared as _proxy_manager_shared
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.client import (
    Credentials,
    ForbiddenError,
    LoginRefusedError,
    NotFoundError,
    ProxyManagerClient,
    parse_api_url,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.options import endpoint_of
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.wire import Endpoint
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host, nginx_proxy_manager_info
from module_runner import RunModule
from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.nginx import NoNginx
from proxy_manager_peer.server import Account, Peer

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


def test_a_refused_save_is_taken_back(peer: Peer, run_module: RunModule) -> None:
    before = dict(peer.hosts[1])
    failed = run_module(nginx_proxy_manager_host, arguments(peer, forward_host="nonsense"))
    assert failed["failed"]
    assert (failed["changed"], failed["restored"]) == (False, True)
    assert (
        'went offline after the save (unknown directive "nonsense" in /data/nginx/proxy_host/1.conf:' in failed["msg"]
    )
    assert "the former configuration is back and serving; correct the text in the Advanced tab" in failed["msg"]
    assert {key: peer.hosts[1][key] for key in before if key != "meta"} == {
        key: value for key, value in before.items() if key != "meta"
    }
    assert peer.hosts[1]["meta"]["nginx_online"] is True


def test_results_have_the_same_keys_whatever_happens(peer: Peer, run_module: RunModule) -> None:
    keys = {"changed", "msg", "reasons", "findings", "drift", "block", "former", "current", "api_calls", "wire"}
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
        pytest.param("certificate", "5", None, "there are: the wildcard, twin, twin", id="no-such-id"),
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


def test_what_matters_in_the_settings_is_a_warning(peer: Peer, run_module: RunModule) -> None:
    peer.hosts[1]["advanced_config"] = "proxy_set_header Upgrade $http_upgrade;\n"
    (warning,) = run_module(nginx_proxy_manager_host, arguments(peer))["warnings"]
    assert warning == (
        f"proxy host {NAME}: a WebSocket snippet was pasted at server level (line 1 of the Advanced text), "
        "where it has no effect on the locations of Nginx Proxy Manager"
    )


def test_enabling_goes_by_its_own_request(peer: Peer, run_module: RunModule) -> None:
    args = arguments(peer, websocket_paths=[], enabled=False)
    assert run_module(nginx_proxy_manager_host, args)["changed"]
    assert ("POST", "/api/nginx/proxy-hosts/1/disable") in peer.requests
    assert peer.hosts[1]["enabled"] is False
    assert not run_module(nginx_proxy_manager_host, args)["changed"]


@pytest.mark.parametrize(
    ("params", "certificate", "expected"),
    [
        pytest.param({}, False, Endpoint("2001:db8::1", 80, NAME), id="plain"),
        pytest.param({}, True, Endpoint("2001:db8::1", 443, NAME, tls=True), id="certificate"),
        pytest.param({"proxy_tls": False}, True, Endpoint("2001:db8::1", 80, NAME), id="tls-ends-before"),
        pytest.param({"proxy_port": 8443}, True, Endpoint("2001:db8::1", 8443, NAME, tls=True), id="port"),
    ],
)
def test_the_proxy_is_asked_where_the_options_say(
    params: dict[str, Any], certificate: bool, expected: Endpoint
) -> None:
    given = {"domain_name": NAME, "proxy_port": None, "proxy_tls": None} | params
    assert endpoint_of(given, "[2001:db8::1]", certificate) == expected


def test_what_is_not_there_and_what_is_not_allowed_are_told_apart_in_all_versions(peer: Peer) -> None:
    """One answers 200 to an unknown host, others 404 to a missing login."""
    address = parse_api_url(peer.url)
    admin = ProxyManagerClient(address, Credentials("admin@example.com", SECRET))
    assert len(admin.hosts()) == 1
    with pytest.raises(NotFoundError):
        admin.host(99)
    peer.accounts.append(Account("view@example.com", SECRET, may="view"))
    viewer = ProxyManagerClient(address, Credentials("view@example.com", SECRET))
    with pytest.raises(ForbiddenError, match="may not do this; give it the permission to manage"):
        viewer.update(1, {"forward_port": 1})
    for token in ("malformed", "ex.pir.ed"):
        with pytest.raises(LoginRefusedError, match="does not accept the token"):
            ProxyManagerClient(address, Credentials(token=token)).hosts()
    assert peer.puts() == 1
    assert peer.hosts[1]["forward_port"] == 14200


def test_the_list_is_alike_for_all_versions(peer: Peer, run_module: RunModule) -> None:
    args = {key: value for key, value in arguments(peer).items() if key not in ("check_wire", "websocket_paths")}
    (host,) = run_module(nginx_proxy_manager_info, args | {"proxy_address": "127.0.0.1", "proxy_port": 9})["hosts"]
    assert (host["enabled"], host["online"], host["block"]) == (True, True, None)
    assert "advanced_config" not in host


def test_the_block_is_made_without_any_login(run_module: RunModule) -> None:
    result = run_module(nginx_proxy_manager_info, {"websocket_paths": ["/ws"]})
    assert result["verdict"] == "not_asked"
    assert "location = /ws {" in result["block"]


def test_the_lock_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _proxy_manager_shared.write_lock("http://npm:81/api", 1, str(tmp_path)):
        with (
            pytest.raises(_proxy_manager_shared.LockTimeoutError),
            _proxy_manager_shared.write_lock("http://npm:81/api", 0.1, str(tmp_path)),
        ):
            pass
        with _proxy_manager_shared.write_lock("http://other:81/api", 0.1, str(tmp_path)):
            pass
    slept: list[float] = []
    monkeypatch.setattr(_proxy_manager_shared.time, "sleep", slept.append)
    with _proxy_manager_shared.write_lock("http://npm:81/api", 0.1, str(tmp_path)):
        assert slept == [], "it is free again"


def test_the_lock_is_for_every_user_whatever_the_umask_and_opening_it_never_waits(tmp_path: Path) -> None:
    former = os.umask(0o077)
    try:
        with _proxy_manager_shared.write_lock("http://npm:81/api", 1, str(tmp_path)):
            (path,) = tmp_path.iterdir()
            assert path.stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(former)
    os.mkfifo(path)
    # Opened in the ordinary way, it would wait for a writer for good.
    with _proxy_manager_shared.write_lock("http://npm:81/api", 1, str(tmp_path)):
        pass


def test_a_kept_token_is_private_and_bound_to_its_password(tmp_path: Path) -> None:
    directory = tmp_path / "tokens"
    store = _proxy_manager_shared.FileStore("http://npm:81/api", "a@example.com", SECRET, str(directory))
    assert store.load() is None
    store.save("head.body.signature", 3600)
    assert store.load() == "head.body.signature"
    assert [path.stat().st_mode & 0o777 for path in (directory, *directory.iterdir())] == [0o700, 0o600]
    other = _proxy_manager_shared.FileStore("http://npm:81/api", "a@example.com", "another", str(directory))
    assert other.load() is None
    directory.chmod(0o755)
    assert store.load() is None, "a directory that others read is not trusted"
    directory.chmod(0o700)
    store.save("head.body.signature", 30)
    assert store.load() is None, "it expires within the minute"


def test_many_that_want_the_lock_get_it_one_at_a_time_and_leave_nothing(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        for _ in range(10):
            with _proxy_manager_shared.write_lock("http://npm:81/api", 120, str(tmp_path)):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (60, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", [nginx_proxy_manager_host, nginx_proxy_manager_info])
def test_the_documented_options_are_those_of_the_code(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that both modules share are documented once, in a fragment."""
    keys = ("type", "elements", "required", "default", "choices")

    def described(options: dict[str, Any]) -> dict[str, Any]:
        return {name: {key: option[key] for key in keys if key in option} for name, option in options.items()}

    class Declared(Exception):  # noqa: N818 - ends main() where it has declared its options
        pass

    def declare(argument_spec: dict[str, Any], **_: Any) -> None:
        raise Declared(argument_spec)

    own = yaml.safe_load(module.DOCUMENTATION)
    documented = dict(own["options"])
    for fragment in own["extends_documentation_fragment"]:
        part = fragment.removeprefix("codeframe.staging.nginx_proxy_manager").removeprefix(".") or "documentation"
        shared = yaml.safe_load(getattr(ModuleDocFragment, part.upper()))["options"]
        assert not set(shared) & set(documented)
        documented |= shared
    monkeypatch.setattr(module, "AnsibleModule", declare)
    with pytest.raises(Declared) as declared:
        module.main()
    assert described(documented) == described(declared.value.args[0])
