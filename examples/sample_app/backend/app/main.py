"""A FastAPI backend with a WebSocket, Server-Sent Events and a health page.

Started as ``python -m uvicorn app.main:app --host HOST --port PORT``, or as
``python -m app.main``, which takes host and port from HOST and PORT.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from dotenv import load_dotenv
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, StreamingResponse

# Environment variables take precedence over the file: the process manager sets them later.
load_dotenv(Path.cwd().parent / ".env.staging", override=False)

VERSION = "1.0.0"
EVENT_INTERVAL_S = 5.0


def cors_origins(text: str) -> list[str]:
    """Split the comma-separated origins of CORS_ALLOWED_ORIGINS."""
    return [origin.strip() for origin in text.split(",") if origin.strip()]


app = FastAPI(title="Sample application", version=VERSION, docs_url=None, redoc_url=None, openapi_url=None)
app.add_middleware(
    CORSMiddleware,
    allow_origins=cors_origins(os.environ.get("CORS_ALLOWED_ORIGINS", "")),
    allow_methods=["GET"],
)


@app.get("/health")
async def health() -> JSONResponse:
    """Return the version and the revision of the running process."""
    return JSONResponse(
        {"status": "ok", "version": VERSION, "revision": os.environ.get("APP_REVISION") or None, "pid": os.getpid()},
        headers={"Cache-Control": "no-store"},
    )


@app.websocket("/ws")
async def websocket(socket: WebSocket) -> None:
    """Answer {"type":"ping"} with {"type":"pong"}; echo any other message."""
    await socket.accept()
    try:
        while True:
            text = await socket.receive_text()
            try:
                message = json.loads(text)
            except ValueError:
                await socket.send_json({"type": "error", "message": "not JSON"})
                continue
            if isinstance(message, dict) and message.get("type") == "ping":
                await socket.send_text('{"type":"pong"}')
            else:
                await socket.send_json({"type": "echo", "message": message})
    except WebSocketDisconnect:
        return


@app.get("/api/events")
async def events() -> StreamingResponse:
    """Send the time every few seconds, for pages that have no WebSocket."""

    async def stream() -> AsyncIterator[str]:
        while True:
            yield f"data: {json.dumps({'type': 'tick', 'time': int(time.time())})}\n\n"
            await asyncio.sleep(EVENT_INTERVAL_S)

    return StreamingResponse(
        stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "14200")))
