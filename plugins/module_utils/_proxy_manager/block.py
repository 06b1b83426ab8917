# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed block: the locations for the paths of the application (pure).

Nginx Proxy Manager inserts the Advanced text of a proxy host at server level,
before its own locations.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .access import AccessRules
from .advanced_text import BEGIN, CREATED, END, REVISION_HEADER
from .paths import BlockError, BlockPath

_INCLUDE = "include conf.d/include/proxy.conf;"
# What a location repeats of the host: access rules, and headers other than the revision.
_REPEATED_LINE = re.compile(
    r"[ \t]+(?:auth_basic|auth_basic_user_file|allow|deny|satisfy|proxy_set_header Authorization"
    rf"|add_header (?!{REVISION_HEADER}\b)\S+)[ \t]"
)
_LOCATION_LINE = re.compile(r"location (?:=|\^~) (\S+) \{")


def no_headers(_location: str) -> tuple[str, ...]:
    """For a host that sends no header of its own."""
    return ()


@dataclass(frozen=True)
class Timeouts:
    """Timeouts of the proxy towards the application, in seconds."""

    connect_s: int = 60
    read_s: int = 86400
    send_s: int = 86400


@dataclass(frozen=True)
class Block:
    """A block as it is written, and the revision that nginx returns once it has loaded it."""

    text: str
    revision: str


def render(
    paths: Sequence[BlockPath],
    timeouts: Timeouts,
    access: AccessRules | None = None,
    created: bool = False,
    headers: Callable[[str], tuple[str, ...]] = no_headers,
) -> Block:
    """Render the block; without paths it holds the mark of a host that was created, and nothing else.

    Only upgrades to ``websocket`` are forwarded, since any other could bypass the proxy's access rules.
    ``proxy.conf`` sets the forwarded headers and ``proxy_pass``.

    :param created: Whether the host was created by the collection, which the block then marks.
    :param headers: The directives that add response headers in a location, by its path. A location inherits none, since
        it adds one of its own.
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
        for modifier, location in path.locations:
            rules = (*(access.directives if access else ()), *headers(location))
            inner = [*_directives(path, timeouts), *rules, _INCLUDE]
            lines += [f"location {modifier} {location} {{", *(f"    {line}" for line in inner), "}"]
    return _with_revision([*lines, END])


def _directives(path: BlockPath, timeouts: Timeouts) -> list[str]:
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


def _with_revision(lines: Sequence[str]) -> Block:
    """The block of these lines, with their digest as a response header in each location."""
    revision = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
    text = []
    for line in lines:
        if line.strip() == _INCLUDE:
            text.append(f"    add_header {REVISION_HEADER} {revision} always;")
        text.append(line)
    return Block("\n".join([*text, ""]), revision)


def with_rules(text: str, access: AccessRules | None, headers: Callable[[str], tuple[str, ...]] = no_headers) -> str:
    """A saved block with the access rules and headers that are in force now; the rest of it stays as it is.

    :raises BlockError: If it has a location whose end is not found, which would then have no access rules.
    """
    lines = text.splitlines()
    locations = [match[1] for line in lines if line.startswith("location ") and (match := _LOCATION_LINE.match(line))]
    ends = sum(line.strip() == _INCLUDE for line in lines)
    if not len(locations) == ends == sum(line.startswith("location ") for line in lines):
        raise BlockError("the saved block has a location of another form, to which access rules cannot be added")
    rules = [[*(access.directives if access else ()), *headers(location)] for location in locations]
    if [line.strip() for line in lines if _REPEATED_LINE.match(line)] == [rule for each in rules for rule in each]:
        return text
    left = iter(rules)
    kept: list[str] = []
    for line in lines:
        if line.strip() == _INCLUDE:
            kept += [f"    {rule}" for rule in next(left)]
        if not _REPEATED_LINE.match(line) and REVISION_HEADER not in line:
            kept.append(line)
    return _with_revision(kept).text
