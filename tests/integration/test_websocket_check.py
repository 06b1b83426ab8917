"""websocket_check against real nginx, uvicorn with FastAPI, and the servers of ``websockets`` and ``ws``."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.modules import websocket_check
from free_ports import free_port
from lateness import Lateness
from module_runner import RunModule
from nginx_tree import wait_for
from websocket_servers import running, uvicorn

PING_PONG = {"send": {"type": "ping"}, "expect": {"type": "pong"}}

# 10.4 to 12 have only the older server, 14 and later only the newer one without a warning.
WEBSOCKETS = """
import asyncio, sys
try:
    from websockets.asyncio.server import serve
except ImportError:
    from websockets.server import serve

async def answer(connection, path=None):
    async for message in connection:
        await connection.send('{"type": "pong"}')

async def main():
    async with serve(
        answer, "127.0.0.1", int(sys.argv[1]), ping_interval=None, origins=[None, "http://allowed.example"]
    ):
        await asyncio.get_running_loop().create_future()

asyncio.run(main())
"""

NGINX = """
daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_processes 1; {user}
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  map $http_upgrade $connection_upgrade {{ default ''; websocket upgrade; }}
  limit_conn_zone $server_port zone=all:1m;
  limit_req_zone $server_port zone=rate:1m rate=1r/m;
  # Each of these is at a place where a location with headers of its own does not see it.
  proxy_set_header Upgrade $http_upgrade;

  server {{
    listen 127.0.0.1:{port};
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_http_version 1.1;
    set $ws_backend http://127.0.0.1:{backend}/ws;

    location /right/ {{
      rewrite ^/right(/.*)$ $1 break; proxy_pass http://127.0.0.1:{backend};
      proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_buffering off;
    }}
    location /inherits-all {{ proxy_pass http://127.0.0.1:{backend}/ws; }}
    location /server-headers-shadowed {{
      proxy_pass http://127.0.0.1:{backend}/ws; proxy_set_header X-Real-IP $remote_addr;
    }}
    location /no-upgrade {{
      proxy_pass http://127.0.0.1:{backend}/ws; proxy_set_header Connection $connection_upgrade;
    }}
    location /no-connection {{ proxy_pass http://127.0.0.1:{backend}/ws; proxy_set_header Upgrade $http_upgrade; }}
    location /http-1.0 {{ proxy_pass http://127.0.0.1:{second}/ws; proxy_http_version 1.0; }}
    location /connection-empty {{
      proxy_pass http://127.0.0.1:{backend}/ws;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "";
    }}
    location /connection-close {{
      proxy_pass http://127.0.0.1:{backend}/ws;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection close;
    }}
    location /upgrade-literal {{
      proxy_pass http://127.0.0.1:{backend}/ws;
      proxy_set_header Upgrade h2c; proxy_set_header Connection upgrade;
    }}
    location /outer {{
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      location /outer/nested-shadows {{ proxy_pass http://127.0.0.1:{backend}/ws; proxy_set_header Host $host; }}
    }}
    location /websockets-dropped {{ proxy_pass http://127.0.0.1:{second}/ws; proxy_set_header Host $host; }}
    location /websockets-right {{ proxy_pass http://127.0.0.1:{second}/ws; }}

    location /401 {{ auth_basic "Staff"; auth_basic_user_file {directory}/users; proxy_pass $ws_backend; }}
    location /403 {{ deny all; proxy_pass $ws_backend; }}
    location /301 {{ return 301 https://$host$request_uri; }}
    location /400 {{ return 400; }}
    location /426 {{ return 426; }}
    location /444 {{ return 444; }}
    location /502 {{ proxy_pass http://127.0.0.1:{closed}/ws; }}
    location /504 {{ proxy_pass http://127.0.0.1:{hanging}/ws; proxy_read_timeout 1s; }}
    location /page {{ default_type text/html; return 200 "<html>the frontend</html>"; }}
    location /limited {{ limit_conn all 5; proxy_pass http://127.0.0.1:{backend}/ws; }}
    location /rate {{ limit_req zone=rate; limit_req_status 429; proxy_pass http://127.0.0.1:{backend}/ws; }}
    location /cut {{ proxy_read_timeout 3s; proxy_pass http://127.0.0.1:{backend}/ws; }}
    location /wrong-path {{ proxy_pass http://127.0.0.1:{backend}/other; }}
    location /hidden-accept {{ proxy_pass http://127.0.0.1:{backend}/ws; proxy_hide_header Sec-WebSocket-Accept; }}
    location /buffered/ {{ proxy_pass http://127.0.0.1:{backend}/; proxy_http_version 1.0; }}
    # Nothing goes on before sixteen events are there.
    location /held/ {{
      proxy_pass http://127.0.0.1:{backend}/; proxy_http_version 1.0;
      proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k;
    }}
  }}
  server {{
    listen 127.0.0.1:{tls_port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{
      proxy_pass http://127.0.0.1:{backend};
      proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }}
  }}
  server {{
    listen 127.0.0.1:{mutual_port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_client_certificate {ca}; ssl_verify_client on;
    location / {{
      proxy_pass http://127.0.0.1:{backend};
      proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""


class Site:
    """Ports of everything that runs for these tests."""

    def __init__(self) -> None:
        self.backend = self.second = self.nginx = self.tls = self.mutual = 0
        self.authority: peers.Authority

    def direct(self, path: str = "/ws", **more: Any) -> dict[str, Any]:
        return {"name": "backend", "url": f"ws://127.0.0.1:{self.backend}{path}", "vantage": "direct", **more}

    def proxy(self, path: str, **more: Any) -> dict[str, Any]:
        return {"name": "proxy", "url": f"ws://app.localhost:{self.nginx}{path}", "vantage": "proxy", **more}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    running_site = Site()
    s = running_site
    s.backend, s.second, s.nginx, s.tls, s.mutual, closed = (free_port() for _ in range(6))
    s.authority = peers.make_authority(directory)
    certificate, key = s.authority.issue("app.localhost")
    secret = base64.b64encode(hashlib.sha1(b"secret", usedforsecurity=False).digest()).decode()
    (directory / "users").write_text(f"staff:{{SHA}}{secret}\n")
    server = directory / "server.py"
    server.write_text(WEBSOCKETS)

    def hanging(connection: peers.Peer) -> None:
        connection.request()
        connection.wait()

    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    with (
        peers.peer(hanging) as hanging_port,
        running(uvicorn(directory, s.backend), s.backend, directory / "uvicorn.log", directory),
        running([sys.executable, str(server), str(s.second)], s.second, directory / "websockets.log", directory),
    ):
        configuration = directory / "nginx.conf"
        configuration.write_text(
            NGINX.format(
                directory=directory,
                user="user root;" if os.geteuid() == 0 else "",
                port=s.nginx,
                tls_port=s.tls,
                mutual_port=s.mutual,
                backend=s.backend,
                second=s.second,
                closed=closed,
                hanging=hanging_port,
                certificate=certificate,
                key=key,
                ca=s.authority.ca_path,
            )
        )
        command = [nginx, "-p", str(directory), "-c", str(configuration)]
        with running(command, s.nginx, directory / "nginx.log", directory):
            yield s


@pytest.fixture
def check(run_module: RunModule) -> Callable[..., dict[str, Any]]:
    def run(*endpoints: dict[str, Any], **options: Any) -> dict[str, Any]:
        args: dict[str, Any] = {"endpoints": list(endpoints), "fail_on": "never"}
        return run_module(websocket_check, {**args, **options})

    return run


def causes(result: dict[str, Any]) -> list[str | None]:
    return [entry["cause"] for entry in result["results"]]


@pytest.mark.parametrize("path", ["/right/ws", "/inherits-all"])
def test_a_proxy_that_forwards_the_upgrade_passes(check: Callable[..., dict[str, Any]], site: Site, path: str) -> None:
    result = check(site.direct(), site.proxy(path), **PING_PONG)
    assert causes(result) == [None, None], result["diagnosis"]
    assert [line.split(" (")[0] for line in result["summary"]] == [
        "Direct backend connection: passed",
        "Connection through the proxy: passed",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/server-headers-shadowed",
        "/no-upgrade",
        "/no-connection",
        "/connection-empty",
        "/connection-close",
        "/upgrade-literal",
        "/outer/nested-shadows",
    ],
)
def test_an_upgrade_that_is_dropped_at_any_known_place_is_named(
    check: Callable[..., dict[str, Any]], site: Site, path: str
) -> None:
    result = check(site.direct(), site.proxy(path), **PING_PONG)
    assert causes(result) == [None, "upgrade_not_forwarded"], result["diagnosis"]
    assert f"in the proxy's location that serves {path} " in result["diagnosis"]["remedy"]


def test_the_websockets_library_behind_a_proxy(check: Callable[..., dict[str, Any]], site: Site) -> None:
    direct = {**site.direct(), "url": f"ws://127.0.0.1:{site.second}/ws"}
    assert causes(check(direct, site.proxy("/websockets-right"), **PING_PONG)) == [None, None]
    dropped = check(direct, site.proxy("/websockets-dropped"), **PING_PONG)
    assert causes(dropped) == [None, "upgrade_not_forwarded"]
    # This library says 426, which tells it without a direct endpoint too.
    assert dropped["results"][1]["status"] == 426
    assert causes(check(site.proxy("/websockets-dropped"))) == ["upgrade_not_forwarded"]
    # uvicorn accepts an upgrade in HTTP/1.0. This library answers 505 in 17; before, it closes, which gives 502.
    old = check(direct, site.proxy("/http-1.0"))
    cause = {505: "upgrade_not_forwarded", 502: "bad_gateway"}[old["results"][1]["status"]]
    assert causes(old) == [None, cause], old["diagnosis"]
    assert "proxy_http_version 1.1" in old["diagnosis"]["remedy"]


@pytest.mark.parametrize(
    ("path", "status", "cause"),
    [
        ("/nowhere", 404, "not_routed_by_proxy"),
        ("/401", 401, "authentication_required"),
        ("/403", 403, "denied_by_proxy"),
        ("/301", 301, "redirected"),
        ("/400", 400, "bad_request"),
        ("/426", 426, "refused_behind_proxy"),
        ("/444", None, "closed_in_handshake"),
        ("/502", 502, "bad_gateway"),
        ("/504", 504, "gateway_timeout"),
        ("/page", 200, "not_a_websocket"),
        ("/hidden-accept", 101, "accept_key_wrong"),
    ],
)
def test_what_nginx_answers_is_understood(
    check: Callable[..., dict[str, Any]], site: Site, path: str, status: int | None, cause: str
) -> None:
    result = check(site.direct(), site.proxy(path), handshake_timeout=4)
    assert (result["results"][1]["status"], causes(result)) == (status, [None, cause]), result["diagnosis"]


def test_a_password_of_the_proxy_is_accepted_as_a_secret_header(
    check: Callable[..., dict[str, Any]], site: Site
) -> None:
    token = base64.b64encode(b"staff:secret").decode()
    result = check(site.proxy("/401", secret_headers={"Authorization": f"Basic {token}"}), **PING_PONG)
    assert causes(result) == [None], result["diagnosis"]


def test_a_limited_rate_is_told(check: Callable[..., dict[str, Any]], site: Site) -> None:
    check(site.proxy("/rate"))
    assert causes(check(site.direct(), site.proxy("/rate"))) == [None, "unavailable_or_limited"]


def test_a_limit_of_connections_in_nginx_is_seen(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.proxy("/limited"), connections=20, hold=0.5)
    load = result["results"][0]["connections"]
    assert causes(result) == ["unavailable_or_limited"]
    assert (load["accepted"], load["held"], load["refused_by_status"]) == (5, 5, {"503": 15})


def test_too_few_worker_connections_are_seen(check: Callable[..., dict[str, Any]], site: Site, tmp_path: Path) -> None:
    port = free_port()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; worker_processes 1;"
        "events { worker_connections 40; }"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{"
        f" proxy_pass http://127.0.0.1:{site.backend}; proxy_http_version 1.1;"
        " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } } }"
    )
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    with running([nginx, "-p", str(tmp_path), "-c", str(configuration)], port, tmp_path / "log", tmp_path):
        result = check({**site.proxy("/ws"), "url": f"ws://app.localhost:{port}/ws"}, connections=60, hold=0.3)
    load = result["results"][0]["connections"]
    assert causes(result) == ["unavailable_or_limited"], result["diagnosis"]
    assert 10 <= load["accepted"] == load["held"] < 20
    assert "worker_connections (nginx needs two for each WebSocket)" in result["diagnosis"]["remedy"]


def test_an_idle_cut_is_timed_and_pings_prove_no_idle_timeout(check: Callable[..., dict[str, Any]], site: Site) -> None:
    with Lateness() as late:
        quiet = check(site.direct(), site.proxy("/cut"), hold=5, expected_idle_timeout=86400, **PING_PONG)
    entry = quiet["results"][1]
    assert causes(quiet) == [None, "cut_while_idle"]
    assert entry["longest_silence_s"] == pytest.approx(3.0, abs=0.2 + late.worst_s)
    assert "proxy_read_timeout" in quiet["diagnosis"]["remedy"]
    assert "the configured idle timeout of 86400 s is not in force" in quiet["diagnosis"]["explanation"]
    assert quiet["results"][0]["idle_timeout_proven_s"] == pytest.approx(5.0, abs=0.1 + late.worst_s)

    busy = check(site.proxy("/cut"), hold=5, hold_mode="ping", interval=1, **PING_PONG)
    assert causes(busy) == [None]
    assert busy["results"][0]["proves"] == "no idle timeout is proven: the check sent a ping every 1 s"
    assert busy["results"][0]["round_trips"]["lost"] == 0


def test_fastapi_refuses_an_unknown_path_like_a_login_and_the_check_says_so(
    check: Callable[..., dict[str, Any]], site: Site
) -> None:
    result = check(site.direct("/other"), site.proxy("/right/other"))
    assert causes(result) == ["authentication_required", "authentication_required"]
    assert (
        "or has no WebSocket on /other (a path that cannot exist gets the same answer)"
        in (result["diagnosis"]["explanation"])
    )
    assert "check the path /other" in result["diagnosis"]["remedy"]


def test_a_path_that_the_proxy_changes_is_no_login(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.direct(), site.proxy("/wrong-path"))
    assert causes(result) == [None, "refused_behind_proxy"]
    assert "compare proxy_pass in the location of /wrong-path" in result["diagnosis"]["remedy"]


def test_uvicorn_without_a_websocket_library_is_suspected(check: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    port = free_port()
    with running(uvicorn(tmp_path, port, "--ws", "none"), port, tmp_path / "log", tmp_path):
        result = check({"name": "backend", "url": f"ws://127.0.0.1:{port}/ws"})
    assert causes(result) == ["path_not_found"]
    assert "pip install 'uvicorn[standard]'" in result["diagnosis"]["remedy"]


def test_a_refused_login_of_fastapi(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.direct("/private"), site.proxy("/right/private"))
    assert causes(result) == ["authentication_required", "authentication_required"]
    assert "so the upgrade itself arrives at the server that refuses" in result["results"][1]["explanation"]
    token = {"secret_query": {"token": "right-token"}}
    good = check(site.direct("/private", **token), site.proxy("/right/private", **token), **PING_PONG)
    assert causes(good) == [None, None]


def test_a_rejected_origin_is_proven_by_a_second_try(check: Callable[..., dict[str, Any]], site: Site) -> None:
    direct = {**site.direct(), "url": f"ws://127.0.0.1:{site.second}/ws"}
    result = check({**direct, "origin": "http://page.example:14100"})
    assert causes(result) == ["origin_rejected"]
    assert "add http://page.example:14100 to the application's allowed origins" in result["diagnosis"]["remedy"]
    assert causes(check({**direct, "origin": "http://allowed.example"})) == [None]


def test_a_close_by_the_application_is_told_with_its_reason(check: Callable[..., dict[str, Any]], site: Site) -> None:
    result = check(site.proxy("/right/policy"), **PING_PONG)
    assert causes(result) == ["closed_by_server"]
    assert (
        "closed after the handshake with 1008 (policy violation), reason 'no such room'"
        in (result["diagnosis"]["explanation"])
    )


@pytest.mark.parametrize(
    ("how", "cause"), [(signal.SIGTERM, "closed_by_server"), (signal.SIGKILL, "cut_without_close")]
)
def test_a_backend_that_ends_during_the_hold(
    check: Callable[..., dict[str, Any]], tmp_path: Path, how: signal.Signals, cause: str
) -> None:
    port, answered = free_port(), tmp_path / "answered"
    with running(uvicorn(tmp_path, port), port, tmp_path / "log", tmp_path) as process:

        def end() -> None:
            wait_for(answered.exists)
            # The connection is held from now on.
            time.sleep(1)
            process.send_signal(how)

        ending = threading.Thread(target=end)
        ending.start()
        result = check({"name": "backend", "url": f"ws://127.0.0.1:{port}/ws"}, hold=20, **PING_PONG)
        ending.join()
    assert causes(result) == [cause]
    assert result["results"][0]["held_s"] < 15
    assert result["results"][0]["close"]["code"] == (1012 if how is signal.SIGTERM else None)


def test_tls_through_nginx(check: Callable[..., dict[str, Any]], site: Site) -> None:
    secure = {"url": f"wss://app.localhost:{site.tls}/ws", "ca_path": site.authority.ca_path}
    good = check(site.proxy("", **secure), **PING_PONG)
    assert causes(good) == [None]
    assert good["results"][0]["tls"]["subject"] == "app.localhost"

    by_address = {**secure, "url": "wss://app.localhost/ws", "connect_to": f"127.0.0.1:{site.tls}"}
    assert causes(check(site.proxy("", **by_address), **PING_PONG)) == [None]
    other_name = {**secure, "url": f"wss://other.localhost:{site.tls}/ws"}
    assert causes(check(site.proxy("", **other_name))) == ["tls_name_mismatch"]
    assert causes(check(site.proxy("", url=secure["url"]))) == ["tls_untrusted"]
    assert causes(check(site.proxy("", url=f"ws://app.localhost:{site.tls}/ws"))) == ["tls_expected"]
    assert causes(check(site.proxy("", url=f"wss://app.localhost:{site.nginx}/right/ws"))) == ["plain_expected"]
    # The backend's own port has no TLS either.
    assert causes(check(site.direct(url=f"wss://127.0.0.1:{site.backend}/ws"))) == ["plain_expected"]

    mutual = {**secure, "url": f"wss://app.localhost:{site.mutual}/ws"}
    assert causes(check(site.proxy("", **mutual))) == ["tls_client_certificate_required"]
    certificate, key = site.authority.issue("client")
    with_certificate = {**mutual, "client_cert": certificate, "client_key": key}
    assert causes(check(site.proxy("", **with_certificate), **PING_PONG)) == [None]


def test_event_streams_through_nginx(check: Callable[..., dict[str, Any]], site: Site) -> None:
    def stream(vantage: str, port: int, path: str) -> dict[str, Any]:
        return {"name": vantage, "url": f"http://app.localhost:{port}{path}", "vantage": vantage, "transport": "sse"}

    direct = stream("direct", site.backend, "/api/events")
    with Lateness() as late:
        good = check(direct, stream("proxy", site.nginx, "/right/api/events"), hold=3)
    assert causes(good) == [None, None]
    assert [entry["event_gaps"]["median"] for entry in good["results"]] == pytest.approx(
        [0.3, 0.3], abs=0.05 + late.worst_s
    )
    # Four events fill the buffer of 4 KiB: they come in bursts.
    bursts = check(direct, stream("proxy", site.nginx, "/buffered/api/events"), hold=5)
    assert causes(bursts) == [None, "events_buffered"], bursts
    held = check(direct, stream("proxy", site.nginx, "/held/api/events"), handshake_timeout=2)
    assert causes(held) == [None, "events_buffered"]
    assert "proxy_buffering off" in held["diagnosis"]["remedy"]


@pytest.mark.slow
def test_the_default_idle_timeout_of_nginx_is_recognised(check: Callable[..., dict[str, Any]], site: Site) -> None:
    """uvicorn pings every 20 s, which keeps the proxy's timer from running out; a mute server does not."""
    result = check(
        site.direct(),
        site.proxy("/right/ws"),
        {**site.proxy("/websockets-right"), "name": "mute behind the proxy"},
        hold=65,
        **PING_PONG,
    )
    pinging, mute = result["results"][1], result["results"][2]
    assert causes(result) == [None, None, "cut_while_idle"]
    assert mute["longest_silence_s"] == pytest.approx(60.0, abs=0.2)
    assert "which matches the default of nginx (proxy_read_timeout)" in mute["explanation"]
    assert pinging["server_pings"] == 3
    assert pinging["idle_timeout_proven_s"] == pytest.approx(20, abs=0.3)
    assert "is not proven: the server pings about every" in pinging["proves"]


@pytest.mark.slow
def test_the_ws_package_of_npm(check: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """Another implementation on the other side: direct, and its 426 behind a proxy that drops the upgrade."""
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "ws@8.23.0"], cwd=tmp_path, check=True, timeout=120
    )
    (tmp_path / "server.js").write_text(
        """
        const { WebSocketServer } = require('ws')
        const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]),
          handleProtocols: (asked) => (asked.has('v2') ? 'v2' : false), perMessageDeflate: true, maxPayload: 1000 })
        server.on('connection', (socket, request) => {
          if (request.url === '/kill') socket.terminate()
          socket.send('hello')
          socket.on('message', () => socket.send('{"type":"pong"}'))
          socket.on('error', () => {})
          setInterval(() => socket.ping(), 200).unref()
        })
        """
    )
    port = free_port()
    command = [shutil.which("node") or "node", "server.js", str(port)]
    with running(command, port, tmp_path / "log", tmp_path):
        endpoint = {"name": "ws", "url": f"ws://127.0.0.1:{port}/ws"}
        good = check({**endpoint, "subprotocols": ["v1", "v2"]}, hold=1.1, **PING_PONG)
        assert causes(good) == [None], good["diagnosis"]
        entry = good["results"][0]
        assert (entry["subprotocol"], entry["close"]["code"]) == ("v2", 1000)
        assert entry["server_pings"] >= 4
        busy = check(endpoint, hold=1.1, hold_mode="message", interval=0.2, **PING_PONG)
        assert (causes(busy), busy["results"][0]["round_trips"]["lost"]) == ([None], 0)
        assert causes(check({**endpoint, "subprotocols": ["v1"]})) == ["subprotocol_refused"]
        assert causes(check({**endpoint, "url": f"ws://127.0.0.1:{port}/kill"}, **PING_PONG)) == ["cut_without_close"]
        too_big = check(endpoint, send="x" * 2000, expect={"type": "pong"})
        assert causes(too_big) == ["message_too_big"]
