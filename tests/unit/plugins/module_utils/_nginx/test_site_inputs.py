"""Values that a directive can hold, and inputs that contradict each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site_inputs import (
    SiteInputError,
    SiteInputs,
    contradictions,
    listens_at,
    read_inputs,
    refusals,
    truth,
    variable_of,
    variable_to_set,
)

GOOD: dict[str, Any] = {
    "provider": "nginx",
    "site_name": "app",
    "page": True,
    "page_url": "http://app.example.com",
    "api_url": "http://api.example.com",
    "ws_url": "ws://api.example.com/ws",
    "backend_upstream": "127.0.0.1:14200",
    "frontend_upstream": "127.0.0.1:14100",
    "websocket_paths": ["/ws"],
    "websocket_upstreams": {},
    "sse_paths": [],
    "api_paths": ["/api/"],
    "static_publish": True,
    "static_root": "/var/lib/app",
    "static_url_path": "/_next/static/",
    "page_static": False,
    "page_fallback": "",
    "client_max_body_size": "1m",
    "websocket_idle_timeout": 86400,
    "connect_timeout": 60,
    "request_timeout": 60,
    "nginx_shutdown_timeout": 0,
    "nginx_clients": 0,
    "websocket_connections_per_address": 0,
    "listen_port": 0,
    "ipv6": True,
    "tls_certificate": "",
    "tls_key": "",
    "tls_redirect": True,
    "acme_root": "/var/www/html",
    "websocket_allow": [],
    "websocket_deny": [],
}
#: What ends a directive or a block, begins a comment, a text or a variable, and a second line.
HOSTILE = {
    "semicolon": ";",
    "closing-brace": "}",
    "opening-brace": " {",
    "hash": "#",
    "double-quote": '"',
    "single-quote": "'",
    "variable": "$host",
    "newline": "\n",
    "return": "\r",
    "space": " ",
    "backslash": "\\",
    "tab": "\t",
    "zero": "\x00",
}
#: A value for each input whose default is empty.
FILLED = {"sse_paths": "/e", "websocket_allow": "192.0.2.1", "websocket_deny": "all", "websocket_upstreams": "a:1"}
LISTS = {"websocket_paths", "sse_paths", "api_paths", "websocket_allow", "websocket_deny"}


def inputs(**changes: Any) -> SiteInputs:
    return read_inputs({**GOOD, **changes})


def test_good_inputs_are_accepted() -> None:
    assert refusals(GOOD) == ()
    assert contradictions(inputs()) == ()


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_input_can_hold_what_leaves_a_directive(name: str, text: str) -> None:
    right = FILLED.get(name) or (GOOD[name][0] if name in LISTS else GOOD[name])
    value: object = f"{right}{text}"
    if name in LISTS:
        value = [right, value]
    elif name == "websocket_upstreams":
        value = {"/ws": right, "/other": value}
    [message] = refusals({**GOOD, name: value})
    assert message.startswith(f"proxy_{name} ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("page_url", "https://app.example.com:8443", id="port"),
        pytest.param("page_url", "http://[2001:db8::1]", id="ipv6"),
        pytest.param("page_url", "http://192.0.2.1/", id="slash"),
        pytest.param("page_url", "http://App.Example.com/a/b-c_d~e", id="path"),
        pytest.param("api_url", "", id="api-of-the-websocket"),
        pytest.param("ws_url", "wss://api.example.com", id="websocket-without-path"),
        pytest.param("backend_upstream", "backend:1", id="host-name"),
        pytest.param("backend_upstream", "[::1]:65535", id="ipv6-upstream"),
        pytest.param("backend_upstream", "unix:/srv/app.run/backend.sock", id="socket"),
        pytest.param("websocket_upstreams", {"/ws": "unix:/srv/app.sock"}, id="socket-of-a-path"),
        pytest.param("websocket_paths", ["/ws", "/live/", "/", "/socket.io/", "/a/b@c"], id="paths"),
        pytest.param("websocket_paths", ("/ws",), id="tuple"),
        pytest.param("client_max_body_size", 0, id="no-limit"),
        pytest.param("client_max_body_size", "10M", id="mega"),
        pytest.param("listen_port", "8080", id="number-as-text"),
        pytest.param("connect_timeout", "999999999", id="longest"),
        pytest.param("ipv6", "no", id="word"),
        pytest.param("websocket_deny", ["all", "192.0.2.0/24", "2001:db8::/32", "::1"], id="networks"),
        pytest.param("tls_key", "/etc/letsencrypt/live/app.example.com/privkey.pem", id="file"),
    ],
)
def test_a_value_that_a_directive_can_hold_is_accepted(name: str, value: object) -> None:
    assert refusals({**GOOD, name: value}) == ()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param(
            "provider", "caddy", 'is "caddy", expected nginx, nginx_proxy_manager or manual', id="unknown-provider"
        ),
        pytest.param(
            "site_name",
            "../x",
            'is "../x", expected letters, digits, dots, hyphens and underscores',
            id="name-of-another-directory",
        ),
        pytest.param(
            "page_url",
            "ws://app.example.com",
            'is "ws://app.example.com", expected a URL such as http://app.example.com or https://app.example.com:8443',
            id="scheme-of-a-websocket",
        ),
        pytest.param(
            "page_url",
            "",
            'is "", expected a URL such as http://app.example.com or https://app.example.com:8443',
            id="no-page",
        ),
        pytest.param(
            "ws_url",
            "ws://api.example.com/ws?x=1",
            'is "ws://api.example.com/ws?x=1", expected a URL such as ws://api.example.com/ws',
            id="query",
        ),
        pytest.param(
            "ws_url",
            "ws://api.example.com/ws#x",
            'is "ws://api.example.com/ws#x", expected a URL such as ws://api.example.com/ws',
            id="fragment",
        ),
        pytest.param(
            "ws_url",
            "ws://api.example.com/a//b",
            'is "ws://api.example.com/a//b", expected a URL such as ws://api.example.com/ws',
            id="empty-part-in-a-url",
        ),
        pytest.param(
            "api_paths",
            ["/api/", "/a%20b", "/a/../b", "/a//b", "api", "/a/."],
            'holds "/a%20b", "/a/../b", "/a//b", "api", "/a/.", expected paths such as /health, or /api/ for all below '
            "it, decoded and without dots",
            id="paths-that-nginx-never-compares",
        ),
        pytest.param(
            "websocket_paths",
            "/ws",
            'is "/ws", expected a list of paths such as /ws, or /ws/ for all below it, decoded and without dots',
            id="text-for-a-list",
        ),
        pytest.param(
            "websocket_upstreams",
            ["/ws"],
            'is ["/ws"], expected a dictionary with a host and a port for each path, such as 127.0.0.1:14300',
            id="list-for-a-dictionary",
        ),
        pytest.param(
            "backend_upstream",
            "a:0",
            'is "a:0", expected a host and a port such as 127.0.0.1:14200, or unix: and the path of a socket',
            id="port-0",
        ),
        pytest.param(
            "backend_upstream",
            "a:65536",
            'is "a:65536", expected a host and a port such as 127.0.0.1:14200, or unix: and the path of a socket',
            id="port-too-high",
        ),
        pytest.param("listen_port", 70000, "is 70000, expected a port, or 0 for those of the public URLs", id="port"),
        pytest.param("listen_port", True, "is true, expected a port, or 0 for those of the public URLs", id="truth"),
        pytest.param("connect_timeout", 0, "is 0, expected a number of seconds, at least 1", id="no-time"),
        pytest.param("connect_timeout", -1, "is -1, expected a number of seconds, at least 1", id="negative"),
        pytest.param("connect_timeout", 1.5, 'is "1.5", expected a number of seconds, at least 1', id="fraction"),
        pytest.param("ipv6", "perhaps", 'is "perhaps", expected true or false', id="neither"),
        pytest.param("tls_key", "key.pem", 'is "key.pem", expected an absolute path without blanks', id="relative"),
        pytest.param(
            "websocket_allow",
            ["a.example.com"],
            'holds "a.example.com", expected addresses or networks such as 192.0.2.0/24',
            id="host-name-as-a-network",
        ),
    ],
)
def test_a_value_that_no_directive_can_hold_is_refused_by_name(name: str, value: object, message: str) -> None:
    [found] = refusals({**GOOD, name: value})
    assert found.startswith(f"proxy_{name} {message}")


def test_the_url_of_a_page_that_the_proxy_does_not_serve_is_not_judged() -> None:
    assert refusals({**GOOD, "page": False, "page_url": "$x"}) == ()
    assert refusals({**GOOD, "page": "no", "page_url": "$x"}) == ()
    assert inputs(page=False).public_page is None


def test_a_missing_input_is_named_by_the_variable_to_set() -> None:
    values = {name: value for name, value in GOOD.items() if name not in ("ws_url", "static_root", "sse_paths")}
    assert refusals(values) == (
        "proxy_ws_url is not set, expected a URL such as ws://api.example.com/ws",
        "proxy_static_root is not set, expected a directory such as /var/lib/codeframe-staging/app",
    )
    assert refusals(values, ["staging_public_url"])[0].startswith("staging_public_ws_url is not set")


def test_a_message_names_the_variable_that_the_user_has_set() -> None:
    values = {**GOOD, "page_url": "$x", "ws_url": "$y", "connect_timeout": 0}
    names = [message.partition(" ")[0] for message in refusals(values, ["staging_public_url", "staging_other"])]
    assert names == ["staging_public_url", "proxy_ws_url", "proxy_connect_timeout"]
    assert variable_of("page_url", []) == "proxy_page_url"
    assert variable_to_set("page", ["staging_other"]) == "staging_proxy_page"
    assert variable_to_set("page", []) == "proxy_page"
    assert variable_to_set("connect_timeout", ["staging_other"]) == "staging_proxy_connect_timeout"
    assert variable_to_set("manager_token", ["staging_other"], "staging_x") == "staging_x"


def test_words_and_texts_become_what_they_mean() -> None:
    read = inputs(page="yes", ipv6="false", listen_port="8080", connect_timeout="5", websocket_upstreams={"/ws": "a:1"})
    assert (read.page, read.ipv6, read.listen_port, read.connect_timeout) == (True, False, 8080, 5)
    assert read.websocket_upstreams == {"/ws": "a:1"}
    assert read.websocket_paths == ("/ws",)


@pytest.mark.parametrize(
    ("value", "truthful"),
    [("yes", True), (" True ", True), ("on", True), ("1", True), ("no", False), ("", False), (1, True), (0, False)],
)
def test_a_word_is_a_truth(value: object, truthful: bool) -> None:
    assert truth(value) is truthful


def test_the_api_and_the_path_follow_from_the_websocket() -> None:
    read = inputs(api_url="", websocket_paths=[], ws_url="wss://API.example.com:8443/live")
    assert (read.api_url, read.websocket_paths) == ("https://api.example.com:8443", ("/live",))
    assert inputs(websocket_paths=[], ws_url="ws://api.example.com").websocket_paths == ("/",)
    assert inputs().api_url == "http://api.example.com"


def test_inputs_survive_being_saved() -> None:
    read = inputs(websocket_upstreams={"/ws": "a:1"}, sse_paths=["/e"])
    saved = read.as_dict()
    assert read_inputs(saved) == read
    assert saved["sse_paths"] == ["/e"]
    assert "provider" not in saved


def test_inputs_that_are_refused_are_not_read() -> None:
    with pytest.raises(SiteInputError, match=r"^proxy_page_url is .*; proxy_connect_timeout is 0, "):
        inputs(page_url="$x", connect_timeout=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"tls_certificate": "/c.pem"},
            'proxy_tls_certificate is "/c.pem" and proxy_tls_key is "", expected both or neither',
            id="certificate-without-key",
        ),
        pytest.param(
            {"tls_key": "/k.pem"},
            'proxy_tls_certificate is "" and proxy_tls_key is "/k.pem", expected both or neither',
            id="key-without-certificate",
        ),
        pytest.param(
            {"ws_url": "ws://api.example.com/ws/v2", "websocket_paths": ["/ws", "/other/"]},
            'proxy_ws_url is "ws://api.example.com/ws/v2", and none of proxy_websocket_paths (/ws, /other/) covers its '
            "path, expected /ws/v2 among them",
            id="path-that-is-not-routed",
        ),
        pytest.param(
            {"ws_url": "ws://api.example.com", "websocket_paths": ["/ws"]},
            'proxy_ws_url is "ws://api.example.com", and none of proxy_websocket_paths (/ws) covers its path, expected '
            "/ among them",
            id="root-that-is-not-routed",
        ),
        pytest.param(
            {"websocket_upstreams": {"/ws": "a:1", "/x": "a:1", "/y": "a:1"}},
            "proxy_websocket_upstreams names /x, /y, expected paths of proxy_websocket_paths (/ws)",
            id="upstream-without-path",
        ),
    ],
)
def test_inputs_that_contradict_each_other_are_named(changes: dict[str, Any], message: str) -> None:
    assert contradictions(inputs(**changes)) == (message,)


@pytest.mark.parametrize("path", ["/live/", "/live/x", "/ws", "/a/b/c"])
def test_a_path_that_is_routed_by_one_above_is_no_contradiction(path: str) -> None:
    routed = inputs(ws_url=f"ws://api.example.com{path}", websocket_paths=["/live/", "/ws", "/a/"])
    assert contradictions(routed) == ()


@pytest.mark.parametrize(
    "limit",
    [{"websocket_allow": ["192.0.2.1"]}, {"websocket_deny": ["all"]}, {"websocket_connections_per_address": 1}],
)
def test_limits_that_nginx_alone_has_are_refused_with_another_proxy(limit: dict[str, Any]) -> None:
    assert contradictions(inputs(**limit)) == ()
    for provider in ("proxy_manager", "nginx_proxy_manager"):
        [message] = contradictions(inputs(**limit), provider)
        assert message.endswith("are for nginx alone; expected an access list in Nginx Proxy Manager itself")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ((), "proxy_backend_upstream"),
        (("staging_backend_socket",), "staging_backend_socket"),
        (("staging_backend_socket", "staging_proxy_backend_upstream"), "staging_proxy_backend_upstream"),
    ],
)
def test_a_socket_is_for_nginx_alone(given: tuple[str, ...], name: str) -> None:
    at_socket = inputs(backend_upstream="unix:/srv/app.sock")
    assert contradictions(at_socket, "nginx", given) == ()
    assert contradictions(at_socket, "nginx_proxy_manager", given) == (
        f'{name} is "unix:/srv/app.sock", a socket of this host, which only nginx on it can connect to, and Nginx '
        "Proxy Manager is the proxy; expected a host and a port",
    )
    of_path = inputs(websocket_upstreams={"/ws": "unix:/srv/app.sock"})
    assert [text.partition(" is ")[0] for text in contradictions(of_path, "caddy")] == ["proxy_websocket_upstreams"]


@pytest.mark.parametrize(
    "upstream", ["unix:app.sock", "unix:/srv/a b", "unix:/srv/a;", "unix:/srv/$x", "unix:/srv/app.sock:/ws", "unix:"]
)
def test_a_socket_that_a_directive_cannot_hold_is_refused(upstream: str) -> None:
    assert refusals({**GOOD, "backend_upstream": upstream}) != ()


def test_contradictions_name_the_variables_that_the_user_has_set() -> None:
    wrong = inputs(tls_key="/k.pem", ws_url="ws://api.example.com/x", websocket_upstreams={"/y": "a:1"})
    given = ["staging_tls_key", "staging_public_ws_url", "staging_websocket_paths"]
    tls, path, upstream = contradictions(wrong, given=given)
    assert tls.startswith('proxy_tls_certificate is "" and staging_tls_key is ')
    assert path.startswith("staging_public_ws_url is ")
    assert "none of staging_websocket_paths" in path
    assert upstream.endswith("expected paths of staging_websocket_paths (/ws)")


@pytest.mark.parametrize(
    ("upstream", "port", "own"),
    [
        ("127.0.0.1:80", 80, True),
        ("localhost:80", 80, True),
        ("[::1]:80", 80, True),
        ("127.0.0.1:81", 80, False),
        ("192.0.2.1:80", 80, False),
    ],
)
def test_a_process_of_this_host_has_its_port(upstream: str, port: int, own: bool) -> None:
    assert listens_at(upstream, port) is own


@pytest.mark.parametrize("value", ["index.html", "200.html", "app/index.html", ""])
def test_a_fallback_is_a_file_of_the_page(value: str) -> None:
    assert refusals({**GOOD, "page_fallback": value}) == ()


@pytest.mark.parametrize("value", ["/index.html", "../index.html", ".env", "a//b", "a/.b", "index.html ="])
def test_another_fallback_is_refused(value: str) -> None:
    [message] = refusals({**GOOD, "page_fallback": value})
    assert message.endswith("expected a file of the build such as index.html, or nothing")


@pytest.mark.parametrize(
    ("changes", "provider", "message"),
    [
        pytest.param({"page_static": True, "static_url_path": "/"}, "nginx", None, id="nginx"),
        pytest.param(
            {"page_static": True},
            "manual",
            "staging_frontend_serve is static, so nginx on the host serves the page; expected staging_proxy_provider: "
            "nginx and staging_proxy_page: true",
            id="another-proxy",
        ),
        pytest.param(
            {"page_static": True, "page": False},
            "nginx",
            "staging_frontend_serve is static, so nginx on the host serves the page; expected staging_proxy_provider: "
            "nginx and staging_proxy_page: true",
            id="without-the-page",
        ),
        pytest.param(
            {"static_url_path": "/"},
            "nginx",
            "proxy_static_url_path is /, expected the path of the static files alone, such as /assets/, unless "
            "staging_frontend_serve is static",
            id="all-files-of-a-process",
        ),
    ],
)
def test_a_page_without_a_process_needs_nginx(changes: dict[str, Any], provider: str, message: str | None) -> None:
    found = contradictions(inputs(**changes), provider, {"staging_frontend_serve"})
    assert found == (() if message is None else (message,))
