"""What happens after the upgrade, and what it means."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.judgement import Reference
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Close,
    Fault,
    FollowUp,
    Observation,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.verdict_session import JUDGES, close_name
from websocket_observations import hold, seen


@pytest.mark.parametrize(
    ("observation", "reference", "cause", "explanation", "remedy"),
    [
        pytest.param(
            seen(fault=Fault.ACCEPT_KEY_WRONG, detail="why"),
            Reference(),
            Cause.ACCEPT_KEY_WRONG,
            "the proxy (ws://h/ws) answered 101 with a wrong or missing Sec-WebSocket-Accept (why)",
            None,
            id="accept-key-wrong",
        ),
        pytest.param(
            seen(fault=Fault.ACCEPT_KEY_WRONG, detail="Sec-WebSocket-Accept is missing"),
            Reference(direct_passed=True),
            Cause.ACCEPT_KEY_WRONG,
            "the proxy (ws://h/ws) answered 101 with a wrong or missing Sec-WebSocket-Accept (Sec-WebSocket-Accept is "
            "missing), and the backend sends it when asked directly: the proxy removes it",
            "remove the line that hides Sec-WebSocket-Accept (nginx: proxy_hide_header) from what covers /ws",
            id="accept-key-hidden",
        ),
        pytest.param(
            seen(fault=Fault.UPGRADE_INVALID, detail="why"),
            Reference(),
            Cause.UPGRADE_ANSWER_INVALID,
            "the proxy (ws://h/ws) answered 101 with headers that RFC 6455 forbids (why)",
            None,
            id="upgrade-invalid",
        ),
        pytest.param(
            seen(fault=Fault.SUBPROTOCOL_REFUSED, detail="why"),
            Reference(),
            Cause.SUBPROTOCOL_REFUSED,
            "the proxy (ws://h/ws) and the check have no common subprotocol (why)",
            None,
            id="subprotocol-refused",
        ),
        pytest.param(
            seen(fault=Fault.DEAD_AFTER_SILENCE, detail="why"),
            Reference(),
            Cause.DEAD_AFTER_SILENCE,
            "the connection to the proxy (ws://h/ws) was dead at the end of the hold (why)",
            None,
            id="dead-after-silence",
        ),
        pytest.param(
            seen(fault=Fault.MESSAGE_TOO_BIG, detail="why"),
            Reference(),
            Cause.MESSAGE_TOO_BIG,
            "the proxy (ws://h/ws) sent a message that is larger than max_message_size (why)",
            None,
            id="message-too-big",
        ),
        pytest.param(
            seen(fault=Fault.PROTOCOL_BROKEN, detail="why"),
            Reference(),
            Cause.PROTOCOL_VIOLATION,
            "the proxy (ws://h/ws) sent what RFC 6455 forbids: why",
            None,
            id="protocol-broken",
        ),
        pytest.param(
            seen(fault=Fault.OVERALL_DEADLINE, detail="why"),
            Reference(),
            Cause.DEADLINE_REACHED,
            "the check of the proxy (ws://h/ws) did not end in time (why)",
            None,
            id="overall-deadline",
        ),
        pytest.param(
            seen(fault=Fault.NO_REPLY, detail="why"),
            Reference(),
            Cause.NO_REPLY,
            "the proxy (ws://h/ws) accepted the upgrade and answers pings, but did not send the expected "
            "message in time",
            None,
            id="no-reply",
        ),
        pytest.param(
            seen(fault=Fault.REPLIES_LOST, detail="why"),
            Reference(),
            Cause.NO_REPLY,
            "the proxy (ws://h/ws) did not answer every message: why",
            None,
            id="replies-lost",
        ),
        pytest.param(
            seen(fault=Fault.UNEXPECTED_REPLY, detail="hello", messages=3),
            Reference(),
            Cause.UNEXPECTED_REPLY,
            "the proxy (ws://h/ws) sent 3 message(s), but not the expected one; for example: hello",
            None,
            id="unexpected-reply",
        ),
        pytest.param(
            seen(fault=Fault.MUTE),
            Reference(),
            Cause.OPENED_BUT_MUTE,
            "the proxy (ws://h/ws) accepted the upgrade, but no frame came back, not even a pong",
            None,
            id="mute-proxy",
        ),
        pytest.param(
            seen(fault=Fault.MUTE),
            Reference(direct_passed=True),
            Cause.OPENED_BUT_MUTE,
            "the proxy (ws://h/ws) accepted the upgrade, but no frame came back, not even a pong, although "
            "the direct connection passes frames",
            None,
            id="mute-proxy-direct-passed",
        ),
        pytest.param(
            seen("direct", fault=Fault.MUTE),
            Reference(direct_passed=True),
            Cause.OPENED_BUT_MUTE,
            "the backend (ws://h/ws) accepted the upgrade, but no frame came back, not even a pong",
            "read the application's log: it accepts the connection and then does not read from it",
            id="mute-backend",
        ),
        pytest.param(
            seen(fault=Fault.CLOSED_BY_SERVER, close=Close(1008, "no such room", "server")),
            Reference(),
            Cause.CLOSED_BY_SERVER,
            "the proxy (ws://h/ws) closed after the handshake with 1008 (policy violation), reason 'no such room'",
            "the application enforces a rule, often a missing or refused token: give it with secret_query, "
            "secret_headers or in the first message",
            id="closed-after-the-handshake",
        ),
        pytest.param(
            seen(fault=Fault.CLOSED_BY_SERVER, close=Close(1012, "", "server"), hold=hold()),
            Reference(),
            Cause.CLOSED_BY_SERVER,
            "the proxy (ws://h/ws) closed during the hold with 1012 (service restart)",
            "the service restarted: find out whether a deployment or pm2 restarted it",
            id="closed-during-the-hold",
        ),
        pytest.param(
            seen(fault=Fault.CLOSED_BY_SERVER, close=Close(4001, "", "server")),
            Reference(),
            Cause.CLOSED_BY_SERVER,
            "the proxy (ws://h/ws) closed after the handshake with 4001 (defined by the application)",
            None,
            id="closed-with-an-own-code",
        ),
        pytest.param(
            seen(fault=Fault.CLOSED_BY_SERVER, close=Close(1009, "", "server")),
            Reference(),
            Cause.MESSAGE_TOO_BIG,
            "the proxy (ws://h/ws) closed after the handshake with 1009 (message too big)",
            None,
            id="closed-with-1009",
        ),
        pytest.param(
            seen(
                fault=Fault.CUT,
                detail="ended",
            ),
            Reference(direct_passed=True),
            Cause.CUT_WITHOUT_CLOSE,
            "the proxy (ws://h/ws) upgraded the connection and then dropped it: ended",
            None,
            id="cut-without-a-hold",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold(silence_at_cut_s=0.9)),
            Reference(direct_passed=True),
            Cause.CUT_WITHOUT_CLOSE,
            "the connection to the proxy (ws://h/ws) was cut without a close frame after 65.0 s, the last 0.9"
            " s of them without a byte in either direction",
            None,
            id="cut-after-a-busy-second",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold(silence_at_cut_s=20.0)),
            Reference(direct_passed=True),
            Cause.CUT_WITHOUT_CLOSE,
            "the connection to the proxy (ws://h/ws) was cut without a close frame after 65.0 s, the last "
            "20.0 s of them without a byte in either direction",
            None,
            id="cut-in-the-rhythm",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold()),
            Reference(direct_passed=True),
            Cause.CUT_WHILE_IDLE,
            "the connection to the proxy (ws://h/ws) was cut after 65.0 s, the last 60.1 s of them without a "
            "byte in either direction, which matches the default of nginx (proxy_read_timeout)",
            "set proxy_read_timeout (and proxy_send_timeout) in the location of /ws to more than the longest "
            "silence, e.g. proxy_read_timeout 86400s, or let the application ping more often than every 60 s",
            id="cut-at-the-default-of-nginx",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold(silence_at_cut_s=60.02)),
            Reference(direct_passed=True),
            Cause.CUT_WHILE_IDLE,
            "the connection to the proxy (ws://h/ws) was cut after 65.0 s, the last 60.0 s of them without a "
            "byte in either direction, which matches the default of nginx (proxy_read_timeout)",
            "set proxy_read_timeout (and proxy_send_timeout) in the location of /ws to more than the longest "
            "silence, e.g. proxy_read_timeout 86400s, or let the application ping more often than every 60 s",
            id="cut-at-the-longest-silence-but-for-a-tenth",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold(), follow_up=FollowUp(reopened=False)),
            Reference(),
            Cause.CUT_WITHOUT_CLOSE,
            "the connection to the proxy (ws://h/ws) was cut without a close frame after 65.0 s, the last "
            "60.1 s of them without a byte in either direction; a new one is not accepted, so the server has "
            "ended, which is not an idle timeout",
            None,
            id="cut-and-not-accepted-again",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold(), follow_up=FollowUp(reopened=False, reopened_status=502)),
            Reference(),
            Cause.CUT_WITHOUT_CLOSE,
            "the connection to the proxy (ws://h/ws) was cut without a close frame after 65.0 s, the last "
            "60.1 s of them without a byte in either direction; a new one gets HTTP 502, so the server has "
            "ended, which is not an idle timeout",
            None,
            id="cut-and-refused-again",
        ),
        pytest.param(
            seen(
                fault=Fault.CUT,
                detail="ended",
                hold=hold(silence_at_cut_s=61.0, longest_silence_s=61.0),
                follow_up=FollowUp(reopened=True),
            ),
            Reference(),
            Cause.CUT_WHILE_IDLE,
            "the connection to the proxy (ws://h/ws) was cut after 65.0 s, the last 61.0 s of them without a "
            "byte in either direction",
            "set proxy_read_timeout (and proxy_send_timeout) in the location of /ws to more than the longest "
            "silence, e.g. proxy_read_timeout 86400s, or let the application ping more often than every 61 s",
            id="cut-at-an-unknown-silence",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold()),
            Reference(expected_idle_timeout_s=60.0),
            Cause.CUT_WHILE_IDLE,
            "the connection to the proxy (ws://h/ws) was cut after 65.0 s, the last 60.1 s of them without a "
            "byte in either direction, which matches the configured idle timeout of 60 s",
            "set proxy_read_timeout (and proxy_send_timeout) in the location of /ws to more than the longest "
            "silence, e.g. proxy_read_timeout 86400s, or let the application ping more often than every 60 s",
            id="cut-at-the-configured-timeout",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold()),
            Reference(expected_idle_timeout_s=86400.0, direct_silence_s=65.0),
            Cause.CUT_WHILE_IDLE,
            "the connection to the proxy (ws://h/ws) was cut after 65.0 s, the last 60.1 s of them without a "
            "byte in either direction, which matches the default of nginx (proxy_read_timeout); the "
            "configured idle timeout of 86400 s is not in force on this path; the direct connection survived "
            "65.0 s of silence",
            "set proxy_read_timeout (and proxy_send_timeout) in the location of /ws to more than the longest "
            "silence, e.g. proxy_read_timeout 86400s, or let the application ping more often than every 60 s",
            id="cut-before-the-configured-timeout",
        ),
        pytest.param(
            seen(fault=Fault.CUT, detail="ended", hold=hold()),
            Reference(direct_silence_s=60.5),
            Cause.CUT_WHILE_IDLE,
            "the connection to the proxy (ws://h/ws) was cut after 65.0 s, the last 60.1 s of them without a "
            "byte in either direction, which matches the default of nginx (proxy_read_timeout)",
            "set proxy_read_timeout (and proxy_send_timeout) in the location of /ws to more than the longest "
            "silence, e.g. proxy_read_timeout 86400s, or let the application ping more often than every 60 s",
            id="cut-while-direct-survived-hardly-longer",
        ),
        pytest.param(
            seen("direct", fault=Fault.CUT, detail="ended", hold=hold()),
            Reference(),
            Cause.CUT_WHILE_IDLE,
            "the connection to the backend (ws://h/ws) was cut after 65.0 s, the last 60.1 s of them without "
            "a byte in either direction, which matches the default of nginx (proxy_read_timeout); there is no"
            " proxy on this path: the server closes idle connections, or its process ended",
            "raise the server's idle timeout, or let the server or the page ping more often; read the backend's log",
            id="cut-by-the-backend",
        ),
    ],
)
def test_a_failure_after_the_upgrade_has_one_meaning_at_its_vantage_point(
    observation: Observation, reference: Reference, cause: Cause, explanation: str, remedy: str | None
) -> None:
    assert observation.fault is not None
    judgement = JUDGES[observation.fault](observation, reference)
    assert (judgement.cause, judgement.explanation, judgement.remedy) == (cause, explanation, remedy)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (None, "no close frame"),
        (1000, "normal closure"),
        (1014, "bad gateway"),
        (1999, "not assigned"),
        (2999, "not assigned"),
        (3000, "registered by a library"),
        (3999, "registered by a library"),
        (4000, "defined by the application"),
        (4999, "defined by the application"),
        (5000, "not assigned"),
    ],
)
def test_a_close_code_has_its_registered_name_or_that_of_its_range(code: int | None, name: str) -> None:
    assert close_name(code) == name
