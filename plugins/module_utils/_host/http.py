# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request to one address: no proxies of the environment, no redirections followed, every wait bounded.

On ``http.client``, since a caller must know how far a request got, can name the address to connect to separately from
the host that it asks for, and needs nothing that a bare host lacks.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import sockets
from .tls import client_context
from .url import Url

CONNECT = "connect"
TLS = "tls"
EXCHANGE = "exchange"

USER_AGENT = "codeframe.staging"
#: Bytes of a body that are read unless told otherwise.
DEFAULT_BODY_LIMIT = 65536


class NoAnswerError(OSError):
    """A request without an answer; its text is the cause in a few words, such as "connection refused".

    The exception that it came from is its ``__cause__``.

    :param stage: How far it got: ``CONNECT``, ``TLS`` or ``EXCHANGE``. Only in the last one may the server have acted
        on the request.
    """

    def __init__(self, stage: str, cause: str, number: int | None = None) -> None:
        super().__init__(number, cause)
        self.stage = stage
        self.cause = cause

    def __str__(self) -> str:
        return self.cause


@dataclass(frozen=True)
class Answer:
    """One answer.

    :param headers: In the order received, names as sent.
    :param body: As received, content codings not undone; at most as many bytes as were asked for.
    :param truncated: Whether the body is longer than that, or ended before it was complete.
    """

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    truncated: bool = False

    def header(self, name: str) -> str | None:
        """The first value of a header, or ``None``."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def request(
    url: Url,
    *,
    timeout_s: float,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    connect_to: tuple[str, int] | None = None,
    context: ssl.SSLContext | None = None,
    body_limit: int = DEFAULT_BODY_LIMIT,
) -> Answer:
    """Send one request on a connection of its own.

    :param url: ``http``, ``https``, ``ws`` or ``wss``; the fragment is not sent.
    :param timeout_s: Seconds for everything: resolution, connection, TLS and answer.
    :param headers: Further headers; ``Host`` is that of the URL unless given here.
    :param connect_to: Address and port to connect to instead of the URL's.
    :param context: For TLS; by default the system's authorities are trusted and names are checked.
    :param body_limit: Bytes of the body to read; 0 to read none.
    :raises NoAnswerError: If there is no complete head of an answer.
    """
    deadline = time.monotonic() + timeout_s
    with contextlib.closing(Connection(url, deadline, connect_to=connect_to, context=context)) as connection:
        return connection.exchange(
            method,
            url.resource,
            {"Host": url.authority, "Connection": "close", **(headers or {})},
            deadline,
            body=body,
            body_limit=body_limit,
        )


class Connection:
    """A connection for several requests to one server.

    :param url: Scheme, host and port are taken from it.
    :param deadline: For connecting, by the clock of ``time.monotonic()``.
    :raises NoAnswerError: If the connection or TLS fails.
    """

    def __init__(
        self,
        url: Url,
        deadline: float,
        *,
        connect_to: tuple[str, int] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        #: Whether a further request can be sent: every body so far was read to its end and nobody closed.
        self.reusable = True
        host, port = connect_to or (url.host, url.port)
        try:
            stream = sockets.connect(host, port, deadline)
        except OSError as error:
            raise NoAnswerError(CONNECT, describe(error), error.errno) from error
        if url.secure:
            try:
                stream = (context or client_context()).wrap_socket(stream, server_hostname=url.host)
            except (OSError, ValueError) as error:
                stream.close()
                raise NoAnswerError(TLS, describe(error), getattr(error, "errno", None)) from error
        self._stream = _BoundedStream(stream, deadline)
        self._protocol = http.client.HTTPConnection(url.host, url.port)
        self._protocol.auto_open = 0
        self._protocol.sock = self._stream

    def close(self) -> None:
        self._stream.end()

    def exchange(
        self,
        method: str,
        resource: str,
        headers: Mapping[str, str],
        deadline: float,
        *,
        body: bytes | None = None,
        body_limit: int = DEFAULT_BODY_LIMIT,
    ) -> Answer:
        """Send one request and read its answer.

        :param resource: Path and query.
        :param headers: All headers, ``Host`` included.
        :raises NoAnswerError: If there is no complete head of an answer, or a header cannot be sent.
        """
        self._stream.deadline = deadline
        try:
            self._send(method, resource, headers, body)
            response = self._protocol.getresponse()
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.reusable = False
            raise NoAnswerError(EXCHANGE, describe(error), getattr(error, "errno", None)) from error
        with response:
            # Closed, not only read: the library does not notice the end of a body that was read piece by piece.
            content, truncated = self._body(response, body_limit)
        self.reusable = self.reusable and not truncated and not response.will_close
        return Answer(response.status, response.reason, tuple(response.getheaders()), content, truncated)

    def _send(self, method: str, resource: str, headers: Mapping[str, str], body: bytes | None) -> None:
        self._protocol.putrequest(method, resource, skip_host=True, skip_accept_encoding=True)
        given = {name.lower() for name in headers}
        for name, value in (("User-Agent", USER_AGENT), *headers.items()):
            if name == "User-Agent" and name.lower() in given and value is USER_AGENT:
                continue
            self._protocol.putheader(name, value)
        if body is not None and "content-length" not in given:
            self._protocol.putheader("Content-Length", str(len(body)))
        self._protocol.endheaders(body)

    def _body(self, response: http.client.HTTPResponse, limit: int) -> tuple[bytes, bool]:
        """Return the body up to the limit, and whether there is more or it broke off."""
        content = bytearray()
        try:
            while len(content) <= limit:
                block = response.read1(min(65536, limit + 1 - len(content)))
                if not block:
                    return bytes(content), bool(response.length)
                content += block
        except (OSError, ValueError, http.client.HTTPException):
            # An answer that came is an answer, also where its body stops halfway.
            return bytes(content[:limit]), True
        return bytes(content[:limit]), True


def describe(error: BaseException) -> str:
    """Say in a few words why there was no answer, without the library's numbers and brackets."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the name does not resolve"
    if isinstance(error, http.client.RemoteDisconnected):
        return "closed without an answer"
    if isinstance(error, http.client.HTTPException):
        return f"the answer is not HTTP ({type(error).__name__})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error) or type(error).__name__


class _BoundedStream:
    """A connected socket of which every operation ends at the deadline, however many pieces an answer comes in."""

    def __init__(self, stream: socket.socket, deadline: float) -> None:
        self.deadline = deadline
        self._stream = stream

    def _bound(self) -> socket.socket:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("no answer in time")
        self._stream.settimeout(left)
        return self._stream

    def sendall(self, data: Any) -> None:
        for piece in data if isinstance(data, Iterable) and not isinstance(data, (bytes, bytearray)) else (data,):
            self._bound().sendall(piece)

    def makefile(self, *_args: Any, **_keywords: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def receive_into(self, buffer: Any) -> int:
        return self._bound().recv_into(buffer)

    def close(self) -> None:
        """Called by the library as soon as it knows that the server will close; the body may still be on its way."""

    def end(self) -> None:
        self._stream.close()


class _Reader(io.RawIOBase):
    def __init__(self, stream: _BoundedStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._stream.receive_into(buffer)
