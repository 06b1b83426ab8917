"""HTTP requests to a server on loopback that answers with bytes as they are written here."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._host import http
from ansible_collections.codeframe.staging.plugins.module_utils._host.http import Answer, NoAnswerError
from ansible_collections.codeframe.staging.plugins.module_utils._host.tls import client_context
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import Url, parse_url

Handler = Callable[[socket.socket, bytes], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Reads one request head after the other, hands it to the handler, and keeps all heads."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[str] = []
        self.connections = 0
        self._handler = handler
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream: socket.socket) -> None:
        try:
            if self._context is not None:
                stream = self._context.wrap_socket(stream, server_side=True)
            with stream:
                data = b""
                while block := stream.recv(65536):
                    data += block
                    while b"\r\n\r\n" in data:
                        head, _, data = data.partition(b"\r\n\r\n")
                        self.heads.append(head.decode("latin-1"))
                        self._handler(stream, head)
        except OSError:
            return

    def close(self) -> None:
        self._listener.close()

    def url(self, path: str = "/", scheme: str = "http", host: str = "127.0.0.1") -> Url:
        return parse_url(f"{scheme}://{host}:{self.port}{path}")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(handler: Handler | bytes, context: ssl.SSLContext | None = None) -> Server:
        answer = handler
        servers.append(Server(answer if callable(answer) else lambda stream, _: stream.sendall(answer), context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_status_headers_and_body_are_returned(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\nabc")
    found = http.request(server.url("/a?b=c#d"), timeout_s=10)
    assert found == Answer(
        404, "Not Found", (("X-A", "1"), ("x-a", "2"), ("Content-Length", "3")), b"abc", truncated=False
    )
    assert (found.header("X-a"), found.header("None")) == ("1", None)
    assert server.heads == [
        f"GET /a?b=c HTTP/1.1\r\nUser-Agent: codeframe.staging\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close"
    ]


def test_redirections_are_not_followed(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
    found = http.request(server.url(), timeout_s=10)
    assert (found.status, found.header("location"), len(server.heads)) == (302, "/elsewhere", 1)


def test_method_headers_and_body_are_sent(serve: Callable[..., Server]) -> None:
    server = serve(OK)
    headers = {"Host": "other.example.com", "User-Agent": "x", "Content-Type": "text/plain"}
    http.request(server.url("/p"), timeout_s=10, method="PUT", headers=headers, body=b"12345")
    assert server.heads[0].split("\r\n") == [
        "PUT /p HTTP/1.1",
        "Host: other.example.com",
        "Connection: close",
        "User-Agent: x",
        "Content-Type: text/plain",
        "Content-Length: 5",
    ]


def test_proxies_of_the_environment_are_not_used(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert http.request(serve(OK).url(), timeout_s=10).status == 200


def test_the_address_to_connect_to_is_separate_from_the_name(serve: Callable[..., Server]) -> None:
    server = serve(OK)
    url = parse_url("http://app.example.com/x")
    assert http.request(url, timeout_s=10, connect_to=("127.0.0.1", server.port)).status == 200
    assert "\r\nHost: app.example.com\r\n" in server.heads[0]


@pytest.mark.parametrize(
    ("answer", "limit", "body", "truncated"),
    [
        pytest.param(OK, 2, b"ok", False, id="exactly-the-limit"),
        pytest.param(OK, 1, b"o", True, id="more-than-the-limit"),
        pytest.param(OK, 0, b"", True, id="no-body-wanted"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 0, b"", False, id="no-body-there"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
            9,
            b"abc",
            False,
            id="chunked",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n", 9, b"a", True, id="bad-chunks"
        ),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 9, b"", False, id="upgrade"),
    ],
)
def test_a_body_is_read_up_to_a_limit(
    serve: Callable[..., Server], answer: bytes, limit: int, body: bytes, truncated: bool
) -> None:
    found = http.request(serve(answer).url(), timeout_s=10, body_limit=limit)
    assert (found.body, found.truncated) == (body, truncated)


@pytest.mark.parametrize(
    ("answer", "body", "truncated"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"abc", True, id="shorter-than-said"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc", False, id="until-the-end"),
    ],
)
def test_a_connection_that_ends_ends_the_body(
    serve: Callable[..., Server], answer: bytes, body: bytes, truncated: bool
) -> None:
    def handler(stream: socket.socket, _head: bytes) -> None:
        stream.sendall(answer)
        stream.shutdown(socket.SHUT_RDWR)

    found = http.request(serve(handler).url(), timeout_s=10)
    assert (found.body, found.truncated) == (body, truncated)


def test_an_answer_whose_body_never_ends_is_an_answer(serve: Callable[..., Server]) -> None:
    started = time.monotonic()
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
    found = http.request(server.url(), timeout_s=0.5)
    assert (found.status, found.body, found.truncated) == (200, b"data: 1\n\n", True)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(b"", "no answer in time", id="silence"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", "no answer in time", id="half-a-head"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP (BadStatusLine)", id="another-protocol"),
    ],
)
def test_a_server_without_an_answer_is_reported(serve: Callable[..., Server], answer: bytes, cause: str) -> None:
    with pytest.raises(NoAnswerError) as caught:
        http.request(serve(answer).url(), timeout_s=0.5)
    assert (caught.value.stage, str(caught.value), caught.value.strerror) == (http.EXCHANGE, cause, cause)


def test_an_answer_that_trickles_in_ends_at_the_deadline(serve: Callable[..., Server]) -> None:
    def trickle(stream: socket.socket, _head: bytes) -> None:
        for _ in range(200):
            stream.sendall(b"HTTP/1.1 200 OK\r\nX: y"[:1])
            time.sleep(0.05)

    started = time.monotonic()
    with pytest.raises(NoAnswerError, match="no answer in time"):
        http.request(serve(trickle).url(), timeout_s=0.5)
    assert time.monotonic() - started < 4


def test_a_connection_closed_without_an_answer_is_reported(serve: Callable[..., Server]) -> None:
    server = serve(lambda stream, _: stream.shutdown(socket.SHUT_RDWR))
    with pytest.raises(NoAnswerError, match="closed without an answer") as caught:
        http.request(server.url(), timeout_s=10)
    assert caught.value.stage == http.EXCHANGE


def test_a_refused_connection_is_reported_with_its_cause() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswerError) as caught:
            http.request(parse_url(f"http://127.0.0.1:{unused.getsockname()[1]}"), timeout_s=10)
    assert (caught.value.stage, str(caught.value)) == (http.CONNECT, "connection refused")
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_a_header_that_would_split_the_request_is_not_sent(serve: Callable[..., Server]) -> None:
    server = serve(OK)
    with pytest.raises(NoAnswerError) as caught:
        http.request(server.url(), timeout_s=10, headers={"X": "a\r\nHost: evil"})
    assert (caught.value.stage, server.heads) == (http.EXCHANGE, [])


def test_tls_checks_the_name_that_is_asked_for_and_not_the_address(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    authority = peers.make_authority(tmp_path)
    server = serve(OK, authority.server_context("app.example.com"))
    context = client_context(ca_path=authority.ca_path)
    to = ("127.0.0.1", server.port)
    url = parse_url("https://app.example.com/")
    assert http.request(url, timeout_s=10, connect_to=to, context=context).status == 200
    other = parse_url("wss://other.example.com/")
    with pytest.raises(NoAnswerError, match=r"the certificate is not trusted: Hostname mismatch") as caught:
        http.request(other, timeout_s=10, connect_to=to, context=context)
    assert caught.value.stage == http.TLS
    with pytest.raises(NoAnswerError, match="the certificate is not trusted"):
        http.request(url, timeout_s=10, connect_to=to)
    assert http.request(other, timeout_s=10, connect_to=to, context=client_context(verify=False)).status == 200


def test_a_server_without_tls_is_told_from_one_without_an_answer(serve: Callable[..., Server]) -> None:
    server = serve(b"")
    with pytest.raises(NoAnswerError) as caught:
        http.request(server.url(scheme="https"), timeout_s=1)
    assert (caught.value.stage, str(caught.value)) == (http.TLS, "no answer in time")


def test_a_connection_is_used_for_several_requests(serve: Callable[..., Server]) -> None:
    server = serve(OK)
    deadline = time.monotonic() + 10
    connection = http.Connection(server.url(), deadline)
    for path in ("/a", "/b"):
        assert connection.exchange("GET", path, {"Host": "x"}, deadline).body == b"ok"
        assert connection.reusable
    connection.exchange("GET", "/c", {"Host": "x"}, deadline, body_limit=1)
    assert not connection.reusable
    connection.close()
    assert (server.connections, [head.split()[1] for head in server.heads]) == (1, ["/a", "/b", "/c"])


def test_a_connection_that_the_server_closes_is_not_used_again(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    deadline = time.monotonic() + 10
    connection = http.Connection(server.url(), deadline)
    connection.exchange("GET", "/", {"Host": "x"}, deadline)
    assert not connection.reusable
    connection.close()
