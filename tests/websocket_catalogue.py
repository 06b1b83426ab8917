"""Peers for each cause of websocket_check: at least two that provoke it, and one that looks alike and must not be it.

A row opens its peers and gives the endpoints; the last endpoint is the one that is judged.
"""

from __future__ import annotations

import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import websocket_peers as peers
from free_ports import free_port
from websocket_peers import CLOSE, PING, PONG, TEXT, Authority, Peer, frame, peer

Act = Callable[[Peer], None]
Endpoint = dict[str, Any]
Open = Callable[[ExitStack, Authority], list[Endpoint]]

NGINX = "<html><body><center><h1>{0}</h1></center>{1}<hr><center>nginx</center></body></html>"
JSON = {"Content_Type": "application/json"}
NOT_FOUND = '{"detail":"Not Found"}'
PING_PONG = {"send": {"type": "ping"}, "expect": {"type": "pong"}, "message_timeout": 1}


@dataclass(frozen=True)
class Row:
    """What a peer does, and the cause that it must be called.

    :param instead_of: The cause that it looks like; None where the row provokes ``cause`` for its own sake.
    """

    name: str
    open: Open
    cause: str
    options: dict[str, Any] = field(default_factory=dict)
    instead_of: str | None = None


def endpoint(vantage: str, port: int, path: str = "/ws", **more: Any) -> Endpoint:
    host = "127.0.0.1" if vantage == "direct" else "app.localhost"
    return {"name": vantage, "url": f"ws://{host}:{port}{path}", "vantage": vantage, **more}


def direct(act: Act, **more: Any) -> Open:
    return lambda stack, _: [endpoint("direct", stack.enter_context(peer(act)), **more)]


def proxy(act: Act, backend: Act = peers.healthy, **more: Any) -> Open:
    """A proxy that acts so before a backend that is asked directly too."""
    return lambda stack, _: [
        endpoint("direct", stack.enter_context(peer(backend))),
        endpoint("proxy", stack.enter_context(peer(act)), **more),
    ]


def alone(act: Act, **more: Any) -> Open:
    """A proxy whose backend is not asked directly."""
    return lambda stack, _: [endpoint("proxy", stack.enter_context(peer(act)), **more)]


def front(act: Act, **more: Any) -> Open:
    """What stands before a proxy that works at its own address."""
    return lambda stack, _: [
        endpoint("direct", stack.enter_context(peer(peers.healthy))),
        endpoint("proxy", stack.enter_context(peer(peers.healthy))),
        endpoint("public", stack.enter_context(peer(act)), **more),
    ]


def own(act: Act, *before: tuple[str, Act]) -> Open:
    """A proxy that acts so at its own address, and works at the public one."""
    return lambda stack, _: [
        endpoint(name, stack.enter_context(peer(one)))
        for name, one in [*before, ("public", peers.healthy), ("proxy", act)]
    ]


def at(vantage: str, url: str, *before: tuple[str, Act], **more: Any) -> Open:
    """A URL, after endpoints with peers of their own."""
    return lambda stack, _: [
        *(endpoint(name, stack.enter_context(peer(act))) for name, act in before),
        {"name": f"{vantage}, judged", "vantage": vantage, "url": url, **more},
    ]


def closed(vantage: str, *before: tuple[str, Act], host: str = "127.0.0.1") -> Open:
    """A port on which nothing listens."""
    return lambda stack, authority: at(vantage, f"ws://{host}:{free_port()}/ws", *before)(stack, authority)


def full(vantage: str, host: str) -> Open:
    """A listener whose queue is full: Linux drops the SYN of any further client."""

    def opened(stack: ExitStack, _: Authority) -> list[Endpoint]:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = stack.enter_context(socket.create_server((host, 0), family=family, backlog=0))
        for _number in range(4):
            waiting = stack.enter_context(socket.socket(family))
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        shown = f"[{host}]" if ":" in host else host
        return [{"name": "e", "vantage": vantage, "url": f"ws://{shown}:{listener.getsockname()[1]}/ws"}]

    return opened


def tls(
    make: Callable[[Authority], ssl.SSLContext] | None,
    act: Act = peers.healthy,
    host: str = "app.localhost",
    trusted: bool = True,
) -> Open:
    """A TLS port, or with None a plain one that is asked for TLS."""

    def opened(stack: ExitStack, authority: Authority) -> list[Endpoint]:
        port = stack.enter_context(peer(act, make(authority) if make else None))
        trust = {"ca_path": authority.ca_path} if trusted else {}
        return [{"name": "e", "vantage": "proxy", "url": f"wss://{host}:{port}/ws", **trust}]

    return opened


def certificate(name: str = "app.localhost", **days: int) -> Callable[[Authority], ssl.SSLContext]:
    return lambda authority: authority.server_context(name, **days)


def chain(leaf_days: tuple[int, int], above_days: tuple[int, int], send: bool = True) -> Callable[..., ssl.SSLContext]:
    """A certificate below an intermediate authority, which the server sends too or not."""

    def make(authority: Authority) -> ssl.SSLContext:
        name = f"intermediate {above_days[0]} {above_days[1]} {leaf_days[0]} {leaf_days[1]} {send}"
        above = authority.intermediate(name, *above_days)
        path, key = above.issue("app.localhost", *leaf_days)
        if send:
            with open(path, "ab") as leaf, open(above.ca_path, "rb") as own:
                leaf.write(own.read())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path, key)
        return context

    return make


def hangs_up(connection: Peer) -> None:
    connection.sock.recv(9)


def upgrades(**headers: str) -> Act:
    """Upgrade with these headers, and close."""

    def act(connection: Peer) -> None:
        connection.upgrade(None, **headers)

    return act


def alert(number: int) -> Act:
    """End a TLS handshake with one fatal alert (RFC 8446, section 6)."""

    def act(connection: Peer) -> None:
        connection.sock.recv(4096)
        connection.send(b"\x15\x03\x03\x00\x02\x02" + bytes([number]))

    return act


def no_name(authority: Authority) -> ssl.SSLContext:
    context = authority.server_context("other.example")
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return context


def old_tls(authority: Authority) -> ssl.SSLContext:
    context = authority.server_context("app.localhost")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def with_client_certificate(version: ssl.TLSVersion) -> Callable[[Authority], ssl.SSLContext]:
    def make(authority: Authority) -> ssl.SSLContext:
        context = authority.server_context("app.localhost")
        context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.ca_path)
        return context

    return make


def says(status: int, body: str = "", **headers: str) -> Act:
    return peers.answering(status, body, **headers)


def raw(data: bytes) -> Act:
    def act(connection: Peer) -> None:
        connection.request()
        connection.send(data)

    return act


def after_upgrade(data: bytes, then_s: float | None = None) -> Act:
    def act(connection: Peer) -> None:
        connection.upgrade()
        connection.send(data)
        if then_s is None:
            connection.wait()
        time.sleep(then_s or 0)

    return act


def page_else_upgrade(refused: Callable[[Peer, peers.Request], bool], status: int = 404, body: str = "no") -> Act:
    """Answer the requests that ``refused`` selects, and those without an upgrade, with a page."""

    def act(connection: Peer) -> None:
        request = connection.request()
        if refused(connection, request) or not request.wants_upgrade:
            connection.answer(status, body)
            return
        connection.upgrade(request)
        connection.serve()

    return act


def only_origins(*allowed: str, status: int = 403) -> Act:
    return page_else_upgrade(lambda _, request: request.headers.get("origin", "") not in allowed, status)


def in_turn(*acts: Act) -> Act:
    """Each connection is served by the next one."""
    number = iter(range(1_000_000))
    return lambda connection: acts[next(number) % len(acts)](connection)


def proxy_protocol(connection: Peer) -> None:
    """A listener of a load balancer: without the line of the PROXY protocol it closes."""
    first = connection.sock.recv(16, socket.MSG_PEEK)
    if first.startswith(b"PROXY UNKNOWN"):
        connection.sock.recv(len(b"PROXY UNKNOWN\r\n"))
        peers.healthy(connection)


def plain_port(act: Act) -> Act:
    """An HTTP server that answers 400 to what it cannot read, such as a TLS handshake."""

    def served(connection: Peer) -> None:
        if connection.sock.recv(1, socket.MSG_PEEK) == b"\x16":
            connection.answer(400, "Invalid HTTP request received.")
            return
        act(connection)

    return served


def stalls(connection: Peer) -> None:
    connection.request()
    connection.wait()


def never_reads(_: Peer) -> None:
    time.sleep(3)


def drips(connection: Peer) -> None:
    connection.request()
    for byte in b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n":
        connection.send(bytes([byte]))
        time.sleep(0.1)


def closes(connection: Peer) -> None:
    connection.request()


def endless_head(connection: Peer) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        connection.send(b"X-More: " + b"a" * 4000 + b"\r\n")


def without_reply(connection: Peer) -> None:
    connection.upgrade()
    connection.serve(reply=None)


def replies(*texts: bytes) -> Act:
    """Answer each message with the next text, and those after them not at all."""

    def act(connection: Peer) -> None:
        connection.upgrade()
        left = list(texts)
        while True:
            opcode, payload = connection.read_frame()
            if opcode == TEXT and left:
                connection.frame(TEXT, left.pop(0))
            elif opcode == PING:
                connection.frame(PONG, payload)
            elif opcode == CLOSE:
                connection.frame(CLOSE, payload)
                return

    return act


def chooses(subprotocol: str) -> Act:
    def act(connection: Peer) -> None:
        connection.upgrade(Sec_WebSocket_Protocol=subprotocol)
        connection.serve()

    return act


def mute(connection: Peer) -> None:
    connection.upgrade()
    connection.wait()


def without_pongs(connection: Peer) -> None:
    connection.upgrade()
    connection.serve(answer_pings=False)


def replies_then_dies(connection: Peer) -> None:
    connection.upgrade()
    connection.read_frame()
    connection.frame(TEXT, b'{"type": "pong"}')
    connection.wait()


def cut_after(seconds: float, reopens: bool = True) -> Act:
    """Cut a connection after some time without a byte."""
    first = [True]

    def act(connection: Peer) -> None:
        request = connection.request()
        if not request.wants_upgrade or (not first and not reopens):
            connection.answer(503 if request.wants_upgrade else 404)
            return
        if first:
            first.pop()
        connection.upgrade(request)
        time.sleep(seconds)

    return act


def pinging(connection: Peer) -> None:
    connection.upgrade()
    for _number in range(20):
        connection.frame(PING, b"p")
        opcode, payload = connection.read_frame()
        while opcode == PONG:
            time.sleep(0.1)
            connection.frame(PING, b"p")
            opcode, payload = connection.read_frame()
        if opcode == PING:
            connection.frame(PONG, payload)
        elif opcode == CLOSE:
            connection.frame(CLOSE, payload)
            return


def compressing(agreed: bool, broken: bool = False) -> Act:
    """Compress the replies if the client offers it (RFC 7692), and say so or not."""

    def act(connection: Peer) -> None:
        request = connection.request()
        if not request.wants_upgrade:
            connection.answer(404, NOT_FOUND, **JSON)
            return
        offered = "permessage-deflate" in request.headers.get("sec-websocket-extensions", "")
        extra = {"Sec_WebSocket_Extensions": "permessage-deflate"} if offered and agreed else {}
        connection.upgrade(request, **extra)
        while True:
            opcode, payload = connection.read_frame()
            if opcode == CLOSE:
                connection.frame(CLOSE, payload)
                return
            if opcode == PING:
                connection.frame(PONG, payload)
            elif offered:
                deflate = zlib.compressobj(wbits=-15)
                data = deflate.compress(b'{"type": "pong"}') + deflate.flush(zlib.Z_SYNC_FLUSH)
                connection.frame(TEXT, b"\xff\xff\xff" if broken else data[:-4], rsv=4)
            else:
                connection.frame(TEXT, b'{"type": "pong"}')

    return act


def events(*batches: bytes, every_s: float = 0.25, kind: str = "text/event-stream", end: bytes = b"") -> Act:
    def act(connection: Peer) -> None:
        connection.request()
        coding = "Transfer-Encoding: chunked\r\n" if end else ""
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{coding}\r\n".encode())
        for batch in batches:
            connection.send(b"%x\r\n%s\r\n" % (len(batch), batch) if end else batch)
            time.sleep(every_s)
        connection.send(end)
        if end:
            connection.wait()

    return act


def silent_stream(connection: Peer) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    connection.wait()


ONE_BY_ONE = events(*[b"data: 1\n\n"] * 40)
SSE = {"transport": "sse"}


def stream(act: Act, vantage: str = "direct", backend: Act | None = None) -> Open:
    """An event stream, after the backend's own where that is given."""

    def opened(stack: ExitStack, _: Authority) -> list[Endpoint]:
        given = [("direct", backend)] if backend is not None else []
        return [
            {
                "name": name,
                "vantage": name,
                "transport": "sse",
                "url": f"http://app.localhost:{stack.enter_context(peer(one))}/api/events",
            }
            for name, one in [*given, (vantage, act)]
        ]

    return opened


def _rows() -> Iterator[Row]:
    good = ("proxy", peers.healthy)
    works = ("direct", peers.healthy)
    # Names and connections.
    yield Row("no-such-name", at("public", "wss://no-such-host.invalid/ws"), "name_not_resolved")
    yield Row("name-of-one-label", at("proxy", "ws://no-such-host-anywhere.invalid./ws"), "name_not_resolved")
    yield Row("known-name", closed("public", host="app.localhost"), "proxy_down", instead_of="name_not_resolved")
    yield Row("nothing-listens", closed("direct"), "backend_down")
    yield Row("nothing-listens-ipv6", closed("direct", host="[::1]"), "backend_down")
    yield Row("other-port", closed("direct", good), "wrong_direct_address", instead_of="backend_down")
    yield Row("other-address", closed("direct", good, host="127.0.0.2"), "wrong_direct_address")
    yield Row("both-closed", closed("direct", ("proxy", says(502))), "backend_down", instead_of="wrong_direct_address")
    yield Row("proxy-closed", closed("proxy", works), "proxy_down")
    yield Row("proxy-closed-ipv6", closed("proxy", works, host="[::1]"), "proxy_down")
    yield Row("proxy-alive-backend-not", alone(says(502)), "bad_gateway", instead_of="proxy_down")
    short = {"handshake_timeout": 0.5}
    yield Row("queue-full", full("direct", "127.0.0.1"), "connect_timed_out", short)
    yield Row("queue-full-ipv6", full("public", "::1"), "connect_timed_out", short)
    yield Row("accepts-and-stalls", direct(stalls), "handshake_stalled", short, instead_of="connect_timed_out")
    yield Row("broadcast", at("public", "ws://255.255.255.255:9/ws"), "network_unreachable")
    yield Row("multicast", at("public", "ws://224.0.0.1:9/ws"), "network_unreachable")
    yield Row("closed-port", closed("public"), "proxy_down", instead_of="network_unreachable")
    # TLS.
    yield Row("private-authority", tls(certificate(), trusted=False), "tls_untrusted")
    yield Row("intermediate-not-sent", tls(chain((-1, 30), (-1, 30), send=False)), "tls_untrusted")
    yield Row("other-name", tls(certificate("other.example")), "tls_name_mismatch", instead_of="tls_untrusted")
    yield Row("wildcard-of-another-level", tls(certificate("*.example.com")), "tls_name_mismatch")
    yield Row("name-refused", tls(no_name), "tls_name_not_served", instead_of="tls_name_mismatch")
    yield Row("expired", tls(certificate(first_day=-9, last_day=-2)), "tls_expired")
    yield Row("expired-in-a-chain", tls(chain((-9, -2), (-9, 30))), "tls_expired")
    yield Row("too-early", tls(certificate(first_day=2)), "tls_not_yet_valid")
    yield Row("too-early-in-a-chain", tls(chain((2, 30), (-2, 30))), "tls_not_yet_valid")
    yield Row("above-expired", tls(chain((-1, 30), (-9, -2))), "tls_chain_invalid", instead_of="tls_expired")
    yield Row("above-too-early", tls(chain((-1, 30), (2, 30))), "tls_chain_invalid", instead_of="tls_not_yet_valid")
    yield Row(
        "above-not-sent", tls(chain((-1, 31), (-1, 31), send=False)), "tls_untrusted", instead_of="tls_chain_invalid"
    )
    yield Row("alert-unrecognized-name", tls(None, alert(112)), "tls_name_not_served")
    yield Row("alert-handshake-failure", tls(None, alert(40)), "tls_failed", instead_of="tls_name_not_served")
    yield Row("alert-protocol-version", tls(None, alert(70)), "tls_version_not_supported")
    yield Row("tls-1.1-only", tls(old_tls), "tls_version_not_supported")
    yield Row("alert-insufficient-security", tls(None, alert(71)), "tls_failed", instead_of="tls_version_not_supported")
    yield Row(
        "client-certificate", tls(with_client_certificate(ssl.TLSVersion.TLSv1_3)), "tls_client_certificate_required"
    )
    # OpenSSL says no more than handshake_failure in TLS 1.2.
    yield Row("client-certificate-tls-1.2", tls(with_client_certificate(ssl.TLSVersion.TLSv1_2)), "tls_failed")
    nginx_tls = "The plain HTTP request was sent to HTTPS port"
    yield Row(
        "client-certificate-nginx",
        direct(says(400, NGINX.format(400, "No required SSL certificate was sent"))),
        "tls_client_certificate_required",
    )
    yield Row(
        "plain-400", direct(says(400, "Bad Request")), "bad_request", instead_of="tls_client_certificate_required"
    )
    yield Row("closes-in-the-tls-handshake", tls(None, hangs_up), "tls_failed")
    yield Row("tls-to-a-plain-port", tls(None, plain_port(peers.healthy)), "plain_expected", instead_of="tls_failed")
    yield Row("tls-to-a-plain-page", tls(None, plain_port(says(200, "<html>"))), "plain_expected")
    yield Row("tls-to-what-refuses", tls(None, plain_port(says(400))), "tls_failed", instead_of="plain_expected")

    def plain_to_tls(stack: ExitStack, authority: Authority) -> list[Endpoint]:
        return [endpoint("proxy", stack.enter_context(peer(peers.healthy, authority.server_context("app.localhost"))))]

    yield Row("plain-to-tls", plain_to_tls, "tls_expected", {"handshake_timeout": 2})
    yield Row("plain-to-tls-nginx", proxy(says(400, NGINX.format(400, nginx_tls))), "tls_expected")
    yield Row("400-of-nginx", proxy(says(400, NGINX.format(400, ""))), "bad_request", instead_of="tls_expected")
    # Answers that say what they mean.
    yield Row("to-https", direct(says(301, Location="https://app.example/ws")), "redirected")
    yield Row("slash-added", proxy(says(308, Location="/ws/")), "redirected")
    yield Row(
        "to-https-with-query",
        proxy(says(301, Location="https://app.example/ws?next=2"), path="/ws?next=2"),
        "redirected",
        instead_of="login_page_in_front",
    )
    yield Row(
        "oauth2-proxy",
        proxy(says(302, Location="https://login.example.com/oauth2/start?rd=%2Fws")),
        "login_page_in_front",
        instead_of="redirected",
    )
    yield Row("django", alone(says(302, Location="/accounts/login/?next=/ws")), "login_page_in_front")
    yield Row(
        "cf-access",
        front(
            says(
                302,
                Location="https://t.cloudflareaccess.com/cdn-cgi/access/login/app.example.com?kid=1&redirect_url=%2Fws",
            )
        ),
        "login_page_in_front",
    )
    forbidden = NGINX.format("403 Forbidden", "")
    yield Row("denied-here-only", own(says(403, forbidden)), "denied_by_address")
    openresty = forbidden.replace("nginx", "openresty")
    yield Row("denied-here-only-by-openresty", own(says(403, openresty), works), "denied_by_address")
    yield Row("denied", proxy(says(403, forbidden)), "denied_by_proxy", instead_of="denied_by_address")
    yield Row("denied-in-front", front(says(403, forbidden)), "denied_by_proxy")
    yield Row(
        "403-of-the-application",
        proxy(says(403, '{"detail":"no"}', **JSON)),
        "refused_behind_proxy",
        instead_of="denied_by_proxy",
    )
    yield Row(
        "cloudflare-challenge", front(says(403, "<title>Just a moment...</title>", Server="cloudflare")), "filtered"
    )
    yield Row("modsecurity", proxy(says(406, "<p>This error was generated by Mod_Security.</p>")), "filtered")
    yield Row("aws-waf", alone(says(202, "", x_amzn_waf_action="challenge")), "filtered")
    yield Row(
        "403-through-cloudflare",
        direct(says(403, '{"detail":"no"}', Server="cloudflare")),
        "authentication_required",
        instead_of="filtered",
    )
    yield Row("431", direct(says(431)), "request_too_large")
    yield Row(
        "nginx-too-large",
        proxy(says(400, NGINX.format(400, "Request Header Or Cookie Too Large"))),
        "request_too_large",
    )
    yield Row("400-of-a-backend", direct(says(400, "Bad Request")), "bad_request", instead_of="request_too_large")
    yield Row("proxy-protocol", proxy(proxy_protocol), "proxy_protocol_mismatch")
    yield Row("proxy-protocol-direct", direct(proxy_protocol), "proxy_protocol_mismatch")
    yield Row("closes", proxy(closes), "closed_in_handshake", instead_of="proxy_protocol_mismatch")
    yield Row("502", direct(says(502)), "bad_gateway")
    yield Row("521", front(says(521, Server="cloudflare")), "bad_gateway")
    yield Row("504", alone(says(504)), "gateway_timeout", instead_of="bad_gateway")
    yield Row("524", front(says(524, Server="cloudflare")), "gateway_timeout")
    yield Row("bad-gateway-again", proxy(says(502)), "bad_gateway", instead_of="gateway_timeout")
    yield Row("503", alone(says(503, NGINX.format(503, ""))), "unavailable_or_limited")
    yield Row("429", direct(says(429)), "unavailable_or_limited")
    yield Row("500", direct(says(500)), "server_error", instead_of="unavailable_or_limited")
    yield Row("500-behind-the-proxy", proxy(says(500, "boom")), "server_error")
    yield Row("503-no-error", direct(says(503)), "unavailable_or_limited", instead_of="server_error")
    # What a proxy does to the handshake.
    yield Row("key-removed", proxy(says(400, "Missing Sec-WebSocket-Key header")), "handshake_header_lost")
    yield Row("version-removed", proxy(says(426, "", Sec_WebSocket_Version="13")), "handshake_header_lost")
    yield Row(
        "426-with-words",
        proxy(says(426, "Upgrade Required")),
        "upgrade_not_forwarded",
        instead_of="handshake_header_lost",
    )
    yield Row("page-without-upgrade", proxy(says(404, NOT_FOUND, **JSON)), "upgrade_not_forwarded")
    yield Row("505", proxy(says(505, "HTTP Version Not Supported")), "upgrade_not_forwarded")
    yield Row(
        "404-of-another-server",
        proxy(says(404, "Cannot GET /ws")),
        "refused_behind_proxy",
        instead_of="upgrade_not_forwarded",
    )
    yield Row("404-of-nginx", proxy(says(404, NGINX.format(404, ""))), "not_routed_by_proxy")
    yield Row("405-of-nginx", proxy(says(405, NGINX.format(405, ""))), "not_routed_by_proxy")
    yield Row(
        "same-page-as-direct",
        proxy(says(404, NOT_FOUND, **JSON)),
        "upgrade_not_forwarded",
        instead_of="not_routed_by_proxy",
    )
    yield Row(
        "404-in-front", front(says(404, NGINX.format(404, ""))), "not_routed_to_proxy", instead_of="not_routed_by_proxy"
    )
    yield Row("404-of-caddy-in-front", front(says(404, "", Server="Caddy")), "not_routed_to_proxy")
    yield Row(
        "upgrade-lost-in-front",
        front(says(404, NOT_FOUND, **JSON)),
        "upgrade_not_forwarded",
        instead_of="not_routed_to_proxy",
    )
    yield Row("400-without-words", proxy(says(400)), "refused_behind_proxy")
    yield Row("404-with-other-words", proxy(says(404, "404 page not found")), "refused_behind_proxy")
    yield Row(
        "all-refused", proxy(says(400, "x"), backend=says(400, "x")), "bad_request", instead_of="refused_behind_proxy"
    )
    # What an application does with it.
    yield Row("401", direct(says(401, WWW_Authenticate='Basic realm="x"')), "authentication_required")
    yield Row("403", direct(says(403)), "authentication_required")
    other = {"origin": "http://page.example"}
    yield Row(
        "other-origin", direct(only_origins(""), **other), "origin_rejected", instead_of="authentication_required"
    )
    yield Row("other-origin-401", direct(only_origins("", status=401), **other), "origin_rejected")
    yield Row("no-origin-is-right", direct(says(403), **other), "authentication_required", instead_of="origin_rejected")
    yield Row("404-everywhere", direct(says(404, NOT_FOUND)), "path_not_found")
    yield Row("404-behind-and-direct", proxy(says(404, "x"), backend=says(404, "x")), "path_not_found")
    yield Row(
        "404-behind-what-is-down",
        lambda stack, authority: [*closed("direct")(stack, authority), *alone(says(404, "x"))(stack, authority)],
        "path_not_found",
    )
    yield Row("404-behind-alone", proxy(says(404, "x")), "refused_behind_proxy", instead_of="path_not_found")
    yield Row("426-direct", direct(says(426)), "bad_request")
    yield Row("405-direct", direct(says(405)), "bad_request")
    yield Row("426-behind", proxy(says(426, "Upgrade Required")), "upgrade_not_forwarded", instead_of="bad_request")
    yield Row("a-page", direct(says(200, "<html>", Content_Type="text/html")), "not_a_websocket")
    yield Row("204", alone(says(204)), "not_a_websocket")
    yield Row(
        "http-1.0-page", direct(raw(b"HTTP/1.0 200 OK\r\n\r\nhello")), "http_1_0_answer", instead_of="not_a_websocket"
    )
    yield Row("http-1.0-404", direct(raw(b"HTTP/1.0 404 Not Found\r\n\r\n")), "http_1_0_answer")
    yield Row(
        "http-1.1-page",
        direct(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")),
        "not_a_websocket",
        instead_of="http_1_0_answer",
    )
    yield Row("418", direct(says(418)), "unexpected_status")
    yield Row("451", direct(says(451)), "unexpected_status")
    yield Row("404-is-known", direct(says(404)), "path_not_found", instead_of="unexpected_status")

    # Forms and upstreams.
    def is_list(_: Peer, request: peers.Request) -> bool:
        return "keep-alive" in request.headers.get("connection", "").lower()

    def many_cookies(_: Peer, request: peers.Request) -> bool:
        return len(request.headers.get("cookie", "")) > 2000

    yield Row("connection-list", proxy(page_else_upgrade(is_list)), "handshake_form_refused")
    yield Row("large-cookies", direct(page_else_upgrade(many_cookies, 400)), "handshake_form_refused")
    one_of_two = in_turn(peers.healthy, says(404))
    yield Row("one-of-two-upstreams", proxy(one_of_two), "some_handshakes_refused", instead_of="handshake_form_refused")
    yield Row(
        "one-of-three-upstreams", proxy(in_turn(peers.healthy, peers.healthy, says(500))), "some_handshakes_refused"
    )
    yield Row(
        "list-refused-again",
        proxy(page_else_upgrade(is_list)),
        "handshake_form_refused",
        instead_of="some_handshakes_refused",
    )
    # The answer to the upgrade.
    yield Row(
        "wrong-key",
        direct(upgrades(Sec_WebSocket_Accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
        "accept_key_wrong",
    )
    yield Row("no-key", direct(upgrades(Sec_WebSocket_Accept="")), "accept_key_wrong")
    yield Row(
        "no-upgrade-header",
        direct(upgrades(Upgrade="")),
        "upgrade_answer_invalid",
        instead_of="accept_key_wrong",
    )
    yield Row(
        "extension-not-offered",
        direct(upgrades(Sec_WebSocket_Extensions="x-deflate")),
        "upgrade_answer_invalid",
    )
    yield Row(
        "wrong-key-only",
        direct(upgrades(Sec_WebSocket_Accept="BBBB")),
        "accept_key_wrong",
        instead_of="upgrade_answer_invalid",
    )
    v1 = {"subprotocols": ["v1"]}
    yield Row("none-chosen", direct(peers.healthy, **v1), "subprotocol_refused")
    yield Row("another-chosen", direct(chooses("v2"), **v1), "subprotocol_refused")
    yield Row(
        "the-offered-one",
        direct(chooses("v1"), **v1),
        "none",
        instead_of="subprotocol_refused",
    )
    yield Row("stalls", direct(stalls), "handshake_stalled", short)
    yield Row("drips", proxy(drips), "handshake_stalled", short)
    yield Row(
        "closes-at-once",
        direct(closes),
        "closed_in_handshake",
        {"handshake_timeout": 2},
        instead_of="handshake_stalled",
    )
    yield Row("half-an-answer", direct(raw(b"HTTP/1.1 101 Swi")), "closed_in_handshake", {"handshake_timeout": 2})
    yield Row("stalls-and-stays", direct(never_reads), "handshake_stalled", short, instead_of="closed_in_handshake")
    yield Row("ssh", direct(raw(b"SSH-2.0-OpenSSH_9.2\r\n")), "not_http", {"handshake_timeout": 2})
    yield Row("endless-head", direct(endless_head), "not_http", {"handshake_timeout": 2})
    yield Row(
        "half-a-head",
        direct(raw(b"HTTP/1.1 200 OK\r\nX: ")),
        "closed_in_handshake",
        {"handshake_timeout": 2},
        instead_of="not_http",
    )
    # Messages.
    often = {**PING_PONG, "hold": 1, "hold_mode": "message", "interval": 0.3}
    yield Row("no-reply", direct(without_reply), "no_reply", PING_PONG)
    yield Row("replies-once", direct(replies(b'{"type": "pong"}')), "no_reply", often)
    yield Row(
        "other-reply", direct(replies(b'{"type": "error"}')), "unexpected_reply", PING_PONG, instead_of="no_reply"
    )
    yield Row("echo-of-text", direct(replies(b"pong")), "unexpected_reply", PING_PONG)
    yield Row(
        "late-reply-that-fits",
        direct(replies(b'{"type": "pong", "n": 1}')),
        "none",
        PING_PONG,
        instead_of="unexpected_reply",
    )
    yield Row("mute", direct(mute), "opened_but_mute", PING_PONG)
    yield Row("mute-behind-the-proxy", proxy(mute), "opened_but_mute", PING_PONG)
    yield Row("pongs-but-no-reply", proxy(without_reply), "no_reply", PING_PONG, instead_of="opened_but_mute")
    # The hold.
    hold = {"hold": 3, "further_handshakes": False}
    yield Row("cut-when-idle", direct(cut_after(1.5)), "cut_while_idle", hold)
    yield Row("cut-when-idle-behind-the-proxy", proxy(cut_after(1.5)), "cut_while_idle", hold)
    yield Row(
        "server-ended", direct(cut_after(1.5, reopens=False)), "cut_without_close", hold, instead_of="cut_while_idle"
    )
    yield Row("dropped-at-once", direct(cut_after(0)), "cut_without_close", PING_PONG)
    yield Row(
        "closed-with-a-frame",
        direct(after_upgrade(frame(CLOSE, b"\x03\xf3boom"))),
        "closed_by_server",
        PING_PONG,
        instead_of="cut_without_close",
    )
    idle: dict[str, Any] = {"configured_idle_timeout": 20, "configured_idle_timeout_from": "/etc/nginx/x:3"}
    wanted = {"hold": 0.5, "expected_idle_timeout": 3600}
    yield Row("configured-too-short", proxy(peers.healthy, **idle), "idle_timeout_too_short", wanted)
    yield Row("configured-too-short-and-pings", alone(pinging, **idle), "idle_timeout_too_short", wanted)
    yield Row(
        "configured-as-wanted",
        proxy(peers.healthy, configured_idle_timeout=3600),
        "none",
        wanted,
        instead_of="idle_timeout_too_short",
    )
    dead = {"hold": 0.4, "message_timeout": 0.5}
    yield Row("dead-after-the-hold", direct(mute), "dead_after_silence", dead)
    yield Row("dead-after-its-reply", direct(replies_then_dies), "dead_after_silence", {**PING_PONG, **dead})
    yield Row(
        "no-pongs-but-a-close",
        direct(without_pongs),
        "none",
        {"hold": 0.3, "message_timeout": 2},
        instead_of="dead_after_silence",
    )
    for code in (1001, 1008):
        yield Row(
            f"close-{code}",
            direct(after_upgrade(frame(CLOSE, code.to_bytes(2, "big")))),
            "closed_by_server",
            PING_PONG,
            instead_of="message_too_big" if code == 1008 else None,
        )
    yield Row(
        "close-1009",
        direct(after_upgrade(frame(CLOSE, b"\x03\xf1"))),
        "message_too_big",
        PING_PONG,
        instead_of="closed_by_server",
    )
    yield Row(
        "one-GiB", direct(after_upgrade(b"\x81\x7f" + (1 << 30).to_bytes(8, "big"))), "message_too_big", PING_PONG
    )
    yield Row("close-1011", direct(after_upgrade(frame(CLOSE, b"\x03\xf3"))), "closed_by_server", PING_PONG)
    yield Row("masked", direct(after_upgrade(frame(TEXT, b"x", mask=1))), "protocol_violation", PING_PONG)
    yield Row(
        "reserved-bits",
        direct(after_upgrade(frame(TEXT, b"x", rsv=4))),
        "protocol_violation",
        PING_PONG,
        instead_of="compression_broken",
    )
    yield Row(
        "extensions-hidden",
        proxy(compressing(agreed=False)),
        "compression_broken",
        PING_PONG,
        instead_of="protocol_violation",
    )
    yield Row("garbage-compressed", direct(compressing(agreed=True, broken=True)), "compression_broken", PING_PONG)
    yield Row("compressed", direct(compressing(agreed=True)), "none", PING_PONG, instead_of="compression_broken")
    # Event streams.
    soon = {"handshake_timeout": 1, "message_timeout": 1}
    yield Row("a-page-for-a-stream", stream(says(200, "<html>", Content_Type="text/html")), "not_an_event_stream")
    yield Row("json-for-a-stream", stream(says(200, "[]", **JSON)), "not_an_event_stream")
    yield Row(
        "stream-with-a-charset",
        stream(events(*[b"data: 1\n\n"] * 20, kind="text/event-stream;charset=UTF-8")),
        "none",
        instead_of="not_an_event_stream",
    )
    yield Row("headers-alone", stream(silent_stream), "no_event", soon)
    yield Row("half-an-event", stream(events(b"data: 1", every_s=3)), "no_event", soon)
    yield Row(
        "headers-alone-behind",
        stream(silent_stream, "proxy", ONE_BY_ONE),
        "events_buffered",
        soon,
        instead_of="no_event",
    )
    yield Row("nothing-behind", stream(stalls, "proxy", ONE_BY_ONE), "events_buffered", soon)
    yield Row("a-comment", stream(events(b": hi\n\n", every_s=3)), "none", soon, instead_of="no_event")
    yield Row(
        "singly-behind", stream(ONE_BY_ONE, "proxy", ONE_BY_ONE), "none", {"hold": 1}, instead_of="events_buffered"
    )
    yield Row("ends-early", stream(events(b"data: 1\n\n", every_s=0.2)), "stream_ended", {"hold": 2})
    yield Row("ends-without-an-event", stream(events(every_s=0, end=b"0\r\n\r\n")), "stream_ended", {"hold": 2})
    yield Row(
        "ends-in-order",
        stream(events(b"data: 1\n\n", end=b"0\r\n\r\n")),
        "none",
        {"hold": 2},
        instead_of="stream_ended",
    )
    # The end of the call.
    patient = {"timeout": 0.5, "handshake_timeout": 20, "message_timeout": 20}
    yield Row("stalls-beyond-the-deadline", direct(stalls), "deadline_reached", patient)
    yield Row("mute-beyond-the-deadline", proxy(mute), "deadline_reached", {**PING_PONG, **patient})
    yield Row(
        "stalls-within-the-deadline",
        direct(stalls),
        "handshake_stalled",
        {"timeout": 20, "handshake_timeout": 0.5},
        instead_of="deadline_reached",
    )


ROWS = tuple(_rows())
