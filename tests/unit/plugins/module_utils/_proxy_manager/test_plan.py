"""From a host as it is to what has to be written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.block import (
    Timeouts,
    WebSocketPath,
    render,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.client import parse_api_url
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.plan import (
    PlanError,
    Wanted,
    creation,
    memory,
    plan,
    way_back,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.transaction import (
    nginx_words,
    remedy,
    same,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.verdict import judge
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.version import (
    Version,
    parse_version,
    refusals,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.wire import Seen

NAME = "api.example.com"
WS = (WebSocketPath("/ws"),)
BLOCK = render(WS, Timeouts())


def host(**fields: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "domain_names": [NAME],
        "forward_scheme": "http",
        "forward_host": "192.0.2.1",
        "forward_port": 14200,
        "advanced_config": "",
        "allow_websocket_upgrade": 0,
        "certificate_id": 0,
        "enabled": 1,
        "locations": None,
    } | fields


def test_only_what_differs_is_written() -> None:
    made = plan(host(), Wanted(NAME, WS, fields={"forward_port": 14200, "allow_websocket_upgrade": True}))
    assert made.body == {"allow_websocket_upgrade": True, "advanced_config": BLOCK.text}
    assert made.former == {"allow_websocket_upgrade": False, "advanced_config": ""}
    assert made.reasons == ("allow_websocket_upgrade is False, wanted True", "the managed block is missing")


@pytest.mark.parametrize("value", [0, False], ids=["before-2.12", "since-2.12"])
def test_a_flag_is_the_same_in_all_versions(value: object) -> None:
    made = plan(host(allow_websocket_upgrade=value), Wanted(NAME, fields={"allow_websocket_upgrade": False}))
    assert not made.changes


def test_the_way_back_undoes_a_plan_with_a_snippet() -> None:
    text = "a 1;\nproxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nb 2;"
    before = host(advanced_config=text)
    made = plan(before, Wanted(NAME, WS, fields={"forward_port": 80}, replace_snippet=True))
    after = before | made.body
    assert after["advanced_config"] == BLOCK.text + "a 1;\nb 2;"
    back = way_back(after, memory(before, made), NAME)
    assert back.body == {"forward_port": 14200, "advanced_config": text}
    edited = way_back(after | {"advanced_config": BLOCK.text + "c 3;"}, memory(before, made), NAME)
    assert edited.body == {"forward_port": 14200, "advanced_config": "c 3;"}
    assert [each.kind for each in edited.findings] == ["text_moved_on"]


def test_a_location_added_later_does_not_stop_a_settled_host() -> None:
    text = BLOCK.text + "location /ws { }"
    assert not plan(host(advanced_config=text), Wanted(NAME, WS)).changes


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        pytest.param(
            "location = /ws { return 410; }",
            {},
            f"proxy host {NAME}: line 1 of the Advanced text has a location = /ws of its own, which nginx would refuse "
            "as a duplicate; remove it there",
            id="other-location",
        ),
        pytest.param(
            "",
            {"ssl_forced": True},
            f"proxy host {NAME}: ssl_forced needs a certificate, and the host has none; give certificate, "
            "or leave it out",
            id="no-certificate",
        ),
    ],
)
def test_what_stands_in_the_way_stops_the_plan(text: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        plan(host(advanced_config=text), Wanted(NAME, WS, fields=fields))
    assert str(caught.value) == message


def test_a_host_is_created_only_with_all_that_it_needs() -> None:
    with pytest.raises(PlanError, match="forward_host is not given to create one"):
        creation(Wanted(NAME, WS, fields={"forward_scheme": "http", "forward_port": 80}))


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ({"status": "OK", "version": {"major": 2, "minor": 15, "revision": 1}}, Version(2, 15, 1)),
        ({"version": "v2.9.19"}, Version(2, 9, 19)),
        ({"version": {"major": 2}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_version_is_read_or_unknown(answer: object, version: Version | None) -> None:
    assert parse_version(answer) == version


def test_a_version_that_is_not_known_yet_behaves_like_the_newest() -> None:
    assert refusals(Version(3, 0, 0)) == refusals(Version(2, 15, 1))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://npm:81", "http://npm:81/api", id="plain"),
        pytest.param("http://npm:81/api/", "http://npm:81/api", id="with-api"),
        pytest.param("https://npm.example.com", "https://npm.example.com:443/api", id="tls"),
        pytest.param("https://proxy.example.com/npm/", "https://proxy.example.com:443/npm/api", id="below-a-path"),
        pytest.param("http://[2001:db8::1]:81", "http://[2001:db8::1]:81/api", id="ipv6"),
    ],
)
def test_the_api_is_found_below_its_url(url: str, expected: str) -> None:
    assert parse_api_url(url).url == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://a:secret@npm", "api_url contains a user name", id="password"),
        pytest.param("npm:81", "api_url is 'npm:81'; expected one like", id="no-scheme"),
        pytest.param("http://npm:99999", "api_url cannot be read as a URL", id="port"),
        pytest.param("http://npm/?a=b", "without anything behind the path", id="query"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, message: str) -> None:
    with pytest.raises(ValueError, match="api_url") as caught:
        parse_api_url(url)
    assert message in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_the_words_of_nginx_lead_to_the_remedy() -> None:
    text = (
        'Command failed: nginx -t\nnginx: [emerg] "proxy_http_version" directive is duplicate in '
        "/data/nginx/proxy_host/1.conf:14\nnginx: configuration file /etc/nginx/nginx.conf test failed"
    )
    words = nginx_words({"meta": {"nginx_online": False, "nginx_err": text}})
    assert words == '"proxy_http_version" directive is duplicate in /data/nginx/proxy_host/1.conf:14'
    assert remedy(words) == ('remove "proxy_http_version" from the Advanced tab, or switch Websockets Support off')


@pytest.mark.parametrize(
    ("current", "wanted", "equal"),
    [(1, True, True), (0, True, False), ("", None, True), (["a"], ["a"], True), (80, 81, False)],
)
def test_values_are_compared_whatever_their_type(current: object, wanted: object, equal: bool) -> None:
    assert same(current, wanted) is equal


@pytest.mark.parametrize(
    ("seen", "served", "kind"),
    [
        pytest.param(Seen(101, True, "abc"), True, "in_force", id="in-force"),
        pytest.param(Seen(502, False, "abc"), True, "in_force", id="in-force-without-application"),
        pytest.param(Seen(101, True, "old"), True, "other_block", id="older"),
        pytest.param(Seen(101, True), True, "upgrades_without_block", id="switch"),
        pytest.param(Seen(426), True, "not_in_force", id="nothing-pasted"),
        pytest.param(Seen(404), False, "not_served", id="offline"),
        pytest.param(Seen(error="refused"), None, "no_answer", id="down"),
    ],
)
def test_the_wire_tells_what_was_pasted(seen: Seen, served: bool | None, kind: str) -> None:
    assert judge(NAME, "abc", {"/ws": seen}, served, asked=True).kind == kind
