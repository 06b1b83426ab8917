# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The causes that the check can name, each with its symptom, its reason and its remedy (pure).

``docs/diagnosis.md`` is generated from this table.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Cause(enum.Enum):
    """Every value of ``cause`` in a result."""

    NONE = "none"
    NOT_CHECKED = "not_checked"
    NAME_NOT_RESOLVED = "name_not_resolved"
    BACKEND_DOWN = "backend_down"
    WRONG_DIRECT_ADDRESS = "wrong_direct_address"
    PROXY_DOWN = "proxy_down"
    CONNECT_TIMED_OUT = "connect_timed_out"
    NETWORK_UNREACHABLE = "network_unreachable"
    LOCAL_LIMIT_REACHED = "local_limit_reached"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_NAME_MISMATCH = "tls_name_mismatch"
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_CHAIN_INVALID = "tls_chain_invalid"
    TLS_NAME_NOT_SERVED = "tls_name_not_served"
    TLS_VERSION_NOT_SUPPORTED = "tls_version_not_supported"
    TLS_CLIENT_CERTIFICATE_REQUIRED = "tls_client_certificate_required"
    TLS_FAILED = "tls_failed"
    TLS_EXPECTED = "tls_expected"
    PLAIN_EXPECTED = "plain_expected"
    REDIRECTED = "redirected"
    LOGIN_PAGE_IN_FRONT = "login_page_in_front"
    DENIED_BY_ADDRESS = "denied_by_address"
    DENIED_BY_PROXY = "denied_by_proxy"
    FILTERED = "filtered"
    REQUEST_TOO_LARGE = "request_too_large"
    PROXY_PROTOCOL_MISMATCH = "proxy_protocol_mismatch"
    HANDSHAKE_HEADER_LOST = "handshake_header_lost"
    UPGRADE_NOT_FORWARDED = "upgrade_not_forwarded"
    NOT_ROUTED_BY_PROXY = "not_routed_by_proxy"
    NOT_ROUTED_TO_PROXY = "not_routed_to_proxy"
    REFUSED_BEHIND_PROXY = "refused_behind_proxy"
    BAD_GATEWAY = "bad_gateway"
    GATEWAY_TIMEOUT = "gateway_timeout"
    UNAVAILABLE_OR_LIMITED = "unavailable_or_limited"
    AUTHENTICATION_REQUIRED = "authentication_required"
    ORIGIN_REJECTED = "origin_rejected"
    PATH_NOT_FOUND = "path_not_found"
    BAD_REQUEST = "bad_request"
    SERVER_ERROR = "server_error"
    NOT_A_WEBSOCKET = "not_a_websocket"
    UNEXPECTED_STATUS = "unexpected_status"
    HANDSHAKE_FORM_REFUSED = "handshake_form_refused"
    SOME_HANDSHAKES_REFUSED = "some_handshakes_refused"
    SOME_ADDRESSES_FAIL = "some_addresses_fail"
    ACCEPT_KEY_WRONG = "accept_key_wrong"
    UPGRADE_ANSWER_INVALID = "upgrade_answer_invalid"
    SUBPROTOCOL_REFUSED = "subprotocol_refused"
    HTTP_1_0_ANSWER = "http_1_0_answer"
    HANDSHAKE_STALLED = "handshake_stalled"
    CLOSED_IN_HANDSHAKE = "closed_in_handshake"
    NOT_HTTP = "not_http"
    NO_REPLY = "no_reply"
    UNEXPECTED_REPLY = "unexpected_reply"
    OPENED_BUT_MUTE = "opened_but_mute"
    CUT_WHILE_IDLE = "cut_while_idle"
    IDLE_TIMEOUT_TOO_SHORT = "idle_timeout_too_short"
    CUT_WITHOUT_CLOSE = "cut_without_close"
    DEAD_AFTER_SILENCE = "dead_after_silence"
    CLOSED_BY_SERVER = "closed_by_server"
    MESSAGE_TOO_BIG = "message_too_big"
    PROTOCOL_VIOLATION = "protocol_violation"
    COMPRESSION_BROKEN = "compression_broken"
    NOT_AN_EVENT_STREAM = "not_an_event_stream"
    NO_EVENT = "no_event"
    EVENTS_BUFFERED = "events_buffered"
    STREAM_ENDED = "stream_ended"
    DEADLINE_REACHED = "deadline_reached"
    # What only a browser sees.
    PAGE_FAILED = "page_failed"
    PAGE_REDIRECTED = "page_redirected"
    MIXED_CONTENT = "mixed_content"
    CSP_BLOCKED = "csp_blocked"
    STALE_BUNDLE = "stale_bundle"
    SERVICE_WORKER_STALE = "service_worker_stale"
    ASSET_FAILED = "asset_failed"
    NO_WEBSOCKET_OPENED = "no_websocket_opened"
    HANDSHAKE_REFUSED = "handshake_refused"
    CLOSED_AFTER = "closed_after"
    NO_FRAMES = "no_frames"
    CONSOLE_TEXT_MISSING = "console_text_missing"
    CONSOLE_ERROR = "console_error"


@dataclass(frozen=True)
class CatalogueEntry:
    """One row of the catalogue."""

    symptom: str
    reason: str
    remedy: str


CATALOGUE: dict[Cause, CatalogueEntry] = {
    Cause.NONE: CatalogueEntry(
        "Every endpoint passed.",
        "The check found no fault. `proves` says what the hold proves about idle timeouts.",
        "None is needed.",
    ),
    Cause.NOT_CHECKED: CatalogueEntry(
        "The module fails before the first connection; `results` is empty.",
        "An option cannot be used, a certificate file cannot be read, or the Python library `websockets` is missing.",
        "Correct the option or install the library that the message names. Nothing is proven until then.",
    ),
    Cause.NAME_NOT_RESOLVED: CatalogueEntry(
        "The resolver has no address for the host name, or does not answer in time.",
        "A typing error, a missing DNS record, or a name that exists only in another network.",
        "Add the record (or a line in `/etc/hosts`) on the machine that runs the check, or give the address with "
        "`connect_to`.",
    ),
    Cause.BACKEND_DOWN: CatalogueEntry(
        "The direct connection is refused.",
        "No process listens on this address and port: it was not started, has crashed, or listens elsewhere.",
        "Check the process and its log (`pm2 status`, `pm2 logs`), then the port on which it listens (`ss -ltn`).",
    ),
    Cause.WRONG_DIRECT_ADDRESS: CatalogueEntry(
        "The direct connection is refused, but the same application answers through the proxy.",
        "The backend runs, but listens on another address or port than the direct URL has.",
        "Correct host and port of the direct endpoint; `proxy_pass` in the proxy's configuration has the right ones.",
    ),
    Cause.PROXY_DOWN: CatalogueEntry(
        "The connection to the proxy or to the public address is refused.",
        "The proxy is stopped, does not listen on this port, or a firewall rejects the connection.",
        "Start the proxy (`nginx -t`, then `systemctl start nginx`); check its `listen` lines and the firewall.",
    ),
    Cause.CONNECT_TIMED_OUT: CatalogueEntry(
        "The first packet is not answered.",
        "A firewall drops packets, the address is wrong, or the host is off.",
        "Open the port in the firewall or security group; check the address and the port forwarding.",
    ),
    Cause.NETWORK_UNREACHABLE: CatalogueEntry(
        "The operating system reports that the address cannot be reached.",
        "There is no route, an interface is down, or IPv6 is used where there is none.",
        "Check the address and the routes (`ip route get ADDRESS`) on the machine that runs the check.",
    ),
    Cause.LOCAL_LIMIT_REACHED: CatalogueEntry(
        "The machine that runs the check cannot open another socket.",
        "Its limit of open files, of memory or of local ports is reached.",
        "Raise the limit (`ulimit -n`) on that machine, or reduce `connections`.",
    ),
    Cause.TLS_UNTRUSTED: CatalogueEntry(
        "The certificate was not issued by an authority that is trusted here.",
        "It is self-signed, comes from a private authority, or the server does not send an intermediate certificate; "
        "the explanation names the issuer that is missing.",
        "Send the full chain (`fullchain.pem`), or give the private authority with `ca_path`.",
    ),
    Cause.TLS_NAME_MISMATCH: CatalogueEntry(
        "The certificate is valid for other names.",
        "Another virtual host answers, or the certificate was ordered without this name.",
        "Order a certificate with this name, or correct `server_name` so that the right host answers.",
    ),
    Cause.TLS_EXPIRED: CatalogueEntry(
        "The validity of the certificate has ended.",
        "The renewal failed, or the proxy was not reloaded after it. Rarely, the clock of the machine that runs "
        "the check is wrong.",
        "Renew the certificate (`certbot renew`) and reload the proxy.",
    ),
    Cause.TLS_NOT_YET_VALID: CatalogueEntry(
        "The validity of the certificate begins later.",
        "The clock of the machine that runs the check, or of the one that issued the certificate, is wrong.",
        "Set the clock (`timedatectl`), or wait until the validity begins.",
    ),
    Cause.TLS_CHAIN_INVALID: CatalogueEntry(
        "The server's own certificate is valid, and one above it in the chain is not.",
        "An intermediate certificate that the server sends, or the authority that ends the chain, has expired.",
        "Replace the intermediate certificate in the file that the server sends; renewing the server's own does not "
        "help.",
    ),
    Cause.TLS_NAME_NOT_SERVED: CatalogueEntry(
        "The server ends the TLS handshake with the alert `unrecognized_name`.",
        "No `server` block with TLS has this name, and the default one refuses (`ssl_reject_handshake on`).",
        "Add the name to the `server_name` of a block with `listen ... ssl` and a certificate for it.",
    ),
    Cause.TLS_VERSION_NOT_SUPPORTED: CatalogueEntry(
        "Server and client have no TLS version in common.",
        "The server allows old versions only (`ssl_protocols TLSv1.1`), which browsers refuse too.",
        "Set `ssl_protocols TLSv1.2 TLSv1.3`.",
    ),
    Cause.TLS_CLIENT_CERTIFICATE_REQUIRED: CatalogueEntry(
        "The server ends the connection and requires a client certificate.",
        "Mutual TLS is switched on (`ssl_verify_client`).",
        "Give `client_cert` and `client_key`; browsers need a certificate too.",
    ),
    Cause.TLS_FAILED: CatalogueEntry(
        "The TLS handshake ends with an error or not at all, and the port does not answer plain HTTP either.",
        "No common cipher, a broken TLS configuration, a client certificate that a TLS 1.2 server requires, or no TLS "
        "server on this port.",
        "Read the log of the server on this port; compare its ciphers and certificate.",
    ),
    Cause.TLS_EXPECTED: CatalogueEntry(
        "The check asked without TLS, and the port requires TLS.",
        "The URL has `ws://` (or `http://`) where the port needs `wss://` (or `https://`).",
        "Use the URL with TLS, and build the page with it too.",
    ),
    Cause.PLAIN_EXPECTED: CatalogueEntry(
        "The check asked for TLS, and the port answers plain HTTP.",
        "The URL has `wss://` where the port has no TLS, often the backend's own port.",
        "Use the port on which the proxy offers TLS, or let it offer TLS on this one; the backend's own port is asked "
        "with `ws://`.",
    ),
    Cause.REDIRECTED: CatalogueEntry(
        "The answer is a redirect; browsers do not follow one for a WebSocket.",
        "HTTP is redirected to HTTPS, the host to another name, or the path to one with a slash. A redirect to "
        "the very URL that was asked for: TLS ends at a machine in front, and a proxy behind it says http "
        "(`X-Forwarded-Proto`).",
        "Use the URL of the redirect if it has the same path; from http to https that means `wss://`. If it is the URL "
        "that was asked for, pass `X-Forwarded-Proto` on instead of `$scheme`.",
    ),
    Cause.LOGIN_PAGE_IN_FRONT: CatalogueEntry(
        "The answer redirects to a login: another host, or a URL with a parameter to return to.",
        "A single sign-on (oauth2-proxy, Authelia, `auth_request`) covers the path of the WebSocket.",
        "Exclude the path from the login, or give the cookie of a session with `secret_headers`.",
    ),
    Cause.DENIED_BY_ADDRESS: CatalogueEntry(
        "403 with a page of the proxy itself, while the same handshake passes from another address.",
        "A rule of the proxy (`allow`, `deny`, an access list) admits some addresses only.",
        "Add the address to the rule.",
    ),
    Cause.DENIED_BY_PROXY: CatalogueEntry(
        "403 with a page of the proxy itself.",
        "An access rule (`allow`/`deny`, `auth_request`, a condition on `Origin`), or a location that serves files; at "
        "the public address, a rule of a machine in front.",
        "Find the rule in the location or above it; the proxy's error log names it.",
    ),
    Cause.FILTERED: CatalogueEntry(
        "The page of a firewall or of a content delivery network, such as a challenge.",
        "It takes the request for an attack or for a robot.",
        "Make an exception for the path there.",
    ),
    Cause.REQUEST_TOO_LARGE: CatalogueEntry(
        "414, 431, or 400 with `Request Header Or Cookie Too Large`.",
        "The cookies or the URL are larger than the buffers for headers.",
        "Send fewer cookies, or raise `large_client_header_buffers`.",
    ),
    Cause.PROXY_PROTOCOL_MISMATCH: CatalogueEntry(
        "The port closes an ordinary connection and answers after a line of the PROXY protocol.",
        "A `listen ... proxy_protocol` where a client connects without a load balancer in between.",
        "Remove `proxy_protocol` from the `listen` line, or ask the load balancer.",
    ),
    Cause.HANDSHAKE_HEADER_LOST: CatalogueEntry(
        "The backend misses `Sec-WebSocket-Key` or `Sec-WebSocket-Version`, while direct works.",
        "The proxy removes or changes these headers.",
        "Remove the lines that set them; a proxy forwards them by itself.",
    ),
    Cause.UPGRADE_NOT_FORWARDED: CatalogueEntry(
        "Direct works; through the proxy comes the page that the application gives to an ordinary request (404 with "
        "FastAPI), 426, 505, or 400 with words about the upgrade.",
        "The proxy does not forward Upgrade and Connection, or speaks HTTP/1.0 to the backend. A location that "
        "sets headers of its own does not inherit those of the server level.",
        "Set `proxy_http_version 1.1`, `proxy_set_header Upgrade $http_upgrade` and `proxy_set_header Connection "
        "$connection_upgrade` in the location itself; in Nginx Proxy Manager switch on Websockets Support.",
    ),
    Cause.NOT_ROUTED_BY_PROXY: CatalogueEntry(
        "404, 403 or 405 with a page of the proxy itself, while direct works.",
        "No location of the server that answered routes this path to the backend; often another `server` answers.",
        "Add the location to the server block of this name; check `server_name` and which block is the default.",
    ),
    Cause.NOT_ROUTED_TO_PROXY: CatalogueEntry(
        "A refusal at the public address, while the proxy accepts the same handshake at its own.",
        "The machine in front of the proxy answers by itself or forwards to another server; or the name leads to "
        "another machine.",
        "Compare where the public name leads, and where that machine forwards to, with the proxy.",
    ),
    Cause.REFUSED_BEHIND_PROXY: CatalogueEntry(
        "403 or another refusal through the proxy, while direct works with the same headers, query and origin.",
        "The proxy sends another path (FastAPI answers 403 to an upgrade on an unknown path) or another Host, asks "
        "another server, or a filter is in between. What is not proven is said to be so.",
        "Compare `proxy_pass` with the path: a URI in it, even a slash, replaces the location's prefix. Forward "
        "`Host`; the application's log shows the path that arrives.",
    ),
    Cause.BAD_GATEWAY: CatalogueEntry(
        "502.",
        "The proxy cannot connect to the backend, or gets no HTTP answer from it: wrong port or scheme, the "
        "backend crashed, or it drops HTTP/1.0 without an answer (as `websockets` 15 and 16 do).",
        "Compare `proxy_pass` with the address on which the backend listens, as the proxy sees it; set "
        "`proxy_http_version 1.1`; read the proxy's error log.",
    ),
    Cause.GATEWAY_TIMEOUT: CatalogueEntry(
        "504.",
        "The proxy reached no backend in time, or the backend did not answer the handshake in time.",
        "Check the backend's load and address, and for a firewall between proxy and backend that drops packets.",
    ),
    Cause.UNAVAILABLE_OR_LIMITED: CatalogueEntry(
        "503 or 429; or with `connections`, some are accepted and the others closed, refused or not answered.",
        "A limit of connections or requests (`limit_conn`, `limit_req`), maintenance, or no upstream left.",
        "Raise the limit (`limit_conn`, `worker_connections`: two for each WebSocket, open files), which the proxy's "
        "error log names; end the maintenance (`return 503`); check that an upstream runs.",
    ),
    Cause.AUTHENTICATION_REQUIRED: CatalogueEntry(
        "401 or 407; or 403 before the upgrade, also with another origin.",
        "The application requires a login or a token, or the proxy has a password or an access list on this path. "
        "FastAPI also answers 403 to an upgrade on an unknown path; then the explanation says so.",
        "Give `secret_headers` or `secret_query`; or exclude the path from the access rule; or correct the path.",
    ),
    Cause.ORIGIN_REJECTED: CatalogueEntry(
        "Refused with this Origin, accepted with another one or none.",
        "The application has a list of allowed origins, and the page's is not in it.",
        "Add the page's origin, with scheme and port, to the application's allowed origins.",
    ),
    Cause.PATH_NOT_FOUND: CatalogueEntry(
        "404, on the direct connection too (or no direct endpoint was checked).",
        "The path is wrong, or the server has no WebSocket support (uvicorn without `websockets` or `wsproto`).",
        "Correct the path; for uvicorn install `uvicorn[standard]`.",
    ),
    Cause.BAD_REQUEST: CatalogueEntry(
        "400 (or 405, 426) where no proxy can be the reason.",
        "The server refuses this handshake: another protocol, another version, or a missing parameter.",
        "The evidence shows the server's own words; check path, subprotocols and required parameters.",
    ),
    Cause.SERVER_ERROR: CatalogueEntry(
        "500, 501 or another 5xx.",
        "The application failed while it handled the handshake; with a page of the proxy itself, the proxy did: "
        "`auth_request` got another answer than 2xx, 401 or 403, or a rewrite goes in circles.",
        "Read the log of the application, or of the proxy, at the time of the check.",
    ),
    Cause.NOT_A_WEBSOCKET: CatalogueEntry(
        "200 and a page, or another success without an upgrade.",
        "Another service answers on this path: the frontend, a catch-all route, a default site.",
        "Correct the path, or the location that should route it to the backend.",
    ),
    Cause.UNEXPECTED_STATUS: CatalogueEntry(
        "A status that tells nothing about WebSockets.",
        "What answers is not a WebSocket server.",
        "Read the evidence; check which server answers on this host and path.",
    ),
    Cause.HANDSHAKE_FORM_REFUSED: CatalogueEntry(
        "The handshake passes as one browser sends it, and is refused as another does.",
        "A rule compares a header with one value, such as `map $http_connection` with `Upgrade`, while Firefox sends "
        "`keep-alive, Upgrade`; or a limit of headers is below a session's cookies.",
        "Decide by `$http_upgrade` alone; raise `large_client_header_buffers`.",
    ),
    Cause.SOME_HANDSHAKES_REFUSED: CatalogueEntry(
        "Of several equal handshakes some are accepted and some refused, also one at a time.",
        "Several servers answer, and not all of them open the WebSocket.",
        "Ask each server of the upstream directly, and take out the one that does not.",
    ),
    Cause.SOME_ADDRESSES_FAIL: CatalogueEntry(
        "The name has several addresses, and the handshake fails at some of them.",
        "The addresses lead to different servers or server blocks: often `listen 80` without `listen [::]:80`, so that "
        "IPv6 reaches the default server.",
        "Let the same server answer at all addresses, or remove the address from the DNS records.",
    ),
    Cause.ACCEPT_KEY_WRONG: CatalogueEntry(
        "101, but `Sec-WebSocket-Accept` is missing or does not match the key.",
        "A cache or a proxy answers with the handshake of another connection, a proxy hides the header, or the server "
        "is broken.",
        "Switch off caching for this path (`proxy_cache off`); search for `proxy_hide_header`; update the server "
        "library.",
    ),
    Cause.UPGRADE_ANSWER_INVALID: CatalogueEntry(
        "101, but without the headers that RFC 6455 requires, or with an extension that was not offered.",
        "A proxy on the way removes or changes headers of the answer.",
        "Search the proxies for `proxy_hide_header` or other rewriting of headers; update the server library.",
    ),
    Cause.SUBPROTOCOL_REFUSED: CatalogueEntry(
        "The server chooses none of the subprotocols that were offered, or another one.",
        "Client and server disagree on the names; browsers close such a connection.",
        "Offer a subprotocol that the server knows, or let the server choose one.",
    ),
    Cause.HTTP_1_0_ANSWER: CatalogueEntry(
        "The answer is HTTP/1.0, which has no upgrade.",
        "An old or simple server or proxy answers.",
        "Serve this path with a server that speaks HTTP/1.1.",
    ),
    Cause.HANDSHAKE_STALLED: CatalogueEntry(
        "Connected, but no complete answer in time.",
        "The application hangs or waits (database, start-up), or a proxy waits for it.",
        "Read the application's log and check its load; raise `handshake_timeout` if it is only slow.",
    ),
    Cause.CLOSED_IN_HANDSHAKE: CatalogueEntry(
        "The connection is closed before the answer is complete.",
        "The process crashed on the request, or a proxy or firewall closes without an answer (`return 444`).",
        "Read the log of the server that answers on this address.",
    ),
    Cause.NOT_HTTP: CatalogueEntry(
        "The first bytes are not HTTP, or the headers do not end.",
        "Another kind of server listens on the port.",
        "Correct the port.",
    ),
    Cause.NO_REPLY: CatalogueEntry(
        "101, and a ping is answered, but the expected message does not come.",
        "The connection works; the application does not answer this message (it hangs, or expects another format).",
        "Compare `send` and `expect` with the application; read its log.",
    ),
    Cause.UNEXPECTED_REPLY: CatalogueEntry(
        "Messages come, but none that matches `expect`.",
        "Another version of the application, an error message, or a wrong expectation.",
        "Compare the messages in the evidence with `expect`.",
    ),
    Cause.OPENED_BUT_MUTE: CatalogueEntry(
        "101, and then no frame passes, not even a pong.",
        "Something on the way answers or inspects the upgrade but does not forward frames.",
        "Search for a security gateway, antivirus or HTTP inspection on the way and exclude the path, or use TLS.",
    ),
    Cause.CUT_WHILE_IDLE: CatalogueEntry(
        "The connection ends without a close frame after a silence.",
        "An idle timeout: the default is 60 s in nginx and 90 s in Nginx Proxy Manager; Cloudflare's limit is 100 s.",
        "Raise `proxy_read_timeout` in the location, or let the application ping more often than that.",
    ),
    Cause.IDLE_TIMEOUT_TOO_SHORT: CatalogueEntry(
        "The connection survives the hold, and the proxy's configuration has a shorter idle timeout than wanted.",
        "The pings of this server hide it; a page or a server that is silent for longer is cut.",
        "Raise `proxy_read_timeout` at the place that the explanation names.",
    ),
    Cause.CUT_WITHOUT_CLOSE: CatalogueEntry(
        "The connection ends without a close frame, and not because of a silence.",
        "The backend process died or was restarted, or the proxy was stopped.",
        "Read the logs of backend and proxy at that time; check for restarts.",
    ),
    Cause.DEAD_AFTER_SILENCE: CatalogueEntry(
        "The connection looks open, but after a silence nothing passes any more.",
        "A firewall or NAT has dropped the connection without telling either side, or the application hangs.",
        "Let the application ping more often than that; raise the firewall's idle limit.",
    ),
    Cause.CLOSED_BY_SERVER: CatalogueEntry(
        "The server sends a close frame; its code tells why.",
        "1001 and 1012: it stops or restarts; 1008: a rule of the application; 1011: an error in it; 4000 and up: "
        "defined by the application.",
        "Look the code up in the application; read its log.",
    ),
    Cause.MESSAGE_TOO_BIG: CatalogueEntry(
        "The server announces a message larger than `max_message_size`, or closes with 1009.",
        "The messages are larger than expected, or the peer is broken.",
        "Raise `max_message_size` if such messages are right.",
    ),
    Cause.PROTOCOL_VIOLATION: CatalogueEntry(
        "Frames that RFC 6455 forbids: reserved bits, masked frames from a server, text that is not UTF-8.",
        "A broken server, or something on the way changes bytes.",
        "Update the server library; search for a proxy that rewrites responses on this path.",
    ),
    Cause.COMPRESSION_BROKEN: CatalogueEntry(
        "Messages break with compression offered, as browsers do, and pass without.",
        "A proxy hides or changes `Sec-WebSocket-Extensions` in one direction, or the server's compression is broken.",
        "Forward `Sec-WebSocket-Extensions` in both directions, or switch compression off in the server.",
    ),
    Cause.NOT_AN_EVENT_STREAM: CatalogueEntry(
        "Success, but the content type is not `text/event-stream`.",
        "Another route answers: the frontend, a catch-all, a login page.",
        "Correct the path, or the location that should route it to the backend.",
    ),
    Cause.NO_EVENT: CatalogueEntry(
        "An event stream on which no event comes in time.",
        "The application sends none, or not so soon.",
        "Let the application send a first event at once; raise `message_timeout` if it is only slow.",
    ),
    Cause.EVENTS_BUFFERED: CatalogueEntry(
        "Direct, events come one by one; through the proxy late, in bursts, or not at all.",
        "The proxy buffers the answer before it forwards it (`proxy_buffering`, compression). nginx does so when "
        "it speaks HTTP/1.0 to the backend, its default before 1.29.7.",
        "Set `proxy_buffering off` and `proxy_http_version 1.1` in the location, or send `X-Accel-Buffering: no`; "
        "no gzip for event streams.",
    ),
    Cause.STREAM_ENDED: CatalogueEntry(
        "The event stream ends while it should be held.",
        "The server ends it, a read timeout of the proxy passed, or the process died.",
        "Raise `proxy_read_timeout` or send comments (`:`) more often; read the backend's log.",
    ),
    Cause.DEADLINE_REACHED: CatalogueEntry(
        "The check did not end within `timeout`.",
        "The time for the whole call is shorter than its phases.",
        "Raise `timeout`, or shorten `hold`.",
    ),
    Cause.PAGE_FAILED: CatalogueEntry(
        "The browser cannot open the page, or the page answers with an error.",
        "The frontend is stopped, or the proxy does not route to it.",
        "Open the page's URL on the host (`curl -I`), then look at the frontend's process and at the proxy.",
    ),
    Cause.PAGE_REDIRECTED: CatalogueEntry(
        "The page leads the browser to another origin.",
        "A login in front of the page, a redirect to another name or to https.",
        "Open the page that it leads to, give the login to the check, or remove the redirect.",
    ),
    Cause.MIXED_CONTENT: CatalogueEntry(
        "A page loaded by https asks for a WebSocket by ws.",
        "Browsers refuse unencrypted connections of encrypted pages.",
        "Build the page with a wss URL, and give that name a certificate.",
    ),
    Cause.CSP_BLOCKED: CatalogueEntry(
        "The browser refuses the connection before it is made.",
        "The page's Content-Security-Policy does not name the WebSocket's origin in connect-src.",
        "Add the WebSocket's origin to connect-src.",
    ),
    Cause.STALE_BUNDLE: CatalogueEntry(
        "The page asks for another WebSocket than the expected one.",
        "The URL is baked in when the page is built; this build has another one.",
        "Build the frontend again with the right URL and restart it; `deploy-staging.yml` does both.",
    ),
    Cause.SERVICE_WORKER_STALE: CatalogueEntry(
        "The page asks for another WebSocket, and its scripts come from a service worker.",
        "A service worker serves the files of an earlier build from its cache.",
        "Let the new build's service worker replace it (a new version of its script), or unregister it in the browser.",
    ),
    Cause.ASSET_FAILED: CatalogueEntry(
        "A script, style sheet or font of the page does not load.",
        "It belongs to another build, or the proxy does not route its path.",
        "Publish the files of the build that is served; compare the URL with the static files' location of the proxy.",
    ),
    Cause.NO_WEBSOCKET_OPENED: CatalogueEntry(
        "The page is there, and opens no WebSocket.",
        "It opens one on another page or after a login only, or its code fails.",
        "Name the page that opens it (`staging_browser_pages`), give a login, or look at the console in the evidence.",
    ),
    Cause.HANDSHAKE_REFUSED: CatalogueEntry(
        "The browser's handshake gets another answer than 101.",
        "What the check sends and what the browser sends differ: cookies, extensions, origin, a login.",
        "If the public vantage point passes, look at cookies, `Sec-WebSocket-Extensions` and the origin.",
    ),
    Cause.CLOSED_AFTER: CatalogueEntry(
        "The WebSocket of the page is closed before the time that it should stay open.",
        "The application or the page's own code closes it, or a proxy cuts it.",
        "If the public vantage point holds for longer, look at what the page sends first and at the backend's log.",
    ),
    Cause.NO_FRAMES: CatalogueEntry(
        "The WebSocket is open, and no message passes in a direction in which one is expected.",
        "The page does not subscribe, or the backend does not answer to it.",
        "Look at what the page sends when it opens the WebSocket, and at the backend's log.",
    ),
    Cause.CONSOLE_TEXT_MISSING: CatalogueEntry(
        "The WebSocket is open, and the console lacks the expected text.",
        "The page's code does not come that far, or its text has changed.",
        "Look at the console lines in the evidence; correct the expected text if the application changed.",
    ),
    Cause.CONSOLE_ERROR: CatalogueEntry(
        "The console shows an error or an exception that nothing caught.",
        "The page's code fails, or something that it asks for.",
        "Look at the error; where it is known and harmless, name it in `staging_browser_ignore_console`.",
    ),
}
