# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a page in a browser and gather what happens until its WebSocket has been held long enough."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .devtools import CommandRefusedError, Session, opened
from .launch import BrowserError, started
from .observation import PageObservation, Recorder
from .verdict import Expected

# The longest time between two looks whether enough has been seen.
_LOOK_S = 0.25
_ANSWER_S = 10.0
# A first start with an empty profile takes 2 s, on a busy machine several times that.
_START_S = 60.0
# Frameworks such as React overwrite the setter of a field and watch for input events.
_FILL = """
(function (selector, value) {
  const field = document.querySelector(selector);
  if (!field) { return false; }
  const prototype = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
  Object.getOwnPropertyDescriptor(prototype, "value").set.call(field, value);
  field.dispatchEvent(new Event("input", {bubbles: true}));
  field.dispatchEvent(new Event("change", {bubbles: true}));
  return true;
})
"""
_CLICK = """
(function (selector) {
  const button = document.querySelector(selector);
  if (!button) { return false; }
  button.click();
  return true;
})
"""


@dataclass(frozen=True)
class Login:
    """A form to fill in before the page is opened.

    :param fields: CSS selectors and the values to type; values are secret.
    :param submit: CSS selector of what is clicked afterwards.
    """

    url: str
    fields: Mapping[str, str]
    submit: str


@dataclass(frozen=True)
class Visit:
    """One page and how to open it.

    :param timeout_s: Seconds until the WebSocket has to be open.
    :param cookies: Names and values, for the page's origin.
    :param headers: Sent with every request of the page.
    :param resolve: Host names and the addresses to connect to.
    :param ca_path: File with a further certificate authority to trust; empty for none.
    """

    url: str
    timeout_s: float = 30.0
    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    resolve: Mapping[str, str] = field(default_factory=dict)
    login: Login | None = None
    ca_path: str = ""
    screenshot: bool = False


@dataclass(frozen=True)
class Seen:
    """What was observed, and a PNG of the page at that moment if it was asked for."""

    page: PageObservation
    screenshot: bytes = b""


def visit(program: str, wanted: Visit, expected: Expected) -> Seen:
    """Open the page in a new browser and observe it.

    :raises BrowserError: If the browser does not start or ends; the page's own failures are observed, not raised.
    """
    deadline = time.monotonic() + _START_S
    with (
        started(program, resolve=wanted.resolve, ca_path=wanted.ca_path, deadline=deadline) as endpoint,
        opened(endpoint, deadline) as session,
    ):
        _prepare(session, wanted)
        if wanted.login is not None:
            _log_in(session, wanted.login, time.monotonic() + wanted.timeout_s)
        page = _observe(session, wanted, expected)
        return Seen(page, _screenshot(session) if wanted.screenshot else b"")


def _prepare(session: Session, wanted: Visit) -> None:
    def call(method: str, params: dict[str, object] | None = None) -> None:
        session.call(method, params, deadline=time.monotonic() + _ANSWER_S)

    for domain in ("Page", "Network", "Runtime", "Log", "Audits"):
        call(f"{domain}.enable")
    if wanted.headers:
        call("Network.setExtraHTTPHeaders", {"headers": dict(wanted.headers)})
    for name, value in wanted.cookies.items():
        call("Network.setCookie", {"name": name, "value": value, "url": wanted.url})


def _log_in(session: Session, login: Login, deadline: float) -> None:
    """Fill the form in and wait until the browser has left it.

    :raises BrowserError: If the form does not appear or does not lead anywhere; no value is named.
    """
    session.call("Page.navigate", {"url": login.url}, deadline=deadline)
    for selector, value in login.fields.items():
        _until_true(session, _FILL, (selector, value), deadline, f"the login page {login.url} has no field {selector}")
    _until_true(session, _CLICK, (login.submit,), deadline, f"the login page {login.url} has no button {login.submit}")
    for event in session.events(deadline):
        # A whole page, or a route change of the page's own router; or its script stored a token and stays.
        if event["method"] in ("Page.loadEventFired", "Page.navigatedWithinDocument"):
            return
        if event["method"] == "Network.loadingFinished" and _is_idle(session, deadline):
            return
    raise BrowserError(f"the login form at {login.url} was sent, and nothing followed")


def _is_idle(session: Session, deadline: float) -> bool:
    result = session.call("Runtime.evaluate", {"expression": "document.readyState"}, deadline=deadline)
    return bool(result.get("result", {}).get("value") == "complete")


def _until_true(session: Session, function: str, values: Sequence[str], deadline: float, failure: str) -> None:
    expression = f"{function.strip()}({', '.join(json.dumps(value) for value in values)})"
    while time.monotonic() < deadline:
        try:
            result = session.call("Runtime.evaluate", {"expression": expression}, deadline=deadline)
        except CommandRefusedError:
            result = {}  # The page is being replaced.
        if result.get("result", {}).get("value") is True:
            return
        time.sleep(_LOOK_S)
    raise BrowserError(failure)


def _observe(session: Session, wanted: Visit, expected: Expected) -> PageObservation:
    recorder = Recorder(wanted.url)
    began = time.monotonic()
    navigated = session.call("Page.navigate", {"url": wanted.url}, deadline=began + wanted.timeout_s)
    if navigated.get("errorText"):
        recorder.seen.navigation_error = str(navigated["errorText"])
    end = began + wanted.timeout_s
    while True:
        look = min(end, time.monotonic() + _LOOK_S)
        for event in session.events(look):
            recorder.feed(event, time.monotonic() - began)
        recorder.seen.observed_s = time.monotonic() - began
        socket = recorder.seen.socket_for(expected.websocket_url)
        if socket is not None and socket.opened_s is not None:
            # A socket that is open has its hold, and then the console its time to say what is expected.
            wait_s = max(expected.hold_s, 0.0)
            end = max(end, began + socket.opened_s + wait_s + _LOOK_S)
            if recorder.seen.observed_s >= socket.opened_s + wait_s and not _missing(recorder.seen, expected):
                return recorder.seen
        if recorder.seen.navigation_error or time.monotonic() >= end:
            return recorder.seen


def _missing(seen: PageObservation, expected: Expected) -> bool:
    """Whether something that is expected may still come."""
    socket = seen.socket_for(expected.websocket_url)
    counts = {"sent": socket.sent, "received": socket.received} if socket else {}
    frames = any(not counts.get(direction) for direction in expected.frames)
    return frames or bool(expected.console and not any(expected.console in line.text for line in seen.console))


def _screenshot(session: Session) -> bytes:
    try:
        image = session.call("Page.captureScreenshot", {"format": "png"}, deadline=time.monotonic() + _ANSWER_S)
    except BrowserError:
        # A page whose code never ends cannot be drawn; the verdict does not depend on it.
        return b""
    return base64.b64decode(image.get("data", ""))
