# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inputs of a site: which values a directive of nginx can hold, and which contradict each other (pure).

What becomes a part of a configuration is accepted by pattern, whether it comes
from the inventory or from a state that was saved on the host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any, Callable

from .._host.url import Url, UrlError, parse_url

PREFIX = "proxy_"
#: The shared variable of the backend's socket.
SOCKET = "staging_backend_socket"
_PORT = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
#: A path as nginx compares it: decoded, without empty parts and dots.
PATH = r"(/(?!\.\.?(/|\Z))[A-Za-z0-9._~+,=:@-]+)*/?"
_UPSTREAM = rf"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):{_PORT}"
#: A socket on this host, as nginx names it.
_SOCKET = r"unix:/[A-Za-z0-9._@%+=,/-]+"
_BACKEND_EXPECTED = "a host and a port such as 127.0.0.1:14200, or unix: and the path of a socket"
_FILE = r"/[A-Za-z0-9._@%+=:,/-]+"
_LOCATION = rf"(?=/){PATH}"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class SiteInputError(ValueError):
    """Inputs that no site can be made of; the text names all of them."""


@dataclass(frozen=True)
class SiteInputs:
    """What a site is made of, by the names of the role's options; durations in seconds.

    Without ``api_url``, the API is at the server of the WebSocket; without
    ``websocket_paths``, the path of its URL is the only one.
    """

    site_name: str
    page_url: str
    ws_url: str
    backend_upstream: str
    frontend_upstream: str
    static_root: str
    api_url: str = ""
    websocket_paths: tuple[str, ...] = ()
    page: bool = True
    websocket_upstreams: Mapping[str, str] = field(default_factory=dict)
    sse_paths: tuple[str, ...] = ()
    api_paths: tuple[str, ...] = ("/api/",)
    static_publish: bool = True
    static_url_path: str = "/_next/static/"
    page_static: bool = False
    page_fallback: str = ""
    client_max_body_size: str = "1m"
    websocket_idle_timeout: int = 86400
    connect_timeout: int = 60
    request_timeout: int = 60
    nginx_shutdown_timeout: int = 0
    websocket_connections_per_address: int = 0
    listen_port: int = 0
    ipv6: bool = True
    tls_certificate: str = ""
    tls_key: str = ""
    tls_redirect: bool = True
    tls_hsts: int = 0
    tls_plain_websocket: bool = False
    acme_root: str = "/var/www/html"
    websocket_allow: tuple[str, ...] = ()
    websocket_deny: tuple[str, ...] = ()

    @property
    def public_page(self) -> Url | None:
        """The page's URL, if the proxy serves the page."""
        return parse_url(self.page_url) if self.page else None

    @property
    def public_api(self) -> Url:
        return parse_url(self.api_url)

    @property
    def public_websocket(self) -> Url:
        return parse_url(self.ws_url)

    def as_dict(self) -> dict[str, Any]:
        """The values in JSON's types, from which :func:`read_inputs` makes them again."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def truth(value: object) -> bool:
    """A boolean, also where a command line or a template made it a word."""
    return value.strip().lower() in ("yes", "true", "on", "1") if isinstance(value, str) else bool(value)


@dataclass(frozen=True)
class _Kind:
    """A type of input: how its single values are found (None for another type), and what is made of it."""

    entries: Callable[[Any], list[Any] | None]
    convert: Callable[[Any], Any]
    several: bool = False


_TEXT = _Kind(lambda value: [value], str)
_NUMBER = _Kind(lambda value: [value], int)
_SWITCH = _Kind(lambda value: [value], truth)
_LIST = _Kind(
    lambda value: list(value) if isinstance(value, (list, tuple)) else None,
    lambda value: tuple(str(each) for each in value),
    several=True,
)
_DICTIONARY = _Kind(
    lambda value: list(value.values()) if isinstance(value, Mapping) else None,
    lambda value: {str(key): str(each) for key, each in value.items()},
    several=True,
)


@dataclass(frozen=True)
class _Rule:
    """What one input may hold.

    :param pattern: All of each value; for a URL, all of its path.
    :param expected: Completes "expected ...".
    :param variable: The shared variable whose value the input is, unless it is set itself.
    :param schemes: For a URL, those that it may have; an empty one for no URL at all.
    """

    kind: _Kind
    pattern: str
    expected: str
    variable: str
    schemes: tuple[str, ...] = ()

    def accepts(self, value: object) -> bool:
        text = str(value)
        if not self.schemes:
            return re.fullmatch(self.pattern, text) is not None
        if not text:
            return "" in self.schemes
        try:
            url = parse_url(text)
        except UrlError:
            return False
        bare = not (url.query or url.fragment)
        return url.scheme in self.schemes and bare and re.fullmatch(self.pattern, url.path) is not None


def _text(pattern: str, expected: str, variable: str) -> _Rule:
    return _Rule(_TEXT, pattern, expected, variable)


def _file(variable: str) -> _Rule:
    return _Rule(_TEXT, rf"|{_FILE}", "an absolute path without blanks and quotes, or nothing", variable)


def _url(expected: str, variable: str, *schemes: str) -> _Rule:
    return _Rule(_TEXT, PATH, expected, variable, schemes)


def _seconds(variable: str) -> _Rule:
    return _Rule(_NUMBER, r"[1-9][0-9]{0,8}", "a number of seconds, at least 1", variable)


def _count(expected: str, variable: str) -> _Rule:
    return _Rule(_NUMBER, r"0|[1-9][0-9]{0,8}", expected, variable)


def _switch(variable: str) -> _Rule:
    return _Rule(_SWITCH, r"(?i:true|false|yes|no|on|off|1|0)", "true or false", variable)


def _list(pattern: str, expected: str, variable: str) -> _Rule:
    return _Rule(_LIST, pattern, expected, variable)


_RULES: dict[str, _Rule] = {
    "provider": _text(
        "nginx|nginx_proxy_manager|manual", "nginx, nginx_proxy_manager or manual", "staging_proxy_provider"
    ),
    "site_name": _text(
        r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "letters, digits, dots, hyphens and underscores", "staging_app_name"
    ),
    "page": _switch("staging_proxy_page"),
    "page_url": _url(
        "a URL such as http://app.example.com or https://app.example.com:8443", "staging_public_url", "http", "https"
    ),
    "api_url": _url("a URL such as http://api.example.com", "staging_public_api_url", "http", "https", ""),
    "ws_url": _url("a URL such as ws://api.example.com/ws", "staging_public_ws_url", "ws", "wss"),
    "backend_upstream": _text(rf"{_UPSTREAM}|{_SOCKET}", _BACKEND_EXPECTED, "staging_proxy_backend_upstream"),
    "frontend_upstream": _text(
        _UPSTREAM, "a host and a port such as 127.0.0.1:14100", "staging_proxy_frontend_upstream"
    ),
    "websocket_paths": _list(
        _LOCATION, "paths such as /ws, or /ws/ for all below it, decoded and without dots", "staging_websocket_paths"
    ),
    "websocket_upstreams": _Rule(
        _DICTIONARY,
        rf"{_UPSTREAM}|{_SOCKET}",
        "a host and a port for each path, such as 127.0.0.1:14300, or unix: and the path of a socket",
        "staging_websocket_upstreams",
    ),
    "sse_paths": _list(_LOCATION, "paths such as /api/events, decoded and without dots", "staging_sse_paths"),
    "api_paths": _list(
        _LOCATION, "paths such as /health, or /api/ for all below it, decoded and without dots", "staging_api_paths"
    ),
    "static_publish": _switch("staging_static_publish"),
    "static_root": _text(_FILE, "a directory such as /var/lib/codeframe-staging/app", "staging_static_root"),
    "static_url_path": _text(
        r"/(?:[A-Za-z0-9._~+=:@-]+/)*", "a path such as /_next/static/", "staging_static_url_path"
    ),
    "page_static": _switch("staging_frontend_serve"),
    "page_fallback": _text(
        r"|(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*",
        "a file of the build such as index.html, or nothing",
        "staging_frontend_fallback",
    ),
    "client_max_body_size": _text(r"[0-9]{1,9}[kKmMgG]?", "a size such as 10m", "staging_proxy_client_max_body_size"),
    "websocket_idle_timeout": _seconds("staging_websocket_idle_timeout"),
    "connect_timeout": _seconds("staging_proxy_connect_timeout"),
    "request_timeout": _seconds("staging_proxy_request_timeout"),
    "nginx_shutdown_timeout": _count("a number of seconds, or 0 for no limit", "staging_nginx_shutdown_timeout"),
    "nginx_clients": _count("a number of clients, or 0 to check nothing", "staging_nginx_clients"),
    "websocket_connections_per_address": _count(
        "a number of connections, or 0 for no limit", "staging_websocket_connections_per_address"
    ),
    "listen_port": _Rule(
        _NUMBER, rf"0|{_PORT}", "a port, or 0 for those of the public URLs", variable="staging_proxy_port"
    ),
    "ipv6": _switch("staging_proxy_ipv6"),
    "tls": _text("none|files|certbot|private_ca", "none, files, certbot or private_ca", "staging_tls"),
    "tls_certificate": _file("staging_tls_certificate"),
    "tls_key": _file("staging_tls_key"),
    "tls_redirect": _switch("staging_tls_redirect"),
    "tls_plain_websocket": _switch("staging_tls_plain_websocket"),
    "tls_hsts": _count("a number of seconds, or 0 to send nothing", "staging_tls_hsts"),
    "acme_root": _file("staging_acme_root"),
    "websocket_allow": _list(
        r"[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?|all", "addresses or networks such as 192.0.2.0/24", "staging_websocket_allow"
    ),
    "websocket_deny": _list(
        r"[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?|all",
        "addresses or networks such as 192.0.2.0/24, or all",
        "staging_websocket_deny",
    ),
}
_REQUIRED = frozenset(
    each.name for each in fields(SiteInputs) if each.default is MISSING and each.default_factory is MISSING
)


def variable_of(name: str, given: Collection[str]) -> str:
    """The variable by which the user has set an input, for a message.

    :param given: Names of the shared variables that are set.
    """
    shared = _RULES[name].variable
    return shared if shared in given else f"{PREFIX}{name}"


def variable_to_set(name: str, given: Collection[str], shared: str | None = None) -> str:
    """The variable by which the user should set an input: the shared one, if shared variables are in use.

    :param shared: That of the input, empty for none, if there are no rules for it here.
    """
    variable = _RULES[name].variable if shared is None else shared
    return variable if variable and given else f"{PREFIX}{name}"


def refusals(values: Mapping[str, Any], given: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence for each input that is missing, or holds a value that a directive cannot hold.

    :param given: Names of the shared variables that are set, by which the sentences call the inputs.
    """
    found = []
    for name, rule in _RULES.items():
        shown = variable_of(name, given)
        if name not in values:
            if name in _REQUIRED:
                found.append(f"{variable_to_set(name, given)} is not set, expected {rule.expected}")
            continue
        if name == "page_url" and not truth(values.get("page", True)):
            continue
        entries = rule.kind.entries(values[name])
        if entries is None:
            kind = "a list of " if rule.kind is _LIST else "a dictionary with "
            found.append(f"{shown} is {_shown(values[name])}, expected {kind}{rule.expected}")
            continue
        wrong = [_shown(entry) for entry in entries if not rule.accepts(entry)]
        if wrong:
            verb = "holds" if rule.kind.several else "is"
            found.append(f"{shown} {verb} {', '.join(wrong)}, expected {rule.expected}")
    return tuple(found)


def _shown(value: object) -> str:
    return json.dumps(value if isinstance(value, (str, int, list, dict)) else str(value))


def read_inputs(values: Mapping[str, Any]) -> SiteInputs:
    """Take the inputs of a site from a mapping; other keys are ignored.

    :raises SiteInputError: If one is missing or refused.
    """
    wrong = refusals(values)
    if wrong:
        raise SiteInputError("; ".join(wrong))
    names = [each.name for each in fields(SiteInputs) if each.name in values]
    inputs = SiteInputs(**{name: _RULES[name].kind.convert(values[name]) for name in names})
    return replace(
        inputs,
        api_url=inputs.api_url or inputs.public_websocket.api_url,
        websocket_paths=inputs.websocket_paths or (inputs.public_websocket.path or "/",),
    )


_OTHERS = {"nginx_proxy_manager": "Nginx Proxy Manager", "proxy_manager": "Nginx Proxy Manager"}


def contradictions(inputs: SiteInputs, provider: str = "nginx", given: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence for each group of inputs that are right by themselves and not together."""
    names = {name: variable_of(name, given) for name in _RULES}
    found = []
    if bool(inputs.tls_certificate) != bool(inputs.tls_key):
        found.append(
            f"{names['tls_certificate']} is {_shown(inputs.tls_certificate)} and {names['tls_key']} is "
            f"{_shown(inputs.tls_key)}, expected both or neither"
        )
    if inputs.page_static and (provider != "nginx" or not inputs.page):
        found.append(
            f"{variable_to_set('page_static', given)} is static, so nginx on the host serves the page; expected "
            f"{variable_to_set('provider', given)}: nginx and {variable_to_set('page', given)}: true"
        )
    if not inputs.page_static and inputs.static_publish and inputs.static_url_path == "/":
        found.append(
            f"{names['static_url_path']} is /, expected the path of the static files alone, such as /assets/, unless "
            f"{variable_to_set('page_static', given)} is static"
        )
    if provider != "nginx":
        found += _sockets(inputs, provider, given)
    limits = inputs.websocket_allow or inputs.websocket_deny or inputs.websocket_connections_per_address
    if provider != "nginx" and limits:
        found.append(
            f"{names['websocket_allow']}, {names['websocket_deny']} or {names['websocket_connections_per_address']} is "
            f"set, which are for nginx alone; expected an access list in {_OTHERS.get(provider, 'the proxy')} itself"
        )
    path = inputs.public_websocket.path or "/"
    routed = ", ".join(inputs.websocket_paths)
    if not any(path == each or (each.endswith("/") and path.startswith(each)) for each in inputs.websocket_paths):
        found.append(
            f"{names['ws_url']} is {_shown(inputs.ws_url)}, and none of {names['websocket_paths']} ({routed}) covers "
            f"its path, expected {path} among them"
        )
    unknown = ", ".join(each for each in inputs.websocket_upstreams if each not in inputs.websocket_paths)
    if unknown:
        found.append(
            f"{names['websocket_upstreams']} names {unknown}, expected paths of {names['websocket_paths']} ({routed})"
        )
    return tuple(found)


def _sockets(inputs: SiteInputs, provider: str, given: Collection[str]) -> list[str]:
    """Upstreams that only nginx on the same host is told to use."""
    backend = variable_of("backend_upstream", given)
    named = {
        SOCKET if SOCKET in given and backend not in given else backend: inputs.backend_upstream,
        variable_of("websocket_upstreams", given): ", ".join(inputs.websocket_upstreams.values()),
    }
    return [
        f"{name} is {_shown(upstream)}, a socket of this host, which only nginx on it can connect to, and "
        f"{_OTHERS.get(provider, provider)} is the proxy; expected a host and a port"
        for name, upstream in named.items()
        if "unix:" in upstream
    ]


def listens_at(upstream: str, port: int) -> bool:
    """Whether an upstream is a process of this host that has the port itself."""
    host, _, own_port = upstream.rpartition(":")
    return host in _LOOPBACK and int(own_port) == port
