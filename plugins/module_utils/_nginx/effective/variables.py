# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of nginx's variables for one request, as far as the configuration determines them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..config import Directive, walk
from .patterns import python_regex

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
#: nginx refuses maps that need each other; this only ends a search.
_MAX_DEPTH = 10


class Variables:
    """Variables of one request; ``None`` is an unknown value.

    :param http: The directives of the http block.
    :param known: Variables of the request itself, by name.
    """

    def __init__(self, http: Sequence[Directive], known: Mapping[str, str]) -> None:
        self.known: dict[str, str | None] = dict(known)
        self._maps = {each.args[1].lstrip("$"): each for each in http if each.name == "map" and len(each.args) == 2}
        self._assigned = {each.args[0].lstrip("$") for each in walk(http) if each.name == "set" and each.args}
        self._depth = 0

    def text(self, template: str) -> str | None:
        """A text with its variables replaced by their values."""
        out, position = "", 0
        for match in _VARIABLE.finditer(template):
            value = self.value(match.group(1) or match.group(2))
            if value is None:
                return None
            out += template[position : match.start()] + value
            position = match.end()
        return out + template[position:]

    def assign(self, name: str, value: str | None) -> None:
        """What the directive ``set`` does."""
        self.known[name.lstrip("$")] = value

    def value(self, name: str) -> str | None:
        if name in self.known:
            return self.known[name]
        each = self._maps.get(name)
        if each is None or self._depth > _MAX_DEPTH:
            # A variable that a `set` anywhere defines is empty where that `set` is not executed.
            return "" if each is None and name in self._assigned else None
        self._depth += 1
        try:
            return self._mapped(each)
        finally:
            self._depth -= 1

    def _mapped(self, each: Directive) -> str | None:
        source = self.text(each.args[0])
        if source is None:
            return None
        default = ""
        regexes: list[Directive] = []
        for entry in each.block or ():
            # A backslash makes a value of what would be special, such as `\\default`.
            key = entry.name[1:] if entry.name.startswith("\\") else entry.name
            if entry.name == "default" and entry.args:
                default = entry.args[0]
            elif entry.name.startswith("~"):
                regexes.append(entry)
            elif key.lower() == source.lower() and entry.args:
                return self.text(entry.args[0])
        for entry in regexes:
            ignore_case = entry.name.startswith("~*")
            pattern = python_regex(entry.name[2 if ignore_case else 1 :], ignore_case)
            if pattern is not None and pattern.search(source) and entry.args:
                return self.text(entry.args[0])
        return self.text(default)
