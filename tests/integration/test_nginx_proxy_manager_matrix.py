"""Every version, with the switch off and on, over what users have in the Advanced tab: seen on the wire."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._npm_block import take_apart
from ansible_collections.codeframe.staging.plugins.module_utils._npm_wire import handshake, plain
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host
from npm_parts import arguments, endpoint, running_backend, running_peer
from npm_peer.behaviour import VERSIONS
from npm_peer.server import Peer

USER_TEXT = "# Ours, since the move.\r\nclient_max_body_size 20m;\n\n\tadd_header X-Team blue;  # no newline at the end"
SNIPPET = """\
# WebSocket support
proxy_http_version 1.1;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection "upgrade";
proxy_read_timeout 86400;
"""
HAND_LOCATION = """\
location /ws {
    proxy_pass http://127.0.0.1:BACKEND;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
}
"""
OTHER_LOCATION = "location = /ws { return 410; }\n"
COMMENT = "# location / { stood here once }\n"


@pytest.fixture(autouse=True)
def private_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens and journals of a test are its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def backend() -> Iterator[int]:
    with running_backend() as port:
        yield port


# The oldest and the newest are enough for a change elsewhere; those between add nothing to the wire.
ALL_VERSIONS = [
    pytest.param(version, marks=() if version in (VERSIONS[0], VERSIONS[-1]) else pytest.mark.slow, id=version)
    for version in VERSIONS
]


@pytest.fixture(scope="module", params=ALL_VERSIONS)
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    root = tmp_path_factory.mktemp("npm") / request.param
    with running_peer(request.param, root, save_delay_s=0.01, reload_delay_s=0.03) as peer:
        yield peer


@pytest.fixture(params=[False, True], ids=["switch-off", "switch-on"])
def switch(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


_numbers = iter(range(10**6))


def host_with(peer: Peer, backend: int, **fields: Any) -> str:
    """A host of its own for a test on the shared server."""
    name = f"h{next(_numbers)}.test"
    before = len(peer.hosts)
    peer.add_host(name, backend, **fields)
    assert len(peer.hosts) == before + 1
    return name


def stored(peer: Peer, name: str) -> dict[str, Any]:
    return next(host for host in peer.hosts.values() if name in host["domain_names"])


def keep(peer: Peer, name: str, check: bool = False, **more: Any) -> dict[str, Any]:
    return module_runner.run(
        nginx_proxy_manager_host, arguments(peer, name, websocket_paths=["/ws"], **more), check=check, diff=True
    )


def assert_one_save_then_none(peer: Peer, name: str, foreign: str, **more: Any) -> dict[str, Any]:
    """The claim of most cases: predicted, one PUT, 101, text untouched, nothing to do the second time."""
    puts = peer.puts()
    predicted = keep(peer, name, check=True, **more)
    assert predicted["changed"], predicted["msg"]
    assert peer.puts() == puts
    done = keep(peer, name, **more)
    assert not done["failed"], done["msg"]
    assert done["changed"]
    assert done["block"] == predicted["block"]
    assert peer.puts() == puts + 1
    assert take_apart(stored(peer, name)["advanced_config"]).foreign == foreign
    again = keep(peer, name, **more)
    assert (again["failed"], again["changed"], again["msg"]) == (False, False, f"proxy host {name} is as wanted")
    assert peer.puts() == puts + 1
    return done


@pytest.mark.parametrize("text", ["", USER_TEXT, COMMENT], ids=["empty", "user-text", "location-in-comment"])
def test_the_block_goes_in_front_and_the_websocket_passes(peer: Peer, backend: int, switch: bool, text: str) -> None:
    name = host_with(peer, backend, advanced_config=text, allow_websocket_upgrade=switch)
    where = endpoint(peer, name)
    done = assert_one_save_then_none(peer, name, text)
    assert handshake(where, "/ws").upgraded
    assert done["wire"]["before"]["/ws"]["upgraded"] is (switch and text is not COMMENT)
    assert done["text_digest"]["before"] == done["text_digest"]["after"]
    # Exact: the namesake goes where it went before.
    assert handshake(where, "/wsx").upgraded is (switch and text is not COMMENT)
    kinds = [each["kind"] for each in done["findings"]]
    assert ("default_location_mentioned" in kinds) is (text is COMMENT)


def test_a_snippet_at_server_level_is_named_and_replaced_only_when_told(peer: Peer, backend: int, switch: bool) -> None:
    text = USER_TEXT + "\n" + SNIPPET
    name = host_with(peer, backend, advanced_config=text, allow_websocket_upgrade=switch)
    puts = peer.puts()
    if switch:
        refused = keep(peer, name)
        assert refused["failed"]
        assert refused["msg"] == (
            f"proxy host {name}: a WebSocket snippet was pasted at server level (line 6 of the Advanced text) while "
            'Websockets Support is on, so that "proxy_http_version" stands there twice and nginx refuses the host; '
            "remove it there, or set replace_snippet to true to have it replaced"
        )
        assert peer.puts() == puts
    else:
        assert handshake(endpoint(peer, name), "/ws").status == 404, "the snippet has no effect there"
        predicted = keep(peer, name, check=True)
        assert [each["kind"] for each in predicted["findings"]] == ["snippet_without_effect"]
    done = assert_one_save_then_none(peer, name, USER_TEXT + "\n# WebSocket support\n", replace_snippet=True)
    assert handshake(endpoint(peer, name), "/ws").upgraded
    back = module_runner.run(nginx_proxy_manager_host, arguments(peer, name, state="restored", former=done["former"]))
    if switch:
        # That state was offline: it is tried, and what serves comes back.
        assert "went offline after the save" in back["msg"]
        assert back["restored"]
        assert handshake(endpoint(peer, name), "/ws").upgraded
    else:
        assert (back["failed"], back["changed"]) == (False, True), back["msg"]
        assert stored(peer, name)["advanced_config"] == text


def test_a_location_pasted_by_hand_is_named_and_replaced_only_when_told(peer: Peer, backend: int, switch: bool) -> None:
    text = USER_TEXT + "\n" + HAND_LOCATION.replace("BACKEND", str(backend))
    name = host_with(peer, backend, advanced_config=text, allow_websocket_upgrade=switch)
    puts = peer.puts()
    refused = keep(peer, name)
    assert refused["failed"]
    assert "a location /ws of its own, whose requests the managed block would take" in refused["msg"]
    assert peer.puts() == puts
    assert_one_save_then_none(peer, name, USER_TEXT + "\n", replace_snippet=True)
    assert handshake(endpoint(peer, name), "/ws").upgraded


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"advanced_config": OTHER_LOCATION}, id="in-the-text"),
        pytest.param(
            {"locations": [{"path": "/ws", "forward_scheme": "http", "forward_host": "127.0.0.1", "forward_port": 9}]},
            id="custom-location",
        ),
    ],
)
def test_another_location_of_the_path_stops_the_change(
    peer: Peer, backend: int, switch: bool, fields: dict[str, Any]
) -> None:
    name = host_with(peer, backend, allow_websocket_upgrade=switch, **fields)
    puts = peer.puts()
    for replace in (False, True):
        refused = keep(peer, name, replace_snippet=replace)
        assert refused["failed"]
        assert "location" in refused["msg"]
        assert refused["msg"].endswith("remove it there")
    assert peer.puts() == puts
    assert plain(endpoint(peer, name)).status == 200


@pytest.mark.parametrize("satisfy_any", [True, False], ids=["any", "all"])
def test_an_access_list_stays_in_force_on_the_websocket(
    peer: Peer, backend: int, switch: bool, satisfy_any: bool
) -> None:
    clients = [] if satisfy_any else [{"directive": "allow", "address": "127.0.0.0/8"}]
    list_id = peer.add_access_list(f"list{next(_numbers)}", "sesame", satisfy_any=satisfy_any, clients=clients)
    name = host_with(peer, backend, access_list_id=list_id, allow_websocket_upgrade=switch)
    where = endpoint(peer, name)
    refused = keep(peer, name, access_list_rules="refuse")
    assert refused["failed"]
    assert f"access list {list_id} is in force" in refused["msg"]
    done = assert_one_save_then_none(peer, name, "")
    assert done["wire"]["after"]["/ws"]["status"] == 401
    assert handshake(where, "/ws").status == 401
    assert handshake(where, "/ws", login=("ann", "wrong")).status == 401
    assert handshake(where, "/ws", login=("ann", "sesame")).upgraded
    assert plain(where).status == 401


def test_a_denied_address_gets_no_websocket_either(peer: Peer, backend: int) -> None:
    list_id = peer.add_access_list(
        f"list{next(_numbers)}", None, satisfy_any=False, clients=[{"directive": "allow", "address": "192.0.2.0/24"}]
    )
    name = host_with(peer, backend, access_list_id=list_id)
    assert keep(peer, name)["wire"]["after"]["/ws"]["status"] == 403
    assert plain(endpoint(peer, name)).status == 403


def test_caching_and_exploit_rules_do_not_get_in_the_way(peer: Peer, backend: int, switch: bool) -> None:
    name = host_with(peer, backend, caching_enabled=True, block_exploits=True, allow_websocket_upgrade=switch)
    assert_one_save_then_none(peer, name, "")
    assert handshake(endpoint(peer, name), "/ws").upgraded


def test_a_prefix_covers_what_is_below_it_and_not_its_namesake(peer: Peer, backend: int) -> None:
    name = host_with(peer, backend)
    done = module_runner.run(
        nginx_proxy_manager_host,
        arguments(
            peer, name, websocket_paths=[{"path": "/ws", "prefix": True}, {"path": "/socket.io/", "prefix": True}]
        ),
    )
    assert not done["failed"], done["msg"]
    where = endpoint(peer, name)
    assert [handshake(where, path).upgraded for path in ("/ws", "/ws/sub", "/socket.io/", "/wsx")] == [
        True,
        True,
        True,
        False,
    ]


def test_fields_that_are_not_given_stay_and_those_given_are_saved_once(peer: Peer, backend: int) -> None:
    name = host_with(peer, 9, caching_enabled=True)
    before = dict(stored(peer, name))
    done = module_runner.run(
        nginx_proxy_manager_host,
        arguments(peer, name, forward_port=backend, allow_websocket_upgrade=True, caching_enabled=True),
    )
    assert not done["failed"], done["msg"]
    after = stored(peer, name)
    changed = {key for key in after if key != "meta" and after[key] != before[key]}
    assert changed == {"forward_port", "allow_websocket_upgrade"}
    assert handshake(endpoint(peer, name), "/ws").upgraded
    assert done["former"]["fields"] == {"forward_port": 9, "allow_websocket_upgrade": False}


def test_a_host_is_created_and_only_such_a_host_is_deleted(peer: Peer, backend: int) -> None:
    name = f"h{next(_numbers)}.test"
    args = arguments(
        peer, name, websocket_paths=["/ws"], forward_scheme="http", forward_host="127.0.0.1", forward_port=backend
    )
    predicted = module_runner.run(nginx_proxy_manager_host, args, check=True)
    assert predicted["changed"]
    assert not any(name in host["domain_names"] for host in peer.hosts.values())
    done = module_runner.run(nginx_proxy_manager_host, args)
    assert (done["failed"], done["changed"]) == (False, True), done["msg"]
    assert handshake(endpoint(peer, name), "/ws").upgraded
    again = module_runner.run(nginx_proxy_manager_host, args)
    assert not again["changed"], again["reasons"]
    users = host_with(peer, backend)
    refused = module_runner.run(nginx_proxy_manager_host, arguments(peer, users, state="absent", delete_host=True))
    assert "was not created by this module" in refused["msg"]
    gone = module_runner.run(nginx_proxy_manager_host, arguments(peer, name, state="restored", former=done["former"]))
    assert gone["changed"], gone["msg"]
    assert not any(name in host["domain_names"] for host in peer.hosts.values())
    assert module_runner.run(nginx_proxy_manager_host, args)["changed"]
    chosen = module_runner.run(nginx_proxy_manager_host, arguments(peer, name, state="absent", delete_host=True))
    assert (chosen["failed"], chosen["changed"]) == (False, True), chosen["msg"]
    assert not any(name in host["domain_names"] for host in peer.hosts.values())


def test_absent_leaves_exactly_what_was_there(peer: Peer, backend: int, switch: bool) -> None:
    name = host_with(peer, backend, advanced_config=USER_TEXT, allow_websocket_upgrade=switch)
    assert keep(peer, name)["changed"]
    gone = module_runner.run(nginx_proxy_manager_host, arguments(peer, name, state="absent"))
    assert gone["changed"], gone["msg"]
    assert stored(peer, name)["advanced_config"] == USER_TEXT
    assert handshake(endpoint(peer, name), "/ws").upgraded is switch
    assert not module_runner.run(nginx_proxy_manager_host, arguments(peer, name, state="absent"))["changed"]


def test_only_upgrades_to_websocket_pass(peer: Peer, backend: int) -> None:
    """Another value of Upgrade reaches the application as an ordinary request."""
    name = host_with(peer, backend)
    assert keep(peer, name)["changed"]
    connection = http.client.HTTPConnection("127.0.0.1", peer.nginx.port, timeout=5)
    connection.request("GET", "/ws", headers={"Host": name, "Upgrade": "h2c", "Connection": "Upgrade"})
    answer = connection.getresponse()
    headers = json.loads(answer.read())["headers"]
    connection.close()
    assert answer.status == 404
    assert "upgrade" not in headers
    assert headers["host"] == name


def test_page_and_application_share_a_host_name(peer: Peer, backend: int) -> None:
    """The host forwards to the page; the paths of the application lead to the application."""
    name = host_with(peer, 9)
    upstream = f"127.0.0.1:{backend}"
    done = module_runner.run(
        nginx_proxy_manager_host,
        arguments(
            peer,
            name,
            websocket_paths=[{"path": "/ws", "upstream": upstream}],
            forward_paths=[{"path": "/api/", "prefix": True, "upstream": upstream}],
        ),
    )
    assert not done["failed"], done["msg"]
    where = endpoint(peer, name)
    assert handshake(where, "/ws").upgraded
    assert plain(where, "/api/things").status == 404, "the application's own answer"
    assert plain(where, "/").status == 502, "the page is not there"
