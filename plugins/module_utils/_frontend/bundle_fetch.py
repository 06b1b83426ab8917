# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetch pages and the scripts they reference, as a browser would, within limits.

No proxy is used; ``localhost`` and names below it lead to the loopback addresses without
a question to the DNS (RFC 6761, section 6.3).
"""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin, urlsplit

from .bundle import imported, read_page

_REDIRECTS = (301, 302, 303, 307, 308)


class FetchError(Exception):
    """A page or script that could not be fetched; says why in one sentence."""


@dataclass(frozen=True)
class Limits:
    """How much is fetched at most."""

    timeout_s: float = 30.0
    scripts: int = 300
    bytes_each: int = 16 * 1024 * 1024
    bytes_all: int = 128 * 1024 * 1024


@dataclass
class Bundle:
    """What a page makes a browser load: texts of scripts by address, those written into pages included."""

    scripts: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)


def addresses(host: str, port: int, connect_to: str | None) -> list[tuple[str, int]]:
    """Where to connect for a host name.

    :param connect_to: An address or ``address:port`` instead, one of IPv6 in brackets where a port follows.
    """
    if connect_to:
        name, colon, number = connect_to.rpartition(":")
        if colon and number.isdigit() and (":" not in name or name.startswith("[")):
            return [(name.strip("[]"), int(number))]
        return [(connect_to.strip("[]"), port)]
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return [("127.0.0.1", port), ("::1", port)]
    return [(host, port)]


def tls_context(ca_certificates: str | None, *, validate_certs: bool) -> ssl.SSLContext:
    """What certificates are checked against.

    :param ca_certificates: Authorities as PEM text, instead of the system's.
    :raises FetchError: If that text holds no certificate.
    """
    try:
        context = ssl.create_default_context(cadata=ca_certificates or None)
    except (ssl.SSLError, ValueError) as err:
        raise FetchError("ca_certificates cannot be read as certificates (PEM)") from err
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Fetcher:
    """Fetches over HTTP, keeping connections.

    :param connect_to: Address to connect to instead of the host's, as ``host`` or ``host:port``.
        It holds for the host of the first page only.
    :param headers: Further headers, for the origin of the first page only.
    """

    def __init__(
        self, limits: Limits, connect_to: str | None, *, context: ssl.SSLContext, headers: Mapping[str, str]
    ) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.timeout_s
        self._connect_to = connect_to
        self._origin: tuple[str, str, int] | None = None
        self._context = context
        self._headers = headers
        self._kept: dict[tuple[str, str, int], http.client.HTTPConnection] = {}
        self._budget = limits.bytes_all

    def close(self) -> None:
        for connection in self._kept.values():
            connection.close()

    def text(self, url: str) -> tuple[str, str]:
        """Fetch a URL, following redirections.

        :returns: The text and the address it came from in the end.
        :raises FetchError: With the cause.
        """
        for _hop in range(6):
            status, headers, body = self._get(url)
            if status in _REDIRECTS and headers.get("location"):
                url = _redirected(url, headers["location"])
                continue
            if status != 200:
                raise FetchError(f"{url} answers {status}")
            return body.decode("utf-8", "replace"), url
        raise FetchError(f"{url} redirects in a circle")

    def _get(self, url: str) -> tuple[int, Mapping[str, str], bytes]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        key = (parts.scheme, host, port)
        self._origin = self._origin or key
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "Host": parts.netloc.rpartition("@")[2],
            "Accept-Encoding": "gzip",
            "User-Agent": "codeframe.staging",
            "Accept": "*/*",
            **(self._headers if key == self._origin else {}),
        }
        fresh = key not in self._kept
        try:
            try:
                return self._exchange(self._connection(key), target, headers)
            except (http.client.HTTPException, ConnectionError):
                self._drop(key)
                if fresh:
                    raise
                # A kept connection may have been closed by the server meanwhile.
                return self._exchange(self._connection(key), target, headers)
        except FetchError:
            self._drop(key)
            raise
        except (OSError, http.client.HTTPException) as err:
            self._drop(key)
            cause = getattr(err, "strerror", None) or str(err) or type(err).__name__
            raise FetchError(f"{url} cannot be fetched ({cause})") from err

    def _drop(self, key: tuple[str, str, int]) -> None:
        connection = self._kept.pop(key, None)
        if connection:
            connection.close()

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise FetchError(f"the time limit of {self._limits.timeout_s:g} s is over")
        return left

    def _connection(self, key: tuple[str, str, int]) -> http.client.HTTPConnection:
        if key in self._kept:
            connection = self._kept[key]
            if connection.sock is not None:
                connection.sock.settimeout(self._left())
            return connection
        scheme, host, port = key
        override = self._connect_to if self._origin and host == self._origin[1] else None
        last: OSError | None = None
        for address in addresses(host, port, override):
            try:
                sock = socket.create_connection(address, timeout=min(10.0, self._left()))
            except OSError as err:
                last = err
                continue
            if scheme == "https":
                sock = self._context.wrap_socket(sock, server_hostname=host)
            connection = http.client.HTTPConnection(host, port, timeout=self._left())
            connection.sock = sock
            sock.settimeout(self._left())
            self._kept[key] = connection
            return connection
        raise last or OSError(f"no address for {host}")

    def _exchange(
        self, connection: http.client.HTTPConnection, target: str, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection.request("GET", target, headers=dict(headers))
        response = connection.getresponse()
        limit = min(self._limits.bytes_each, self._budget)
        body = bytearray()
        while chunk := response.read(65536):
            self._left()
            body += chunk
            if len(body) > limit:
                raise FetchError(f"{target} is larger than the limit of {limit} bytes")
        self._budget -= len(body)
        found = {name.lower(): value for name, value in response.getheaders()}
        data = bytes(body)
        if found.get("content-encoding", "").lower() == "gzip":
            data = _unpacked(data, self._limits.bytes_each)
        if found.get("connection", "").lower() == "close":
            connection.close()
            connection.auto_open = 0
            for key, kept in list(self._kept.items()):
                if kept is connection:
                    del self._kept[key]
        return response.status, found, data


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        # Only asking for the port tells whether it is one.
        _ = parts.port
    except ValueError as err:
        raise FetchError(f"{url} redirects to {location}, which is no URL ({err})") from err
    if parts.scheme not in ("http", "https"):
        raise FetchError(f"it redirects to {target}")
    return target


def _unpacked(data: bytes, limit: int) -> bytes:
    try:
        unpacker = zlib.decompressobj(wbits=31)
        plain = unpacker.decompress(data, limit)
    except (zlib.error, gzip.BadGzipFile) as err:
        raise FetchError(f"the compressed answer is damaged ({err})") from err
    if unpacker.unconsumed_tail:
        raise FetchError(f"an answer is larger than the limit of {limit} bytes")
    return plain


def load(url: str, pages: Sequence[str], fetcher: Fetcher, limits: Limits) -> Bundle:
    """Load a page, further pages of the same site, and all scripts they reference.

    Scripts of other sites are not fetched. A script that cannot be fetched is a failure of
    its own, since the page is broken for a browser as well.

    :raises FetchError: If the first page cannot be fetched.
    """
    bundle = Bundle()
    queue: list[str] = []
    origin = ""
    for number, page in enumerate((url, *pages)):
        address = urljoin(url, page)
        try:
            html, final = fetcher.text(address)
        except FetchError as err:
            if number == 0:
                raise
            bundle.failures[address] = str(err)
            continue
        origin = origin or _origin(final)
        bundle.pages.append(final)
        found = read_page(html, final)
        queue += found.sources
        for count, text in enumerate(found.inline, 1):
            bundle.scripts[f"{final}#script-{count}"] = text
    seen: set[str] = set()
    while queue:
        address = urldefrag(queue.pop(0))[0]
        if address in seen or _origin(address) != origin:
            continue
        seen.add(address)
        if len(seen) > limits.scripts:
            bundle.failures[address] = f"more than {limits.scripts} scripts are referenced; the rest was not looked at"
            break
        try:
            text, final = fetcher.text(address)
        except FetchError as err:
            bundle.failures[address] = str(err)
            continue
        bundle.scripts[address] = text
        if "/_next/" not in address:
            queue += imported(text, final)
    return bundle


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"
