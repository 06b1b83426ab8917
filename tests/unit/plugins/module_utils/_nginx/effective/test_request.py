"""The request that is evaluated."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.request import (
    HttpRequest,
    arguments_of,
    handshake_variables,
    normal_path,
    ordinary_variables,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/ws", "/ws"),
        ("/ws?token=/x", "/ws"),
        ("/ws#part", "/ws"),
        ("/a//b/", "/a/b/"),
        ("/a/../ws", "/ws"),
        ("/a/./ws/.", "/a/ws/"),
        ("/a/b/..", "/a/"),
        ("/../ws", "/ws"),
        ("/%77s%2Fx", "/ws/x"),
        ("/", "/"),
    ],
)
def test_a_path_is_normalised_as_nginx_compares_it(text: str, expected: str) -> None:
    assert normal_path(text) == expected


@pytest.mark.parametrize(
    ("port", "tls", "scheme", "host"),
    [
        (80, False, "http", "API.example.com"),
        (443, True, "https", "API.example.com"),
        (443, False, "http", "API.example.com:443"),
        (8443, True, "https", "API.example.com:8443"),
    ],
)
def test_variables_are_those_of_the_request(port: int, tls: bool, scheme: str, host: str) -> None:
    variables = handshake_variables(HttpRequest("API.example.com", port, tls, "/ws"))
    assert (variables["scheme"], variables["https"]) == (scheme, "on" if tls else "")
    assert (variables["host"], variables["http_host"], variables["server_port"]) == ("api.example.com", host, str(port))
    assert (variables["request_uri"], variables["request_method"]) == ("/ws", "GET")


def test_the_arguments_of_a_path_are_variables() -> None:
    request = HttpRequest("a", 80, False, "/ws", arguments=arguments_of("/ws?token=x&b#c"))
    variables = handshake_variables(request)
    assert (variables["args"], variables["request_uri"]) == ("token=x&b", "/ws?token=x&b")


def test_only_the_handshake_asks_for_an_upgrade() -> None:
    request = HttpRequest("a", 80, False, "/ws")
    handshake, ordinary = handshake_variables(request), ordinary_variables(request)
    assert (handshake["http_upgrade"], handshake["http_connection"]) == ("websocket", "Upgrade")
    assert (ordinary["http_upgrade"], ordinary["http_connection"]) == ("", "keep-alive")
    assert {name for name in handshake if handshake[name] != ordinary[name]} == {
        "http_upgrade",
        "http_connection",
        "http_sec_websocket_key",
        "http_sec_websocket_version",
    }
