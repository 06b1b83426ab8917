"""An npm registry with one package, which it gives only to those who have the token."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass(frozen=True)
class PrivateRegistry:
    """A running registry."""

    port: int
    token: str

    @property
    def name(self) -> str:
        """As ``.npmrc`` names it before the settings of one registry."""
        return f"//127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"http:{self.name}"


def _archive(package: str, version: str, source: str) -> bytes:
    manifest = json.dumps({"name": package, "version": version, "main": "index.js"})
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in (("package.json", manifest), ("index.js", source)):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


@contextlib.contextmanager
def private_registry(package: str, version: str, source: str, token: str) -> Iterator[PrivateRegistry]:
    """Serve a package to requests with the token; all others are answered with 401."""
    archive = _archive(package, version, source)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers["Authorization"] != f"Bearer {token}":
                self._answer(401, b'{"error": "a token is required"}')
            elif unquote(self.path) == f"/{package}":
                self._answer(200, json.dumps(self._description()).encode())
            elif self.path == "/package.tgz":
                self._answer(200, archive)
            else:
                self._answer(404, b"{}")

        def _description(self) -> dict[str, object]:
            digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
            dist = {"tarball": f"{registry.address}/package.tgz", "integrity": f"sha512-{digest}"}
            entry = {"name": package, "version": version, "main": "index.js", "dist": dist}
            return {"name": package, "dist-tags": {"latest": version}, "versions": {version: entry}}

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry = PrivateRegistry(server.server_port, token)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield registry
        finally:
            server.shutdown()
