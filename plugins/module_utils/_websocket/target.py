# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user names as an endpoint, checked before the first connection (pure)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

VANTAGES = ("direct", "proxy", "public")
TRANSPORTS = ("websocket", "sse")

_SCHEMES = {"websocket": ("ws", "wss"), "sse": ("http", "https")}
# RFC 9110, section 5.6.2: the characters of a header's name.
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f]")
# Set by the check itself; a second value would make the request ambiguous.
_OWN_HEADERS = frozenset(
    (
        "host",
        "upgrade",
        "connection",
        "origin",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
        "sec-websocket-accept",
        "content-length",
        "transfer-encoding",
    )
)


class TargetError(Exception):
    """The description of an endpoint cannot be used; the text names the option."""


@dataclass(frozen=True)
class Target:
    """One endpoint, ready to be connected to.

    ``url`` is what may be shown; ``resource`` is what is sent and may hold secrets.
    """

    name: str
    url: str
    vantage: str
    transport: str
    secure: bool
    host: str
    port: int
    resource: str = field(repr=False)
    connect_host: str
    connect_port: int
    origin: str | None = None
    subprotocols: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    ca_certificates: str | None = None
    client_cert: str | None = None
    client_key: str | None = None

    @property
    def authority(self) -> str:
        """The value of the Host header: the port only where it is not the scheme's own."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.secure else 80) else f"{shown}:{self.port}"

    @property
    def path(self) -> str:
        """The path without its query: what a proxy's location is chosen by."""
        return urlsplit(self.url).path or "/"

    @property
    def own_origin(self) -> str:
        """The origin of a page that is served from the endpoint's own host."""
        return f"{'https' if self.secure else 'http'}://{self.authority}"

    @property
    def through_proxy(self) -> bool:
        return self.vantage != "direct"

    def redact(self, text: str) -> str:
        """Remove every secret from a text that a peer may have echoed."""
        for secret in self.secrets:
            text = text.replace(secret, "********")
        return text


def parse_target(raw: Mapping[str, Any], label: str = "endpoint") -> Target:
    """Check one entry of ``endpoints``.

    :param label: How the entry is named in an error, e.g. ``endpoints[0]``; the name itself where it says enough.
    :raises TargetError: One sentence on the first thing that cannot be used.
    """
    name = str(raw.get("name") or "").strip()
    if not name:
        raise TargetError(f"{label} has no name; give each endpoint one, since the results go by it")
    label = label if label == name else f"{label} ({name})"
    vantage = str(raw.get("vantage") or "direct")
    if vantage not in VANTAGES:
        raise TargetError(f"{label}: vantage is {vantage!r}; expected one of {', '.join(VANTAGES)}")
    transport = str(raw.get("transport") or "websocket")
    if transport not in TRANSPORTS:
        raise TargetError(f"{label}: transport is {transport!r}; expected one of {', '.join(TRANSPORTS)}")
    scheme, host, port, resource, url = _parse_url(str(raw.get("url") or ""), transport, label)
    secure = scheme in ("wss", "https")
    secrets: list[str] = []

    secret_query = raw.get("secret_query") or {}
    if secret_query:
        query = urlencode([(str(k), str(v)) for k, v in secret_query.items()])
        resource += ("&" if "?" in resource else "?") + query
        for value in secret_query.values():
            secrets += [str(value), urlencode({"": str(value)})[1:]]

    headers = _parse_headers(raw.get("headers") or {}, f"{label}: headers")
    secret_headers = _parse_headers(raw.get("secret_headers") or {}, f"{label}: secret_headers", show=False)
    secrets += [value for _, value in secret_headers]

    connect_host, connect_port = host, port
    if raw.get("connect_to"):
        connect_host, connect_port = _parse_connect_to(str(raw["connect_to"]), label)

    validate = raw.get("validate_certs")
    target = Target(
        name=name,
        url=url,
        vantage=vantage,
        transport=transport,
        secure=secure,
        host=host,
        port=port,
        resource=resource,
        connect_host=connect_host,
        connect_port=connect_port,
        origin=_parse_origin(raw.get("origin"), label),
        subprotocols=_parse_subprotocols(raw.get("subprotocols") or (), label),
        headers=headers + secret_headers,
        # The longest first, so that a secret which contains another is removed as a whole.
        secrets=tuple(sorted({s for s in secrets if s}, key=len, reverse=True)),
        validate_certs=True if validate is None else bool(validate),
        ca_path=raw.get("ca_path") or None,
        ca_certificates=raw.get("ca_certificates") or None,
        client_cert=raw.get("client_cert") or None,
        client_key=raw.get("client_key") or None,
    )
    if target.client_key and not target.client_cert:
        raise TargetError(f"{label}: client_key is given without client_cert; give both or none")
    if not secure and (target.ca_path or target.ca_certificates or target.client_cert):
        raise TargetError(f"{label}: ca_path, ca_certificates or client_cert is given, but {url} uses no TLS")
    if target.ca_path and target.ca_certificates:
        raise TargetError(f"{label}: ca_path and ca_certificates are both given; give one of them")
    return target


def _parse_url(url: str, transport: str, label: str) -> tuple[str, str, int, str, str]:
    """Return scheme, host, port, resource and the URL as it may be shown."""
    expected = " or ".join(f"{s}://" for s in _SCHEMES[transport])
    if not url:
        raise TargetError(f"{label}: url is empty; expected one that starts with {expected}")
    # urlsplit() drops some of these without a word.
    if _SPACE_OR_CONTROL.search(url):
        raise TargetError(f"{label}: url {url!r} contains a space or a control character; percent-encode it")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as exc:
        raise TargetError(f"{label}: url {url!r} cannot be understood ({exc})") from None
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES[transport]:
        raise TargetError(
            f"{label}: url {_without_userinfo(url)!r} does not start with {expected}, which transport {transport} needs"
        )
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise TargetError(
            f"{label}: url contains a user name or password; pass it as secret_headers (Authorization) instead"
        )
    if "#" in url:
        raise TargetError(f"{label}: url {url!r} contains a fragment (#), which is never sent to a server; remove it")
    if not host:
        raise TargetError(f"{label}: url {url!r} names no host")
    if port == 0:
        raise TargetError(f"{label}: url {url!r} names port 0, to which nothing can listen")
    host = _ascii_host(host, f"{label}: url {url!r}")
    resource = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    if parts.query:
        resource += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=-._~[]")
    secure = scheme in ("wss", "https")
    return scheme, host, port or (443 if secure else 80), resource, url


def _without_userinfo(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


def _ascii_host(host: str, label: str) -> str:
    """Return an address as it is, or a name in the form that DNS and TLS use (IDNA)."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        encoded = host.encode("idna").decode("ascii")
    except UnicodeError:
        raise TargetError(f"{label} names the host {host!r}, which is no valid host name") from None
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}\.?", encoded):
        raise TargetError(f"{label} names the host {host!r}, which is no valid host name")
    return encoded


def _parse_headers(headers: Mapping[str, Any], label: str, show: bool = True) -> tuple[tuple[str, str], ...]:
    checked = []
    for name, raw_value in headers.items():
        name, value = str(name), str(raw_value)
        if not _TOKEN.fullmatch(name):
            raise TargetError(f"{label} has the name {name!r}, which HTTP does not allow")
        if name.lower() in _OWN_HEADERS:
            instead = {"host": "url and connect_to", "origin": "origin", "sec-websocket-protocol": "subprotocols"}
            hint = instead.get(name.lower())
            raise TargetError(
                f"{label} sets {name}, which the check sets itself" + (f"; use {hint} instead" if hint else "")
            )
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
    parts = urlsplit(text)
    if _SPACE_OR_CONTROL.search(text) or not (text == "null" or (parts.scheme and parts.netloc)):
        raise TargetError(f"{label}: origin is {text!r}; expected scheme://host[:port], as a browser sends it")
    if (parts.path or parts.query or parts.fragment) and text != "null":
        raise TargetError(
            f"{label}: origin is {text!r}; a browser sends {parts.scheme}://{parts.netloc} without a path"
        )
    return text


def _parse_subprotocols(raw: Any, label: str) -> tuple[str, ...]:
    names = tuple(str(item) for item in raw)
    for item in names:
        if not _TOKEN.fullmatch(item):
            raise TargetError(f"{label}: subprotocol {item!r} contains characters that RFC 6455 does not allow")
    if len(set(names)) != len(names):
        raise TargetError(f"{label}: subprotocols names one twice, which RFC 6455 forbids")
    return names


def _parse_connect_to(text: str, label: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:\[\]/@]+):(\d{1,5})", text)
    if not match or not 0 < int(match.group(2)) < 65536:
        raise TargetError(f"{label}: connect_to is {text!r}; expected host:port, e.g. 192.0.2.10:443 or [::1]:8443")
    return _ascii_host(match.group(1).strip("[]"), f"{label}: connect_to"), int(match.group(2))
