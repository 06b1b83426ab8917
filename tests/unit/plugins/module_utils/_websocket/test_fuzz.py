"""Whatever a peer sends: the parsers answer or refuse, never crash, and keep their bounds."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._websocket import session as _session
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.call import Call
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.diagnosis import diagnose
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.frames import (
    Broken,
    CloseFrame,
    Frames,
    Message,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.handshake import (
    UpgradeError,
    new_key,
    upgrade_request,
    verify_upgrade,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.http_answer import (
    MAX_HEAD,
    HeadParser,
    HeadTooBigError,
    NotHttpError,
    RawAnswer,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.run import observe
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.settings import Settings
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.sse_chunks import ChunkedBody, ChunkError
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.sse_stream import EventStream, StreamError
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import TargetError, parse_target
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MAX_MESSAGE = 1024
TARGET = parse_target({"name": "e", "url": "ws://h/ws"})

# Bytes that look like frames get deeper than noise.
FRAMES = st.builds(
    peers.frame,
    st.sampled_from([0, 1, 2, 3, 8, 9, 10, 15]),
    st.one_of(st.binary(max_size=200), st.text(max_size=50).map(str.encode), st.just(b"x" * 2000)),
    fin=st.integers(0, 1),
    rsv=st.sampled_from([0, 0, 0, 0, 1, 4]),
    mask=st.sampled_from([0, 0, 0, 0, 1]),
)
HEADS = st.builds(
    lambda line, headers, end: line + b"\r\n" + b"".join(headers) + end,
    st.sampled_from(
        [b"HTTP/1.1 101 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 103 x", b"HTTP/2 404", b"HTTP/1.1 9999", b"SSH-"]
    ),
    st.lists(
        st.sampled_from([b"A: b\r\n", b"no colon\r\n", b": \r\n", b"A:\xff\x00\r\n", b"\tfolded\r\n"]), max_size=8
    ),
    st.sampled_from([b"\r\n", b"\n\n", b""]),
)


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)]) if a < b]


@given(st.one_of(st.binary(max_size=300), HEADS, st.tuples(HEADS, HEADS).map(b"".join)), st.lists(st.integers(0, 600)))
def test_a_head_is_the_same_however_it_arrives(data: bytes, cuts: list[int]) -> None:
    def parse(chunks: list[bytes]) -> tuple[RawAnswer | None, bytes, str]:
        parser, answer = HeadParser(), None
        try:
            for index, chunk in enumerate(chunks):
                answer = parser.feed(chunk)
                if answer is not None:
                    return answer, parser.rest + b"".join(chunks[index + 1 :]), ""
        except (NotHttpError, HeadTooBigError) as exc:
            return None, b"", type(exc).__name__
        return answer, b"", ""

    assert parse(pieces(data, cuts)) == parse([data] if data else [])


def test_a_head_without_an_end_is_refused_within_its_bound() -> None:
    parser = HeadParser()
    parser.feed(b"HTTP/1.1 200 OK\r\n")
    for _ in range(MAX_HEAD // 1000):
        parser.feed(b"a" * 1000)
    with pytest.raises(HeadTooBigError):
        parser.feed(b"a" * 1000)


@given(st.one_of(st.binary(max_size=400), st.lists(FRAMES, max_size=8).map(b"".join)), st.lists(st.integers(0, 5000)))
def test_frames_never_crash_and_never_exceed_the_size(data: bytes, cuts: list[int]) -> None:
    session = Frames(MAX_MESSAGE)
    ended = False
    for chunk in pieces(data, cuts):
        for event in session.feed(chunk):
            assert not ended, "nothing comes after the end"
            if isinstance(event, Message):
                assert len(event.data if isinstance(event.data, bytes) else event.data.encode()) <= MAX_MESSAGE
            ended = isinstance(event, (Broken, CloseFrame))
        session.outgoing()
    # Whatever happened, sending must stay possible or be dropped.
    session.send_message("x")
    session.send_ping(b"x")
    session.send_close()
    session.outgoing()


@given(st.one_of(st.binary(max_size=200), HEADS))
def test_no_head_passes_as_an_upgrade_without_the_right_key(head: bytes) -> None:
    with suppress(NotHttpError, HeadTooBigError):
        answer = HeadParser().feed(head)
        if answer is not None:
            with pytest.raises(UpgradeError):
                verify_upgrade(answer, new_key())


@given(st.text(alphabet="data: \r\n:x", max_size=60).map(str.encode), st.lists(st.integers(0, 100), max_size=10))
def test_an_event_stream_is_the_same_however_it_arrives(data: bytes, cuts: list[int]) -> None:
    whole = EventStream(1000).feed(data)
    stream = EventStream(1000)
    arrivals = [stream.feed(chunk) for chunk in pieces(data, cuts)]
    assert (sum(a.events for a in arrivals), sum(a.comments for a in arrivals)) == (whole.events, whole.comments)


def test_a_line_of_an_event_stream_has_a_bound() -> None:
    stream = EventStream(1000)
    stream.feed(b"x" * 1000)
    with pytest.raises(StreamError):
        stream.feed(b"x")


@given(st.binary(max_size=100), st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.lists(st.integers(0, 300)))
def test_chunks_are_undone_however_they_arrive(noise: bytes, parts: list[bytes], cuts: list[int]) -> None:
    coded = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"
    body = ChunkedBody()
    assert b"".join(body.feed(chunk) for chunk in pieces(coded, cuts)) == b"".join(parts)
    assert body.ended
    with suppress(ChunkError):
        ChunkedBody().feed(noise)


@given(
    st.one_of(
        st.text(max_size=60),
        st.builds(
            "{}{}/{}?{}".format,
            st.sampled_from(["h", "H.Example.", "[::1]", "192.0.2.1", "bücher.example", "x_y", "1.2.3", "[fe80::1%1]"]),
            st.sampled_from(["", ":80", ":443", ":8080", ":"]),
            st.text(max_size=20),
            st.text(max_size=20),
        ),
    ),
    st.sampled_from(["X-A", "x b", "Cookie", "Host", ""]),
    st.text(max_size=20),
)
def test_an_endpoint_is_usable_or_refused(url: str, header: str, value: str) -> None:
    with suppress(TargetError):
        target = parse_target({"name": "e", "url": f"ws://{url}", "headers": {header: value}})
        assert target.resource.isascii()
        assert not set("\r\n ") & set(target.resource + target.authority)
        request = upgrade_request(target, new_key(), target.origin).decode("latin-1")
        lines = request[: -len("\r\n\r\n")].split("\r\n")
        assert lines[0] == f"GET {target.resource} HTTP/1.1"
        assert lines[1] == f"Host: {target.authority}"
        assert all(": " in line for line in lines[1:])


@pytest.mark.parametrize("stage", ["instead-of-an-answer", "after-the-upgrade"])
def test_any_bytes_of_a_peer_end_as_a_known_cause(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_session, "CLOSE_TIMEOUT_S", 0.05)
    monkeypatch.setattr(_session, "_CLOSE_AFTER_FAILURE_S", 0.05)
    wanted = Settings(handshake_timeout_s=0.2, message_timeout_s=0.05, send="x", hold_s=0.05)
    to_send: list[bytes] = [b""]

    def act(connection: peers.Peer) -> None:
        if stage == "after-the-upgrade":
            connection.upgrade()
        else:
            connection.request()
        connection.send(to_send[0])
        # Without this, closing with unread bytes would reset the connection.
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_WR)
        connection.wait()

    with peers.peer(act) as port:
        target = parse_target({"name": "e", "url": f"ws://127.0.0.1:{port}/ws"})

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.one_of(st.binary(max_size=200), st.lists(FRAMES, max_size=4).map(b"".join), HEADS))
        def run(data: bytes) -> None:
            to_send[0] = data
            seen = asyncio.run(observe(Call(wanted, (target,), {target.name: None})))
            assert diagnose(seen).explanation

        run()


def test_a_hanging_resolver_delays_neither_the_deadline_nor_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, answered = threading.Event(), threading.Event()

    def hanging(*_: object, **__: object) -> list[object]:
        looked.wait(60)
        answered.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    target = parse_target({"name": "e", "url": "ws://slow.example/ws"})
    seen = asyncio.run(observe(Call(Settings(handshake_timeout_s=0.2), (target,), {"e": None})))
    assert not answered.is_set(), "it has waited for the resolver"
    looked.set()
    assert diagnose(seen).cause.value == "name_not_resolved"
