# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one endpoint was seen to do, without a judgement (pure).

The engine fills an :class:`Observation`; the verdict is made from it alone, so that
the same facts always lead to the same cause.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .header_form import HeaderForm
    from .hold_report import HoldReport
    from .http_answer import RawAnswer
    from .round_trips import RoundTrips
    from .target import Target


# Two events may meet by chance; three at once were collected.
BURST = 3


class Fault(enum.Enum):
    """What ended an endpoint's check early: facts as the wire shows them."""

    NAME_NOT_RESOLVED = "name_not_resolved"
    NAME_TIMED_OUT = "name_timed_out"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMED_OUT = "connect_timed_out"
    LOCAL_LIMIT = "local_limit"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_NAME_MISMATCH = "tls_name_mismatch"
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_NOT_SPOKEN = "tls_not_spoken"
    TLS_CLIENT_CERTIFICATE = "tls_client_certificate"
    TLS_NAME_UNKNOWN = "tls_name_unknown"
    TLS_VERSION = "tls_version"
    TLS_FAILED = "tls_failed"
    TLS_STALLED = "tls_stalled"
    CLOSED_IN_HANDSHAKE = "closed_in_handshake"
    HANDSHAKE_STALLED = "handshake_stalled"
    NOT_HTTP = "not_http"
    HEAD_TOO_BIG = "head_too_big"
    HTTP_ANSWER = "http_answer"
    ACCEPT_KEY_WRONG = "accept_key_wrong"
    UPGRADE_INVALID = "upgrade_invalid"
    SUBPROTOCOL_REFUSED = "subprotocol_refused"
    NO_REPLY = "no_reply"
    UNEXPECTED_REPLY = "unexpected_reply"
    MUTE = "mute"
    REPLIES_LOST = "replies_lost"
    DEAD_AFTER_SILENCE = "dead_after_silence"
    CUT = "cut"
    CLOSED_BY_SERVER = "closed_by_server"
    MESSAGE_TOO_BIG = "message_too_big"
    PROTOCOL_BROKEN = "protocol_broken"
    NOT_EVENT_STREAM = "not_event_stream"
    NO_EVENT = "no_event"
    STREAM_ENDED = "stream_ended"
    OVERALL_DEADLINE = "overall_deadline"
    # Of further handshakes, while the first passed or was refused.
    FORM_REFUSED = "form_refused"
    SOME_REFUSED = "some_refused"
    ADDRESS_REFUSED = "address_refused"
    IDLE_TIMEOUT_SHORT = "idle_timeout_short"


class EndedError(Exception):
    """The check of a connection is over; its observation says why."""


@dataclass(frozen=True)
class ChainLink:
    """A certificate that the server sent; dates in UTC, ISO 8601."""

    subject: str | None
    issuer: str | None
    not_before: str
    not_after: str


@dataclass(frozen=True)
class Tls:
    """What the TLS handshake showed; names and dates are those of the leaf certificate.

    :param chain: All certificates as the server sent them, the leaf first; empty before Python 3.10.
    """

    version: str | None
    cipher: str | None
    subject: str | None
    issuer: str | None
    names: tuple[str, ...]
    not_after: str | None
    expires_in_days: int | None
    verified: bool
    chain: tuple[ChainLink, ...] = ()


@dataclass(frozen=True)
class Close:
    """How the connection ended; ``by`` is ``client``, ``server`` or ``nobody`` (it was cut)."""

    code: int | None
    reason: str
    by: str


@dataclass(frozen=True)
class OriginTry:
    """The same handshake with another Origin header; ``status`` is None without an answer."""

    origin: str | None
    status: int | None


@dataclass(frozen=True)
class FurtherHandshake:
    """A handshake after the first; ``shown`` is what came instead of an upgrade."""

    form: HeaderForm
    opened: bool
    status: int | None
    shown: str = ""


@dataclass
class FollowUp:
    """What follow-up probes have shown; None where none was made."""

    other_origins: list[OriginTry] = field(default_factory=list)
    #: The answer to the same request without an upgrade.
    plain_request: RawAnswer | None = None
    #: The status of the answer to an upgrade on a path that cannot exist.
    unknown_path_status: int | None = None
    #: After a cut: whether a new connection was upgraded, and the status of the answer.
    reopened: bool | None = None
    reopened_status: int | None = None
    speaks_tls: bool | None = None
    speaks_plain_http: bool | None = None
    wants_client_certificate: bool | None = None
    #: Whether the same request is answered after a line of the PROXY protocol.
    expects_proxy_protocol: bool | None = None
    #: Whether the same exchange works if no compression is offered.
    works_without_compression: bool | None = None


@dataclass(frozen=True)
class Load:
    """Many connections to one endpoint: how many were accepted, and how many were held to the end."""

    asked: int
    accepted: int
    held: int
    failures: dict[str, int]
    refused_by_status: dict[str, int]
    handshakes: RoundTrips
    #: Seconds until the last connection was tried.
    opened_s: float


@dataclass
class Observation:
    """The facts about one endpoint; times in seconds."""

    target: Target
    phases: dict[str, float] = field(default_factory=dict)
    address: str | None = None
    attempts: list[str] = field(default_factory=list)
    tls: Tls | None = None
    answer: RawAnswer | None = None
    subprotocol: str | None = None
    extensions: str | None = None
    opened: bool = False
    fault: Fault | None = None
    detail: str = ""
    #: Messages that came but did not fulfil the expectation; excerpts.
    other_messages: list[str] = field(default_factory=list)
    messages: int = 0
    #: When the hold began, by the clock of the running loop.
    held_since: float | None = None
    #: Of the first message or of the hold, while the check goes on.
    last_round_trip_s: float | None = None
    hold: HoldReport | None = None
    close: Close | None = None
    first_event_s: float | None = None
    event_gaps_s: tuple[float, ...] = ()
    largest_burst: int = 0
    #: How often at least BURST events came together.
    bursts: int = 0
    load: Load | None = None
    further: list[FurtherHandshake] = field(default_factory=list)
    #: Further handshakes met a limit, and were ended.
    is_limited: bool = False
    #: The same handshake at each address of the name, if there are several.
    at_addresses: list[Observation] = field(default_factory=list)
    #: The fault of the first handshake, where that of further ones is told instead.
    first_fault: Fault | None = None
    follow_up: FollowUp = field(default_factory=FollowUp)

    def fail(self, fault: Fault, detail: str = "") -> None:
        """Record the first fault; later ones follow from it."""
        if self.fault is None:
            self.fault = fault
            self.detail = detail

    def end(self, fault: Fault, detail: str = "") -> EndedError:
        """Record a fault and return the exception to raise, since nothing can follow."""
        self.fail(fault, detail)
        return EndedError(detail)

    @property
    def status(self) -> int | None:
        return None if self.answer is None else self.answer.status

    @property
    def refusal(self) -> str:
        """What was answered instead of an upgrade, to go on a sentence; empty without an answer."""
        if self.answer is None or self.opened:
            return ""
        said = f"answers the WebSocket handshake with {self.answer.status} {self.answer.reason}".rstrip()
        return said if self.answer.status != 101 else f"{said} that is not valid ({self.detail})"

    @property
    def handshake_s(self) -> float | None:
        """Seconds from the start to the answer to the request."""
        if "upgrade" not in self.phases and "answer" not in self.phases:
            return None
        return sum(self.phases.get(name, 0.0) for name in ("resolve", "tcp", "tls", "upgrade", "answer"))
