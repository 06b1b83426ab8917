"""Values of variables."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.variables import (
    Definitions,
    Variables,
)


def variables(http: str, **known: str) -> Variables:
    return Variables(Definitions.of(parse(http, "f")), {"http_upgrade": "websocket", **known})


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("a $http_upgrade b", "a websocket b", id="inside"),
        pytest.param("${http_upgrade}s", "websockets", id="braces"),
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
        pytest.param("geo $u { default y; }", None, id="geo"),
        pytest.param("map $http_upgrade $u { ~(b)s $1; }", "b", id="value-from-a-group"),
        pytest.param("map $http_upgrade $u { ~(?<kind>b)s $kind; }", "b", id="value-from-a-named-group"),
        pytest.param("map $http_upgrade $u { ~\\Qx y; }", None, id="pattern-that-python-lacks"),
        pytest.param("map $http_upgrade $u { hostnames; *.x y; }", None, id="host-names"),
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
    names = ("http_x_forwarded_proto", "http_authorization", "arg_token", "http_cookie", "http_origin", "cookie_x")
    assert [found.value(name) for name in names] == ["", "", "", None, None, None]


def test_a_map_is_evaluated_once_in_a_request_unless_it_is_volatile() -> None:
    found = variables("map $uri $once { default $uri; } map $uri $each { volatile; default $uri; }", uri="/a")
    assert (found.value("once"), found.value("each")) == ("/a", "/a")
    found.known["uri"] = "/b"
    assert (found.value("once"), found.value("each")) == ("/a", "/b")
