# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have Nginx Proxy Manager request a certificate, and leave the host as it was.

For as long as the request takes, Nginx Proxy Manager takes the hosts of these names off nginx. Afterwards it writes
them again without their access list and without their present certificate, and after a success it does not even reload
nginx. So a host is saved once more after each request, whatever became of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from .api_errors import ApiError, CutError, RejectedError, ServerFaultError
from .certificates import request_remedy, usable_certificate
from .client import ProxyManagerClient
from .host_status import nginx_error, online
from .plan import HostPlan, PlanError
from .probe import ProxyProbe, plain
from .transaction import TransactionError

_POLL_S = 0.5
#: Longest wait for the host to serve again.
_BACK_S = 30.0


class CertificateOrder:
    """One request for a certificate.

    :param email: Address for the authority; ``None`` for that of the account.
    :param timeout_s: Longest wait for the certificate.
    """

    def __init__(
        self, client: ProxyManagerClient, name: str, names: Sequence[str], email: str | None, timeout_s: float
    ) -> None:
        self._client = client
        self._name = name
        self._names = list(names)
        self._email = email
        self._timeout_s = timeout_s

    def request(self) -> int:
        """Request it where no host has one of its names; its id.

        :raises PlanError: If there is none.
        """
        certificate_id, failure = self._request()
        if certificate_id is None:
            raise PlanError(f"proxy host {self._name} gets no certificate: {failure}; nothing was changed")
        return certificate_id

    def request_for(self, host: Mapping[str, Any], plan: HostPlan, probe: ProxyProbe) -> int:
        """Request it for a host that exists; its id.

        :param plan: What is wanted of the host, of which nothing is written here.
        :param probe: Asks where the host answers now.
        :raises TransactionError: If there is no certificate, or if the host does not serve afterwards as before.
        """
        page = plain(probe.endpoint) if probe.endpoint else None
        was_online = online(host) is not False

        def serves() -> bool:
            now = self._client.host(int(host["id"]))
            if (online(now) is not False) is not was_online:
                return False
            if probe.endpoint is None or page is None or not was_online:
                return True
            if not probe.confirm(plan.loaded_before, timeout_s=_POLL_S):
                return False
            seen = plain(probe.endpoint)
            return (seen.status, seen.denied) == (page.status, page.denied)

        try:
            certificate_id, failure = self._request()
        except ApiError:
            self._save_again(host, serves)
            raise
        restored = self._save_again(host, serves)
        if certificate_id is not None and restored:
            return certificate_id
        error = nginx_error(self._client.host(int(host["id"])))
        state = "the host serves as before"
        if not restored:
            state = "the host does not serve as before" + (f" ({error})" if error else "")
            state += ": save it on the page of Nginx Proxy Manager"
        what = f"gets no certificate: {failure}" if failure else f"got certificate {certificate_id}"
        raise TransactionError(f"proxy host {self._name} {what}; {state}", restored)

    def _request(self) -> tuple[int | None, str]:
        """(id, why there is none and what to do)."""
        try:
            return self._client.request_certificate(self._names, self._address(), self._timeout_s), ""
        except (ServerFaultError, RejectedError) as exc:
            text = str(exc).removesuffix("; nothing was changed")
            return None, f"{text}; {request_remedy(text)}"
        except CutError as cut:
            found, why_not = self._await_certificate()
            return found, "" if found else f"{cut}, and {why_not}; {request_remedy('')}"

    def _address(self) -> str:
        return self._email if self._email is not None else self._client.email()

    def _await_certificate(self) -> tuple[int | None, str]:
        """Wait for a request that goes on after its connection has ended.

        It is in the list of certificates until it fails.

        :returns: The id, and why there is none.
        """
        deadline = time.monotonic() + self._timeout_s
        missing = 0
        while True:
            try:
                known = self._client.certificates()
                goes_on = any(set(each.get("domain_names") or ()) == set(self._names) for each in known)
                missing = 0 if goes_on else missing + 1
            except ApiError:
                known = []
            found = usable_certificate(known, self._names, 0, datetime.now(timezone.utc))
            if found is not None:
                return int(found["id"]), ""
            if missing > 1:
                return None, "the request has ended without a certificate"
            if time.monotonic() >= deadline:
                return None, f"there is none after {self._timeout_s:g} s"
            time.sleep(_POLL_S)

    def _save_again(self, host: Mapping[str, Any], serves: Callable[[], bool]) -> bool:
        """Save the host as it is, until it serves as before."""
        body = {"advanced_config": str(host.get("advanced_config") or "")}
        deadline = time.monotonic() + _BACK_S
        while True:
            try:
                self._client.update(int(host["id"]), body)
                if serves():
                    return True
            except ApiError:
                # Nginx Proxy Manager may be busy with nginx, or start again.
                pass
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
