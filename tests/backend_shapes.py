"""Small applications with the backends that real ones have, at fixed versions from the npm registry and PyPI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What the backend answers at ``/api/version``; another text is another version of the application.
FIRST, SECOND = "first-version", "second-version"
#: A page without packages, whose build writes the URL of the WebSocket into a script.
PAGE = {
    "web/package.json": json.dumps({"name": "web", "version": "1.0.0", "scripts": {"build": "node build.js"}}),
    "web/package-lock.json": json.dumps(
        {"name": "web", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "web", "version": "1.0.0"}}}
    ),
    "web/build.js": """
const fs = require('fs')
fs.mkdirSync('dist/assets', { recursive: true })
fs.writeFileSync('dist/index.html', '<script src="/assets/app.js"></script>')
fs.writeFileSync('dist/assets/app.js', `new WebSocket(${JSON.stringify(process.env.NEXT_PUBLIC_WS_URL)})`)
""",
}


@dataclass(frozen=True)
class BackendShape:
    """An application.

    :param title: Its row in docs/applications.md.
    :param files: Texts by path; ``FIRST`` is the version that it answers.
    :param variables: Those of the inventory that the shape needs.
    :param locks: Commands that lock packages, by directory. ``{python}`` becomes a Python with the tool.
    :param path: Path of the WebSocket.
    :param damage: A file below the project directory whose loss the next deployment must repair.
    """

    name: str
    title: str
    files: Mapping[str, str]
    variables: Mapping[str, Any]
    locks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path: str = "/ws"
    damage: str = ""


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


SHAPES = (
    BackendShape(
        "express",
        "Express and ws",
        {"server/package.json": _package({"express": "4.21.2", "ws": "8.18.3"}), "server/server.js": _EXPRESS},
        {**_NODE, "staging_backend_command": ["node", "server.js"]},
        {"server": _NPM_LOCK},
        damage="server/node_modules/ws/index.js",
    ),
    BackendShape(
        "nestjs",
        "NestJS in TypeScript",
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
        {"server": _NPM_LOCK},
        damage="server/dist/version.js",
    ),
    BackendShape(
        "socketio",
        "Socket.IO",
        {
            "server/package.json": _package({"socket.io": "4.8.1"}, type="module"),
            "server/server.js": _SOCKET_IO,
        },
        {**_NODE, "staging_backend_command": ["node", "server.js"], "staging_websocket_protocol": "socketio"},
        {"server": _NPM_LOCK},
        path="/socket.io/",
        damage="server/node_modules/engine.io/build/engine.io.js",
    ),
)
