"""Real uvicorn, nginx and HAProxy, each with a given application or configuration."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from free_ports import free_port

FASTAPI = """
import asyncio, json
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

app = FastAPI()

async def answer(ws):
    await ws.accept()
    try:
        while True:
            if json.loads(await ws.receive_text()).get("type") == "ping":
                await ws.send_json({"type": "pong"})
                open("answered", "w").close()
    except WebSocketDisconnect:
        pass

@app.websocket("/ws")
async def plain(ws: WebSocket):
    await answer(ws)

@app.websocket("/private")
async def private(ws: WebSocket, token: str = ""):
    if token == "right-token":
        await answer(ws)
    else:
        await ws.close(code=1008)

@app.websocket("/policy")
async def policy(ws: WebSocket):
    await ws.accept()
    await ws.close(code=1008, reason="no such room")

@app.get("/api/events")
async def events():
    async def each():
        for number in range(200):
            yield f"data: {number} {'x' * 1000}\\n\\n"
            await asyncio.sleep(0.3)
    return StreamingResponse(each(), media_type="text/event-stream")
"""


def listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: list[str], port: int, log: Path, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=cwd)
    try:
        deadline = time.monotonic() + 60
        while not listens(port):
            assert process.poll() is None, f"{command[0]} ended: {log.read_text()}"
            assert time.monotonic() < deadline, f"{command[0]} does not listen: {log.read_text()}"
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def uvicorn(directory: Path, port: int, *more: str, app: str = FASTAPI) -> list[str]:
    (directory / "app.py").write_text(app)
    return [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "warning", *more]


@contextmanager
def serving(directory: Path, app: str, *more: str) -> Iterator[int]:
    """An ASGI application under uvicorn; yields its port."""
    port = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    with running(uvicorn(directory, port, *more, app=app), port, directory / "log", directory):
        yield port


UP = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
    " proxy_set_header Connection $connection_upgrade; proxy_set_header Host $http_host; proxy_read_timeout 1h;"
)
"""What a location needs that forwards a WebSocket."""


@contextmanager
def nginx(directory: Path, http: str, *ports: int) -> Iterator[None]:
    """nginx with this text in its http block, listening on the ports."""
    directory.mkdir(parents=True, exist_ok=True)
    temporary = " ".join(
        f"{name}_temp_path {directory}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {directory}/pid; error_log {directory}/error.log info; worker_processes 1;"
        f" {'user root;' if os.geteuid() == 0 else ''}\n"
        "events { worker_connections 512; }\n"
        f"http {{ access_log off; {temporary}\n"
        "  map $http_upgrade $connection_upgrade { default ''; websocket upgrade; }\n"
        f"{http}\n}}\n"
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    command = [program, "-p", str(directory), "-c", str(configuration)]
    with running(command, ports[0], directory / "nginx.log", directory):
        yield


@contextmanager
def haproxy(directory: Path, *lines: str) -> Iterator[int]:
    """HAProxy with these lines in the only ``listen`` section; yields its port."""
    port = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "haproxy.cfg"
    section = "\n".join(f"  {line}" for line in lines)
    configuration.write_text(
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n"
        f"listen front\n  bind 127.0.0.1:{port}\n{section}\n"
    )
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    with running([program, "-db", "-f", str(configuration)], port, directory / "haproxy.log", directory):
        yield port
