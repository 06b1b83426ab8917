"""An endpoint is ready to be connected to, or refused with the option and the reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import TargetError, parse_target

FULL = {
    "name": " backend ",
    "url": "wss://API.example.com:8443/wüs?room=a b".replace(" ", "%20"),
    "vantage": "proxy",
    "transport": "websocket",
    "origin": "https://app.example.com",
    "subprotocols": ["v1", "v2"],
    "headers": {"X-A": "1"},
    "secret_headers": {"Cookie": " sess "},
    "secret_query": {"token": "a&b", "empty": ""},
    "connect_to": "192.0.2.1:9000",
    "validate_certs": False,
    "ca_path": "/ca.pem",
    "client_cert": "/cert.pem",
    "client_key": "/key.pem",
    "message_timeout": 3,
}


def target(**changes: Any) -> Any:
    return parse_target({"name": "e", "url": "ws://h/ws", **changes})


def test_every_option_is_taken() -> None:
    found = parse_target(FULL)
    assert (found.name, found.vantage, found.transport, found.through_proxy) == ("backend", "proxy", "websocket", True)
    assert (found.secure, found.host, found.port, found.authority) == (
        True,
        "api.example.com",
        8443,
        "api.example.com:8443",
    )
    assert (found.path, found.resource) == ("/wüs", "/w%C3%BCs?room=a%20b&token=a%26b&empty=")
    assert (found.connect_host, found.connect_port) == ("192.0.2.1", 9000)
    assert (found.origin, found.subprotocols) == ("https://app.example.com", ("v1", "v2"))
    assert found.headers == (("X-A", "1"), ("Cookie", "sess"))
    assert found.secrets == ("a%26b", "sess", "a&b")
    assert (found.validate_certs, found.ca_path, found.ca_certificates) == (False, "/ca.pem", None)
    assert (found.client_cert, found.client_key, found.message_timeout_s) == ("/cert.pem", "/key.pem", 3.0)


def test_what_is_left_out_has_a_default() -> None:
    found = target()
    assert (found.vantage, found.transport, found.through_proxy, found.secure) == ("direct", "websocket", False, False)
    assert (found.connect_host, found.connect_port, found.resource) == ("h", 80, "/ws")
    assert (found.origin, found.subprotocols, found.headers, found.secrets) == (None, (), (), ())
    assert (found.validate_certs, found.ca_path, found.client_cert, found.message_timeout_s) == (True, None, None, None)


@pytest.mark.parametrize(
    ("changes", "resource"),
    [
        ({"url": "ws://h"}, "/"),
        ({"url": "ws://h?a=1"}, "/?a=1"),
        ({"url": "ws://h/x?"}, "/x"),
        ({"url": "ws://h/a%2Fb?q=[1]"}, "/a%2Fb?q=[1]"),
        ({"url": "ws://h/", "secret_query": {"t": "1 2"}}, "/?t=1+2"),
    ],
)
def test_the_resource_is_what_a_browser_sends(changes: dict[str, Any], resource: str) -> None:
    assert target(**changes).resource == resource


@pytest.mark.parametrize(
    ("connect_to", "host", "port"),
    [
        ("h.example:1", "h.example", 1),
        ("[::1]:65535", "::1", 65535),
        ("[fe80::1%eth0]:443", "fe80::1%eth0", 443),
        ("Proxy_1:80", "proxy_1", 80),
        ("unix:/srv/app.sock", "unix:/srv/app.sock", 0),
    ],
)
def test_connect_to_is_an_address_or_a_name_with_a_port(connect_to: str, host: str, port: int) -> None:
    found = target(connect_to=connect_to)
    assert (found.connect_host, found.connect_port) == (host, port)


def test_the_longest_secret_is_removed_first() -> None:
    found = target(secret_headers={"A": "key", "B": "key-and-more"})
    assert found.redact("key-and-more, key") == "********, ********"


@pytest.mark.parametrize("origin", ["null", "http://page:80", "https://Page", "chrome-extension://abc"])
def test_an_origin_is_sent_as_it_is(origin: str) -> None:
    assert target(origin=origin).origin == origin


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vantage": "moon"}, "vantage is 'moon'; expected one of direct, proxy, public"),
        ({"transport": "tcp"}, "transport is 'tcp'; expected one of websocket, sse"),
        ({"url": ""}, "url is empty; expected one that starts with ws:// or wss://"),
        (
            {"url": "ws://user:pass@h/"},
            "url contains a user name or password; use secret_headers (Authorization) instead",
        ),
        (
            {"url": "http://h/"},
            "url is 'http://h/', but transport websocket needs one that starts with ws:// or wss://",
        ),
        (
            {"url": "wss://h/", "transport": "sse"},
            "url is 'wss://h/', but transport sse needs one that starts with http:// or https://",
        ),
        ({"url": "ws://h/#a"}, "url is 'ws://h/#a', but a fragment (#) is never sent to a server; remove it"),
        ({"url": "ws://h:0/"}, "url is 'ws://h:0/', but its port is not a number from 1 to 65535"),
        ({"headers": {"a b": "1"}}, "headers has the name 'a b', which HTTP does not allow"),
        (
            {"headers": {"ORIGIN": "x"}},
            "headers contains ORIGIN, which the check sets itself; use origin instead",
        ),
        ({"secret_headers": {"Upgrade": "x"}}, "secret_headers contains Upgrade, which the check sets itself"),
        (
            {"headers": {"A": "1\n2"}},
            "headers: the value of A ('1\\n2') contains a control character, such as a line break",
        ),
        (
            {"secret_headers": {"A": "s3cret\n"}},
            "secret_headers: the value of A contains a control character, such as a line break",
        ),
        ({"headers": {"A": "\u20ac"}}, "headers: the value of A contains a character outside ISO-8859-1"),
        ({"origin": "page"}, "origin is 'page', but it does not start with a scheme and ://"),
        (
            {"origin": "http://page:80/x"},
            "origin is 'http://page:80/x', but a browser sends no path; expected http://page",
        ),
        ({"subprotocols": ["a,b"]}, "subprotocol 'a,b' contains characters that RFC 6455 does not allow"),
        ({"subprotocols": ["a", "a"]}, "subprotocols contains a name twice, which RFC 6455 forbids"),
        ({"connect_to": "h"}, "connect_to is 'h'; expected host:port, e.g. 192.0.2.10:443 or [::1]:8443"),
        (
            {"connect_to": "unix:app.sock"},
            "connect_to is 'unix:app.sock'; expected unix: and an absolute path of at most 107 bytes, e.g. "
            "unix:/srv/app.sock",
        ),
        ({"connect_to": "h:0"}, "connect_to is 'h:0'; expected host:port, e.g. 192.0.2.10:443 or [::1]:8443"),
        ({"connect_to": "h:65536"}, "connect_to is 'h:65536'; expected host:port, e.g. 192.0.2.10:443 or [::1]:8443"),
        (
            {"connect_to": "a..b:1"},
            "connect_to is 'a..b:1', but its host name does not consist of letters, digits, hyphens and single dots "
            "between them",
        ),
        ({"client_key": "/k"}, "client_key is given without client_cert; give both or none"),
        (
            {"client_cert": "/c"},
            "ca_path, ca_certificates or client_cert is given, but ws://h/ws uses no TLS",
        ),
        (
            {"url": "wss://h/", "ca_path": "/c", "ca_certificates": "PEM"},
            "ca_path and ca_certificates are both given; give one of them",
        ),
        ({"message_timeout": 0}, "message_timeout is 0; expected 0.1 to 3600 seconds"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_option(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TargetError, match=f"^{re.escape(f'endpoints[0] (e): {message}')}$"):
        parse_target({"name": "e", "url": "ws://h/ws", **changes}, "endpoints[0]")


@pytest.mark.parametrize(
    ("name", "label", "message"),
    [
        (" ", "endpoints[2]", "endpoints[2] has no name; give it one, since the results are listed by name"),
        (
            "health_websocket",
            "health_websocket",
            "health_websocket: url is empty; expected one that starts with ws:// or wss://",
        ),
    ],
)
def test_an_error_names_the_entry(name: str, label: str, message: str) -> None:
    with pytest.raises(TargetError, match=f"^{re.escape(message)}$"):
        parse_target({"name": name, "url": ""}, label)
