"""What a connection without an HTTP answer means."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.judgement import Reference
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Fault,
    FollowUp,
    Observation,
    Tls,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.verdict_connection import JUDGES
from websocket_observations import answer, seen


@pytest.mark.parametrize(
    ("observation", "reference", "cause", "explanation", "remedy"),
    [
        pytest.param(
            seen(fault=Fault.NAME_NOT_RESOLVED, detail="why"),
            Reference(),
            Cause.NAME_NOT_RESOLVED,
            "the host name of the proxy (ws://h/ws) has no address: why",
            None,
            id="name-not-resolved",
        ),
        pytest.param(
            seen(fault=Fault.NAME_TIMED_OUT, detail="why"),
            Reference(),
            Cause.NAME_NOT_RESOLVED,
            "the resolver did not answer in time: why",
            None,
            id="name-timed-out",
        ),
        pytest.param(
            seen(fault=Fault.CONNECT_TIMED_OUT, detail="why"),
            Reference(),
            Cause.CONNECT_TIMED_OUT,
            "no connection to the proxy (ws://h/ws): why",
            None,
            id="connect-timed-out",
        ),
        pytest.param(
            seen(fault=Fault.UNREACHABLE, detail="why"),
            Reference(),
            Cause.NETWORK_UNREACHABLE,
            "no route to the proxy (ws://h/ws): why",
            None,
            id="unreachable",
        ),
        pytest.param(
            seen(fault=Fault.LOCAL_LIMIT, detail="why"),
            Reference(),
            Cause.LOCAL_LIMIT_REACHED,
            "the machine that runs the check has reached a limit: why",
            None,
            id="local-limit",
        ),
        pytest.param(
            seen(fault=Fault.TLS_UNTRUSTED, detail="why"),
            Reference(),
            Cause.TLS_UNTRUSTED,
            "the certificate of the proxy (ws://h/ws) is not trusted here: why",
            None,
            id="tls-untrusted",
        ),
        pytest.param(
            seen(fault=Fault.TLS_NAME_MISMATCH, detail="why"),
            Reference(),
            Cause.TLS_NAME_MISMATCH,
            "the certificate of the proxy (ws://h/ws) is not valid for h, but for other names",
            None,
            id="tls-name-mismatch",
        ),
        pytest.param(
            seen(fault=Fault.TLS_EXPIRED, detail="why"),
            Reference(),
            Cause.TLS_EXPIRED,
            "the certificate of the proxy (ws://h/ws) expired (why)",
            None,
            id="tls-expired",
        ),
        pytest.param(
            seen(fault=Fault.TLS_NOT_YET_VALID, detail="why"),
            Reference(),
            Cause.TLS_NOT_YET_VALID,
            "the certificate of the proxy (ws://h/ws) is not valid yet by the clock of the machine that runs the check",
            None,
            id="tls-not-yet-valid",
        ),
        pytest.param(
            seen(fault=Fault.TLS_CLIENT_CERTIFICATE, detail="why"),
            Reference(),
            Cause.TLS_CLIENT_CERTIFICATE_REQUIRED,
            "the proxy (ws://h/ws) requires a client certificate",
            None,
            id="tls-client-certificate",
        ),
        pytest.param(
            seen(
                "public",
                secure=True,
                fault=Fault.TLS_UNTRUSTED,
                detail="why",
                tls=Tls("TLSv1.3", None, "other.example", "Some CA", ("other.example", "b.example"), None, -4, True),
            ),
            Reference(),
            Cause.TLS_UNTRUSTED,
            "the certificate of the public address (wss://h/ws) (issued to other.example by Some CA) is not "
            "trusted here: why",
            None,
            id="tls-untrusted-with-the-certificate",
        ),
        pytest.param(
            seen(
                "public",
                secure=True,
                fault=Fault.TLS_NAME_MISMATCH,
                detail="why",
                tls=Tls("TLSv1.3", None, "other.example", "Some CA", ("other.example", "b.example"), None, -4, True),
            ),
            Reference(),
            Cause.TLS_NAME_MISMATCH,
            "the certificate of the public address (wss://h/ws) is not valid for h, but for other.example, b.example",
            None,
            id="tls-name-mismatch-with-the-certificate",
        ),
        pytest.param(
            seen(
                "public",
                secure=True,
                fault=Fault.TLS_EXPIRED,
                detail="why",
                tls=Tls("TLSv1.3", None, "other.example", "Some CA", ("other.example", "b.example"), None, -4, True),
            ),
            Reference(),
            Cause.TLS_EXPIRED,
            "the certificate of the public address (wss://h/ws) (issued to other.example by Some CA) expired "
            "4 days ago",
            None,
            id="tls-expired-with-the-certificate",
        ),
        pytest.param(
            seen(
                "public",
                secure=True,
                fault=Fault.TLS_NOT_YET_VALID,
                detail="why",
                tls=Tls("TLSv1.3", None, "other.example", "Some CA", ("other.example", "b.example"), None, -4, True),
            ),
            Reference(),
            Cause.TLS_NOT_YET_VALID,
            "the certificate of the public address (wss://h/ws) (issued to other.example by Some CA) is not "
            "valid yet by the clock of the machine that runs the check",
            None,
            id="tls-not-yet-valid-with-the-certificate",
        ),
        pytest.param(
            seen(fault=Fault.TLS_EXPIRED, detail="why", tls=Tls(None, None, None, None, (), None, None, True)),
            Reference(),
            Cause.TLS_EXPIRED,
            "the certificate of the proxy (ws://h/ws) (issued to nobody by nobody) expired (why)",
            None,
            id="certificate-without-names",
        ),
        pytest.param(
            seen("direct", fault=Fault.REFUSED, detail="why"),
            Reference(),
            Cause.BACKEND_DOWN,
            "the backend (ws://h/ws) does not accept connections: why",
            None,
            id="refused-by-the-backend",
        ),
        pytest.param(
            seen("direct", fault=Fault.REFUSED, detail="why"),
            Reference(proxied_passed=True),
            Cause.WRONG_DIRECT_ADDRESS,
            "the backend (ws://h/ws) does not accept connections (why), but the application answers through "
            "the proxy: it listens on another address or port than this URL has",
            None,
            id="refused-by-the-backend-though-the-proxy-passed",
        ),
        pytest.param(
            seen(fault=Fault.REFUSED, detail="why"),
            Reference(proxied_passed=True),
            Cause.PROXY_DOWN,
            "the proxy (ws://h/ws) does not accept connections: why",
            None,
            id="refused-by-the-proxy",
        ),
        pytest.param(
            seen(secure=True, fault=Fault.TLS_NOT_SPOKEN, detail="why", follow_up=FollowUp(speaks_plain_http=True)),
            Reference(),
            Cause.PLAIN_EXPECTED,
            "the proxy (wss://h/ws) was asked for TLS, but the port answers plain HTTP",
            "use the port on which the proxy offers TLS, or let it offer TLS on this one (listen ... ssl)",
            id="tls-to-a-plain-port",
        ),
        pytest.param(
            seen(
                transport="sse",
                secure=True,
                fault=Fault.TLS_STALLED,
                detail="why",
                follow_up=FollowUp(speaks_plain_http=True),
            ),
            Reference(),
            Cause.PLAIN_EXPECTED,
            "the proxy (https://h/ws) was asked for TLS, but the port answers plain HTTP",
            "use the port on which the proxy offers TLS, or let it offer TLS on this one (listen ... ssl)",
            id="tls-of-a-stream-to-a-plain-port",
        ),
        pytest.param(
            seen(secure=True, fault=Fault.TLS_FAILED, detail="why", follow_up=FollowUp(speaks_plain_http=False)),
            Reference(),
            Cause.TLS_FAILED,
            "the TLS handshake with the proxy (wss://h/ws) failed: why",
            None,
            id="tls-fails",
        ),
        pytest.param(
            seen(fault=Fault.CLOSED_IN_HANDSHAKE, detail="why", follow_up=FollowUp(speaks_tls=True)),
            Reference(),
            Cause.TLS_EXPECTED,
            "the proxy (ws://h/ws) was asked without TLS, but the port requires TLS",
            "use wss://h/ws, and build the page with that URL too",
            id="plain-to-a-tls-port",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.NOT_HTTP, detail="why", follow_up=FollowUp(speaks_tls=True)),
            Reference(),
            Cause.TLS_EXPECTED,
            "the proxy (http://h/ws) was asked without TLS, but the port requires TLS",
            "use https://h/ws, and build the page with that URL too",
            id="plain-stream-to-a-tls-port",
        ),
        pytest.param(
            seen(
                secure=True,
                fault=Fault.CLOSED_IN_HANDSHAKE,
                detail="why",
                follow_up=FollowUp(wants_client_certificate=True),
            ),
            Reference(),
            Cause.TLS_CLIENT_CERTIFICATE_REQUIRED,
            "the proxy (wss://h/ws) requires a client certificate",
            None,
            id="no-client-certificate",
        ),
        pytest.param(
            seen(fault=Fault.CLOSED_IN_HANDSHAKE, detail="why"),
            Reference(direct_passed=True),
            Cause.CLOSED_IN_HANDSHAKE,
            "the proxy (ws://h/ws) did not answer the handshake: why",
            None,
            id="closed",
        ),
        pytest.param(
            seen(fault=Fault.HANDSHAKE_STALLED, detail="not one byte came"),
            Reference(),
            Cause.HANDSHAKE_STALLED,
            "the proxy (ws://h/ws) accepted the connection, but not one byte came within the handshake timeout",
            None,
            id="stalled",
        ),
        pytest.param(
            seen(fault=Fault.HANDSHAKE_STALLED, detail="20 bytes came"),
            Reference(direct_passed=True),
            Cause.HANDSHAKE_STALLED,
            "the proxy (ws://h/ws) accepted the connection, but 20 bytes came within the handshake timeout, and the "
            "backend accepts the upgrade when asked directly: "
            "the proxy does not pass the request on, or the answer back",
            "compare the location of /ws with the backend's address, and read the logs of both; limit_rate in nginx "
            "slows the answer down",
            id="stalled-in-the-proxy",
        ),
        pytest.param(
            seen(
                fault=Fault.HANDSHAKE_STALLED,
                detail="not one byte came",
                follow_up=FollowUp(plain_request=answer(503, "no server")),
            ),
            Reference(direct_passed=True, direct_plain=answer(404, "x").page),
            Cause.HANDSHAKE_STALLED,
            "the proxy (ws://h/ws) accepted the connection, but not one byte came within the handshake timeout; the "
            "same request without an upgrade gets HTTP 503 at once: what answers there does not reach the server "
            "behind it, and waits for it before it says so",
            "compare the address, port and scheme (TLS or not) to which it forwards with those on which that server "
            "listens",
            id="stalled-before-a-gateway-error",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.HANDSHAKE_STALLED, detail="not one byte came"),
            Reference(),
            Cause.HANDSHAKE_STALLED,
            "the proxy (http://h/ws) accepted the connection, but not one byte came within the handshake timeout",
            None,
            id="stalled-stream",
        ),
        pytest.param(
            seen("direct", "sse", fault=Fault.HANDSHAKE_STALLED, detail="not one byte came"),
            Reference(direct_passed=True),
            Cause.HANDSHAKE_STALLED,
            "the backend (http://h/ws) accepted the connection, but not one byte came within the handshake timeout",
            None,
            id="stalled-stream-of-the-backend",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.HANDSHAKE_STALLED, detail="not one byte came"),
            Reference(direct_passed=True),
            Cause.EVENTS_BUFFERED,
            "the proxy (http://h/ws) forwards nothing (not one byte came), although the backend sends events",
            "set proxy_buffering off and proxy_http_version 1.1 in the location of /ws, or send the header "
            "X-Accel-Buffering: no from the application; switch compression off for text/event-stream",
            id="buffered-stream",
        ),
        pytest.param(
            seen(fault=Fault.NOT_HTTP, detail="a TLS record"),
            Reference(),
            Cause.NOT_HTTP,
            "the proxy (ws://h/ws) did not answer with HTTP: a TLS record",
            None,
            id="not-http",
        ),
        pytest.param(
            seen(fault=Fault.HEAD_TOO_BIG, detail="more than 65536 bytes"),
            Reference(),
            Cause.NOT_HTTP,
            "the proxy (ws://h/ws) did not answer with HTTP: more than 65536 bytes",
            None,
            id="endless-head",
        ),
    ],
)
def test_a_failure_before_the_answer_has_one_meaning_at_its_vantage_point(
    observation: Observation, reference: Reference, cause: Cause, explanation: str, remedy: str | None
) -> None:
    assert observation.fault is not None
    judgement = JUDGES[observation.fault](observation, reference)
    assert (judgement.cause, judgement.explanation, judgement.remedy) == (cause, explanation, remedy)
