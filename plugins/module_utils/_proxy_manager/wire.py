# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a proxy host answers on the wire: a raw handshake and a plain request."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

from .._websocket.http_answer import (
    HeadParser,
    HeadTooBigError,
    NotHttpError,
    RawAnswer,
)
from .block import REVISION_HEADER, digest

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_MAX_BODY = 65536
_POLL_S = 0.05
# A host name nobody serves, so that what answers is the proxy's default site.
_NOBODY = "nobody.invalid"

Stream = Union[socket.socket, ssl.SSLSocket]


@dataclass(frozen=True)
class Endpoint:
    """A proxy by its address, asked for a host name."""

    address: str
    port: int
    host_name: str
    tls: bool = False


@dataclass(frozen=True)
class Seen:
    """One answer; ``error`` is set where there was none."""

    status: int | None = None
    upgraded: bool = False
    #: The revision of the managed block that the running nginx has loaded for this path.
    revision: str | None = None
    body_digest: str = ""
    error: str = ""

    def shown(self) -> dict[str, object]:
        """For the result of a module."""
        return {
            "status": self.status,
            "upgraded": self.upgraded,
            "block": self.revision,
            "error": self.error or None,
        }

    def __str__(self) -> str:
        return self.error or f"{self.status}"


def handshake(endpoint: Endpoint, path: str, timeout_s: float = 5.0, login: tuple[str, str] | None = None) -> Seen:
    """Open a WebSocket and close it again."""
    key = base64.b64encode(os.urandom(16)).decode()
    scheme = "https" if endpoint.tls else "http"
    headers = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Origin: {scheme}://{endpoint.host_name}",
    ]
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()  # noqa: S324 - RFC 6455 names it
    return _ask(endpoint, path, headers, timeout_s, login, accept)


def plain(endpoint: Endpoint, path: str = "/", timeout_s: float = 5.0, login: tuple[str, str] | None = None) -> Seen:
    """Ask for a path as an ordinary request."""
    return _ask(endpoint, path, ["Connection: close"], timeout_s, login, None)


def is_served(endpoint: Endpoint, timeout_s: float = 5.0) -> bool | None:
    """Whether the proxy serves this host name itself, told by an answer that differs from its default site's.

    None where nothing answers at all.
    """
    ours = plain(endpoint, "/", timeout_s)
    default = plain(Endpoint(endpoint.address, endpoint.port, _NOBODY, endpoint.tls), "/", timeout_s)
    if ours.status is None and default.status is None:
        return None
    return (ours.status, ours.body_digest) != (default.status, default.body_digest)


def await_revision(
    endpoint: Endpoint,
    paths: Sequence[str],
    revision: str | None,
    deadline: float,
    rounds: int = 1,
    timeout_s: float = 5.0,
) -> dict[str, Seen]:
    """Ask until all paths tell this revision of the block (None: no block), or the deadline passes.

    :param deadline: By ``time.monotonic()``; each path is asked at least once.
    :param rounds: So many times in a row, since old and new workers of nginx both answer during a reload.
    """
    good = 0
    while True:
        seen = {path: handshake(endpoint, path, timeout_s) for path in paths}
        good = good + 1 if all(each.revision == revision and each.status is not None for each in seen.values()) else 0
        if good >= rounds or (not good and time.monotonic() >= deadline):
            return seen
        time.sleep(_POLL_S)


def _ask(
    endpoint: Endpoint,
    path: str,
    headers: list[str],
    timeout_s: float,
    login: tuple[str, str] | None,
    accept: str | None,
) -> Seen:
    deadline = time.monotonic() + timeout_s
    default_port = 443 if endpoint.tls else 80
    host = endpoint.host_name if endpoint.port == default_port else f"{endpoint.host_name}:{endpoint.port}"
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *headers]
    if login is not None:
        lines.append(f"Authorization: Basic {base64.b64encode(':'.join(login).encode()).decode()}")
    try:
        with contextlib.closing(_connect(endpoint, timeout_s)) as stream:
            stream.sendall("\r\n".join([*lines, "", ""]).encode())
            answer, rest = _read_head(stream, deadline)
            upgraded = accept is not None and answer.status == 101 and answer.header("Sec-WebSocket-Accept") == accept
            if upgraded:
                # An empty close frame, masked with zeros (RFC 6455, section 5.5.1).
                stream.sendall(b"\x88\x80\x00\x00\x00\x00")
            # A refused handshake may leave the connection open, without an end to wait for.
            body = _read_body(stream, rest, deadline) if accept is None else b""
    except OSError as exc:
        return Seen(error=str(exc.strerror or exc or "no answer in time"))
    except (NotHttpError, HeadTooBigError) as exc:
        return Seen(error=str(exc))
    return Seen(answer.status, upgraded, answer.header(REVISION_HEADER), digest(body.decode("latin-1")))


def _connect(endpoint: Endpoint, timeout_s: float) -> Stream:
    stream = socket.create_connection((endpoint.address, endpoint.port), timeout_s)
    if not endpoint.tls:
        return stream
    # What is asked is which configuration answers; whether browsers trust the certificate is checked elsewhere.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(stream, server_hostname=endpoint.host_name)
    except BaseException:
        stream.close()
        raise


def _receive(stream: Stream, deadline: float) -> bytes:
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout("no answer in time")
    stream.settimeout(left)
    return stream.recv(65536)


def _read_head(stream: Stream, deadline: float) -> tuple[RawAnswer, bytes]:
    parser = HeadParser()
    while True:
        data = _receive(stream, deadline)
        if not data:
            raise OSError("closed without an answer")
        answer = parser.feed(data)
        if answer is not None:
            return answer, parser.rest


def _read_body(stream: Stream, begun: bytes, deadline: float) -> bytes:
    body = bytearray(begun)
    with contextlib.suppress(OSError):
        while len(body) < _MAX_BODY:
            data = _receive(stream, min(deadline, time.monotonic() + 1.0))
            if not data:
                break
            body += data
    return bytes(body[:_MAX_BODY])
