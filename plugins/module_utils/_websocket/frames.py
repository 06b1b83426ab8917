# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of an open WebSocket without I/O (RFC 6455, sections 5 to 7), over any ``websockets`` from 10.4 on.

The library's Sans-I/O layer is used, since it sends no pings of its own.
"""

from __future__ import annotations

import codecs
import importlib
import logging
import re
from dataclasses import dataclass
from typing import Any, Union

try:
    from websockets.exceptions import NegotiationError, PayloadTooBig, ProtocolError
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
    from websockets.frames import Opcode
    from websockets.headers import parse_extension
    from websockets.version import version as LIBRARY_VERSION  # noqa: N812 (a constant of theirs)

    try:
        _protocol: Any = importlib.import_module("websockets.protocol")
        _PROTOCOL: Any = _protocol.Protocol
    except ImportError:
        # The names of 10.4.
        _protocol = importlib.import_module("websockets.connection")
        _PROTOCOL = _protocol.Connection
    LIBRARY_PROBLEM: str | None = None
except (ImportError, AttributeError) as exc:
    LIBRARY_VERSION = ""
    LIBRARY_PROBLEM = str(exc)

OLDEST_LIBRARY = (10, 4)

# The library reports parser failures on its logger, which would reach stderr.
_SILENT = logging.getLogger("codeframe.staging.websocket_check")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL + 1)


def library_problem() -> str | None:
    """Why the library cannot be used; None if it can."""
    if LIBRARY_PROBLEM is not None:
        return f"the Python library websockets is missing ({LIBRARY_PROBLEM})"
    found = tuple(int(n) for n in re.findall(r"\d+", LIBRARY_VERSION)[:2])
    if found < OLDEST_LIBRARY:
        return f"the Python library websockets is {LIBRARY_VERSION}, and 10.4 is the oldest that can be used"
    return None


class ExtensionError(ValueError):
    """The server's parameters of the compression cannot be used; the text says why."""


@dataclass(frozen=True)
class Message:
    """A complete message of the server."""

    data: str | bytes


@dataclass(frozen=True)
class Ping:
    """A ping of the server; its pong is already among the bytes to send."""


@dataclass(frozen=True)
class Pong:
    """A pong of the server."""

    payload: bytes


@dataclass(frozen=True)
class CloseFrame:
    """A close frame of the server; 1005 stands for one without a code."""

    code: int
    reason: str


@dataclass(frozen=True)
class Broken:
    """A frame that RFC 6455 forbids; ``too_big`` for a message that is larger than the limit."""

    detail: str
    too_big: bool = False


Event = Union[Message, Ping, Pong, CloseFrame, Broken]


class Frames:
    """The frames of one open connection: bytes in, events out; :meth:`outgoing` returns what must be sent.

    :param extension: The server's ``Sec-WebSocket-Extensions``.
    :raises ExtensionError: If its parameters are not those of RFC 7692.
    """

    def __init__(self, max_message_size: int, extension: str | None = None) -> None:
        self._protocol = _PROTOCOL(_protocol.Side.CLIENT, max_size=max_message_size, logger=_SILENT)
        if extension is not None:
            try:
                ((_, parameters),) = parse_extension(extension)
                self._protocol.extensions = [ClientPerMessageDeflateFactory().process_response_params(parameters, [])]
            except (NegotiationError, ValueError) as exc:
                raise ExtensionError(f"the parameters of {extension} cannot be used ({exc})") from None
        self._kind: int | None = None
        self._parts = bytearray()
        self._decoder: codecs.IncrementalDecoder | None = None
        self._broken = False

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes from the network; nothing follows a Broken or a CloseFrame."""
        events: list[Event] = []
        if data and not self._broken:
            self._protocol.receive_data(data)
            for frame in self._protocol.events_received():
                event = self._event(frame)
                if event is not None:
                    events.append(event)
                if self._broken:
                    break
            failure = self._protocol.parser_exc
            if failure is not None and not self._broken:
                self._broken = True
                events.append(_breach(failure))
        return events

    def _event(self, frame: Any) -> Event | None:
        opcode = frame.opcode
        if opcode is Opcode.PING:
            return Ping()
        if opcode is Opcode.PONG:
            return Pong(bytes(frame.data))
        if opcode is Opcode.CLOSE:
            close = self._protocol.close_rcvd
            return CloseFrame(int(close.code), str(close.reason))
        if opcode is not Opcode.CONT:
            self._kind = opcode
            self._parts = bytearray()
            self._decoder = codecs.getincrementaldecoder("utf-8")() if opcode is Opcode.TEXT else None
        # The library checks the size of a message, and leaves the check of its encoding to its user.
        if self._decoder is not None:
            try:
                self._decoder.decode(bytes(frame.data), final=bool(frame.fin))
            except UnicodeDecodeError as exc:
                self._broken = True
                self._protocol.fail(1007, "text is not UTF-8")
                return Broken(f"a text message that is not UTF-8 ({exc.reason})")
        self._parts += frame.data
        if not frame.fin:
            return None
        data, self._parts = bytes(self._parts), bytearray()
        if self._kind is Opcode.TEXT:
            return Message(data.decode("utf-8"))
        return Message(data)

    # A peer may close at any time. What should still be sent is dropped then; the event that it left behind tells.

    def send_message(self, text: str) -> None:
        if self.is_open:
            self._protocol.send_text(text.encode("utf-8"))

    def send_ping(self, payload: bytes) -> None:
        if self.is_open:
            self._protocol.send_ping(payload)

    def send_close(self, code: int = 1000) -> None:
        if self.is_open:
            self._protocol.send_close(code)

    @property
    def is_open(self) -> bool:
        return bool(self._protocol.state.name == "OPEN")

    def outgoing(self) -> bytes:
        """What must be sent now."""
        return b"".join(self._protocol.data_to_send())


def _breach(failure: Exception) -> Broken:
    if isinstance(failure, PayloadTooBig):
        return Broken(str(failure), too_big=True)
    if isinstance(failure, UnicodeDecodeError):
        return Broken(f"a close reason that is not UTF-8 ({failure.reason})")
    if isinstance(failure, ProtocolError):
        return Broken(str(failure))
    return Broken(f"a frame that cannot be read ({type(failure).__name__})")
