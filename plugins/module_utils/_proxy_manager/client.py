# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP API of Nginx Proxy Manager, with its errors told apart.

A caller must know whether a request that failed had been sent, since what was
sent may have been carried out.
"""

from __future__ import annotations

import calendar
import contextlib
import json
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._host.http import CONNECT, EXCHANGE, Answer, Connection, NoAnswerError
from .._host.json_text import json_value
from .api_address import ApiAddress
from .api_errors import (
    ApiError,
    CutError,
    ForbiddenError,
    LoginRefusedError,
    NotFoundError,
    RejectedError,
    ServerFaultError,
    TwoFactorError,
    UnreachableError,
)
from .private_files import TokenStore
from .version import OLDEST, Version, hides_permission, parse_version, refuses_token, takes_email

#: Lines of certbot, and of Node.js on it, that have no reason: the first has the whole command.
_SAYS_NOTHING = re.compile(r"Error$|Command failed: |Saving debug log to |Ask for help or ")
# A list of some thousand hosts is about 5 MiB.
MAX_ANSWER = 33554432


@dataclass(frozen=True)
class Credentials:
    """Either name and password or a token."""

    identity: str | None = None
    secret: str | None = None
    token: str | None = None


class ProxyManagerClient:
    """One account at one Nginx Proxy Manager.

    :param timeout_s: For one request; a save takes the time of a test and a reload of nginx.
    """

    def __init__(
        self,
        address: ApiAddress,
        credentials: Credentials,
        store: TokenStore | None = None,
        timeout_s: float = 30.0,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.address = address
        #: Methods and paths of all requests, in order.
        self.calls: list[str] = []
        self._credentials = credentials
        self._store = store
        self._timeout_s = timeout_s
        self._tls_context = tls_context
        self._version: Version | None = None
        self._token: str | None = None
        self._token_is_fresh = False
        self._accepted = False

    # Requests.

    def _send(
        self, method: str, path: str, body: Any, token: str | None, timeout_s: float | None = None
    ) -> tuple[int, Any]:
        """Send one request; its status and, if the answer is JSON, the content of it."""
        shown = f"{method} {path.partition('?')[0]}"
        self.calls.append(shown)
        headers = {"Host": self.address.server.authority, "Accept": "application/json", "Connection": "close"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json; charset=UTF-8"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = self._exchange(method, f"{self.address.base}{path}", headers, data, timeout_s or self._timeout_s)
        except NoAnswerError as error:
            if error.stage != EXCHANGE:
                raise self._unreachable(error) from None
            raise self._cut(shown, error.cause) from None
        if answer.truncated and len(answer.body) >= MAX_ANSWER:
            raise ApiError(f"{self.address.url} answers more than {MAX_ANSWER} bytes to {shown}")
        if answer.truncated:
            raise self._cut(shown, "in the middle of the answer")
        try:
            return answer.status, json_value(answer.body) if answer.body else None
        except ValueError:
            return answer.status, None

    def _exchange(
        self, method: str, resource: str, headers: Mapping[str, str], data: bytes | None, timeout_s: float
    ) -> Answer:
        deadline = time.monotonic() + timeout_s
        opened = Connection(self.address.server, deadline, context=self._tls_context)
        with contextlib.closing(opened) as connection:
            return connection.exchange(method, resource, headers, deadline, body=data, body_limit=MAX_ANSWER)

    def _unreachable(self, error: NoAnswerError) -> UnreachableError:
        if error.stage == CONNECT:
            return UnreachableError(
                f"Nginx Proxy Manager's API at {self.address.url} cannot be reached ({error.cause}); "
                "check that it runs and that O(api_url) is its admin port (81 by default)"
            )
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return UnreachableError(
                f"the certificate of Nginx Proxy Manager at {self.address.url} is not trusted "
                f"({error.__cause__.verify_message}); give O(ca_path), or set O(validate_certs) to false if it is "
                "self-signed"
            )
        return UnreachableError(
            f"Nginx Proxy Manager at {self.address.url} does not speak TLS there ({error.cause}); "
            "use http:// if its admin port has no TLS"
        )

    def _cut(self, shown: str, cause: str) -> ApiError:
        what = f"the connection to {self.address.url} ended during {shown} ({cause})"
        if shown.startswith("GET "):
            return UnreachableError(f"{what}; check that Nginx Proxy Manager runs")
        return CutError(what)

    # Version and login.

    @property
    def version(self) -> Version:
        """The version that answers.

        :raises ApiError: If it is not Nginx Proxy Manager, or too old.
        """
        if self._version is None:
            status, answer = self._send("GET", "/", None, None)
            version = parse_version(answer)
            if status != 200 or version is None:
                if status in (502, 503, 504):
                    raise UnreachableError(
                        f"Nginx Proxy Manager at {self.address.url} answers {status}; it is starting, or its backend "
                        "is down (see its log)"
                    )
                raise ApiError(
                    f"{self.address.url} does not answer like Nginx Proxy Manager (status {status}); "
                    "check that O(api_url) is its admin port (81 by default)"
                )
            if version < OLDEST:
                raise ApiError(
                    f"Nginx Proxy Manager at {self.address.url} is version {version}; expected {OLDEST} or newer"
                )
            self._version = version
        return self._version

    def _authorise(self) -> str:
        if self._token is not None:
            return self._token
        if self._credentials.token is not None:
            self._token = self._credentials.token
            return self._token
        stored = self._store.load() if self._store else None
        if stored is not None:
            self._token = stored
            return stored
        return self._login()

    def _login(self) -> str:
        identity, secret = self._credentials.identity, self._credentials.secret
        status, answer = self._send("POST", "/tokens", {"identity": identity, "secret": secret}, None)
        where = f"Nginx Proxy Manager at {self.address.url}"
        answer = answer if isinstance(answer, Mapping) else {}
        if status == 200 and answer.get("requires_2fa"):
            raise TwoFactorError(
                f"the account {identity} of {where} has two-factor login, which no unattended run can pass; "
                "create a separate account for deployments, without it and with permission to manage proxy hosts"
            )
        token = answer.get("token")
        if status == 200 and isinstance(token, str) and token:
            self._token, self._token_is_fresh = token, True
            if self._store:
                self._store.save(token, _lifetime_s(answer.get("expires")))
            return token
        if status in (400, 401, 403):
            raise LoginRefusedError(
                f"{where} refused the login of {identity} (status {status}: {self._words(answer)}); "
                "check O(identity) and O(secret)"
            )
        raise ApiError(f"{where} answered {status} to the login of {identity} ({self._words(answer)}); see its log")

    def _words(self, answer: Any) -> str:
        """What the server says of an error, on one line and without the secrets of the login."""
        error = answer.get("error") if isinstance(answer, Mapping) else None
        text = error.get("message") if isinstance(error, Mapping) else error
        text = failed_command(answer) or text
        shown = " ".join(str(text).split())[:400] if text else "no reason given"
        for secret in (self._credentials.secret, self._credentials.token, self._token):
            if secret and len(secret) > 3:
                shown = shown.replace(secret, "***")
        return shown

    # Calls.

    def call(self, method: str, path: str, body: Any = None, timeout_s: float | None = None) -> Any:
        """Send a request with the token and return the answer's JSON.

        A token that is not accepted (any more) is replaced once, if name and password are known.

        :param timeout_s: Longest wait for the answer, if it is not that of other requests.
        :raises ApiError: One of its kinds, by what can be done about it.
        """
        version = self.version
        status, answer = self._send(method, path, body, self._authorise(), timeout_s)
        refused = refuses_token(version, status, self._words(answer), self._accepted)
        if refused and not self._token_is_fresh and self._credentials.token is None:
            # Stored by an earlier task, or expired meanwhile; the request was not carried out.
            if self._store:
                self._store.forget()
            self._token = None
            status, answer = self._send(method, path, body, self._login(), timeout_s)
            refused = refuses_token(version, status, self._words(answer), self._accepted)
        if status in (200, 201):
            # From now on, a token that is not accepted has expired, and a new login helps.
            self._accepted, self._token_is_fresh = True, False
            return answer
        raise self._error(method, path, status, answer, refused)

    def _error(self, method: str, path: str, status: int, answer: Any, token_refused: bool) -> ApiError:
        words = self._words(answer)
        where = f"Nginx Proxy Manager at {self.address.url}"
        what = f"{where} answered {status} to {method} {path.partition('?')[0]} ({words})"
        account = "the token" if self._credentials.token is not None else f"the account {self._credentials.identity}"
        if self._credentials.token is not None and token_refused:
            since = " any more" if self._accepted else ""
            return LoginRefusedError(
                f"{where} does not accept the token{since} (status {status}: {words}); it is "
                "expired, malformed or of an account without permission: use a new one, or O(identity) and O(secret), "
                "with which a run logs in again by itself"
            )
        if token_refused and status in (400, 401):
            return LoginRefusedError(f"{what}: {account} is not accepted any more; log in again")
        if status == 403 or (status == 404 and self._lacks_permission(method, path)):
            return ForbiddenError(f"{what}: {account} may not do this; {_permission(method, path)}")
        if status == 404:
            return NotFoundError(what)
        if status == 400:
            return RejectedError(f"{what}; nothing was changed")
        if status == 504 and method != "GET":
            return CutError(f"a proxy in front of Nginx Proxy Manager did not wait for its answer: {what}")
        if status >= 500:
            return ServerFaultError(what)
        return ApiError(what)

    def _lacks_permission(self, method: str, path: str) -> bool:
        """Whether a 404 stands for a missing permission: a list always exists, and an object that can be read does."""
        if not hides_permission(self.version):
            return not self._accepted
        if not re.search(r"/[0-9]+$", path.partition("?")[0]):
            return True
        return method != "GET" and self._send("GET", path, None, self._token)[0] == 200

    # Objects.

    def hosts(self) -> list[dict[str, Any]]:
        """All proxy hosts that the account sees."""
        answer = self.call("GET", "/nginx/proxy-hosts")
        if not isinstance(answer, list):
            raise ApiError(f"{self.address.url} answered the list of proxy hosts with something else; see its log")
        return [each for each in answer if isinstance(each, dict)]

    def host(self, host_id: int) -> dict[str, Any]:
        """One proxy host.

        :raises NotFoundError: Also if the answer is 200 and empty (2.11.3).
        """
        answer = self.call("GET", f"/nginx/proxy-hosts/{host_id}")
        if not isinstance(answer, dict) or "domain_names" not in answer:
            raise NotFoundError(f"proxy host {host_id} does not exist any more")
        return answer

    def update(self, host_id: int, body: Mapping[str, Any]) -> None:
        self.call("PUT", f"/nginx/proxy-hosts/{host_id}", dict(body))

    def create(self, body: Mapping[str, Any]) -> int:
        answer = self.call("POST", "/nginx/proxy-hosts", dict(body))
        return int(answer["id"])

    def delete(self, host_id: int) -> None:
        self.call("DELETE", f"/nginx/proxy-hosts/{host_id}")

    def access_lists(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/nginx/access-lists?expand=items,clients")
        return [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []

    def certificates(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/nginx/certificates")
        return [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []

    def request_certificate(self, names: Sequence[str], email: str, timeout_s: float) -> int:
        """Have a certificate for these names requested from Let's Encrypt; its id.

        :param email: For versions that take it from the request; others use that of the account.
        """
        meta: dict[str, Any] = {"dns_challenge": False}
        if takes_email(self.version):
            meta |= {"letsencrypt_email": email, "letsencrypt_agree": True}
        body = {"provider": "letsencrypt", "domain_names": list(names), "meta": meta}
        return int(self.call("POST", "/nginx/certificates", body, timeout_s)["id"])

    def email(self) -> str:
        """The e-mail address of the account; empty if the API does not tell it."""
        answer = self.call("GET", "/users/me")
        return str(answer.get("email") or "") if isinstance(answer, Mapping) else ""

    def permission(self) -> tuple[str | None, str | None]:
        """(what the account may do with proxy hosts, whose it sees), ``None`` for what the version does not tell.

        The first is ``manage``, ``view`` or ``hidden``, the second ``all`` or ``user``.
        """
        try:
            answer = self.call("GET", "/users/me?expand=permissions")
        except (ForbiddenError, NotFoundError, RejectedError, ServerFaultError):
            return None, None
        if not isinstance(answer, Mapping):
            return None, None
        if "admin" in (answer.get("roles") or ()):
            return "manage", "all"
        permissions = answer.get("permissions")
        if not isinstance(permissions, Mapping):
            return None, None
        return permissions.get("proxy_hosts"), permissions.get("visibility")


def failed_command(answer: Any) -> str:
    """What a command said that Nginx Proxy Manager ran and that failed; empty if it was not that.

    An answer on a certificate has the stack of the error, in which is what certbot said.
    """
    debug = answer.get("debug") if isinstance(answer, Mapping) else None
    stack = debug.get("stack") if isinstance(debug, Mapping) else None
    lines = [str(each) for each in stack] if isinstance(stack, list) else []
    said = [re.sub(r"^(?:\w*Error: )+", "", line).strip() for line in lines if not re.match(r"\s+at ", line)]
    return " ".join(line for line in said if line and not _SAYS_NOTHING.match(line))


def _permission(method: str, path: str) -> str:
    """The permission that a request needs, as the page of Nginx Proxy Manager calls it."""
    if method != "GET" and path.startswith("/nginx/certificates"):
        return "give it the permission to manage certificates (and to see all of them, not only its own)"
    for resource, name in (("/nginx/access-lists", "access lists"), ("/nginx/certificates", "certificates")):
        if path.startswith(resource):
            return f"give it the permission to view {name} (and to see all of them, not only its own)"
    return "give it the permission to manage proxy hosts (and to see all of them, not only its own)"


def _lifetime_s(expires: object) -> float:
    """Seconds until a token expires, as the server says; an hour if that is unreadable."""
    match = re.match(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", expires) if isinstance(expires, str) else None
    if not match:
        return 3600.0
    return calendar.timegm((*(int(part) for part in match.groups()), 0, 0, 0)) - time.time()
