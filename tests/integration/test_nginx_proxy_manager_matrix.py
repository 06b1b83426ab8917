"""Every version, with the switch off and on, over what users have in the Advanced tab, and what the proxy answers."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import digest, split_text
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import handshake, plain
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host
from nginx_tree import wait_for
from proxy_manager_parts import TABLE, arguments, endpoint, running_peer
from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.pasted import (
    DEFAULT_LOCATION_AFTER_SEMICOLON,
    DEFAULT_LOCATION_IN_COMMENT,
    OTHER_LOCATION,
    SNIPPET,
    USER_TEXT,
    pasted_location,
)
from proxy_manager_peer.server import Peer

pytestmark = pytest.mark.usefixtures("private_directory")

# The newest is enough for a change elsewhere: where versions differ, tests/unit asks all of them without an nginx.
ALL_VERSIONS = [*(pytest.param(version, marks=pytest.mark.slow) for version in VERSIONS[:-1]), VERSIONS[-1]]


@pytest.fixture(scope="module", params=ALL_VERSIONS)
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    root = tmp_path_factory.mktemp("manager") / request.param
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


def configure(peer: Peer, name: str, check: bool = False, **more: Any) -> dict[str, Any]:
    return module_runner.run(
        nginx_proxy_manager_host, arguments(peer, name, websocket_paths=["/ws"], **more), check=check, diff=True
    )


def calls(result: dict[str, Any]) -> list[str]:
    """The requests to the API in order, with one name for every host."""
    return [re.sub(r"/[0-9]+$", "/ID", call) for call in result["api_calls"]]


LOOK = ["GET /", "POST /tokens", "GET /nginx/proxy-hosts"]
LISTS = "GET /nginx/access-lists"
HOST = "/nginx/proxy-hosts/ID"


@dataclass(frozen=True)
class Row:
    """A host as a user has it, and what the module makes of it, with the switch off and on."""

    text: str
    #: Statuses of a handshake before, and after.
    before: tuple[int, int]
    after: tuple[int, int]
    #: The end of the message of a refusal, None if the block is written.
    refusal: tuple[str | None, str | None] = (None, None)
    replace_snippet: bool = False
    #: The text outside the block afterwards, if it has changed.
    left: str | None = None
    finding: str | None = None
    access: str | None = None
    locations: Sequence[dict[str, Any]] | None = None


BELOW = USER_TEXT + "\n"
CUSTOM = [{"path": "/ws", "forward_scheme": "http", "forward_host": "127.0.0.1", "forward_port": 9}]
AT_SERVER_LEVEL = (
    "a WebSocket snippet was pasted at server level (line 5 of the Advanced text) while Websockets Support is on, so "
    'that the configuration has "proxy_http_version" twice and nginx refuses the host; remove it there, or set '
    "replace_snippet to true to have it replaced"
)
OF_ITS_OWN = "line 5 of the Advanced text has a location /ws of its own, whose requests the managed block would take; "
BY_OPTION = "remove it there, or set replace_snippet to true to have it replaced"
DUPLICATE = "has a location = /ws of its own, which nginx would refuse as a duplicate; remove it there"
CUSTOM_ONE = "the host has a custom location /ws, whose requests the managed block would take; remove it there"
ROWS = {
    "empty": Row("", (404, 101), (101, 101)),
    "user-text": Row(USER_TEXT, (404, 101), (101, 101)),
    "default-location-in-comment": Row(DEFAULT_LOCATION_IN_COMMENT, (404, 101), (101, 101)),
    "default-location-after-semicolon": Row(
        DEFAULT_LOCATION_AFTER_SEMICOLON, (404, 404), (101, 101), finding="default_location_mentioned"
    ),
    "snippet": Row(
        BELOW + SNIPPET, (404, 404), (101, 404), refusal=(None, AT_SERVER_LEVEL), finding="snippet_without_effect"
    ),
    "snippet-replaced": Row(BELOW + SNIPPET, (404, 404), (101, 101), replace_snippet=True, left=BELOW),
    "pasted-location": Row(
        BELOW + "PASTED", (101, 101), (101, 101), refusal=(OF_ITS_OWN + BY_OPTION, OF_ITS_OWN + BY_OPTION)
    ),
    "pasted-location-replaced": Row(BELOW + "PASTED", (101, 101), (101, 101), replace_snippet=True, left=BELOW),
    "other-location": Row(OTHER_LOCATION, (410, 410), (410, 410), refusal=(DUPLICATE, DUPLICATE)),
    "other-location-is-never-replaced": Row(
        OTHER_LOCATION, (410, 410), (410, 410), refusal=(DUPLICATE, DUPLICATE), replace_snippet=True
    ),
    "custom-location": Row("", (502, 502), (502, 502), refusal=(CUSTOM_ONE, CUSTOM_ONE), locations=CUSTOM),
    "access-list-any": Row("", (401, 401), (401, 401), access="any"),
    "access-list-all": Row("", (401, 401), (401, 401), access="all"),
}


@pytest.mark.parametrize("content", ROWS)
def test_each_content_has_its_row(peer: Peer, backend: int, switch: bool, content: str) -> None:
    """Plan, calls, handshake before and after, digest of the user's text, and no change the second time."""
    row = ROWS[content]
    text = row.text.replace("PASTED", pasted_location(backend))
    fields: dict[str, Any] = {"advanced_config": text, "allow_websocket_upgrade": switch, "locations": row.locations}
    if row.access:
        clients = [] if row.access == "any" else [{"directive": "allow", "address": "127.0.0.0/8"}]
        fields["access_list_id"] = peer.add_access_list(
            f"list{next(_numbers)}", "sesame", satisfy_any=row.access == "any", clients=clients
        )
    name = host_with(peer, backend, **fields)
    where, puts = endpoint(peer, name), peer.puts()
    looks = [*LOOK, *([LISTS] if row.access else [])]
    before = handshake(where, "/ws")
    predicted = configure(peer, name, check=True, replace_snippet=row.replace_snippet)
    assert calls(predicted) == looks
    done = configure(peer, name, replace_snippet=row.replace_snippet)
    after = handshake(where, "/ws")
    assert (before.status, after.status) == (row.before[switch], row.after[switch])
    refusal = row.refusal[switch]
    if refusal is not None:
        assert predicted["msg"] == done["msg"]
        assert done["msg"].startswith(f"proxy host {name}: ")
        assert done["msg"].endswith(refusal)
        assert (done["failed"], calls(done), peer.puts()) == (True, looks, puts)
        assert stored(peer, name)["advanced_config"] == text
        TABLE.append((peer.version, switch, content, "refused", calls(done), before, after, "unchanged", ""))
        return
    assert not done["failed"], done["msg"]
    left = text if row.left is None else row.left
    replaced = ["a pasted WebSocket snippet is replaced"] if row.left is not None else []
    assert predicted["reasons"] == done["reasons"] == [*replaced, "the managed block is missing"]
    assert (predicted["changed"], done["changed"]) == (True, True)
    assert (predicted["block"], predicted["diff"]) == (done["block"], done["diff"])
    kinds = [each["kind"] for each in done["findings"]]
    assert kinds == ([row.finding] if row.finding else [])
    assert calls(done) == [
        *(*looks, "GET /users/me", f"GET {HOST}", *looks[len(LOOK) :], f"PUT {HOST}", f"GET {HOST}"),
    ]
    kept = split_text(stored(peer, name)["advanced_config"])
    assert (kept.unmanaged, kept.block) == (left, done["block"])
    assert done["text_digest"] == {"before": digest(text), "after": digest(left)}
    assert done["wire"]["before"]["/ws"]["status"] == before.status
    assert done["wire"]["after"]["/ws"]["status"] == after.status
    # Exact: a longer name is proxied as before.
    proxied = switch and row.finding != "default_location_mentioned"
    assert handshake(where, "/wsx").status == (401 if row.access else 101 if proxied else 404)
    if row.access:
        assert handshake(where, "/ws", login=("ann", "wrong")).status == 401
        assert handshake(where, "/ws", login=("ann", "sesame")).upgraded
        assert plain(where).status == 401
    again = configure(peer, name, replace_snippet=row.replace_snippet)
    assert (again["failed"], again["changed"], again["msg"]) == (False, False, f"proxy host {name} is as wanted")
    assert (calls(again), peer.puts()) == (looks, puts + 1)
    unchanged = "snippet gone" if row.left is not None else "unchanged"
    TABLE.append((peer.version, switch, content, "block", calls(done), before, after, unchanged, "0"))


def test_a_snippet_that_was_replaced_can_be_restored(peer: Peer, backend: int, switch: bool) -> None:
    text = BELOW + SNIPPET
    name = host_with(peer, backend, advanced_config=text, allow_websocket_upgrade=switch)
    done = configure(peer, name, replace_snippet=True)
    assert done["changed"], done["msg"]
    back = module_runner.run(
        nginx_proxy_manager_host, arguments(peer, name, state="restored", previous=done["previous"])
    )
    if switch:
        # That state was offline: nginx refuses it again, and the block is restored.
        assert "went offline after the save" in back["msg"]
        assert back["restored"]
        assert handshake(endpoint(peer, name), "/ws").upgraded
    else:
        assert (back["failed"], back["changed"]) == (False, True), back["msg"]
        assert stored(peer, name)["advanced_config"] == text


def test_an_access_list_may_be_a_reason_to_refuse(peer: Peer, backend: int) -> None:
    list_id = peer.add_access_list(f"list{next(_numbers)}", "sesame")
    name = host_with(peer, backend, access_list_id=list_id)
    puts = peer.puts()
    refused = configure(peer, name, access_list_rules="refuse")
    assert (
        f"access list {list_id} is in force, which does not apply to locations of the Advanced text" in refused["msg"]
    )
    assert (refused["failed"], peer.puts()) == (True, puts)


def test_a_restoration_keeps_an_access_list_that_was_added_later(peer: Peer, backend: int) -> None:
    """The restored block is older than the list, and must not open the path to others."""
    name = host_with(peer, backend)
    verified = configure(peer, name)["current"]
    list_id = peer.add_access_list(f"list{next(_numbers)}", "sesame")
    listed = configure(peer, name, access_list=str(list_id), read_timeout=300)
    assert not listed["failed"], listed["msg"]
    args = arguments(peer, name, state="restored", previous=verified)
    back = module_runner.run(nginx_proxy_manager_host, args)
    assert (back["failed"], back["changed"]) == (False, True), back["msg"]
    assert "proxy_read_timeout 86400s;" in stored(peer, name)["advanced_config"]
    where = endpoint(peer, name)
    assert handshake(where, "/ws").status == 401
    assert handshake(where, "/ws", login=("ann", "sesame")).upgraded
    assert not module_runner.run(nginx_proxy_manager_host, args)["changed"]
    assert not configure(peer, name)["changed"], "it is the block that the options make"


def test_a_denied_address_gets_no_websocket_either(peer: Peer, backend: int) -> None:
    list_id = peer.add_access_list(
        f"list{next(_numbers)}", None, satisfy_any=False, clients=[{"directive": "allow", "address": "192.0.2.0/24"}]
    )
    name = host_with(peer, backend, access_list_id=list_id)
    assert configure(peer, name)["wire"]["after"]["/ws"]["status"] == 403
    assert plain(endpoint(peer, name)).status == 403


def test_caching_and_exploit_rules_do_not_affect_the_websocket(peer: Peer, backend: int, switch: bool) -> None:
    name = host_with(peer, backend, caching_enabled=True, block_exploits=True, allow_websocket_upgrade=switch)
    assert configure(peer, name)["changed"]
    assert handshake(endpoint(peer, name), "/ws").upgraded


def test_a_prefix_covers_what_is_below_it_and_no_longer_name(peer: Peer, backend: int) -> None:
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
        arguments(
            peer,
            name,
            forward_port=backend,
            switches={"allow_websocket_upgrade": True, "caching_enabled": True},
        ),
    )
    assert not done["failed"], done["msg"]
    after = stored(peer, name)
    changed = {key for key in after if key != "meta" and after[key] != before[key]}
    assert changed == {"forward_port", "allow_websocket_upgrade"}
    # Without a path, the answers do not show which configuration is in force.
    wait_for(lambda: handshake(endpoint(peer, name), "/ws").upgraded)
    assert done["previous"]["fields"] == {"forward_port": 9, "allow_websocket_upgrade": False}


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
    kept = module_runner.run(nginx_proxy_manager_host, arguments(peer, users, state="absent"))
    assert (kept["changed"], stored(peer, users)["domain_names"]) == (False, [users]), kept["msg"]
    refused = arguments(peer, users, state="restored", previous=done["previous"])
    assert "is not marked as created by this module" in module_runner.run(nginx_proxy_manager_host, refused)["msg"]
    gone = module_runner.run(
        nginx_proxy_manager_host, arguments(peer, name, state="restored", previous=done["previous"])
    )
    assert gone["changed"], gone["msg"]
    assert not any(name in host["domain_names"] for host in peer.hosts.values())
    assert module_runner.run(nginx_proxy_manager_host, args)["changed"]
    chosen = module_runner.run(nginx_proxy_manager_host, arguments(peer, name, state="absent"))
    assert (chosen["failed"], chosen["changed"]) == (False, True), chosen["msg"]
    assert not any(name in host["domain_names"] for host in peer.hosts.values())


def test_a_host_that_was_created_without_a_path_is_known_as_such(peer: Peer, backend: int) -> None:
    name = f"h{next(_numbers)}.test"
    args = arguments(peer, name, forward_scheme="http", forward_host="127.0.0.1", forward_port=backend)
    made = module_runner.run(nginx_proxy_manager_host, args)
    assert (made["failed"], made["changed"]) == (False, True), made["msg"]
    assert not module_runner.run(nginx_proxy_manager_host, args)["changed"]
    # A path that is added and removed does not remove the mark.
    assert configure(peer, name)["changed"]
    without = module_runner.run(nginx_proxy_manager_host, args)
    assert (without["failed"], without["changed"]) == (False, True), without["msg"]
    assert handshake(endpoint(peer, name), "/ws").status == 404
    args = arguments(peer, name, state="restored", previous=made["previous"])
    gone = module_runner.run(nginx_proxy_manager_host, args)
    assert (gone["failed"], gone["changed"]) == (False, True), gone["msg"]
    assert not any(name in host["domain_names"] for host in peer.hosts.values())


def test_absent_leaves_exactly_what_was_there(peer: Peer, backend: int, switch: bool) -> None:
    name = host_with(peer, backend, advanced_config=USER_TEXT, allow_websocket_upgrade=switch)
    assert configure(peer, name)["changed"]
    gone = module_runner.run(nginx_proxy_manager_host, arguments(peer, name, state="absent"))
    assert gone["changed"], gone["msg"]
    assert stored(peer, name)["advanced_config"] == USER_TEXT
    assert handshake(endpoint(peer, name), "/ws").upgraded is switch
    assert not module_runner.run(nginx_proxy_manager_host, arguments(peer, name, state="absent"))["changed"]


def test_only_upgrades_to_websocket_are_forwarded(peer: Peer, backend: int) -> None:
    """Another value of Upgrade reaches the application as an ordinary request."""
    name = host_with(peer, backend)
    assert configure(peer, name)["changed"]
    connection = http.client.HTTPConnection("127.0.0.1", peer.nginx.port, timeout=5)
    connection.request("GET", "/ws", headers={"Host": name, "Upgrade": "h2c", "Connection": "Upgrade"})
    answer = connection.getresponse()
    headers = json.loads(answer.read())["headers"]
    connection.close()
    assert answer.status == 404
    assert "upgrade" not in headers
    assert headers["host"] == name


def test_page_and_application_share_a_host_name(peer: Peer, backend: int) -> None:
    """The host forwards to the page; the paths of the application to the application."""
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
