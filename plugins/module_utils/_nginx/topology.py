# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers and locations of a site, derived from the public URLs (pure).

Each public URL needs an address: a host name, and a port with TLS or without.
URLs that share an address share a server, in which their paths are told apart.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .._host.url import DEFAULT_PORTS, Url
from .site_inputs import SiteInputs, listens_at, variable_of, variable_to_set

_SLUG_LENGTH = 46 - len("_connection")


@dataclass(frozen=True)
class PublicAddress:
    """Where nginx takes the requests for one public URL, and what it tells the application of that URL.

    :param kind: ``api``, ``ws`` or ``page``.
    :param authority: Host and port of the public URL, as the header ``Host`` has it.
    """

    kind: str
    host: str
    port: int
    tls: bool
    secure: bool
    public_port: int

    @property
    def name(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def authority(self) -> str:
        usual = DEFAULT_PORTS["https" if self.secure else "http"]
        return "$host" if self.public_port == usual else f"$host:{self.public_port}"


@dataclass(frozen=True)
class SiteLocation:
    """One location; ``kind`` is ``websocket``, ``events``, ``ordinary``, ``static``, ``page``, ``slash`` or
    ``not_found``.
    """

    kind: str
    match: str
    upstream: str = ""


@dataclass(frozen=True)
class SiteServer:
    """One server block; its locations in the order in which they are written."""

    address: PublicAddress
    kinds: tuple[str, ...]
    listen: tuple[str, ...]
    challenges: bool
    locations: tuple[SiteLocation, ...]


@dataclass(frozen=True)
class SiteTopology:
    """All that the configuration of a site is rendered from, besides the inputs themselves.

    :param slug: Part of the names that the site has in the http block, which all sites share.
    :param access: The lines that decide who may open a WebSocket.
    :param main: What nginx is told outside of the http block.
    """

    slug: str
    servers: tuple[SiteServer, ...]
    redirects: tuple[SiteServer, ...]
    redirect_listen: tuple[str, ...]
    access: tuple[str, ...]
    main: str


def address_of(inputs: SiteInputs, kind: str, url: Url) -> PublicAddress:
    """Where nginx takes the requests for a public URL.

    Without a certificate, TLS of a secure URL ends before nginx, which then listens without.
    """
    tls = url.secure and bool(inputs.tls_certificate)
    port = inputs.listen_port or (DEFAULT_PORTS["http"] if url.secure and not tls else url.port)
    return PublicAddress(kind, url.host, port, tls, url.secure, url.port)


def addresses(inputs: SiteInputs) -> tuple[PublicAddress, ...]:
    """The address of each public URL that the proxy serves."""
    urls = [("api", inputs.public_api), ("ws", inputs.public_websocket), ("page", inputs.public_page)]
    return tuple(address_of(inputs, kind, url) for kind, url in urls if url is not None)


def conflicts(inputs: SiteInputs, given: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence for each reason why nginx cannot serve these URLs on this host.

    :param given: Names of the shared variables that are set, by which the sentences call the inputs.
    """
    found = []
    served = addresses(inputs)
    for each in served:
        if each.kind == "page" and not inputs.page_static and listens_at(inputs.frontend_upstream, each.port):
            found.append(
                f"{variable_of('page_url', given)} is {inputs.page_url}, at the port where the page itself listens "
                f"({inputs.frontend_upstream}), expected another port, or {variable_to_set('page', given)}: false if "
                "the page is served without the proxy"
            )
    protocols: dict[str, set[bool]] = {}
    for each in served:
        protocols.setdefault(f"{each.name}:{each.port}", set()).add(each.tls)
    both = [place for place, spoken in protocols.items() if len(spoken) > 1]
    if both:
        names = [variable_of(name, given) for name in ("page_url", "api_url", "ws_url")]
        found.append(
            f"{names[0]}, {names[1]} and {names[2]} want both TLS and plain connections at {', '.join(both)}, expected "
            "one of them for each port of a host name"
        )
    return tuple(found)


def slug_of(site_name: str) -> str:
    """A part of names in the http block that no other site has.

    nginx refuses variables of more than 46 characters (``variables_hash_bucket_size`` 64), and the longest of a site
    ends in ``_connection``. Variables ignore case. A name that is long, or that is not what it stands for, gets a
    checksum.
    """
    slug = re.sub(r"[^A-Za-z0-9]", "_", site_name)
    if len(slug) <= _SLUG_LENGTH and re.fullmatch(r"[a-z0-9-]+", site_name):
        return slug
    checksum = hashlib.sha256(site_name.encode()).hexdigest()[:8]
    return f"{slug[: _SLUG_LENGTH - len(checksum) - 1]}_{checksum}"


def plan_site(inputs: SiteInputs) -> SiteTopology:
    """Derive the servers of a site."""
    slug = slug_of(inputs.site_name)
    shared: dict[tuple[str, int], list[PublicAddress]] = {}
    for each in addresses(inputs):
        shared.setdefault((each.host, each.port), []).append(each)
    servers = tuple(_server(inputs, group, slug) for _, group in sorted(shared.items()))
    return SiteTopology(
        slug=slug,
        servers=servers,
        redirects=_redirects(inputs, servers),
        redirect_listen=_listen(DEFAULT_PORTS["http"], "", inputs.ipv6),
        access=_access(inputs),
        main=f"worker_shutdown_timeout {inputs.nginx_shutdown_timeout}s;" if inputs.nginx_shutdown_timeout else "",
    )


def _server(inputs: SiteInputs, group: Sequence[PublicAddress], slug: str) -> SiteServer:
    first, kinds = group[0], tuple(each.kind for each in group)
    return SiteServer(
        address=first,
        kinds=kinds,
        listen=_listen(first.port, " ssl" if first.tls else "", inputs.ipv6),
        challenges=not first.tls and first.port == DEFAULT_PORTS["http"] and _has_challenges(inputs),
        locations=_locations(inputs, kinds, slug),
    )


def _has_challenges(inputs: SiteInputs) -> bool:
    """Whether a certificate of this nginx may be renewed through it."""
    return bool(inputs.tls_certificate and inputs.acme_root)


def _listen(port: int, options: str, ipv6: bool) -> tuple[str, ...]:
    return tuple(f"{prefix}{port}{options}" for prefix in (("", "[::]:") if ipv6 else ("",)))


def _locations(inputs: SiteInputs, kinds: Collection[str], slug: str) -> tuple[SiteLocation, ...]:
    backend, frontend = inputs.backend_upstream, inputs.frontend_upstream
    websockets = inputs.websocket_paths if "ws" in kinds else ()
    events = _without(inputs.sse_paths, inputs.websocket_paths) if "api" in kinds else ()
    api = _without(inputs.api_paths, (*websockets, *events)) if "api" in kinds and "page" in kinds else ()
    found = [
        *(SiteLocation("websocket", match(path), inputs.websocket_upstreams.get(path, backend)) for path in websockets),
        *(SiteLocation("events", match(path), backend) for path in events),
        *(SiteLocation("ordinary", match(path), backend) for path in api),
    ]
    if "page" in kinds and inputs.page_static:
        return (*found, *_page_files(inputs.static_url_path, (*websockets, *events, *api)))
    if "page" in kinds and inputs.static_publish:
        # A file that is not published comes from the page.
        found += [
            SiteLocation("static", match(inputs.static_url_path)),
            SiteLocation("ordinary", f"@{slug}_page", frontend),
        ]
    if "/" not in (*websockets, *events, *api):
        found.append(_all_else(inputs, kinds))
    return tuple(found)


def _page_files(url_path: str, taken: Collection[str]) -> tuple[SiteLocation, ...]:
    """The locations of a page that needs no process, at ``/`` or below another path."""
    page = SiteLocation("page", match(url_path))
    if url_path == "/":
        return () if "/" in taken else (page,)
    # A URL without the slash at its end is sent to the page.
    slash = () if url_path.rstrip("/") in taken else (SiteLocation("slash", match(url_path.rstrip("/")), url_path),)
    return (page, *slash, *(() if "/" in taken else (SiteLocation("not_found", match("/")),)))


def _all_else(inputs: SiteInputs, kinds: Collection[str]) -> SiteLocation:
    if "page" in kinds:
        return SiteLocation("ordinary", match("/"), inputs.frontend_upstream)
    return (
        SiteLocation("ordinary", match("/"), inputs.backend_upstream)
        if "api" in kinds
        else SiteLocation("not_found", match("/"))
    )


def match(path: str) -> str:
    """How a location is told its path: itself alone, or with ``/`` at its end all below it, before any regex."""
    if path == "/":
        return path
    return f"{'^~' if path.endswith('/') else '='} {path}"


def _without(paths: Sequence[str], taken: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for path in paths if path not in taken))


def _redirects(inputs: SiteInputs, servers: Sequence[SiteServer]) -> tuple[SiteServer, ...]:
    """For each host name with TLS whose port 80 is free, the server that it is redirected to."""
    if not inputs.tls_redirect:
        return ()
    plain = {each.address.host for each in servers if each.address.port == DEFAULT_PORTS["http"]}
    found: dict[str, SiteServer] = {}
    for each in servers:
        if each.address.tls and each.address.host not in plain:
            found.setdefault(each.address.host, each)
    return tuple(found.values())


def _access(inputs: SiteInputs) -> tuple[str, ...]:
    """nginx takes the first line that fits; without an ``allow``, all others may connect."""
    lines = [f"deny {each};" for each in inputs.websocket_deny if each != "all"]
    lines += [f"allow {each};" for each in inputs.websocket_allow]
    if inputs.websocket_allow or "all" in inputs.websocket_deny:
        lines.append("deny all;")
    return tuple(lines)
