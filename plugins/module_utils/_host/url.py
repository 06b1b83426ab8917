# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public URLs, host names and origins, read as strictly as a browser and a proxy must agree on them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

#: Ports that browsers refuse to open (the "bad ports" of https://fetch.spec.whatwg.org/#port-blocking), from 1024 up.
BROWSER_REFUSED_PORTS = frozenset(
    (1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080)
)


class UrlError(ValueError):
    """Why a text is no URL that can be used; the message completes "but ..."."""


@dataclass(frozen=True)
class Url:
    """The parts of an absolute URL; ``host`` is in lower case, an IPv6 address stands without brackets."""

    scheme: str
    host: str
    explicit_port: int | None
    path: str
    query: str = ""
    fragment: str = ""

    @property
    def port(self) -> int:
        return self.explicit_port or DEFAULT_PORTS.get(self.scheme, 0)

    @property
    def secure(self) -> bool:
        return self.scheme in {"https", "wss"}

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The origin as a browser sends it: scheme http or https, host in lower case, no default port."""
        scheme = {"ws": "http", "wss": "https"}.get(self.scheme, self.scheme)
        return f"{scheme}://{self.authority}"


def parse_url(text: str) -> Url:
    """Take an absolute URL apart.

    :raises UrlError: For anything a browser, a proxy and a certificate would not all read alike.
    """
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise UrlError("a URL is one line without control characters")
    if re.search(r"\s", text) or "\\" in text:
        raise UrlError("a URL holds neither spaces nor backslashes")
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise UrlError("a URL starts with its scheme and ://")
    if scheme[1] != scheme[1].lower():
        # A browser takes it, but the roles look for the scheme as it is written.
        raise UrlError("the scheme is written in small letters")
    rest, fragment = _cut(text[scheme.end() :], "#")
    rest, query = _cut(rest, "?")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise UrlError("a public URL carries no user and password")
    host, port = _split_port(authority)
    return Url(scheme[1], check_host(host), port, slash + path, query, fragment)


def _cut(text: str, mark: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    return before, found + after


def _split_port(authority: str) -> tuple[str, int | None]:
    if authority.startswith("["):
        host, closing, rest = authority[1:].partition("]")
        if not closing or (rest and not rest.startswith(":")):
            raise UrlError("an IPv6 address stands in brackets, before the port")
        port_text = rest[1:] if rest else None
        if ":" not in host:
            raise UrlError("only an IPv6 address stands in brackets")
    else:
        if authority.count(":") > 1:
            raise UrlError("an IPv6 address stands in brackets, before the port")
        host, colon, after = authority.partition(":")
        port_text = after if colon else None
    if port_text is None:
        return host, None
    if not re.match(r"[0-9]{1,5}\Z", port_text) or not 1 <= int(port_text) <= 65535:
        raise UrlError("the port of a URL is a number from 1 to 65535")
    return host, int(port_text)


def check_host(host: str) -> str:
    """The host in lower case.

    :raises UrlError: If it is neither a host name (RFC 1123) nor an address.
    """
    if not host:
        raise UrlError("a host name is expected behind ://")
    if ":" in host:
        if "%" in host:
            raise UrlError("an IPv6 address with a zone is one machine's own name for it, and browsers do not open it")
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise UrlError("its IPv6 address is malformed") from None
    if not host.isascii():
        raise UrlError("a host name with other letters than a to z is written in its ASCII form (xn--...)")
    if host.endswith("."):
        raise UrlError("the host name ends without a dot, as browsers compare it with the certificate")
    labels = host.split(".")
    if labels[-1].isdigit():
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise UrlError("its IPv4 address is malformed") from None
    if len(host) > 253 or any(not _LABEL.match(label) or len(label) > 63 for label in labels):
        raise UrlError("a host name is made of letters, digits, hyphens and single dots between them")
    return host.lower()


def is_loopback(host: str) -> bool:
    """Whether a host means the reader's own machine (RFC 6761, section 6.3) or no machine in particular."""
    if host in {"localhost", "localhost.localdomain"} or host.endswith(".localhost"):
        return True
    address = as_address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def is_internal(host: str) -> bool:
    """Whether a host is known inside one network only, by its form."""
    address = as_address(host)
    if address is not None:
        # Neither 10.0.0.0/8 and its like, nor what providers share among their customers (100.64.0.0/10), is global.
        return not address.is_global
    labels = host.split(".")
    return len(labels) == 1 or labels[-1] in _INTERNAL or host.endswith(".home.arpa") or "home" in labels[1:]


_INTERNAL = frozenset(("local", "lan", "home", "internal", "intranet", "corp", "private", "localdomain", "test"))


def as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def check_origin(text: str) -> str:
    """A CORS origin, exactly as a browser sends it (RFC 6454, section 6.1).

    :raises UrlError: If no browser would ever send this text.
    """
    url = parse_url(text)
    if url.scheme not in {"http", "https"}:
        raise UrlError("the origin of a page starts with http:// or https://")
    if url.path or url.query or url.fragment:
        raise UrlError(f"an origin ends behind host and port, as in {url.origin}")
    if text != url.origin:
        raise UrlError(f"a browser sends it as {url.origin}")
    return text


def covers(name: str, host: str) -> bool:
    """Whether a name of a certificate or of a server block, with ``*.`` for one label, stands for ``host``."""
    name = name.lower()
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:] and "." in host
    return name == host
