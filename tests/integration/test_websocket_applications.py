"""A direct check presents itself as a correct proxy would, so an application refuses only what it refuses to users."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host import http
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.health_check import health_check_from
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.handshake import open_once
from ansible_collections.codeframe.staging.plugins.modules import websocket_check
from module_runner import RunModule
from websocket_servers import FASTAPI, serving

TRUSTED_HOST = (
    FASTAPI
    + """
from starlette.middleware.trustedhost import TrustedHostMiddleware
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["api.example.com"])

@app.get("/health")
async def health():
    return {"status": "ok"}
"""
)
HTTPS_REDIRECT = TRUSTED_HOST.replace(
    'app.add_middleware(TrustedHostMiddleware, allowed_hosts=["api.example.com"])',
    "from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware\n"
    "app.add_middleware(HTTPSRedirectMiddleware)",
)
SOCKET_IO = """
import socketio
app = socketio.ASGIApp(socketio.AsyncServer(async_mode="asgi"))
"""
ENGINE = "/socket.io/?EIO=4&transport=websocket"


@pytest.mark.parametrize(
    ("app", "resource", "without"),
    [
        pytest.param(TRUSTED_HOST, "/ws", "bad_request", id="allowed-hosts"),
        pytest.param(HTTPS_REDIRECT, "/ws", "redirected", id="https-redirect"),
        pytest.param(SOCKET_IO, ENGINE, "origin_rejected", id="python-socketio-cors"),
    ],
)
def test_a_direct_check_is_accepted_like_a_user(
    run_module: RunModule, tmp_path: Path, app: str, resource: str, without: str
) -> None:
    with serving(tmp_path, app) as port:
        endpoint: dict[str, Any] = {
            "name": "backend",
            "url": f"ws://127.0.0.1:{port}{resource}",
            "origin": "https://api.example.com",
        }
        bare = run_module(websocket_check, {"endpoints": [endpoint], "fail_on": "never"})
        assert bare["diagnosis"]["cause"] == without
        endpoint["public_url"] = "wss://api.example.com" + resource
        presented = run_module(websocket_check, {"endpoints": [endpoint], "fail_on": "never"})
    assert presented["diagnosis"]["cause"] == "none", presented["diagnosis"]
    assert "as api.example.com" in " ".join(presented["results"][0]["evidence"])


def test_an_origin_that_the_application_refuses_to_users_too_is_found(run_module: RunModule, tmp_path: Path) -> None:
    with serving(tmp_path, SOCKET_IO) as port:
        endpoint = {
            "name": "backend",
            "url": f"ws://127.0.0.1:{port}{ENGINE}",
            "public_url": f"wss://api.example.com{ENGINE}",
            "origin": "https://another.example.com",
        }
        result = run_module(websocket_check, {"endpoints": [endpoint], "fail_on": "never"})
    assert result["diagnosis"]["cause"] == "origin_rejected"


@pytest.mark.parametrize("app", [TRUSTED_HOST, HTTPS_REDIRECT], ids=["allowed-hosts", "https-redirect"])
def test_the_health_check_of_a_process_is_accepted_like_a_user(tmp_path: Path, app: str) -> None:
    with serving(tmp_path, app) as port:
        options = {
            **dict.fromkeys(("health_websocket_origin", "health_websocket_headers", "health_websocket_query")),
            "health_url": f"http://127.0.0.1:{port}/health",
            "health_port": None,
            "health_socket": None,
            "health_timeout": 10,
            "health_websocket_url": f"ws://127.0.0.1:{port}/ws",
            "stable_s": 0.0,
        }
        outcomes = []
        for public in (None, "wss://api.example.com/ws"):
            check = health_check_from({**options, "health_public_url": public})
            assert check.url
            assert check.websocket
            answer = http.request(check.url, timeout_s=5, headers=check.headers)
            outcomes.append((answer.status, open_once(check.websocket, 5).opened))
    assert outcomes[0] in ((400, False), (307, False))
    assert outcomes[1] == (200, True)


PINGING = """
import socketio
server = socketio.AsyncServer(async_mode="asgi", ping_interval=1, ping_timeout=1)

@server.event
async def connect(sid, environ, auth):
    if "refuse" in environ["QUERY_STRING"]:
        raise socketio.exceptions.ConnectionRefusedError("no such room")

app = socketio.ASGIApp(server)
"""


def test_a_connection_of_socket_io_is_held_because_its_pings_are_answered(
    run_module: RunModule, tmp_path: Path
) -> None:
    with serving(tmp_path, PINGING) as port:
        endpoint = {"name": "backend", "url": f"ws://127.0.0.1:{port}/socket.io/"}
        options = {"endpoints": [endpoint], "hold": 5, "fail_on": "never"}
        spoken = run_module(websocket_check, {**options, "protocol": "socketio"})
        # Without the protocol, the server closes after its first ping.
        endpoint["url"] += "?EIO=4&transport=websocket"
        unspoken = run_module(websocket_check, {**options, "send": "40", "expect": "^40"})
        endpoint["url"] += "&refuse=1"
        refused = run_module(websocket_check, {**options, "protocol": "socketio", "message_timeout": 1})
    assert spoken["diagnosis"]["cause"] == "none", spoken["diagnosis"]
    assert spoken["results"][0]["held_s"] >= 5
    assert unspoken["diagnosis"]["cause"] != "none"
    assert refused["diagnosis"]["cause"] != "none"
    assert "no such room" in str(refused["results"]), refused


GRAPHQL = """
import asyncio, json
from fastapi import FastAPI, WebSocket

app = FastAPI()

@app.websocket("/graphql")
async def graphql(ws: WebSocket):
    if "graphql-transport-ws" not in ws.scope["subprotocols"]:
        await ws.close(code=4406, reason="Subprotocol not acceptable")
        return
    await ws.accept(subprotocol="graphql-transport-ws")
    if json.loads(await ws.receive_text()) != {"type": "connection_init"}:
        await ws.close(code=4401)
        return
    await ws.send_json({"type": "connection_ack"})
    while True:
        await asyncio.sleep(1)
        await ws.send_json({"type": "ping"})
        if json.loads(await asyncio.wait_for(ws.receive_text(), 1)).get("type") != "pong":
            break
"""


def test_a_connection_of_graphql_transport_ws_is_held_because_its_pings_are_answered(
    run_module: RunModule, tmp_path: Path
) -> None:
    with serving(tmp_path, GRAPHQL) as port:
        options = {"endpoints": [{"name": "backend", "url": f"ws://127.0.0.1:{port}/graphql"}], "fail_on": "never"}
        spoken = run_module(websocket_check, {**options, "hold": 4, "protocol": "graphql-transport-ws"})
        unspoken = run_module(websocket_check, {**options, "hold": 4})
    assert spoken["diagnosis"]["cause"] == "none", spoken["diagnosis"]
    assert spoken["results"][0]["held_s"] >= 4
    assert unspoken["diagnosis"]["cause"] != "none"
