"""The verdict on what stands between a browser and the application, each case with the real server that makes it.

A cause is named only where something proves it. Each case has what it was taken for before, in its comment.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.modules import websocket_check
from free_ports import free_port
from module_runner import RunModule
from websocket_servers import FASTAPI, UP, haproxy, nginx, running, serving

PING_PONG = {"send": {"type": "ping"}, "expect": {"type": "pong"}}

# A development server of Next.js leaves an upgrade that is not its own unanswered (seen with 14 and 15).
PAGE = """
const http = require('http')
const server = http.createServer((request, response) => {
  if (request.url.startsWith('/missing')) { response.statusCode = 404; response.end('Cannot GET ' + request.url) }
  else { response.setHeader('Content-Type', 'text/html; charset=utf-8'); response.end('<html>the page</html>') }
})
server.on('upgrade', (request, socket) => {
  const head = 'HTTP/1.1 404 Not Found\\r\\nContent-Length: 15\\r\\n\\r\\n'
  if (request.url.startsWith('/missing')) socket.end(head + 'Cannot GET /ws\\n')
})
server.listen(Number(process.argv[2]), '127.0.0.1')
"""

INNER = """
  server {{
    listen 127.0.0.1:{site};
    server_name app.localhost;
    location /ws {{ proxy_pass http://127.0.0.1:{backend}; {up} }}
    location /no-key {{ proxy_pass http://127.0.0.1:{backend}/ws; {up} proxy_set_header Sec-WebSocket-Key ""; }}
    location /no-version {{ proxy_pass http://127.0.0.1:{backend}/ws; {up} proxy_set_header Sec-WebSocket-Version ""; }}
    location /deny {{ allow 10.0.0.0/8; deny all; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location /sub403 {{ auth_request /refuse; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location = /refuse {{ internal; return 403; }}
    location /sub401 {{ auth_request /unknown; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location /sub204 {{ auth_request /known; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location /sub-login {{ auth_request /sends-to-login; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location /sub-down {{ auth_request /asks-nobody; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location /sub-upgraded {{ auth_request /asks-with-upgrade; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location = /known {{ internal; return 204; }}
    location = /sends-to-login {{ internal; return 302 https://login.example.com/; }}
    location = /asks-nobody {{ internal; proxy_pass http://127.0.0.1:1; }}
    location = /asks-with-upgrade {{ internal; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location /login {{ auth_request /unknown; error_page 401 = @login; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location = /unknown {{ internal; return 401; }}
    location @login {{ return 302 https://login.example.com/?rd=$scheme://$http_host$request_uri; }}
    location /moved {{ return 301 https://www.example.com$request_uri; }}
    location /down {{ return 301 http://$http_host$request_uri; }}
    location /elsewhere {{ return 302 https://www.example.com/; }}
    location /page {{ proxy_pass http://127.0.0.1:{page}; {up} }}
    location /missing {{ proxy_pass http://127.0.0.1:{page}; {up} }}
    location /dropped {{ proxy_pass http://127.0.0.1:{backend}/ws; proxy_http_version 1.1; }}
    location /hides {{ proxy_pass http://127.0.0.1:{backend}/ws; {up} proxy_hide_header Sec-WebSocket-Accept; }}
    location /slow {{ proxy_pass http://127.0.0.1:{backend}/ws; {up} limit_rate 20; }}
    location /origin {{ if ($http_origin) {{ return 403; }} proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
    location /says-400 {{ return 400; }}
    location /says-426 {{ return 426; }}
  }}
  server {{
    listen 127.0.0.1:{small}; large_client_header_buffers 4 2k;
    location /ws {{ proxy_pass http://127.0.0.1:{backend}; {up} }}
  }}
  server {{
    listen 127.0.0.1:{proxied} proxy_protocol;
    location / {{ proxy_pass http://127.0.0.1:{backend}; {up} }}
  }}
"""


class Site:
    """Ports of what runs for these tests."""

    def __init__(self) -> None:
        self.backend = self.site = self.page = self.proxied = self.small = 0
        self.directory = Path()

    def direct(self) -> dict[str, Any]:
        return {"name": "backend", "url": f"ws://127.0.0.1:{self.backend}/ws", "vantage": "direct"}

    def proxy(self, path: str = "/ws", **more: Any) -> dict[str, Any]:
        return {"name": "proxy", "url": f"ws://app.localhost:{self.site}{path}", "vantage": "proxy", **more}

    def public(self, port: int, path: str = "/ws", **more: Any) -> dict[str, Any]:
        return {"name": "public", "url": f"ws://127.0.0.1:{port}{path}", "vantage": "public", **more}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site()
    made.directory = directory = tmp_path_factory.mktemp("verdict")
    made.site, made.page, made.proxied, made.small = (free_port() for _ in range(4))
    (directory / "page.js").write_text(PAGE)
    command = [shutil.which("node") or "node", "page.js", str(made.page)]
    with ExitStack() as stack:
        made.backend = stack.enter_context(serving(directory / "backend", FASTAPI))
        stack.enter_context(running(command, made.page, directory / "page.log", directory))
        text = INNER.format(
            up=UP, **{name: getattr(made, name) for name in ("backend", "site", "page", "proxied", "small")}
        )
        stack.enter_context(nginx(directory / "inner", text, made.site, made.proxied))
        yield made


@pytest.fixture
def check(run_module: RunModule) -> Callable[..., dict[str, Any]]:
    def run(*endpoints: dict[str, Any], **options: Any) -> dict[str, Any]:
        args = {"endpoints": list(endpoints), "fail_on": "never", "handshake_timeout": 3}
        return run_module(websocket_check, {**args, **options})

    return run


def causes(result: dict[str, Any]) -> list[str | None]:
    return [entry["cause"] for entry in result["results"]]


@pytest.mark.parametrize(
    ("path", "cause", "told", "remedy"),
    [
        # Each of these was upgrade_not_forwarded.
        pytest.param(
            "/no-key", "handshake_header_lost", "Sec-WebSocket-Key", "proxy_set_header Sec-WebSocket-Key", id="no-key"
        ),
        pytest.param(
            "/no-version", "handshake_header_lost", "Sec-WebSocket-Version", "Sec-WebSocket-Version", id="no-version"
        ),
        pytest.param(
            "/missing", "refused_behind_proxy", "is not proven", "compare proxy_pass", id="404-of-another-server"
        ),
        pytest.param("/says-400", "bad_request", "the proxy itself", "error log", id="400-of-nginx"),
        pytest.param(
            "/says-426", "refused_behind_proxy", "is not proven", "compare proxy_pass", id="426-without-words"
        ),
        # The claim where it is right.
        pytest.param(
            "/dropped",
            "upgrade_not_forwarded",
            "the page that the backend gives to a request without an upgrade",
            "proxy_set_header Upgrade",
            id="upgrade-dropped",
        ),
        # not_routed_by_proxy, "add a location".
        pytest.param("/deny", "denied_by_proxy", "an access rule covers /deny", "access forbidden by rule", id="deny"),
        pytest.param(
            "/sub403", "denied_by_proxy", "an access rule covers /sub403", "secret_headers", id="auth_request-403"
        ),
        pytest.param(
            "/sub401", "authentication_required", "auth_request", "exclude the path /sub401", id="auth_request-401"
        ),
        # "Switch off caching for this path".
        pytest.param("/hides", "accept_key_wrong", "the proxy removes it", "proxy_hide_header", id="hidden-accept"),
        # "Read the application's log and check its load".
        pytest.param("/slow", "handshake_stalled", "accepts the upgrade when asked directly", "limit_rate", id="slow"),
        # server_error, "the application failed".
        pytest.param(
            "/sub-login", "server_error", "failed before it had an answer of the backend", "unexpected status", id="302"
        ),
        pytest.param(
            "/sub-down", "server_error", "the server that auth_request asks", "proxy's error log", id="auth-down"
        ),
        # redirected, "use wss://login.example.com/?rd=... and build the page with it".
        pytest.param("/login", "login_page_in_front", "a login is in front of /login", "exclude /login", id="login"),
        # Redirects without a login keep their meaning.
        pytest.param(
            "/moved", "redirected", "plain HTTP is redirected to TLS", "use wss://www.example.com/moved", id="moved"
        ),
        pytest.param(
            "/elsewhere", "redirected", "redirects to https://www.example.com/", "remove the redirect", id="elsewhere"
        ),
        # handshake_stalled, "raise handshake_timeout".
        pytest.param(
            "/page", "not_a_websocket", "gets HTTP 200 with text/html at once", "add a location for /page", id="page"
        ),
    ],
)
def test_a_refusal_through_nginx(
    check: Callable[..., dict[str, Any]], site: Site, path: str, cause: str, told: str, remedy: str
) -> None:
    result = check(site.direct(), site.proxy(path))
    assert causes(result) == [None, cause], result["diagnosis"]
    assert told in result["diagnosis"]["explanation"]
    assert remedy in result["diagnosis"]["remedy"]


def test_an_origin_that_nginx_refuses_is_no_matter_of_the_application(
    check: Callable[..., dict[str, Any]], site: Site
) -> None:
    """It was "add ... to the application's allowed origins"."""
    result = check(site.direct(), site.proxy("/origin", origin="https://page.example.com"))
    assert causes(result) == [None, "origin_rejected"], result["diagnosis"]
    assert "the condition on $http_origin in the proxy" in result["diagnosis"]["remedy"]


def test_a_question_of_auth_request_that_lets_in(check: Callable[..., dict[str, Any]], site: Site) -> None:
    assert causes(check(site.direct(), site.proxy("/sub204"), **PING_PONG)) == [None, None]


def test_a_question_of_auth_request_that_is_asked_with_the_upgrade(
    check: Callable[..., dict[str, Any]], site: Site
) -> None:
    """The application takes the question for a handshake; what comes then is no answer to the client's."""
    result = check(site.direct(), site.proxy("/sub-upgraded"))
    assert causes(result)[0] is None
    assert causes(result)[1] not in (None, "upgrade_not_forwarded"), result["diagnosis"]


HTTPS_ONLY = (
    FASTAPI
    + """
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
app.add_middleware(HTTPSRedirectMiddleware)
"""
)


@pytest.mark.parametrize(
    ("scheme", "cause"),
    [
        # "use wss://app.localhost/ws", which is what was asked for.
        pytest.param("$scheme", "redirected", id="overwritten"),
        pytest.param("$http_x_forwarded_proto", None, id="passed-on"),
        pytest.param("https", None, id="fixed"),
    ],
)
def test_tls_that_ends_in_front_of_a_proxy(
    check: Callable[..., dict[str, Any]],
    authority: peers.Authority,
    tmp_path: Path,
    scheme: str,
    cause: str | None,
) -> None:
    front, inner = free_port(), free_port()
    certificate, key = authority.issue("app.localhost")
    with serving(tmp_path / "backend", HTTPS_ONLY) as backend:
        text = f"""
          server {{ listen 127.0.0.1:{front} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
            location / {{ proxy_pass http://127.0.0.1:{inner}; {UP} proxy_set_header X-Forwarded-Proto https; }} }}
          server {{ listen 127.0.0.1:{inner};
            location / {{ proxy_pass http://127.0.0.1:{backend}; {UP} proxy_set_header X-Forwarded-Proto {scheme}; }} }}
        """
        with nginx(tmp_path / "nginx", text, front, inner):
            url = f"wss://app.localhost:{front}/ws"
            result = check({"name": "p", "url": url, "vantage": "public", "ca_path": authority.ca_path}, **PING_PONG)
    assert causes(result) == [cause], result["diagnosis"]
    if cause:
        assert "which is what was asked for" in result["diagnosis"]["explanation"]
        assert "X-Forwarded-Proto https" in result["diagnosis"]["remedy"]
        assert "use wss://" not in result["diagnosis"]["remedy"]


def test_a_cookie_that_is_larger_than_the_buffers_is_no_lost_upgrade(
    check: Callable[..., dict[str, Any]], site: Site
) -> None:
    cookie = {"secret_headers": {"Cookie": "session=" + "x" * 3000}}
    small = {**site.proxy(**cookie), "url": f"ws://app.localhost:{site.small}/ws"}
    result = check({**site.direct(), **cookie}, small)
    assert causes(result) == [None, "request_too_large"], result["diagnosis"]
    assert "large_client_header_buffers" in result["diagnosis"]["remedy"]


def test_a_port_that_waits_for_the_proxy_protocol(check: Callable[..., dict[str, Any]], site: Site) -> None:
    """It was closed_in_handshake."""
    result = check(site.direct(), {**site.proxy(), "url": f"ws://app.localhost:{site.proxied}/ws"})
    assert causes(result) == [None, "proxy_protocol_mismatch"], result["diagnosis"]
    assert "remove proxy_protocol from the listen line" in result["diagnosis"]["remedy"]


def test_a_load_balancer_that_sends_the_proxy_protocol_unasked(
    check: Callable[..., dict[str, Any]], site: Site, tmp_path: Path
) -> None:
    with haproxy(tmp_path, f"server inner 127.0.0.1:{site.site} send-proxy") as front:
        result = check(site.direct(), site.proxy(), site.public(front))
    assert causes(result) == [None, None, "bad_request"], result["diagnosis"]
    assert "in front of the proxy" in result["diagnosis"]["remedy"]
    with haproxy(tmp_path, f"server inner 127.0.0.1:{site.proxied} send-proxy") as front:
        assert causes(check(site.direct(), site.public(front), **PING_PONG)) == [None, None]


@pytest.mark.parametrize(
    ("lines", "hold", "cause", "remedy"),
    [
        # "in the proxy's location that serves /ws set ...".
        pytest.param(
            ("http-request del-header Upgrade", "http-request del-header Connection", "server s 127.0.0.1:{site}"),
            0,
            "upgrade_not_forwarded",
            "let it forward the upgrade",
            id="upgrade-lost-in-front",
        ),
        # "start the proxy", "compare proxy_pass in the location of /ws".
        pytest.param(
            ("server s 127.0.0.1:{closed} check inter 100ms",), 0, "unavailable_or_limited", "read its log", id="503"
        ),
        # authentication_required, "exclude the path from the login".
        pytest.param(
            (
                "http-request deny deny_status 403 if {{ hdr(Upgrade) -i websocket }}",
                "server s 127.0.0.1:{site}",
            ),
            0,
            "denied_by_proxy",
            "look for a rule that covers /ws; its log names it",
            id="denied-in-front",
        ),
        # network_unreachable, "check the routes".
        pytest.param(
            ("tcp-request connection reject", "server s 127.0.0.1:{site}"),
            0,
            "closed_in_handshake",
            "it closes the connection before the proxy answers",
            id="rejected-in-front",
        ),
        # not_a_websocket, "another server gets the requests".
        pytest.param(
            ("server s 127.0.0.1:{site} ssl verify none",),
            0,
            "handshake_stalled",
            "it does not pass the request to the proxy",
            id="tls-to-a-plain-port",
        ),
        # "set proxy_read_timeout in the location of /ws".
        pytest.param(
            ("timeout tunnel 3s", "server s 127.0.0.1:{site}"), 5, "cut_while_idle", "HAProxy timeout tunnel", id="cut"
        ),
    ],
)
def test_what_is_wrong_in_front_of_the_proxy_is_said_of_the_machine_in_front(
    check: Callable[..., dict[str, Any]],
    site: Site,
    tmp_path: Path,
    lines: tuple[str, ...],
    hold: float,
    cause: str,
    remedy: str,
) -> None:
    mute = [line.format(site=site.site, closed=free_port()) for line in lines]
    with haproxy(tmp_path, *mute) as front:
        result = check(site.direct(), site.proxy(), site.public(front), hold=hold)
    assert causes(result) == [None, None, cause], result["diagnosis"]
    diagnosis = result["diagnosis"]
    assert "so the cause is in front of it" in diagnosis["explanation"]
    assert diagnosis["remedy"].startswith("at the machine in front of the proxy: ")
    assert remedy in diagnosis["remedy"]
    assert "location of /ws" not in diagnosis["remedy"]


def test_a_second_nginx_in_front(check: Callable[..., dict[str, Any]], site: Site, tmp_path: Path) -> None:
    port, closed = free_port(), free_port()
    text = f"""
      server {{ listen 127.0.0.1:{port};
        location /ws {{ proxy_pass http://127.0.0.1:{site.site}; proxy_set_header Host app.localhost; }}
        location /bad {{ proxy_pass http://127.0.0.1:{closed}/ws; {UP} }}
        location /cut {{ proxy_pass http://127.0.0.1:{site.site}/ws; {UP.replace("1h", "3s")} }}
      }}"""
    with nginx(tmp_path, text, port):
        lost = check(site.direct(), site.proxy(), site.public(port))
        bad = check(site.direct(), site.proxy(), site.public(port, "/bad"))
        cut = check(site.direct(), site.proxy(), site.public(port, "/cut"), hold=5)
    assert causes(lost) == [None, None, "upgrade_not_forwarded"], lost["diagnosis"]
    assert causes(bad) == [None, None, "bad_gateway"]
    assert causes(cut) == [None, None, "cut_while_idle"]
    for result in (lost, bad, cut):
        assert result["diagnosis"]["remedy"].startswith("at the machine in front of the proxy: "), result["diagnosis"]
    assert "names itself Server: nginx" in lost["diagnosis"]["explanation"]


@pytest.mark.parametrize(("wanted", "cause"), [(86400, "idle_timeout_too_short"), (25, None)])
def test_an_idle_timeout_that_pings_hide_is_a_finding_of_its_own(
    check: Callable[..., dict[str, Any]], site: Site, wanted: float, cause: str | None
) -> None:
    """uvicorn pings every 20 s: with 25 s configured, everything passed and nothing was said."""
    configured = {"configured_idle_timeout": 25, "configured_idle_timeout_from": "/etc/nginx/sites-enabled/app:12"}
    result = check(site.direct(), site.proxy(**configured), hold=1, expected_idle_timeout=wanted)
    assert causes(result) == [None, cause], result["diagnosis"]
    said = result["diagnosis"]["explanation"] if cause else result["summary"][1]
    assert "25 s" in said
    assert "/etc/nginx/sites-enabled/app:12" in said


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> peers.Authority:
    return peers.make_authority(tmp_path_factory.mktemp("authority"))


def chain(directory: Path, *files: str) -> str:
    """A file with several certificates, as ``ssl_certificate`` names it."""
    bundle = directory / "chain.pem"
    bundle.write_text("".join(Path(file).read_text() for file in files))
    return str(bundle)


def tls_server(port: int, certificate: str, key: str, more: str = "", name: str = "app.localhost") -> str:
    return (
        f"server {{ listen 127.0.0.1:{port} ssl; server_name {name}; ssl_certificate {certificate};"
        f" ssl_certificate_key {key}; {more} location / {{ return 404; }} }}"
    )


def test_a_name_that_the_tls_server_does_not_know(
    check: Callable[..., dict[str, Any]], authority: peers.Authority, tmp_path: Path
) -> None:
    """It was plain_expected, "use ws://", since nginx answers a plain request on a TLS port with 400."""
    port = free_port()
    certificate, key = authority.issue("other.localhost")
    reject = f"server {{ listen 127.0.0.1:{port} ssl default_server; ssl_reject_handshake on; }}"
    text = reject + tls_server(port, certificate, key, name="other.localhost")
    with nginx(tmp_path, text, port):
        result = check(
            {"name": "p", "url": f"wss://app.localhost:{port}/ws", "vantage": "proxy", "ca_path": authority.ca_path}
        )
    assert causes(result) == ["tls_name_not_served"], result["diagnosis"]
    assert "unrecognized name" in result["diagnosis"]["explanation"]
    assert "ws://" not in result["diagnosis"]["remedy"]


def test_a_server_with_old_versions_of_tls_only(
    check: Callable[..., dict[str, Any]], authority: peers.Authority, tmp_path: Path
) -> None:
    """It was plain_expected, "use ws://"."""
    port = free_port()
    certificate, key = authority.issue("app.localhost")
    old = "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;"
    with nginx(tmp_path, tls_server(port, certificate, key, old), port):
        result = check({"name": "p", "url": f"wss://app.localhost:{port}/ws", "vantage": "public"})
    assert causes(result) == ["tls_version_not_supported"], result["diagnosis"]
    assert "ssl_protocols TLSv1.2 TLSv1.3" in result["diagnosis"]["remedy"]


def test_the_certificate_of_the_chain_that_is_wrong_is_named(
    check: Callable[..., dict[str, Any]], authority: peers.Authority, tmp_path: Path
) -> None:
    """An expired intermediate was "the certificate expired 89 days ago, certbot renew" for a leaf that is valid."""
    expired, valid = authority.intermediate("Expired CA", -400, -89), authority.intermediate("Current CA")
    endpoint = {"name": "p", "vantage": "public", "ca_path": authority.ca_path}
    of_expired, of_valid = expired.issue("app.localhost", -1, 90), valid.issue("app.localhost", -1, 90)
    results = {}
    for label, (certificate, key), intermediates in (
        ("expired", of_expired, [expired.ca_path]),
        ("missing", of_valid, []),
        ("complete", of_valid, [valid.ca_path]),
    ):
        port, directory = free_port(), tmp_path / label
        directory.mkdir()
        with nginx(directory, tls_server(port, chain(directory, certificate, *intermediates), key), port):
            results[label] = check({**endpoint, "url": f"wss://app.localhost:{port}/ws"})
    found = {label: result["diagnosis"] for label, result in results.items()}
    assert found["expired"]["cause"] == "tls_chain_invalid", found
    assert "the certificate of the authority Expired CA" in found["expired"]["explanation"]
    assert "the certificate of app.localhost itself is valid until" in found["expired"]["explanation"]
    assert "certbot" not in found["expired"]["remedy"]
    assert any(line.startswith("p: certificate 2 of the chain: Expired CA") for line in found["expired"]["evidence"])
    assert found["missing"]["cause"] == "tls_untrusted"
    assert (
        "it sends 1 certificate, and the issuer Current CA is neither among them nor trusted here"
        in (found["missing"]["explanation"])
    )
    assert "fullchain.pem" in found["missing"]["remedy"]
    assert found["complete"]["cause"] == "path_not_found"


def test_a_server_that_lets_the_tls_handshake_stall_speaks_plain_http(check: Callable[..., dict[str, Any]]) -> None:
    """The plain request is tried there as well; a server that waits for the end of a line gets none from TLS."""

    def act(connection: peers.Peer) -> None:
        if connection.sock.recv(1, 2) == b"\x16":
            connection.wait()
        peers.healthy(connection)

    with peers.peer(act) as port:
        result = check({"name": "p", "url": f"wss://127.0.0.1:{port}/ws", "vantage": "public"}, handshake_timeout=1)
    assert causes(result) == ["plain_expected"]
    assert "ws://" not in result["diagnosis"]["remedy"]


def test_a_refused_port_is_said_once(check: Callable[..., dict[str, Any]]) -> None:
    port = free_port()
    result = check({"name": "p", "url": f"ws://127.0.0.1:{port}/ws"})
    assert result["results"][0]["evidence"] == [f"127.0.0.1:{port} refused the connection"]


CHALLENGE = "<html><head><title>Just a moment...</title></head></html>"


@pytest.mark.parametrize(
    ("status", "body", "headers", "product"),
    [
        pytest.param(
            403, CHALLENGE, {"Server": "cloudflare", "cf_mitigated": "challenge"}, "Cloudflare", id="cloudflare"
        ),
        pytest.param(503, CHALLENGE, {"Server": "cloudflare"}, "Cloudflare", id="cloudflare-503"),
        pytest.param(403, "<h1>Access Denied</h1>", {"Server": "AkamaiGHost"}, "Akamai", id="akamai"),
        pytest.param(406, "This error was generated by Mod_Security.", {}, "ModSecurity", id="mod_security"),
        pytest.param(202, "", {"x_amzn_waf_action": "challenge"}, "AWS WAF", id="aws"),
    ],
)
def test_the_page_of_a_filter(
    check: Callable[..., dict[str, Any]], site: Site, status: int, body: str, headers: dict[str, str], product: str
) -> None:
    with peers.peer(peers.answering(status, body, **headers)) as port:
        result = check(site.direct(), site.public(port))
    assert causes(result) == [None, "filtered"], result["diagnosis"]
    assert product in result["diagnosis"]["explanation"]


@pytest.mark.parametrize(
    ("status", "headers", "cause"),
    [
        # server_error, "the application failed".
        pytest.param(522, {"Server": "cloudflare", "CF_RAY": "8a1b2c-FRA"}, "gateway_timeout", id="522"),
        pytest.param(521, {"Server": "cloudflare", "CF_RAY": "8a1b2c-FRA"}, "bad_gateway", id="521"),
    ],
)
def test_cloudflare_that_does_not_reach_the_proxy_names_itself(
    check: Callable[..., dict[str, Any]], site: Site, status: int, headers: dict[str, str], cause: str
) -> None:
    with peers.peer(peers.answering(status, f"error code: {status}", **headers)) as port:
        result = check(site.direct(), site.proxy(), site.public(port))
    assert causes(result) == [None, None, cause]
    assert "names itself Server: cloudflare, CF-Ray: 8a1b2c-FRA" in result["diagnosis"]["explanation"]
