"""Events and comments of a stream of server-sent events; how they arrive is also in test_fuzz."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.sse_stream import (
    Arrivals,
    EventStream,
    StreamError,
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", Arrivals(), id="nothing"),
        pytest.param(b"data: a\n\n", Arrivals(1, 0), id="event"),
        pytest.param(b"data\n\n", Arrivals(1, 0), id="event-without-a-value"),
        pytest.param(b"data: a\ndata: b\n\n", Arrivals(1, 0), id="event-of-two-lines"),
        pytest.param(b"data: a\n", Arrivals(), id="event-that-is-not-complete"),
        pytest.param(b"event: a\nid: 1\n\n", Arrivals(), id="no-data-is-no-event"),
        pytest.param(b"database: a\n\n", Arrivals(), id="a-field-that-begins-alike"),
        pytest.param(b": a\n:\n", Arrivals(0, 2), id="comments"),
        pytest.param(b"data: a\r\n\r\n: b\r\n", Arrivals(1, 1), id="crlf"),
        pytest.param(b"data: a\r\r: b\r", Arrivals(1, 1), id="cr"),
        pytest.param(b"data: a\n\n\n\n", Arrivals(1, 0), id="further-blank-lines"),
    ],
)
def test_events_and_comments_are_counted(data: bytes, expected: Arrivals) -> None:
    assert EventStream(100).feed(data) == expected


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([b"data: a\r", b"\ndata: b\r\n\r\n"], [Arrivals(), Arrivals(1, 0)], id="crlf-is-one-line-end"),
        pytest.param(
            [b"data: a\r", b"", b"\ndata: b\n\n"], [Arrivals(), Arrivals(), Arrivals(1, 0)], id="with-a-pause-between"
        ),
        pytest.param([b"data: a\n", b"\n"], [Arrivals(), Arrivals(1, 0)], id="lf-after-lf-is-a-blank-line"),
        pytest.param([b"data: a\r", b"\n", b"\n"], [Arrivals(), Arrivals(), Arrivals(1, 0)], id="lf-after-crlf"),
        pytest.param([b"da", b"ta: a\n\n"], [Arrivals(), Arrivals(1, 0)], id="within-a-line"),
    ],
)
def test_a_line_may_be_split_between_two_pieces(pieces: list[bytes], expected: list[Arrivals]) -> None:
    stream = EventStream(100)
    assert [stream.feed(each) for each in pieces] == expected


def test_the_bound_is_that_of_one_line() -> None:
    stream = EventStream(4)
    assert stream.feed(b":abc\n:abc") == Arrivals(0, 1)
    with pytest.raises(StreamError) as caught:
        stream.feed(b"d")
    assert str(caught.value) == "a line of more than 4 bytes"
