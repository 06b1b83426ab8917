# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed block in a proxy host's Advanced text: made, found, put in, taken out (pure).

The text is inserted by Nginx Proxy Manager at server level, before its own
locations. Everything outside the block stays byte for byte as it was: the
block goes in front of the text and brings its own line end, so that taking it
out again leaves exactly what was there.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BEGIN = "# BEGIN codeframe.staging websocket"
END = "# END codeframe.staging websocket"
CREATED = "# This host was created by codeframe.staging."
#: Response header by which the wire tells which block the running nginx has loaded.
REVISION_HEADER = "X-WebSocket-Block"
_INCLUDE = "include conf.d/include/proxy.conf;"

_BEGIN_LINE = re.compile(r"^[ \t]*" + re.escape(BEGIN) + r"[ \t\r]*(?:\n|\Z)", re.MULTILINE)
_END_LINE = re.compile(r"^[ \t]*" + re.escape(END) + r"[ \t\r]*(?:\n|\Z)", re.MULTILINE)
# What nginx takes in a location without quoting, and no escapes: it compares decoded paths.
_PATH = re.compile(r"/[A-Za-z0-9._~@:+,=/-]*")


class BlockError(ValueError):
    """A path or a text that no block can be made for; one sentence."""


# Host name, IPv4 address or bracketed IPv6 address, and a port.
_UPSTREAM = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True)
class WebSocketPath:
    """A path that WebSockets come to; as a prefix it covers the paths below it too, but not its namesakes.

    ``upstream`` is host and port where it leads elsewhere than the host's own
    forward address. Without ``upgrade`` it is an ordinary path.
    """

    path: str
    prefix: bool = False
    upstream: str = ""
    upgrade: bool = True
    buffering: bool = False

    @property
    def locations(self) -> tuple[tuple[str, str], ...]:
        """The nginx locations (modifier, path) that match just this."""
        if not self.prefix:
            return (("=", self.path),)
        if self.path.endswith("/"):
            return (("^~", self.path),)
        return (("=", self.path), ("^~", f"{self.path}/"))


@dataclass(frozen=True)
class Timeouts:
    """Seconds."""

    connect_s: int = 60
    read_s: int = 86400
    send_s: int = 86400


@dataclass(frozen=True)
class AccessRules:
    """An access list of Nginx Proxy Manager, as its own locations apply it."""

    list_id: int
    has_users: bool
    clients: tuple[tuple[str, str], ...] = ()
    satisfy_any: bool = False
    pass_auth: bool = False


def parse_path(raw: object, option: str = "websocket_paths") -> WebSocketPath:
    """Read one entry: a path, or a mapping of ``path``, ``prefix`` and ``upstream`` (``buffering`` for ordinary ones).

    :raises BlockError: If it is no path that a location can be made for.
    """
    upgrade = option == "websocket_paths"
    entry: Mapping[str, object] = raw if isinstance(raw, Mapping) else {"path": raw}
    keys = ("path", "prefix", "upstream") if upgrade else ("path", "prefix", "upstream", "buffering")
    unknown = sorted(str(key) for key in set(entry) - set(keys))
    if unknown:
        raise BlockError(f"{option} has an entry with the key {unknown[0]!r}; expected {', '.join(keys)}")
    path, upstream = entry.get("path"), entry.get("upstream") or ""
    if not isinstance(path, str) or not _PATH.fullmatch(path) or "//" in path or "/./" in path or "/../" in path:
        raise BlockError(f"{option} has the entry {path!r}; expected a path like /ws of letters, digits and ._~@:+,=/-")
    if not isinstance(upstream, str) or (upstream and not _UPSTREAM.fullmatch(upstream)):
        raise BlockError(
            f"{option} has the upstream {upstream!r} for {path}; expected host and port like 192.0.2.10:80"
        )
    prefix = _truth(entry.get("prefix", False))
    if prefix and path == "/":
        raise BlockError(
            f"{option} has the prefix /, which is Nginx Proxy Manager's own location; "
            "name the path, or set allow_websocket_upgrade instead"
        )
    return WebSocketPath(path, prefix, upstream, upgrade, not upgrade and _truth(entry.get("buffering", True)))


def _truth(value: object) -> bool:
    """A boolean, also where a template made it a word."""
    return value.strip().lower() in ("yes", "true", "on", "1") if isinstance(value, str) else bool(value)


def parse_paths(raw: Sequence[object], ordinary: Sequence[object] = ()) -> tuple[WebSocketPath, ...]:
    """Read all entries, those for WebSockets first.

    :raises BlockError: If one is no path, or two of them need the same location.
    """
    paths = tuple(parse_path(each) for each in raw) + tuple(parse_path(each, "forward_paths") for each in ordinary)
    seen: set[tuple[str, str]] = set()
    for each in paths:
        for location in each.locations:
            if location in seen:
                raise BlockError(f"websocket_paths and forward_paths name {each.path!r} twice; name it once")
            seen.add(location)
    return paths


def access_rules(access_list: Mapping[str, Any]) -> AccessRules:
    """Read an access list as the API tells it (expanded by items and clients).

    :raises BlockError: If a rule is not one that can be written down safely.
    """
    clients = []
    for client in access_list.get("clients") or ():
        directive, address = str(client.get("directive", "")), str(client.get("address", "")).strip()
        if not address:
            continue
        if directive not in ("allow", "deny") or not _is_address(address):
            raise BlockError(
                f"access list {access_list.get('id')} has the rule {directive!r} {address!r}; "
                "expected allow or deny and an address or network"
            )
        clients.append((directive, address))
    return AccessRules(
        list_id=int(access_list["id"]),
        has_users=bool(access_list.get("items")),
        clients=tuple(clients),
        satisfy_any=access_list.get("satisfy_any") in (True, 1),
        pass_auth=access_list.get("pass_auth") in (True, 1),
    )


def _is_address(text: str) -> bool:
    if text == "all":
        return True
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


_ACCESS_LINE = re.compile(
    r"[ \t]+(?:auth_basic|auth_basic_user_file|allow|deny|satisfy|proxy_set_header Authorization)[ \t]"
)


def _access_lines(rules: AccessRules) -> list[str]:
    lines = []
    if rules.has_users:
        lines += ['auth_basic "Authorization required";', f"auth_basic_user_file /data/access/{rules.list_id};"]
        if not rules.pass_auth:
            lines.append('proxy_set_header Authorization "";')
    lines += [f"{directive} {address};" for directive, address in rules.clients]
    # Nginx Proxy Manager ends every list this way, also one without an address.
    return [*lines, "deny all;", f"satisfy {'any' if rules.satisfy_any else 'all'};"]


@dataclass(frozen=True)
class Block:
    """A block as it is written, and the revision that the running nginx tells of it."""

    text: str
    revision: str


def render(
    paths: Sequence[WebSocketPath],
    timeouts: Timeouts,
    access: AccessRules | None = None,
    created: bool = False,
) -> Block:
    """Make the block; without paths it holds the mark of a host that was created, and nothing else.

    Only upgrades to ``websocket`` pass, since any other would bypass what the
    proxy checks. ``proxy.conf`` brings the forwarded headers and ``proxy_pass``.
    """
    lines = [BEGIN, "# Managed: changes between these two lines are overwritten."]
    if created:
        lines.append(CREATED)
    if paths:
        lines += [
            'set $codeframe_upgrade "";',
            'set $codeframe_connection "";',
            'if ($http_upgrade ~* "^websocket$") {',
            "    set $codeframe_upgrade websocket;",
            "    set $codeframe_connection upgrade;",
            "}",
        ]
    for path in paths:
        inner = [*_inner(path, timeouts), *(_access_lines(access) if access else ()), _INCLUDE]
        for modifier, location in path.locations:
            lines += [f"location {modifier} {location} {{", *(f"    {line}" for line in inner), "}"]
    return _stamped([*lines, END])


def _stamped(lines: Sequence[str]) -> Block:
    """The block of these lines, each of its locations with the revision that they make."""
    revision = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
    text = []
    for line in lines:
        if line.strip() == _INCLUDE:
            text.append(f"    add_header {REVISION_HEADER} {revision} always;")
        text.append(line)
    return Block("\n".join([*text, ""]), revision)


def with_access(text: str, access: AccessRules | None) -> str:
    """A block that was kept, with the access rules that are in force now; the rest of it stays as it was.

    :raises BlockError: If it has a location whose end is not found, which would then stand open.
    """
    wanted = _access_lines(access) if access else []
    lines = text.splitlines()
    locations = sum(line.startswith("location ") for line in lines)
    if locations != sum(line.strip() == _INCLUDE for line in lines):
        raise BlockError("the block that was kept has a location of another form, which access rules cannot be put in")
    if [line.strip() for line in lines if _ACCESS_LINE.match(line)] == wanted * locations:
        return text
    kept: list[str] = []
    for line in lines:
        if line.strip() == _INCLUDE:
            kept += [f"    {rule}" for rule in wanted]
        if not _ACCESS_LINE.match(line) and REVISION_HEADER not in line:
            kept.append(line)
    return _stamped(kept).text


def _inner(path: WebSocketPath, timeouts: Timeouts) -> list[str]:
    lines = []
    if path.upstream:
        host, _, port = path.upstream.rpartition(":")
        # proxy.conf builds its proxy_pass of these.
        lines += [f'set $server "{host}";', f"set $port {port};"]
    if path.upgrade:
        lines += [
            "proxy_http_version 1.1;",
            "proxy_set_header Upgrade $codeframe_upgrade;",
            "proxy_set_header Connection $codeframe_connection;",
            f"proxy_connect_timeout {timeouts.connect_s}s;",
            f"proxy_send_timeout {timeouts.send_s}s;",
            f"proxy_read_timeout {timeouts.read_s}s;",
        ]
    if not path.buffering:
        lines.append("proxy_buffering off;")
    return lines


@dataclass(frozen=True)
class Advanced:
    """An Advanced text taken apart; ``block`` is None where there is none."""

    before: str
    block: str | None
    after: str

    @property
    def foreign(self) -> str:
        """All that is not ours."""
        return self.before + self.after

    @property
    def created_by_us(self) -> bool:
        return self.block is not None and CREATED in self.block.splitlines()

    @property
    def revision(self) -> str | None:
        """The revision that the block in the text would tell on the wire."""
        match = re.search(rf"add_header {REVISION_HEADER} ([0-9a-f]+) always;", self.block or "")
        return match.group(1) if match else None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that the block in the text has locations for, each once."""
        found = re.findall(r"^location (?:=|\^~) (\S+) \{", self.block or "", re.MULTILINE)
        return tuple(dict.fromkeys(found))

    def with_block(self, block: str | None) -> str:
        """The whole text with another block in the same place, or in front where none was."""
        return self.before + (block or "") + self.after


def take_apart(text: str) -> Advanced:
    """Find our block.

    :raises BlockError: If the markers do not make exactly one block; guessing could delete a user's text.
    """
    begins, ends = list(_BEGIN_LINE.finditer(text)), list(_END_LINE.finditer(text))
    if not begins and not ends:
        return Advanced("", None, text)
    if len(begins) != 1 or len(ends) != 1 or ends[0].start() < begins[0].end():
        raise BlockError(
            f"the Advanced text has {len(begins)} lines {BEGIN!r} and {len(ends)} lines {END!r}; "
            "expected one of each in this order; remove the broken block by hand"
        )
    return Advanced(text[: begins[0].start()], text[begins[0].start() : ends[0].end()], text[ends[0].end() :])


def digest(text: str) -> str:
    """A short digest by which two texts are compared without showing them."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class Piece:
    """Text taken out; the offset counts in the text from which all pieces were taken."""

    offset: int
    text: str


def cut_out(text: str, spans: Iterable[tuple[int, int]]) -> tuple[str, tuple[Piece, ...]]:
    """Take spans out of a text, each with the rest of its line where nothing else is on it."""
    pieces: list[Piece] = []
    kept: list[str] = []
    position = 0
    for start, end in sorted(spans):
        line_start = text.rfind("\n", 0, start) + 1
        newline = text.find("\n", end)
        line_end = len(text) if newline < 0 else newline + 1
        if not text[max(line_start, position) : start].strip() and not text[end:line_end].strip():
            start, end = max(line_start, position), line_end
        if start < position:
            continue
        kept.append(text[position:start])
        pieces.append(Piece(start, text[start:end]))
        position = end
    return "".join([*kept, text[position:]]), tuple(pieces)


def put_back(text: str, pieces: Sequence[Piece]) -> str:
    """Undo :func:`cut_out`."""
    for piece in sorted(pieces, key=lambda each: each.offset):
        text = text[: piece.offset] + piece.text + text[piece.offset :]
    return text
