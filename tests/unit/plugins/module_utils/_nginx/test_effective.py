"""nginx's own rules: which server, which location, which value."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import config as nginx_config
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import effective as nginx_effective
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective import Request

ASK = Request("api.example.com", 80, False, "/ws")


def tree_of(http: str) -> nginx_config.Tree:
    return nginx_config.load_tree("/n/nginx.conf", lambda _path: f"http {{\n{http}\n}}", lambda _pattern: [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60", 60), ("86400s", 86400), ("1h 30m", 5400), ("75ms", 0.075), ("1d", 86400), ("x", None), ("", None)],
)
def test_times_are_read(text: str, expected: float | None) -> None:
    assert nginx_effective.seconds(text) == expected


@pytest.mark.parametrize(
    ("names", "host", "expected"),
    [
        pytest.param(["a", "b"], "b", (1, "name"), id="exact"),
        pytest.param(["*.example.com", "api.example.com"], "api.example.com", (1, "name"), id="exact-before-wildcard"),
        pytest.param(["*.com", "*.example.com"], "x.example.com", (1, "wildcard"), id="longest-wildcard"),
        pytest.param(["api.*", "*.example.com"], "api.example.com", (1, "wildcard"), id="leading-before-trailing"),
        pytest.param(["~^api", "api.*"], "api.example.com", (1, "wildcard"), id="wildcard-before-regex"),
        pytest.param(["~zz", "~^(?<n>a)pi", "~^api"], "api.example.com", (1, "regex"), id="first-regex"),
        pytest.param([".example.com"], "example.com", (0, "name"), id="dot-is-the-name-itself"),
        pytest.param(["x", ".example.com"], "y.example.com", (1, "wildcard"), id="dot-is-a-wildcard-too"),
        pytest.param(["a", "b"], "c", (0, "default"), id="first-is-default"),
        pytest.param(["a", "B.example.com"], "b.EXAMPLE.com.", (1, "name"), id="case-and-trailing-dot"),
        pytest.param(["a", "a"], "a", (0, "name"), id="first-of-two"),
        pytest.param(["a.b", ".a.b", "~b$"], "x.a.b", (2, "regex"), id="a-dot-whose-name-is-taken-is-nothing"),
        pytest.param([".a.b", "a.b *.a.b"], "x.a.b", (0, "wildcard"), id="a-dot-takes-both"),
        pytest.param(["*.a.b", ".a.b", "a.*"], "a.b", (2, "wildcard"), id="a-dot-whose-wildcard-is-taken-is-nothing"),
    ],
)
def test_the_server_is_chosen_by_nginx_s_rules(names: list[str], host: str, expected: tuple[int, str]) -> None:
    tree = tree_of("\n".join(f"server {{ server_name {name}; }}" for name in names))
    candidates = nginx_effective.servers_at(tree.servers(), ASK)
    server, _listen, matched = nginx_effective.choose_server(candidates, host)
    assert (server.line - 2, matched) == expected


def test_the_marked_default_server_answers_unknown_names() -> None:
    tree = tree_of("server { server_name a; }\nserver { listen 80 default_server; }")
    found = nginx_effective.choose_server(nginx_effective.servers_at(tree.servers(), ASK), "x")
    assert (found[0].line, found[2]) == (3, "default")


def test_the_very_address_goes_before_any_address() -> None:
    tree = tree_of("server { listen 80; server_name api.example.com; }\nserver { listen 10.0.0.1:80; }")
    asked = Request("api.example.com", 80, False, "/ws", address="10.0.0.1")
    assert [server.line for server, _listen in nginx_effective.servers_at(tree.servers(), asked)] == [3]
    assert [server.line for server, _listen in nginx_effective.servers_at(tree.servers(), ASK)] == [2]


@pytest.mark.parametrize(
    ("locations", "path", "expected"),
    [
        pytest.param("location / {} location /ws {}", "/ws", ["/ws"], id="longest-prefix"),
        pytest.param("location /ws {}", "/wsx", ["/ws"], id="a-prefix-catches-more"),
        pytest.param("location = /ws {} location ~ w {}", "/ws", ["= /ws"], id="exact-first"),
        pytest.param("location =/ws {}", "/ws", ["=/ws"], id="modifier-without-blank"),
        pytest.param("location = /ws {} location / {}", "/wsx", ["/"], id="exact-is-exact"),
        pytest.param("location /ws {} location ~ ^/w {}", "/ws", ["~ ^/w"], id="regex-before-prefix"),
        pytest.param("location ^~ /ws {} location ~ ^/w {}", "/ws", ["^~ /ws"], id="hat-stops-regexes"),
        pytest.param("location ~* /WS {} location ~ ^/w {}", "/ws", ["~* /WS"], id="first-regex"),
        pytest.param("location /a { location /a/ws {} }", "/a/ws", ["/a", "/a/ws"], id="nested"),
        pytest.param(
            "location /a { location ~ ws {} } location ~ a {}", "/a/ws", ["/a", "~ ws"], id="nested-regex-first"
        ),
        pytest.param(
            "location ^~ /a { location /a/ws {} } location ~ a {}", "/a/ws", ["^~ /a", "/a/ws"], id="outer-hat"
        ),
        pytest.param(
            "location /a { location ^~ /a/ws {} } location ~ a {}", "/a/ws", ["~ a"], id="inner-hat-counts-inside"
        ),
        pytest.param(
            "location ~ a { location /a/ws {} location ~ w {} }", "/a/ws", ["~ a", "~ w"], id="regexes-in-one"
        ),
        pytest.param("location ~ [[:upper:]]s {} location / {}", "/Ws", ["~ [[:upper:]]s"], id="class-of-pcre"),
        pytest.param("location @named {}", "/ws", [], id="named-is-not-asked"),
        pytest.param("", "/ws", [], id="none"),
    ],
)
def test_the_location_is_chosen_by_nginx_s_rules(locations: str, path: str, expected: list[str]) -> None:
    server = tree_of(f"server {{ {locations} }}").servers()[0]
    assert [" ".join(each.args) for each in nginx_effective.find_location(server, path).chain] == expected


@pytest.mark.parametrize(
    ("locations", "expected"),
    [
        pytest.param("location /ws/ { proxy_pass x; }", True, id="prefix"),
        pytest.param("location = /ws/ { fastcgi_pass x; }", True, id="exact"),
        pytest.param(
            "location /w { location /ws/ { proxy_pass x; } } location ~ w {}", True, id="nested-before-regexes"
        ),
        pytest.param("location /ws/ { root /x; }", False, id="files"),
        pytest.param("location /ws/ { proxy_pass x; } location /ws {}", False, id="the-path-has-a-location"),
        pytest.param("location /ws/ { proxy_pass x; } location = /ws {}", False, id="the-path-has-an-exact-one"),
    ],
)
def test_a_path_without_its_slash_is_redirected_where_nginx_does_it(locations: str, expected: bool) -> None:
    assert nginx_effective.find_location(tree_of(f"server {{ {locations} }}").servers()[0], "/ws").redirects is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/ws", "/ws"),
        ("/ws?token=/x", "/ws"),
        ("/a//b/", "/a/b/"),
        ("/a/../ws", "/ws"),
        ("/a/./ws/.", "/a/ws/"),
        ("/a/b/..", "/a/"),
        ("/../ws", "/ws"),
        ("/%77s%2Fx", "/ws/x"),
        ("/", "/"),
    ],
)
def test_a_path_is_taken_as_nginx_compares_it(text: str, expected: str) -> None:
    assert nginx_effective.normal_path(text) == expected


def codes(http: str, request: Request = ASK, version: str = "1.26.3") -> list[str]:
    return [each.code for each in nginx_effective.explain(tree_of(http), request, version).findings]


GOOD = (
    "proxy_pass http://u; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "$c"; proxy_read_timeout 1d;'
)
MAP = 'map $http_upgrade $c { default ""; websocket upgrade; }'


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param(f"location / {{ {GOOD} proxy_http_version 1.1; }}", ["every_upgrade"], id="good"),
        pytest.param(f"location / {{ {GOOD} }}", ["every_upgrade", "http_version"], id="http-version"),
        pytest.param("location / { root /x; }", ["not_proxied"], id="files"),
        pytest.param("", ["not_proxied"], id="no-location"),
        pytest.param(
            f"location / {{ internal; {GOOD} proxy_http_version 1.1; }}", ["internal", "every_upgrade"], id="internal"
        ),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.1; }} location ~ \\Qws {{ }}",
            ["every_upgrade", "unread_pattern"],
            id="a-pattern-that-python-has-not",
        ),
        pytest.param(
            f"if ($scheme = https) {{ return 404; }} location / {{ if ($http_upgrade = '') {{ return 426; }} {GOOD} "
            "proxy_http_version 1.1; }",
            ["every_upgrade"],
            id="returns-of-other-requests",
        ),
        pytest.param(
            f"set $x 1; location / {{ if ($x) {{ break; }} return 404; {GOOD} proxy_http_version 1.1; }}",
            ["every_upgrade"],
            id="break-before-return",
        ),
        pytest.param(
            f"auth_basic x; deny all; limit_conn z 2; location / {{ {GOOD} proxy_http_version 1.1; }}",
            ["every_upgrade", "authentication", "access", "limit_conn"],
            id="restrictions",
        ),
    ],
)
def test_findings_of_a_server(server: str, expected: list[str]) -> None:
    assert codes(f"{MAP} server {{ server_name api.example.com; {server} }}") == expected


def test_newer_versions_speak_http_1_1_by_themselves() -> None:
    http = f"{MAP} server {{ server_name api.example.com; location / {{ {GOOD} }} }}"
    assert "http_version" in codes(http, version="1.29.6")
    assert "http_version" not in codes(http, version="1.29.7")


def test_nobody_listens() -> None:
    answer = nginx_effective.explain(tree_of("server { listen 81; }"), ASK)
    assert [each.message for each in answer.findings] == ["no server listens on port 80"]


@pytest.mark.parametrize(
    ("listen", "tls", "expected"),
    [("443 ssl", False, "tls_port"), ("443", True, "plain_port"), ("443 ssl", True, None)],
)
def test_tls_and_plain_are_told_apart(listen: str, tls: bool, expected: str | None) -> None:
    found = codes(f"server {{ listen {listen}; server_name h; }}", Request("h", 443, tls, "/ws"))
    assert [code for code in found if code.endswith("_port")] == ([expected] if expected else [])


def test_a_name_on_another_port_is_pointed_at() -> None:
    found = nginx_effective.explain(
        tree_of("server { server_name x; }\nserver { listen 8080; server_name api.example.com; }"), ASK
    ).findings[0]
    assert found.message == (
        "no server on port 80 has the name api.example.com, so the default server in /n/nginx.conf:2 answers; "
        "/n/nginx.conf:3 has the name, on port 8080"
    )


@pytest.mark.parametrize(
    ("more", "upgrade", "expected"),
    [
        pytest.param("map $http_upgrade $u { default x; }", "$u", 'sends Upgrade "x"', id="map-default"),
        pytest.param("map $http_upgrade $u { ~*^websocket$ websocket; }", "$u", None, id="map-regex"),
        pytest.param("map $http_upgrade $v { websocket y; } map $v $u { y websocket; }", "$u", None, id="map-of-a-map"),
        pytest.param("", "$cookie_u", "depends on the request", id="unknown"),
        pytest.param("", '""', 'sends Upgrade ""', id="emptied"),
    ],
)
def test_the_value_of_upgrade_is_followed_through_variables(more: str, upgrade: str, expected: str | None) -> None:
    headers = f"proxy_set_header Upgrade {upgrade}; proxy_set_header Connection upgrade;"
    http = f"{more} server {{ server_name api.example.com; location / {{ proxy_pass http://u; {headers} }} }}"
    messages = [each.message for each in nginx_effective.explain(tree_of(http), ASK).findings]
    assert any(expected in each for each in messages) if expected else not any("Upgrade" in each for each in messages)
