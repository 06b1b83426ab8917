# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What in a user's Advanced text and custom locations clashes with the managed block, or matters beside it (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._nginx.config import ConfigError, Directive, parse
from .._nginx.effective.patterns import python_regex
from .locations import custom_location, drops_default_location, location_of
from .paths import BlockPath

#: Directives that nginx accepts once in a block.
ONCE = (
    "client_max_body_size",
    "proxy_buffering",
    "proxy_connect_timeout",
    "proxy_http_version",
    "proxy_read_timeout",
    "proxy_send_timeout",
)
_TAKEN = "whose requests the managed block would take"
_SNIPPET_HEADERS = ("upgrade", "connection", "host", "x-real-ip", "x-forwarded-for", "x-forwarded-proto")
_SNIPPET_DIRECTIVES = (
    "proxy_buffering",
    "proxy_cache_bypass",
    "proxy_connect_timeout",
    "proxy_http_version",
    "proxy_read_timeout",
    "proxy_send_timeout",
)


@dataclass(frozen=True)
class Clash:
    """Something in a host's own configuration that matters for the block.

    :param kind: A word for programs.
    :param text: One sentence.
    :param fatal: Whether nothing may be written because of it.
    :param spans: Offsets of the text that the option ``replace_snippet`` removes.
    :param shadowed: Whether it is a location that keeps working, but loses requests to the block.
    """

    kind: str
    text: str
    fatal: bool = False
    spans: tuple[tuple[int, int], ...] = ()
    shadowed: bool = False


def find_clashes(
    unmanaged: str,
    custom_locations: Sequence[Mapping[str, Any]],
    paths: Sequence[BlockPath],
    switch_on: bool,
    line_of: Callable[[int], int] | None = None,
) -> tuple[Clash, ...]:
    """Read the unmanaged configuration of a host as nginx does.

    :param unmanaged: The Advanced text without the managed block.
    :param custom_locations: The host's ``locations``.
    :param switch_on: Whether Websockets Support is on, which adds the same directives at server level.
    :param line_of: The line that the user sees, by the offset in ``unmanaged``; by default, there is no block.
    """

    def line_in_unmanaged(offset: int) -> int:
        return unmanaged.count("\n", 0, offset) + 1

    line = line_of or line_in_unmanaged
    try:
        directives = parse(unmanaged, "advanced_config")
    except ConfigError as exc:
        start = sum(len(each) + 1 for each in unmanaged.split("\n")[: exc.line - 1])
        return (
            Clash(
                "unreadable",
                f"the Advanced text is not a complete nginx configuration ({exc.reason} in line {line(start)}); "
                "nginx decides on it",
            ),
        )
    found = [
        *_snippet(directives, switch_on, line),
        *_twice(directives, line),
        *_default_location(unmanaged, directives),
    ]
    if paths:
        found += _other_locations(directives, custom_locations, paths, line)
    return tuple(found)


def _snippet(directives: Sequence[Directive], switch_on: bool, line_of: Callable[[int], int]) -> Iterator[Clash]:
    # nginx itself refuses a block after one of these directives.
    simple = [each for each in directives if each.block is None]
    upgrade = [each for each in simple if _sets_header(each, "upgrade")]
    version = [each for each in simple if each.name == "proxy_http_version"]
    if not upgrade and not version:
        return
    parts = [
        each
        for each in simple
        if each.name in _SNIPPET_DIRECTIVES or any(_sets_header(each, name) for name in _SNIPPET_HEADERS)
    ]
    spans = tuple((each.start, each.end) for each in parts)
    line = line_of(parts[0].start)
    if switch_on and version:
        yield Clash(
            "snippet_with_switch",
            f"a WebSocket snippet was pasted at server level (line {line} of the Advanced text) while Websockets "
            'Support is on, so that the configuration has "proxy_http_version" twice and nginx refuses the host',
            fatal=True,
            spans=spans,
        )
        return
    yield Clash(
        "snippet_without_effect",
        f"a WebSocket snippet was pasted at server level (line {line} of the Advanced text), where it has no effect "
        "on the locations of Nginx Proxy Manager",
        spans=spans,
    )


def _sets_header(directive: Directive, name: str) -> bool:
    return directive.name == "proxy_set_header" and bool(directive.args) and directive.args[0].lower() == name


def _twice(directives: Sequence[Directive], line_of: Callable[[int], int]) -> Iterator[Clash]:
    for name in ONCE:
        same = [each for each in directives if each.name == name]
        if len(same) > 1:
            yield Clash(
                "duplicate_directive",
                f'"{name}" is set twice at server level (lines {line_of(same[0].start)} and {line_of(same[1].start)} '
                "of the Advanced text), and nginx refuses the host",
                fatal=True,
            )


def _default_location(unmanaged: str, directives: Sequence[Directive]) -> Iterator[Clash]:
    if not drops_default_location(unmanaged):
        return
    if any(location_of(each) == ("", "/") for each in directives):
        yield Clash(
            "own_default_location",
            "the Advanced text has its own location /, so that the access list and the settings of the host do "
            "not apply there",
        )
        return
    yield Clash(
        "default_location_mentioned",
        'the Advanced text mentions "location / {" at the beginning of a line or after a semicolon, which may be one '
        "in a comment, and Nginx Proxy Manager then leaves out its own location /, so that the page is not proxied",
    )


def _other_locations(
    directives: Sequence[Directive],
    custom: Sequence[Mapping[str, Any]],
    paths: Sequence[BlockPath],
    line_of: Callable[[int], int],
) -> Iterator[Clash]:
    for each, location, nested in _locations(directives):
        found = f"line {line_of(each.start)} of the Advanced text has a location"
        is_websocket = any(_sets_header(inner, "upgrade") for inner in each.block or ())
        effect = _effect(location, paths, is_websocket, nested)
        if effect is None:
            yield from _beside(found, location, paths)
            continue
        yield Clash(
            "pasted_location" if is_websocket else "other_location",
            f"{found} {_shown(location)} of its own, {effect}",
            fatal=True,
            spans=((each.start, each.end),) if is_websocket else (),
            shadowed=effect == _TAKEN,
        )
    for entry in custom:
        read = custom_location(entry)
        if read is None:
            yield Clash(
                "unreadable",
                f"the host has a custom location {entry.get('path', '')!s} that nginx cannot read as one",
            )
            continue
        location, inner_directives = read
        is_websocket = any(_sets_header(inner, "upgrade") for inner in inner_directives)
        effect = _effect(location, paths, is_websocket)
        if effect is None:
            yield from _beside("the host has a custom location", location, paths)
            continue
        yield Clash(
            "custom_location",
            f"the host has a custom location {entry.get('path', '')!s}, {effect}",
            fatal=True,
            shadowed=effect == _TAKEN,
        )


def _locations(
    directives: Sequence[Directive], nested: bool = False
) -> Iterator[tuple[Directive, tuple[str, str], bool]]:
    """All locations, each with its modifier and path, and whether it is inside another one."""
    for each in directives:
        location = location_of(each)
        if location is not None:
            yield each, location, nested
            yield from _locations(each.block or (), nested=True)


def _shown(location: tuple[str, str]) -> str:
    return " ".join(part for part in location if part)


def _beside(found: str, location: tuple[str, str], paths: Sequence[BlockPath]) -> Iterator[Clash]:
    """A location that the change does not prevent, and that matters."""
    modifier, pattern = location
    wanted = {path.path for path in paths}
    below = sorted(path for path in wanted if path.startswith(pattern) and path != pattern)
    if modifier in ("", "^~") and pattern != "/" and below:
        yield Clash(
            "location_above",
            f"{found} {_shown(location)}, and the managed block takes {', '.join(below)} out of it, so that its rules "
            "and its forward address do not apply there",
        )
    if modifier in ("~", "~*") and _compiled(location) is None:
        yield Clash(
            "unknown_pattern",
            f"{found} {_shown(location)}, whose pattern cannot be compared with the paths of the managed block; if it "
            "matches one, the block takes its requests",
        )


def _effect(
    location: tuple[str, str], paths: Sequence[BlockPath], is_websocket: bool, nested: bool = False
) -> str | None:
    """What the block and a location do to each other, ``None`` for nothing.

    :param is_websocket: Whether the location was made for a WebSocket.
    :param nested: Whether it is inside another location, where nginx sees no duplicate.
    """
    modifier, path = location
    wanted = {each.path for each in paths}
    if modifier in ("~", "~*"):
        # A regular expression that matches every path is a clash only if it was pasted for the WebSocket.
        takes = _matches(location, paths) and (is_websocket or not _matches(location, (BlockPath("/"),)))
        return _TAKEN if takes else None
    if modifier not in ("", "=", "^~") or path.startswith("@"):
        return None
    same_kind = ("=",) if modifier == "=" else ("", "^~")
    managed = [each for path_ in paths for each in path_.locations]
    if not nested and any(path == managed_path and kind in same_kind for kind, managed_path in managed):
        return "which nginx would refuse as a duplicate"
    return _TAKEN if path in wanted and path != "/" else None


def _compiled(location: tuple[str, str]) -> re.Pattern[str] | None:
    """The pattern of a location, ``None`` if only PCRE understands it."""
    modifier, pattern = location
    return python_regex(pattern, ignore_case=modifier == "~*")


def _matches(location: tuple[str, str], paths: Sequence[BlockPath]) -> bool:
    """Whether a regular expression matches a path, or something below a prefix that it spells out."""
    compiled = _compiled(location)
    if compiled is None:
        return False
    below = [f"{path}{name}" for each in paths for kind, path in each.locations if kind == "^~" for name in ("", "x")]
    if any(compiled.search(path) for path in (*(each.path for each in paths), *below)):
        return True
    literal = re.match(r"\^((?:[A-Za-z0-9_/-]|\\[./-])+)", location[1])
    spelled = literal[1].replace("\\", "") if literal else ""
    return any(kind == "^~" and spelled.startswith(path) for each in paths for kind, path in each.locations)
