"""The proxy as somebody outside of the host sees it."""

from __future__ import annotations

import os
import socket
import ssl
import time
from pathlib import Path

import pytest
import testinfra
import testinfra.host

CACHE = Path(os.environ.get("MOLECULE_PROJECT_DIRECTORY", ".")) / ".cache/ssh"


class Outside:
    """One host's ports on this machine."""

    def __init__(self, debian: int) -> None:
        last = {13: 5, 12: 6}[debian]
        self.ssh, self.plain, self.tls, self.page = 14200 + last, 18080 + last, 18180 + last, 18280 + last

    def connect(self, port: int, name: str, protocols: list[str] | None = None) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", port), timeout=15)
        if port != self.tls:
            return sock
        context = ssl.create_default_context()
        # The certificate is the scenario's own.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(protocols or ["http/1.1"])
        return context.wrap_socket(sock, server_hostname=name)

    def ask(self, port: int, name: str, path: str, headers: str = "Connection: close\r\n") -> tuple[int, str]:
        with self.connect(port, name) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\n{headers}\r\n".encode())
            answer = b""
            while part := sock.recv(65536):
                answer += part
                if b" 101 " in answer:
                    break
        head, _blank, body = answer.decode().partition("\r\n\r\n")
        return int(head.split()[1]), body

    def handshake(self, port: int, name: str, path: str = "/ws") -> int:
        return self.ask(port, name, path, "Upgrade: websocket\r\nConnection: Upgrade\r\n")[0]


@pytest.fixture(params=[13, 12], ids=["debian-13", "debian-12"])
def outside(request: pytest.FixtureRequest) -> Outside:
    return Outside(request.param)


@pytest.fixture
def host(outside: Outside) -> testinfra.host.Host:
    return testinfra.get_host(
        f"ssh://admin@127.0.0.1:{outside.ssh}",
        ssh_identity_file=str(CACHE / "id_ed25519"),
        ssh_extra_args=f'-o UserKnownHostsFile="{CACHE / "known_hosts"}" -o StrictHostKeyChecking=yes',
    )


@pytest.mark.quick
def test_every_name_leads_where_it_should(outside: Outside) -> None:
    seen = {
        (name, path): outside.ask(outside.tls if "tls" in name else outside.plain, name, path)[1]
        for name, path in (
            ("app.two.localhost", "/"),
            ("api.two.localhost", "/"),
            ("one.localhost", "/"),
            ("one.localhost", "/api/x"),
            ("one.localhost", "/wsx"),
            ("api.own.localhost", "/"),
            ("app.tls.localhost", "/"),
            ("api.tls.localhost", "/"),
        )
    }
    assert seen == {
        ("app.two.localhost", "/"): "page",
        ("api.two.localhost", "/"): "backend",
        ("one.localhost", "/"): "page",
        ("one.localhost", "/api/x"): "backend",
        ("one.localhost", "/wsx"): "page",
        ("api.own.localhost", "/"): "backend",
        ("app.tls.localhost", "/"): "page",
        ("api.tls.localhost", "/"): "backend",
    }
    assert outside.ask(outside.page, "own.localhost", "/") == (200, "page")


@pytest.mark.quick
def test_every_websocket_is_upgraded_and_nothing_else_is(outside: Outside) -> None:
    plain = ("api.two.localhost", "one.localhost", "api.own.localhost")
    assert [outside.handshake(outside.plain, name) for name in plain] == [101, 101, 101]
    assert outside.handshake(outside.tls, "api.tls.localhost") == 101
    other = "Upgrade: h2c\r\nConnection: close, Upgrade\r\n"
    assert outside.ask(outside.plain, "api.two.localhost", "/ws", other) == (200, "backend")


def test_an_idle_websocket_is_cut_when_the_variable_says(outside: Outside) -> None:
    with outside.connect(outside.plain, "one.localhost") as short, outside.connect(outside.plain, "x") as long:
        for sock, name in ((short, "one.localhost"), (long, "api.two.localhost")):
            upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            sock.sendall(f"GET /ws HTTP/1.1\r\nHost: {name}:{outside.plain}\r\n{upgrade}\r\n".encode())
            assert b" 101 " in sock.recv(65536)
        begun = time.monotonic()
        assert short.recv(1) == b""
        assert 4 < time.monotonic() - begun < 7
        long.settimeout(5)
        with pytest.raises(TimeoutError):
            long.recv(1)


def test_pages_speak_http_2(outside: Outside) -> None:
    sock = outside.connect(outside.tls, "app.tls.localhost", ["h2", "http/1.1"])
    assert isinstance(sock, ssl.SSLSocket)
    assert sock.selected_alpn_protocol() == "h2"


def test_nginx_runs_and_starts_with_the_host(host: testinfra.host.Host) -> None:
    nginx = host.service("nginx")
    assert (nginx.is_running, nginx.is_enabled) == (True, True)


def test_what_was_there_stays_beside_our_sites(host: testinfra.host.Host) -> None:
    with host.sudo():
        assert host.run("nginx -t").rc == 0
        assert host.file("/etc/nginx/sites-enabled/default").exists
        assert host.file("/etc/nginx/sites-enabled/two").is_symlink
