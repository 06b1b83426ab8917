"""TLS by a real nginx with a certificate of the private authority, and by a real HAProxy in front of it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from free_ports import free_port
from http_peers import Application, handshake, read_head
from nginx_tree import NGINX
from playbook_runs import PlaybookRun, run_playbook
from websocket_servers import haproxy

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not NGINX, reason="needs nginx")]

GIVEN = {
    "staging_project_dir": "/home/deploy/projects/tls",
    "staging_app_name": "tls",
    "staging_public_url": "https://app.home.arpa",
    "staging_public_ws_url": "wss://api.home.arpa/ws",
    "staging_tls": "private_ca",
    "staging_tls_hsts": 3600,
}


class Host:
    """The nginx of this machine, with a site of the role."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ca = folder, folder / "ca"
        tasks = [
            {"ansible.builtin.import_role": {"name": "codeframe.staging.proxy"}},
            {
                "ansible.builtin.copy": {"dest": f"{folder}/result", "content": "{{ proxy_result | to_json }}"},
                "check_mode": False,
            },
        ]
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
        (folder / "play.yml").write_text(yaml.safe_dump([play]))

    def configure(self, *options: str, **variables: object) -> PlaybookRun:
        given = {**GIVEN, "staging_tls_ca_dir": str(self.ca), "ansible_python_interpreter": sys.executable, **variables}
        return run_playbook(self.folder / "play.yml", "--extra-vars", json.dumps(given), *options)

    @property
    def changes(self) -> list[str]:
        result = json.loads((self.folder / "result").read_text())
        return [*result["certificate"]["changes"], *result["changes"]]

    @property
    def told(self) -> list[str]:
        return list(json.loads((self.folder / "result").read_text())["certificate"]["told"])

    def connect(self, name: str) -> ssl.SSLSocket:
        """As a browser that trusts the authority: chain, name and dates are verified."""
        context = ssl.create_default_context(cafile=str(self.ca / "ca.pem"))
        return context.wrap_socket(socket.create_connection(("127.0.0.1", 443), timeout=30), server_hostname=name)


def head_of(sock: ssl.SSLSocket, name: str) -> str:
    sock.sendall(f"GET /nothing HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    return sock.recv(65536).partition(b"\r\n\r\n")[0].decode()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    remove = {"codeframe.staging.nginx_site": {"name": "tls", "state": "absent"}}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [remove]}]))
    run_playbook(tmp_path / "play.yml")
    Path("/etc/ssl/codeframe-staging/tls.pem").unlink(missing_ok=True)


UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture
def application() -> Iterator[Application]:
    made = Application()
    yield made
    made.close()


def upstreams(application: Application) -> dict[str, str]:
    address = f"127.0.0.1:{application.port}"
    return {"proxy_backend_upstream": address, "proxy_frontend_upstream": address}


def echoes(sock: socket.socket) -> bool:
    sock.sendall(b"still there")
    return sock.recv(100) == b"still there"


def test_a_certificate_is_predicted_issued_served_and_renewed_under_an_open_websocket(
    host: Host, application: Application
) -> None:
    behind = upstreams(application)
    predicted = host.configure("--check", **behind)
    assert predicted.exit_code == 0, predicted.output
    would = host.changes
    assert would[0] == "there is none yet"
    assert not host.ca.exists()

    done = host.configure("--diff", **behind)
    assert done.exit_code == 0, done.output
    assert host.changes == would
    pem = Path("/etc/ssl/codeframe-staging/tls.pem").read_text()
    assert not [line for line in pem.splitlines()[-4:-1] if line in done.output], "the key is in the output"
    assert host.told[0] == "ends at nginx on this host, with the certificate in /etc/ssl/codeframe-staging/tls.pem"
    assert f"each device must trust {host.ca}/ca.pem of the controller, once" in host.told[1]

    with host.connect("app.home.arpa") as page, host.connect("api.home.arpa") as api:
        first = page.getpeercert(binary_form=True)
        assert "Strict-Transport-Security: max-age=3600" in head_of(page, "app.home.arpa")
        api.sendall(UPGRADE.format(host="api.home.arpa").encode())
        assert read_head(api).startswith("HTTP/1.1 101 ")

        # A certificate of 397 days expires within 398 days.
        renewed = host.configure(staging_tls_renew_days=398, **behind)
        assert renewed.exit_code == 0, renewed.output
        assert host.changes[0].startswith("it expires in 39")
        assert host.changes[1:] == ["nginx runs with workers older than the files on disk"]
        assert echoes(api), "an open WebSocket was closed by the renewal"
    with host.connect("app.home.arpa") as page:
        assert page.getpeercert(binary_form=True) != first

    again = host.configure(**behind)
    assert again.exit_code == 0, again.output
    assert host.changes == []


PLAIN = {
    "staging_public_url": "http://app.home.arpa",
    "staging_public_ws_url": "ws://api.home.arpa/ws",
    "staging_tls": "none",
    "staging_tls_hsts": 0,
}


def seen_by_application(port: int, host: str, path: str = "/", context: ssl.SSLContext | None = None) -> str:
    """The request as the application got it."""
    plain = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection = plain
    if context:
        plain.connect()
        plain.sock = context.wrap_socket(plain.sock, server_hostname=host)
    connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "gopher"})
    return str(json.loads(connection.getresponse().read())["request"])


def test_pages_that_were_open_before_the_move_to_tls(host: Host, application: Application) -> None:
    behind = upstreams(application)
    assert host.configure(**PLAIN, **behind).exit_code == 0
    status, held = handshake(80, "api.home.arpa")
    assert status == 101

    answers: list[int] = []
    ended = threading.Event()

    def request() -> None:
        while not ended.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=30)
            try:
                connection.request("GET", "/", headers={"Host": "app.home.arpa"})
                answers.append(connection.getresponse().status)
            except (OSError, http.client.HTTPException):
                answers.append(0)
            time.sleep(0.01)

    loop = threading.Thread(target=request)
    loop.start()
    try:
        moved = host.configure(**behind)
    finally:
        ended.set()
        loop.join()
    assert moved.exit_code == 0, moved.output
    # Each request got the page or the redirect, and none failed.
    assert set(answers) == {200, 308}, {status: answers.count(status) for status in set(answers)}
    assert echoes(held), "the move closed a WebSocket that was open"
    status, told = handshake(80, "api.home.arpa")
    assert status == 426
    told.close()

    kept = host.configure(staging_tls_plain_websocket=True, **behind)
    assert kept.exit_code == 0, kept.output
    status, old_tab = handshake(80, "api.home.arpa")
    assert (status, echoes(old_tab)) == (101, True)
    asked = seen_by_application(80, "api.home.arpa", "/ws")
    assert "X-Forwarded-Proto: http\r\n" in asked
    assert "X-Forwarded-Port: 80\r\n" in asked
    with host.connect("api.home.arpa") as secure:
        secure.sendall(UPGRADE.format(host="api.home.arpa").encode())
        assert read_head(secure).startswith("HTTP/1.1 101 ")
        assert echoes(secure)
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=30)
    connection.request("GET", "/x", headers={"Host": "app.home.arpa"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (308, "https://app.home.arpa/x")

    back = host.configure(**PLAIN, **behind)
    assert back.exit_code == 0, back.output
    status, again = handshake(80, "api.home.arpa")
    assert (status, echoes(again), echoes(held)) == (101, True, True)


def test_haproxy_that_ends_tls_in_front_of_nginx(host: Host, application: Application, tmp_path: Path) -> None:
    # A certificate of the same authority, for HAProxy; nginx itself then listens without TLS.
    assert host.configure().exit_code == 0
    pem = tmp_path / "front.pem"
    pem.write_text(Path("/etc/ssl/codeframe-staging/tls.pem").read_text())
    before = {"staging_tls": "none", "staging_tls_before_proxy": True, "staging_tls_hsts": 0}
    behind = host.configure(**before, **upstreams(application))
    assert behind.exit_code == 0, behind.output
    assert host.told == [
        "ends before nginx, at the address of api.home.arpa and app.home.arpa; nginx on this host listens without it"
    ]

    trusted = ssl.create_default_context(cafile=str(host.ca / "ca.pem"))
    for tunnel, survives in (("1h", True), ("2s", False)):
        port = free_port()
        lines = (
            f"bind 127.0.0.1:{port} ssl crt {pem} alpn http/1.1",
            "option forwardfor",
            f"timeout tunnel {tunnel}",
            "server inner 127.0.0.1:80",
        )
        with haproxy(tmp_path / tunnel, *lines):
            asked = seen_by_application(port, "api.home.arpa", context=trusted)
            # Whatever the front or the client say: the public URL is one with TLS.
            assert "X-Forwarded-Proto: https\r\n" in asked
            assert "gopher" not in asked
            assert "X-Forwarded-Port: 443\r\n" in asked
            plain = socket.create_connection(("127.0.0.1", port), timeout=30)
            with trusted.wrap_socket(plain, server_hostname="api.home.arpa") as secure:
                secure.sendall(UPGRADE.format(host="api.home.arpa").encode())
                assert read_head(secure).startswith("HTTP/1.1 101 ")
                assert echoes(secure)
                time.sleep(3)
                # The timeout of the machine in front counts, not that of nginx.
                try:
                    alive = echoes(secure)
                except OSError:
                    alive = False
                assert alive is survives
