"""The opening handshake: what is sent, which answers are an upgrade, and what a caller without an event loop gets."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.handshake import (
    UpgradeError,
    accept_key,
    new_key,
    open_once,
    upgrade_request,
    verify_upgrade,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.header_form import HeaderForm
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.http_answer import HeadParser
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import Fault
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import parse_target
from free_ports import free_port
from hypothesis import given
from hypothesis import strategies as st
from websocket_peers import Peer, peer
from websockets.client import ClientProtocol
from websockets.sync.server import unix_serve
from websockets.uri import parse_uri

# The example of RFC 6455, section 1.3.
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def head(*lines: str, status: str = "HTTP/1.1 101 Switching Protocols") -> bytes:
    return "\r\n".join([status, *lines, "", ""]).encode("latin-1")


def verify(raw: bytes, *subprotocols: str) -> str | None:
    answer = HeadParser().feed(raw)
    assert answer is not None
    return verify_upgrade(answer, KEY, subprotocols)


UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {ACCEPT}")


# The request.


def test_the_request_is_that_of_rfc_6455_with_the_endpoint_s_own_headers_last() -> None:
    target = parse_target(
        {
            "name": "e",
            "url": "wss://api.example.com:8443/ws?room=1",
            "subprotocols": ["v1", "v2"],
            "headers": {"X-A": "1"},
            "secret_headers": {"Cookie": "a=b"},
        }
    )
    assert upgrade_request(target, KEY, "https://app.example.com").decode() == "\r\n".join(
        [
            "GET /ws?room=1 HTTP/1.1",
            "Host: api.example.com:8443",
            "Connection: Upgrade",
            "Pragma: no-cache",
            "Cache-Control: no-cache",
            "User-Agent: codeframe.staging websocket_check",
            "Upgrade: websocket",
            "Origin: https://app.example.com",
            "Sec-WebSocket-Version: 13",
            "Accept-Encoding: gzip, deflate, br, zstd",
            "Accept-Language: en-US,en;q=0.9",
            f"Sec-WebSocket-Key: {KEY}",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
            "Sec-WebSocket-Protocol: v1, v2",
            "X-A: 1",
            "Cookie: a=b",
            "",
            "",
        ]
    )


def test_a_user_agent_of_the_endpoint_is_the_only_one() -> None:
    target = parse_target({"name": "e", "url": "ws://h/", "headers": {"user-agent": "Mozilla/5.0"}})
    request = upgrade_request(target, KEY, None).decode()
    assert request.lower().count("user-agent:") == 1
    assert "\r\nUser-Agent: Mozilla/5.0\r\n" in request
    assert "Origin" not in request


@pytest.mark.parametrize("form", list(HeaderForm), ids=lambda form: form.name)
def test_every_form_has_each_header_of_a_handshake_once(form: HeaderForm) -> None:
    target = parse_target(
        {"name": "e", "url": "ws://h/ws", "subprotocols": ["v1"], "headers": {"Accept-Language": "de"}}
    )
    lines = upgrade_request(target, KEY, "http://page", form).decode().split("\r\n")[1:-2]
    names = [line.partition(":")[0].lower() for line in lines]
    assert len(names) == len(set(names))
    assert names[0] == "host"
    assert "Accept-Language: de" in lines
    assert {"upgrade", "connection", "origin", "sec-websocket-key", "sec-websocket-version"} <= set(names)
    assert {"sec-websocket-protocol", "sec-websocket-extensions", "user-agent"} <= set(names)
    assert ("cookie" in names) is (form is HeaderForm.COOKIES)
    without = upgrade_request(target, KEY, "http://page", form, compression=False).decode()
    assert "Sec-WebSocket-Extensions" not in without


def test_firefox_sends_a_list_of_connection_options() -> None:
    request = upgrade_request(parse_target({"name": "e", "url": "ws://h/ws"}), KEY, None, HeaderForm.FIREFOX)
    assert b"\r\nConnection: keep-alive, Upgrade\r\n" in request


@pytest.mark.parametrize(
    ("extensions", "offered", "accepted"),
    [
        pytest.param("permessage-deflate", True, True, id="compression"),
        pytest.param("permessage-deflate; server_max_window_bits=12", True, True, id="parameters"),
        pytest.param("permessage-deflate", False, False, id="not-offered"),
        pytest.param("permessage-deflate, x-other", True, False, id="two"),
        pytest.param("x-webkit-deflate-frame", True, False, id="another"),
    ],
)
def test_only_the_compression_that_was_offered_is_accepted(extensions: str, offered: bool, accepted: bool) -> None:
    raw = head(
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {ACCEPT}",
        f"Sec-WebSocket-Extensions: {extensions}",
    )
    answer = HeadParser().feed(raw)
    assert answer is not None
    if accepted:
        verify_upgrade(answer, KEY, compression=offered)
        return
    with pytest.raises(UpgradeError, match="Sec-WebSocket-Extensions is"):
        verify_upgrade(answer, KEY, compression=offered)


def test_a_key_is_16_bytes_in_base64_and_never_the_same() -> None:
    keys = {new_key() for _ in range(20)}
    assert len(keys) == 20
    assert all(len(key) == 24 and key.endswith("==") for key in keys)


def test_the_accept_key_of_the_rfc_s_example() -> None:
    assert accept_key(KEY) == ACCEPT


# The answer.


@pytest.mark.parametrize(
    ("lines", "offered", "chosen"),
    [
        pytest.param(UPGRADE, (), None, id="as-in-the-rfc"),
        pytest.param(
            ("connection: keep-alive, upgrade", "UPGRADE: WebSocket", f"sec-websocket-accept: {ACCEPT}"),
            (),
            None,
            id="other-case-and-a-list",
        ),
        pytest.param(("Connection: keep-alive", *UPGRADE), (), None, id="two-connection-headers"),
        pytest.param((*UPGRADE, "Sec-WebSocket-Protocol: v2"), ("v1", "v2"), "v2", id="subprotocol"),
    ],
)
def test_a_valid_upgrade_passes(lines: tuple[str, ...], offered: tuple[str, ...], chosen: str | None) -> None:
    assert verify(head(*lines), *offered) == chosen


@pytest.mark.parametrize(
    ("raw", "offered", "fault", "detail"),
    [
        pytest.param(
            head(*UPGRADE[1:]), (), Fault.UPGRADE_INVALID, "Upgrade is missing, expected websocket", id="no-upgrade"
        ),
        pytest.param(
            head("Upgrade: h2c", *UPGRADE[1:]),
            (),
            Fault.UPGRADE_INVALID,
            "Upgrade is h2c, expected websocket",
            id="other-upgrade",
        ),
        pytest.param(
            head("Upgrade: h2c", *UPGRADE),
            (),
            Fault.UPGRADE_INVALID,
            "Upgrade is h2c, websocket, expected websocket",
            id="two-upgrades",
        ),
        pytest.param(
            head(UPGRADE[0], "Connection: close", UPGRADE[2]),
            (),
            Fault.UPGRADE_INVALID,
            "Connection is close, expected Upgrade",
            id="no-connection",
        ),
        pytest.param(
            head(*UPGRADE[:2]),
            (),
            Fault.ACCEPT_KEY_WRONG,
            f"Sec-WebSocket-Accept is missing, expected {ACCEPT}",
            id="no-accept",
        ),
        pytest.param(
            head(*UPGRADE[:2], "Sec-WebSocket-Accept: AAAA"),
            (),
            Fault.ACCEPT_KEY_WRONG,
            f"Sec-WebSocket-Accept is AAAA, expected {ACCEPT}",
            id="wrong-accept",
        ),
        pytest.param(
            head(*UPGRADE, UPGRADE[2]),
            (),
            Fault.ACCEPT_KEY_WRONG,
            f"Sec-WebSocket-Accept is {ACCEPT}, {ACCEPT}, expected {ACCEPT}",
            id="accept-twice",
        ),
        pytest.param(
            head(*UPGRADE, "Sec-WebSocket-Extensions: permessage-deflate"),
            (),
            Fault.UPGRADE_INVALID,
            "Sec-WebSocket-Extensions is permessage-deflate, and none was offered",
            id="extension",
        ),
        pytest.param(
            head(*UPGRADE), ("v1",), Fault.SUBPROTOCOL_REFUSED, "offered: v1; chosen: none", id="none-of-the-offered"
        ),
        pytest.param(
            head(*UPGRADE, "Sec-WebSocket-Protocol: v3"),
            ("v1", "v2"),
            Fault.SUBPROTOCOL_REFUSED,
            "offered: v1, v2; chosen: v3",
            id="one-that-was-not-offered",
        ),
        pytest.param(
            head(*UPGRADE, "Sec-WebSocket-Protocol: v1, v2"),
            ("v1", "v2"),
            Fault.SUBPROTOCOL_REFUSED,
            "offered: v1, v2; chosen: v1, v2",
            id="two",
        ),
        pytest.param(
            head(*UPGRADE, "Sec-WebSocket-Protocol: v1"),
            (),
            Fault.SUBPROTOCOL_REFUSED,
            "offered: none; chosen: v1",
            id="nothing-was-offered",
        ),
        pytest.param(
            head(*UPGRADE, "no colon"),
            (),
            Fault.UPGRADE_INVALID,
            "a line that is no header: b'no colon\\r'",
            id="no-header",
        ),
        pytest.param(
            head(*UPGRADE).replace(b"\r\n", b"\n"),
            (),
            Fault.UPGRADE_INVALID,
            "a line that is no header: b'Upgrade: websocket'",
            id="lf-alone",
        ),
        pytest.param(
            head(*UPGRADE)[:-2] + b"\n",
            (),
            Fault.UPGRADE_INVALID,
            "the headers do not end with CR LF",
            id="lf-alone-at-the-end",
        ),
    ],
)
def test_what_rfc_6455_forbids_is_refused_with_the_rule(
    raw: bytes, offered: tuple[str, ...], fault: Fault, detail: str
) -> None:
    with pytest.raises(UpgradeError) as caught:
        verify(raw, *offered)
    assert (caught.value.fault, caught.value.detail) == (fault, detail)


FIELDS = st.sampled_from(
    [
        "Upgrade: websocket",
        "Upgrade: WebSocket",
        "Upgrade: h2c",
        "Upgrade: h2c, websocket",
        "Connection: Upgrade",
        "Connection: keep-alive, Upgrade",
        "Connection: keep-alive",
        f"Sec-WebSocket-Accept: {ACCEPT}",
        f"sec-websocket-accept:\t{ACCEPT} ",
        "Sec-WebSocket-Accept: AAAA",
        "Sec-WebSocket-Extensions: permessage-deflate",
        "Sec-WebSocket-Protocol: v1",
        "Sec-WebSocket-Protocol: v2",
        "Sec-WebSocket-Protocol: v3",
        "Server: nginx",
        "Bad name: x",
        "X-Bad: \x00",
        " folded",
        "no colon",
    ]
)


@given(
    st.lists(FIELDS, max_size=7),
    st.booleans(),
    st.lists(st.sampled_from(["v1", "v2"]), unique=True),
    st.sampled_from(["\r\n", "\n"]),
)
def test_the_library_that_reads_the_frames_judges_answers_in_the_same_way(
    lines: list[str], valid: bool, offered: list[str], newline: str
) -> None:
    raw = head(*(UPGRADE if valid else ()), *lines).replace(b"\r\n", newline.encode())
    theirs = ClientProtocol(
        parse_uri("ws://h/"),
        subprotocols=list(offered) or None,  # type: ignore[arg-type]
        logger=logging.getLogger("silent"),
    )
    theirs.key = KEY
    theirs.receive_data(raw)
    try:
        chosen, refused = verify(raw, *offered), False
    except UpgradeError:
        chosen, refused = None, True
    # Browsers refuse a server that chooses none of the subprotocols; the library leaves that to its user.
    their_refusal = theirs.handshake_exc is not None or bool(offered and theirs.subprotocol is None)
    assert refused == their_refusal
    assert refused or chosen == theirs.subprotocol


# A real peer, for callers without an event loop.


def endpoint(port: int, **more: object) -> dict[str, object]:
    return {"name": "e", "url": f"ws://127.0.0.1:{port}/ws", **more}


def test_an_open_websocket_is_closed_with_a_close_frame() -> None:
    closed: list[tuple[int, bytes]] = []
    done = threading.Event()

    def noting(connection: Peer) -> None:
        connection.upgrade(Sec_WebSocket_Protocol="v1")
        closed.append(connection.read_frame())
        connection.frame(*closed[0])
        done.set()

    with peer(noting) as port:
        seen = open_once(parse_target(endpoint(port, subprotocols=["v1"])), 5)
        assert done.wait(10)
    assert (seen.opened, seen.fault, seen.status, seen.subprotocol) == (True, None, 101, "v1")
    assert closed == [(peers.CLOSE, b"\x03\xe8")]
    assert seen.refusal == ""


@pytest.mark.parametrize(
    ("act", "fault", "detail", "refusal", "raw"),
    [
        pytest.param(
            peers.answering(403, "no"),
            Fault.HTTP_ANSWER,
            "HTTP 403",
            "answers the WebSocket handshake with 403 Status",
            b"HTTP/1.1 403 Status\r\nContent-Length: 2\r\n\r\n",
            id="refused",
        ),
        pytest.param(
            lambda connection: connection.upgrade(Upgrade="") and None,
            Fault.UPGRADE_INVALID,
            "Upgrade is missing, expected websocket",
            "answers the WebSocket handshake with 101 Switching Protocols that is not valid "
            "(Upgrade is missing, expected websocket)",
            None,
            id="invalid-101",
        ),
        pytest.param(
            lambda connection: connection.request() and None,
            Fault.CLOSED_IN_HANDSHAKE,
            "the connection was closed without an answer",
            "",
            None,
            id="no-answer",
        ),
        pytest.param(
            lambda connection: connection.wait(), Fault.HANDSHAKE_STALLED, "not one byte came", "", None, id="stalls"
        ),
    ],
)
def test_a_failure_holds_what_was_seen(
    act: Callable[[Peer], None], fault: Fault, detail: str, refusal: str, raw: bytes | None
) -> None:
    with peer(act) as port:
        seen = open_once(parse_target(endpoint(port)), 1)
    assert (seen.opened, seen.fault, seen.detail, seen.refusal) == (False, fault, detail, refusal)
    if raw is not None:
        assert seen.answer is not None
        assert (seen.answer.raw, seen.answer.body) == (raw, b"no")


def test_a_refused_connection_is_a_fault_and_no_exception() -> None:
    port = free_port()
    seen = open_once(parse_target(endpoint(port)), 5)
    assert (seen.opened, seen.fault) == (False, Fault.REFUSED)
    assert seen.detail == f"127.0.0.1:{port} refused the connection"


def test_address_name_and_tls_are_independent(tmp_path: Path) -> None:
    authority = peers.make_authority(tmp_path)
    with peer(peers.healthy, authority.server_context("api.example.com")) as port:
        raw = {"name": "e", "url": "wss://api.example.com/ws", "connect_to": f"127.0.0.1:{port}"}
        trusted = open_once(parse_target({**raw, "ca_path": authority.ca_path}), 5)
        distrusted = open_once(parse_target(raw), 5)
        unverified = open_once(parse_target({**raw, "validate_certs": False}), 5)
    assert (trusted.opened, distrusted.fault, unverified.opened) == (True, Fault.TLS_UNTRUSTED, True)


def test_a_websocket_is_opened_through_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "backend.sock")
    raw = {"name": "e", "url": "ws://localhost/ws", "connect_to": f"unix:{path}", "public_url": "ws://api.example.com/"}
    hosts: list[str] = []
    with unix_serve(lambda connection: hosts.append(connection.request.headers["Host"]), path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen = open_once(parse_target(raw), 5)
        server.shutdown()
    assert (seen.opened, seen.address, hosts) == (True, f"the socket {path}", ["api.example.com"])


def test_a_unix_socket_that_cannot_be_connected_to_is_named(tmp_path: Path) -> None:
    left_over, missing = tmp_path / "left-over.sock", tmp_path / "missing.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(left_over))
    for path, why in ((left_over, "refused the connection"), (missing, "does not exist")):
        seen = open_once(parse_target({"name": "e", "url": "ws://localhost/ws", "connect_to": f"unix:{path}"}), 5)
        assert (seen.opened, seen.fault, seen.detail) == (False, Fault.REFUSED, f"the socket {path} {why}")
