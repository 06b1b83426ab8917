# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of one call that apply to all its endpoints, validated (pure)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .expectation import (
    Expectation,
    ExpectationError,
    parse_expectation,
)
from .protocol import PLAIN, PROTOCOLS, Protocol, protocol_of

HOLD_MODES = ("quiet", "ping", "message")
#: More would measure the limits of the machine that runs the check.
MAX_CONNECTIONS = 10000
#: A day; a longer hold is a job for a monitoring system.
MAX_HOLD_S = 86400.0
#: Longest wait for the server's part of the closing handshake.
CLOSE_TIMEOUT_S = 5.0


class SettingsError(ValueError):
    """An option cannot be used; the text names it and the reason."""


@dataclass(frozen=True)
class Settings:
    """Durations in seconds, sizes in bytes."""

    handshake_timeout_s: float = 10.0
    send: str | None = None
    expect: Expectation | None = None
    message_timeout_s: float = 10.0
    hold_s: float = 0.0
    hold_mode: str = "quiet"
    interval_s: float = 10.0
    connections: int = 1
    expected_idle_timeout_s: float | None = None
    max_message_size: int = 1048576
    timeout_s: float | None = None
    further_handshakes: bool = True
    protocol: Protocol = field(default_factory=Protocol)

    @property
    def has_message_phase(self) -> bool:
        return self.send is not None or self.expect is not None

    @property
    def ping_timeout_s(self) -> float:
        """How long the answer to a ping of the check is waited for."""
        return min(self.message_timeout_s, CLOSE_TIMEOUT_S)

    @property
    def longest_s(self) -> float:
        """The longest time that one endpoint can take, with its follow-up probes."""
        message = self.message_timeout_s if self.has_message_phase else 0.0
        # A hold ends with a ping; follow-up probes take as long as a handshake.
        ending = self.ping_timeout_s if self.hold_s else 0.0
        return 2 * self.handshake_timeout_s + message + self.hold_s + ending + CLOSE_TIMEOUT_S


def parse_settings(options: Mapping[str, Any]) -> Settings:
    """Read the options that do not belong to one endpoint.

    :raises SettingsError: One sentence on the first that cannot be used.
    """
    send = options.get("send")
    if isinstance(send, (dict, list)):
        send = json.dumps(send, ensure_ascii=False)
    elif send is not None and not isinstance(send, str):
        send = json.dumps(send)
    raw_expect = options.get("expect")
    try:
        expect = None if raw_expect in (None, "") else parse_expectation(raw_expect)
    except ExpectationError as exc:
        raise SettingsError(str(exc)) from None
    name = str(options.get("protocol") or PLAIN)
    if name not in PROTOCOLS:
        raise SettingsError(f"protocol is {name!r}; expected one of {', '.join(PROTOCOLS)}")
    protocol = protocol_of(name)
    if name != PLAIN:
        if send is not None or expect is not None:
            raise SettingsError(
                f"protocol is {name}, whose messages the check sends itself; send and expect cannot be given with it"
            )
        send, expect = protocol.send, protocol.expect
    settings = Settings(
        protocol=protocol,
        handshake_timeout_s=_seconds(options, "handshake_timeout", 10.0, least=0.1, most=600.0),
        send=send,
        expect=expect,
        message_timeout_s=message_timeout_s(options),
        hold_s=_seconds(options, "hold", 0.0, least=0.0, most=MAX_HOLD_S),
        hold_mode=str(options.get("hold_mode") or "quiet"),
        interval_s=_seconds(options, "interval", 10.0, least=0.05, most=MAX_HOLD_S),
        connections=int(options.get("connections") or 1),
        expected_idle_timeout_s=(
            None
            if options.get("expected_idle_timeout") is None
            else _seconds(options, "expected_idle_timeout", 0.0, least=0.1, most=31536000.0)
        ),
        max_message_size=int(options.get("max_message_size") or 1048576),
        further_handshakes=bool(options.get("further_handshakes", True)),
        timeout_s=(
            None
            if options.get("timeout") is None
            else _seconds(options, "timeout", 0.0, least=0.1, most=7 * MAX_HOLD_S)
        ),
    )
    if settings.hold_mode not in HOLD_MODES:
        raise SettingsError(f"hold_mode is {settings.hold_mode!r}; expected one of {', '.join(HOLD_MODES)}")
    if settings.hold_mode == "message" and settings.hold_s and settings.send is None:
        raise SettingsError("hold_mode is message, but send is not given; give the message to send")
    if settings.hold_s and settings.hold_mode != "quiet" and settings.interval_s > settings.hold_s:
        raise SettingsError(
            f"interval ({settings.interval_s:g} s) is longer than hold ({settings.hold_s:g} s), "
            "so that nothing would be sent; make it shorter"
        )
    if not 1 <= settings.connections <= MAX_CONNECTIONS:
        raise SettingsError(f"connections is {settings.connections}; expected 1 to {MAX_CONNECTIONS}")
    if not 125 <= settings.max_message_size <= 67108864:
        raise SettingsError(f"max_message_size is {settings.max_message_size}; expected 125 to 67108864 bytes (64 MiB)")
    if settings.timeout_s is not None and settings.hold_s >= settings.timeout_s:
        raise SettingsError(
            f"hold ({settings.hold_s:g} s) does not fit into timeout ({settings.timeout_s:g} s), "
            f"the time of the task itself; allow at least {settings.longest_s:g} s or hold for less"
        )
    return settings


def message_timeout_s(options: Mapping[str, Any]) -> float:
    """Read ``message_timeout`` of a call or of one endpoint.

    :raises SettingsError: If it cannot be used.
    """
    return _seconds(options, "message_timeout", 10.0, least=0.1, most=3600.0)


def _seconds(options: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    """Read a duration; ``default`` for an option that is not given.

    :raises SettingsError: If it is not a number from ``least`` to ``most``.
    """
    raw = options.get(name)
    if raw is None:
        return default
    try:
        value = float(raw)
    except (TypeError, ValueError):
        raise SettingsError(f"{name} is {raw!r}; expected a number of seconds") from None
    if not math.isfinite(value) or not least <= value <= most:
        # Not 3.1536e+07.
        raise SettingsError(f"{name} is {value:g}; expected {least:g} to {most:.10g} seconds")
    return value
