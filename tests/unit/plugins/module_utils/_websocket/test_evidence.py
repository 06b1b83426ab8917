"""Every fact is in the evidence once, without secrets."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.evidence import evidence
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Fault,
    FollowUp,
    OriginTry,
    Tls,
)
from websocket_observations import answer, seen


@pytest.mark.parametrize(
    ("facts", "lines"),
    [
        pytest.param({}, (), id="nothing"),
        pytest.param(
            {"fault": Fault.REFUSED, "detail": "127.0.0.1:1 refused", "attempts": ["[::1]:1 refused"]},
            ("[::1]:1 refused", "127.0.0.1:1 refused"),
            id="refused-by-both-addresses",
        ),
        pytest.param(
            {"address": "192.0.2.1:80", "attempts": ["[2001:db8::1]:80 refused"], "answer": answer(101)},
            ("[2001:db8::1]:80 refused", "connected to 192.0.2.1:80 as h", "HTTP/1.1 101 Reason"),
            id="connected-by-the-second-address",
        ),
        pytest.param(
            {"tls": Tls("TLSv1.3", None, "h", "CA", ("h",), None, 30, True)},
            ("TLSv1.3 with the certificate of h, expires in 30 days",),
            id="tls",
        ),
        pytest.param(
            {"tls": Tls("TLSv1.2", None, None, None, (), None, None, False)},
            ("TLSv1.2 with the certificate of an unknown subject, not verified",),
            id="tls-not-verified",
        ),
        pytest.param(
            {
                "fault": Fault.HTTP_ANSWER,
                "detail": "HTTP 404",
                "answer": answer(404, "<p>\n  not   here</p>" + "x" * 200, Server="nginx"),
            },
            ("HTTP/1.1 404 Reason, Server: nginx", "body: <p> not here</p>" + "x" * 144),
            id="refused-with-a-page",
        ),
        pytest.param({"answer": answer(101, "frames")}, ("HTTP/1.1 101 Reason",), id="what-follows-a-101-is-no-body"),
        pytest.param(
            {"fault": Fault.UNEXPECTED_REPLY, "detail": "hello", "other_messages": ["hello", ""]},
            ("message: hello", "message: (empty)"),
            id="messages",
        ),
        pytest.param({"fault": Fault.MUTE}, (), id="a-fault-without-a-detail"),
        pytest.param(
            {"follow_up": FollowUp([OriginTry(None, 403), OriginTry("http://h", None)])},
            ("the same request without an Origin: HTTP 403", "the same request with Origin http://h: no answer"),
            id="origins",
        ),
        pytest.param(
            {"answer": answer(404, "x"), "follow_up": FollowUp(plain_request=answer(404, "x"))},
            ("HTTP/1.1 404 Reason", "body: x", "the same request without an upgrade: HTTP 404, the same page"),
            id="the-same-page",
        ),
        pytest.param(
            {
                "answer": answer(404, "x"),
                "follow_up": FollowUp(plain_request=answer(404, "y"), unknown_path_status=403),
            },
            (
                "HTTP/1.1 404 Reason",
                "body: x",
                "the same request without an upgrade: HTTP 404",
                "an upgrade on a path that cannot exist: HTTP 403",
            ),
            id="another-page",
        ),
        pytest.param(
            {"follow_up": FollowUp(reopened=True)}, ("a new connection after the cut: opened",), id="opened-again"
        ),
        pytest.param(
            {"follow_up": FollowUp(reopened=False, speaks_tls=True, speaks_plain_http=True)},
            (
                "a new connection after the cut: not opened",
                "the port answers a TLS handshake",
                "the port answers plain HTTP",
            ),
            id="probes",
        ),
        pytest.param(
            {"follow_up": FollowUp(speaks_tls=False, speaks_plain_http=False)}, (), id="probes-that-found-nothing"
        ),
    ],
)
def test_the_evidence_lists_what_was_seen(facts: dict[str, Any], lines: tuple[str, ...]) -> None:
    assert evidence(seen(**facts)) == lines


def test_a_secret_that_a_server_repeats_is_not_shown() -> None:
    observation = seen(secret_headers={"Cookie": "s3cret"}, answer=answer(403, "you sent s3cret"))
    assert evidence(observation) == ("HTTP/1.1 403 Reason", "body: you sent ********")
