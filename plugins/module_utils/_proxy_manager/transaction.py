# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write to a proxy host so that it serves afterwards: the new configuration, or else the former one.

Nginx Proxy Manager answers 200 to a save that took the host offline, keeps the
bad text and deletes the configuration; so an answer counts for nothing, and
what the API reads back and what the wire answers count.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .client import (
    ApiError,
    CutError,
    ForbiddenError,
    LoginRefusedError,
    NotFoundError,
    ProxyManagerClient,
    RejectedError,
    ServerFaultError,
    UnreachableError,
)
from .version import flag
from .wire import (
    Endpoint,
    Seen,
    await_revision,
    is_served,
    plain,
)

_POLL_S = 0.1
#: After a cut the save may still be under way; a save takes up to 0.3 s.
_SETTLE_S = 0.6
_API_BACK_S = 15.0
#: Answers in a row, 50 ms apart, after which no old worker of nginx takes requests any more.
_ROUNDS = 5
#: A save serves 115 to 140 ms after its answer; waited for where the wire cannot tell old from new.
_IN_FORCE_S = 0.3
_BAD_GATEWAY = (502, 503, 504)


class TransactionError(Exception):
    """A save that failed; one sentence. ``restored`` tells whether the former state serves again."""

    def __init__(self, message: str, restored: bool) -> None:
        super().__init__(message)
        self.restored = restored


@dataclass(frozen=True)
class State:
    """What the running nginx should tell: which block (None for none) on which paths."""

    revision: str | None
    paths: tuple[str, ...]


class Wire:
    """Asks the proxy; without an endpoint everything counts as confirmed."""

    def __init__(self, endpoint: Endpoint | None, timeout_s: float) -> None:
        self.endpoint = endpoint
        self.timeout_s = timeout_s
        self.seen: dict[str, Seen] = {}

    def confirm(self, state: State, timeout_s: float | None = None, rounds: int = _ROUNDS) -> bool:
        """Wait until the proxy serves just this state, so many times in a row."""
        if self.endpoint is None:
            return True
        deadline = time.monotonic() + (self.timeout_s if timeout_s is None else timeout_s)
        if state.paths:
            self.seen = await_revision(self.endpoint, state.paths, state.revision, deadline, rounds)
            if any(each.revision != state.revision or each.status is None for each in self.seen.values()):
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
            time.sleep(_POLL_S / 2)

    def bad_gateway(self, timeout_s: float) -> bool:
        """Whether the proxy does not reach what it forwards to, for as long as this."""
        if self.endpoint is None:
            return False
        deadline = time.monotonic() + timeout_s
        while plain(self.endpoint).status in _BAD_GATEWAY:
            if time.monotonic() >= deadline:
                return True
            time.sleep(_POLL_S)
        return False


def online(host: Mapping[str, Any]) -> bool | None:
    """What the API says of the host; None where it says nothing."""
    value = (host.get("meta") or {}).get("nginx_online")
    return None if value is None else flag(value)


def nginx_words(host: Mapping[str, Any]) -> str:
    """nginx's own line on why it refused the host."""
    text = str((host.get("meta") or {}).get("nginx_err") or "")
    for line in text.splitlines():
        match = re.search(r"\[(?:emerg|alert|crit|error)\] *(?:\d+#\d+: *)?(.+)", line)
        if match:
            return match.group(1).strip()
    return " ".join(text.split())[:300]


def remedy(words: str) -> str:
    """What to do about it."""
    match = re.search(r'"([^"]+)" directive is duplicate', words)
    if match:
        return f'remove "{match.group(1)}" from the Advanced tab, or switch Websockets Support off'
    if "duplicate location" in words:
        return "remove the other location of this path from the Advanced tab or from Custom locations"
    if "host not found in upstream" in words:
        return "check the forward host"
    if "unknown directive" in words or "unexpected" in words:
        return "correct the text in the Advanced tab"
    return "correct the host's configuration"


class Transaction:
    """One write to one host.

    :param state: What serves once the write is in force.
    :param former_state: What serves now.
    """

    def __init__(
        self, client: ProxyManagerClient, host_id: int, name: str, wire: Wire, state: State, former_state: State
    ) -> None:
        self._client = client
        self._id = host_id
        self._name = name
        self._wire = wire
        self._state = state
        self._former_state = former_state
        #: Whether a save was sent that may have been carried out.
        self.sent = False
        #: What had to be done beyond one save.
        self.notes: list[str] = []

    def run(self, body: Mapping[str, Any], former: Mapping[str, Any], served_before: bool) -> dict[str, Any]:
        """Save and confirm; the host as it is then.

        :param body: For a partial PUT, never empty.
        :param former: The values that it replaces.
        :param served_before: Whether the host answered properly before.
        :raises TransactionError: After the former values were put back, as far as that is possible.
        :raises ApiError: If nothing was changed.
        """
        moved = any(key.startswith("forward_") for key in body) and served_before
        moved = moved and not self._wire.bad_gateway(0)
        self._save(body, former)
        host = self._read()
        if online(host) is False and not self._own_fault(host):
            # Another save at the same time got in the way; the text itself is not refused.
            self.notes.append("the save was disturbed by another one and was repeated")
            self._save(body, former)
            host = self._read()
        if online(host) is False:
            words = nginx_words(host)
            self._fail(former, f"went offline after the save ({words or 'without a reason in the API'})", remedy(words))
        if self._state == self._former_state:
            time.sleep(_IN_FORCE_S)
        if not self._wire.confirm(self._state):
            self.notes.append("the running nginx did not take the save and it was repeated")
            self._save(body, former)
            if not self._wire.confirm(self._state):
                self._fail(
                    former,
                    f"did not take the new configuration into service within {self._wire.timeout_s:g} s "
                    f"({self._answers()})",
                    "check the log of Nginx Proxy Manager and that proxy_address is its nginx",
                )
        if moved and self._wire.bad_gateway(self._wire.timeout_s):
            self._fail(
                former,
                "cannot reach what it forwards to with the new settings (502 to 504), and could before",
                "check forward_scheme, forward_host and forward_port",
            )
        return host

    def _answers(self) -> str:
        return ", ".join(f"{path}: {seen}" for path, seen in self._wire.seen.items()) or "it is not served"

    def _own_fault(self, host: Mapping[str, Any]) -> bool:
        """Whether nginx's words name this host's own file, or one that it includes: none of another host."""
        text = str((host.get("meta") or {}).get("nginx_err") or "")
        return f"/proxy_host/{self._id}.conf" in text or not re.search(r"/nginx/\w+/\d+\.conf", text)

    def _save(self, body: Mapping[str, Any], former: Mapping[str, Any]) -> None:
        try:
            self._client.update(self._id, body)
            self.sent = True
        except CutError as cut:
            self.sent = True
            self._after_cut(cut, body, former)
        except ServerFaultError as fault:
            self.sent = True
            self._after_fault(fault, body, former)

    def _after_cut(self, cut: CutError, body: Mapping[str, Any], former: Mapping[str, Any]) -> None:
        self.notes.append("the connection was cut after the save was sent")
        time.sleep(_SETTLE_S)
        host = self._read()
        if all(same(host.get(key), value) for key, value in body.items()):
            return
        try:
            self._client.update(self._id, body)
        except CutError:
            raise self._unknown(f"{cut}, and so did the next one") from None
        except ServerFaultError as fault:
            self._after_fault(fault, body, former)

    def _read(self) -> dict[str, Any]:
        """What became of a save; the API may be away for a moment."""
        deadline = time.monotonic() + _API_BACK_S
        while True:
            try:
                return self._client.host(self._id)
            except (UnreachableError, ServerFaultError):
                if time.monotonic() >= deadline:
                    what = f"the save was sent, and the API did not come back within {_API_BACK_S:g} s"
                    raise self._unknown(what) from None
                time.sleep(_POLL_S)

    def _unknown(self, what: str) -> TransactionError:
        return TransactionError(
            f"proxy host {self._name}: {what}, so that nobody knows what became of the save; run again once Nginx "
            "Proxy Manager answers, which finishes it",
            restored=False,
        )

    def _after_fault(self, fault: ServerFaultError, body: Mapping[str, Any], former: Mapping[str, Any]) -> None:
        """A 500 has changed the database: put the former values back, which may answer 500 again.

        Tried once more before, since a save of somebody else breaks nginx for a moment too.
        """
        time.sleep(_SETTLE_S)
        try:
            self._client.update(self._id, body)
        except (ServerFaultError, CutError, UnreachableError):
            pass
        else:
            self.notes.append("nginx was broken by something else for a moment, and the save was repeated")
            return
        try:
            self._client.update(self._id, former)
        except (ServerFaultError, CutError, UnreachableError):
            time.sleep(_POLL_S)
        host = self._read()
        back = all(same(host.get(key), value) for key, value in former.items())
        serving = self._wire.confirm(self._former_state)
        raise TransactionError(
            f"proxy host {self._name}: {fault}; nginx is broken by something else than this host, "
            f"{'the former values are back in the database' if back else 'the new values are in the database'} and "
            f"the former configuration {'goes on serving' if serving else 'does not answer'}; "
            "repair what nginx -t in Nginx Proxy Manager's container names, then run again",
            restored=back and serving,
        ) from None

    def _fail(self, former: Mapping[str, Any], what: str, advice: str) -> None:
        """Put the former values back, see that they serve, and say all of it."""
        back, serving = self.put_back(former)
        if back and serving:
            state = "the former configuration is back and serving"
        elif back:
            state = "the former values are back, but the host does not serve, as it did not before or for another cause"
        else:
            state = "the former configuration could not be put back"
        raise TransactionError(f"proxy host {self._name} {what}; {state}; {advice}", restored=back and serving)

    def put_back(self, former: Mapping[str, Any]) -> tuple[bool, bool]:
        """(the former values are in the database, they serve)."""
        tries, deadline = 0, time.monotonic() + _API_BACK_S
        while tries < 2:
            try:
                self._client.update(self._id, former)
                host = self._client.host(self._id)
            except (ForbiddenError, LoginRefusedError, NotFoundError, RejectedError):
                break
            except ApiError:
                if time.monotonic() >= deadline:
                    break
                time.sleep(_SETTLE_S)
                continue
            tries += 1
            if online(host) is False:
                continue
            # Until then the wire may show what served before all of it.
            time.sleep(_IN_FORCE_S)
            if self._wire.confirm(self._former_state):
                return True, True
        try:
            host = self._client.host(self._id)
        except ApiError:
            return False, False
        back = all(same(host.get(key), value) for key, value in former.items())
        return back, False


def same(current: Any, wanted: Any) -> bool:
    """Whether the API's value is this one, whatever type its version has for it."""
    if isinstance(wanted, bool):
        return flag(current) is wanted
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return list(current or ()) == list(wanted)
    return bool(current == wanted) or (not current and not wanted)
