# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What in a user's Advanced text and custom locations would clash with our block (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._nginx.config import ConfigError, Directive, parse
from .block import WebSocketPath

#: Directives that nginx takes once in a block; twice is fatal.
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
# As Nginx Proxy Manager looks for it: in the text, not in what nginx makes of it.
_DEFAULT_LOCATION = re.compile(r"location\s*/\s*\{", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """Something in the way.

    ``fatal`` ones stop the change. ``spans`` is set where the text can be taken
    out by the explicit option. ``shadowed`` is a location that works on, but
    without the requests that ours takes.
    """

    kind: str
    text: str
    fatal: bool = False
    spans: tuple[tuple[int, int], ...] = ()
    shadowed: bool = False


def findings(
    foreign: str,
    custom_locations: Sequence[Mapping[str, Any]],
    paths: Sequence[WebSocketPath],
    switch_on: bool,
) -> tuple[Finding, ...]:
    """Read what is not ours with the eyes of nginx.

    :param foreign: The Advanced text without our block.
    :param custom_locations: The host's ``locations``.
    :param switch_on: Whether "Websockets Support" is on, so that the same directives stand there once more.
    """
    try:
        directives = parse(foreign, "advanced_config")
    except ConfigError as exc:
        return (
            Finding("unreadable", f"the Advanced text is no complete nginx configuration ({exc}); nginx decides on it"),
        )
    found = [*_snippet(directives, switch_on), *_twice(directives), *_default_location(foreign, directives)]
    if paths:
        found += _other_locations(directives, custom_locations, paths)
    return tuple(found)


def _snippet(directives: Sequence[Directive], switch_on: bool) -> Iterator[Finding]:
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
        yield Finding(
            "snippet_with_switch",
            f"a WebSocket snippet was pasted at server level (line {line} of the Advanced text) while Websockets "
            'Support is on, so that "proxy_http_version" stands there twice and nginx refuses the host',
            fatal=True,
            spans=spans,
        )
        return
    yield Finding(
        "snippet_without_effect",
        f"a WebSocket snippet was pasted at server level (line {line} of the Advanced text), where it has no effect "
        "on the locations of Nginx Proxy Manager",
        spans=spans,
    )


def _sets_header(directive: Directive, name: str) -> bool:
    return directive.name == "proxy_set_header" and bool(directive.args) and directive.args[0].lower() == name


def _twice(directives: Sequence[Directive]) -> Iterator[Finding]:
    for name in ONCE:
        same = [each for each in directives if each.name == name]
        if len(same) > 1:
            yield Finding(
                "duplicate_directive",
                f'"{name}" stands twice at server level (lines {same[0].line} and {same[1].line} of the Advanced '
                "text), and nginx refuses the host",
                fatal=True,
            )


def _default_location(foreign: str, directives: Sequence[Directive]) -> Iterator[Finding]:
    if not _DEFAULT_LOCATION.search(foreign):
        return
    if any(each.name == "location" and _location(each) == ("", "/") for each in directives):
        yield Finding(
            "own_default_location",
            "the Advanced text brings its own location /, so that the access list and the settings of the host do "
            "not apply there",
        )
        return
    yield Finding(
        "default_location_mentioned",
        'the Advanced text mentions "location / {" (in a comment, say), and Nginx Proxy Manager then leaves out its '
        "own location /, so that the page is not proxied",
    )


def _location(directive: Directive) -> tuple[str, str] | None:
    if len(directive.args) == 1:
        return ("", directive.args[0])
    return (directive.args[0], directive.args[1]) if len(directive.args) == 2 else None


def _other_locations(
    directives: Sequence[Directive], custom: Sequence[Mapping[str, Any]], paths: Sequence[WebSocketPath]
) -> Iterator[Finding]:
    ours = {location for path in paths for location in path.locations}
    wanted = {path.path for path in paths}
    for each in directives:
        if each.name != "location" or each.block is None:
            continue
        location = _location(each)
        if location is None:
            continue
        by_hand = any(_sets_header(inner, "upgrade") for inner in each.block)
        verdict = _verdict(location, ours, wanted)
        # One that catches every path is no location of ours, unless it is what was pasted for the WebSocket.
        if verdict is None and _matches(location, wanted) and (by_hand or not _matches(location, {"/"})):
            verdict = _TAKEN
        if verdict is None:
            yield from _covering(f"line {each.line} of the Advanced text has a location", location, wanted)
            continue
        yield Finding(
            "hand_pasted_location" if by_hand else "other_location",
            f"line {each.line} of the Advanced text has a location {' '.join(part for part in location if part)} of "
            f"its own, {verdict}",
            fatal=True,
            spans=((each.start, each.end),) if by_hand else (),
            shadowed=verdict == _TAKEN,
        )
    for entry in custom:
        path = str(entry.get("path", ""))
        verdict = _verdict(("", path), ours, wanted)
        if verdict is None:
            yield from _covering("the host has a custom location", ("", path), wanted)
            continue
        yield Finding(
            "custom_location",
            f"the host has a custom location {path}, {verdict}",
            fatal=True,
            shadowed=verdict == _TAKEN,
        )


def _covering(found: str, location: tuple[str, str], wanted: set[str]) -> Iterator[Finding]:
    """A location above a path: it goes on serving all else below it."""
    modifier, above = location
    below = sorted(path for path in wanted if path.startswith(above) and path != above)
    if modifier in ("", "^~") and above != "/" and below:
        yield Finding(
            "location_above",
            f"{found} {above}, and the managed block takes {', '.join(below)} out of it, so that its rules and its "
            "forward address do not apply there",
        )


def _verdict(location: tuple[str, str], ours: set[tuple[str, str]], wanted: set[str]) -> str | None:
    modifier, path = location
    if modifier not in ("", "=", "^~"):
        return None
    same_kind = ("=",) if modifier == "=" else ("", "^~")
    if any(path == our_path and our_modifier in same_kind for our_modifier, our_path in ours):
        return "which nginx would refuse as a duplicate"
    return _TAKEN if path in wanted and path != "/" else None


def _matches(location: tuple[str, str], wanted: set[str]) -> bool:
    """Whether a regular expression catches a path; one that only PCRE understands does not count."""
    modifier, pattern = location
    if modifier not in ("~", "~*"):
        return False
    try:
        compiled = re.compile(pattern, re.IGNORECASE if modifier == "~*" else 0)
    except re.error:
        return False
    return any(compiled.search(path) for path in wanted)
