"""What an HTTP answer other than an upgrade means, by vantage point and by what the direct endpoint did."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.judgement import Reference
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Fault,
    FollowUp,
    Observation,
    OriginTry,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.verdict_http import JUDGES
from websocket_observations import NGINX, answer, seen

UNPROVEN_REMEDY = (
    "compare proxy_pass in the location of /ws with the backend's address and path, then the headers that it sets; the "
    "logs of proxy and backend show what arrives"
)
UPGRADE_REMEDY = (
    "in the proxy's location that serves /ws (in the location itself: headers at server level are not"
    " inherited by a location that sets any of its own) set: proxy_http_version 1.1; proxy_set_header"
    " Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; with, at http level, "
    "map $http_upgrade $connection_upgrade { default ''; websocket upgrade; }; then nginx -t and "
    "reload; in Nginx Proxy Manager switch on Websockets Support for the host"
)


@pytest.mark.parametrize(
    ("observation", "reference", "cause", "explanation", "remedy"),
    [
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(502)),
            Reference(),
            Cause.BAD_GATEWAY,
            "the proxy (ws://h/ws) answered HTTP 502: it gets no HTTP answer from the backend behind it",
            None,
            id="502",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(502)),
            Reference(direct_passed=True),
            Cause.BAD_GATEWAY,
            "the proxy (ws://h/ws) answered HTTP 502, although the backend answers when asked directly: the "
            "proxy forwards to another address, cannot reach the backend from where it runs, or speaks an "
            "HTTP version that the backend drops without an answer",
            "compare proxy_pass in the location of /ws with the address on which the backend listens, as the "
            "proxy sees it, and set proxy_http_version 1.1 there; the proxy's error log tells which it is",
            id="502-direct-passed",
        ),
        pytest.param(
            seen("direct", fault=Fault.HTTP_ANSWER, answer=answer(502)),
            Reference(direct_passed=True),
            Cause.BAD_GATEWAY,
            "the backend (ws://h/ws) answered HTTP 502: it gets no HTTP answer from the backend behind it",
            None,
            id="502-of-the-backend",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(504)),
            Reference(),
            Cause.GATEWAY_TIMEOUT,
            "the proxy (ws://h/ws) answered HTTP 504: the backend behind it did not answer in time",
            None,
            id="504",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(503, NGINX)),
            Reference(),
            Cause.UNAVAILABLE_OR_LIMITED,
            "the proxy (ws://h/ws) answered HTTP 503: the proxy itself enforces a limit, is overloaded or "
            "under maintenance",
            None,
            id="503-of-nginx",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(429)),
            Reference(),
            Cause.UNAVAILABLE_OR_LIMITED,
            "the proxy (ws://h/ws) answered HTTP 429: it enforces a limit, is overloaded or under maintenance",
            None,
            id="429",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(301, Location="https://h/ws")),
            Reference(),
            Cause.REDIRECTED,
            "the proxy (ws://h/ws) answered HTTP 301 and redirects to https://h/ws: plain HTTP is redirected "
            "to TLS; for a WebSocket, browsers do not follow redirects",
            "use wss://h/ws, and build the page with that URL too",
            id="redirect-to-tls",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(302)),
            Reference(),
            Cause.REDIRECTED,
            "the proxy (ws://h/ws) answered HTTP 302 and redirects to nowhere; for a WebSocket, browsers do "
            "not follow redirects",
            None,
            id="redirect-without-location",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(307, Location="http://other/ws")),
            Reference(),
            Cause.REDIRECTED,
            "the proxy (ws://h/ws) answered HTTP 307 and redirects to http://other/ws; for a WebSocket, "
            "browsers do not follow redirects",
            "use ws://other/ws, and build the page with that URL too",
            id="redirect-to-plain",
        ),
        pytest.param(
            seen(secure=True, fault=Fault.HTTP_ANSWER, answer=answer(303, Location="https://other/ws")),
            Reference(),
            Cause.REDIRECTED,
            "the proxy (wss://h/ws) answered HTTP 303 and redirects to https://other/ws; for a WebSocket, "
            "browsers do not follow redirects",
            "use wss://other/ws, and build the page with that URL too",
            id="redirect-from-tls",
        ),
        pytest.param(
            seen(secure=True, fault=Fault.HTTP_ANSWER, answer=answer(307, Location="https://h/ws")),
            Reference(),
            Cause.REDIRECTED,
            "the proxy (wss://h/ws) answered HTTP 307 and redirects to https://h/ws, which is what was asked for: what "
            "redirects takes the request for another than it is, and each answer would lead to the next; it redirects "
            "plain HTTP to TLS, and is not told that the client uses TLS, or a proxy in between says otherwise "
            "(X-Forwarded-Proto)",
            "let the machine at which TLS ends send X-Forwarded-Proto https, and every proxy behind it pass that on: "
            "in nginx proxy_set_header X-Forwarded-Proto https (or $http_x_forwarded_proto) instead of $scheme; the "
            "application must trust the proxy (uvicorn --forwarded-allow-ips)",
            id="redirect-to-itself-behind-tls",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(307, Location="http://h/ws")),
            Reference(),
            Cause.REDIRECTED,
            "the proxy (ws://h/ws) answered HTTP 307 and redirects to http://h/ws, which is what was asked for: what "
            "redirects takes the request for another than it is, and each answer would lead to the next",
            "find what redirects (Server in the evidence, the log of the proxy and of the application) and the "
            "condition that it asks",
            id="redirect-to-itself",
        ),
        pytest.param(
            seen(transport="sse", fault=Fault.HTTP_ANSWER, answer=answer(308, Location="http://other/")),
            Reference(),
            Cause.REDIRECTED,
            "the proxy (http://h/ws) answered HTTP 308 and redirects to http://other/; the check does not "
            "follow redirects",
            "remove the redirect of /ws, or ask where the WebSocket is: it redirects to another page",
            id="redirect-of-a-stream",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(400, "The plain HTTP request was sent to HTTPS port")),
            Reference(),
            Cause.TLS_EXPECTED,
            "the proxy (ws://h/ws) was asked without TLS, but the port requires TLS",
            "use wss://h/ws, and build the page with that URL too",
            id="plain-request-to-tls",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(400, "No required SSL certificate was sent")),
            Reference(),
            Cause.TLS_CLIENT_CERTIFICATE_REQUIRED,
            "the proxy (ws://h/ws) requires a client certificate",
            None,
            id="client-certificate",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(496, "No required SSL certificate was sent")),
            Reference(),
            Cause.TLS_CLIENT_CERTIFICATE_REQUIRED,
            "the proxy (ws://h/ws) requires a client certificate",
            None,
            id="client-certificate-496",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(496)),
            Reference(),
            Cause.UNEXPECTED_STATUS,
            "the proxy (ws://h/ws) answered HTTP 496, which tells nothing about WebSockets",
            None,
            id="496-for-another-reason",
        ),
        pytest.param(
            seen(
                origin="http://page",
                fault=Fault.HTTP_ANSWER,
                answer=answer(403),
                follow_up=FollowUp([OriginTry("http://h", 403), OriginTry(None, 101)]),
            ),
            Reference(direct_passed=True),
            Cause.ORIGIN_REJECTED,
            "the proxy (ws://h/ws) refused with HTTP 403 when sent the origin http://page, and accepted when "
            "sent no origin",
            "add http://page to the application's allowed origins, with scheme and port",
            id="origin",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(403), follow_up=FollowUp([OriginTry("http://h", 101)])),
            Reference(),
            Cause.ORIGIN_REJECTED,
            "the proxy (ws://h/ws) refused with HTTP 403 when sent no origin, and accepted when sent the "
            "origin http://h",
            "give the endpoint the origin of the page, as a browser sends it",
            id="no-origin",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(400), follow_up=FollowUp([OriginTry(None, 400)])),
            Reference(),
            Cause.BAD_REQUEST,
            "the proxy (ws://h/ws) answered HTTP 400: the server refuses this handshake",
            None,
            id="origin-makes-no-difference",
        ),
        pytest.param(
            seen("direct", fault=Fault.HTTP_ANSWER, answer=answer(401, WWW_Authenticate='Basic realm="x"')),
            Reference(),
            Cause.AUTHENTICATION_REQUIRED,
            'the backend (ws://h/ws) refused with HTTP 401 (Basic realm="x"): it requires a login or a token;'
            " what is proven: name, network and TLS work up to the server that answered",
            "give the token with secret_query or secret_headers; the application's log tells why it refuses",
            id="401-with-realm",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(407)),
            Reference(direct_passed=True),
            Cause.AUTHENTICATION_REQUIRED,
            "the proxy (ws://h/ws) refused with HTTP 407: it requires a login or a token; what is proven: "
            "name, network and TLS work up to the server that answered",
            "give the token with secret_query or secret_headers; the application's log tells why it refuses",
            id="407",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(401, NGINX)),
            Reference(direct_passed=True),
            Cause.AUTHENTICATION_REQUIRED,
            "the proxy (ws://h/ws) refused with HTTP 401, with a page of the proxy itself: an access rule of "
            "the proxy (auth_basic, auth_request, allow/deny, access list) covers this path",
            "exclude the path /ws from the proxy's access rule, or give secret_headers (Authorization)",
            id="401-of-nginx",
        ),
        pytest.param(
            seen(
                fault=Fault.HTTP_ANSWER,
                answer=answer(403),
                follow_up=FollowUp(plain_request=answer(404), unknown_path_status=403),
            ),
            Reference(direct_passed=False, direct_status=403),
            Cause.AUTHENTICATION_REQUIRED,
            "the proxy (ws://h/ws) refused with HTTP 403: it requires a login or a token, or has no WebSocket"
            " on /ws (a path that cannot exist gets the same answer); what is proven: the backend refuses in "
            "the same way when asked directly, so the proxy is not the cause; whether it forwards the upgrade"
            " is not known yet; the same request without an upgrade gets HTTP 404, so the upgrade itself "
            "arrives at the server that refuses",
            "give the token with secret_query or secret_headers, check the path /ws; the application's log "
            "tells why it refuses",
            id="403-as-direct",
        ),
        pytest.param(
            seen(
                fault=Fault.HTTP_ANSWER,
                answer=answer(403),
                follow_up=FollowUp(plain_request=answer(403), unknown_path_status=403),
            ),
            Reference(direct_passed=True),
            Cause.AUTHENTICATION_REQUIRED,
            "the proxy (ws://h/ws) refused with HTTP 403: it requires a login or a token; what is proven: "
            "name, network and TLS work up to the server that answered",
            "give the token with secret_query or secret_headers; the application's log tells why it refuses",
            id="403-with-other-credentials",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(403)),
            Reference(direct_passed=True, same_credentials=True),
            Cause.REFUSED_BEHIND_PROXY,
            "the proxy (ws://h/ws) answered HTTP 403, although the backend accepts the upgrade when asked "
            "directly with the same headers and query: the proxy sends another path or another Host, or a "
            "filter is in between",
            "compare proxy_pass in the location of /ws with the path (a URI in it, even a slash, replaces the"
            " location's prefix) and forward Host; the application's log shows the path that arrives",
            id="403-with-the-same-credentials",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(403, NGINX)),
            Reference(direct_passed=True),
            Cause.DENIED_BY_PROXY,
            "the proxy (ws://h/ws) answered HTTP 403 with a page of the proxy itself, so nothing behind it was asked: "
            "an access rule covers /ws (allow/deny, auth_request, a condition on a header such as Origin), or its "
            "location serves files instead of the WebSocket",
            "find the rule in the location of /ws or above it; the proxy's error log says 'access forbidden by rule' "
            "for allow/deny, 'directory index' for files; give secret_headers if the rule asks for a login",
            id="403-of-nginx",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(403, NGINX)),
            Reference(),
            Cause.DENIED_BY_PROXY,
            "the proxy (ws://h/ws) answered HTTP 403 with a page of the proxy itself, so nothing behind it was asked: "
            "an access rule covers /ws (allow/deny, auth_request, a condition on a header such as Origin), or its "
            "location serves files instead of the WebSocket",
            "find the rule in the location of /ws or above it; the proxy's error log says 'access forbidden by rule' "
            "for allow/deny, 'directory index' for files; give secret_headers if the rule asks for a login",
            id="403-of-nginx-without-direct",
        ),
        pytest.param(
            seen("direct", fault=Fault.HTTP_ANSWER, answer=answer(404), follow_up=FollowUp(plain_request=answer(404))),
            Reference(),
            Cause.PATH_NOT_FOUND,
            "the backend (ws://h/ws) answered HTTP 404: there is no WebSocket on /ws (the same request "
            "without an upgrade gets the same status)",
            "correct the path /ws; if it is right and the backend is uvicorn, install a WebSocket library for"
            " it: pip install 'uvicorn[standard]'",
            id="404-of-the-backend",
        ),
        pytest.param(
            seen("direct", fault=Fault.HTTP_ANSWER, answer=answer(404), follow_up=FollowUp(plain_request=answer(200))),
            Reference(),
            Cause.PATH_NOT_FOUND,
            "the backend (ws://h/ws) answered HTTP 404: there is no WebSocket on /ws",
            "correct the path /ws; if it is right and the backend is uvicorn, install a WebSocket library for"
            " it: pip install 'uvicorn[standard]'",
            id="404-of-the-backend-alone",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(404)),
            Reference(),
            Cause.PATH_NOT_FOUND,
            "the proxy (ws://h/ws) answered HTTP 404: either the path /ws is wrong or the proxy drops the "
            "upgrade; no direct endpoint was checked that would tell which",
            "add the backend as an endpoint with vantage direct, and check the path",
            id="404-without-direct",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(404)),
            Reference(direct_passed=False, direct_status=404),
            Cause.PATH_NOT_FOUND,
            "the proxy (ws://h/ws) answered HTTP 404, and the backend has no WebSocket on its own path either",
            None,
            id="404-everywhere",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(404, NGINX)),
            Reference(direct_passed=True),
            Cause.NOT_ROUTED_BY_PROXY,
            "the proxy (ws://h/ws) answered HTTP 404, although the backend accepts the upgrade when asked "
            "directly; the page is one of the proxy itself, so no location routes /ws to the backend (or the "
            "proxy hides the backend's error page)",
            "add a location for /ws with proxy_pass to the server block of h; check server_name and which "
            "server block is the default",
            id="404-of-nginx",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(404, "x")),
            Reference(direct_passed=True, direct_plain=answer(404, "y")),
            Cause.REFUSED_BEHIND_PROXY,
            "the proxy (ws://h/ws) answered HTTP 404, although the backend accepts the upgrade when asked directly, in "
            "its own words 'x'; the backend gives another page to a request without an upgrade: "
            "whether the proxy loses the upgrade, changes the path or asks another server is not proven",
            UNPROVEN_REMEDY,
            id="404-direct-passed",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(404, "x")),
            Reference(direct_passed=True, direct_plain=answer(404, "x").page),
            Cause.UPGRADE_NOT_FORWARDED,
            "the proxy drops the upgrade: the proxy (ws://h/ws) answered HTTP 404, although the backend "
            "accepts the upgrade when asked directly; it is the page that the backend gives to a request "
            "without an upgrade",
            UPGRADE_REMEDY,
            id="404-the-same-page",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(418, "x")),
            Reference(direct_passed=True, direct_plain=answer(418, "x").page),
            Cause.UPGRADE_NOT_FORWARDED,
            "the proxy drops the upgrade: the proxy (ws://h/ws) answered HTTP 418, although the backend "
            "accepts the upgrade when asked directly; it is the page that the backend gives to a request "
            "without an upgrade",
            UPGRADE_REMEDY,
            id="418-the-same-page",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(418, "x")),
            Reference(direct_passed=True, direct_plain=answer(404, "x").page),
            Cause.REFUSED_BEHIND_PROXY,
            "the proxy (ws://h/ws) answered HTTP 418, although the backend accepts the upgrade when asked directly, in "
            "its own words 'x'; the backend gives another page to a request without an upgrade: "
            "whether the proxy loses the upgrade, changes the path or asks another server is not proven",
            UNPROVEN_REMEDY,
            id="418-another-page",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(426, "Upgrade Required")),
            Reference(),
            Cause.UPGRADE_NOT_FORWARDED,
            "the proxy (ws://h/ws) answered HTTP 426: the backend did not receive the upgrade that the check had sent",
            UPGRADE_REMEDY,
            id="426-without-direct",
        ),
        pytest.param(
            seen("direct", fault=Fault.HTTP_ANSWER, answer=answer(426)),
            Reference(direct_passed=True),
            Cause.BAD_REQUEST,
            "the backend (ws://h/ws) answered HTTP 426: the server refuses this handshake",
            None,
            id="426-of-the-backend",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(505)),
            Reference(),
            Cause.UPGRADE_NOT_FORWARDED,
            "the proxy (ws://h/ws) answered HTTP 505: the backend was asked in another HTTP version than the "
            "1.1 of the check",
            UPGRADE_REMEDY,
            id="505-without-direct",
        ),
        pytest.param(
            seen("direct", fault=Fault.HTTP_ANSWER, answer=answer(505)),
            Reference(),
            Cause.SERVER_ERROR,
            "the backend (ws://h/ws) answered HTTP 505: the application failed while it handled the handshake",
            None,
            id="505-of-the-backend",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(404, version="1.0")),
            Reference(direct_passed=True),
            Cause.HTTP_1_0_ANSWER,
            "the proxy (ws://h/ws) answered HTTP 404 in HTTP/1.0, which has no upgrade",
            None,
            id="http-1.0",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(500)),
            Reference(),
            Cause.SERVER_ERROR,
            "the proxy (ws://h/ws) answered HTTP 500: the application failed while it handled the handshake",
            None,
            id="500",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(599)),
            Reference(direct_passed=True),
            Cause.SERVER_ERROR,
            "the proxy (ws://h/ws) answered HTTP 599, although the backend accepts the upgrade when asked "
            "directly: the proxy or the application failed on this request",
            None,
            id="500-direct-passed",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(500, NGINX)),
            Reference(direct_passed=True),
            Cause.SERVER_ERROR,
            "the proxy (ws://h/ws) answered HTTP 500, although the backend accepts the upgrade when asked directly; "
            "the page is one of the proxy itself, so it failed before it had an answer of the backend: the server that "
            "auth_request asks answers neither 2xx, 401 nor 403, a rewrite goes in circles, or a limit of the proxy is "
            "reached",
            "read the proxy's error log, which names it ('auth request unexpected status', 'rewrite or internal "
            "redirection cycle', 'worker_connections are not enough')",
            id="500-of-nginx",
        ),
        pytest.param(
            seen("public", fault=Fault.HTTP_ANSWER, answer=answer(403, "by administrative rules", Server="edge")),
            Reference(direct_passed=True, proxied_passed=True, proxy_passed=True, same_credentials=True),
            Cause.DENIED_BY_PROXY,
            "the public address (ws://h/ws) answered HTTP 403 by what names itself Server: edge, and the proxy accepts "
            "the same handshake at its own address, so the cause is in front of it: a rule refuses the handshake there "
            "(by address, path or origin, or because it is an upgrade)",
            "at the machine in front of the proxy: look for a rule that covers /ws; its log names it",
            id="403-in-front",
        ),
        pytest.param(
            seen(
                fault=Fault.HTTP_ANSWER,
                origin="http://a",
                answer=answer(403, NGINX),
                follow_up=FollowUp(other_origins=[OriginTry(None, 101)]),
            ),
            Reference(direct_passed=True),
            Cause.ORIGIN_REJECTED,
            "the proxy (ws://h/ws) refused with HTTP 403 when sent the origin http://a, and accepted when sent no "
            "origin",
            "add http://a to the condition on $http_origin in the proxy, with scheme and port",
            id="403-of-nginx-for-an-origin",
        ),
        pytest.param(
            seen("direct", fault=Fault.HTTP_ANSWER, answer=answer(200, Content_Type="text/html; charset=utf-8")),
            Reference(),
            Cause.NOT_A_WEBSOCKET,
            "the backend (ws://h/ws) answered HTTP 200 with text/html instead of an upgrade: there is no "
            "WebSocket on this path",
            None,
            id="200",
        ),
        pytest.param(
            seen("direct", fault=Fault.HTTP_ANSWER, answer=answer(204)),
            Reference(),
            Cause.NOT_A_WEBSOCKET,
            "the backend (ws://h/ws) answered HTTP 204 instead of an upgrade: there is no WebSocket on this path",
            None,
            id="204-without-type",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(299)),
            Reference(direct_passed=True),
            Cause.NOT_A_WEBSOCKET,
            "the proxy (ws://h/ws) answered HTTP 299, although the backend accepts the upgrade when asked "
            "directly: another service answers on /ws, such as the frontend or a default site",
            "add a location for /ws that routes to the backend, before the one that matches every path",
            id="200-direct-passed",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(418)),
            Reference(),
            Cause.UNEXPECTED_STATUS,
            "the proxy (ws://h/ws) answered HTTP 418, which tells nothing about WebSockets",
            None,
            id="418",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(426)),
            Reference(),
            Cause.BAD_REQUEST,
            "the proxy (ws://h/ws) answered HTTP 426: the server refuses this handshake",
            None,
            id="426-that-shows-nothing",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(400, 'Can "Upgrade" only to "WebSocket".')),
            Reference(direct_passed=True),
            Cause.UPGRADE_NOT_FORWARDED,
            "the proxy drops the upgrade: the proxy (ws://h/ws) answered HTTP 400, although the backend accepts the "
            'upgrade when asked directly; the backend says that it did not receive the upgrade (\'Can "Upgrade" only '
            'to "WebSocket".\')',
            UPGRADE_REMEDY,
            id="400-in-words",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(426, "old", Sec_WebSocket_Version="13")),
            Reference(direct_passed=True),
            Cause.HANDSHAKE_HEADER_LOST,
            "the proxy (ws://h/ws) answered HTTP 426, although the backend accepts the upgrade when asked directly; it "
            "says that Sec-WebSocket-Version is missing or wrong, and the check sent it: the proxy removes or changes "
            "that header",
            "remove the lines that set or clear Sec-WebSocket-Version in the location of /ws (proxy_set_header "
            "Sec-WebSocket-Version)",
            id="426-about-the-version",
        ),
        pytest.param(
            seen(secure=True, fault=Fault.HTTP_ANSWER, answer=answer(301, Location="http://h/ws")),
            Reference(),
            Cause.REDIRECTED,
            "the proxy (wss://h/ws) answered HTTP 301 and redirects to http://h/ws: TLS is redirected to plain HTTP; "
            "for a WebSocket, browsers do not follow redirects",
            "remove that redirect; the machine that makes it does not know that the client uses TLS "
            "(X-Forwarded-Proto)",
            id="redirect-to-plain-from-tls",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(403, NGINX)),
            Reference(proxied_passed=True),
            Cause.DENIED_BY_ADDRESS,
            "the proxy (ws://h/ws) answered HTTP 403 with a page of the proxy itself, and accepts the same handshake "
            "from another place: an access rule (allow/deny) admits that address and not this one",
            "add the address from which this check comes to the rule that covers /ws, or leave this vantage point out "
            "if nobody needs it",
            id="403-by-address",
        ),
        pytest.param(
            seen(fault=Fault.HTTP_ANSWER, answer=answer(405)),
            Reference(),
            Cause.BAD_REQUEST,
            "the proxy (ws://h/ws) answered HTTP 405: the server refuses this handshake",
            None,
            id="405",
        ),
        pytest.param(
            seen("direct", "sse", fault=Fault.HTTP_ANSWER, answer=answer(404)),
            Reference(),
            Cause.PATH_NOT_FOUND,
            "the backend (http://h/ws) answered HTTP 404: there is no event stream on /ws",
            "correct the path /ws",
            id="stream-404",
        ),
        pytest.param(
            seen("proxy", "sse", fault=Fault.HTTP_ANSWER, answer=answer(404)),
            Reference(direct_passed=True),
            Cause.NOT_ROUTED_BY_PROXY,
            "the proxy (http://h/ws) answered HTTP 404, although the backend serves the event stream when "
            "asked directly",
            "add a location for /ws with proxy_pass to the server block of h",
            id="stream-404-direct-passed",
        ),
        pytest.param(
            seen("direct", "sse", fault=Fault.HTTP_ANSWER, answer=answer(403)),
            Reference(),
            Cause.AUTHENTICATION_REQUIRED,
            "the backend (http://h/ws) refused with HTTP 403: it requires a login or a token; what is proven:"
            " name, network and TLS work up to the server that answered",
            "give the token with secret_query or secret_headers; the application's log tells why it refuses",
            id="stream-403",
        ),
        pytest.param(
            seen("public", "sse", fault=Fault.HTTP_ANSWER, answer=answer(401)),
            Reference(direct_passed=True),
            Cause.AUTHENTICATION_REQUIRED,
            "the public address (http://h/ws) refused with HTTP 401: it requires a login or a token; what is "
            "proven: name, network and TLS work up to the server that answered",
            "give the token with secret_query or secret_headers; the application's log tells why it refuses",
            id="stream-401",
        ),
    ],
)
def test_an_answer_has_one_meaning_at_its_vantage_point(
    observation: Observation, reference: Reference, cause: Cause, explanation: str, remedy: str | None
) -> None:
    assert observation.fault is not None
    judgement = JUDGES[observation.fault](observation, reference)
    assert (judgement.cause, judgement.explanation, judgement.remedy) == (cause, explanation, remedy)
