"""The head of an answer is read leniently; how it arrives is in test_fuzz."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.http_answer import (
    MAX_INTERIM,
    MAX_LINES,
    HeadParser,
    HeadTooBigError,
    NotHttpError,
    RawAnswer,
    describe_bytes,
)


def parse(data: bytes) -> RawAnswer:
    answer = HeadParser().feed(data)
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("data", "version", "status", "reason"),
    [
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "1.1", 101, "Switching Protocols"),
        (b"HTTP/1.0 404\r\n\r\n", "1.0", 404, ""),
        (b"HTTP/2 200 \r\n\r\n", "2.0", 200, ""),
        (b"HTTP/1.1  200 OK\n\n", "1.1", 200, "OK"),
        (b"HTTP/1.1 404 Not Found \t\r\n\r\n", "1.1", 404, "Not Found \t"),
    ],
)
def test_a_status_line_is_read(data: bytes, version: str, status: int, reason: str) -> None:
    answer = parse(data)
    assert (answer.version, answer.status, answer.reason, answer.raw) == (version, status, reason, data)


def test_headers_are_read_with_all_their_values() -> None:
    parser = HeadParser()
    answer = parser.feed(
        b"HTTP/1.1 200 OK\r\nA: 1\r\nno colon\r\na:\t2, ,3 \r\nServer: x\r\nContent-Type: Text/HTML; a\r\n\r\nbody"
    )
    assert answer is not None
    assert (answer.header("A"), answer.header("b")) == ("1", None)
    assert (answer.values("A"), answer.values("b")) == (("1", "2, ,3"), ())
    assert answer.tokens("A") == ("1", "2", "3")
    assert (answer.server, answer.content_type) == ("x", "text/html")
    assert (parser.rest, parser.received) == (b"body", len(answer.raw) + 4)


def test_a_missing_content_type_is_empty() -> None:
    assert parse(b"HTTP/1.1 200 OK\r\n\r\n").content_type == ""


def test_interim_answers_are_left_out() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\n"
    assert parse(interim * MAX_INTERIM + b"HTTP/1.1 200 OK\r\n\r\n").status == 200
    with pytest.raises(HeadTooBigError, match=f"^more than {MAX_INTERIM} interim answers$"):
        HeadParser().feed(interim * (MAX_INTERIM + 1))


def test_the_number_of_lines_is_bounded() -> None:
    line = b"A: 1\r\n"
    assert parse(b"HTTP/1.1 200 OK\r\n" + line * (MAX_LINES - 1) + b"\r\n").status == 200
    with pytest.raises(HeadTooBigError, match=f"^more than {MAX_LINES} header lines$"):
        HeadParser().feed(b"HTTP/1.1 200 OK\r\n" + line * MAX_LINES + b"\r\n")


@pytest.mark.parametrize(
    ("body", "own"),
    [
        ("<hr><center>nginx/1.22.1</center>", True),
        ("<center>openresty</center>", True),
        ("<center>Apache</center>", False),
        ("", False),
    ],
)
def test_a_page_that_nginx_makes_itself_is_known_by_its_body(body: str, own: bool) -> None:
    assert RawAnswer(404, "", (("Server", "nginx"),), body.encode()).from_proxy_itself is own


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x15\x03\x01\x00\x02", "a TLS record"),
        (b"\x16\x03\x01", "a TLS record"),
        (b"\x17\x03\x01", r"bytes that are not HTTP ('\x17\x03\x01')"),
        (b"\x15\x02\x01", r"bytes that are not HTTP ('\x15\x02\x01')"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the greeting of an SSH server"),
        (b"220 mail ESMTP", "the greeting of a mail or FTP server ('220 mail ESMTP')"),
        (b"220-ftp", "the greeting of a mail or FTP server ('220-ftp')"),
        (b"220x", "bytes that are not HTTP ('220x')"),
        (b"x" * 50, f"bytes that are not HTTP ({'x' * 40!r})"),
    ],
)
def test_what_is_not_http_is_named(data: bytes, said: str) -> None:
    assert describe_bytes(data) == said
    with pytest.raises(NotHttpError):
        HeadParser().feed(data + b"\r\n\r\n")


@pytest.mark.parametrize("line", [b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"HTTP/x 200 OK", b"HTTP/1.1"])
def test_a_broken_status_line_is_not_http(line: bytes) -> None:
    with pytest.raises(NotHttpError, match=r"^bytes that are not HTTP"):
        HeadParser().feed(line + b"\r\n\r\n")
