# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which location of a server answers a path (``ngx_http_core_find_location``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..config import Directive
from .patterns import python_regex

_REGEX = ("~", "~*")
#: Whether the regular expression of a location matches a path.
Matches = Callable[[Directive, str], bool]
#: A location ``PATH/`` with one of these makes nginx redirect PATH to it.
_PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


@dataclass(frozen=True)
class ChosenLocation:
    """The locations that contain the answer, outer before inner; none where the server itself answers.

    ``redirects``: the innermost is ``PATH/``, and nginx answers ``PATH`` with a redirect (301) to it.
    """

    chain: tuple[Directive, ...] = ()
    redirects: bool = False

    @property
    def innermost(self) -> Directive | None:
        return self.chain[-1] if self.chain else None


def modifier_and_path(location: Directive) -> tuple[str, str]:
    """The modifier, which may be written without a space (``=/ws``), and the path or regular expression."""
    if len(location.args) >= 2:
        return location.args[0], location.args[1]
    word = location.args[0] if location.args else ""
    for modifier in ("~*", "^~", "~", "="):
        if word.startswith(modifier):
            return modifier, word[len(modifier) :]
    return "", word


def is_regex(location: Directive) -> bool:
    return modifier_and_path(location)[0] in _REGEX


def regex_matches(location: Directive, path: str) -> bool:
    """Whether the regular expression of a location matches; one that only nginx can read matches nothing."""
    modifier, text = modifier_and_path(location)
    pattern = python_regex(text, ignore_case=modifier == "~*")
    return pattern is not None and pattern.search(path) is not None


def title(location: Directive) -> str:
    """``location = /ws in FILE:LINE``"""
    return f"{' '.join((location.name, *location.args))} in {location.where}"


def choose_location(block: Directive, path: str, matches: Matches = regex_matches) -> ChosenLocation:
    """The location that answers a path; named ones (``@name``) never do.

    :param block: A server, or a location to look into.
    """
    locations = [each for each in block.children("location") if not modifier_and_path(each)[1].startswith("@")]
    # Inside of a location with a regular expression nginx finds only regular expressions.
    fixed = [] if is_regex(block) else [each for each in locations if not is_regex(each)]
    exact = next((each for each in fixed if modifier_and_path(each) == ("=", path)), None)
    if exact is not None:
        return ChosenLocation((exact,))
    prefixes = [each for each in fixed if modifier_and_path(each)[0] != "="]
    prefix = max(
        (each for each in prefixes if path.startswith(modifier_and_path(each)[1])),
        key=lambda each: len(modifier_and_path(each)[1]),
        default=None,
    )
    if prefix is None or modifier_and_path(prefix)[1] != path:
        slash = _redirecting(fixed, path)
        if slash is not None:
            return ChosenLocation((slash,), redirects=True)
    inner = ChosenLocation()
    if prefix is not None:
        inner = choose_location(prefix, path, matches)
        inner = ChosenLocation((prefix, *inner.chain), inner.redirects)
        exact_or_regex = any(is_regex(each) or modifier_and_path(each)[0] == "=" for each in inner.chain[1:])
        if exact_or_regex or inner.redirects or modifier_and_path(prefix)[0] == "^~":
            return inner
    for each in locations:
        if is_regex(each) and matches(each, path):
            return ChosenLocation((each, *choose_location(each, path, matches).chain))
    return inner


def _redirecting(fixed: list[Directive], path: str) -> Directive | None:
    """The location ``PATH/`` that makes nginx redirect ``PATH``; of several the last."""
    found = [each for each in fixed if modifier_and_path(each)[1] == path + "/" and any(map(each.children, _PASSES))]
    return found[-1] if found else None
