# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What in a user's Advanced text and custom locations clashes with the managed block, or matters beside it (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._nginx.config import ConfigError, Directive, parse
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
# As Nginx Proxy Manager searches for it: in the text, not in what nginx makes of it.
_DEFAULT_LOCATION = re.compile(r"location\s*/\s*\{", re.IGNORECASE)


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
) -> tuple[Clash, ...]:
    """Read the unmanaged configuration of a host as nginx does.

    :param unmanaged: The Advanced text without the managed block.
    :param custom_locations: The host's ``locations``.
    :param switch_on: Whether Websockets Support is on, which adds the same directives at server level.
    """
    try:
        directives = parse(unmanaged, "advanced_config")
    except ConfigError as exc:
        return (
            Clash(
                "unreadable", f"the Advanced text is not a complete nginx configuration ({exc}); nginx decides on it"
            ),
        )
    found = [*_snippet(directives, switch_on), *_twice(directives), *_default_location(unmanaged, directives)]
    if paths:
        found += _other_locations(directives, custom_locations, paths)
    return tuple(found)


def _snippet(directives: Sequence[Directive], switch_on: bool) -> Iterator[Clash]:
    upgrade = [each for each in directives if _sets_header(each, "upgrade")]
    version = [each for each in directives if each.name == "proxy_http_version"]
    if not upgrade and not version:
        return
    parts = [
        each
        for each in directives
        if each.block is None
        and (each.name in _SNIPPET_DIRECTIVES or any(_sets_header(each, name) for name in _SNIPPET_HEADERS))
    ]
    spans = tuple((each.start, each.end) for each in parts)
    line = parts[0].line
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


def _twice(directives: Sequence[Directive]) -> Iterator[Clash]:
    for name in ONCE:
        same = [each for each in directives if each.name == name]
        if len(same) > 1:
            yield Clash(
                "duplicate_directive",
                f'"{name}" is set twice at server level (lines {same[0].line} and {same[1].line} of the Advanced '
                "text), and nginx refuses the host",
                fatal=True,
            )


def _default_location(unmanaged: str, directives: Sequence[Directive]) -> Iterator[Clash]:
    if not _DEFAULT_LOCATION.search(unmanaged):
        return
    if any(each.name == "location" and _location(each) == ("", "/") for each in directives):
        yield Clash(
            "own_default_location",
            "the Advanced text has its own location /, so that the access list and the settings of the host do "
            "not apply there",
        )
        return
    yield Clash(
        "default_location_mentioned",
        'the Advanced text mentions "location / {" (in a comment, say), and Nginx Proxy Manager then leaves out its '
        "own location /, so that the page is not proxied",
    )


def _location(directive: Directive) -> tuple[str, str] | None:
    if len(directive.args) == 1:
        return ("", directive.args[0])
    return (directive.args[0], directive.args[1]) if len(directive.args) == 2 else None


def _other_locations(
    directives: Sequence[Directive], custom: Sequence[Mapping[str, Any]], paths: Sequence[BlockPath]
) -> Iterator[Clash]:
    managed = {location for path in paths for location in path.locations}
    wanted = {path.path for path in paths}
    for each in directives:
        if each.name != "location" or each.block is None:
            continue
        location = _location(each)
        if location is None:
            continue
        is_websocket = any(_sets_header(inner, "upgrade") for inner in each.block)
        effect = _effect(location, managed, wanted)
        # A regular expression that matches every path is a clash only if it was pasted for the WebSocket.
        if effect is None and _matches(location, wanted) and (is_websocket or not _matches(location, {"/"})):
            effect = _TAKEN
        if effect is None:
            yield from _above(f"line {each.line} of the Advanced text has a location", location, wanted)
            continue
        yield Clash(
            "pasted_location" if is_websocket else "other_location",
            f"line {each.line} of the Advanced text has a location {' '.join(part for part in location if part)} of "
            f"its own, {effect}",
            fatal=True,
            spans=((each.start, each.end),) if is_websocket else (),
            shadowed=effect == _TAKEN,
        )
    for entry in custom:
        path = str(entry.get("path", ""))
        effect = _effect(("", path), managed, wanted)
        if effect is None:
            yield from _above("the host has a custom location", ("", path), wanted)
            continue
        yield Clash(
            "custom_location",
            f"the host has a custom location {path}, {effect}",
            fatal=True,
            shadowed=effect == _TAKEN,
        )


def _above(found: str, location: tuple[str, str], wanted: set[str]) -> Iterator[Clash]:
    """A location above a path, which keeps serving all other paths below it."""
    modifier, above = location
    below = sorted(path for path in wanted if path.startswith(above) and path != above)
    if modifier in ("", "^~") and above != "/" and below:
        yield Clash(
            "location_above",
            f"{found} {above}, and the managed block takes {', '.join(below)} out of it, so that its rules and its "
            "forward address do not apply there",
        )


def _effect(location: tuple[str, str], managed: set[tuple[str, str]], wanted: set[str]) -> str | None:
    """What the block and a location without a regular expression do to each other, ``None`` for nothing."""
    modifier, path = location
    if modifier not in ("", "=", "^~"):
        return None
    same_kind = ("=",) if modifier == "=" else ("", "^~")
    if any(path == managed_path and managed_modifier in same_kind for managed_modifier, managed_path in managed):
        return "which nginx would refuse as a duplicate"
    return _TAKEN if path in wanted and path != "/" else None


def _matches(location: tuple[str, str], wanted: set[str]) -> bool:
    """Whether a regular expression matches a path; one that only PCRE understands does not count."""
    modifier, pattern = location
    if modifier not in ("~", "~*"):
        return False
    try:
        compiled = re.compile(pattern, re.IGNORECASE if modifier == "~*" else 0)
    except re.error:
        return False
    return any(compiled.search(path) for path in wanted)
