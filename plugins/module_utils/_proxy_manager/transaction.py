# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Save a proxy host so that it serves afterwards: the new configuration, or else the previous one.

Nginx Proxy Manager answers 200 to a save that took the host offline, keeps the
bad text and deletes the configuration. So its answer proves nothing; what the
API reads back and what the proxy answers do.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .access_guard import AccessGuard
from .advanced_text import LoadedState
from .api_errors import (
    ApiError,
    CutError,
    ForbiddenError,
    LoginRefusedError,
    NotFoundError,
    RejectedError,
    ServerFaultError,
    UnreachableError,
)
from .client import ProxyManagerClient
from .host_status import is_own_fault, nginx_error, online, remedy
from .plan import has_values
from .probe import ProxyProbe

_POLL_S = 0.1
#: After a cut the save may still be under way; a save takes up to 0.3 s.
_SETTLE_S = 0.6
_API_BACK_S = 15.0
#: A save is in force 115 to 140 ms after its answer; waited for if the answers of old and new cannot be told apart.
_IN_FORCE_S = 0.3


class TransactionError(Exception):
    """A save that failed; one sentence. ``restored`` tells whether the previous configuration is active again."""

    def __init__(self, message: str, restored: bool) -> None:
        super().__init__(message)
        self.restored = restored


@dataclass(frozen=True)
class Change:
    """What a save replaces.

    :param body: For a partial PUT, never empty.
    :param previous: The values that it replaces.
    :param state: What the running nginx shows once the save is in force.
    :param previous_state: What it shows now.
    :param was_offline: Whether the host is offline with the previous values.
    """

    body: Mapping[str, Any]
    previous: Mapping[str, Any]
    state: LoadedState
    previous_state: LoadedState
    was_offline: bool = False


class Transaction:
    """One save of one host.

    :param probe: Asks where the host answers once the save is in force.
    :param previous_probe: Asks where it answers now.
    :param guard: Compares who is let in.
    """

    def __init__(
        self,
        client: ProxyManagerClient,
        host_id: int,
        name: str,
        probe: ProxyProbe,
        previous_probe: ProxyProbe,
        change: Change,
        guard: AccessGuard,
    ) -> None:
        self._client = client
        self._id = host_id
        self._name = name
        self._probe = probe
        self._previous_probe = previous_probe
        self._change = change
        self._body = change.body
        self._previous = change.previous
        self._state = change.state
        self._previous_state = change.previous_state
        self._guard = guard
        #: Whether a save was sent that may have been carried out.
        self.sent = False
        #: What was necessary beyond one save.
        self.notes: list[str] = []
        #: Why the proxy does not reach what it forwards to; empty if it does, or if that was not changed.
        self.forward_failure = ""

    def run(self, served_before: bool) -> dict[str, Any]:
        """Save and confirm; the host as it is then.

        :param served_before: Whether the host was online before.
        :raises TransactionError: After the previous values were restored, as far as that is possible.
        :raises ApiError: If nothing was changed.
        """
        forwards_elsewhere = any(key.startswith("forward_") for key in self._body)
        reached_before = forwards_elsewhere and served_before and not self._previous_probe.application_failure(0)
        self._guard.look_before(self._previous_probe.endpoint, served_before)
        self._save()
        host = self._read()
        if online(host) is False and not is_own_fault(host):
            # Another save at the same time broke the test; nginx does not refuse this text.
            self.notes.append("the save was disturbed by another one and was repeated")
            self._save()
            host = self._read()
        if online(host) is False:
            error = nginx_error(host) or "without a reason in the API"
            what = "is offline, as it was before" if self._change.was_offline else "went offline after the save"
            raise self._failed(f"{what} ({error})", remedy(error))
        self._confirm(reached_before)
        if forwards_elsewhere:
            self._require_application(reached_before)
        self.require_access()
        return host

    def require_access(self, revision: str | None = None) -> None:
        """Restore the previous values if the save lets in others than the host did.

        :param revision: The block that every answer has to be of; otherwise nothing is concluded.
        :raises TransactionError: After that.
        """
        difference = self._guard.difference(self._probe.endpoint, revision)
        if difference:
            raise self._failed(
                difference,
                "the block does not have the access rules and headers that the host has: set O(access_list_rules) to "
                "refuse, and report this with the version of Nginx Proxy Manager",
            )

    def _require_application(self, reached_before: bool) -> None:
        """Restore the previous values if the new forward address does not answer, and the previous one did."""
        self.forward_failure = self._probe.application_failure(self._probe.timeout_s if reached_before else 0)
        # No answer at all is no proof of anything, also where there was none before.
        if self.forward_failure and (reached_before or not self.forward_failure.isdigit()):
            before = ", and could before" if reached_before else ""
            raise self._failed(
                f"cannot reach what it forwards to with the new settings ({self.forward_failure}){before}",
                "check the forward address",
            )

    def _confirm(self, reached_before: bool) -> None:
        """Wait until the running nginx shows the new state, after one repetition of the save if necessary."""
        shown = True
        if self._state == self._previous_state:
            time.sleep(_IN_FORCE_S)
        elif self._state.revision is not None:
            shown = self._probe.confirm(self._state, rounds=1)
            if shown:
                # Wrong access rules are not left in force for as long as old workers may answer.
                self.require_access(self._state.revision)
        if shown and self._probe.confirm(self._state):
            return
        if reached_before:
            # An application that does not answer hides which configuration is in force.
            self._require_application(reached_before)
        self.notes.append("the running nginx did not load the save and it was repeated")
        self._save()
        if not self._probe.confirm(self._state):
            answers = ", ".join(f"{path}: {seen}" for path, seen in self._probe.seen.items()) or "it is not served"
            raise self._failed(
                f"did not load the new configuration within {self._probe.timeout_s:g} s ({answers})",
                "check the log of Nginx Proxy Manager and that O(proxy_address) is its nginx",
            )

    def _save(self) -> None:
        try:
            self._client.update(self._id, self._body)
            self.sent = True
        except CutError as cut:
            self.sent = True
            self._after_cut(cut)
        except ServerFaultError as fault:
            self.sent = True
            self._after_fault(fault)

    def _after_cut(self, cut: CutError) -> None:
        """Read whether the save was carried out, and repeat it otherwise."""
        self.notes.append("the connection was cut after the save was sent")
        time.sleep(_SETTLE_S)
        if has_values(self._read(), self._body):
            return
        try:
            self._client.update(self._id, self._body)
        except CutError:
            raise self._unknown(f"{cut}, and so did the next one") from None
        except ServerFaultError as fault:
            self._after_fault(fault)

    def _after_fault(self, fault: ServerFaultError) -> None:
        """Restore the previous values after a 500, which has changed the database; that may answer 500 again.

        The save is repeated once before, since another save breaks nginx for a moment too.
        """
        time.sleep(_SETTLE_S)
        try:
            self._client.update(self._id, self._body)
        except (ServerFaultError, CutError, UnreachableError):
            pass
        else:
            self.notes.append("nginx was broken by something else for a moment, and the save was repeated")
            return
        try:
            self._client.update(self._id, self._previous)
        except (ServerFaultError, CutError, UnreachableError):
            time.sleep(_POLL_S)
        restored = has_values(self._read(), self._previous)
        serving = self._previous_probe.confirm(self._previous_state)
        raise TransactionError(
            f"proxy host {self._name}: {fault}; nginx is broken by something else than this host, "
            f"{'the previous values are restored' if restored else 'the new values are'} in the database and "
            f"the previous configuration {'keeps serving' if serving else 'does not answer'}; "
            "repair what nginx -t in the container of Nginx Proxy Manager names, then run again",
            restored=restored and serving,
        ) from None

    def _read(self) -> dict[str, Any]:
        """The host as it is now; the API may be away for a moment."""
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
            f"proxy host {self._name}: {what}, so that it is unknown whether the save was carried out; run again once "
            "Nginx Proxy Manager answers, which finishes it",
            restored=False,
        )

    def _failed(self, what: str, advice: str) -> TransactionError:
        """Restore the previous values and return the error that says all of it."""
        restored, serving = self._restore()
        if restored and serving:
            state = "the previous configuration is restored and serving"
        elif restored and self._change.was_offline:
            state = "the previous values are restored"
        elif restored:
            state = (
                "the previous values are restored, but the host does not serve, as it did not before or for another "
                "cause"
            )
        else:
            state = "the previous configuration could not be restored"
        return TransactionError(f"proxy host {self._name} {what}; {state}; {advice}", restored=restored and serving)

    def _restore(self) -> tuple[bool, bool]:
        """(the previous values are in the database, they are served)."""
        tries, deadline = 0, time.monotonic() + _API_BACK_S
        while tries < 2:
            try:
                self._client.update(self._id, self._previous)
                host = self._client.host(self._id)
            except (ForbiddenError, LoginRefusedError, NotFoundError, RejectedError):
                break
            except ApiError:
                if time.monotonic() >= deadline:
                    break
                time.sleep(_SETTLE_S)
                continue
            tries += 1
            if online(host) is False and self._change.was_offline:
                break
            if online(host) is False:
                continue
            # Until then the answers may be those from before the save.
            time.sleep(_IN_FORCE_S)
            if self._previous_probe.confirm(self._previous_state):
                return True, True
        try:
            return has_values(self._client.host(self._id), self._previous), False
        except ApiError:
            return False, False
