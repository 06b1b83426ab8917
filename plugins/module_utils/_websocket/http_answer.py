# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The head of an HTTP answer, read leniently and within bounds (pure).

Libraries lose the status of an answer that breaks a rule (HTTP/1.0, chunked coding, malformed headers); the diagnosis
needs the status of exactly these answers.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from .._host.http import Answer

# nginx's largest default header buffers are four of 8 KiB.
MAX_HEAD = 65536
MAX_LINES = 256
MAX_BODY = 8192
MAX_INTERIM = 8

_INTERIM = (100, 102, 103)

# An empty line; some servers end lines with LF alone (RFC 9112, section 2.2).
_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(\d)(?:\.(\d))? +(\d{3})(?: ([^\r\n]*))?")


class NotHttpError(Exception):
    """The first bytes are not an HTTP answer; the text says what they are."""


class HeadTooBigError(Exception):
    """The head is longer than the bounds allow."""


@dataclass(frozen=True)
class Page:
    """An answer as far as another one can be compared with it.

    :param digest: Of the beginning of its body; empty for an empty body, which proves nothing.
    """

    status: int
    digest: str


@dataclass(frozen=True)
class RawAnswer(Answer):
    """An answer with its HTTP version and its head as received."""

    version: str = "1.1"
    raw: bytes = field(repr=False, default=b"")

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a header, in their order."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    def tokens(self, name: str) -> tuple[str, ...]:
        """The members of a header that is a list (RFC 9110, section 5.6.1), over all its lines."""
        members = (member.strip() for value in self.values(name) for member in value.split(","))
        return tuple(member for member in members if member)

    @property
    def server(self) -> str | None:
        return self.header("Server")

    @property
    def content_type(self) -> str:
        return (self.header("Content-Type") or "").split(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The beginning of the body, with the sizes of its chunks."""
        return self.body.decode("utf-8", "replace")

    @property
    def content(self) -> str:
        """The beginning of the body, whether it came in chunks or not."""
        if "chunked" not in [token.lower() for token in self.tokens("Transfer-Encoding")]:
            return self.text
        return _without_chunk_sizes(self.body).decode("utf-8", "replace")

    @property
    def page(self) -> Page:
        content = self.content.encode()
        return Page(self.status, hashlib.sha256(content).hexdigest()[:16] if content else "")

    @property
    def from_proxy_itself(self) -> bool:
        """Whether nginx (or OpenResty) made the page itself.

        A page of the backend carries the proxy's ``Server`` header too, but not this body.
        """
        return re.search(r"<center>(?:nginx|openresty)", self.text) is not None


def _without_chunk_sizes(body: bytes) -> bytes:
    """The data of a chunked body (RFC 9112, section 7.1), as far as it came."""
    data = bytearray()
    while True:
        size, line_end, rest = body.partition(b"\r\n")
        digits = size.split(b";")[0].strip()
        if not line_end or not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", digits):
            return bytes(data)
        length = int(digits, 16)
        if length == 0:
            return bytes(data)
        data += rest[:length]
        body = rest[length + 2 :]


class HeadParser:
    """Collects bytes until the head is complete."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._interim = 0
        self.rest = b""

    @property
    def received(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> RawAnswer | None:
        """Return the answer once its head is complete; the bytes that follow it are in ``rest``.

        :raises NotHttpError: As soon as the first bytes cannot begin an HTTP answer.
        :raises HeadTooBigError: If the head does not end within MAX_HEAD bytes or MAX_LINES lines.
        """
        # The end of the head may be split between two pieces.
        start = max(0, len(self._data) - 3)
        self._data += data
        while True:
            answer = self._take_head(start)
            if answer is None or answer.status not in _INTERIM:
                return answer
            # The final answer follows.
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise HeadTooBigError(f"more than {MAX_INTERIM} interim answers")
            self._data = bytearray(self.rest)
            start = 0

    def _take_head(self, start: int) -> RawAnswer | None:
        begin = bytes(self._data[:5])
        if begin and not b"HTTP/".startswith(begin[:5]):
            raise NotHttpError(describe_bytes(bytes(self._data[:64])))
        match = _END.search(self._data, start)
        end = match.end() if match else -1
        if end > MAX_HEAD or (end < 0 and len(self._data) > MAX_HEAD):
            raise HeadTooBigError(f"more than {MAX_HEAD} bytes of headers without an end")
        if end < 0:
            return None
        head = bytes(self._data[:end])
        self.rest = bytes(self._data[end:])
        return _parse_head(head)


def _parse_head(head: bytes) -> RawAnswer:
    lines = head.rstrip(b"\r\n").split(b"\n")
    if len(lines) > MAX_LINES:
        raise HeadTooBigError(f"more than {MAX_LINES} header lines")
    match = _STATUS_LINE.fullmatch(lines[0].rstrip(b"\r"))
    if not match:
        raise NotHttpError(describe_bytes(lines[0][:64]))
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            headers.append((name.strip().decode("latin-1"), value.strip().decode("latin-1")))
    major, minor, status, reason = match.groups()
    return RawAnswer(
        version=f"{major.decode()}.{(minor or b'0').decode()}",
        status=int(status),
        reason=(reason or b"").decode("latin-1"),
        headers=tuple(headers),
        raw=head,
    )


def describe_bytes(data: bytes) -> str:
    """Name the protocol that a peer speaks instead of HTTP, as far as its first bytes tell."""
    if data[:1] in (b"\x15", b"\x16") and data[1:2] == b"\x03":
        return "a TLS record"
    if data.startswith(b"SSH-"):
        return "the greeting of an SSH server"
    if data[:3].isdigit() and data[3:4] in (b" ", b"-"):
        return f"the greeting of a mail or FTP server ({_shown(data)})"
    return f"bytes that are not HTTP ({_shown(data)})"


def _shown(data: bytes) -> str:
    return repr(data[:40])[1:]
