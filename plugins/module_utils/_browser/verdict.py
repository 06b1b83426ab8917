# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the cause why the WebSocket of a page does not work in a browser (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._host.url import UrlError, parse_url
from .._websocket.causes import CATALOGUE, Cause
from .observation import PageObservation, Socket, same_endpoint

# Net errors of Chromium: net/base/net_error_list.h.
_NET_ERRORS: Mapping[str, Cause] = {
    "ERR_CERT_AUTHORITY_INVALID": Cause.TLS_UNTRUSTED,
    "ERR_CERT_COMMON_NAME_INVALID": Cause.TLS_NAME_MISMATCH,
    "ERR_CERT_DATE_INVALID": Cause.TLS_EXPIRED,
    "ERR_NAME_NOT_RESOLVED": Cause.NAME_NOT_RESOLVED,
    "ERR_CONNECTION_REFUSED": Cause.PROXY_DOWN,
    "ERR_CONNECTION_TIMED_OUT": Cause.CONNECT_TIMED_OUT,
    "ERR_TIMED_OUT": Cause.CONNECT_TIMED_OUT,
    "ERR_ADDRESS_UNREACHABLE": Cause.NETWORK_UNREACHABLE,
    "ERR_NETWORK_CHANGED": Cause.NETWORK_UNREACHABLE,
}
_NET_ERROR = re.compile(r"net::(ERR_[A-Z0-9_]+)")
_EVIDENCE_LIMIT = 8

ERRORS: Mapping[str, re.Pattern[str]] = {
    "all": re.compile(""),
    # An answer with 4xx to a request for data depends on the data and on a login.
    "without_data": re.compile(r"(?!Failed to load resource: the server responded with a status of 4\d\d )"),
    # A page of data that does not exist may show any error, but none of these.
    "deployment": re.compile(
        r".*(?:blocked by CORS policy|net::ERR_|Mixed Content|Content Security Policy)", re.DOTALL
    ),
}
"""Errors of the console that count, by how much is known of the page."""


@dataclass(frozen=True)
class Expected:
    """What the page has to do.

    :param websocket_url: URL of the WebSocket; empty to take the first one that the page opens.
    :param hold_s: Seconds for which the WebSocket has to stay open.
    :param frames: ``sent``, ``received``: directions in which at least one message has to pass.
    :param console: Text that has to appear in the console; empty for none.
    :param ignore_console: Regular expressions of console errors that do not count.
    :param errors: Which of the others do, as :data:`ERRORS` explains.
    """

    websocket_url: str = ""
    hold_s: float = 5.0
    frames: tuple[str, ...] = ()
    console: str = ""
    ignore_console: tuple[str, ...] = ()
    errors: str = "all"


@dataclass(frozen=True)
class Handshakes:
    """Statuses of the same handshake, made outside of the browser with and without the page's origin."""

    with_origin: int | None
    without_origin: int | None


@dataclass(frozen=True)
class PageVerdict:
    """One cause with its sentence, something to do, and what was seen."""

    cause: Cause
    explanation: str
    remedy: str
    evidence: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.cause is Cause.NONE


def judge(seen: PageObservation, expected: Expected, handshakes: Handshakes | None = None) -> PageVerdict:
    """Judge one page.

    :param handshakes: Of a follow-up probe, where the browser's handshake was refused.
    """
    found = (
        _page_failed(seen)
        or _forbidden(seen, expected)
        or _socket_failed(seen, expected, handshakes)
        or _incomplete(seen, expected)
    )
    if found is None:
        return PageVerdict(Cause.NONE, _works(seen, expected), CATALOGUE[Cause.NONE].remedy)
    cause, explanation, *remedy = found
    evidence = tuple(line for line in _evidence(seen, expected) if line not in explanation)
    return PageVerdict(cause, explanation, remedy[0] if remedy else CATALOGUE[cause].remedy, evidence)


def _page_failed(seen: PageObservation) -> tuple[Cause, str] | tuple[Cause, str, str] | None:
    if seen.navigation_error:
        cause = cause_of(seen.navigation_error) or Cause.PAGE_FAILED
        return cause, f"the browser could not open {seen.url} ({seen.navigation_error})"
    if seen.status is None:
        return Cause.PAGE_FAILED, f"{seen.url} did not answer the browser in {seen.observed_s:.0f} s"
    if seen.final_url and _origin(seen.final_url) != _origin(seen.url):
        return (
            Cause.PAGE_REDIRECTED,
            f"{seen.url} redirects to {seen.final_url}, another origin",
            f"check {seen.final_url} if that is the page, give the check a login if it is one, or remove the redirect",
        )
    if seen.status >= 400:
        return Cause.PAGE_FAILED, f"{seen.final_url or seen.url} answers the browser with status {seen.status}"
    return None


def _forbidden(seen: PageObservation, expected: Expected) -> tuple[Cause, str, str] | None:
    socket = seen.socket_for(expected.websocket_url)
    if socket is not None and socket.opened_s is not None:
        return None
    for violation in seen.violations:
        if violation.url.partition("://")[0] not in ("ws", "wss", "http", "https"):
            continue
        if violation.kind == "mixed_content" and violation.url.startswith("ws://"):
            return (
                Cause.MIXED_CONTENT,
                f"the page is loaded by https, so the browser refuses its unencrypted WebSocket {violation.url}",
                f"build the page with wss://{violation.url.removeprefix('ws://')} (staging_public_ws_url), "
                "which needs TLS on that name",
            )
        if violation.kind == "csp" and violation.detail == "connect-src":
            return (
                Cause.CSP_BLOCKED,
                f"the page's Content-Security-Policy (connect-src) forbids {violation.url}",
                f"add {_origin(violation.url)} to connect-src where the header or the meta element is set",
            )
    return None


def _socket_failed(
    seen: PageObservation, expected: Expected, handshakes: Handshakes | None
) -> tuple[Cause, str] | tuple[Cause, str, str] | None:
    socket = seen.socket_for(expected.websocket_url)
    if socket is None:
        return _no_socket(seen, expected)
    if socket.opened_s is None:
        return _not_opened(socket, handshakes)
    if socket.closed_s is not None and socket.closed_s - socket.opened_s < expected.hold_s:
        held = socket.closed_s - socket.opened_s
        return (
            Cause.CLOSED_AFTER,
            f"{socket.url} was closed after {held:.1f} s, expected {expected.hold_s:.0f} s",
        )
    return None


def _no_socket(seen: PageObservation, expected: Expected) -> tuple[Cause, str] | tuple[Cause, str, str]:
    others = [socket.url for socket in seen.application_sockets]
    if others:
        asked = f"the page asks for {', '.join(dict.fromkeys(others))} instead of {expected.websocket_url}"
        if seen.from_service_worker:
            return (
                Cause.SERVICE_WORKER_STALE,
                f"{asked}; its scripts come from a service worker, such as {seen.from_service_worker[0]}",
            )
        return Cause.STALE_BUNDLE, asked
    scripts = [asset for asset in seen.failed_assets if asset.kind == "Script"]
    if scripts:
        reason = scripts[0].error or f"status {scripts[0].status}"
        return (
            Cause.ASSET_FAILED,
            f"the page opened no WebSocket, and {scripts[0].url} did not load ({reason})",
        )
    if seen.exceptions:
        return Cause.CONSOLE_ERROR, f"the page opened no WebSocket, and its code failed: {seen.exceptions[0]}"
    return (
        Cause.NO_WEBSOCKET_OPENED,
        f"{seen.final_url or seen.url} opened no WebSocket in {seen.observed_s:.0f} s",
    )


def _not_opened(socket: Socket, handshakes: Handshakes | None) -> tuple[Cause, str] | tuple[Cause, str, str]:
    if socket.status is not None:
        sentence = f"{socket.url} answered the browser's handshake with status {socket.status}"
        if handshakes and handshakes.with_origin == socket.status and handshakes.without_origin == 101:
            return (
                Cause.ORIGIN_REJECTED,
                f"{sentence}; without the page's origin {socket.origin} it is accepted",
            )
        return Cause.HANDSHAKE_REFUSED, sentence
    if socket.error:
        cause = cause_of(socket.error) or Cause.HANDSHAKE_REFUSED
        return cause, f"the browser could not open {socket.url} ({socket.error})"
    return Cause.HANDSHAKE_STALLED, f"{socket.url} did not answer the browser's handshake"


def _incomplete(seen: PageObservation, expected: Expected) -> tuple[Cause, str] | tuple[Cause, str, str] | None:
    socket = seen.socket_for(expected.websocket_url)
    if socket is None:
        raise AssertionError("judged before")
    for direction, count in (("sent", socket.sent), ("received", socket.received)):
        if direction in expected.frames and not count:
            return Cause.NO_FRAMES, f"no message was {direction} through {socket.url} in {seen.observed_s:.0f} s"
    if seen.failed_assets:
        asset = seen.failed_assets[0]
        return Cause.ASSET_FAILED, f"{asset.url} did not load ({asset.error or f'status {asset.status}'})"
    if expected.console and not any(expected.console in line.text for line in seen.console):
        return (
            Cause.CONSOLE_TEXT_MISSING,
            f'the console did not show "{expected.console}" in {seen.observed_s:.0f} s, although the WebSocket is open',
        )
    errors = console_errors(seen, expected.ignore_console, expected.errors)
    if errors:
        return Cause.CONSOLE_ERROR, f"the console shows an error: {errors[0]}"
    return None


def console_errors(seen: PageObservation, ignored: Sequence[str], counted: str = "all") -> list[str]:
    """Errors of the console and uncaught exceptions that no pattern of ``ignored`` matches.

    A missing favicon, which browsers ask for by themselves, does not count.

    :param counted: A key of :data:`ERRORS`.
    """
    lines = [*seen.exceptions, *(line.text for line in seen.console if line.level == "error")]
    patterns = [re.compile(pattern) for pattern in (*ignored, r"/favicon\.ico\)?$")]
    found = [line for line in dict.fromkeys(lines) if not any(pattern.search(line) for pattern in patterns)]
    return [line for line in found if ERRORS[counted].match(line)]


def cause_of(error: str) -> Cause | None:
    """The cause that a network error of the browser names, if it names one."""
    found = _NET_ERROR.search(error)
    if found is None:
        return None
    known = _NET_ERRORS.get(found[1])
    return known or (Cause.TLS_FAILED if found[1].startswith(("ERR_SSL_", "ERR_CERT_")) else None)


def _works(seen: PageObservation, expected: Expected) -> str:
    socket = seen.socket_for(expected.websocket_url)
    if socket is None or socket.opened_s is None:
        raise AssertionError("judged before")
    held = (socket.closed_s if socket.closed_s is not None else seen.observed_s) - socket.opened_s
    return (
        f"{seen.final_url} opened {socket.url} after {socket.opened_s:.1f} s and held it for {held:.1f} s "
        f"({socket.sent} messages sent, {socket.received} received)"
    )


def _evidence(seen: PageObservation, expected: Expected) -> list[str]:
    lines = [f"redirect to {url}" for url in seen.redirects]
    for socket in seen.application_sockets:
        end = f", closed after {socket.closed_s - socket.opened_s:.1f} s" if socket.opened_s and socket.closed_s else ""
        wanted = not expected.websocket_url or same_endpoint(socket.url, expected.websocket_url)
        mark = "" if wanted else " (not expected)"
        lines.append(f"WebSocket {socket.url}{mark}: {socket.status or socket.error or 'no answer'}{end}")
    lines += [f"{asset.kind.lower()} {asset.url}: {asset.error or asset.status}" for asset in seen.failed_assets]
    lines += [f"console: {line}" for line in console_errors(seen, expected.ignore_console)]
    return lines[:_EVIDENCE_LIMIT]


def _origin(url: str) -> str:
    """Scheme, host and port; the whole text if it is not a URL with a host, such as ``about:blank``."""
    try:
        parsed = parse_url(url, lenient=True)
    except UrlError:
        return url
    return f"{parsed.scheme}://{parsed.authority}"
