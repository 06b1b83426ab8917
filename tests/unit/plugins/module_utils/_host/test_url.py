"""URLs, host names and origins."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host import url as _url


@pytest.mark.parametrize(
    ("text", "url", "port", "origin"),
    [
        pytest.param(
            "http://A.Example.com", ("http", "a.example.com", None, ""), 80, "http://a.example.com", id="plain"
        ),
        pytest.param(
            "wss://a.example.com:8443/ws?x=1#y",
            ("wss", "a.example.com", 8443, "/ws"),
            8443,
            "https://a.example.com:8443",
            id="everything",
        ),
        pytest.param("https://a.b:443/", ("https", "a.b", 443, "/"), 443, "https://a.b", id="default port"),
        pytest.param(
            "ws://[2001:DB8::1]:81/ws", ("ws", "2001:db8::1", 81, "/ws"), 81, "http://[2001:db8::1]:81", id="IPv6"
        ),
        pytest.param("ws://10.0.0.1", ("ws", "10.0.0.1", None, ""), 80, "http://10.0.0.1", id="IPv4"),
    ],
)
def test_a_url_is_taken_apart(text: str, url: tuple[object, ...], port: int, origin: str) -> None:
    found = _url.parse_url(text)
    assert (found.scheme, found.host, found.explicit_port, found.path) == url
    assert (found.port, found.origin) == (port, origin)


@pytest.mark.parametrize(
    ("text", "authority", "resource", "api_url", "shown"),
    [
        pytest.param(
            "wss://A.b:443/ws?x=1#y", "a.b", "/ws?x=1", "https://a.b", "wss://a.b/ws?x=1#y", id="default port"
        ),
        pytest.param("ws://a.b:443", "a.b:443", "/", "http://a.b:443", "ws://a.b:443", id="the other scheme's port"),
        pytest.param("http://[::1]:81/?a", "[::1]:81", "/?a", "http://[::1]:81", "http://[::1]:81/?a", id="IPv6"),
        pytest.param("git://a.b:9418/r", "a.b:9418", "/r", "git://a.b:9418", "git://a.b:9418/r", id="another scheme"),
    ],
)
def test_addresses_are_derived_from_a_url(text: str, authority: str, resource: str, api_url: str, shown: str) -> None:
    found = _url.parse_url(text)
    assert (found.authority, found.resource, found.api_url, str(found)) == (authority, resource, api_url, shown)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        pytest.param("WS://a.example.com", "a.example.com", id="scheme in capital letters"),
        pytest.param("ws://bücher.example", "xn--bcher-kva.example", id="other letters"),
        pytest.param("ws://a_b.example", "a_b.example", id="underscore"),
        pytest.param("ws://A.example.com.", "a.example.com.", id="final dot"),
    ],
)
def test_names_that_only_resolve_are_accepted_on_request(text: str, host: str) -> None:
    with pytest.raises(_url.UrlError):
        _url.parse_url(text)
    assert (_url.parse_url(text, lenient=True).host, _url.parse_url(text, lenient=True).scheme) == (host, "ws")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.example.com",
        "ws:/a.example.com",
        "ws://",
        "ws://a..b",
        "ws://a..",
        "ws://a-.",
        "ws://.a",
        "ws://.",
        "ws://-a.b",
        "ws://1.2.3",
        "ws://1.2.3.4.",
        "ws://a b.c",
        "ws://a.b:0",
        "ws://a.b:65536",
        "ws://a.b:",
        "ws://a.b:8x",
        "ws://u:p@a.b",
        "ws://2001:db8::1/ws",
        "ws://[1.2.3.4]",
        "ws://[::1",
        "ws://[fe80::1%eth0]",
        "ws://" + "a" * 64 + ".b",
        "ws://" + "a." * 127 + "bb",
        "ws://a.b/x\ny",
        "ws://a.b\\c",
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_what_is_not_a_url_is_refused(text: str, lenient: bool) -> None:
    with pytest.raises(_url.UrlError):
        _url.parse_url(text, lenient=lenient)


@pytest.mark.parametrize(
    ("host", "loopback", "internal"),
    [
        ("localhost", True, True),
        ("api.codeframe.localhost", True, False),
        ("127.9.9.9", True, True),
        ("::1", True, True),
        ("0.0.0.0", True, True),
        ("localhost.example.com", False, False),
        ("codeframe.home.frankbria.net", False, True),
        ("nas.local", False, True),
        ("staging", False, True),
        ("192.168.1.5", False, True),
        ("100.64.1.5", False, True),
        ("fd00::5", False, True),
        ("2606:4700::1", False, False),
        ("8.8.8.8", False, False),
        ("home.example.com", False, False),
        ("example.com", False, False),
    ],
)
def test_names_of_one_machine_and_of_one_network(host: str, loopback: bool, internal: bool) -> None:
    assert _url.is_loopback(host) is loopback
    assert loopback or _url.is_internal(host) is internal


@pytest.mark.parametrize("text", ["http://a.example.com", "https://a.example.com:8443", "http://[::1]:3000"])
def test_an_origin_as_browsers_send_it_is_accepted(text: str) -> None:
    assert _url.check_origin(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("ws://a.example.com", "it does not start with http:// or https://", id="scheme"),
        pytest.param("http://a.example.com/", "it does not end after host and port", id="path"),
        pytest.param("http://a.example.com?x", "it does not end after host and port", id="query"),
        pytest.param("http://a.example.com#x", "it does not end after host and port", id="fragment"),
        pytest.param("http://a.example.com:80", "browsers write the same origin in another way", id="default port"),
        pytest.param("http://A.example.com", "browsers write the same origin in another way", id="capital letters"),
        pytest.param("null", "it does not start with a scheme and ://", id="no URL"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(text: str, message: str) -> None:
    with pytest.raises(_url.UrlError) as caught:
        _url.check_origin(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("a.example.com", "a.example.com", True),
        ("A.Example.com", "a.example.com", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("example.com", "a.example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label(name: str, host: str, covered: bool) -> None:
    assert _url.covers(name, host) is covered


@pytest.mark.parametrize(
    ("text", "shown", "passwords"),
    [
        pytest.param("https://u:p@a.b/r.git", "https://a.b/r.git", {"p"}, id="password"),
        pytest.param("https://u:p@q@a.b/r", "https://a.b/r", {"p@q"}, id="at sign in a password"),
        pytest.param("https://token@a.b/r", "https://a.b/r", set(), id="user alone"),
        pytest.param("ssh://git@a.b/r", "ssh://git@a.b/r", set(), id="ssh"),
        pytest.param("ssh://git:p@a.b/r", "ssh://a.b/r", {"p"}, id="ssh with a password"),
        pytest.param("git@a.b:r", "git@a.b:r", set(), id="scp form"),
        pytest.param("https://a.b/x@y:z@w", "https://a.b/x@y:z@w", set(), id="at sign in the path"),
        pytest.param("http://a.b?x=u:p@c", "http://a.b?x=u:p@c", set(), id="at sign in the query"),
        pytest.param(
            "from HTTP://u:p1@a.b/ to wss://v:p2@c.d/x", "from HTTP://a.b/ to wss://c.d/x", {"p1", "p2"}, id="several"
        ),
        pytest.param("no URL", "no URL", set(), id="none"),
    ],
)
def test_user_names_and_passwords_are_found_in_a_text(text: str, shown: str, passwords: set[str]) -> None:
    assert (_url.without_userinfo(text), _url.passwords_in(text)) == (shown, passwords)
