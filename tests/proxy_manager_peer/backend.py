"""An application behind the proxy, run by uvicorn. It accepts WebSockets at /ws, /wsx, /socket.io/ and below."""

from __future__ import annotations

import json
from typing import Any

PATHS = ("/ws", "/wsx", "/ws/sub", "/socket.io/")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": f"{event['type']}.complete"})
            if event["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        if scope["path"] not in PATHS:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            if json.loads(event.get("text") or "{}").get("type") == "ping":
                await send({"type": "websocket.send", "text": '{"type":"pong"}'})
    known = scope["path"] == "/"
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    body = json.dumps({"page": True, "headers": headers} if known else {"detail": "Not Found", "headers": headers})
    await send(
        {
            "type": "http.response.start",
            "status": 200 if known else 404,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": body.encode()})
