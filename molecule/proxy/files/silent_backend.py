"""A WebSocket backend that only echoes bytes and never sends anything on its own.

Real backends send pings, so that the idle timeout of a proxy never becomes visible.
"""

from __future__ import annotations

import socketserver
import sys


class Answer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return
            head += line
        if b"\r\nupgrade: websocket" not in head.lower():
            self.wfile.write(b"HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
        while part := self.connection.recv(65536):
            self.wfile.write(part)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
