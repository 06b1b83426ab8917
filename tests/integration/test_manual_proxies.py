# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks of the provider ``manual``, each in the real program that it is for, with a WebSocket through it."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import websocket_check
from free_ports import free_port
from manual_proxies import block
from module_runner import RunModule
from websocket_servers import nginx, running, serving

#: What each request tells the application, and a message that is echoed.
APPLICATION = """
import asyncio, json
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

app = FastAPI()

@app.websocket("/ws")
async def plain(ws: WebSocket):
    await ws.accept()
    try:
        while True:
            if json.loads(await ws.receive_text()).get("type") == "ping":
                await ws.send_json({"type": "pong", "host": ws.headers["host"],
                                    "proto": ws.headers.get("x-forwarded-proto"),
                                    "for": ws.headers.get("x-forwarded-for")})
    except WebSocketDisconnect:
        pass

@app.get("/api/events")
async def events():
    async def each():
        for number in range(20):
            yield f"data: {number}\\n\\n"
            await asyncio.sleep(0.5)
    return StreamingResponse(each(), media_type="text/event-stream")

@app.get("/{path:path}")
async def other(path: str, request: Request):
    return {"path": path, "page": request.app.title}
"""
PAGE = APPLICATION.replace("FastAPI()", 'FastAPI(title="page")')
APACHE_MODULES = (
    "mpm_event authz_core authz_host alias setenvif headers proxy proxy_http ssl socache_shmcb log_config unixd"
)


def installed(program: str, package: str) -> str:
    """The path of a program, which is installed from Debian if it is missing."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        subprocess.run(["apt-get", "-q", "update"], check=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        command = ["apt-get", "-qy", "install", "--no-install-recommends", package]
        subprocess.run(command, check=True, env=environment)
        found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found is not None, package
    return found


@contextmanager
def proxy(kind: str, text: str, port: int, directory: Path) -> Iterator[None]:
    """The program with the block in its configuration."""
    directory.mkdir()
    if kind == "nginx":
        with nginx(directory, text, port):
            yield
        return
    configuration = directory / "configuration"
    if kind == "haproxy":
        configuration.write_text(f"defaults\n  mode http\n  log stderr local0\n{text}")
        command = [installed("haproxy", "haproxy"), "-db", "-f", str(configuration)]
        check = [*command, "-c"]
    elif kind == "apache":
        program, modules = installed("apache2", "apache2"), "/usr/lib/apache2/modules"
        load = "".join(
            f"LoadModule {name}_module {modules}/mod_{name}.so\n"
            for name in APACHE_MODULES.split()
            if Path(f"{modules}/mod_{name}.so").exists()
        )
        configuration.write_text(
            f"ServerRoot {directory}\nServerName localhost\nPidFile {directory}/pid\nErrorLog {directory}/error.log\n"
            f"DefaultRuntimeDir {directory}\nUser www-data\nGroup www-data\n{load}{text}"
        )
        command = [program, "-DFOREGROUND", "-f", str(configuration)]
        check = [program, "-t", "-f", str(configuration)]
    else:
        program = installed("caddy", "caddy")
        configuration.write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{text}")
        command = [program, "run", "--adapter", "caddyfile", "--config", str(configuration)]
        check = [program, "validate", "--adapter", "caddyfile", "--config", str(configuration)]
    directory.chmod(0o755)
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "warning" not in (checked.stdout + checked.stderr).lower() or kind == "caddy", checked.stderr
    with running(command, port, directory / "log", directory):
        yield


@contextmanager
def answer_of(port: int, host: str, path: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        yield connection.getresponse()
    finally:
        connection.close()


def get(port: int, host: str, path: str) -> tuple[int, str]:
    with answer_of(port, host, path) as answer:
        return answer.status, answer.read().decode()


def first_event_s(port: int, host: str) -> float:
    began = time.monotonic()
    with answer_of(port, host, "/api/events") as answer:
        assert answer.readline() == b"data: 0\n"
        return time.monotonic() - began


KINDS = [
    pytest.param("nginx", marks=pytest.mark.slow),
    "haproxy",
    # Not in the image: they are installed.
    pytest.param("apache", marks=pytest.mark.slow),
    pytest.param("caddy", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_websocket_passes_through_the_block_in_the_real_program(
    kind: str, tmp_path: Path, run_module: RunModule
) -> None:
    port = free_port()
    with serving(tmp_path / "backend", APPLICATION) as backend, serving(tmp_path / "page", PAGE) as page:
        inputs: dict[str, Any] = {
            "site_name": "my-app",
            "page_url": f"http://app.test:{port}",
            "api_url": f"http://app.test:{port}",
            "ws_url": f"ws://ws.test:{port}/ws",
            "backend_upstream": f"127.0.0.1:{backend}",
            "frontend_upstream": f"127.0.0.1:{page}",
            "sse_paths": ["/api/events"],
            "websocket_idle_timeout": 8,
            "request_timeout": 2,
            "ipv6": False,
        }
        with proxy(kind, block(kind, inputs), port, tmp_path / "proxy"):
            result = run_module(
                websocket_check,
                {
                    "endpoints": [
                        {
                            "name": "proxy",
                            "vantage": "proxy",
                            "url": f"ws://ws.test:{port}/ws",
                            "connect_to": f"127.0.0.1:{port}",
                            "origin": f"http://app.test:{port}",
                        }
                    ],
                    "send": '{"type": "ping"}',
                    "expect": {"type": "pong", "host": f"ws.test:{port}", "proto": "http", "for": "127.0.0.1"},
                    # Longer than the timeout of ordinary requests.
                    "hold": 5,
                    "expected_idle_timeout": 8,
                },
            )
            assert not result["failed"], result["msg"]
            # Paths and host names lead where they should, and to nothing else.
            assert get(port, "app.test", "/x")[1] == '{"path":"x","page":"page"}'
            assert get(port, "app.test", "/api/x")[1] == '{"path":"api/x","page":"FastAPI"}'
            assert get(port, "ws.test", "/x")[0] == 404
            assert get(port, "ws.test", "/wsx")[0] == 404
            # An event stream is passed on at once, for longer than an ordinary answer may take.
            assert first_event_s(port, "app.test") < 2
            status, text = get(port, "app.test", "/api/events")
            assert (status, text.count("data:")) == (200, 20)
