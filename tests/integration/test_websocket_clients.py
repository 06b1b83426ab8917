"""What passes with one handshake to one address and fails for users: other browsers, upstreams, addresses."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import websocket_check
from free_ports import free_port
from module_runner import RunModule
from websocket_servers import FASTAPI, UP, haproxy, nginx, running, serving

PING_PONG = {"send": {"type": "ping"}, "expect": {"type": "pong"}}

INNER = """
  map $http_connection $exact {{ default close; Upgrade upgrade; }}
  upstream mixed {{ server 127.0.0.1:{backend}; server 127.0.0.1:{other}; }}
  upstream one_of_three {{ server 127.0.0.1:{backend}; server 127.0.0.1:{backend}; server 127.0.0.1:{other}; }}
  limit_req_zone $server_port zone=slow:1m rate=1r/s;
  server {{
    listen 127.0.0.1:{site};
    listen [::1]:{only6};
    location /ws {{ proxy_pass http://127.0.0.1:{backend}; {up} }}
    location /exact {{
      proxy_pass http://127.0.0.1:{backend}/ws; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $exact;
    }}
    location /hidden {{ proxy_pass http://127.0.0.1:{backend}/ws; {up} proxy_hide_header Sec-WebSocket-Extensions; }}
    location /mixed {{ proxy_pass http://mixed/ws; {up} }}
    location /one_of_three {{ proxy_pass http://one_of_three/ws; {up} }}
    location /limited {{ limit_req zone=slow burst=1 nodelay; proxy_pass http://127.0.0.1:{backend}/ws; {up} }}
  }}
  server {{
    listen 127.0.0.1:{small}; client_header_buffer_size 1k; large_client_header_buffers 2 2k;
    location /ws {{ proxy_pass http://127.0.0.1:{backend}; {up} }}
  }}
  server {{ listen 127.0.0.2:{site} default_server; listen [::1]:{site} default_server; return 404; }}
"""


class Site:
    """Ports of what runs for these tests."""

    def __init__(self) -> None:
        self.backend = self.other = self.site = self.small = self.only6 = 0

    def direct(self) -> dict[str, Any]:
        return {"name": "backend", "url": f"ws://127.0.0.1:{self.backend}/ws", "vantage": "direct"}

    def proxy(self, path: str = "/ws", **more: Any) -> dict[str, Any]:
        return {"name": "proxy", "url": f"ws://127.0.0.1:{self.site}{path}", "vantage": "proxy", **more}

    def public(self, port: int | None = None) -> dict[str, Any]:
        return {"name": "public", "url": f"ws://api.example.com:{port or self.site}/ws", "vantage": "public"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made, directory = Site(), tmp_path_factory.mktemp("clients")
    made.site, made.small, made.only6 = free_port(), free_port(), free_port()
    no_websocket = "from fastapi import FastAPI\n\napp = FastAPI()\n"
    with ExitStack() as stack:
        made.backend = stack.enter_context(serving(directory / "backend", FASTAPI))
        made.other = stack.enter_context(serving(directory / "other", no_websocket, "--ws", "none"))
        text = INNER.format(up=UP, **vars(made))
        stack.enter_context(nginx(directory / "inner", text, made.site))
        yield made


@pytest.fixture
def check(run_module: RunModule) -> Callable[..., dict[str, Any]]:
    def run(*endpoints: dict[str, Any], **options: Any) -> dict[str, Any]:
        args = {"endpoints": list(endpoints), "fail_on": "never", "handshake_timeout": 3, **PING_PONG}
        return run_module(websocket_check, {**args, **options})

    return run


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give the name api.example.com these addresses, in this order."""

    def give(*addresses: str) -> None:
        def found(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            assert host == "api.example.com"
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
                if ":" in address
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return give


def causes(result: dict[str, Any]) -> list[str | None]:
    return [entry["cause"] for entry in result["results"]]


def test_what_works_works_in_every_form_and_compressed(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.direct(), site.proxy())
    assert causes(result) == [None, None], result["diagnosis"]
    assert [entry["further_handshakes"] for entry in result["results"]] == [
        {"made": 4, "opened": 4, "refused_forms": [], "limited": False},
        {"made": 12, "opened": 12, "refused_forms": [], "limited": False},
    ]
    assert "permessage-deflate" in result["results"][1]["extensions"]
    assert "12 further handshakes" in result["summary"][1]


def test_a_proxy_that_knows_one_browser_only(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.direct(), site.proxy("/exact"))
    assert causes(result) == [None, "handshake_form_refused"], result["diagnosis"]
    assert "refuses it as Firefox sends it (HTTP 404" in result["diagnosis"]["explanation"]
    assert "map $http_upgrade $connection_upgrade" in result["diagnosis"]["remedy"]


def test_a_limit_below_the_cookies_of_a_session(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.direct(), {**site.proxy(), "url": f"ws://127.0.0.1:{site.small}/ws"})
    assert causes(result) == [None, "handshake_form_refused"], result["diagnosis"]
    assert "large_client_header_buffers" in result["diagnosis"]["remedy"]


def test_a_proxy_that_hides_the_compression(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.direct(), site.proxy("/hidden"))
    assert causes(result) == [None, "compression_broken"], result["diagnosis"]
    assert "forward Sec-WebSocket-Extensions" in result["diagnosis"]["remedy"]


@pytest.mark.parametrize("path", ["/mixed", "/one_of_three"])
def test_an_upstream_of_which_one_server_has_no_websocket(
    check: Callable[..., dict[str, Any]], site: Site, path: str
) -> None:
    """It passed as often as the first handshake met the right server."""
    for _ in range(4):
        result = check(site.direct(), site.proxy(path))
        assert causes(result) == [None, "some_handshakes_refused"], result["diagnosis"]
        assert "handshakes were accepted, the others got HTTP 404" in result["diagnosis"]["explanation"]


def test_many_connections_to_such_an_upstream_are_no_limit(check: Callable[..., dict[str, Any]], site: Site) -> None:
    """The remedy was "raise worker_connections"."""
    result = check(site.proxy("/one_of_three"), connections=10, hold=0.3)
    assert causes(result) == ["some_handshakes_refused"], result["diagnosis"]
    assert "worker_connections" not in result["diagnosis"]["remedy"]


def test_haproxy_with_a_server_that_has_no_websocket(
    check: Callable[..., dict[str, Any]], site: Site, tmp_path: Path
) -> None:
    servers = (f"server a 127.0.0.1:{site.backend}", f"server b 127.0.0.1:{site.other}")
    with haproxy(tmp_path, "balance roundrobin", *servers) as front:
        result = check(site.direct(), {**site.proxy(), "url": f"ws://127.0.0.1:{front}/ws"})
    assert causes(result) == [None, "some_handshakes_refused"], result["diagnosis"]


def test_a_limit_of_handshakes_is_no_fault(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.direct(), site.proxy("/limited"))
    assert causes(result) == [None, None], result["diagnosis"]
    assert result["results"][1]["further_handshakes"]["limited"] is True


@pytest.mark.parametrize(
    ("addresses", "failing"),
    [
        pytest.param(("127.0.0.1", "127.0.0.2"), "127.0.0.2", id="second-A-record"),
        pytest.param(("127.0.0.2", "127.0.0.1"), "127.0.0.2", id="first-A-record"),
        pytest.param(("127.0.0.1", "::1"), "[::1]", id="AAAA-of-another-server"),
        pytest.param(("127.0.0.1", "127.0.0.3"), "127.0.0.3", id="nothing-listens"),
    ],
)
def test_an_address_of_the_name_that_fails(
    check: Callable[..., dict[str, Any]],
    site: Site,
    resolve: Callable[..., None],
    addresses: tuple[str, ...],
    failing: str,
) -> None:
    resolve(*addresses)
    result = check(site.public())
    assert causes(result) == ["some_addresses_fail"], result["diagnosis"]
    explanation = result["diagnosis"]["explanation"]
    assert "127.0.0.1:" in explanation.split(" opens the WebSocket")[0]
    assert failing in explanation.split(" opens the WebSocket, ")[1].split(" does not")[0]
    by_address = {
        entry["address"].rpartition(":")[0] or entry["address"]: entry["passed"]
        for entry in result["results"][0]["addresses"]
    }
    assert sorted(by_address.values()) == [False, True]


def test_an_address_without_a_route_from_here_is_said_and_does_not_fail(
    check: Callable[..., dict[str, Any]], site: Site, resolve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The machine may have a route by IPv6.
    real = socket.socket

    class WithoutIpv6(real):
        def __init__(self, family: int = -1, *more: Any, **options: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(101, "Network is unreachable")
            super().__init__(family, *more, **options)

    monkeypatch.setattr(socket, "socket", WithoutIpv6)
    resolve("127.0.0.1", "2001:db8::1")
    result = check(site.public())
    assert causes(result) == [None], result["diagnosis"]
    assert [entry["passed"] for entry in result["results"][0]["addresses"]] == [True, None]
    assert "no route to 2001:db8::1" in result["summary"][0]


def test_the_ws_package_of_npm_compresses(check: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    packages = Path("/opt/tests/node/node_modules")
    if not (packages / "ws").is_dir():
        pytest.skip("the package ws is in the test image only")
    (tmp_path / "server.js").write_text(
        f"const {{ WebSocketServer }} = require('{packages}/ws')\n"
        "const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]),\n"
        "  perMessageDeflate: { threshold: 0 } })\n"
        "server.on('connection', (s) => s.on('message', () => s.send(JSON.stringify({ type: 'pong' }))))\n"
    )
    port = free_port()
    command = [shutil.which("node") or "node", "server.js", str(port)]
    with running(command, port, tmp_path / "log", tmp_path):
        result = check({"name": "ws", "url": f"ws://127.0.0.1:{port}/ws"}, hold=1, hold_mode="message", interval=0.2)
    assert causes(result) == [None], result["diagnosis"]
    assert "permessage-deflate" in result["results"][0]["extensions"]
