"""The client of the API against the test server, in all versions."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.api_address import parse_api_url
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.api_errors import (
    CutError,
    ForbiddenError,
    LoginRefusedError,
    NotFoundError,
    ServerFaultError,
    UnreachableError,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.client import (
    Credentials,
    ProxyManagerClient,
)
from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.certbot import CHALLENGES_FAILED
from proxy_manager_peer.nginx import NoNginx
from proxy_manager_peer.server import Account, Peer

NAME = "api.test"
SECRET = "correct horse"


@pytest.fixture(params=VERSIONS)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    with Peer(request.param, tmp_path, NoNginx(tmp_path), save_delay_s=0, reload_delay_s=0) as peer:
        peer.add_host(NAME, 14200)
        yield peer


def test_a_missing_object_is_told_from_a_missing_permission_in_all_versions(peer: Peer) -> None:
    """One answers 200 to an unknown host, others 404 to a missing login."""
    address = parse_api_url(peer.url)
    admin = ProxyManagerClient(address, Credentials("admin@example.com", SECRET))
    assert len(admin.hosts()) == 1
    with pytest.raises(NotFoundError):
        admin.host(99)
    peer.accounts.append(Account("view@example.com", SECRET, may="view"))
    viewer = ProxyManagerClient(address, Credentials("view@example.com", SECRET))
    with pytest.raises(ForbiddenError, match="may not do this; give it the permission to manage"):
        viewer.update(1, {"forward_port": 1})
    for token in ("malformed", "ex.pir.ed"):
        with pytest.raises(LoginRefusedError, match="does not accept the token"):
            ProxyManagerClient(address, Credentials(token=token)).hosts()
    assert peer.puts() == 1
    assert peer.hosts[1]["forward_port"] == 14200


def test_a_request_for_a_certificate_has_what_each_version_takes(peer: Peer) -> None:
    admin = ProxyManagerClient(parse_api_url(peer.url), Credentials("admin@example.com", SECRET))
    assert admin.email() == "admin@example.com"
    assert admin.request_certificate(["b.test", "a.test"], "ann@example.com", 30) == 1
    named = "ann@example.com" if peer.behaviour.version < (2, 13, 0) else "admin@example.com"
    assert peer.certbot.orders == [(("a.test", "b.test"), named)]
    peer.certbot.error = CHALLENGES_FAILED
    with pytest.raises(ServerFaultError, match=r"500 to POST /nginx/certificates \(Some challenges have failed\.\)"):
        admin.request_certificate(["c.test"], "ann@example.com", 30)
    peer.accounts[0].certificates = "view"
    with pytest.raises(ForbiddenError, match="may not do this; give it the permission to manage certificates"):
        admin.request_certificate(["c.test"], "ann@example.com", 30)
    assert list(peer.certificates) == [1]


_BODY = b'{"status":"OK","version":{"major":2,"minor":15,"revision":1}}'
VERSION = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """The URL of a server that answers one request after the other on a connection of its own."""

    def serve() -> None:
        for answer in answers:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as request:
                # All of it: a socket that is closed with unread data resets the connection.
                head = b"".join(iter(request.readline, b"\r\n"))
                length = re.search(rb"(?im)^content-length: *(\d+)", head)
                request.read(int(length[1]) if length else 0)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(60)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(b"", "closed without an answer", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "in the middle of the answer", id="half"),
    ],
)
def test_a_request_that_may_have_been_carried_out_is_told_from_one_that_was_not(answer: bytes, cause: str) -> None:
    with answering(VERSION, answer, VERSION, answer) as url:
        for method, kind in (("PUT", CutError), ("GET", UnreachableError)):
            client = ProxyManagerClient(parse_api_url(url), Credentials(token="a.b.c"))
            with pytest.raises(kind) as caught:
                client.call(method, "/nginx/proxy-hosts/1", {} if method == "PUT" else None)
            assert f"ended during {method} /nginx/proxy-hosts/1 ({cause})" in str(caught.value)
            assert client.calls == ["GET /", f"{method} /nginx/proxy-hosts/1"]


@pytest.mark.parametrize(("method", "kind"), [("POST", CutError), ("GET", ServerFaultError)])
def test_a_proxy_in_front_that_does_not_wait_leaves_it_open_what_was_done(method: str, kind: type[Exception]) -> None:
    with answering(VERSION, b"HTTP/1.1 504 Gateway Time-out\r\nContent-Length: 0\r\n\r\n") as url:
        client = ProxyManagerClient(parse_api_url(url), Credentials(token="a.b.c"))
        with pytest.raises(kind):
            client.call(method, "/nginx/certificates")
