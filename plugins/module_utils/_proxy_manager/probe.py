# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the proxy answers for a host name: a WebSocket handshake or an ordinary request, sent to its address."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._host.http import NoAnswerError, request
from .._host.tls import client_context
from .._host.url import DEFAULT_PORTS, Url
from .._websocket.handshake import open_once
from .._websocket.target import parse_target
from .advanced_text import REVISION_HEADER, LoadedState, digest
from .answer import ProxyAnswer, is_denial, shows

_POLL_S = 0.05
#: Answers in a row, 50 ms apart, after which no old worker of nginx accepts requests any more.
_ROUNDS = 5
_BAD_GATEWAY = (502, 503, 504)
# A host name that nobody serves, so that the default site of the proxy answers.
_NOBODY = "nobody.invalid"


@dataclass(frozen=True)
class ProxyEndpoint:
    """A proxy by its address, and the host name to ask for.

    :param address: An IPv6 address without brackets.
    """

    address: str
    port: int
    host_name: str
    tls: bool = False

    @property
    def url(self) -> Url:
        scheme = "https" if self.tls else "http"
        port = None if self.port == DEFAULT_PORTS[scheme] else self.port
        return Url(scheme, self.host_name, port, "/")


def handshake(
    endpoint: ProxyEndpoint, path: str, timeout_s: float = 5.0, login: tuple[str, str] | None = None
) -> ProxyAnswer:
    """Open a WebSocket on a path and close it again.

    :param login: Name and password for basic authentication.
    """
    url = endpoint.url
    address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    target = parse_target(
        {
            "name": endpoint.host_name,
            "url": f"{'wss' if endpoint.tls else 'ws'}://{url.authority}{path}",
            "vantage": "proxy",
            "connect_to": f"{address}:{endpoint.port}",
            "origin": url.origin,
            "secret_headers": _login_headers(login),
            # The question is which configuration answers; whether browsers trust the certificate is verified elsewhere.
            "validate_certs": False,
        }
    )
    seen = open_once(target, timeout_s)
    if seen.answer is None:
        return ProxyAnswer(error=seen.detail or "no answer in time")
    challenge = seen.answer.header("WWW-Authenticate") or ""
    return ProxyAnswer(
        seen.answer.status,
        seen.opened,
        seen.answer.header(REVISION_HEADER),
        denied=is_denial(seen.answer.status, challenge, seen.answer.text),
        headers=frozenset(name.lower() for name, _ in seen.answer.headers),
    )


def plain(
    endpoint: ProxyEndpoint, path: str = "/", timeout_s: float = 5.0, login: tuple[str, str] | None = None
) -> ProxyAnswer:
    """Send an ordinary request for a path.

    :param login: Name and password for basic authentication.
    """
    try:
        answer = request(
            replace(endpoint.url, path=path),
            timeout_s=timeout_s,
            headers=_login_headers(login),
            connect_to=(endpoint.address, endpoint.port),
            context=client_context(verify=False),
        )
    except NoAnswerError as error:
        return ProxyAnswer(error=error.cause)
    body = answer.body.decode("latin-1")
    return ProxyAnswer(
        answer.status,
        False,
        answer.header(REVISION_HEADER),
        digest(body),
        denied=is_denial(answer.status, answer.header("WWW-Authenticate") or "", body),
        headers=frozenset(name.lower() for name, _ in answer.headers),
    )


def _login_headers(login: tuple[str, str] | None) -> dict[str, str]:
    if login is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"}


def is_served(endpoint: ProxyEndpoint, timeout_s: float = 5.0) -> bool | None:
    """Whether the proxy has a configuration for this host name: its answer differs from that of the default site.

    ``None`` if nothing answers at all.
    """
    wanted = plain(endpoint, "/", timeout_s)
    default = plain(replace(endpoint, host_name=_NOBODY), "/", timeout_s)
    if wanted.status is None and default.status is None:
        return None
    return (wanted.status, wanted.body_digest) != (default.status, default.body_digest)


@dataclass
class ProxyProbe:
    """Compares what the proxy answers with a state; without an endpoint, every state counts as confirmed.

    :param timeout_s: Longest wait for a state.
    :param seen: The latest answers, by path.
    """

    endpoint: ProxyEndpoint | None
    timeout_s: float = 0.0
    seen: Mapping[str, ProxyAnswer] = field(default_factory=dict)

    def ask(self, paths: Sequence[str]) -> dict[str, ProxyAnswer]:
        """The answers to a handshake on each path."""
        return {path: handshake(self.endpoint, path) for path in paths} if self.endpoint else {}

    def confirm(self, state: LoadedState, timeout_s: float | None = None, rounds: int = _ROUNDS) -> bool:
        """Wait until the proxy serves exactly this state.

        :param rounds: Answers in a row that have to show it, since old and new workers answer during a reload.
        """
        if self.endpoint is None:
            return True
        deadline = time.monotonic() + (self.timeout_s if timeout_s is None else timeout_s)
        if state.paths:
            self.seen = await_state(self.endpoint, state, deadline, rounds)
            if not shows(self.seen, state):
                return False
            if state.revision is not None:
                return True
        good = 0
        while True:
            good = good + 1 if is_served(self.endpoint) else 0
            if good >= rounds:
                return True
            if not good and time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)

    def application_failure(self, timeout_s: float) -> str:
        """Why the proxy does not reach the application, for as long as this; empty if it does.

        No answer in time is no proof that it does.
        """
        if self.endpoint is None:
            return ""
        deadline = time.monotonic() + timeout_s
        while True:
            seen = plain(self.endpoint)
            if seen.status is not None and seen.status not in _BAD_GATEWAY:
                return ""
            if time.monotonic() >= deadline:
                return str(seen)
            time.sleep(_POLL_S)


def await_state(
    endpoint: ProxyEndpoint, state: LoadedState, deadline: float, rounds: int = 1, timeout_s: float = 5.0
) -> dict[str, ProxyAnswer]:
    """Send handshakes until all paths show the state so many times in a row, or the deadline passes.

    :param deadline: By the clock of ``time.monotonic()``; each path is asked at least once.
    """
    good = 0
    while True:
        seen = {path: handshake(endpoint, path, timeout_s) for path in state.paths}
        good = good + 1 if shows(seen, state) else 0
        if good >= rounds or (not good and time.monotonic() >= deadline):
            return seen
        time.sleep(_POLL_S)
