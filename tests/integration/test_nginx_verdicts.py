"""The verdict of nginx_effective_info is what a handshake through a real nginx shows, for generated configurations."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.dump import split_dump, tree_of_files
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.evaluation import evaluate
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.findings import ERROR, works
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.inspection import ThisHost
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.request import (
    HttpRequest,
    arguments_of,
    normal_path,
)
from free_ports import free_port
from hypothesis import HealthCheck, Phase, assume, given, settings
from nginx_configurations import HOST, Generated, configurations
from nginx_constructs import CONSTRUCTS, HEADERS
from nginx_tree import NGINX, NGINX_VERSION, Tree
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as WebSocketRequest
from websockets.http11 import Response
from websockets.sync.server import Server, ServerConnection, serve

pytestmark = [pytest.mark.skipif(not NGINX, reason="needs nginx")]

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_at_ws(connection: ServerConnection, request: WebSocketRequest) -> Response | None:
    """The application: a WebSocket at /ws, and nothing elsewhere."""
    if request.path.partition("?")[0] != "/ws":
        return connection.respond(404, "no such path\n")
    return None


def echo(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        for message in connection:
            connection.send(message)


def handshake(port: int, path: str) -> tuple[bool, str]:
    """Whether a WebSocket opens and echoes a message, and what was answered."""
    key = base64.b64encode(os.urandom(16)).decode()
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://{HOST}\r\n\r\n"
    )
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(asked.encode())
        stream = connection.makefile("rb")
        status = stream.readline().decode("latin-1").strip()
        headers: dict[str, str] = {}
        while (line := stream.readline().decode("latin-1").strip()) != "":
            name, _colon, value = line.partition(":")
            headers[name.lower()] = ", ".join(filter(None, (headers.get(name.lower()), value.strip())))
        accepted = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()  # noqa: S324 - RFC 6455
        if (
            not status.startswith("HTTP/1.1 101")
            or headers.get("sec-websocket-accept") != accepted
            or headers.get("upgrade", "").lower() != "websocket"
            or "upgrade" not in headers.get("connection", "").lower()
        ):
            return False, f"{status} {headers}"
        connection.sendall(b"\x81\x82\x00\x00\x00\x00hi")
        answer = stream.read(4)
        return answer == b"\x81\x02hi", f"{status}, echo {answer!r}"
    return False, "the connection was closed"


@dataclass
class Peer:
    """A real nginx that runs one configuration after the other, in front of a real application."""

    tree: Tree
    other: int
    backend: int
    seen: Counter[str] = field(default_factory=Counter)

    def compare(self, generated: Generated) -> str | None:
        """What the evaluation says and nginx contradicts; ``None`` if they agree or there is no verdict.

        A configuration that nginx refuses is not counted.
        """
        text = generated.text
        for mark, value in (
            ("@PORT@", self.tree.port),
            ("@OTHER@", self.other),
            ("@BACKEND@", self.backend),
            ("@ROOT@", self.tree.root),
        ):
            text = text.replace(mark, str(value))
        (self.tree.root / "conf.d/generated.conf").write_text(text + "\n")
        dump = self.tree.command("-T")
        assume(dump.returncode == 0)
        evaluation = evaluate(
            tree_of_files(split_dump(dump.stdout)),
            HttpRequest(
                *(HOST, self.tree.port, False, normal_path(generated.path), "127.0.0.1"),
                arguments=arguments_of(generated.path),
                written=generated.path.partition("?")[0],
                client_address="127.0.0.1",
                origin=f"http://{HOST}",
                upstream_path="/ws",
                upstream_tls=False,
            ),
            NGINX_VERSION,
            ThisHost(str(self.tree.root)),
        )
        verdict = works(evaluation.findings)
        started = self.tree.command()
        assume(started.returncode == 0)
        try:
            opened, answer = handshake(self.tree.port, generated.path)
        finally:
            self.tree.stop()
        self.seen[f"verdict {verdict}, nginx {opened}"] += 1
        for each in evaluation.findings:
            self.seen[each.code] += 1
        if verdict is None or verdict == opened:
            return None
        said = [each.message for each in evaluation.findings if each.level == ERROR] or "works"
        return f"{generated.path}\n{text}\nevaluation: {said}\nnginx: {answer}"


@pytest.fixture
def peer() -> Iterator[Peer]:
    # Not below the directory of pytest, which is closed to the workers of nginx.
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    tree = Tree(directory / "nginx", free_port())
    tree.make()
    tree.write_main("include conf.d/*.conf;")
    (tree.root / "files").mkdir()
    (tree.root / "files/there.txt").write_text("there\n")
    (tree.root / "users").write_text("user:{PLAIN}word\n")
    server: Server = serve(echo, "127.0.0.1", 0, process_request=accept_at_ws, compression=None)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Peer(tree, free_port(), server.socket.getsockname()[1])
    tree.stop()
    server.shutdown()
    thread.join()
    shutil.rmtree(directory)


@pytest.mark.slow
def test_each_construct_is_as_the_table_says(peer: Peer) -> None:
    (peer.tree.root / "inc").mkdir()
    (peer.tree.root / "inc/headers.conf").write_text(HEADERS)
    different = []
    for each in CONSTRUCTS:
        peer.seen.clear()
        text = each.text(peer.tree.port, peer.backend, str(peer.tree.root))
        contradiction = peer.compare(Generated(text, each.path))
        # What the configuration does not decide may end in two ways.
        expected = "verdict None, " if each.undecided else f"verdict {each.opens}, nginx {each.opens}"
        if contradiction or not any(seen.startswith(expected) for seen in peer.seen):
            different.append(f"{each.name}: {contradiction or peer.seen}, the table says {expected}")
    assert not different, "\n".join(different)


@pytest.mark.parametrize("number", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_no_handshake_contradicts_the_verdict(peer: Peer, number: int) -> None:
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        derandomize=number == 40,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(configurations())
    def check(generated: Generated) -> None:
        different = peer.compare(generated)
        assert different is None, different

    check()
    print(*(f"{count:5} {what}" for what, count in peer.seen.most_common()), sep="\n")
    decided = sum(count for what, count in peer.seen.items() if what.startswith(("verdict True", "verdict False")))
    # A verdict that is always withheld contradicts nothing.
    assert decided >= number * 0.6
    assert peer.seen["verdict True, nginx True"] >= number * 0.15
