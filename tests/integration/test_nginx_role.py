"""The sites that the role proxy renders, served by a real nginx, in every topology."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from http_peers import Application
from nginx_tree import NGINX, NGINX_VERSION, Tree
from playbook_runs import run_playbook

ROOT = Path(__file__).resolve().parents[2]
GIXY = shutil.which("gixy", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}") or "gixy"
pytestmark = [pytest.mark.skipif(not NGINX, reason="needs nginx")]

HTTP = {
    "staging_public_url": "http://app.example.com:{port}",
    "staging_public_ws_url": "ws://api.example.com:{port}/ws",
    "proxy_sse_paths": ["/api/events"],
}
ONE = {"staging_public_ws_url": "ws://app.example.com:{port}/ws"}
TLS = {
    "staging_public_url": "https://app.example.com:{port}",
    "staging_public_ws_url": "wss://api.example.com:{port}/ws",
    "proxy_tls_certificate": "{folder}/certificate.pem",
    "proxy_tls_key": "{folder}/key.pem",
    "proxy_tls_redirect": False,
}
TOPOLOGIES: dict[str, dict[str, Any]] = {
    "two-names": HTTP,
    "one-name": {**HTTP, **ONE},
    "page-on-its-own-port": {**HTTP, "staging_proxy_page": False},
    "tls-two-names": TLS,
    "tls-one-name": {**TLS, "staging_public_ws_url": "wss://app.example.com:{port}/ws"},
    "tls-ends-before": {
        **HTTP,
        "staging_public_url": "https://app.example.com",
        "staging_public_ws_url": "wss://api.example.com/ws",
        "proxy_listen_port": "{port}",
    },
    "tls-redirect": {**TLS, "proxy_tls_redirect": True},
    "tls-beside-a-plain-page": {
        **TLS,
        "staging_public_url": "http://app.example.com",
        "staging_public_ws_url": "wss://app.example.com:{port}/ws",
    },
    "static-page": {**HTTP, **ONE, "staging_frontend_serve": "static"},
    "static-page-with-a-fallback": {
        **HTTP,
        **ONE,
        "staging_public_url": "http://app.example.com:{port}/app",
        "staging_frontend_serve": "static",
        "staging_frontend_fallback": "index.html",
    },
    "short": {**HTTP, "proxy_websocket_idle_timeout": 5},
    "limits": {**HTTP, "proxy_websocket_connections_per_address": 2},
    "denied": {**HTTP, "proxy_websocket_allow": ["192.0.2.0/24"]},
    "allowed": {**HTTP, "proxy_websocket_deny": ["192.0.2.1", "all"], "proxy_websocket_allow": ["127.0.0.0/8"]},
    "many-paths": {
        **HTTP,
        "staging_websocket_paths": ["/ws", "/live/", "/other"],
        "proxy_websocket_upstreams": {"/other": "127.0.0.1:{other_port}"},
    },
    "everything-is-a-websocket": {**HTTP, "staging_public_ws_url": "ws://api.example.com:{port}", "proxy_page": False},
}


def some_in_short(chosen: Sequence[str], names: Iterable[str]) -> list[Any]:
    """Parameters for all names, of which `make test` takes the chosen ones."""
    return [name if name in chosen else pytest.param(name, marks=pytest.mark.slow) for name in names]


#: Tested with another port in its place.
WITH_PORT_80 = ("tls-redirect", "tls-beside-a-plain-page")
PLAY = """
- hosts: all
  gather_facts: false
  vars:
    # That of each topology, as the role sets it for its own inputs.
    __proxy_plan: "{{ __proxy_derived }}"
  tasks:
    - ansible.builtin.import_role:
        name: codeframe.staging.proxy
        tasks_from: restore
    - ansible.builtin.copy:
        dest: "{{ folder }}/sites"
        content: |
          {% for each in topologies %}
          {{ lookup('ansible.builtin.template', template, template_vars=each) }}=====
          {% endfor %}
        mode: "0644"
"""


class Served:
    """One topology in force."""

    def __init__(self, tree: Tree, port: int, tls: bool) -> None:
        self.tree = tree
        self.port = port
        self.tls = tls

    def connect(self, host: str, alpn: list[str] | None = None, port: int | None = None) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", port or self.port), timeout=30)
        if not self.tls or port is not None:
            return sock
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        return context.wrap_socket(sock, server_hostname=host)

    def ask(self, host: str, path: str, headers: str = "", port: int | None = None) -> tuple[int, str, socket.socket]:
        """Status, everything after the head (one read of it), and the connection."""
        sock = self.connect(host, port=port)
        # The public port is part of the header, as browsers send it.
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{self.port}\r\n{headers}\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            part = sock.recv(65536)
            if not part:
                break
            data += part
        head, _blank, body = data.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        while status != 101 and not body:
            part = sock.recv(65536)
            if not part:
                break
            body += part
        return status, (head.decode() + "\n\n" if status >= 300 else "") + body.decode(), sock

    def who(self, host: str, path: str, headers: str = "Connection: close\r\n") -> dict[str, str]:
        status, body, _sock = self.ask(host, path, headers)
        assert status == 200, body
        found = json.loads(body)
        assert isinstance(found, dict)
        return found

    def handshake(self, host: str = "api.example.com", path: str = "/ws") -> tuple[int, socket.socket]:
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        status, _body, sock = self.ask(host, path, upgrade + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
        return status, sock


class Sites:
    """All topologies rendered with the role's defaults, once.

    Nothing is to be restored: it is the import that brings the defaults.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.applications = {name: Application(name) for name in ("backend", "frontend", "other")}
        self.ports = {name: free_port() for name in TOPOLOGIES}
        certificate = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=api.example.com -days 90"
        files = ["-keyout", "key.pem", "-out", "certificate.pem"]
        subprocess.run([*certificate.split(), *files], cwd=folder, check=True, capture_output=True)
        (folder / "key.pem").chmod(0o600)
        host = {
            "folder": str(folder),
            "template": str(ROOT / "roles/proxy/templates/site.conf.j2"),
            "topologies": [self._variables(name, values) for name, values in TOPOLOGIES.items()],
        }
        (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"here": host}}}))
        (folder / "play.yml").write_text(PLAY)
        done = run_playbook(folder / "play.yml", inventory=str(folder / "inventory.json"))
        assert done.exit_code == 0, done.output
        self.texts = dict(zip(TOPOLOGIES, (folder / "sites").read_text().split("=====\n")))

    def _variables(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        known = {
            "port": self.ports[name],
            "folder": self.folder,
            "other_port": self.applications["other"].port,
        }

        def fill(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: fill(inner) for key, inner in value.items()}
            return value.format(**known) if isinstance(value, str) else value

        return {
            **fill(values),
            "staging_app_name": "app-staging",
            "staging_static_root": f"{self.folder}/published",
            "staging_backend_port": self.applications["backend"].port,
            "staging_frontend_port": self.applications["frontend"].port,
            # What was asked of the real nginx by the role.
            "__proxy_nginx": {"version": NGINX_VERSION},
        }

    def text(self, name: str) -> str:
        return self.texts[name]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    return Sites(tmp_path_factory.mktemp("sites"))


def serve(tree: Tree, sites: Sites, name: str, replace: tuple[str, str] = ("", "")) -> Served:
    result = tree.site(content=sites.text(name).replace(*replace) if replace[0] else sites.text(name))
    assert not result["failed"], result["msg"]
    assert result["warnings"] == []
    return Served(tree, sites.ports[name], "tls" in name and name != "tls-ends-before")


@pytest.mark.parametrize(
    "name",
    some_in_short(
        ["two-names", "one-name", "tls-two-names", "tls-ends-before", "short", "everything-is-a-websocket"],
        [name for name in TOPOLOGIES if name not in WITH_PORT_80],
    ),
)
def test_nothing_is_wrong_with_what_is_in_force(tree: Tree, sites: Sites, name: str) -> None:
    served = serve(tree, sites, name)
    host = "app.example.com" if name.endswith("one-name") else "api.example.com"
    path = "/" if name == "everything-is-a-websocket" else "/ws"
    info = tree.info(host_name=host, port=served.port, tls=served.tls, path=path, idle_timeout=5)
    assert [each for each in info["findings"] if each["level"] != "notice"] == []
    assert info["effective"]["proxy_read_timeout"]["value"] == ("5s" if name == "short" else "86400s")
    assert info["effective"]["proxy_connect_timeout"]["value"] == "60s"
    status, _sock = served.handshake(host, path)
    assert status == (403 if name == "denied" else 101)


def test_two_names_have_a_server_each(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "two-names")
    assert served.who("app.example.com", "/")["name"] == "frontend"
    assert served.who("app.example.com", "/ws")["name"] == "frontend"
    assert served.who("api.example.com", "/")["name"] == "backend"
    assert served.who("api.example.com", "/wsx")["name"] == "backend"
    assert served.handshake("app.example.com")[0] == 200


def test_one_name_tells_page_and_api_apart_by_path(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "one-name")
    who = {path: served.who("app.example.com", path)["name"] for path in ("/", "/apix", "/api/x", "/wsx", "/ws")}
    assert who == {"/": "frontend", "/apix": "frontend", "/api/x": "backend", "/wsx": "frontend", "/ws": "backend"}
    assert served.handshake("app.example.com")[0] == 101
    assert served.handshake("app.example.com", "/wsx")[0] == 200


def test_a_page_on_its_own_port_is_not_the_proxy_s(sites: Sites) -> None:
    assert "app.example.com" not in sites.text("page-on-its-own-port")


def test_published_files_come_from_the_disk_and_all_others_from_the_page(tree: Tree, sites: Sites) -> None:
    published = sites.folder / "published/files/_next/static"
    published.mkdir(parents=True, exist_ok=True)
    (published / "[slug].js").write_text("published")
    # The workers of nginx are another user.
    for folder in (sites.folder, *sites.folder.parents):
        if folder.name.startswith(("pytest", "sites")):
            folder.chmod(0o755)
    served = serve(tree, sites, "one-name")
    host = "app.example.com"
    status, body, sock = served.ask(host, "/_next/static/%5Bslug%5D.js", "Connection: close\r\n")
    assert (status, body) == (200, "published")
    sock.close()
    assert served.who(host, "/_next/static/none.js")["name"] == "frontend"
    assert served.who(host, "/_next/static/")["name"] == "frontend"
    assert served.who(host, "/_next/image")["name"] == "frontend"


@pytest.fixture
def static_page(sites: Sites) -> None:
    """The files of a page at the root and below /app."""
    root = sites.folder / "published/files"
    for name in ("index.html", "about.html", "docs/index.html", "404.html", "assets/a-BvX3k9Qz.js", "w-AAAA1111.mjs"):
        for place in (root / name, root / "app" / name):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(name)
    for folder in (sites.folder, *sites.folder.parents):
        if folder.name.startswith(("pytest", "sites")):
            folder.chmod(0o755)


def fetched(served: Served, path: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers."""
    with served.connect("app.example.com") as sock:
        sock.sendall(f"GET {path} HTTP/1.0\r\nHost: app.example.com:{served.port}\r\n\r\n".encode())
        data = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
    head, _blank, body = data.partition("\r\n\r\n")
    lines = head.split("\r\n")
    return int(lines[0].split()[1]), body, dict(line.split(": ", 1) for line in lines[1:])


LASTING = "public, max-age=31536000, immutable"


@pytest.mark.usefixtures("static_page")
def test_a_static_page_is_served_without_a_process(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "static-page")
    for path, body, lifetime in (
        ("/", "index.html", "no-cache"),
        ("/about", "about.html", "no-cache"),
        ("/docs", "docs/index.html", "no-cache"),
        ("/docs/", "docs/index.html", "no-cache"),
        ("/assets/a-BvX3k9Qz.js", "assets/a-BvX3k9Qz.js", LASTING),
        ("/w-AAAA1111.mjs", "w-AAAA1111.mjs", LASTING),
    ):
        status, found, headers = fetched(served, path)
        assert (status, found, headers["Cache-Control"]) == (200, body, lifetime), path
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert "javascript" in fetched(served, "/w-AAAA1111.mjs")[2]["Content-Type"]
    assert fetched(served, "/none")[:2] == (404, "404.html")
    assert fetched(served, "/assets/old-AAAA1111.js")[:2] == (404, "404.html")
    assert served.who("app.example.com", "/api/x")["name"] == "backend"
    assert served.handshake("app.example.com")[0] == 101


@pytest.mark.usefixtures("static_page")
def test_the_fallback_of_a_static_page_below_a_path_is_no_script(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "static-page-with-a-fallback")
    assert fetched(served, "/app/")[:2] == (200, "index.html")
    assert fetched(served, "/app/projects/7")[:2] == (200, "index.html")
    assert fetched(served, "/app/projects/7")[2]["Cache-Control"] == "no-cache"
    assert fetched(served, "/app/assets/a-BvX3k9Qz.js")[2]["Cache-Control"] == LASTING
    assert fetched(served, "/app/assets/old-AAAA1111.js")[0] == 404
    assert (fetched(served, "/app")[0], fetched(served, "/app")[2]["Location"]) == (308, "/app/")
    assert fetched(served, "/other")[0] == 404


def test_the_application_sees_the_public_address_and_the_client(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "two-names")
    request = served.who("api.example.com", "/x", "Connection: close\r\nX-Forwarded-For: 192.0.2.9\r\n")["request"]
    public = f"api.example.com:{served.port}"
    for line in (
        "GET /x HTTP/1.1",
        f"Host: {public}",
        "X-Real-IP: 127.0.0.1",
        "X-Forwarded-For: 192.0.2.9, 127.0.0.1",
        "X-Forwarded-Proto: http",
        f"X-Forwarded-Host: {public}",
        f"X-Forwarded-Port: {served.port}",
    ):
        assert line in request.split("\r\n"), request
    assert "\nConnection:" not in request


def test_tls_that_ends_before_the_proxy_is_told_to_the_application(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "tls-ends-before")
    request = served.who("api.example.com", "/x")["request"].split("\r\n")
    assert {"Host: api.example.com", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443"} <= set(request)


@pytest.mark.parametrize("upgrade", ["h2c", "TLS/1.0", "websocket, h2c"])
def test_no_other_upgrade_goes_through(tree: Tree, sites: Sites, upgrade: str) -> None:
    served = serve(tree, sites, "two-names")
    request = served.who("api.example.com", "/ws", f"Upgrade: {upgrade}\r\nConnection: Upgrade\r\n")["request"]
    assert "Upgrade" not in request
    assert served.ask("api.example.com", "/ws", "Upgrade: WebSocket\r\nConnection: upgrade\r\n")[0] == 101


def test_events_come_through_at_once(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "two-names")
    # The application keeps its answer open; what nginx would collect would never come.
    status, body, sock = served.ask("api.example.com", "/api/events", "Accept-Encoding: gzip\r\n")
    assert (status, "data: 1" in body) == (200, True)
    sock.close()


@pytest.mark.slow
def test_a_silent_websocket_is_cut_when_the_variable_says_and_not_before(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "short")
    _status, sock = served.handshake()
    begun = time.monotonic()
    assert sock.recv(1) == b""
    assert 4.5 < time.monotonic() - begun < 6


@pytest.mark.slow
def test_a_silent_websocket_outlives_the_default_timeout(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "two-names")
    _status, sock = served.handshake()
    time.sleep(65)
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"


def test_one_address_holds_no_more_websockets_than_allowed(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "limits")
    held = [served.handshake() for _number in range(2)]
    assert [status for status, _sock in held] == [101, 101]
    assert served.handshake()[0] == 503
    assert served.who("api.example.com", "/x")["name"] == "backend"


def test_only_the_websocket_is_closed_to_others(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "denied")
    assert served.handshake()[0] == 403
    assert served.who("api.example.com", "/x")["name"] == "backend"


def test_paths_match_themselves_or_all_below(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "many-paths")
    status = {
        path: served.handshake(path=path)[0] for path in ("/ws", "/ws/x", "/live/", "/live/x", "/livex", "/other")
    }
    assert status == {"/ws": 101, "/ws/x": 200, "/live/": 101, "/live/x": 101, "/livex": 200, "/other": 101}
    assert served.who("api.example.com", "/other")["name"] == "other"


def test_tls_1_2_and_1_3_alone_and_http_2_for_pages_only(tree: Tree, sites: Sites) -> None:
    served = serve(tree, sites, "tls-two-names")
    assert served.handshake()[0] == 101
    sock = served.connect("app.example.com", alpn=["h2", "http/1.1"])
    assert isinstance(sock, ssl.SSLSocket)
    assert (sock.selected_alpn_protocol(), sock.version()) == ("h2", "TLSv1.3")
    assert served.who("app.example.com", "/")["name"] == "frontend"
    plain, said, _sock = Served(tree, served.port, tls=False).ask("api.example.com", "/ws")
    assert (plain, "The plain HTTP request was sent to HTTPS port" in said) == (400, True)
    assert [negotiated(served.port, version) for version in ("tls1_1", "tls1_2", "tls1_3")] == [False, True, True]


def negotiated(port: int, version: str) -> bool:
    """Whether a client that offers only this version of TLS gets a connection."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", f"-{version}", "-cipher", "ALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert "CONNECTED" in done.stdout, done.stderr
    return "Cipher is (NONE)" not in done.stdout


def test_a_server_that_allows_tls_1_1_would_be_noticed(tree: Tree, sites: Sites) -> None:
    modern = "ssl_protocols TLSv1.2 TLSv1.3;"
    assert modern in sites.text("tls-two-names")
    old = "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"
    served = serve(tree, sites, "tls-two-names", (modern, old))
    assert negotiated(served.port, "tls1_1")


def serve_port_80(tree: Tree, sites: Sites, name: str, tmp_path: Path) -> tuple[Served, int]:
    """The site with a port in place of 80, and with an ACME challenge to answer."""
    port = free_port()
    text = sites.text(name)
    assert "listen 80;" in text
    challenge = tmp_path / "acme/.well-known/acme-challenge/token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("proof")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    text = text.replace("[::]:80;", f"[::1]:{port};").replace("listen 80;", f"listen 127.0.0.1:{port};")
    assert not tree.site(content=text.replace("/var/www/html", str(tmp_path / "acme")))["failed"]
    return Served(tree, sites.ports[name], tls=True), port


def test_a_plain_client_is_sent_to_tls_and_a_websocket_client_is_told(tree: Tree, sites: Sites, tmp_path: Path) -> None:
    served, port = serve_port_80(tree, sites, "tls-redirect", tmp_path)
    status, said, _sock = served.ask("app.example.com", "/x?y=1", "Connection: close\r\n", port=port)
    assert (status, f"Location: https://app.example.com:{served.port}/x?y=1" in said) == (308, True)
    status, said, _sock = served.ask(
        "api.example.com", "/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\n", port=port
    )
    assert (status, f"This WebSocket is served at wss://api.example.com:{served.port}/ws" in said) == (426, True)
    status, said, _sock = served.ask("app.example.com", "/.well-known/acme-challenge/token", port=port)
    assert (status, said) == (200, "proof")


def test_a_plain_page_beside_a_wss_leaves_the_acme_path_open(tree: Tree, sites: Sites, tmp_path: Path) -> None:
    served, port = serve_port_80(tree, sites, "tls-beside-a-plain-page", tmp_path)
    assert served.handshake("app.example.com")[0] == 101
    status, said, _sock = served.ask("app.example.com", "/.well-known/acme-challenge/token", port=port)
    assert (status, said) == (200, "proof")
    status, said, _sock = served.ask("app.example.com", "/", "Connection: close\r\n", port=port)
    assert (status, json.loads(said)["name"]) == (200, "frontend")


REFUSALS = """
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.include_role:
            name: codeframe.staging.proxy
            tasks_from: "{{ entry | default('main') }}"
      rescue:
        - ansible.builtin.debug:
            msg: "REFUSED {{ inventory_hostname }} {{ ansible_failed_result.msg }} END"
"""
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "semicolon": (
        {"staging_websocket_paths": ["/ws", "/x;"]},
        'staging_websocket_paths holds "/x;", expected paths such as /ws, or /ws/ for all below it, decoded and '
        "without dots",
    ),
    "brace": (
        {"staging_sse_paths": ["/x{"]},
        'staging_sse_paths holds "/x{", expected paths such as /api/events, decoded and without dots',
    ),
    "newline": (
        {"proxy_client_max_body_size": "1m\n"},
        'proxy_client_max_body_size is "1m\\n", expected a size such as 10m',
    ),
    "quote": (
        {"proxy_backend_upstream": 'a":1'},
        'proxy_backend_upstream is "a\\":1", expected a host and a port such as 127.0.0.1:14200, or unix: and the path '
        "of a socket",
    ),
    "variable": (
        {"staging_public_url": "http://$host"},
        'staging_public_url is "http://$host", expected a URL such as http://app.example.com '
        "or https://app.example.com:8443",
    ),
    "scheme": (
        {"staging_public_ws_url": "http://api.example.com/ws", "proxy_api_url": "http://api.example.com"},
        'staging_public_ws_url is "http://api.example.com/ws", expected a URL such as ws://api.example.com/ws',
    ),
    "path-that-nginx-never-compares": (
        {"staging_api_paths": ["/api/", "/a%20b", "/a/../b", "/a//b"]},
        'staging_api_paths holds "/a%20b", "/a/../b", "/a//b", expected paths such as /health, or /api/ for all below '
        "it, decoded and without dots",
    ),
    "path-unrouted": (
        {"staging_public_ws_url": "ws://api.example.com/ws/v2", "staging_websocket_paths": ["/ws", "/other/"]},
        'staging_public_ws_url is "ws://api.example.com/ws/v2", and none of staging_websocket_paths (/ws, /other/) '
        "covers its path, expected /ws/v2 among them",
    ),
    "port": (
        {"proxy_listen_port": 70000, "proxy_frontend_upstream": "127.0.0.1:0"},
        'proxy_frontend_upstream is "127.0.0.1:0", expected a host and a port such as 127.0.0.1:14100; '
        "proxy_listen_port is 70000, expected a port, or 0 for those of the public URLs",
    ),
    "time": (
        {"proxy_websocket_idle_timeout": -1},
        "proxy_websocket_idle_timeout is -1, expected a number of seconds, at least 1",
    ),
    "site-name": (
        {"staging_app_name": "../x"},
        'staging_app_name is "../x", expected letters, digits, dots, hyphens and underscores',
    ),
    "network": (
        {"proxy_websocket_deny": ["all; allow all"]},
        'proxy_websocket_deny holds "all; allow all", expected addresses or networks such as 192.0.2.0/24, or all',
    ),
    "limits-of-nginx-alone": (
        {"proxy_websocket_allow": ["192.0.2.0/24"]},
        "proxy_websocket_allow, proxy_websocket_deny or proxy_websocket_connections_per_address is set, which are for "
        "nginx alone; expected an access list in Nginx Proxy Manager itself",
    ),
    "limit-of-nginx-alone": (
        {
            "proxy_websocket_connections_per_address": 2,
            "staging_proxy_provider": "nginx_proxy_manager",
            "proxy_manager_api_url": "http://proxy.example.com:81",
            "proxy_manager_token": "x",
        },
        "proxy_websocket_allow, proxy_websocket_deny or proxy_websocket_connections_per_address is set, which are for "
        "nginx alone; expected an access list in Nginx Proxy Manager itself",
    ),
    "limits-of-nginx-with-nginx-proxy-manager": (
        {
            "proxy_websocket_deny": ["192.0.2.1"],
            "staging_proxy_provider": "nginx_proxy_manager",
            "proxy_manager_api_url": "http://proxy.example.com:81",
            "proxy_manager_token": "x",
        },
        "proxy_websocket_allow, proxy_websocket_deny or proxy_websocket_connections_per_address is set, which are for "
        "nginx alone; expected an access list in Nginx Proxy Manager itself",
    ),
    "certificate-without-key": (
        {"staging_tls_certificate": "/c.pem"},
        'staging_tls_certificate is "/c.pem" and proxy_tls_key is "", expected both or neither',
    ),
    "port-of-the-page": (
        {"staging_public_url": "http://app.example.com:14100", "staging_proxy_provider": "nginx"},
        "staging_public_url is http://app.example.com:14100, at the port where the page itself listens "
        "(127.0.0.1:14100), expected another port, or staging_proxy_page: false if the page is served without the "
        "proxy",
    ),
}


def test_inputs_that_no_proxy_can_be_configured_with_are_refused_by_name(tmp_path: Path) -> None:
    good = {
        "staging_app_name": "app",
        "staging_public_url": "http://app.example.com",
        "staging_public_ws_url": "ws://api.example.com/ws",
        "staging_proxy_provider": "manual",
    }
    hosts = {"good": good, **{name: {**good, **values} for name, (values, _said) in BAD.items()}}
    # These entry points validate as the main one does.
    hosts["check"] = {**good, "entry": "check", "staging_sse_paths": ["/x{"]}
    hosts["look"] = {**good, "entry": "look", "staging_sse_paths": ["/x{"]}
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    (tmp_path / "play.yml").write_text(REFUSALS)
    done = run_playbook(
        tmp_path / "play.yml",
        "--check",
        inventory=str(tmp_path / "inventory.json"),
        environment={"ANSIBLE_CALLBACK_FORMAT_PRETTY": "false", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )
    assert done.exit_code == 0, done.output
    said = {}
    for line in done.output.splitlines():
        if '"msg": "REFUSED ' in line:
            name, _blank, text = json.loads(line.partition(" => ")[2])["msg"][8:-4].partition(" ")
            said[name] = text
    assert said == {name: text for name, (_values, text) in BAD.items()} | dict.fromkeys(
        ["check", "look"], BAD["brace"][1]
    )


#: Reasons in docs/nginx.md: a default server would take unknown names from other sites of the host, and buffering must
#: be off for events.
ARGUED = {"default_server_flag", "proxy_buffering_off"}


def findings_of_gixy(text: str, tmp_path: Path) -> set[str]:
    """Names of the findings of medium and above."""
    main = tmp_path / "nginx.conf"
    main.write_text(f"worker_processes auto;\nevents {{}}\nhttp {{\n{text}\n}}\n")
    done = subprocess.run([GIXY, "-ll", "-f", "json", str(main)], capture_output=True, text=True)
    return {each["plugin"] for each in json.loads(done.stdout)}


@pytest.mark.parametrize("name", some_in_short(["one-name", "tls-redirect", "limits"], TOPOLOGIES))
def test_an_independent_analyser_finds_nothing_of_medium_or_above(sites: Sites, name: str, tmp_path: Path) -> None:
    found = findings_of_gixy(sites.text(name), tmp_path)
    assert found <= (ARGUED if "proxy_buffering off" in sites.text(name) else {"default_server_flag"})


def test_the_analyser_finds_what_is_wrong(sites: Sites, tmp_path: Path) -> None:
    text = sites.text("one-name").replace("proxy_pass http://127.0.0.1", "proxy_pass http://$arg_to", 1)
    assert "ssrf" in findings_of_gixy(text, tmp_path)
