"""The options of a call are read, or refused with the option and the reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.expectation import Expectation
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.settings import (
    Settings,
    SettingsError,
    parse_settings,
)


def test_what_is_left_out_has_a_default() -> None:
    assert parse_settings({}) == Settings()
    assert parse_settings({"expect": "", "send": None, "hold": None}) == Settings()


def test_every_option_is_taken() -> None:
    options = {
        "handshake_timeout": "0.1",
        "send": "hello",
        "expect": {"a": 1},
        "message_timeout": 3600,
        "hold": 65,
        "hold_mode": "ping",
        "interval": 65,
        "connections": 10000,
        "expected_idle_timeout": 60,
        "max_message_size": 125,
        "timeout": 66,
    }
    assert parse_settings(options) == Settings(
        0.1, "hello", Expectation({"a": 1}), 3600.0, 65.0, "ping", 65.0, 10000, 60.0, 125, 66.0
    )


@pytest.mark.parametrize(
    ("send", "sent"), [("text", "text"), ({"type": "ü"}, '{"type": "ü"}'), ([1], "[1]"), (7, "7"), (True, "true")]
)
def test_a_message_that_is_no_text_is_sent_as_json(send: Any, sent: str) -> None:
    assert parse_settings({"send": send}).send == sent


def test_a_greeting_alone_is_a_message_phase_too() -> None:
    assert not Settings().has_message_phase
    assert Settings(send="").has_message_phase
    assert Settings(expect=Expectation()).has_message_phase


@pytest.mark.parametrize(
    ("settings", "ping_s", "longest_s"),
    [
        (Settings(), 5.0, 2 * 10 + 5.0),
        (Settings(send="x", message_timeout_s=3.0), 3.0, 2 * 10 + 3.0 + 5.0),
        (Settings(send="x", message_timeout_s=3.0, hold_s=60.0), 3.0, 2 * 10 + 3.0 + 60.0 + 3.0 + 5.0),
        (Settings(hold_s=60.0), 5.0, 2 * 10 + 60.0 + 5.0 + 5.0),
    ],
)
def test_the_longest_time_of_an_endpoint_includes_every_wait(
    settings: Settings, ping_s: float, longest_s: float
) -> None:
    assert (settings.ping_timeout_s, settings.longest_s) == (ping_s, longest_s)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"handshake_timeout": 0.05}, "handshake_timeout is 0.05; expected 0.1 to 600 seconds"),
        ({"handshake_timeout": 601}, "handshake_timeout is 601; expected 0.1 to 600 seconds"),
        ({"message_timeout": "soon"}, "message_timeout is 'soon'; expected a number of seconds"),
        ({"message_timeout": 3601}, "message_timeout is 3601; expected 0.1 to 3600 seconds"),
        ({"hold": -1}, "hold is -1; expected 0 to 86400 seconds"),
        ({"hold": "inf"}, "hold is inf; expected 0 to 86400 seconds"),
        ({"interval": 0.01}, "interval is 0.01; expected 0.05 to 86400 seconds"),
        ({"expected_idle_timeout": 0}, "expected_idle_timeout is 0; expected 0.1 to 31536000 seconds"),
        ({"timeout": 0}, "timeout is 0; expected 0.1 to 604800 seconds"),
        ({"hold_mode": "loud"}, "hold_mode is 'loud'; expected one of quiet, ping, message"),
        (
            {"hold": 5, "hold_mode": "message"},
            "hold_mode is message, but send is not given; give the message to send",
        ),
        (
            {"hold": 5, "hold_mode": "ping", "interval": 6},
            "interval (6 s) is longer than hold (5 s), so that nothing would be sent; make it shorter",
        ),
        ({"connections": -1}, "connections is -1; expected 1 to 10000"),
        ({"connections": 10001}, "connections is 10001; expected 1 to 10000"),
        ({"max_message_size": 124}, "max_message_size is 124; expected 125 to 67108864 bytes (64 MiB)"),
        ({"max_message_size": 67108865}, "max_message_size is 67108865; expected 125 to 67108864 bytes (64 MiB)"),
        (
            {"hold": 60, "timeout": 60},
            "hold (60 s) does not fit into timeout (60 s), the time of the task itself; allow at least 90 s or hold "
            "for less",
        ),
        (
            {"expect": "("},
            "expect is '(', which is not a regular expression (missing ), unterminated subpattern at position 0)",
        ),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        parse_settings(options)


@pytest.mark.parametrize(
    "options",
    [
        {"hold_mode": "message"},
        {"hold_mode": "ping", "interval": 20},
        {"hold": 5, "hold_mode": "quiet", "interval": 6},
        {"hold": 59.9, "timeout": 60},
        {"connections": 1},
    ],
)
def test_what_fits_by_a_little_is_accepted(options: dict[str, Any]) -> None:
    parse_settings(options)
