"""What stands behind the proxy in tests: an application that shows each request and upgrades WebSockets."""

from __future__ import annotations

import json
import socket
import threading

#: The answer to the key of :func:`handshake` (RFC 6455, section 1.3); HAProxy lets no other through.
UPGRADED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def read_head(sock: socket.socket) -> str:
    """A request's or an answer's head with what came along; empty if the peer left before its end."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = sock.recv(65536)
        if not part:
            return ""
        head += part
    return head.decode("latin-1")


class Application:
    """A backend or a page on a port of its own.

    It upgrades a WebSocket where the request asks for it in full and in HTTP/1.1, and then keeps still: what it is
    sent, it sends back. Everything else gets a JSON text with its name and the request.
    """

    def __init__(self, name: str = "backend") -> None:
        self.name = name
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            request = read_head(client)
            asked = request.lower()
            if not request:
                return
            if all(part in asked for part in ("\r\nupgrade: websocket", "\r\nconnection: upgrade", " http/1.1\r\n")):
                client.sendall(UPGRADED)
                while part := client.recv(65536):
                    client.sendall(part)
                return
            if "/api/events" in request:
                client.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: 1\n\n"
                )
                # The answer does not end before the client leaves.
                client.settimeout(30)
                client.recv(1)
                return
            body = json.dumps({"name": self.name, "request": request}).encode()
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))

    def close(self) -> None:
        self.listener.close()


def handshake(port: int, host: str = "api.example.com", path: str = "/ws") -> tuple[int, socket.socket]:
    """Status of an opening handshake without TLS, and the connection."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    sock.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return int(read_head(sock).split()[1]), sock
