# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetch pages and the scripts they refer to, as a browser does, within limits."""

from __future__ import annotations

import gzip
import ssl
import time
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin

from .._host.http import EXCHANGE, Answer, Connection, NoAnswerError
from .._host.tls import client_context
from .._host.url import Url, UrlError, parse_url
from .bundle import imported, read_page

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5


class FetchError(Exception):
    """A page or script that could not be fetched; the message is a sentence."""


@dataclass(frozen=True)
class Limits:
    """How much is fetched at most."""

    timeout_s: float = 60.0
    scripts: int = 300
    bytes_each: int = 16 * 1024 * 1024
    bytes_all: int = 128 * 1024 * 1024


@dataclass(frozen=True)
class LoadedPage:
    """A page as it was served.

    :param asked: The URL that was asked for; ``final`` the one that answered, after redirects.
    :param scripts: The URLs of its scripts that were loaded.
    """

    asked: str
    final: str
    scripts: tuple[str, ...]


@dataclass
class Bundle:
    """What pages make a browser load.

    :param scripts: Texts of scripts by URL, including those written into pages.
    :param failures: Why a script or page could not be fetched, by URL.
    :param origin: The origin of the first page.
    :param came_from: The URL that each fetched script finally came from, after redirects.
    """

    scripts: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    loaded: list[LoadedPage] = field(default_factory=list)
    origin: str = ""
    came_from: dict[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> list[str]:
        return [page.final for page in self.loaded]


def address_of(connect_to: str, port: int) -> tuple[str, int]:
    """Return the host and port of a text such as ``192.0.2.1``, ``192.0.2.1:8080`` or ``[2001:db8::1]:8080``.

    :param port: The port if the text has none.
    """
    name, colon, number = connect_to.rpartition(":")
    if colon and number.isdigit() and (":" not in name or name.startswith("[")):
        return name.strip("[]"), int(number)
    return connect_to.strip("[]"), port


def refuse_malformed(url: str) -> None:
    """Check the URL of a page.

    :raises FetchError: If it is none.
    """
    try:
        scheme = parse_url(url, lenient=True).scheme
    except UrlError:
        scheme = ""
    if scheme not in ("http", "https"):
        raise FetchError(f"url is {url!r}; expected a URL such as http://app.example.com/")


def page_context(ca_certificates: str | None, *, validate_certs: bool) -> ssl.SSLContext:
    """Return the TLS context for the pages.

    :param ca_certificates: Authorities as PEM text, instead of the system's.
    :raises FetchError: If that text contains no certificate.
    """
    try:
        return client_context(verify=validate_certs, ca_certificates=ca_certificates or None)
    except ValueError as err:
        raise FetchError("ca_certificates cannot be read as certificates (PEM)") from err


class Fetcher:
    """Fetches over HTTP on connections that are kept.

    :param connect_to: Address to connect to instead of that of the first page's host, as ``host`` or ``host:port``.
    :param headers: Further headers, for the origin of the first page only.
    """

    def __init__(
        self, limits: Limits, connect_to: str | None, *, context: ssl.SSLContext, headers: Mapping[str, str]
    ) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.timeout_s
        self._connect_to = connect_to
        self._first: Url | None = None
        self._context = context
        self._headers = headers
        self._connections: dict[str, Connection] = {}
        self._budget = limits.bytes_all

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def text(self, url: str) -> tuple[str, str]:
        """Fetch a URL, following redirects.

        :returns: The text, and the URL that it finally came from.
        :raises FetchError: If it cannot be fetched.
        """
        for _hop in range(_MAX_REDIRECTS + 1):
            answer = self._get(url)
            location = answer.header("Location")
            if answer.status in _REDIRECTS and location:
                url = _redirected(url, location)
                continue
            if answer.status != 200:
                raise FetchError(f"{url} answers {answer.status}")
            return self._body(answer, url).decode("utf-8", "replace"), url
        raise FetchError(f"{url} redirects in a circle")

    def _get(self, text: str) -> Answer:
        try:
            url = parse_url(text, lenient=True)
        except UrlError as err:
            raise FetchError(f"{text} cannot be fetched ({err})") from err
        self._first = self._first or url
        headers = {
            "Host": url.authority,
            "Accept-Encoding": "gzip",
            "Accept": "*/*",
            **(self._headers if url.origin == self._first.origin else {}),
        }
        kept = url.origin in self._connections
        try:
            try:
                return self._exchange(url, headers)
            except NoAnswerError as err:
                if not kept or err.stage != EXCHANGE:
                    raise
                # The server may have closed a kept connection meanwhile.
                return self._exchange(url, headers)
        except NoAnswerError as err:
            raise FetchError(f"{text} cannot be fetched ({err.cause})") from err

    def _exchange(self, url: Url, headers: Mapping[str, str]) -> Answer:
        connection = self._connections.pop(url.origin, None)
        if connection is None:
            connection = Connection(url, self._deadline, connect_to=self._address(url), context=self._context)
        limit = min(self._limits.bytes_each, self._budget)
        try:
            answer = connection.exchange("GET", url.resource, headers, self._deadline, body_limit=limit)
        except NoAnswerError:
            connection.close()
            raise
        self._budget -= len(answer.body)
        if connection.reusable:
            self._connections[url.origin] = connection
        else:
            connection.close()
        return answer

    def _address(self, url: Url) -> tuple[str, int] | None:
        if self._connect_to and self._first and url.host == self._first.host:
            return address_of(self._connect_to, url.port)
        return None

    def _body(self, answer: Answer, url: str) -> bytes:
        limit = self._limits.bytes_each
        if answer.truncated:
            if time.monotonic() >= self._deadline:
                raise FetchError(f"{url} was not complete within {self._limits.timeout_s:g} s")
            raise FetchError(f"{url} broke off, or is larger than the limit of {limit} bytes")
        if (answer.header("Content-Encoding") or "").lower() != "gzip":
            return answer.body
        try:
            unpacker = zlib.decompressobj(wbits=31)
            plain = unpacker.decompress(answer.body, limit)
        except (zlib.error, gzip.BadGzipFile) as err:
            raise FetchError(f"the compressed answer of {url} is damaged ({err})") from err
        if unpacker.unconsumed_tail:
            raise FetchError(f"{url} is larger than the limit of {limit} bytes")
        return plain


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        parsed = parse_url(target, lenient=True)
    except ValueError as err:
        raise FetchError(f"{url} redirects to {location}, which is no URL ({err})") from err
    if parsed.scheme not in ("http", "https"):
        raise FetchError(f"{url} redirects to {target}")
    return target


def load(url: str, pages: Sequence[str], fetcher: Fetcher, limits: Limits) -> Bundle:
    """Load a page, further pages of the same site, and all scripts they refer to.

    Scripts of other sites are not fetched. A script that cannot be fetched is a failure,
    because the page is broken in a browser as well.

    :raises FetchError: If the first page cannot be fetched.
    """
    bundle = Bundle()
    for number, page in enumerate((url, *pages)):
        address = urljoin(url, page)
        try:
            load_page(bundle, address, fetcher, limits)
        except FetchError as err:
            if number == 0:
                raise
            bundle.failures[address] = str(err)
    return bundle


def load_page(bundle: Bundle, address: str, fetcher: Fetcher, limits: Limits) -> LoadedPage:
    """Load a page and the scripts that it refers to into a bundle, those that it has already left out.

    :raises FetchError: If the page cannot be fetched.
    """
    html, final = fetcher.text(address)
    bundle.origin = bundle.origin or _origin(final)
    found = read_page(html, final)
    for count, text in enumerate(found.inline, 1):
        bundle.scripts[f"{final}#script-{count}"] = text
    # An import that is only text of the page is answered with 404, which is no failure.
    loaded = _load_scripts(bundle, [*found.sources, *found.imports], fetcher, limits, optional=found.imports)
    inline = [f"{final}#script-{count}" for count in range(1, len(found.inline) + 1)]
    page = LoadedPage(address, final, (*inline, *loaded))
    bundle.loaded.append(page)
    return page


def load_script(bundle: Bundle, address: str, fetcher: Fetcher, limits: Limits) -> None:
    """Load a script that no page refers to, because it is loaded later."""
    _load_scripts(bundle, [address], fetcher, limits)


def _load_scripts(
    bundle: Bundle, queue: list[str], fetcher: Fetcher, limits: Limits, optional: Collection[str] = ()
) -> list[str]:
    """Load scripts and what they import.

    :param optional: URLs whose absence is no failure.
    :returns: The URLs of all of them, those that were loaded before included.
    """
    seen: dict[str, None] = {}
    while queue:
        address = urldefrag(queue.pop(0))[0]
        if address in seen or _origin(address) != bundle.origin:
            continue
        seen[address] = None
        if address in bundle.failures:
            continue
        if address not in bundle.came_from:
            if len(bundle.came_from) >= limits.scripts:
                bundle.failures[address] = (
                    f"the pages refer to more than {limits.scripts} scripts; the rest was not read"
                )
                break
            try:
                bundle.scripts[address], bundle.came_from[address] = fetcher.text(address)
            except FetchError as err:
                if address not in optional:
                    bundle.failures[address] = str(err)
                continue
        if "/_next/" not in address:
            queue += imported(bundle.scripts[address], bundle.came_from[address])
    return [address for address in seen if address in bundle.scripts]


def _origin(url: str) -> str:
    """Return the origin of a URL; empty if it is none, which browsers do not load."""
    try:
        return parse_url(url, lenient=True).origin
    except UrlError:
        return ""
