"""Peers on loopback for the tests of websocket_check: servers that do exactly what a test tells them to."""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Request:
    line: str
    headers: Mapping[str, str]

    @property
    def wants_upgrade(self) -> bool:
        return self.headers.get("upgrade", "").lower() == "websocket"


class Peer:
    """One connection as the server sees it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._data = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def request(self) -> Request:
        while b"\r\n\r\n" not in self._data:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("the client has gone")
            self._data += more
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        pairs = (item.partition(":") for item in rest)
        return Request(line, {name.strip().lower(): value.strip() for name, _, value in pairs})

    def answer(self, status: int, body: str = "", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body.encode())}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def upgrade(self, request: Request | None = None, **headers: str) -> Request:
        request = request or self.request()
        if not request.wants_upgrade:
            raise ConnectionError("the client does not want an upgrade")
        lines = ["HTTP/1.1 101 Switching Protocols"]
        fields = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": accept_key(request.headers["sec-websocket-key"]),
        }
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines += [f"{name}: {value}" for name, value in fields.items() if value]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        return request

    def frame(self, opcode: int, payload: bytes = b"", **bits: int) -> None:
        self.send(frame(opcode, payload, **bits))

    def read_frame(self) -> tuple[int, bytes]:
        opcode, length = self._exactly(2)
        length &= 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._exactly(8))
        mask = self._exactly(4)
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self._exactly(length)))
        return opcode & 0x0F, payload

    def _exactly(self, count: int) -> bytes:
        while len(self._data) < count:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("the client has gone")
            self._data += more
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def serve(self, reply: bytes | None = b'{"type": "pong"}', answer_pings: bool = True) -> None:
        """Answer messages, pings and the close frame until the client goes."""
        while True:
            opcode, payload = self.read_frame()
            if opcode in (TEXT, BINARY) and reply is not None:
                self.frame(TEXT, reply)
            elif opcode == PING and answer_pings:
                self.frame(PONG, payload)
            elif opcode == CLOSE:
                self.frame(CLOSE, payload)
                return

    def wait(self) -> None:
        """Read and drop everything until the client goes."""
        while self.sock.recv(65536):
            pass


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode()


def frame(opcode: int, payload: bytes = b"", fin: int = 1, rsv: int = 0, mask: int = 0) -> bytes:
    head = bytes([fin << 7 | rsv << 4 | opcode])
    size = len(payload)
    if size < 126:
        head += bytes([mask << 7 | size])
    elif size < 65536:
        head += bytes([mask << 7 | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mask << 7 | 127]) + struct.pack("!Q", size)
    return head + (bytes(4) if mask else b"") + payload


@contextmanager
def peer(act: Callable[[Peer], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve every connection with ``act`` in a thread of its own; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    open_socks: list[socket.socket] = []

    def serve_one(sock: socket.socket) -> None:
        with suppress(OSError, ValueError), sock:
            if context is not None:
                sock = context.wrap_socket(sock, server_side=True)
                open_socks.append(sock)
            with sock:
                act(Peer(sock))

    def accept() -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.settimeout(30)
                open_socks.append(sock)
                threading.Thread(target=serve_one, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in open_socks:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def healthy(connection: Peer) -> None:
    """A server as it should be: /ws speaks WebSocket, everything else is 404."""
    request = connection.request()
    if not request.wants_upgrade or not request.line.startswith("GET /ws"):
        connection.answer(404, '{"detail":"Not Found"}', Content_Type="application/json")
        return
    connection.upgrade(request)
    connection.serve()


def answering(status: int, body: str = "", **headers: str) -> Callable[[Peer], None]:
    """A server that gives every request the same answer."""

    def act(connection: Peer) -> None:
        connection.request()
        connection.answer(status, body, **headers)

    return act


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a directory, made for one test run."""

    directory: Path
    _key: ec.EllipticCurvePrivateKey
    _certificate: x509.Certificate

    @property
    def ca_path(self) -> str:
        return str(self.directory / "ca.pem")

    def intermediate(self, name: str, first_day: int = -400, last_day: int = 400) -> Authority:
        """An authority below this one, in a directory of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(name, self._certificate.subject, first_day, last_day)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(True, False, False, False, False, True, True, False, False),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        directory = self.directory / name.replace(" ", "-")
        directory.mkdir()
        _write(directory, "ca", certificate, key)
        return Authority(directory, key, certificate)

    def issue(self, name: str, first_day: int = -1, last_day: int = 30) -> tuple[str, str]:
        """Write a certificate and its key; days count from now. Returns their paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative: x509.GeneralName
        try:
            alternative = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        certificate = (
            _builder(name, self._certificate.subject, first_day, last_day)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        stem = f"{name}-{first_day}-{last_day}"
        return _write(self.directory, stem, certificate, key)

    def server_context(self, name: str, first_day: int = -1, last_day: int = 30) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, first_day, last_day))
        return context


def make_authority(directory: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
    certificate = (
        _builder("Test Authority", name, -400, 400)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(directory, "ca", certificate, key)
    return Authority(directory, key, certificate)


def _builder(name: str, issuer: x509.Name, first_day: int, last_day: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=first_day))
        .not_valid_after(now + datetime.timedelta(days=last_day, hours=1))
    )


def _write(
    directory: Path, stem: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> tuple[str, str]:
    certificate_file, key_file = directory / f"{stem}.pem", directory / f"{stem}.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(certificate_file), str(key_file)
