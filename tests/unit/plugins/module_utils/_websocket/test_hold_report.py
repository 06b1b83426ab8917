"""What a hold proves, and what it does not prove."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.hold_report import HoldReport, known_timeout


def report(**more: object) -> HoldReport:
    fields: dict[str, object] = {
        "mode": "quiet",
        "held_s": 65.0,
        "interval_s": 10.0,
        "longest_silence_s": 65.04,
        "alive_at_end": True,
    }
    return HoldReport(**{**fields, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("held", "expected_s", "proven_s", "sentence"),
    [
        pytest.param(report(), None, 65.0, "an idle timeout of at least 65 s is proven", id="quiet"),
        pytest.param(
            report(),
            86400.0,
            65.0,
            "an idle timeout of at least 65 s is proven; the configured 86400 s is not proven, since the silence was "
            "shorter",
            id="quiet-but-configured-longer",
        ),
        pytest.param(
            report(longest_silence_s=20.01, server_pings=3),
            None,
            20.0,
            "an idle timeout longer than 20 s is not proven: the server pings about every 22 s",
            id="server-pings",
        ),
        pytest.param(
            report(longest_silence_s=20.01),
            None,
            20.0,
            "an idle timeout longer than 20 s is not proven: the server sends messages by itself",
            id="server-messages",
        ),
        pytest.param(
            report(mode="ping", interval_s=1.0, longest_silence_s=1.0),
            None,
            None,
            "no idle timeout is proven: the check sent a ping every 1 s",
            id="our-pings",
        ),
        pytest.param(
            report(alive_at_end=False),
            None,
            None,
            "no idle timeout is proven: it is not known whether the connection was alive at the end",
            id="dead",
        ),
        pytest.param(
            report(alive_at_end=None, silence_at_cut_s=60.02),
            None,
            None,
            "the connection was cut after 60.0 s without a byte in either direction",
            id="cut",
        ),
    ],
)
def test_what_a_hold_proves(held: HoldReport, expected_s: float | None, proven_s: float | None, sentence: str) -> None:
    assert (held.idle_timeout_proven_s, held.proves(expected_s)) == (proven_s, sentence)


@pytest.mark.parametrize(
    ("silence_s", "expected_s", "whose"),
    [
        (60.1, None, "the default of nginx (proxy_read_timeout)"),
        (90.0, None, "the default of Nginx Proxy Manager"),
        (99.8, None, "the limit of Cloudflare"),
        (3.0, 3.0, "the configured idle timeout of 3 s"),
        (60.0, 60.0, "the configured idle timeout of 60 s"),
        (61.0, None, None),
        (3.0, None, None),
    ],
)
def test_a_silence_is_compared_with_known_timeouts(
    silence_s: float, expected_s: float | None, whose: str | None
) -> None:
    assert known_timeout(silence_s, expected_s) == whose
