# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which routes of a build load which client scripts (pure).

Measured on Next.js 14, 15 and 16 (webpack and Turbopack, app and pages router), on Vite 7, and on static exports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from .._host.json_text import object_of
from .._host.url import parse_url
from .bundle import Findings, imported, read_page

#: Values for dynamic segments of a route, if nothing else is known of it.
PLACEHOLDERS = ("1", "a")

_SITE = "http://build/"
_SCRIPT = re.compile(r"(?:^|/)(static/.+\.m?js)$")
# A chunk of webpack says which chunks it is; scripts that load it later contain `.e(ID)`, workers `.u(ID)`.
_WEBPACK_CHUNK = re.compile(r"\.push\(\[\[([^\]]*)\]")
_WEBPACK_LOADS = re.compile(r"""\.[eu]\((\d+|"[^"]+"|'[^']+')\)""")
# The entry of one route is never loaded later by another; `.e(ID)` can be something else in a minified script.
_WEBPACK_ENTRIES = ("static/chunks/app/", "static/chunks/pages/")
_TURBOPACK_LOADS = re.compile(r"""["'](static/[^"'\\]+\.m?js)["']""")
_NOT_IN_URL = re.compile(r"^(?:\([^.)][^)]*\)|@.*)$")
_INTERCEPTS = re.compile(r"^\(\.{1,3}\)")
_DYNAMIC = re.compile(r"^\[(?P<optional>\[)?(?P<rest>\.\.\.)?[^\]]+\]\]?$")


@dataclass(frozen=True)
class Route:
    """A route, and the client scripts that its pages load at once or later.

    :param name: Such as ``/projects/[projectId]``; for other bundlers than Next.js the path of the page.
    :param scripts: Paths below the output directory.
    :param examples: Paths of this route that were rendered when it was built.
    """

    name: str
    scripts: frozenset[str]
    examples: tuple[str, ...] = ()

    @property
    def dynamic(self) -> bool:
        return any(_DYNAMIC.match(segment) for segment in self.name.split("/"))

    def holds(self, path: str) -> bool:
        """Whether a path, without the base path of the site, is one of this route."""
        expression = ""
        for segment in _segments(self.name):
            found = _DYNAMIC.match(segment)
            if not found:
                expression += "/" + re.escape(segment)
            elif found["optional"]:
                expression += "(?:/.+)?"
            else:
                expression += "/.+" if found["rest"] else "/[^/]+"
        plain = unquote(path.partition("?")[0].partition("#")[0]).strip("/")
        return re.fullmatch(expression, f"/{plain}" if plain else "") is not None

    def paths(self) -> tuple[str, ...]:
        """Paths of pages of this route, the best first; empty if none can be known."""
        segments = _segments(self.name)
        if any(_INTERCEPTS.match(segment) for segment in segments):
            return ()
        if not self.dynamic:
            return (quote(self.name),)
        filled = [
            "/" + "/".join(part for part in (_filled(segment, value) for segment in segments) if part)
            for value in PLACEHOLDERS
        ]
        return tuple(dict.fromkeys([*self.examples[:1], *filled]))


def _segments(name: str) -> list[str]:
    return [segment for segment in name.split("/") if segment]


def _filled(segment: str, value: str) -> str:
    found = _DYNAMIC.match(segment)
    if not found:
        return quote(segment)
    return "" if found["optional"] else value


@dataclass(frozen=True)
class NextManifests:
    """What Next.js records of a build; each part may be missing.

    :param pages: ``build-manifest.json``.
    :param app: ``app-build-manifest.json``, of Next.js 14 and 15.
    :param references: The object of each ``page_client-reference-manifest.js``, by path such as ``/live/[id]/page``.
    :param prerendered: ``prerender-manifest.json``.
    """

    pages: Mapping[str, Any] = field(default_factory=dict)
    app: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prerendered: Mapping[str, Any] = field(default_factory=dict)


def next_routes(manifests: NextManifests, scripts: Mapping[str, str]) -> tuple[Route, ...]:
    """Return the routes of a build of Next.js.

    :param scripts: Text of each client script by its path below the output directory.
    """
    loaded: dict[str, set[str]] = {}
    everywhere = _paths(manifests.pages.get("rootMainFiles"))
    entries = object_of(manifests.app.get("pages"))
    keys = [key for key in {*entries, *manifests.references} if key.endswith("/page")]
    for key in sorted(keys):
        found = loaded.setdefault(_route_of(key[: -len("/page")]), set())
        found |= everywhere
        for other, files in entries.items():
            # The layouts, and whatever else belongs to a segment above the page.
            if other == key or (not other.endswith("/page") and f"{key}/".startswith(other.rpartition("/")[0] + "/")):
                found |= _paths(files)
        # Where there are entries, they are exact; the references of webpack name chunks of other routes as well.
        reference = {} if key in entries else object_of(manifests.references.get(key))
        for files in object_of(reference.get("entryJSFiles")).values():
            found |= _paths(files)
        for client in object_of(reference.get("clientModules")).values():
            found |= _paths(object_of(client).get("chunks"))
    pages = object_of(manifests.pages.get("pages"))
    for name, files in pages.items():
        if name != "/_app":
            loaded.setdefault(name, set()).update(_paths(files) | _paths(pages.get("/_app")))
    chunks = _webpack_chunks(scripts)
    examples: dict[str, list[str]] = {}
    for path, about in object_of(manifests.prerendered.get("routes")).items():
        examples.setdefault(str(object_of(about).get("srcRoute")), []).append(path)
    return tuple(
        Route(name, _reached(names, scripts, chunks), tuple(sorted(examples.get(name, ()))))
        for name, names in sorted(loaded.items())
    )


def page_routes(scripts: Mapping[str, str]) -> tuple[Route, ...]:
    """Return the routes of any other build: its pages, such as the entry points of Vite or those of a static export.

    :param scripts: Text of each script and page by its path below the output directory.
    """
    routes = []
    for page in sorted(name for name in scripts if name.endswith(".html")):
        found = {page}
        read = read_page(scripts[page], _SITE + page)
        queue = [*read.sources, *read.imports]
        while queue:
            name = file_of(queue.pop(), scripts)
            if name and name not in found:
                found.add(name)
                queue += imported(scripts[name], _SITE + name)
        directory, _, file = page.rpartition("/")
        name = "/" + (f"{directory}/" if directory else "") if file == "index.html" else f"/{page}"
        routes.append(Route(name, frozenset(found)))
    return tuple(routes)


def holding(routes: Sequence[Route], names: Iterable[str]) -> list[Route]:
    """Return the routes that load one of the scripts, without those for errors, such as ``/_not-found``."""
    wanted = frozenset(names)
    return [route for route in routes if route.scripts & wanted and not route.name.startswith("/_")]


def reached_from(names: Iterable[str], scripts: Mapping[str, str]) -> frozenset[str]:
    """Return the scripts of Next.js that can be loaded from the given ones, themselves included."""
    return _reached(names, scripts, _webpack_chunks(scripts))


def unloaded(findings: Findings, routes: Sequence[Route], where: str) -> str:
    """Return which expected URL no route loads, in one sentence; empty if there is none, or if routes are unknown.

    :param where: What was searched, such as ``the build in web-ui/.next``.
    """
    for url, names in findings.found.items() if routes else ():
        if not holding(routes, names):
            return f"{url} is only in {', '.join(names[:3])}, which no route of {where} loads"
    return ""


def file_of(address: str, scripts: Mapping[str, str]) -> str:
    """Return the script that a page refers to, whatever the base path; empty if the build has no such file."""
    path = unquote(parse_url(address, lenient=True).path).strip("/")
    while path and path not in scripts:
        path = path.partition("/")[2]
    return path


def _route_of(key: str) -> str:
    """Return the route of an entry of the app router: groups and slots are no part of the URL."""
    return "/" + "/".join(segment for segment in _segments(key) if not _NOT_IN_URL.match(segment))


def _paths(names: Any) -> set[str]:
    """Return the scripts among the names of a manifest, as paths below the output directory."""
    if not isinstance(names, Sequence) or isinstance(names, str):
        return set()
    found = (_SCRIPT.search(unquote(name)) for name in names if isinstance(name, str))
    return {match[1] for match in found if match}


def _webpack_chunks(scripts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the scripts by the ids of webpack's chunks in them."""
    chunks: dict[str, list[str]] = {}
    for name, text in scripts.items():
        found = _WEBPACK_CHUNK.search(text)
        for chunk in found[1].split(",") if found else ():
            chunks.setdefault(chunk.strip(" \"'"), []).append(name)
    return chunks


def _reached(names: Iterable[str], scripts: Mapping[str, str], chunks: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the scripts that can be loaded from the given ones, themselves included."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name in found or name not in scripts:
            continue
        found.add(name)
        text = scripts[name]
        for chunk in set(_WEBPACK_LOADS.findall(text)):
            queue += [name for name in chunks.get(chunk.strip("\"'"), ()) if not name.startswith(_WEBPACK_ENTRIES)]
        queue += set(_TURBOPACK_LOADS.findall(text))
    return frozenset(found)
