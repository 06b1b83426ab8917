"""Values of variables."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.variables import (
    Definitions,
    Variables,
)


def variables(http: str, **known: str) -> Variables:
    return Variables(
        Definitions.of(parse(http, "f")),
        {"http_upgrade": "websocket", "host": "api.a.test", "remote_addr": "10.1.2.3", "args": "Token=x&b", **known},
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("a $http_upgrade b", "a websocket b", id="inside"),
        pytest.param("${http_upgrade}s", "websockets", id="braces"),
        pytest.param("<$1ws$10>", "<ws0>", id="a-group-has-one-digit"),
        pytest.param("$http_upgrade$http_upgrade", "websocketwebsocket", id="twice"),
        pytest.param("$cookie_x", None, id="unknown"),
        pytest.param("$http_upgrade $cookie_x", None, id="partly-unknown"),
        pytest.param("", "", id="empty"),
    ],
)
def test_variables_in_a_text_are_replaced(template: str, expected: str | None) -> None:
    assert variables("").text(template) == expected


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        pytest.param("map $http_upgrade $u { default x; }", "x", id="default"),
        pytest.param("map $http_upgrade $u { default x; websocket y; }", "y", id="value"),
        pytest.param("map $http_upgrade $u { websocket y; default x; }", "y", id="value-before-the-default"),
        pytest.param("map $http_upgrade $u { WebSocket y; }", "y", id="values-ignore-case"),
        pytest.param("map $http_upgrade $u { other y; }", "", id="empty-without-a-default"),
        pytest.param("map $http_upgrade $u { ~^web y; }", "y", id="regex"),
        pytest.param("map $http_upgrade $u { ~^WEB y; }", "", id="regex-with-case"),
        pytest.param("map $http_upgrade $u { ~*^WEB y; }", "y", id="regex-that-ignores-case"),
        pytest.param("map $http_upgrade $u { ~^web y; websocket z; }", "z", id="value-before-regex"),
        pytest.param("map $http_upgrade $u { ~^web y; ~socket$ z; }", "y", id="first-regex"),
        pytest.param("map $http_upgrade $u { ~socket$ z; ~^web y; }", "z", id="first-regex-swapped"),
        pytest.param("map $http_upgrade $v { websocket y; } map $v $u { y w; }", "w", id="map-of-a-map"),
        pytest.param('map "$http_upgrade-x" $u { websocket-x y; }', "y", id="source-with-text"),
        pytest.param("map $http_upgrade $u { ~x y; }", "", id="regex-that-does-not-match"),
        pytest.param("map $http_upgrade $u { ~*x y; }", "", id="regex-that-ignores-case-and-does-not-match"),
        pytest.param("map default $u { \\default y; default z; }", "y", id="escaped-value"),
        pytest.param("map x $u { \\x y; }", "y", id="needlessly-escaped-value"),
        pytest.param("map $cookie_x $u { default y; }", None, id="unknown-source"),
        pytest.param("map $u $u { default y; }", None, id="map-of-itself"),
        pytest.param("server { set $u x; }", "", id="a-set-that-is-not-executed"),
        pytest.param("split_clients $http_upgrade $u { * y; }", None, id="split-clients"),
        pytest.param("map $http_upgrade $u { ~(b)s $1; }", "b", id="value-from-a-group"),
        pytest.param("map $http_upgrade $u { ~(?<kind>b)s $kind; }", "b", id="value-from-a-named-group"),
        pytest.param("map $http_upgrade $u { ~\\Qx y; }", None, id="pattern-that-python-lacks"),
        pytest.param("map $host $u { hostnames; *.test y; *.a.test z; }", "z", id="longest-leading-asterisk"),
        pytest.param("map $host $u { hostnames; api.* y; .a.test z; ~api x; }", "z", id="a-dot-is-the-name-and-below"),
        pytest.param("map $host $u { hostnames; api.* y; api.a.* z; ~api x; }", "z", id="longest-trailing-asterisk"),
        pytest.param("map $host $u { hostnames; *.other y; ~api x; }", "x", id="regex-after-host-names"),
        pytest.param("geo $u { default x; 10.0.0.0/8 y; 10.1.0.0/16 z; }", "z", id="geo-smallest-network"),
        pytest.param("geo $u { default x; 192.168.0.0/16 y; }", "x", id="geo-default"),
        pytest.param("geo $u { 10.0.0.0/8 y; 10.0.0.0/8 z; }", "z", id="geo-last-of-one-network"),
        pytest.param("geo $http_x $u { default x; 10.0.0.0/8 y; }", "x", id="geo-of-no-address"),
        pytest.param("geo $u { ranges; default x; 10.1.0.0-10.1.255.255 y; }", "y", id="geo-range"),
        pytest.param("geo $u { ranges; 10.1.0.0-10.1.255.255 y; 10.0.0.0-10.9.9.9 z; }", None, id="geo-ranges-overlap"),
        pytest.param("geo $u { 10.0.0.0/8 y; delete 10.0.0.0/8; }", None, id="geo-with-delete"),
        pytest.param("geo $http_cookie $u { 10.0.0.0/8 y; }", None, id="geo-of-an-unknown-value"),
        pytest.param("", None, id="unknown"),
    ],
)
def test_a_value_is_followed_through_maps(http: str, expected: str | None) -> None:
    assert variables(http).value("u") == expected


def test_an_assigned_value_goes_before_a_map() -> None:
    found = variables("map $http_upgrade $u { default x; }")
    found.assign("$u", "y")
    assert found.value("u") == "y"
    found.assign("u", None)
    assert found.value("u") is None


def test_a_header_that_a_handshake_does_not_have_is_empty_and_one_of_the_client_is_unknown() -> None:
    found = variables("")
    names = ("http_x_forwarded_proto", "http_authorization", "http_cookie", "http_origin", "cookie_x")
    assert [found.value(name) for name in names] == ["", "", None, None, None]


def test_arguments_are_those_of_the_uri_as_it_is_now() -> None:
    found = variables("")
    assert [found.value(f"arg_{name}") for name in ("token", "TOKEN", "b", "none")] == ["x", "x", "", ""]
    found.known["args"] = "token=1&token=2"
    assert found.value("arg_token") == "1"
    found.known["args"] = None
    assert found.value("arg_token") is None


def test_a_map_is_evaluated_once_in_a_request_unless_it_is_volatile() -> None:
    found = variables("map $uri $once { default $uri; } map $uri $each { volatile; default $uri; }", uri="/a")
    assert (found.value("once"), found.value("each")) == ("/a", "/a")
    found.known["uri"] = "/b"
    assert (found.value("once"), found.value("each")) == ("/a", "/b")
