"""The frames of an open connection: bytes in, events out; noise is in test_fuzz."""

from __future__ import annotations

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.frames import (
    Broken,
    CloseFrame,
    Event,
    Frames,
    Message,
    Ping,
    Pong,
)

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAX_MESSAGE = 16


@pytest.mark.parametrize(
    ("data", "events"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(peers.frame(TEXT, "ä".encode()), [Message("ä")], id="text"),
        pytest.param(peers.frame(BINARY, b"\xff"), [Message(b"\xff")], id="binary"),
        pytest.param(peers.frame(TEXT, b"a", fin=0) + peers.frame(0, b"b"), [Message("ab")], id="fragments"),
        pytest.param(
            peers.frame(TEXT, b"a", fin=0) + peers.frame(PING, b"x") + peers.frame(0, b"b"),
            [Ping(), Message("ab")],
            id="ping-between-fragments",
        ),
        pytest.param(peers.frame(PONG, b"x"), [Pong(b"x")], id="pong"),
        pytest.param(peers.frame(CLOSE, b"\x03\xe9bye"), [CloseFrame(1001, "bye")], id="close"),
        pytest.param(peers.frame(CLOSE), [CloseFrame(1005, "")], id="close-without-a-code"),
    ],
)
def test_frames_become_events(data: bytes, events: list[Event]) -> None:
    assert Frames(MAX_MESSAGE).feed(data) == events
    frames = Frames(MAX_MESSAGE)
    assert [event for at in range(len(data)) for event in frames.feed(data[at : at + 1])] == events


@pytest.mark.parametrize(
    ("data", "detail", "too_big"),
    [
        pytest.param(peers.frame(3), "invalid opcode", False, id="unknown-opcode"),
        pytest.param(peers.frame(TEXT, b"a", mask=1), "incorrect masking", False, id="masked-by-the-server"),
        pytest.param(peers.frame(TEXT, b"a", rsv=4), "reserved bits must be 0", False, id="compressed-unasked"),
        pytest.param(peers.frame(TEXT, b"a" * (MAX_MESSAGE + 1)), "17", True, id="larger-than-the-limit"),
        pytest.param(peers.frame(TEXT, b"\xff"), "a text message that is not UTF-8", False, id="text-is-not-utf-8"),
        pytest.param(
            peers.frame(CLOSE, b"\x03\xe8\xff"), "a close reason that is not UTF-8", False, id="reason-is-not-utf-8"
        ),
    ],
)
def test_a_frame_that_the_standard_forbids_is_the_last_event(data: bytes, detail: str, too_big: bool) -> None:
    frames = Frames(MAX_MESSAGE)
    first, broken = frames.feed(peers.frame(TEXT, b"before") + data + peers.frame(TEXT, b"after"))
    assert first == Message("before")
    assert isinstance(broken, Broken)
    assert detail in broken.detail
    assert broken.too_big is too_big
    assert frames.feed(peers.frame(TEXT, b"later")) == []
