# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One endpoint as the user describes it, validated before the first connection (pure)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from .._host.forwarded import forwarded_headers
from .._host.sockets import LONGEST_PATH, UNIX
from .._host.url import Url, UrlError, as_address, check_host, parse_url
from .settings import SettingsError, message_timeout_s

VANTAGES = ("direct", "proxy", "public")
TRANSPORTS = ("websocket", "sse")

_SCHEMES = {"websocket": ("ws", "wss"), "sse": ("http", "https")}
# RFC 9110, section 5.6.2: the characters of a header's name.
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_USERINFO = re.compile(r"^[^/?#]*//[^/?#]*@")
_CONNECT_TO = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%[0-9A-Za-z._-]+)?\]|[^\s:\[\]/@]+):(\d{1,5})")
# Set by the check itself; a second value would make the request ambiguous. With the option to use instead.
_OWN_HEADERS = {
    "host": "public_url",
    "origin": "origin",
    "sec-websocket-protocol": "subprotocols",
    "upgrade": "",
    "connection": "",
    "sec-websocket-key": "",
    "sec-websocket-version": "",
    "sec-websocket-extensions": "",
    "sec-websocket-accept": "",
    "content-length": "",
    "transfer-encoding": "",
}


class TargetError(ValueError):
    """An endpoint cannot be used; the text names the option and the reason."""


@dataclass(frozen=True)
class Target:
    """One endpoint, ready to be connected to.

    :param url: The URL as given, which may be shown.
    :param parts: What it consists of.
    :param resource: Path and query as sent, which may hold secrets.
    """

    name: str
    url: str
    vantage: str
    transport: str
    parts: Url
    resource: str = field(repr=False)
    connect_host: str
    connect_port: int
    origin: str | None = None
    #: What a user asks for, if the endpoint is what a proxy forwards to.
    public: Url | None = None
    subprotocols: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    ca_certificates: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    #: Of the proxy on this way, as its configuration says, and where it says so.
    configured_idle_timeout_s: float | None = None
    configured_idle_timeout_from: str = ""
    #: Instead of that of the whole call.
    message_timeout_s: float | None = None

    @property
    def secure(self) -> bool:
        return self.parts.secure

    @property
    def host(self) -> str:
        return self.parts.host

    @property
    def port(self) -> int:
        return self.parts.port

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        return self.asked_for.authority

    @property
    def asked_for(self) -> Url:
        """The URL of which the peer must believe that it was asked for."""
        return self.public or self.parts

    @property
    def forwarded(self) -> tuple[tuple[str, str], ...]:
        """What a correct proxy adds to the request, as far as the endpoint's own headers do not name it."""
        if self.public is None:
            return ()
        given = {name.lower() for name, _ in self.headers}
        return tuple(item for item in forwarded_headers(self.public) if item[0].lower() not in given)

    @property
    def path(self) -> str:
        """The path without its query, by which a proxy chooses its location."""
        return self.parts.path or "/"

    @property
    def through_proxy(self) -> bool:
        return self.vantage != "direct"

    def redact(self, text: str) -> str:
        """Remove every secret from a text in which a peer may have repeated it."""
        for secret in self.secrets:
            text = text.replace(secret, "********")
        return text


def parse_target(raw: Mapping[str, Any], label: str = "endpoint") -> Target:
    """Validate one entry of ``endpoints``.

    :param label: How an error names the entry, e.g. ``endpoints[0]``; its own name where that says enough.
    :raises TargetError: One sentence on the first option that cannot be used.
    """
    name = str(raw.get("name") or "").strip()
    if not name:
        raise TargetError(f"{label} has no name; give it one, since the results are listed by name")
    label = label if label == name else f"{label} ({name})"
    vantage = _choice(raw.get("vantage") or "direct", VANTAGES, f"{label}: vantage")
    transport = _choice(raw.get("transport") or "websocket", TRANSPORTS, f"{label}: transport")
    url = str(raw.get("url") or "")
    parts = _parse_url(url, transport, label)
    secret_query = {str(key): str(value) for key, value in (raw.get("secret_query") or {}).items()}
    headers = _parse_headers(raw.get("headers") or {}, f"{label}: headers")
    secret_headers = _parse_headers(raw.get("secret_headers") or {}, f"{label}: secret_headers", show=False)
    connect_host, connect_port = parts.host, parts.port
    if raw.get("connect_to"):
        connect_host, connect_port = _parse_connect_to(str(raw["connect_to"]), label)
    validate = raw.get("validate_certs")
    target = Target(
        name=name,
        url=url,
        vantage=vantage,
        transport=transport,
        parts=parts,
        resource=_resource(parts, secret_query),
        connect_host=connect_host,
        connect_port=connect_port,
        origin=_parse_origin(raw.get("origin"), label),
        public=parse_public_url(raw.get("public_url"), f"{label}: public_url"),
        subprotocols=_parse_subprotocols(raw.get("subprotocols") or (), label),
        headers=headers + secret_headers,
        secrets=_secrets(secret_query.values(), (value for _, value in secret_headers)),
        validate_certs=True if validate is None else bool(validate),
        ca_path=raw.get("ca_path") or None,
        ca_certificates=raw.get("ca_certificates") or None,
        client_cert=raw.get("client_cert") or None,
        client_key=raw.get("client_key") or None,
        configured_idle_timeout_s=_parse_idle_timeout(raw, label),
        configured_idle_timeout_from=str(raw.get("configured_idle_timeout_from") or ""),
        message_timeout_s=_parse_message_timeout(raw, label),
    )
    _check_certificates(target, label)
    return target


def _choice(value: Any, choices: tuple[str, ...], label: str) -> str:
    if value not in choices:
        raise TargetError(f"{label} is {str(value)!r}; expected one of {', '.join(choices)}")
    return str(value)


def _parse_url(url: str, transport: str, label: str) -> Url:
    expected = " or ".join(f"{scheme}://" for scheme in _SCHEMES[transport])
    if not url:
        raise TargetError(f"{label}: url is empty; expected one that starts with {expected}")
    # First, so that no other message shows the password.
    if _USERINFO.match(url):
        raise TargetError(f"{label}: url contains a user name or password; use secret_headers (Authorization) instead")
    try:
        parts = parse_url(url, lenient=True)
    except UrlError as exc:
        raise TargetError(f"{label}: url is {url!r}, but {exc}") from None
    if parts.scheme not in _SCHEMES[transport]:
        raise TargetError(f"{label}: url is {url!r}, but transport {transport} needs one that starts with {expected}")
    if parts.fragment:
        raise TargetError(f"{label}: url is {url!r}, but a fragment (#) is never sent to a server; remove it")
    return parts


def parse_public_url(text: Any, label: str) -> Url | None:
    """Read the URL on whose behalf a request is made.

    :raises TargetError: If it is none.
    """
    if text in (None, ""):
        return None
    try:
        parts = parse_url(str(text), lenient=True)
    except UrlError as exc:
        raise TargetError(f"{label} is {str(text)!r}, but {exc}") from None
    if parts.scheme not in ("ws", "wss", "http", "https"):
        raise TargetError(f"{label} is {str(text)!r}; expected one that starts with wss://, ws://, https:// or http://")
    return parts


def _resource(parts: Url, secret_query: Mapping[str, str]) -> str:
    """Path and query with what is not ASCII percent-encoded, as browsers send it."""
    resource = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    query = [quote(parts.query[1:], safe="/?%:@!$&'()*+,;=-._~[]")] if parts.query[1:] else []
    query += [urlencode(secret_query)] if secret_query else []
    return "?".join([resource, "&".join(query)]) if query else resource


def _secrets(query_values: Iterable[str], header_values: Iterable[str]) -> tuple[str, ...]:
    """Every form in which a peer may repeat a secret; the longest first, since one may contain another."""
    secrets = set(header_values)
    for value in query_values:
        secrets |= {value, urlencode({"": value})[1:]}
    return tuple(sorted(secrets - {""}, key=lambda secret: (-len(secret), secret)))


def _check_certificates(target: Target, label: str) -> None:
    if target.client_key and not target.client_cert:
        raise TargetError(f"{label}: client_key is given without client_cert; give both or none")
    if not target.secure and (target.ca_path or target.ca_certificates or target.client_cert):
        raise TargetError(f"{label}: ca_path, ca_certificates or client_cert is given, but {target.url} uses no TLS")
    if target.ca_path and target.ca_certificates:
        raise TargetError(f"{label}: ca_path and ca_certificates are both given; give one of them")


def _parse_headers(headers: Mapping[str, Any], label: str, show: bool = True) -> tuple[tuple[str, str], ...]:
    checked = []
    for name, value in ((str(name), str(value)) for name, value in headers.items()):
        if not _TOKEN.fullmatch(name):
            raise TargetError(f"{label} has the name {name!r}, which HTTP does not allow")
        instead = _OWN_HEADERS.get(name.lower())
        if instead is not None:
            hint = f"; use {instead} instead" if instead else ""
            raise TargetError(f"{label} contains {name}, which the check sets itself{hint}")
        if _CONTROL.search(value):
            shown = f" ({value!r})" if show else ""
            raise TargetError(f"{label}: the value of {name}{shown} contains a control character, such as a line break")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise TargetError(f"{label}: the value of {name} contains a character outside ISO-8859-1") from None
        checked.append((name, value.strip(" \t")))
    return tuple(checked)


def _parse_origin(origin: Any, label: str) -> str | None:
    if origin in (None, ""):
        return None
    text = str(origin)
    if text == "null":
        return text
    try:
        parts = parse_url(text, lenient=True)
    except UrlError as exc:
        raise TargetError(f"{label}: origin is {text!r}, but {exc}") from None
    if parts.path or parts.query or parts.fragment:
        raise TargetError(f"{label}: origin is {text!r}, but a browser sends no path; expected {parts.origin}")
    return text


def _parse_subprotocols(raw: Iterable[Any], label: str) -> tuple[str, ...]:
    names = tuple(str(item) for item in raw)
    for name in names:
        if not _TOKEN.fullmatch(name):
            raise TargetError(f"{label}: subprotocol {name!r} contains characters that RFC 6455 does not allow")
    if len(set(names)) != len(names):
        raise TargetError(f"{label}: subprotocols contains a name twice, which RFC 6455 forbids")
    return names


def _parse_message_timeout(raw: Mapping[str, Any], label: str) -> float | None:
    try:
        return None if raw.get("message_timeout") is None else message_timeout_s(raw)
    except SettingsError as exc:
        raise TargetError(f"{label}: {exc}") from None


def _parse_idle_timeout(raw: Mapping[str, Any], label: str) -> float | None:
    value = raw.get("configured_idle_timeout")
    if value is None:
        return None
    if not float(value) > 0:
        raise TargetError(f"{label}: configured_idle_timeout is {value}; expected a number of seconds above 0")
    return float(value)


def _parse_connect_to(text: str, label: str) -> tuple[str, int]:
    if text.startswith(UNIX):
        return _parse_socket(text, label)
    match = _CONNECT_TO.fullmatch(text)
    if not match or not 0 < int(match.group(2)) < 65536:
        raise TargetError(f"{label}: connect_to is {text!r}; expected host:port, e.g. 192.0.2.10:443 or [::1]:8443")
    host = match.group(1).strip("[]")
    try:
        return host if as_address(host) else check_host(host, lenient=True), int(match.group(2))
    except UrlError as exc:
        raise TargetError(f"{label}: connect_to is {text!r}, but {exc}") from None


def _parse_socket(text: str, label: str) -> tuple[str, int]:
    path = text[len(UNIX) :]
    if not path.startswith("/") or _CONTROL.search(path) or len(os.fsencode(path)) > LONGEST_PATH:
        raise TargetError(
            f"{label}: connect_to is {text!r}; expected unix: and an absolute path of at most {LONGEST_PATH} bytes, "
            "e.g. unix:/srv/app.sock"
        )
    return text, 0
