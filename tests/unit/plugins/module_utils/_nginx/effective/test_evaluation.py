"""Findings for whole configurations."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import Tree, load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.evaluation import Evaluation, evaluate
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.findings import (
    ERROR,
    NOTICE,
    UNDECIDED,
    WARNING,
    ConfigFinding,
    as_results,
    works,
)
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.request import HttpRequest

ASK = HttpRequest("api.example.com", 80, False, "/ws")
WORKING = (
    "location / { proxy_pass http://u; proxy_http_version 1.1; proxy_read_timeout 1d; "
    "proxy_set_header Host $host; proxy_set_header Upgrade websocket; proxy_set_header Connection Upgrade; }"
)
HEADERS = 'proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "$c";'
GOOD = f"proxy_pass http://u; {HEADERS} proxy_read_timeout 1d;"
MAP = 'map $http_upgrade $c { default ""; websocket upgrade; }'


def tree_of(http: str) -> Tree:
    """The first line of ``http`` is line 2."""
    return load_tree("/n/nginx.conf", lambda _path: f"http {{\n{http}\n}}", lambda _pattern: [])


def evaluated(http: str, request: HttpRequest = ASK, version: str = "1.26.3") -> Evaluation:
    return evaluate(tree_of(http), request, version)


def codes(http: str, request: HttpRequest = ASK, version: str = "1.26.3") -> list[str]:
    return [each.code for each in evaluated(http, request, version).findings]


def messages(server: str, request: HttpRequest = ASK) -> list[str]:
    """Errors and warnings for one server on line 3."""
    http = f"{MAP}\nserver {{ server_name api.example.com; {server} }}"
    return [each.message for each in evaluated(http, request).findings if each.level != NOTICE]


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param(f"location / {{ {GOOD} proxy_http_version 1.1; }}", ["every_upgrade"], id="good"),
        pytest.param(f"location / {{ {GOOD} }}", ["every_upgrade", "http_version"], id="http-version"),
        pytest.param("location / { root /x; }", ["not_proxied"], id="files"),
        pytest.param("", ["not_proxied"], id="no-location"),
        pytest.param(f"location / {{ internal; {GOOD} proxy_http_version 1.1; }}", ["internal"], id="internal"),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.1; }} location ~ \\Qws {{ }}",
            ["not_followed", "every_upgrade"],
            id="a-pattern-that-python-lacks",
        ),
        pytest.param(
            f"if ($scheme = https) {{ return 404; }} location / {{ if ($http_upgrade = '') {{ return 426; }} {GOOD} "
            "proxy_http_version 1.1; }",
            ["every_upgrade"],
            id="returns-for-other-requests",
        ),
        pytest.param(
            f"set $x 1; location / {{ if ($x) {{ break; }} return 404; {GOOD} proxy_http_version 1.1; }}",
            ["every_upgrade"],
            id="break-before-return",
        ),
        pytest.param(
            f"auth_basic x; auth_basic_user_file y; allow 10.0.0.0/8; deny all; limit_conn z 2; "
            f"location / {{ {GOOD} proxy_http_version 1.1; }}",
            ["access", "authentication", "every_upgrade", "limit_conn"],
            id="restrictions",
        ),
        pytest.param(f"location /ws/ {{ {GOOD} proxy_http_version 1.1; }}", ["redirected"], id="redirect-to-the-slash"),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.1; location /w {{ }} }}",
            ["not_proxied", "other_location"],
            id="a-nested-location-inherits-no-proxy_pass",
        ),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.1; if ($http_upgrade) {{ }} }}",
            ["every_upgrade"],
            id="an-if-inherits-the-proxy_pass",
        ),
        pytest.param(
            f"proxy_http_version 1.1; {HEADERS} location / {{ location /w {{ proxy_pass http://u; "
            "proxy_read_timeout 1d; } }",
            ["every_upgrade"],
            id="headers-inherited-over-two-contexts",
        ),
        pytest.param(
            f"location / {{ {GOOD} location /w {{ if ($http_upgrade) {{ }} }} }}",
            ["not_proxied", "other_location"],
            id="an-if-inherits-no-proxy_pass-of-an-outer-location",
        ),
        pytest.param(
            f"location / {{ {GOOD.replace('$http_upgrade', 'websocket')} proxy_http_version 1.1; }}",
            [],
            id="nothing",
        ),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.1; }} location /( {{ }} server_name ~^api;",
            ["every_upgrade"],
            id="only-regular-expressions-are-evaluated-as-such",
        ),
    ],
)
def test_findings_of_a_server(server: str, expected: list[str]) -> None:
    assert codes(f"{MAP} server {{ server_name api.example.com; {server} }}") == expected


def test_newer_versions_speak_http_1_1_by_default() -> None:
    http = f"{MAP} server {{ server_name api.example.com; location / {{ {GOOD} }} }}"
    assert "http_version" in codes(http, version="1.29.6")
    assert "http_version" not in codes(http, version="1.29.7")


def test_a_port_without_a_listener_is_reported() -> None:
    evaluation = evaluated("server { listen 81; }")
    assert [each.message for each in evaluation.findings] == ["no server listens on port 80"]
    assert (evaluation.server, evaluation.location) == (None, None)


def test_a_good_configuration_is_returned_with_its_values() -> None:
    evaluation = evaluated(f"{MAP}\nserver {{ server_name api.example.com; location = /ws {{ {GOOD} }} }}")
    assert evaluation.server is not None
    assert evaluation.location is not None
    assert (evaluation.server.matched_by, evaluation.location.args) == ("name", ("=", "/ws"))
    assert evaluation.values["proxy_read_timeout"].value == "1d"
    assert evaluation.headers["upgrade"].value == "$http_upgrade"


@pytest.mark.parametrize(
    ("listen", "tls", "expected"),
    [
        ("443 ssl", False, "/n/nginx.conf:2 speaks TLS on port 443, and a plain request gets status 400 there"),
        ("443", True, "/n/nginx.conf:2 speaks no TLS on port 443, and wss was asked for"),
        ("443 ssl", True, None),
        ("443", False, None),
    ],
)
def test_tls_is_told_from_plain(listen: str, tls: bool, expected: str | None) -> None:
    found = evaluated(f"server {{ listen {listen}; server_name h; }}", HttpRequest("h", 443, tls, "/ws")).findings
    assert [each.message for each in found if each.code.endswith("_port")] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        pytest.param(
            "server { server_name x; }\nserver { listen 8080; server_name api.example.com; }",
            "no server on port 80 has the name api.example.com, so the default server in /n/nginx.conf:2 answers; "
            "/n/nginx.conf:3 has the name, on port 8080",
            id="default-server",
        ),
        pytest.param(
            "server { server_name x; }",
            "no server on port 80 has the name api.example.com, so the default server in /n/nginx.conf:2 answers",
            id="default-server-and-no-other",
        ),
        pytest.param(
            "server { server_name x; }\nserver { listen 8080; listen 81; server_name api.example.com; }",
            "no server on port 80 has the name api.example.com, so the default server in /n/nginx.conf:2 answers; "
            "/n/nginx.conf:3 has the name, on port 81, 8080",
            id="default-server-and-the-name-on-two-ports",
        ),
        pytest.param(
            "server { server_name api.example.com; }\nserver { server_name a API.example.com; }",
            "/n/nginx.conf:3 has the name api.example.com on port 80 too and is ignored, since /n/nginx.conf:2 comes "
            "first",
            id="duplicate-name",
        ),
        pytest.param(
            "server { server_name api.example.com; }\nserver { listen 10.0.0.1:80; }",
            "connections to 10.0.0.1:80 are answered by /n/nginx.conf:3 whatever their host name, since it listens on "
            "that very address",
            id="address-taken",
        ),
        pytest.param(
            "server { server_name api.example.com; return 301 https://x; }",
            "the server in /n/nginx.conf:2 answers everything by return 301 https://x in /n/nginx.conf:2, before a "
            "location is chosen",
            id="server-returns",
        ),
        pytest.param(
            "server { server_name api.example.com; if ($host = api.example.com) { return 404; } }",
            "the server in /n/nginx.conf:2 answers /ws by return 404 in /n/nginx.conf:2, before a location is chosen",
            id="server-returns-in-an-if",
        ),
        pytest.param(
            "server { return 404; } server { server_name ~\\Qx; " + WORKING + " }",
            "not followed: /n/nginx.conf:2 (the regular expression ~\\Qx cannot be evaluated here)",
            id="pattern-of-a-name-that-python-lacks",
        ),
    ],
)
def test_findings_about_the_server_name_the_places(http: str, expected: str) -> None:
    assert expected in [each.message for each in evaluated(http).findings]


def test_a_server_at_the_address_that_was_asked_for_takes_nothing() -> None:
    http = "server { server_name api.example.com; }\nserver { listen 10.0.0.1:80; }"
    assert "address_taken" not in codes(http, HttpRequest("api.example.com", 80, False, "/ws", address="10.0.0.2"))


def test_servers_on_exact_addresses_alone_take_nothing_from_one_another() -> None:
    http = "server { listen 10.0.0.1:80; server_name api.example.com; }\nserver { listen 10.0.0.2:80; }"
    assert "address_taken" not in codes(http)


PLACE = "location / in /n/nginx.conf:3"
HTTP_1_1 = "proxy_pass http://u; proxy_http_version 1.1; proxy_read_timeout 1d;"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param(
            f"location / {{ {HTTP_1_1} }}",
            [
                f"{PLACE} proxies /ws without proxy_set_header Upgrade, so the upstream gets an ordinary request",
            ],
            id="upgrade-missing",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1} proxy_set_header Host x; }}",
            [
                f"{PLACE} proxies /ws without proxy_set_header Upgrade, so the upstream gets an ordinary request",
            ],
            id="upgrade-missing-among-other-headers",
        ),
        pytest.param(
            f"\n{HEADERS}\nlocation / {{ {HTTP_1_1}\nproxy_set_header Host x; }}",
            [
                "location / in /n/nginx.conf:5 sets proxy_set_header Host in /n/nginx.conf:6 and so drops Upgrade set "
                "in /n/nginx.conf:4",
            ],
            id="header-shadowed",
        ),
        pytest.param(
            f"{HEADERS} location / {{ proxy_set_header A b; location /w {{ {HTTP_1_1} }} }}",
            [
                f"{PLACE} sets proxy_set_header A in /n/nginx.conf:3 and so drops Upgrade set in /n/nginx.conf:3",
            ],
            id="header-shadowed-by-an-outer-location",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1} proxy_set_header Upgrade $http_upgrade; }}",
            [
                f"{PLACE} sets Upgrade but not Connection, which then does not ask for the upgrade in /n/nginx.conf:3",
            ],
            id="connection-missing",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1} proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection close; }}",
            [
                f'{PLACE} sends Connection "close" for a WebSocket request (close in /n/nginx.conf:3), "upgrade" is '
                "needed",
            ],
            id="connection-wrong",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1} proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection Upgrade; }}",
            [
                f"{PLACE} sends Connection upgrade for every request in /n/nginx.conf:3, which breaks ordinary ones: "
                "use a map of $http_upgrade",
            ],
            id="connection-fixed",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1} proxy_set_header Upgrade $http_upgrade; "
            'proxy_set_header Connection "keep-alive, Upgrade , x"; }',
            [],
            id="connection-with-several-words",
        ),
        pytest.param(
            f"location / {{ {GOOD} }}",
            [
                f"{PLACE} speaks HTTP/1.0 to the upstream, the default of nginx before 1.29.7, which has no upgrade: "
                "set proxy_http_version 1.1",
            ],
            id="default-http-version",
        ),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.0; }}",
            [
                f"{PLACE} speaks HTTP/1.0 to the upstream in /n/nginx.conf:3, which has no upgrade: "
                "set proxy_http_version 1.1",
            ],
            id="http-version-in-the-file",
        ),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.1; proxy_read_timeout 90; }}",
            [
                f"{PLACE} closes a connection after 90 s of silence (proxy_read_timeout in /n/nginx.conf:3), "
                "expected are 86400 s",
            ],
            id="idle-timeout",
        ),
        pytest.param(
            f"location / {{ proxy_pass http://u; {HEADERS} proxy_http_version 1.1; }}",
            [
                f"{PLACE} closes a connection after 60 s of silence (proxy_read_timeout, the default), "
                "expected are 86400 s",
            ],
            id="default-idle-timeout",
        ),
        pytest.param("location / { return 404; }", [f"{PLACE} answers /ws by return 404"], id="location-returns"),
        pytest.param("location / { }", [f"{PLACE} answers /ws and has no proxy_pass"], id="not-proxied"),
        pytest.param(
            "",
            [
                "the server in /n/nginx.conf:3, without any location for /ws, answers /ws and has no proxy_pass",
            ],
            id="no-location",
        ),
        pytest.param(
            f"location /ws/ {{ {GOOD} }}",
            [
                "location /ws/ in /n/nginx.conf:3 makes nginx redirect /ws to /ws/, and a WebSocket client follows no "
                "redirect",
            ],
            id="redirected",
        ),
        pytest.param(
            f"location / {{ }} location ~ ^/x {{ {GOOD} }} location /api {{ {GOOD} }} location /ws/a {{ {GOOD} }}",
            [
                f"{PLACE} answers /ws and has no proxy_pass",
                f"{PLACE} gets /ws, and location /ws/a in /n/nginx.conf:3, which has a proxy_pass and the upgrade, "
                "does not",
            ],
            id="other-location-that-would-fit",
        ),
        pytest.param(
            f"location ^~ /ws {{ {HTTP_1_1} }} location ~ ^/w {{ {GOOD} }}",
            [
                "location ^~ /ws in /n/nginx.conf:3 proxies /ws without proxy_set_header Upgrade, so the upstream gets "
                "an ordinary request",
                "location ^~ /ws in /n/nginx.conf:3 gets /ws, and location ~ ^/w in /n/nginx.conf:3, which has the "
                "upgrade, does not",
            ],
            id="other-location-with-a-regex",
        ),
        pytest.param(
            f"location ~ \\Qws {{ }} location / {{ {GOOD} proxy_http_version 1.1; }}",
            [
                "not followed: /n/nginx.conf:3 (the regular expression \\Qws of the location cannot be evaluated here)",
            ],
            id="pattern-that-python-lacks",
        ),
    ],
)
def test_findings_about_the_location_say_what_is_wrong_and_where(server: str, expected: list[str]) -> None:
    assert messages(server) == expected


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        pytest.param(f"location / {{ {HTTP_1_1} }}", [("upgrade_missing", ERROR, (3,))], id="upgrade-missing"),
        pytest.param(
            f"\n{HEADERS}\nlocation / {{ {HTTP_1_1}\nproxy_set_header Host x; }}",
            [("header_shadowed", ERROR, (6, 4))],
            id="header-shadowed",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1} proxy_set_header Upgrade websocket; }}",
            [("connection_missing", ERROR, (3,))],
            id="connection-missing",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1} proxy_set_header Upgrade websocket;\nproxy_set_header Connection close; }}",
            [("connection_wrong", ERROR, (4,))],
            id="connection-wrong",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1} proxy_set_header Upgrade websocket;\nproxy_set_header Connection upgrade; }}",
            [("connection_fixed", WARNING, (4,))],
            id="connection-fixed",
        ),
        pytest.param(
            f"location / {{ {HTTP_1_1}\nproxy_set_header Upgrade h2c; proxy_set_header Connection $c; }}",
            [("upgrade_wrong", ERROR, (4,))],
            id="upgrade-wrong",
        ),
        pytest.param(
            f"location / {{ {GOOD}\nproxy_http_version 1.1; }}", [("every_upgrade", NOTICE, (3,))], id="every-upgrade"
        ),
        pytest.param(
            f"location / {{ {GOOD}\nproxy_http_version 1.0; }}",
            [("every_upgrade", NOTICE, (3,)), ("http_version", ERROR, (4,))],
            id="http-version",
        ),
        pytest.param(
            f"location / {{ {GOOD}\nproxy_http_version 2; }}",
            [("every_upgrade", NOTICE, (3,)), ("http_version", ERROR, (4,))],
            id="http-version-without-an-upgrade",
        ),
        pytest.param(
            f"location / {{ proxy_pass http://u; {HEADERS} proxy_http_version 1.1;\nproxy_read_timeout 90; }}",
            [("every_upgrade", NOTICE, (3,)), ("idle_timeout", WARNING, (4,))],
            id="idle-timeout",
        ),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.1; }} }}\nserver {{ listen 10.0.0.1:80;",
            [("address_taken", WARNING, (4,)), ("every_upgrade", NOTICE, (3,))],
            id="address-taken",
        ),
        pytest.param(
            f"location / {{ {GOOD} proxy_http_version 1.1; }} }}\nserver {{ server_name api.example.com;",
            [("duplicate_name", WARNING, (3, 4)), ("every_upgrade", NOTICE, (3,))],
            id="duplicate-name",
        ),
    ],
)
def test_a_finding_has_a_level_and_the_lines_that_cause_it(
    http: str, expected: list[tuple[str, str, tuple[int, ...]]]
) -> None:
    found = evaluated(f"{MAP}\nserver {{ server_name api.example.com; {http} }}").findings
    told = sorted((each.code, each.level, each.where) for each in found if each.code != "host_not_forwarded")
    assert told == [(code, level, tuple(f"/n/nginx.conf:{line}" for line in lines)) for code, level, lines in expected]


def test_a_host_that_is_that_of_the_upstream_is_a_notice() -> None:
    found = evaluated(f"{MAP}\nserver {{ server_name api.example.com; location / {{ {HTTP_1_1} }} }}").findings
    assert [(each.level, each.message) for each in found if each.code == "host_not_forwarded"] == [
        (
            NOTICE,
            f"{PLACE} sends the name of the upstream as Host: an application that compares Origin or allowed hosts "
            "with it refuses the handshake; set proxy_set_header Host $host",
        )
    ]


@pytest.mark.parametrize(
    ("port", "header", "code"),
    [
        pytest.param(8443, "Host $host", "host_without_port", id="another-port"),
        pytest.param(8443, "Host $http_host", None, id="with-the-port"),
        pytest.param(443, "Host $host", None, id="default-port"),
        pytest.param(8443, "X-Forwarded-Proto $scheme", None, id="scheme-of-tls"),
        pytest.param(80, "X-Forwarded-Proto $scheme", "forwarded_scheme", id="scheme-of-a-plain-port"),
        pytest.param(80, "X-Forwarded-Proto https", None, id="fixed-scheme"),
    ],
)
def test_what_an_application_is_told_of_the_request_is_a_notice(port: int, header: str, code: str | None) -> None:
    tls = port != 80
    server = (
        f"server {{ listen {port} {'ssl' if tls else ''}; server_name api.example.com; location / {{ {HTTP_1_1} "
        f"proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $c; proxy_set_header {header}; }} }}"
    )
    found = codes(f"{MAP}\n{server}", HttpRequest("api.example.com", port, tls, "/ws"))
    assert {*found} & {"host_without_port", "forwarded_scheme"} == ({code} if code else set())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param("return 204;", None, id="let-in"),
        pytest.param("return 403;", "which answers 403: clients get 403", id="refused"),
        pytest.param(
            "return 302 https://login.example.com/;",
            "which answers 302, and nginx takes all but 2xx, 401 and 403 for a failure: clients get 500",
            id="redirect",
        ),
        pytest.param(
            f"{HEADERS} proxy_pass http://auth;",
            "location = /a in /n/nginx.conf:3, which auth_request in /n/nginx.conf:3 asks, passes Upgrade: a server "
            "that takes the question for a WebSocket makes nginx answer with status 500; set proxy_set_header Upgrade "
            '"" there',
            id="asked-with-the-upgrade",
        ),
        pytest.param(
            "proxy_pass http://auth;", "asks for authentication by auth_request in /n/nginx.conf:3", id="another-server"
        ),
    ],
)
def test_auth_request_is_followed_into_its_own_location(answer: str, told: str | None) -> None:
    server = f"location / {{ auth_request /a; {GOOD} proxy_http_version 1.1; }} location = /a {{ {answer} }}"
    found = messages(server)
    if told is None:
        assert found == []
    else:
        assert any(told in each for each in found), found


@pytest.mark.parametrize(
    ("directives", "code", "level"),
    [
        pytest.param("proxy_set_body x;", "body_sent", ERROR, id="body"),
        pytest.param("proxy_set_body $cookie_x;", "body_sent", UNDECIDED, id="body-of-the-client"),
        pytest.param("proxy_set_header Transfer-Encoding chunked;", "body_sent", ERROR, id="announced-body"),
        pytest.param("proxy_buffer_size 200;", "proxy_buffer_size", UNDECIDED, id="small-buffer"),
        pytest.param("limit_rate 10;", "limit_rate", UNDECIDED, id="slow"),
        pytest.param("limit_rate 10k;", None, NOTICE, id="fast-enough"),
        pytest.param("add_header Sec-WebSocket-Accept x always;", "header_added", ERROR, id="second-accept"),
        pytest.param("add_header Sec-WebSocket-Protocol x always;", "header_added", UNDECIDED, id="second-protocol"),
        pytest.param("add_header Sec-WebSocket-Accept x;", None, NOTICE, id="not-added-to-a-101"),
        pytest.param("proxy_set_header Sec-WebSocket-Protocol '';", "protocol_removed", WARNING, id="no-protocol"),
        pytest.param("proxy_bind 192.0.2.9;", "not_followed", UNDECIDED, id="address-of-an-unknown-host"),
        pytest.param("proxy_bind 127.0.0.9;", None, NOTICE, id="loopback-address"),
    ],
)
def test_further_directives_that_decide_a_handshake(directives: str, code: str | None, level: str) -> None:
    server = f"server {{ server_name api.example.com; location / {{ {GOOD} proxy_http_version 1.1; {directives} }} }}"
    found = {each.code: each.level for each in evaluated(f"{MAP}\n{server}").findings if each.level != NOTICE}
    assert found == ({} if code is None else {code: level})


@pytest.mark.parametrize(
    ("more", "upgrade", "expected"),
    [
        pytest.param("map $http_upgrade $u { default x; }", "$u", 'sends Upgrade "x"', id="map-default"),
        pytest.param("map $http_upgrade $u { ~*^websocket$ websocket; }", "$u", None, id="map-regex"),
        pytest.param("map $http_upgrade $v { websocket y; } map $v $u { y websocket; }", "$u", None, id="map-of-a-map"),
        pytest.param(
            "", "$cookie_u", "sends Upgrade with a value that depends on the request ($cookie_u in", id="unknown"
        ),
        pytest.param("", '""', 'sends Upgrade ""', id="emptied"),
    ],
)
def test_the_value_of_upgrade_is_followed_through_variables(more: str, upgrade: str, expected: str | None) -> None:
    headers = f"proxy_set_header Upgrade {upgrade}; proxy_set_header Connection upgrade;"
    http = f"{more} server {{ server_name api.example.com; location / {{ proxy_pass http://u; {headers} }} }}"
    found = [each.message for each in evaluated(http).findings]
    assert any(expected in each for each in found) if expected else not any("Upgrade" in each for each in found)


def test_an_unknown_value_of_connection_decides_nothing() -> None:
    headers = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $cookie_c;"
    server = f"location / {{ {HTTP_1_1} {headers} }}"
    http = f"server {{ server_name api.example.com; {server} }}"
    assert codes(http) == ["every_upgrade", "unknown_value", "host_not_forwarded"]
    assert works(evaluated(http).findings) is None


def test_a_port_that_a_stream_server_forwards_has_no_verdict() -> None:
    text = (
        "stream {\nserver { listen 443; ssl_preread on; proxy_pass 127.0.0.1:8443; }\n}\n"
        "http { server { listen 127.0.0.1:8443 ssl; server_name api.example.com; return 200; } }"
    )
    tree = load_tree("/n/nginx.conf", lambda _path: text, lambda _pattern: [])
    found = evaluate(tree, HttpRequest("api.example.com", 443, True, "/ws"), "1.26.3").findings
    assert [each.message for each in found] == [
        "not followed: /n/nginx.conf:2 (the stream server forwards port 443 without a look at the request)"
    ]
    nobody = evaluate(tree, HttpRequest("api.example.com", 80, False, "/ws"), "1.26.3").findings
    assert [each.code for each in nobody] == ["no_listener"]


def test_a_file_that_cannot_be_read_is_a_warning() -> None:
    files = {
        "/n/nginx.conf": "http { include gone; include broken; server { server_name api.example.com; return 200; } }",
        "/n/broken": "a {",
    }

    def read(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    found = evaluate(load_tree("/n/nginx.conf", read, lambda _pattern: []), ASK).findings
    assert [each.message for each in found if each.code == "unreadable_file"] == [
        "a file cannot be read and is not evaluated: /n/gone",
        "a file cannot be read and is not evaluated: a block that is not closed in /n/broken:1",
    ]


def test_results_say_whether_it_works_and_leave_notices_out_of_the_message() -> None:
    notice = ConfigFinding("a", NOTICE, "one")
    warning = ConfigFinding("b", WARNING, "two", ("/f:1",))
    error = ConfigFinding("c", ERROR, "three")
    assert as_results([notice, warning]) == {
        "findings": [
            {"code": "a", "level": "notice", "message": "one", "where": []},
            {"code": "b", "level": "warning", "message": "two", "where": ["/f:1"]},
        ],
        "ok": True,
        "message": "two",
    }
    assert (as_results([warning, error])["ok"], as_results([warning, error])["message"]) == (False, "two; three")
