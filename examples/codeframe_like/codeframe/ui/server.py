"""The API, the WebSocket and the database of projects.

Started as ``python -m codeframe.ui.server --port PORT``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.middleware.cors import CORSMiddleware

BROADCAST_INTERVAL_S = 5.0
SCHEMA = "CREATE TABLE IF NOT EXISTS projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"

connections: set[WebSocket] = set()


def database() -> sqlite3.Connection:
    """Open the database; without DATABASE_PATH it is below the working directory."""
    path = Path(os.environ.get("DATABASE_PATH", ".codeframe/state.db"))
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = sqlite3.connect(path, check_same_thread=False)
    opened.execute(SCHEMA)
    return opened


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep the database open while the server runs."""
    app.state.db = database()
    updates = asyncio.create_task(broadcast_updates())
    yield
    updates.cancel()
    app.state.db.close()


app = FastAPI(title="Status server", version="0.1.0", lifespan=lifespan)
app.add_middleware(
    CORSMiddleware,
    allow_origins=[o.strip() for o in os.environ.get("CORS_ALLOWED_ORIGINS", "").split(",") if o.strip()],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)


@app.get("/")
async def root() -> dict[str, str]:
    """Say that the server runs."""
    return {"status": "online"}


@app.get("/health")
async def health() -> dict[str, Any]:
    """Return the version, the commit and the state of the database."""
    commit = "unknown"
    with suppress(OSError, subprocess.CalledProcessError):
        commit = (
            subprocess.check_output(
                ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - git of the PATH, as CodeFRAME does
                cwd=Path(__file__).parent,
                stderr=subprocess.DEVNULL,
            )
            .decode()
            .strip()
        )
    return {"status": "healthy", "version": app.version, "commit": commit, "database": "connected", "pid": os.getpid()}


@app.get("/api/projects")
async def list_projects() -> dict[str, Any]:
    """List all projects."""
    rows = app.state.db.execute("SELECT id, name FROM projects ORDER BY id")
    return {"projects": [{"id": number, "name": name} for number, name in rows]}


@app.post("/api/projects", status_code=201)
async def create_project(request: dict[str, str]) -> dict[str, Any]:
    """Create a project."""
    try:
        with app.state.db:
            row = app.state.db.execute("INSERT INTO projects (name) VALUES (?)", (request["project_name"],))
    except sqlite3.IntegrityError as err:
        raise HTTPException(status_code=409, detail="the project exists already") from err
    except KeyError as err:
        raise HTTPException(status_code=422, detail="project_name is missing") from err
    return {"id": row.lastrowid, "name": request["project_name"]}


@app.get("/api/projects/{project_id}/status")
async def project_status(project_id: int) -> dict[str, Any]:
    """Return one project."""
    row = app.state.db.execute("SELECT id, name FROM projects WHERE id = ?", (project_id,)).fetchone()
    if row is None:
        raise HTTPException(status_code=404, detail="no such project")
    return {"id": row[0], "name": row[1], "status": "init"}


@app.websocket("/ws")
async def websocket(socket: WebSocket) -> None:
    """Answer pings and subscriptions; updates are sent by ``broadcast_updates``."""
    await socket.accept()
    connections.add(socket)
    try:
        while True:
            message = json.loads(await socket.receive_text())
            if message.get("type") == "ping":
                await socket.send_json({"type": "pong"})
            elif message.get("type") == "subscribe":
                await socket.send_json({"type": "subscribed", "project_id": message.get("project_id")})
    except WebSocketDisconnect:
        pass
    finally:
        connections.discard(socket)


async def broadcast_updates() -> None:
    """Send an update to all connected pages every few seconds."""
    while True:
        await asyncio.sleep(BROADCAST_INTERVAL_S)
        for socket in tuple(connections):
            with suppress(RuntimeError, WebSocketDisconnect):
                await socket.send_json({"type": "status_update", "data": {"active_agents": 0}})


def main() -> None:
    """Run the server."""
    import uvicorn

    parser = argparse.ArgumentParser(description="Status server")
    parser.add_argument("--host", default=os.environ.get("HOST", "0.0.0.0"))  # noqa: S104 - as CodeFRAME
    parser.add_argument("--port", type=int, default=int(os.environ.get("BACKEND_PORT", "8080")))
    given = parser.parse_args()
    uvicorn.run(app, host=given.host, port=given.port)


if __name__ == "__main__":
    main()
