"""A page and a backend that need no packages, so that a deployment of both takes seconds."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from application_shapes import BACKEND
from free_ports import free_port

#: The build writes the URL of the WebSocket into a script.
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


def write_source(source: Path, before_the_server: str = "") -> None:
    """Write the source.

    :param before_the_server: Python that the backend runs when it starts.
    """
    for name, text in {**PAGE, "backend/server.py": f"{before_the_server}{BACKEND}"}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)


def variables() -> dict[str, Any]:
    """Those that it needs, in addition to those of all applications."""
    return {
        "staging_hold": 1,
        "staging_frontend_serve": "static",
        "staging_frontend_output_dir": "dist",
        "staging_frontend_port": free_port(),
        "staging_backend_dir": "backend",
        "staging_backend_install": "none",
        "staging_backend_command": [sys.executable, "server.py", "{port}"],
    }
