# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened while a page was open, gathered from the browser's events (pure).

Event names and fields: https://chromedevtools.github.io/devtools-protocol/tot/Network/ and its neighbours.
Times are in seconds since the navigation, by the clock of the caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from .._host.url import UrlError, parse_url

#: Sockets of development servers, which a page opens beside those of the application.
_DEVELOPMENT = re.compile(r"/_next/webpack-hmr|/__vite_hmr|/sockjs-node/")
_REFUSED = re.compile(r"Unexpected response code: ([0-9]{3})")
_ASSET_TYPES = frozenset(("Script", "Stylesheet", "Font", "Document"))
_TEXT_LIMIT = 500
_LIST_LIMIT = 200


@dataclass
class Socket:
    """A WebSocket that the page opened.

    :param status: Of the answer to the handshake, if there was one.
    :param origin: As the browser sent it.
    :param error: The browser's own words.
    """

    url: str
    created_s: float
    status: int | None = None
    origin: str = ""
    opened_s: float | None = None
    closed_s: float | None = None
    sent: int = 0
    received: int = 0
    error: str = ""

    @property
    def is_development(self) -> bool:
        return bool(_DEVELOPMENT.search(self.url))


@dataclass(frozen=True)
class ConsoleLine:
    """A line of the console; ``level`` is ``log``, ``info``, ``warning`` or ``error``."""

    level: str
    text: str
    at_s: float


@dataclass(frozen=True)
class FailedAsset:
    """A file of the page that did not load: with a status of 400 or more, or the network's error."""

    url: str
    kind: str
    status: int | None
    error: str


@dataclass(frozen=True)
class Violation:
    """A connection that the browser itself forbade: ``csp`` or ``mixed_content``."""

    kind: str
    url: str
    detail: str = ""


@dataclass
class PageObservation:
    """Everything that the verdict needs."""

    url: str
    final_url: str = ""
    status: int | None = None
    navigation_error: str = ""
    redirects: list[str] = field(default_factory=list)
    loaded_s: float | None = None
    sockets: list[Socket] = field(default_factory=list)
    console: list[ConsoleLine] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    failed_assets: list[FailedAsset] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    from_service_worker: list[str] = field(default_factory=list)
    observed_s: float = 0.0

    @property
    def application_sockets(self) -> list[Socket]:
        return [socket for socket in self.sockets if not socket.is_development]

    def socket_for(self, wanted: str) -> Socket | None:
        """The socket to a URL, whatever its query; the one that is open, or else the last one tried."""
        found = [socket for socket in self.application_sockets if not wanted or same_endpoint(socket.url, wanted)]
        still_open = [socket for socket in found if socket.opened_s is not None and socket.closed_s is None]
        candidates = still_open or found
        return candidates[-1] if candidates else None


def same_endpoint(one: str, other: str) -> bool:
    """Whether two WebSocket URLs lead to the same place: scheme, host, port and path."""
    try:
        return _endpoint(one) == _endpoint(other)
    except UrlError:
        return one == other


def _endpoint(url: str) -> tuple[str, str, int, str]:
    parsed = parse_url(url, lenient=True)
    return parsed.scheme, parsed.host, parsed.port, parsed.path or "/"


class Recorder:
    """Folds events into a :class:`PageObservation`."""

    def __init__(self, url: str) -> None:
        self.seen = PageObservation(url)
        self._sockets: dict[str, Socket] = {}
        self._requests: dict[str, tuple[str, str]] = {}
        self._document: str | None = None
        self._at_s = 0.0
        self._handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "Network.requestWillBeSent": self._request_will_be_sent,
            "Network.responseReceived": self._response_received,
            "Network.loadingFailed": self._loading_failed,
            "Page.loadEventFired": self._load_event_fired,
            "Network.webSocketCreated": self._websocket_created,
            "Network.webSocketWillSendHandshakeRequest": self._websocket_will_send_handshake_request,
            "Network.webSocketHandshakeResponseReceived": self._websocket_handshake_response_received,
            "Network.webSocketFrameSent": self._websocket_frame_sent,
            "Network.webSocketFrameReceived": self._websocket_frame_received,
            "Network.webSocketFrameError": self._websocket_frame_error,
            "Network.webSocketClosed": self._websocket_closed,
            "Runtime.consoleAPICalled": self._console_called,
            "Runtime.exceptionThrown": self._exception_thrown,
            "Log.entryAdded": self._entry_added,
            "Audits.issueAdded": self._issue_added,
        }

    def feed(self, event: Mapping[str, Any], at_s: float) -> None:
        """Take one event in; those that tell nothing are passed over."""
        handler = self._handlers.get(str(event["method"]))
        if handler is not None:
            self._at_s = at_s
            handler(event.get("params") or {})

    # --- the page and its files

    def _request_will_be_sent(self, params: Mapping[str, Any]) -> None:
        request, kind = str(params["requestId"]), str(params.get("type", ""))
        url = str(params["request"]["url"])
        is_main_document = kind == "Document" and params.get("loaderId") == request
        if is_main_document:
            if "redirectResponse" in params:
                self.seen.redirects.append(url)
            self._document = request
        self._requests[request] = (url, kind)

    def _response_received(self, params: Mapping[str, Any]) -> None:
        response, kind = params["response"], str(params.get("type", ""))
        url, status = str(response["url"]), int(response["status"])
        if params["requestId"] == self._document:
            self.seen.status, self.seen.final_url = status, url
        elif status >= 400 and kind in _ASSET_TYPES:
            self._fail(FailedAsset(url, kind, status, ""))
        if response.get("fromServiceWorker") and kind == "Script":
            _append(self.seen.from_service_worker, url)

    def _loading_failed(self, params: Mapping[str, Any]) -> None:
        url, kind = self._requests.get(str(params["requestId"]), ("", str(params.get("type", ""))))
        error = str(params.get("errorText") or params.get("blockedReason") or "failed")
        if params["requestId"] == self._document:
            self.seen.navigation_error = error
        elif kind in _ASSET_TYPES and not params.get("canceled"):
            self._fail(FailedAsset(url, kind, None, error))

    def _fail(self, asset: FailedAsset) -> None:
        if asset not in self.seen.failed_assets:
            _append(self.seen.failed_assets, asset)

    def _load_event_fired(self, _params: Mapping[str, Any]) -> None:
        self.seen.loaded_s = self._at_s

    # --- WebSockets

    def _websocket_created(self, params: Mapping[str, Any]) -> None:
        socket = Socket(str(params["url"]), self._at_s)
        self._sockets[str(params["requestId"])] = socket
        _append(self.seen.sockets, socket)

    def _websocket_will_send_handshake_request(self, params: Mapping[str, Any]) -> None:
        headers = {str(name).lower(): str(value) for name, value in params["request"]["headers"].items()}
        self._socket(params).origin = headers.get("origin", "")

    def _websocket_handshake_response_received(self, params: Mapping[str, Any]) -> None:
        socket = self._socket(params)
        socket.status = int(params["response"]["status"])
        if socket.status == 101:
            socket.opened_s = self._at_s

    def _websocket_frame_sent(self, params: Mapping[str, Any]) -> None:
        if _is_message(params):
            self._socket(params).sent += 1

    def _websocket_frame_received(self, params: Mapping[str, Any]) -> None:
        if _is_message(params):
            self._socket(params).received += 1

    def _websocket_frame_error(self, params: Mapping[str, Any]) -> None:
        socket = self._socket(params)
        socket.error = str(params.get("errorMessage", ""))[:_TEXT_LIMIT]
        # Chromium tells the status of a refusal in its words alone.
        refused = _REFUSED.search(socket.error)
        if refused and socket.status is None:
            socket.status = int(refused[1])

    def _websocket_closed(self, params: Mapping[str, Any]) -> None:
        self._socket(params).closed_s = self._at_s

    def _socket(self, params: Mapping[str, Any]) -> Socket:
        # Events of a socket that was opened before the recording are of no use to anyone.
        return self._sockets.get(str(params["requestId"]), Socket("", 0.0))

    # --- the console, and what the browser forbids

    def _console_called(self, params: Mapping[str, Any]) -> None:
        texts = [_argument(argument) for argument in params.get("args", ())]
        level = {"warning": "warning", "error": "error", "assert": "error"}.get(str(params.get("type")), "log")
        self._console(level, " ".join(texts))

    def _exception_thrown(self, params: Mapping[str, Any]) -> None:
        details = params["exceptionDetails"]
        thrown = details.get("exception") or {}
        text = str(thrown.get("description") or thrown.get("value") or details.get("text", "")).split("\n")[0]
        _append(self.seen.exceptions, text[:_TEXT_LIMIT])

    def _entry_added(self, params: Mapping[str, Any]) -> None:
        entry = params["entry"]
        text = str(entry.get("text", ""))
        if entry.get("url"):
            text = f"{text} ({entry['url']})"
        self._console(str(entry.get("level", "info")), text)

    def _console(self, level: str, text: str) -> None:
        _append(self.seen.console, ConsoleLine(level, text[:_TEXT_LIMIT], self._at_s))

    def _issue_added(self, params: Mapping[str, Any]) -> None:
        details = params["issue"].get("details") or {}
        csp = details.get("contentSecurityPolicyIssueDetails")
        if csp and not csp.get("isReportOnly"):
            violation = Violation("csp", str(csp.get("blockedURL", "")), str(csp.get("violatedDirective", "")))
            _append(self.seen.violations, violation)
        mixed = details.get("mixedContentIssueDetails")
        if mixed and mixed.get("resolutionStatus") == "MixedContentBlocked":
            _append(self.seen.violations, Violation("mixed_content", str(mixed.get("insecureURL", ""))))


def _append(items: list[Any], item: object) -> None:
    # A page in a loop must not fill the memory.
    if len(items) < _LIST_LIMIT:
        items.append(item)


def _is_message(params: Mapping[str, Any]) -> bool:
    # RFC 6455, section 11.8: text and binary; control frames are not the application's.
    return params.get("response", {}).get("opcode") in (1, 2)


def _argument(argument: Mapping[str, Any]) -> str:
    if "value" in argument:
        return str(argument["value"])
    return str(argument.get("description") or argument.get("unserializableValue") or argument.get("type", ""))
