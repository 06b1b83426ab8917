# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which URLs the JavaScript that a browser loads contains.

Only client chunks prove anything: a URL in ``routes-manifest.json`` or in the bundler's
cache is neither a fault nor a proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from .._host.url import parse_url

# A URL continues if one of these follows; otherwise "http://a" would be found in "http://a.example".
_CONTINUES = "[A-Za-z0-9_.:%-]"
_ESCAPES = re.compile(r"\\(?:/|u002[fF]|x2[fF]|u003[aA]|x3[aA]|u002[dD]|x2[dD])|&#x2[fF];|&#47;")
_WEBSOCKET_URL = re.compile(r"wss?://[A-Za-z0-9\[][A-Za-z0-9_.:%/~\[\]-]*")
_HTTP_URL = re.compile(r"https?://[A-Za-z0-9\[][A-Za-z0-9_.:%/~\[\]-]*")
# Namespaces of XML, and the documentation that libraries name in their messages: no browser asks them for anything.
_NO_API = re.compile(
    r"https?://(?:www\.w3\.org|(?:\w+\.)?(?:react\.dev|reactjs\.org|nextjs\.org|mozilla\.org|github\.com|vite\.dev|mui\.com)"
    r"|json-schema\.org|npms?\.io|fb\.me|bit\.ly)(?![A-Za-z0-9.-])"
)
#: What a script in a page imports by a path: SvelteKit begins so, and React Router.
_INLINE_IMPORT = re.compile(
    r"""(?:\bimport\s*\(?|\bfrom)\s*(["'`])((?:\.{1,2})?/[A-Za-z0-9_@~%$.()\[\]/-]+\.m?js(?:\?[^"'`\s]*)?)\1"""
)
_SCRIPT_TYPES = ("", "module", "text/javascript", "application/javascript")
_SCRIPT_PATH = re.compile(r"""["'`(]((?:\.{0,2}/)?[A-Za-z0-9_@~%$.()\[\]/-]+\.m?js)(?=["'`)?\\])""")


@dataclass(frozen=True)
class Findings:
    """Which scripts contain the URLs.

    :param others: If an expected URL is missing, the other WebSocket URLs and the scripts that contain them.
    """

    found: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    forbidden: Mapping[str, tuple[str, ...]]
    scripts: tuple[str, ...]
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.missing and not self.forbidden


def normalised(text: str) -> str:
    """Replace escaped slashes, colons and hyphens of JavaScript and HTML."""

    def plain(match: re.Match[str]) -> str:
        code = match.group(0).lower()
        return ":" if "3a" in code else "-" if "2d" in code else "/"

    return _ESCAPES.sub(plain, text)


def _whole(url: str) -> re.Pattern[str]:
    return re.compile(re.escape(url) + ("" if url.endswith("/") else f"(?!{_CONTINUES}*[A-Za-z0-9_])"))


def _beginning(url: str) -> re.Pattern[str]:
    """``ws://localhost`` begins ``ws://localhost:14200/ws``, but not ``ws://localhost.example.com``."""
    return re.compile(re.escape(url) + ("" if not url[-1:].isalnum() else r"(?![A-Za-z0-9_-]|\.[A-Za-z0-9])"))


def listed_urls(scripts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """All WebSocket URLs and other absolute URLs in scripts, each with the scripts that contain it.

    The WebSocket URLs come first. Namespaces, and documentation that libraries name, are left out.

    :param scripts: Text of each script by its name.
    """
    found: dict[str, set[str]] = {}
    for name, text in scripts.items():
        plain = normalised(text)
        for url in (*_WEBSOCKET_URL.findall(plain), *_HTTP_URL.findall(plain)):
            if not _NO_API.match(url):
                found.setdefault(url.rstrip(".:"), set()).add(name)
    ordered = sorted(found, key=lambda url: (not url.startswith("ws"), url))
    return {url: tuple(sorted(found[url])) for url in ordered}


def search(scripts: Mapping[str, str], expected: Sequence[str], forbidden: Sequence[str]) -> Findings:
    """Search for URLs in scripts.

    An occurrence of an expected URL never counts as one of a forbidden URL that is only a part of it.

    :param expected: Whole URLs; a query or a further path may follow in the script.
    :param forbidden: Beginnings of URLs.
    :param scripts: Text of each script by its name.
    """
    found: dict[str, list[str]] = {}
    wrong: dict[str, list[str]] = {}
    wanted = [(url, _whole(url)) for url in sorted(set(expected), key=len, reverse=True)]
    unwanted = [(url, _beginning(url)) for url in forbidden if url not in expected]
    for name in sorted(scripts):
        text = normalised(scripts[name])
        for url, pattern in wanted:
            if pattern.search(text):
                found.setdefault(url, []).append(name)
        for url, pattern in unwanted:
            rest = text
            for longer, good in wanted:
                if url in longer:
                    rest = good.sub(" ", rest)
            if pattern.search(rest):
                wrong.setdefault(url, []).append(name)
    missing = tuple(url for url in dict.fromkeys(expected) if url not in found)
    others: dict[str, list[str]] = {}
    for name in sorted(scripts) if missing else ():
        for url in dict.fromkeys(_WEBSOCKET_URL.findall(normalised(scripts[name]))):
            if not any(pattern.match(url) for _, pattern in wanted):
                others.setdefault(url, []).append(name)
    return Findings(
        {url: tuple(found[url]) for url in expected if url in found},
        missing,
        {url: tuple(names) for url, names in wrong.items()},
        tuple(sorted(scripts)),
        {url: tuple(others[url]) for url in sorted(others)},
    )


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base = ""
        self.sources: list[str] = []
        self.inline: list[str] = []
        self.code: list[str] = []
        self._in_script = self._in_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "base" and given.get("href"):
            self.base = given["href"]
        elif tag == "script":
            if given.get("src"):
                self.sources.append(given["src"])
            else:
                self._in_script = True
                self._in_code = given.get("type", "").strip().lower() in _SCRIPT_TYPES
                self.inline.append("")
        elif tag == "link" and given.get("href"):
            kinds = given.get("rel", "").lower().split()
            if "modulepreload" in kinds or (given.get("as", "").lower() == "script" and "preload" in kinds):
                self.sources.append(given["href"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.inline[-1] += data
            if self._in_code:
                self.code.append(data)


@dataclass(frozen=True)
class Page:
    """The scripts of a page: those it refers to, and those written into it.

    :param imports: What those written into it seem to import. Their texts may also contain data that looks like it.
    """

    sources: tuple[str, ...]
    inline: tuple[str, ...]
    imports: tuple[str, ...] = ()


def read_page(html: str, url: str) -> Page:
    """Find the scripts that a page makes the browser load.

    Next.js names further chunks of a page inside its inline scripts (``static/chunks/...``,
    relative to ``/_next/``).

    :param url: The URL of the page; relative ones are resolved against it.
    """
    parser = _Page()
    parser.feed(html)
    base = _absolute(url, parser.base) or url
    sources = [address for source in parser.sources if (address := _absolute(base, source))]
    prefix = next((source.partition("/_next/")[0] + "/_next/" for source in sources if "/_next/" in source), "")
    if prefix:
        for text in parser.inline:
            sources += [
                urljoin(prefix, path.partition("/_next/")[2] or path)
                for path in _SCRIPT_PATH.findall(normalised(text.replace('\\"', '"')))
                if path.startswith("static/") or "/_next/static/" in path
            ]
    named = [path for text in parser.code for _quote, path in _INLINE_IMPORT.findall(text)]
    imports = [address for path in named if (address := _absolute(base, path)) and address not in sources]
    return Page(
        tuple(dict.fromkeys(sources)),
        tuple(text for text in parser.inline if text.strip()),
        tuple(dict.fromkeys(imports)),
    )


def _absolute(base: str, reference: str) -> str:
    """Return the URL that a page names; empty if it is none, which browsers ignore."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return ""


def imported(script: str, url: str) -> tuple[str, ...]:
    """Find the scripts that a script may import later, for bundlers other than Next.js (Vite, Rollup).

    ``import("./page-1a2b.js")`` is relative to the script; the entries of Vite's table of
    dependencies (``"assets/page-1a2b.js"``) are relative to the directory above the assets.

    :param url: Where the script was loaded from.
    """
    directory = parse_url(url, lenient=True).path.rpartition("/")[0].rpartition("/")[2]
    found = []
    for path in _SCRIPT_PATH.findall(script):
        if path.startswith(("./", "../")):
            found.append(urljoin(url, path))
        elif directory and path.startswith(f"{directory}/"):
            found.append(urljoin(url, path[len(directory) + 1 :]))
    return tuple(dict.fromkeys(found))


def complaint(findings: Findings, where: str, expectation: str = "") -> str:
    """Return what is wrong in one sentence; empty if nothing is.

    :param where: What was searched, such as ``the build in web-ui/.next``.
    :param expectation: The likely cause of a missing URL.
    """
    parts = []
    if findings.missing and not findings.scripts:
        parts.append(f"{where} has no client scripts")
    elif findings.missing:
        number = len(findings.scripts)
        others = [f"{url} ({_listed(names)})" for url, names in findings.others.items()]
        instead = f", which contain {_listed(others)}" if others else ""
        parts.append(f"{_listed(findings.missing)} is in none of the {number} client scripts of {where}{instead}")
    for url, names in findings.forbidden.items():
        said = {name for other, there in findings.others.items() if other.startswith(url) for name in there}
        if not said.issuperset(names):
            parts.append(f"client scripts of {where} contain {url} ({_listed(names)})")
    if parts and findings.missing and expectation:
        parts.append(expectation)
    return "; ".join(parts)


def _listed(names: Iterable[str], limit: int = 3) -> str:
    every = list(names)
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
