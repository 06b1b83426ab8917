# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs, host names and origins: one type from which host, port, origin and API address are derived."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z", re.IGNORECASE)
#: Of a name that DNS resolves although it is not a host name.
_DNS_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\Z", re.IGNORECASE)
#: With a password in any URL; a user alone where it may be a token.
_USERINFO = re.compile(r'(://)[^/?#\s"@]*:[^/?#\s"]*@|(\b(?:https?|wss?)://)[^/?#\s"]*@', re.IGNORECASE)
_PASSWORD = re.compile(r'://[^/?#\s":@]*:([^/?#\s"]+)@')
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

#: Ports that browsers refuse to open (the "bad ports" of https://fetch.spec.whatwg.org/#port-blocking), from 1024 up.
BROWSER_REFUSED_PORTS = frozenset(
    (1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080)
)


class UrlError(ValueError):
    """Why a text is not a URL that can be used: what was found in it, as a clause with the subject "it"."""


@dataclass(frozen=True)
class Url:
    """The parts of an absolute URL.

    :param host: In lower case; an IPv6 address without brackets.
    :param explicit_port: The port as far as the URL names one.
    :param path: As written, empty if the URL has none.
    :param query: With its question mark. ``fragment`` likewise with its hash sign.
    """

    scheme: str
    host: str
    explicit_port: int | None
    path: str
    query: str = ""
    fragment: str = ""

    @property
    def port(self) -> int:
        """The port to connect to; 0 if the URL names none and its scheme has no default."""
        return self.explicit_port or DEFAULT_PORTS.get(self.scheme, 0)

    @property
    def secure(self) -> bool:
        return self.scheme in {"https", "wss"}

    @property
    def resource(self) -> str:
        """What is asked for in a request: path and query."""
        return (self.path or "/") + self.query

    @property
    def authority(self) -> str:
        """Host and port as in a ``Host`` header: IPv6 in brackets, no default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The origin as a browser sends it (RFC 6454, section 6.1): scheme http or https, no default port."""
        scheme = {"ws": "http", "wss": "https"}.get(self.scheme, self.scheme)
        return f"{scheme}://{self.authority}"

    @property
    def api_url(self) -> str:
        """The address of the HTTP API at the same server: ``http`` for ``ws``, ``https`` for ``wss``, no path.

        Its value is that of :attr:`origin`; the names differ since their users do.
        """
        return self.origin

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}{self.query}{self.fragment}"


def parse_url(text: str, *, lenient: bool = False) -> Url:
    """Split an absolute URL into its parts.

    :param lenient: Accept what a single program resolves, although a browser, a proxy and a certificate need not agree
        on it: a scheme in capital letters, and a host as :func:`check_host` takes it with this parameter.
    :raises UrlError: For anything else that they would not all read alike.
    """
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise UrlError("it contains control characters")
    if re.search(r"\s", text) or "\\" in text:
        raise UrlError("it contains a space or a backslash")
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise UrlError("it does not start with a scheme and ://")
    if scheme[1] != scheme[1].lower() and not lenient:
        # A browser accepts it, but other programs compare it as it is written.
        raise UrlError("its scheme is not in lower case")
    rest, fragment = _cut(text[scheme.end() :], "#")
    rest, query = _cut(rest, "?")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise UrlError("it contains a user name or a password")
    host, port = _split_port(authority)
    return Url(scheme[1].lower(), check_host(host, lenient=lenient), port, slash + path, query, fragment)


def _cut(text: str, mark: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    return before, found + after


def _split_port(authority: str) -> tuple[str, int | None]:
    if authority.startswith("["):
        host, closing, rest = authority[1:].partition("]")
        if not closing or (rest and not rest.startswith(":")):
            raise UrlError("its IPv6 address is not in brackets, before the port")
        port_text = rest[1:] if rest else None
        if ":" not in host:
            raise UrlError("the text in brackets is not an IPv6 address")
    else:
        if authority.count(":") > 1:
            raise UrlError("its IPv6 address is not in brackets, before the port")
        host, colon, after = authority.partition(":")
        port_text = after if colon else None
    if port_text is None:
        return host, None
    if not re.match(r"[0-9]{1,5}\Z", port_text) or not 1 <= int(port_text) <= 65535:
        raise UrlError("its port is not a number from 1 to 65535")
    return host, int(port_text)


def without_userinfo(text: str) -> str:
    """A text without user names and passwords in its URLs; a user without a password stays where it is no secret."""
    return _USERINFO.sub(lambda found: found[1] or found[2], text)


def passwords_in(text: str) -> set[str]:
    """The passwords of all URLs in a text, as they are written there."""
    return {found[1] for found in _PASSWORD.finditer(text)}


def check_host(host: str, *, lenient: bool = False) -> str:
    """Return a host in lower case.

    :param lenient: Accept names that only resolve: other letters than ASCII (returned in IDNA form, as DNS and TLS use
        them), underscores, a final dot.
    :raises UrlError: If it is neither a host name (RFC 1123) nor an address.
    """
    if not host:
        raise UrlError("it has no host name after ://")
    if ":" in host:
        if "%" in host:
            raise UrlError("its IPv6 address has a zone, which is valid on one machine only")
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise UrlError("its IPv6 address is malformed") from None
    label_form = _LABEL
    if lenient:
        label_form = _DNS_LABEL
        try:
            # Label by label: the codec refuses an empty last one.
            host = ".".join(label.encode("idna").decode("ascii") if label else "" for label in host.split("."))
        except UnicodeError:
            raise UrlError("its host is not a valid host name") from None
    if not host.isascii():
        raise UrlError("its host name is not in its ASCII form (xn--...)")
    if host.endswith(".") and not lenient:
        raise UrlError("its host name ends with a dot, unlike the names of certificates")
    labels = (host[:-1] if host.endswith(".") else host).split(".")
    if labels[-1].isdigit():
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise UrlError("its IPv4 address is malformed") from None
    if len(host) > 253 or any(not label_form.match(label) or len(label) > 63 for label in labels):
        raise UrlError("its host name does not consist of letters, digits, hyphens and single dots between them")
    return host.lower()


def is_loopback(host: str) -> bool:
    """Whether a host is the machine that resolves it (RFC 6761, section 6.3), or the unspecified address."""
    if host in {"localhost", "localhost.localdomain"} or host.endswith(".localhost"):
        return True
    address = as_address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def is_internal(host: str) -> bool:
    """Whether the form of a host says that it is known inside one network only."""
    address = as_address(host)
    if address is not None:
        # Neither private networks such as 10.0.0.0/8 nor those shared by a provider's customers (100.64.0.0/10).
        return not address.is_global
    labels = host.split(".")
    return len(labels) == 1 or labels[-1] in _INTERNAL or host.endswith(".home.arpa") or "home" in labels[1:]


#: Last labels of names that no public name server answers for (RFC 6762, RFC 6761, and what home routers use).
_INTERNAL = frozenset(("local", "lan", "home", "internal", "intranet", "corp", "private", "localdomain", "test"))


def as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The host as an address, ``None`` if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def check_origin(text: str) -> str:
    """Accept a CORS origin exactly as a browser sends it (RFC 6454, section 6.1), and return it.

    :raises UrlError: If no browser would send this text.
    """
    url = parse_url(text)
    if url.scheme not in {"http", "https"}:
        raise UrlError("it does not start with http:// or https://")
    if url.path or url.query or url.fragment:
        raise UrlError("it does not end after host and port")
    if text != url.origin:
        raise UrlError("browsers write the same origin in another way")
    return text


def covers(name: str, host: str) -> bool:
    """Whether a name of a certificate or of a server block covers a host; ``*.`` covers one label."""
    name = name.lower()
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:] and "." in host
    return name == host
