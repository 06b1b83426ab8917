# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove that the server delivers the scripts of the routes that contain a URL in the build on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urljoin

from .._host.url import parse_url
from .bundle import Findings, search
from .bundle_fetch import Bundle, Fetcher, FetchError, Limits, LoadedPage, load_page, load_script
from .output import base_path, client_routes, client_scripts, common_scripts
from .routes import Route, file_of, holding, reached_from

#: Routes that are asked for at most.
MOST_ROUTES = 10
_NEXT = "/_next/static/"


@dataclass(frozen=True)
class Build:
    """A build on disk, as far as the served scripts are compared with it.

    :param base: The path before every route; empty for none.
    :param common: Scripts that belong to no route in particular.
    """

    directory: str
    base: str
    scripts: Mapping[str, str]
    routes: tuple[Route, ...]
    common: frozenset[str]

    def others(self, addresses: Iterable[str]) -> list[str]:
        """Return the URLs that are scripts of Next.js, but of another build.

        A file that is in the directory may be left from an earlier build, for pages that are still open.
        """
        known = self.common.union(*(route.scripts for route in self.routes))
        return [address for address in addresses if _NEXT in address and file_of(address, self.scripts) not in known]


@dataclass(frozen=True)
class ServedRoute:
    """A route whose scripts contain an expected URL.

    :param page: URL of the page that was read; empty if none of its pages was answered.
    :param scripts: The URLs of its served scripts with an expected URL.
    :param unanswered: Why no page was read.
    :param outdated: What shows that the server delivers another build.
    """

    route: str
    page: str = ""
    scripts: tuple[str, ...] = ()
    unanswered: str = ""
    outdated: str = ""


@dataclass
class Proof:
    """What was proven of the routes.

    :param directory: The build whose routes are known; empty if none are.
    :param on_disk: Names of the routes that contain an expected URL on disk.
    :param others: If an expected URL is missing on disk, the other WebSocket URLs and the scripts that contain them.
    """

    directory: str = ""
    on_disk: list[str] = field(default_factory=list)
    served: list[ServedRoute] = field(default_factory=list)
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_build(directory: str) -> Build:
    """Read a build from disk; it has no routes if there is none, or if it does not tell."""
    scripts = client_scripts(directory)
    routes = client_routes(directory, scripts)
    return Build(directory, base_path(directory), scripts, routes, common_scripts(directory))


@dataclass
class RouteProof:
    """Loads the pages of routes and finds the scripts with the expected URLs in what the server delivers.

    :param bundle: What was loaded so far; what is loaded now is added.
    :param url: URL of the site's first page.
    """

    bundle: Bundle
    build: Build
    url: str
    expected: Sequence[str]
    fetcher: Fetcher
    limits: Limits

    def prove(self) -> Proof:
        """Prove those routes that contain the expected URLs on disk, if the pages in the bundle do not.

        Dynamic segments are filled from the pages that were loaded already, otherwise from a page that was rendered
        when it was built, otherwise with a placeholder.
        """
        on_disk = search(self.build.scripts, self.expected, ())
        wanted = {name for names in on_disk.found.values() for name in names}
        candidates = sorted(holding(self.build.routes, wanted), key=lambda route: (route.dynamic, route.name))
        proof = Proof(self.build.directory if self.build.routes else "", [route.name for route in candidates])
        proof.others = on_disk.others
        missing = bool(search(self.bundle.scripts, self.expected, ()).missing)
        for route in candidates[:MOST_ROUTES]:
            page = next((page for page in self.bundle.loaded if route.holds(self._route_path(page.final))), None)
            unanswered = ""
            if page is None:
                if not missing:
                    continue
                page, unanswered = self._load_any(route)
            proof.served.append(self._served(route, page, unanswered, sorted(route.scripts & wanted)))
        return proof

    def _load_any(self, route: Route) -> tuple[LoadedPage | None, str]:
        """Load the first page of a route that is answered, or say why none was."""
        why = "its pages have no address of their own"
        for path in route.paths():
            address = urljoin(self.url, self.build.base + path)
            try:
                _text, final = self.fetcher.text(address)
                if route.holds(self._route_path(final)):
                    return load_page(self.bundle, final, self.fetcher, self.limits), ""
                why = f"{address} redirects to {final}"
            except FetchError as err:
                why = str(err)
        return None, why

    def _route_path(self, address: str) -> str:
        path, base = parse_url(address, lenient=True).path, self.build.base
        return path[len(base) :] if base and path.startswith(base) else path

    def _served(self, route: Route, page: LoadedPage | None, unanswered: str, names: Sequence[str]) -> ServedRoute:
        """Find the served scripts of a route that contain an expected URL.

        :param page: A page of the route.
        :param names: The scripts of the route that contain it on disk.
        """
        final = page.final if page else ""
        if page:
            if scripts := self._with_url(page.scripts):
                return ServedRoute(route.name, final, scripts)
            if others := self.build.others(page.scripts):
                why = f"{final} loads {others[0]}, which is no script of the build in {self.build.directory}"
                return ServedRoute(route.name, final, outdated=why)
            loaded = [file_of(address, self.build.scripts) for address in page.scripts]
            if not reached_from(loaded, self.build.scripts).intersection(names):
                # A page for the login, for example, which is answered under every address.
                final, unanswered = "", f"{final} answers with the scripts of another page"
        prefix = self._prefix()
        later = [prefix + quote(name) for name in names if prefix]
        for address in later:
            load_script(self.bundle, address, self.fetcher, self.limits)
        return ServedRoute(route.name, final, self._with_url(later), unanswered)

    def _with_url(self, addresses: Sequence[str]) -> tuple[str, ...]:
        scripts = {address: self.bundle.scripts[address] for address in addresses if address in self.bundle.scripts}
        return tuple(sorted({name for names in search(scripts, self.expected, ()).found.values() for name in names}))

    def _prefix(self) -> str:
        """Return the URL below which Next.js serves what is in its output directory; empty for other bundlers."""
        if not self.build.common:
            return ""
        for address in self.bundle.came_from:
            before, found, _ = address.partition(_NEXT)
            if found:
                return f"{before}/_next/"
        return urljoin(self.url, f"{self.build.base}/_next/")


def objection(proof: Proof, findings: Findings) -> str:
    """Return what is wrong with the routes, in one sentence; empty if nothing is.

    :param findings: What all served scripts contain.
    """
    for route in proof.served:
        if route.outdated:
            return f"{route.outdated}; the server seems to deliver an earlier build"
    if not findings.missing or not proof.directory:
        return ""
    if not proof.on_disk:
        # Those of the served scripts are named already.
        others = {} if findings.others else proof.others
        instead = [f"{url} ({', '.join(names[:3])})" for url, names in others.items()][:3]
        return f"no route of the build in {proof.directory} has it" + (
            f", and its scripts contain {', '.join(instead)}" if instead else ""
        )
    unread = [route.unanswered for route in proof.served if route.unanswered]
    return f"{', '.join(proof.on_disk[:3])} of the build in {proof.directory} has it" + (
        f", but no page of it was read: {unread[0]}" if unread else ""
    )


def evidence(proof: Proof, url: str) -> str:
    """Return which scripts contain the URL, as the end of a sentence; empty if nothing is known of routes."""
    proven = [route for route in proof.served if route.scripts]
    read = [route for route in proven if route.page]
    if not proven:
        return ""
    named = [
        route.route if _is_page_of(route) else f"{route.route} (read at {parse_url(route.page, lenient=True).path})"
        for route in read
    ]
    if named:
        more = f" and {len(named) - 3} more routes" if len(named) > 3 else ""
        return f"those of {', '.join(named[:3])}{more} contain {url}"
    first = proven[0]
    return (
        f"those of {first.route} contain {url}, but no page of it was read: {first.unanswered}; "
        "name one in staging_pages"
    )


def _is_page_of(route: ServedRoute) -> bool:
    return (parse_url(route.page, lenient=True).path.rstrip("/") or "/") == (route.route.rstrip("/") or "/")
