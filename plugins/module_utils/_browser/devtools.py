# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the Chrome DevTools Protocol, over one WebSocket.

Commands and events: https://chromedevtools.github.io/devtools-protocol/.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from .._host.json_text import json_value
from .launch import BrowserError, Endpoint

try:
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    HAS_WEBSOCKETS = True
except ImportError:  # pragma: no cover - depends on what is installed
    HAS_WEBSOCKETS = False

Event = dict[str, Any]
# A screenshot of a long page in base64.
_MAX_MESSAGE = 64 * 1024 * 1024


class CommandRefusedError(BrowserError):
    """The browser refused a command; the message is its own."""


class Session:
    """Commands to one page and its events, in the order in which they arrive."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._last_id = 0
        self._session_id: str | None = None
        self._events: deque[Event] = deque()

    def attach(self, deadline: float) -> None:
        """Open an empty page and send everything to it from now on."""
        target = self.call("Target.createTarget", {"url": "about:blank"}, deadline=deadline)["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True}, deadline=deadline)
        self._session_id = str(attached["sessionId"])

    def call(self, method: str, params: Event | None = None, *, deadline: float) -> Event:
        """Send a command and return its result; events that arrive meanwhile are kept.

        :raises CommandRefusedError: If the browser refuses the command.
        :raises BrowserError: If it does not answer before the deadline, or the connection is lost.
        """
        self._last_id += 1
        message: Event = {"id": self._last_id, "method": method, "params": params or {}}
        if self._session_id is not None:
            message["sessionId"] = self._session_id
        with _as_browser_error(method):
            self._connection.send(json.dumps(message))
        while True:
            answer = self._receive(deadline)
            if answer is None:
                raise BrowserError(f"the browser did not answer {method} in time")
            if answer.get("id") == self._last_id:
                if "error" in answer:
                    raise CommandRefusedError(f"{method}: {answer['error'].get('message', 'refused')}")
                return dict(answer.get("result") or {})
            if "method" in answer:
                self._events.append(answer)

    def events(self, until: float) -> Iterator[Event]:
        """Yield the page's events until a time by the clock of ``time.monotonic()``.

        :raises BrowserError: If the connection is lost.
        """
        while True:
            if self._events:
                yield self._events.popleft()
                continue
            event = self._receive(until)
            if event is None:
                return
            if "method" in event:
                yield event

    def _receive(self, deadline: float) -> Event | None:
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        try:
            with _as_browser_error("an event"):
                return dict(json_value(self._connection.recv(timeout=left)))
        except TimeoutError:
            return None


@contextlib.contextmanager
def opened(endpoint: Endpoint, deadline: float) -> Iterator[Session]:
    """Connect to a browser and attach to a page of it.

    :raises BrowserError: If it cannot be reached.
    """
    with contextlib.ExitStack() as stack:
        with _as_browser_error("the connection"):
            connection = stack.enter_context(
                connect(
                    endpoint.url,
                    proxy=None,
                    compression=None,
                    max_size=_MAX_MESSAGE,
                    # The browser answers no ping while a page keeps it busy; each wait has a deadline of its own.
                    ping_interval=None,
                    open_timeout=max(0.1, deadline - time.monotonic()),
                    close_timeout=1,
                )
            )
        session = Session(connection)
        session.attach(deadline)
        yield session


@contextlib.contextmanager
def _as_browser_error(what: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except (OSError, WebSocketException) as error:
        raise BrowserError(f"the browser ended during {what} ({error})") from None
