"""Requests followed through whole configurations: the constructs that people write around a WebSocket.

Each behaviour was measured on a real nginx; tests/integration/test_nginx_verdicts.py compares generated ones.
"""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.evaluation import Evaluation, evaluate
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.findings import NOTICE, WARNING, works
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.request import HttpRequest

ASK = HttpRequest("api.test", 80, False, "/ws", upstream_path="/ws", upstream_tls=False)
SENT = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $c; "
    "proxy_read_timeout 1d;"
)
UP = f"proxy_pass http://backend; {SENT}"
AT_B = f"location @b {{ {UP} }}"
UPGRADE = "if ($http_upgrade ~* websocket)"


class Files:
    """A host with the file /srv/page and the directory /srv."""

    def is_directory(self, path: str) -> bool:
        if path not in ("/srv/page", "/srv", "/srv/"):
            raise FileNotFoundError(path)
        return path != "/srv/page"

    def addresses_of(self, name: str) -> tuple[str, ...] | None:
        return {"localhost": ("127.0.0.1", "[::1]")}.get(name)


def evaluated(server: str, request: HttpRequest = ASK, http: str = "", files: Files | None = None) -> Evaluation:
    """The evaluation of one server; ``server`` begins on line 4."""
    text = (
        f"http {{ map $http_upgrade $c {{ default upgrade; '' close; }} upstream backend {{ server 127.0.0.1:1; }}\n"
        f"{http}\nserver {{ server_name api.test;\n{server} }} }}"
    )
    tree = load_tree("/n", lambda _path: text, lambda _pattern: [])
    return evaluate(tree, request, "1.26.3", files or Files())


def verdict(evaluation: Evaluation) -> tuple[bool | None, list[str]]:
    """Whether it works, and the codes of what keeps it from working."""
    return works(evaluation.findings), [
        each.code for each in evaluation.findings if each.level not in (WARNING, NOTICE)
    ]


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(f"root /srv; location / {{ try_files $uri $uri/ @b; }} {AT_B}", id="try-files"),
        pytest.param(f"location / {{ try_files /x /y; }} location /y {{ rewrite ^ /ws break; {UP} }}", id="try-a-uri"),
        pytest.param(f"location / {{ error_page 418 = @b; {UPGRADE} {{ return 418; }} }} {AT_B}", id="418"),
        pytest.param(f"rewrite ^/api/(.*)$ /$1 last; location /ws {{ {UP} }}", id="rewrite-of-the-server"),
        pytest.param(f"location / {{ rewrite ^/ws$ /x last; }} location /x {{ rewrite ^ /ws break; {UP} }}", id="last"),
        pytest.param(f"location / {{ {UPGRADE} {{ proxy_pass http://backend; }} {SENT} }}", id="pass-in-an-if"),
        pytest.param(f"error_page 418 =101 @b; location / {{ return 418; }} {AT_B}", id="the-status-of-an-upgrade"),
        pytest.param(f"error_page 403 = @b; location / {{ deny all; }} {AT_B}", id="denied-and-led-on"),
        pytest.param(f"error_page 404 = @b; root /srv; {AT_B}", id="no-file-and-led-on"),
        pytest.param(
            f"error_page 502 = @b; location / {{ set $x none.test; proxy_pass http://$x; }} {AT_B}",
            id="no-resolver-and-led-on",
        ),
        pytest.param(f"location / {{ set $x backend; proxy_pass http://$x; {SENT} }}", id="variable-with-a-group"),
        pytest.param(f"location / {{ set $x 10.0.0.1:80; proxy_pass http://$x; {SENT} }}", id="address"),
        pytest.param(
            f"location /x {{ proxy_pass http://own.test:81; }} "
            f"location / {{ set $x own.test; proxy_pass http://$x:81; {SENT} }}",
            id="variable-with-a-host-resolved-at-the-start",
        ),
        pytest.param(f"location / {{ proxy_pass http://backend$request_uri; {SENT} }}", id="request-uri"),
        pytest.param(f"location / {{ proxy_pass http://backend/; {SENT} }}", id="path-of-the-location-kept"),
        pytest.param(f"location /w {{ proxy_pass http://backend/w; {SENT} }}", id="path-replaced-by-itself"),
        pytest.param(f"location / {{ {UP} proxy_set_header Connection ''; }}", id="doubled-and-empty"),
        pytest.param(f"location / {{ {UP} limit_except POST {{ allow all; }} }}", id="other-methods-are-limited"),
        pytest.param(f"location / {{ {UP} if ($cookie_x) {{ add_header A b; }} }}", id="either-way-the-same"),
        pytest.param(f"location / {{ {UP} satisfy any; allow all; auth_request /auth; }}", id="satisfied"),
        pytest.param(
            f"rewrite ^ /x; location = /x {{ internal; proxy_pass http://backend/ws; {SENT} }}",
            id="internal-after-a-rewrite",
        ),
    ],
)
def test_what_works_is_called_so(server: str) -> None:
    assert verdict(evaluated(server)) == (True, [])


@pytest.mark.parametrize(
    ("server", "codes", "message"),
    [
        pytest.param(
            "rewrite ^ https://x.test$request_uri permanent;",
            ["redirected"],
            "rewrite ^ https://x.test$request_uri permanent in /n:4 redirects /ws to https://x.test/ws, and a "
            "WebSocket client follows no redirect",
            id="rewrite-permanent",
        ),
        pytest.param(
            f"location /ws {{ proxy_pass http://backend/; {SENT} }}",
            ["path_changed"],
            "the application gets / for /ws (http://backend/ in /n:4), and its WebSocket is at /ws",
            id="path-replaced",
        ),
        pytest.param(
            f"location / {{ if ($http_x_forwarded_proto != 'https') {{ return 301 https://x.test; }} {UP} }}",
            ["location_returns"],
            "location / in /n:4 answers /ws by return 301 https://x.test",
            id="redirect-without-a-forwarded-header",
        ),
        pytest.param(
            f"listen 80 proxy_protocol; location / {{ {UP} }}",
            ["proxy_protocol"],
            "connections to port 80 must begin with a PROXY protocol header, also those to /n:3, because of "
            "listen ... proxy_protocol in /n:4; nginx answers no others",
            id="proxy-protocol",
        ),
        pytest.param(
            f"location / {{ {UP} proxy_set_header Sec-WebSocket-Key ''; }}",
            ["header_removed"],
            "location / in /n:4 removes Sec-WebSocket-Key from the handshake in /n:4",
            id="emptied-key",
        ),
        pytest.param(
            f"location / {{ {UP} proxy_set_header Sec-WebSocket-Version 8; }}",
            ["header_changed"],
            "location / in /n:4 replaces Sec-WebSocket-Version of the handshake in /n:4",
            id="other-version",
        ),
        pytest.param(
            f"location / {{ {UP} proxy_pass_request_headers off; proxy_set_header Sec-WebSocket-Version 13; }}",
            ["header_removed"],
            "location / in /n:4 does not pass Sec-WebSocket-Key to the upstream (proxy_pass_request_headers in /n:4)",
            id="no-headers-passed",
        ),
        pytest.param(
            f"location / {{ proxy_pass https://backend; {SENT} }}",
            ["upstream_scheme"],
            "location / in /n:4 proxies to https://backend in /n:4, and the application is reached by http://: clients "
            "get status 502",
            id="https-to-a-plain-application",
        ),
        pytest.param(
            f"location / {{ set $x app.test; proxy_pass http://$x; {SENT} }}",
            ["no_resolver"],
            "location / in /n:4 proxies to http://$x in /n:4, a host that nginx looks up for each request, and no "
            "resolver is set: clients get status 502",
            id="variable-without-a-resolver",
        ),
        pytest.param(
            f"location / {{ set $x app; proxy_pass $x; {SENT} }}",
            ["upstream_invalid"],
            "location / in /n:4 proxies to $x in /n:4, which is no URL for this request",
            id="variable-without-a-scheme",
        ),
        pytest.param(
            f"location / {{ {UP} deny all; }}",
            ["denied"],
            "location / in /n:4 denies all in /n:4, and clients get status 403",
            id="denied",
        ),
        pytest.param(
            f"location / {{ {UP} limit_except POST {{ deny all; }} }}",
            ["denied"],
            "location / in /n:4 denies all in /n:4, and clients get status 403",
            id="denied-by-the-method",
        ),
        pytest.param(
            f"location / {{ try_files $uri =404; {UP} }}",
            ["try_files"],
            "try_files in /n:4 finds no file for /ws, and clients get status 404",
            id="no-file",
        ),
        pytest.param(
            f"location / {{ error_page 418 @b; return 418; }} {AT_B}",
            ["status_replaced"],
            "error_page 418 @b in /n:4 gives the answer the status 418; with = before the target it keeps its own",
            id="error-page-without-an-equals-sign",
        ),
        pytest.param(
            f"location / {{ {UP} proxy_hide_header Sec-WebSocket-Accept; }}",
            ["header_hidden"],
            "location / in /n:4 hides Sec-WebSocket-Accept of the answer in /n:4, without which a client refuses it",
            id="hidden-answer",
        ),
        pytest.param(
            f"location / {{ {UP} proxy_method POST; }}",
            ["method_changed"],
            "location / in /n:4 sends POST to the upstream in /n:4, and a handshake is a GET",
            id="method",
        ),
        pytest.param(
            "location / { rewrite ^ /ws last; }",
            ["answered"],
            "location / in /n:4 answers /ws with status 500 because of location in /n:4",
            id="cycle",
        ),
        pytest.param(
            "location / { try_files /x @none; }",
            ["answered"],
            "location / in /n:4 answers /ws with status 500 because of try_files in /n:4",
            id="no-such-location",
        ),
        pytest.param(
            f"location / {{ fastcgi_pass x; }} location /ws/a {{ {UP} }}",
            ["not_proxied", "other_location"],
            "location / in /n:4 answers /ws and has no proxy_pass (fastcgi_pass in /n:4)",
            id="another-handler",
        ),
    ],
)
def test_what_fails_is_called_so_with_its_place(server: str, codes: list[str], message: str) -> None:
    evaluation = evaluated(server)
    assert verdict(evaluation) == (False, codes)
    assert message in [each.message for each in evaluation.findings]


@pytest.mark.parametrize(
    ("server", "message"),
    [
        pytest.param(
            f"location / {{ {UP} if ($cookie_x) {{ return 403; }} }}",
            "not followed: /n:4 (the condition ($cookie_x) depends on the request)",
            id="condition",
        ),
        pytest.param(
            f"location / {{ {UP} access_by_lua_file x; }}",
            "not followed: /n:4 (the directive access_by_lua_file is not known)",
            id="directive-of-another-module",
        ),
        pytest.param(
            f"location / {{ set $x app.test; resolver 10.0.0.1; proxy_pass http://$x; {SENT} }}",
            "not followed: /n:4 (the resolver in /n:4 looks up app.test while nginx runs)",
            id="resolver",
        ),
        pytest.param(
            f"location / {{ proxy_pass http://$cookie_x; {SENT} }}",
            "not followed: /n:4 (the value of http://$cookie_x is not known)",
            id="unknown-upstream",
        ),
        pytest.param(
            f"location / {{ alias /x; try_files $uri @b; }} {AT_B}",
            "not followed: /n:4 (the path $uri is not known)",
            id="alias",
        ),
        pytest.param(
            "error_page 404 = @b; location / { proxy_pass http://backend; proxy_intercept_errors on; } "
            f"location @b {{ {UP} }}",
            "not followed: /n:4 (the answer of the application decides whether it applies)",
            id="intercepted-answer",
        ),
        pytest.param(
            f"error_page 403 = @b; location / {{ allow 10.0.0.1; deny all; {UP} }} location @b {{ }}",
            "not followed: /n:4 (deny in /n:4 decides whether it applies)",
            id="access-and-error-page",
        ),
        pytest.param(
            f"location / {{ {UP} auth_request /auth; }}",
            "location / in /n:4 asks for authentication by auth_request in /n:4",
            id="authentication",
        ),
        pytest.param(
            f"location / {{ {UP} proxy_set_header Connection close; }}",
            "location / in /n:4 sends Connection more than once ($c in /n:4, close in /n:4), and the application "
            "decides what that means",
            id="doubled-header",
        ),
        pytest.param(
            f"location / {{ {UP} proxy_set_header Host ''; }}",
            "location / in /n:4 sends no Host in /n:4, which most applications refuse",
            id="no-host",
        ),
        pytest.param(
            f"location / {{ {UP} proxy_hide_header Sec-WebSocket-Extensions; }}",
            "location / in /n:4 hides Sec-WebSocket-Extensions of the answer in /n:4: it works only if client and "
            "application agree on none",
            id="hidden-extensions",
        ),
    ],
)
def test_what_the_configuration_does_not_decide_gets_no_verdict(server: str, message: str) -> None:
    evaluation = evaluated(server)
    assert works(evaluation.findings) is None
    assert message in [each.message for each in evaluation.findings]


def test_without_knowledge_of_the_application_its_path_and_scheme_are_undecided() -> None:
    ask = HttpRequest("api.test", 80, False, "/ws")
    for server, code in (
        ("proxy_pass http://backend/x;", "path_changed"),
        ("proxy_pass https://backend;", "upstream_tls"),
    ):
        assert verdict(evaluated(f"location /ws {{ {server} {SENT} }}", ask)) == (None, [code])


def test_a_default_server_that_serves_the_path_is_no_error() -> None:
    ask = HttpRequest("other.test", 80, False, "/ws", upstream_path="/ws", upstream_tls=False)
    assert verdict(evaluated(f"location / {{ {UP} }}", ask)) == (True, [])
    assert verdict(evaluated("location / { return 404; }", ask)) == (False, ["default_server", "location_returns"])


@pytest.mark.parametrize(
    ("http", "code"),
    [
        ("deny all;", "denied"),
        ("server { listen 80 default_server proxy_protocol; }", "proxy_protocol"),
        ("server { listen 80 default_server ssl; }", "tls_port"),
    ],
)
def test_what_other_files_do_to_a_site_is_found(http: str, code: str) -> None:
    assert verdict(evaluated(f"listen 80; location / {{ {UP} }}", http=http)) == (False, [code])


@pytest.mark.parametrize(
    ("name", "expected"), [("localhost", True), ("other.test", None)], ids=["known-name", "unknown-name"]
)
def test_a_listen_with_a_name_is_followed_if_its_address_is_known(name: str, expected: bool | None) -> None:
    ask = HttpRequest("api.test", 80, False, "/ws", address="127.0.0.1")
    found = evaluated(f"listen {name}:80; listen 80; location / {{ {UP} }}", ask)
    assert works(found.findings) is expected
    said = "not followed: /n:4 (the address of other.test is not known)"
    assert (said in [each.message for each in found.findings]) is (expected is None)
    assert works(evaluated(f"listen {name}:80; location / {{ {UP} }}", ask).findings) is expected


def test_the_idle_timeout_has_its_place() -> None:
    idle = evaluated(
        f"proxy_read_timeout 20s;\nlocation / {{ {UP.replace('proxy_read_timeout 1d;', '')} }}"
    ).idle_timeout
    assert idle is not None
    assert (idle.seconds, idle.value.where) == (20, "/n:4")
    default = evaluated("location / { proxy_pass http://backend; }").idle_timeout
    assert default is not None
    assert (default.seconds, default.value.where) == (60, None)
    assert evaluated("location / { return 404; }").idle_timeout is None


def test_the_path_that_the_application_gets_is_returned() -> None:
    assert evaluated(f"location /ws {{ proxy_pass http://backend/app/; {SENT} }}").upstream_path == "/app/"
