# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP API of Nginx Proxy Manager, with its errors told apart.

On ``http.client``, since the transaction must know whether a request that
failed had been sent: what was sent may have been carried out.
"""

from __future__ import annotations

import calendar
import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from .version import (
    OLDEST,
    Version,
    parse_version,
    refusals,
)

# A list of some thousand hosts is about 5 MiB.
MAX_ANSWER = 33554432


class ApiError(Exception):
    """A call that failed; the text is one sentence without secrets."""


class UnreachableError(ApiError):
    """No answer; the request had no effect, or was one that has none."""


class CutError(ApiError):
    """The connection ended after a writing request was sent: it may have been carried out or not."""


class LoginRefusedError(ApiError):
    """Name, password or token are not accepted."""


class TwoFactorError(LoginRefusedError):
    """The account wants a second factor."""


class ForbiddenError(ApiError):
    """The account may not do this."""


class NotFoundError(ApiError):
    """The object is not there (any more)."""


class RejectedError(ApiError):
    """The request was refused as malformed or impossible; nothing was changed."""


class ServerFaultError(ApiError):
    """Status 500: the database has probably changed, the configuration on disk has not."""


@dataclass(frozen=True)
class Credentials:
    """Either name and password or a token."""

    identity: str | None = None
    secret: str | None = None
    token: str | None = None


class TokenStore(Protocol):
    """Keeps the token between the tasks of a run."""

    def load(self) -> str | None: ...

    def save(self, token: str, lifetime_s: float) -> None: ...

    def forget(self) -> None: ...


@dataclass(frozen=True)
class Address:
    """Where the API is."""

    tls: bool
    host: str
    port: int
    base: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.base}"


def parse_api_url(url: str) -> Address:
    """Read the address of the admin interface, with or without ``/api``.

    :raises ValueError: One sentence on what is wrong; a password in the URL is not repeated.
    """
    expected = "expected one like http://npm.example.com:81"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"api_url cannot be read as a URL; {expected}") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"api_url contains a user name; {expected} and use identity and secret")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"api_url is {url!r}; {expected}")
    if parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", url):
        raise ValueError(f"api_url is {url!r}; {expected}, without anything behind the path")
    base = re.sub(r"/api/?$", "", parts.path.rstrip("/"))
    tls = parts.scheme == "https"
    return Address(tls, parts.hostname, port or (443 if tls else 80), f"{base}/api")


class ProxyManagerClient:
    """One account at one Nginx Proxy Manager.

    :param timeout_s: For one request; a save takes the time of a test and a reload of nginx.
    """

    def __init__(
        self,
        address: Address,
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

    # Connection.

    def _send(self, method: str, path: str, body: Any, token: str | None) -> tuple[int, Any]:
        writing = method != "GET"
        connection: http.client.HTTPConnection
        if self.address.tls:
            connection = http.client.HTTPSConnection(
                self.address.host, self.address.port, timeout=self._timeout_s, context=self._tls_context
            )
        else:
            connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=self._timeout_s)
        self.calls.append(f"{method} {path.partition('?')[0]}")
        try:
            try:
                connection.connect()
            except ssl.SSLCertVerificationError as exc:
                raise UnreachableError(
                    f"the certificate of Nginx Proxy Manager at {self.address.url} is not trusted "
                    f"({exc.verify_message}); give ca_path, or set validate_certs to false if it is self-signed"
                ) from None
            except ssl.SSLError:
                raise UnreachableError(
                    f"Nginx Proxy Manager at {self.address.url} does not speak TLS there; "
                    "use http:// if its admin port has no TLS"
                ) from None
            except OSError as exc:
                raise UnreachableError(
                    f"Nginx Proxy Manager's API at {self.address.url} cannot be reached ({_reason(exc)}); "
                    "check that it runs and that api_url is its admin port (81 by default)"
                ) from None
            headers = {"Accept": "application/json", "Connection": "close"}
            data = None
            if body is not None:
                data = json.dumps(body).encode()
                headers["Content-Type"] = "application/json; charset=UTF-8"
            if token is not None:
                headers["Authorization"] = f"Bearer {token}"
            try:
                connection.request(method, f"{self.address.base}{path}", body=data, headers=headers)
                answer = connection.getresponse()
                content = answer.read(MAX_ANSWER + 1)
            except (OSError, http.client.HTTPException) as exc:
                what = f"the connection to {self.address.url} ended during {method} {path.partition('?')[0]}"
                if writing:
                    raise CutError(f"{what} ({_reason(exc)})") from None
                raise UnreachableError(f"{what} ({_reason(exc)}); check that Nginx Proxy Manager runs") from None
        finally:
            connection.close()
        if len(content) > MAX_ANSWER:
            raise ApiError(f"{self.address.url} answers more than {MAX_ANSWER} bytes to {method} {path}")
        try:
            return answer.status, json.loads(content) if content else None
        except ValueError:
            return answer.status, None

    # Version and login.

    @property
    def version(self) -> Version:
        """The version that answers.

        :raises ApiError: If it is something else, or too old.
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
                    "check that api_url is its admin port (81 by default)"
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
                "make an account of its own for deployments, without it and with permission to manage proxy hosts"
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
                "check identity and secret"
            )
        raise ApiError(f"{where} answered {status} to the login of {identity} ({self._words(answer)}); see its log")

    def _words(self, answer: Any) -> str:
        """What the server says of an error, with our secrets blanked and on one line."""
        error = answer.get("error") if isinstance(answer, Mapping) else None
        text = error.get("message") if isinstance(error, Mapping) else error
        shown = " ".join(str(text).split())[:400] if text else "no reason given"
        for secret in (self._credentials.secret, self._credentials.token, self._token):
            if secret and len(secret) > 3:
                shown = shown.replace(secret, "***")
        return shown

    # Calls.

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request with the token and return the answer's JSON.

        A token that is not accepted (any more) is replaced once, where name and password are known.

        :raises ApiError: One of its kinds, by what can be done about it.
        """
        version = self.version
        status, answer = self._send(method, path, body, self._authorise())
        refused = refusals(version) if not self._accepted else (401,)
        if status in refused and not self._token_is_fresh and self._credentials.token is None:
            # Stored by an earlier task, or expired meanwhile; the request was not carried out.
            if self._store:
                self._store.forget()
            self._token = None
            status, answer = self._send(method, path, body, self._login())
        if status in (200, 201):
            # From now on a token that is not accepted has expired, and one login more is worth it.
            self._accepted, self._token_is_fresh = True, False
            return answer
        raise self._error(method, path, status, answer, refused)

    def _error(self, method: str, path: str, status: int, answer: Any, refused: tuple[int, ...]) -> ApiError:
        words = self._words(answer)
        where = f"Nginx Proxy Manager at {self.address.url}"
        what = f"{where} answered {status} to {method} {path.partition('?')[0]} ({words})"
        account = "the token" if self._credentials.token is not None else f"the account {self._credentials.identity}"
        if self._credentials.token is not None and not self._accepted and status in refused:
            return LoginRefusedError(
                f"{where} does not accept the token (status {status}: {words}); it is expired, malformed or of an "
                "account without permission: use a new one, or identity and secret"
            )
        if status == 401:
            return LoginRefusedError(f"{what}: {account} is not accepted any more; log in again")
        if status == 403 or (status == 404 and not self._accepted):
            return ForbiddenError(
                f"{what}: {account} may not do this; give it the permission to manage proxy hosts "
                "(and to see all of them, not only its own)"
            )
        if status == 404:
            return NotFoundError(what)
        if status == 400:
            return RejectedError(f"{what}; nothing was changed")
        if status >= 500:
            return ServerFaultError(what)
        return ApiError(what)

    # Objects.

    def hosts(self) -> list[dict[str, Any]]:
        """All proxy hosts that the account sees."""
        answer = self.call("GET", "/nginx/proxy-hosts")
        if not isinstance(answer, list):
            raise ApiError(f"{self.address.url} answered the list of proxy hosts with something else; see its log")
        return [each for each in answer if isinstance(each, dict)]

    def host(self, host_id: int) -> dict[str, Any]:
        """One proxy host.

        :raises NotFoundError: Also where the answer is 200 and empty (2.11.3).
        """
        answer = self.call("GET", f"/nginx/proxy-hosts/{host_id}")
        if not isinstance(answer, dict) or "domain_names" not in answer:
            raise NotFoundError(f"proxy host {host_id} is not there any more")
        return answer

    def update(self, host_id: int, body: Mapping[str, Any]) -> None:
        self.call("PUT", f"/nginx/proxy-hosts/{host_id}", dict(body))

    def create(self, body: Mapping[str, Any]) -> int:
        answer = self.call("POST", "/nginx/proxy-hosts", dict(body))
        return int(answer["id"])

    def delete(self, host_id: int) -> None:
        self.call("DELETE", f"/nginx/proxy-hosts/{host_id}")

    def enable(self, host_id: int, enabled: bool) -> None:
        self.call("POST", f"/nginx/proxy-hosts/{host_id}/{'enable' if enabled else 'disable'}")

    def access_lists(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/nginx/access-lists?expand=items,clients")
        return [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []

    def certificates(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/nginx/certificates")
        return [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []

    def permission(self) -> tuple[str | None, str | None]:
        """(what the account may do with proxy hosts, whose it sees), where the version tells it.

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


def _reason(exc: BaseException) -> str:
    if isinstance(exc, socket.timeout):
        return "no answer in time"
    if isinstance(exc, socket.gaierror):
        return "the name does not resolve"
    if isinstance(exc, http.client.RemoteDisconnected):
        return "closed without an answer"
    return str(getattr(exc, "strerror", None) or exc or type(exc).__name__)


def _lifetime_s(expires: object) -> float:
    """Seconds until a token expires, by the server's own word; an hour where it is unreadable."""
    match = re.match(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)", expires) if isinstance(expires, str) else None
    if not match:
        return 3600.0
    return calendar.timegm((*(int(part) for part in match.groups()), 0, 0, 0)) - time.time()
