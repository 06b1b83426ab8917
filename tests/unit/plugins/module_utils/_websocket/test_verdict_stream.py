"""What happens to an event stream, and what it means."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.judgement import Reference
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Fault,
    Observation,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.verdict_stream import (
    JUDGES,
    comes_in_bursts,
    judge_bursts,
    judge_stream_refusal,
)
from websocket_observations import hold, seen


@pytest.mark.parametrize(
    ("observation", "reference", "cause", "explanation", "remedy"),
    [
        pytest.param(
            seen(transport="sse", fault=Fault.NOT_EVENT_STREAM, detail="text/html"),
            Reference(direct_passed=True),
            Cause.NOT_AN_EVENT_STREAM,
            "the proxy (http://h/ws) sent text/html instead of text/event-stream",
            None,
            id="another-type",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.NO_EVENT, detail="why"),
            Reference(),
            Cause.NO_EVENT,
            "the proxy (http://h/ws) sent no event in time: why",
            None,
            id="no-event",
        ),
        pytest.param(
            seen("direct", transport="sse", fault=Fault.NO_EVENT, detail="why"),
            Reference(direct_passed=True),
            Cause.NO_EVENT,
            "the backend (http://h/ws) sent no event in time: why",
            None,
            id="no-event-of-the-backend",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.NO_EVENT, detail="why"),
            Reference(direct_passed=True),
            Cause.EVENTS_BUFFERED,
            "the proxy (http://h/ws) forwards no event (why), although the backend sends them",
            "set proxy_buffering off and proxy_http_version 1.1 in the location of /ws, or send the header "
            "X-Accel-Buffering: no from the application; switch compression off for text/event-stream",
            id="no-event-through-the-proxy",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.STREAM_ENDED, detail="why"),
            Reference(),
            Cause.STREAM_ENDED,
            "the event stream of the proxy (http://h/ws) ended: why",
            None,
            id="ended",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.STREAM_ENDED, detail="why", hold=hold(silence_at_cut_s=0.9)),
            Reference(),
            Cause.STREAM_ENDED,
            "the event stream of the proxy (http://h/ws) ended after 65.0 s (why)",
            None,
            id="ended-in-the-hold",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.STREAM_ENDED, detail="why", hold=hold(silence_at_cut_s=1.0)),
            Reference(),
            Cause.STREAM_ENDED,
            "the event stream of the proxy (http://h/ws) ended after 65.0 s (why), the last 1.0 s of them "
            "without a byte",
            None,
            id="ended-after-a-silence",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.STREAM_ENDED, detail="why", hold=hold()),
            Reference(),
            Cause.STREAM_ENDED,
            "the event stream of the proxy (http://h/ws) ended after 65.0 s (why), the last 60.1 s of them "
            "without a byte, which matches the default of nginx (proxy_read_timeout)",
            None,
            id="ended-after-a-known-silence",
        ),
    ],
)
def test_a_failing_stream_has_one_meaning_at_its_vantage_point(
    observation: Observation, reference: Reference, cause: Cause, explanation: str, remedy: str | None
) -> None:
    assert observation.fault is not None
    judgement = JUDGES[observation.fault](observation, reference)
    assert (judgement.cause, judgement.explanation, judgement.remedy) == (cause, explanation, remedy)


@pytest.mark.parametrize(
    ("vantage", "bursts", "direct_burst", "buffered"),
    [
        pytest.param("proxy", 2, 1, True, id="proxy-collects"),
        pytest.param("public", 5, 2, True, id="public-collects"),
        pytest.param("proxy", 1, 1, False, id="once-may-be-a-pause"),
        pytest.param("proxy", 2, 3, False, id="the-backend-sends-them-together"),
        pytest.param("proxy", 2, None, False, id="without-direct"),
        pytest.param("direct", 2, 1, False, id="direct"),
    ],
)
def test_events_are_buffered_if_they_arrive_together_only_through_the_proxy(
    vantage: str, bursts: int, direct_burst: int | None, buffered: bool
) -> None:
    observation = seen(vantage, "sse", bursts=bursts, largest_burst=7)
    assert comes_in_bursts(observation, Reference(direct_burst=direct_burst)) is buffered


def test_a_buffered_stream_is_explained_with_the_directives() -> None:
    judgement = judge_bursts(seen(transport="sse", bursts=2, largest_burst=7))
    assert (judgement.cause, judgement.explanation, judgement.remedy) == (
        Cause.EVENTS_BUFFERED,
        "the proxy (http://h/ws) delivers up to 7 events at once, although the backend sends them one by one",
        "set proxy_buffering off and proxy_http_version 1.1 in the location of /ws, or send the header "
        "X-Accel-Buffering: no from the application; switch compression off for text/event-stream",
    )


@pytest.mark.parametrize(
    ("vantage", "status", "direct_passed", "cause", "explanation"),
    [
        (
            "proxy",
            404,
            True,
            Cause.NOT_ROUTED_BY_PROXY,
            "although the backend serves the event stream when asked directly",
        ),
        ("direct", 404, True, Cause.PATH_NOT_FOUND, "there is no event stream on /ws"),
        ("proxy", 405, None, Cause.BAD_REQUEST, "the server refuses this request"),
        ("proxy", 406, True, Cause.BAD_REQUEST, "the server refuses this request"),
        ("proxy", 500, True, Cause.SERVER_ERROR, "the application failed"),
        ("proxy", 418, True, Cause.UNEXPECTED_STATUS, "which is not an event stream"),
    ],
)
def test_a_refused_stream(
    vantage: str, status: int, direct_passed: bool | None, cause: Cause, explanation: str
) -> None:
    judgement = judge_stream_refusal(seen(vantage, "sse"), status, Reference(direct_passed=direct_passed))
    assert judgement is not None
    assert judgement.cause is cause
    assert judgement.explanation.endswith(explanation)


def test_a_stream_that_requires_a_login_is_refused_like_a_websocket() -> None:
    assert judge_stream_refusal(seen("direct", "sse"), 403, Reference()) is None
