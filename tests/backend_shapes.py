"""Small applications with the backends that real ones have, at fixed versions from the npm registry and PyPI."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What the backend answers at ``/api/version``; another text is another version of the application.
FIRST, SECOND = "first-version", "second-version"


@dataclass(frozen=True)
class BackendShape:
    """An application.

    :param title: Its row in docs/applications.md.
    :param versions: What the row names.
    :param files: Texts by path; ``FIRST`` is the version that it answers, and ``{index}`` becomes the URL of the index,
        because Poetry asks another interface of the default one.
    :param variables: Those of the inventory that the shape needs.
    :param locks: Commands that lock packages, by directory. ``{poetry}`` and ``{pipenv}`` become these programs.
    :param path: Path of the WebSocket.
    :param page: The application of :mod:`application_shapes` whose page it is deployed with.
    :param damage: A file below the project directory whose loss the next deployment must repair.
    """

    name: str
    title: str
    versions: str
    files: Mapping[str, str]
    variables: Mapping[str, Any]
    page: str
    locks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path: str = "/ws"
    damage: str = ""

    @property
    def digest(self) -> str:
        """Changes with everything that the application consists of."""
        parts = [
            dict(self.files),
            dict(self.variables),
            {place: list(words) for place, words in self.locks.items()},
        ]
        return hashlib.sha256(json.dumps([*parts, self.path], sort_keys=True).encode()).hexdigest()[:16]

    @property
    def directory(self) -> str:
        """That of the backend."""
        return str(self.variables["staging_backend_dir"])

    def command(self, place: int | str) -> list[str]:
        """The command of the process, for a port or the path of a socket."""
        mark = "{socket}" if isinstance(place, str) else "{port}"
        return [str(word).replace(mark, str(place)) for word in self.variables["staging_backend_command"]]

    def environment(self, place: int | str) -> dict[str, str]:
        """The variables of the process, for a port or the path of a socket."""
        given = self.variables.get("staging_backend_env", {})
        return {name: value.replace("{port}", str(place)) for name, value in given.items()}


_NPM_LOCK = ("npm", "install", "--package-lock-only", "--no-audit", "--no-fund")
_NODE = {
    "staging_backend_install": "npm",
    "staging_backend_dir": "server",
    "staging_backend_env": {"PORT": "{port}"},
}
_EXPRESS = f"""
const http = require('http')
const express = require('express')
const {{ WebSocketServer }} = require('ws')
const app = express()
app.get('/health', (request, response) => response.send('fine'))
app.get('/api/version', (request, response) => response.send('{FIRST}'))
const server = http.createServer(app)
new WebSocketServer({{ server, path: '/ws' }}).on('connection', (socket) => {{
  socket.on('message', (message) => socket.send(String(message)))
}})
server.listen(Number(process.env.PORT), '127.0.0.1')
"""
_SOCKET_IO = f"""
import {{ createServer }} from 'node:http'
import {{ Server }} from 'socket.io'
const server = createServer((request, response) => {{
  response.end(request.url === '/api/version' ? '{FIRST}' : 'fine')
}})
new Server(server, {{ pingInterval: 500, pingTimeout: 2000 }}).on('connection', (socket) => socket.emit('ready'))
server.listen(Number(process.env.PORT), '127.0.0.1')
"""
_NEST = """
import 'reflect-metadata'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { WsAdapter } from '@nestjs/platform-ws'
import { OnGatewayConnection, WebSocketGateway } from '@nestjs/websockets'
import { VERSION } from './version'

@WebSocketGateway({ path: '/ws' })
class Echo implements OnGatewayConnection {
  handleConnection(client: any) {
    client.on('message', (message: unknown) => client.send(String(message)))
  }
}

@Controller()
class Answers {
  @Get('health') health() { return 'fine' }
  @Get('api/version') version() { return VERSION }
}

@Module({ controllers: [Answers], providers: [Echo] })
class Application {}

async function main() {
  const application = await NestFactory.create(Application, { logger: false })
  application.useWebSocketAdapter(new WsAdapter(application))
  await application.listen(Number(process.env.PORT), '127.0.0.1')
}
main()
"""


def _package(packages: Mapping[str, str], **more: Any) -> str:
    return json.dumps({"name": "server", "version": "1.0.0", "private": True, "dependencies": dict(packages), **more})


_FASTAPI = f"""
from fastapi import FastAPI, WebSocket
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/health")
def health():
    return "fine"


@app.get("/api/version", response_class=PlainTextResponse)
def version():
    return "{FIRST}"


@app.websocket("/ws")
async def echo(socket: WebSocket):
    await socket.accept()
    async for message in socket.iter_text():
        await socket.send_text(message)
"""
_CHANNELS = f"""
import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of-the-tests", INSTALLED_APPS=["channels"])
django.setup()


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data, bytes_data=bytes_data)


urlpatterns = [
    path("health", lambda request: HttpResponse("fine")),
    path("api/version", lambda request: HttpResponse("{FIRST}")),
]
application = ProtocolTypeRouter(
    {{"http": get_asgi_application(), "websocket": URLRouter([path("ws", Echo.as_asgi())])}}
)
"""
_PYPROJECT = """[project]
name = "api"
version = "1.0.0"
requires-python = ">=3.11,<4"
dependencies = ["fastapi==0.116.1", "uvicorn==0.35.0", "websockets==15.0.1"]

[[tool.poetry.source]]
name = "index"
url = "{index}"
priority = "primary"

[build-system]
requires = ["poetry-core>=2"]
build-backend = "poetry.core.masonry.api"
"""
_PIPFILE = """[[source]]
url = "{index}"
verify_ssl = true
name = "index"

[packages]
fastapi = "==0.116.1"
gunicorn = "==23.0.0"
uvicorn = "==0.35.0"
uvicorn-worker = "==0.3.0"
websockets = "==15.0.1"
"""
_UVICORN = [".venv/bin/python", "-m", "uvicorn", "api:app", "--host", "127.0.0.1", "--port", "{port}"]


SHAPES = (
    BackendShape(
        "express",
        "Backend in Express with ws",
        "Express 4.21.2, ws 8.18.3",
        {"server/package.json": _package({"express": "4.21.2", "ws": "8.18.3"}), "server/server.js": _EXPRESS},
        {**_NODE, "staging_backend_command": ["node", "server.js"]},
        locks={"server": _NPM_LOCK},
        damage="server/node_modules/ws/index.js",
        page="vite-static",
    ),
    BackendShape(
        "nestjs",
        "Backend in NestJS, built from TypeScript",
        "NestJS 11.1.6",
        {
            "server/package.json": _package(
                {
                    **dict.fromkeys(
                        ("@nestjs/common", "@nestjs/core", "@nestjs/platform-express", "@nestjs/platform-ws"), "11.1.6"
                    ),
                    "@nestjs/websockets": "11.1.6",
                    "reflect-metadata": "0.2.2",
                    "rxjs": "7.8.2",
                    "ws": "8.18.3",
                },
                devDependencies={"typescript": "5.9.2", "@types/node": "22.18.0"},
                scripts={"build": "tsc -p ."},
            ),
            "server/tsconfig.json": json.dumps(
                {
                    "compilerOptions": {
                        "target": "es2022",
                        "module": "commonjs",
                        "outDir": "dist",
                        "rootDir": "src",
                        "experimentalDecorators": True,
                        "emitDecoratorMetadata": True,
                        "skipLibCheck": True,
                        "types": ["node"],
                    },
                    "include": ["src"],
                }
            ),
            "server/src/main.ts": _NEST,
            "server/src/version.ts": f"export const VERSION = '{FIRST}'\n",
        },
        {
            **_NODE,
            "staging_backend_build_command": ["npm", "run", "build"],
            "staging_backend_command": ["node", "dist/main.js"],
        },
        locks={"server": _NPM_LOCK},
        damage="server/dist/version.js",
        page="nuxt",
    ),
    BackendShape(
        "socketio",
        "Backend with Socket.IO",
        "Socket.IO 4.8.1",
        {
            "server/package.json": _package({"socket.io": "4.8.1"}, type="module"),
            "server/server.js": _SOCKET_IO,
        },
        {**_NODE, "staging_backend_command": ["node", "server.js"], "staging_websocket_protocol": "socketio"},
        locks={"server": _NPM_LOCK},
        path="/socket.io/",
        damage="server/node_modules/engine.io/build/engine.io.js",
        page="react-router",
    ),
    BackendShape(
        "poetry",
        "Backend in FastAPI with Poetry",
        "FastAPI 0.116.1, Poetry 2.2.1",
        {"server/pyproject.toml": _PYPROJECT, "server/api/__init__.py": _FASTAPI},
        {"staging_backend_dir": "server", "staging_backend_install": "poetry", "staging_backend_command": _UVICORN},
        locks={"server": ("{poetry}", "lock", "--no-interaction")},
        page="sveltekit-node",
    ),
    BackendShape(
        "pipenv",
        "Backend in FastAPI with Pipenv, run by gunicorn with workers of uvicorn",
        "FastAPI 0.116.1, Pipenv 2025.0.4, gunicorn 23.0.0",
        {"server/Pipfile": _PIPFILE, "server/api/__init__.py": _FASTAPI},
        {
            "staging_backend_dir": "server",
            "staging_backend_install": "pipenv",
            "staging_backend_command": [
                *(".venv/bin/python", "-m", "gunicorn", "api:app", "--workers", "2"),
                *("--worker-class", "uvicorn_worker.UvicornWorker", "--bind", "127.0.0.1:{port}"),
            ],
        },
        locks={"server": ("{pipenv}", "lock")},
        page="remix",
    ),
    BackendShape(
        "uds",
        "Backend in FastAPI, run by uvicorn at a UNIX socket",
        "FastAPI 0.116.1, uvicorn 0.35.0",
        {
            "server/requirements.txt": "fastapi==0.116.1\nuvicorn==0.35.0\nwebsockets==15.0.1\n",
            "server/api/__init__.py": _FASTAPI,
        },
        {
            "staging_backend_dir": "server",
            "staging_backend_socket": "/srv/uds.run/backend.sock",
            "staging_backend_command": [".venv/bin/python", "-m", "uvicorn", "api:app", "--uds", "{socket}"],
        },
        page="url-at-start",
    ),
    BackendShape(
        "channels",
        "Backend in Django channels, run by daphne",
        "channels 4.3.1, daphne 4.2.1",
        {
            "server/requirements.txt": "channels==4.3.1\ndaphne==4.2.1\nDjango==5.2.5\n",
            "server/asgi.py": _CHANNELS,
        },
        {
            "staging_backend_dir": "server",
            "staging_backend_command": [
                *(".venv/bin/python", "-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "asgi:application")
            ],
        },
        page="next-export",
    ),
)
