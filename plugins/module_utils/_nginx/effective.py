# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nginx will do with a WebSocket request, told from its configuration alone.

The rules are nginx's own: the choice of a server (``ngx_http_request.c``,
``server_names`` of its documentation), the choice of a location
(``ngx_http_core_find_location``), and inheritance: a directive counts on the
innermost level that has it, and one ``proxy_set_header`` on a level makes all
those of the outer levels void.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from . import config as nginx_config
from . import site as nginx_site
from .config import Directive

ERROR = "error"
WARNING = "warning"
NOTICE = "notice"

#: Since this version nginx speaks HTTP/1.1 to upstreams and keeps the Connection header empty by default.
_NEW_DEFAULTS = (1, 29, 7)
_TIME = re.compile(r"(\d+)(ms|y|M|w|d|h|m|s)?\s*")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

#: Directives of a location that are shown, with their defaults.
_SCALARS: Mapping[str, str | None] = {
    "proxy_http_version": "1.0",
    "proxy_connect_timeout": "60s",
    "proxy_read_timeout": "60s",
    "proxy_send_timeout": "60s",
    "proxy_buffering": "on",
    "proxy_cache": "off",
    "gzip": "off",
    "auth_basic": "off",
    "auth_request": "off",
}
_LISTS = ("allow", "deny", "limit_conn", "limit_req")


@dataclass(frozen=True)
class Request:
    """The handshake in question. ``address`` is the one that the client connects to, if it matters."""

    host_name: str
    port: int
    tls: bool
    path: str
    address: str | None = None
    idle_timeout_s: float = 86400


@dataclass(frozen=True)
class Finding:
    """One thing that decides or endangers the handshake; ``where`` lists places as FILE:LINE."""

    code: str
    level: str
    message: str
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class Value:
    """An effective value and its place; without a place it is nginx's default."""

    value: str
    where: str | None
    level: str


@dataclass(frozen=True)
class Answer:
    """Who answers, with what in force."""

    server: Directive | None = None
    matched_by: str = ""
    location: Directive | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    headers: Mapping[str, Value] = field(default_factory=dict)
    lists: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def seconds(text: str) -> float | None:
    """A time of nginx in seconds (``1h 30m``; a bare number is seconds), ``None`` if it is none."""
    total, position = 0.0, 0
    while position < len(text):
        match = _TIME.match(text, position)
        if match is None:
            return None
        total += int(match.group(1)) * _SECONDS[match.group(2) or "s"]
        position = match.end()
    return total if text else None


def version_tuple(text: str) -> tuple[int, ...]:
    """``1.26.3`` as numbers; empty for an unknown version."""
    return tuple(int(part) for part in re.findall(r"\d+", text))[:3]


#: Classes that PCRE has and Python has not.
_CLASSES = {
    "alpha": "a-zA-Z",
    "upper": "A-Z",
    "lower": "a-z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "word": r"\w",
    "space": r"\s",
}


def python_regex(pattern: str, ignore_case: bool) -> re.Pattern[str] | None:
    """A regular expression of nginx's for Python, ``None`` if Python cannot express it."""
    text = re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
    text = re.sub(r"\[:(\w+):\]", lambda found: _CLASSES.get(found[1], found[0]), text)
    if "[:" in text:
        return None
    try:
        return re.compile(text, re.ASCII | (re.IGNORECASE if ignore_case else 0))
    except re.error:
        return None


def normal_path(text: str) -> str:
    """A path as nginx compares it with locations: decoded, without arguments, dots and double slashes."""
    path = unquote(re.split(r"[?#]", text, maxsplit=1)[0], errors="surrogateescape")
    kept: list[str] = []
    parts = re.sub("/+", "/", path).split("/")[1:]
    for number, part in enumerate(parts):
        if part == "..":
            kept[-1:] = []
        elif part != ".":
            kept.append(part)
        if part in (".", "..") and number == len(parts) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def title(location: Directive) -> str:
    """``location = /ws in FILE:LINE``"""
    return f"{' '.join((location.name, *location.args))} in {location.where}"


# ---------------------------------------------------------------- servers


def _listens(server: Directive) -> list[nginx_site.Listen]:
    own = server.children("listen")
    if not own:
        return [nginx_site.Listen("*", 80, False, False)]
    return [parsed for each in own if (parsed := nginx_site.parse_listen(each.args)) is not None]


def servers_at(servers: Sequence[Directive], request: Request) -> list[tuple[Directive, nginx_site.Listen]]:
    """The servers that nginx chooses among for a connection, in load order.

    Those that listen on the very address go before those at any address.
    """
    there = [(server, each) for server in servers for each in _listens(server) if each.port == request.port]
    wanted = []
    if request.address is not None:
        bracketed = f"[{request.address}]" if ":" in request.address else request.address
        wanted = [bracketed, "[::]" if ":" in request.address else "*"]
    else:
        wanted = ["*", "[::]", *(each.address for _server, each in there)]
    for address in wanted:
        found = [(server, each) for server, each in there if each.address == address]
        if found:
            return found
    return []


def choose_server(
    candidates: Sequence[tuple[Directive, nginx_site.Listen]], host_name: str
) -> tuple[Directive, nginx_site.Listen, str]:
    """The server for a host name and what made it match: ``name``, ``wildcard``, ``regex`` or ``default``."""
    host = host_name.lower().rstrip(".")
    names: dict[str, int] = {}
    below: dict[str, int] = {}
    ending: dict[str, int] = {}
    taken: set[str] = set()
    for index, (server, _listen) in enumerate(candidates):
        for name in (word.lower() for each in server.children("server_name") for word in each.args):
            # nginx drops a name that is taken, `.example.com` with all that it stands for.
            suffix = name.lstrip("*.")
            if name.startswith("~"):
                continue
            if name.startswith("*."):
                below.setdefault(suffix, index)
            elif name.endswith(".*"):
                ending.setdefault(name[:-1], index)
            elif suffix not in taken:
                taken.add(suffix)
                if not name.startswith("."):
                    names[name] = index
                elif suffix not in below:
                    names[suffix] = below[suffix] = index
    if host in names:
        return (*candidates[names[host]], "name")
    wildcards = [(len(each), index) for each, index in below.items() if host.endswith(f".{each}")] or [
        (len(each), index) for each, index in ending.items() if host.startswith(each)
    ]
    if wildcards:
        return (*candidates[max(wildcards)[1]], "wildcard")
    for server, listen in candidates:
        for each in server.children("server_name"):
            for name in each.args:
                pattern = python_regex(name[1:], True) if name.startswith("~") else None
                if pattern is not None and pattern.search(host):
                    return server, listen, "regex"
    for server, listen in candidates:
        if listen.default:
            return server, listen, "default"
    return (*candidates[0], "default")


# ---------------------------------------------------------------- locations


def _modifier(location: Directive) -> tuple[str, str]:
    """Modifier and path; the modifier may be written together with the path (``=/ws``)."""
    if len(location.args) >= 2:
        return location.args[0], location.args[1]
    word = location.args[0] if location.args else ""
    for modifier in ("~*", "^~", "~", "="):
        if word.startswith(modifier):
            return modifier, word[len(modifier) :]
    return "", word


def locations_of(block: Directive) -> list[Directive]:
    """The locations directly inside a server or a location, without the named ones."""
    return [each for each in block.children("location") if not (each.args and each.args[0].startswith("@"))]


@dataclass(frozen=True)
class Located:
    """The chain of locations, outer before inner, that answers a path; empty where the server itself does.

    ``redirects``: the innermost is PATH/, and nginx answers PATH with a redirect (301) to it.
    """

    chain: tuple[Directive, ...] = ()
    redirects: bool = False


#: A location ``PATH/`` with one of these makes nginx redirect PATH to it.
_PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


def find_location(block: Directive, path: str) -> Located:
    """The location that answers a path."""
    prefix: Directive | None = None
    slash: Directive | None = None
    longest = -1
    # Inside of a location with a regular expression nginx finds regular expressions alone.
    for each in locations_of(block) if _modifier(block)[0] not in ("~", "~*") else ():
        modifier, text = _modifier(each)
        if modifier == "=" and text == path:
            return Located((each,))
        if modifier in ("", "^~") and path.startswith(text) and len(text) > longest:
            prefix, longest = each, len(text)
        if modifier in ("", "^~", "=") and text == path + "/" and any(map(each.children, _PASSES)):
            slash = each
    if slash is not None and longest < len(path):
        return Located((slash,), redirects=True)
    chain: tuple[Directive, ...] = ()
    if prefix is not None:
        inner = find_location(prefix, path)
        chain = (prefix, *inner.chain)
        final = any(_modifier(each)[0] in ("=", "~", "~*") for each in inner.chain)
        if final or inner.redirects or _modifier(prefix)[0] == "^~":
            return Located(chain, inner.redirects)
    for each in locations_of(block):
        modifier, text = _modifier(each)
        if modifier in ("~", "~*"):
            pattern = python_regex(text, modifier == "~*")
            if pattern is not None and pattern.search(path):
                return Located((each, *find_location(each, path).chain))
    return Located(chain)


# ---------------------------------------------------------------- variables


class _Variables:
    """Values of variables for one request; ``None`` is unknown."""

    def __init__(self, http: Sequence[Directive], known: Mapping[str, str]) -> None:
        self.known: dict[str, str | None] = dict(known)
        self.maps = {each.args[1].lstrip("$"): each for each in http if each.name == "map" and len(each.args) == 2}
        self.assigned = {
            each.args[0].lstrip("$") for each in nginx_config.walk(http) if each.name == "set" and each.args
        }
        self.depth = 0
        #: The ``return`` that answers.
        self.returned: Directive | None = None
        #: The last ``if`` whose condition held; its directives go before those around it.
        self.entered: Directive | None = None

    def text(self, template: str) -> str | None:
        """A text with its variables in place."""
        out, position = "", 0
        for match in _VARIABLE.finditer(template):
            value = self.variable(match.group(1) or match.group(2))
            if value is None:
                return None
            out += template[position : match.start()] + value
            position = match.end()
        return out + template[position:]

    def variable(self, name: str) -> str | None:
        if name in self.known:
            return self.known[name]
        each = self.maps.get(name)
        if each is None or self.depth > 10:
            # What a `set` somewhere makes a variable is empty where that `set` is not passed.
            return "" if each is None and name in self.assigned else None
        self.depth += 1
        try:
            return self._mapped(each)
        finally:
            self.depth -= 1

    def _mapped(self, each: Directive) -> str | None:
        source = self.text(each.args[0])
        if source is None:
            return None
        default = ""
        regexes: list[Directive] = []
        for entry in each.block or ():
            key = entry.name.lstrip("\\") if entry.name.startswith("\\") else entry.name
            if entry.name == "default" and entry.args:
                default = entry.args[0]
            elif entry.name.startswith("~"):
                regexes.append(entry)
            elif key.lower() == source.lower() and entry.args:
                return self.text(entry.args[0])
        for entry in regexes:
            insensitive = entry.name.startswith("~*")
            pattern = python_regex(entry.name[2 if insensitive else 1 :], insensitive)
            if pattern is not None and pattern.search(source) and entry.args:
                return self.text(entry.args[0])
        return self.text(default)

    def rewrite_phase(self, block: Sequence[Directive]) -> bool:
        """Follow ``set``, ``return`` and ``break``, also inside an ``if`` whose condition is known to hold.

        :return: Whether it goes on behind this block.
        """
        for each in block:
            if each.name == "set" and len(each.args) == 2:
                self.known[each.args[0].lstrip("$")] = self.text(each.args[1])
            elif each.name == "return":
                self.returned = each
                return False
            elif each.name == "break":
                return False
            elif each.name == "if":
                held = self._holds(each.args)
                if held:
                    self.entered = each
                    if not self.rewrite_phase(each.block or ()):
                        return False
                elif held is None:
                    for inner in each.block or ():
                        if inner.name == "set" and inner.args:
                            self.known[inner.args[0].lstrip("$")] = None
        return True

    def _holds(self, args: Sequence[str]) -> bool | None:
        words = " ".join(args).strip()
        match = re.fullmatch(r"\(\s*(\$\w+)\s*(?:(=|!=|~\*?|!~\*?)\s*(.*?))?\s*\)", words)
        if match is None:
            return None
        value = self.text(match.group(1))
        if value is None:
            return None
        operator, operand = match.group(2), (match.group(3) or "").strip("\"'")
        if operator is None:
            return value not in ("", "0")
        if operator in ("=", "!="):
            other = self.text(operand)
            return None if other is None else (value == other) == (operator == "=")
        pattern = python_regex(operand, operator.endswith("*"))
        return None if pattern is None else bool(pattern.search(value)) != operator.startswith("!")


# ---------------------------------------------------------------- the answer


@dataclass(frozen=True)
class _Level:
    name: str
    directives: tuple[Directive, ...]


def _levels(tree: nginx_config.Tree, server: Directive, chain: Sequence[Directive]) -> list[_Level]:
    """Inner before outer."""
    outer_first = [
        _Level("http", tuple(tree.http())),
        _Level(f"server in {server.where}", server.block or ()),
        *(_Level(title(each), each.block or ()) for each in chain),
    ]
    return outer_first[::-1]


def _nearest(levels: Sequence[_Level], name: str) -> tuple[tuple[Directive, ...], _Level | None]:
    for level in levels:
        own = tuple(each for each in level.directives if each.name == name)
        if own:
            return own, level
    return (), None


def explain(tree: nginx_config.Tree, request: Request, version: str = "") -> Answer:
    """Tell who answers a WebSocket handshake, with which effective values, and what is wrong with them."""
    findings: list[Finding] = []
    candidates = servers_at(tree.servers(), request)
    if not candidates:
        return Answer(
            findings=(
                Finding("no_listener", ERROR, f"no server listens on port {request.port}"),
                *_unloaded(tree),
            )
        )
    server, listen, matched_by = choose_server(candidates, request.host_name)
    findings += _server_findings(tree, candidates, server, listen, matched_by, request)
    located = find_location(server, request.path)
    chain = located.chain
    levels = _levels(tree, server, chain)
    location = chain[-1] if chain else None
    asking, ordinary = (_Variables(tree.http(), each) for each in _requests(request))
    for variables in (asking, ordinary):
        variables.rewrite_phase(server.block or ())
    if asking.returned is not None:
        findings.append(_server_returns(server, asking.returned, request.path))
    for variables in (asking, ordinary):
        variables.returned = variables.entered = None
        variables.rewrite_phase(location.block or () if location else ())
    if asking.entered is not None:
        entered = asking.entered
        levels = [_Level(f"if in {entered.where}", entered.block or ()), *levels]
    known = version_tuple(version)
    new_defaults = known >= _NEW_DEFAULTS if known else False

    values: dict[str, Value] = {}
    for name, default in _SCALARS.items():
        own, level = _nearest(levels, name)
        if own and level is not None:
            values[name] = Value(" ".join(own[-1].args), own[-1].where, level.name)
        elif default is not None:
            values[name] = Value("1.1" if name == "proxy_http_version" and new_defaults else default, None, "default")
    lists = {}
    for name in _LISTS:
        own, level = _nearest(levels, name)
        lists[name] = tuple(Value(" ".join(each.args), each.where, level.name if level else "") for each in own)
    # Neither a nested location nor an `if` in a server inherits it; an `if` in a location does.
    for level in levels[: 2 if asking.entered else 1] if location else ():
        target = [each for each in level.directives if each.name == "proxy_pass" and each.args]
        if target:
            values["proxy_pass"] = Value(target[0].args[0], target[0].where, level.name)
            break
    setting, setting_level = _nearest(levels, "proxy_set_header")
    headers = {
        each.args[0].lower(): Value(each.args[1], each.where, setting_level.name if setting_level else "")
        for each in setting
        if len(each.args) == 2
    }
    answer = Answer(server, matched_by, location, values, headers, lists)
    if located.redirects and location is not None:
        findings.append(
            Finding(
                "redirected",
                ERROR,
                f"{title(location)} makes nginx redirect {request.path} to {request.path}/, "
                "and a WebSocket client follows no redirect",
                (location.where,),
            )
        )
    else:
        findings += _location_findings(server, chain, answer, levels, request, asking, ordinary)
    findings += _unread_patterns(server, candidates)
    findings += _unloaded(tree)
    return Answer(server, matched_by, location, values, headers, lists, tuple(findings))


def _requests(request: Request) -> tuple[dict[str, str], dict[str, str]]:
    """Variables of the handshake, and of an ordinary request to the same place."""
    usual = request.port == (443 if request.tls else 80)
    asking = {
        "http_upgrade": "websocket",
        "http_connection": "Upgrade",
        "scheme": "https" if request.tls else "http",
        "https": "on" if request.tls else "",
        "host": request.host_name.lower(),
        "http_host": request.host_name if usual else f"{request.host_name}:{request.port}",
        "server_port": str(request.port),
        "request_method": "GET",
        "request_uri": request.path,
        "uri": request.path,
    }
    return asking, {**asking, "http_upgrade": "", "http_connection": "keep-alive"}


def _server_returns(server: Directive, returned: Directive, path: str) -> Finding:
    what = "everything" if returned in (server.block or ()) else path
    return Finding(
        "server_returns",
        ERROR,
        f"the server in {server.where} answers {what} by return {' '.join(returned.args)} in {returned.where}, "
        "before any location is asked",
        (returned.where,),
    )


def _unread_patterns(server: Directive, candidates: Sequence[tuple[Directive, nginx_site.Listen]]) -> Iterator[Finding]:
    """Regular expressions that only nginx can read, where they may decide."""
    places = [each for each in nginx_config.walk(server.block or ()) if each.name == "location"]
    for each in places:
        modifier, text = _modifier(each)
        if modifier in ("~", "~*") and python_regex(text, modifier == "~*") is None:
            yield Finding(
                "unread_pattern",
                WARNING,
                f"the regular expression of {title(each)} cannot be read here, and nginx may choose that location",
                (each.where,),
            )
    for other, _listen in candidates:
        for each in other.children("server_name"):
            for name in each.args:
                if name.startswith("~") and python_regex(name[1:], True) is None:
                    yield Finding(
                        "unread_pattern",
                        WARNING,
                        f"the regular expression {name} in {each.where} cannot be read here, "
                        "and nginx may choose that server",
                        (each.where,),
                    )


def _unloaded(tree: nginx_config.Tree) -> list[Finding]:
    return [
        Finding("unreadable_file", WARNING, f"{each} could not be read, so what it says is not counted")
        for each in tree.unreadable
    ]


def _server_findings(
    tree: nginx_config.Tree,
    candidates: Sequence[tuple[Directive, nginx_site.Listen]],
    server: Directive,
    listen: nginx_site.Listen,
    matched_by: str,
    request: Request,
) -> Iterator[Finding]:
    host, port = request.host_name.lower(), request.port
    if matched_by == "default":
        named = [each for each in tree.servers() if host in nginx_site.names_of(each)]
        elsewhere = ""
        if named:
            ports = sorted({each.port for other in named for each in _listens(other)})
            elsewhere = f"; {named[0].where} has the name, on port {', '.join(map(str, ports))}"
        yield Finding(
            "default_server",
            ERROR,
            f"no server on port {port} has the name {host}, so the default server in {server.where} answers{elsewhere}",
            (server.where, *(each.where for each in named)),
        )
    others = [other for other, _listen in candidates if other is not server and host in nginx_site.names_of(other)]
    for other in {each.where: each for each in others}.values():
        yield Finding(
            "duplicate_name",
            WARNING,
            f"{other.where} has the name {host} on port {port} too and is ignored, since {server.where} comes first",
            (server.where, other.where),
        )
    if request.address is None:
        for each in tree.servers():
            for own in _listens(each):
                if own.port == port and own.address not in ("*", "[::]") and listen.address in ("*", "[::]"):
                    yield Finding(
                        "address_taken",
                        WARNING,
                        f"connections to {own.address}:{port} are answered by {each.where} whatever their host name, "
                        f"since it listens on that very address",
                        (each.where,),
                    )
    if request.tls and not listen.tls:
        yield Finding(
            "plain_port", ERROR, f"{server.where} speaks no TLS on port {port}, and wss was asked for", (server.where,)
        )
    if not request.tls and listen.tls:
        yield Finding(
            "tls_port",
            ERROR,
            f"{server.where} speaks TLS on port {port}, and a plain request gets status 400 there",
            (server.where,),
        )


def _upgrade_of(directives: Sequence[Directive]) -> Directive | None:
    for each in directives:
        if each.name == "proxy_set_header" and each.args and each.args[0].lower() == "upgrade":
            return each
    return None


def _location_findings(
    server: Directive,
    chain: Sequence[Directive],
    answer: Answer,
    levels: Sequence[_Level],
    request: Request,
    asking: _Variables,
    ordinary: _Variables,
) -> Iterator[Finding]:
    path, location = request.path, answer.location
    place = title(location) if location else f"the server in {server.where}, without any location for {path},"
    for each in location.children("internal") if location else ():
        yield Finding("internal", ERROR, f"{place} is internal, and clients get status 404", (each.where,))
    returned = asking.returned
    if returned is not None:
        yield Finding(
            "location_returns",
            ERROR,
            f"{place} answers {path} by return {' '.join(returned.args)}",
            (returned.where,),
        )
    if "proxy_pass" not in answer.values:
        if returned is None:
            yield Finding("not_proxied", ERROR, f"{place} answers {path} and has no proxy_pass", _places(location))
        yield from _caught(server, chain, path, "that has a proxy_pass and the upgrade")
        return
    yield from _header_findings(server, chain, answer, levels, place, path, asking, ordinary)
    version = answer.values["proxy_http_version"]
    if version.value == "1.0":
        since = "" if version.where else ", the default of nginx before 1.29.7"
        yield Finding(
            "http_version",
            ERROR,
            f"{place} speaks HTTP/1.0 to the upstream{since}{_at(version)}, which knows no upgrade: "
            "set proxy_http_version 1.1",
            tuple(filter(None, [version.where])),
        )
    read = answer.values["proxy_read_timeout"]
    limit = seconds(read.value)
    if limit is not None and limit < request.idle_timeout_s:
        yield Finding(
            "idle_timeout",
            WARNING,
            f"{place} closes a connection after {limit:g} s of silence (proxy_read_timeout"
            f"{', the default' if read.where is None else ''}{_at(read)}), {request.idle_timeout_s:g} s are expected",
            tuple(filter(None, [read.where])),
        )
    for name in ("auth_basic", "auth_request"):
        if answer.values[name].value != "off":
            yield Finding(
                "authentication",
                NOTICE,
                f"{place} asks for authentication by {name}{_at(answer.values[name])}",
                tuple(filter(None, [answer.values[name].where])),
            )
    for denied in answer.lists["deny"]:
        yield Finding(
            "access", NOTICE, f"{place} denies {denied.value}{_at(denied)}", tuple(filter(None, [denied.where]))
        )
    for limited in answer.lists["limit_conn"]:
        yield Finding(
            "limit_conn",
            NOTICE,
            f"{place} refuses further connections with status 503 beyond limit_conn {limited.value}{_at(limited)}",
            tuple(filter(None, [limited.where])),
        )


def _places(location: Directive | None) -> tuple[str, ...]:
    return (location.where,) if location else ()


def _at(value: Value) -> str:
    return f" in {value.where}" if value.where else ""


def _header_findings(
    server: Directive,
    chain: Sequence[Directive],
    answer: Answer,
    levels: Sequence[_Level],
    place: str,
    path: str,
    asking: _Variables,
    ordinary: _Variables,
) -> Iterator[Finding]:
    def sent(name: str, variables: _Variables) -> str | None:
        header = answer.headers.get(name)
        return "" if header is None else variables.text(header.value)

    upgrade = answer.headers.get("upgrade")
    if upgrade is None:
        own, own_level = _nearest(levels, "proxy_set_header")
        shadowed = None
        seen = False
        for level in levels:
            if level is own_level:
                seen = True
            elif seen:
                shadowed = shadowed or _upgrade_of(level.directives)
        if shadowed is not None and own and own_level is not None:
            yield Finding(
                "header_shadowed",
                ERROR,
                f"{own_level.name} sets proxy_set_header {own[0].args[0]} in {own[0].where} and so drops Upgrade "
                f"set in {shadowed.where}",
                (own[0].where, shadowed.where),
            )
        else:
            yield Finding(
                "upgrade_missing",
                ERROR,
                f"{place} proxies {path} without proxy_set_header Upgrade, so the upstream sees an ordinary request",
                _places(answer.location),
            )
        yield from _caught(server, chain, path, "that has the upgrade")
        return
    value = sent("upgrade", asking)
    if value is None:
        yield Finding(
            "unknown_value", NOTICE, f"the value of Upgrade {upgrade.value} depends on the request{_at(upgrade)}"
        )
    elif value.lower() != "websocket":
        yield Finding(
            "upgrade_wrong",
            ERROR,
            f'{place} sends Upgrade "{value}" for a WebSocket request ({upgrade.value}{_at(upgrade)})',
            tuple(filter(None, [upgrade.where])),
        )
    if upgrade.value in ("$http_upgrade", "${http_upgrade}"):
        yield Finding(
            "every_upgrade",
            NOTICE,
            f"{place} lets every upgrade through, not only that to a WebSocket{_at(upgrade)}",
            tuple(filter(None, [upgrade.where])),
        )
    connection = answer.headers.get("connection")
    if connection is None:
        yield Finding(
            "connection_missing",
            ERROR,
            f"{place} sets Upgrade but not Connection, which then does not ask for the upgrade{_at(upgrade)}",
            tuple(filter(None, [upgrade.where])),
        )
        return
    value = sent("connection", asking)
    if value is None:
        yield Finding(
            "unknown_value",
            NOTICE,
            f"the value of Connection {connection.value} depends on the request{_at(connection)}",
        )
    elif "upgrade" not in [word.strip().lower() for word in value.split(",")]:
        yield Finding(
            "connection_wrong",
            ERROR,
            f'{place} sends Connection "{value}" for a WebSocket request ({connection.value}{_at(connection)}), '
            '"upgrade" is needed',
            tuple(filter(None, [connection.where])),
        )
    elif (sent("connection", ordinary) or "").lower() == "upgrade":
        yield Finding(
            "connection_fixed",
            WARNING,
            f"{place} sends Connection upgrade for every request{_at(connection)}, which breaks ordinary ones: "
            "use a map of $http_upgrade",
            tuple(filter(None, [connection.where])),
        )


def _caught(server: Directive, chain: Sequence[Directive], path: str, what: str) -> Iterator[Finding]:
    """Another location that would do and does not get the request."""
    mine = chain[-1] if chain else None
    for each in nginx_config.walk(server.block or ()):
        if each.name != "location" or each is mine or _upgrade_of(each.block or ()) is None:
            continue
        modifier, text = _modifier(each)
        if modifier in ("~", "~*"):
            pattern = python_regex(text, modifier == "~*")
            fits = pattern is not None and pattern.search(path) is not None
        else:
            fits = path.startswith(text.rstrip("/") or "/") or text.startswith(path.rstrip("/") or "/")
        if fits:
            catcher = title(mine) if mine else "no location"
            yield Finding(
                "other_location",
                ERROR,
                f"{catcher} gets {path}, and {title(each)}, {what}, does not",
                (*_places(mine), each.where),
            )
            return
