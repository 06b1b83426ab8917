# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rewrite phase: ``set``, ``if``, ``return``, ``rewrite`` and ``break`` (``ngx_http_rewrite_module.c``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..config import Directive
from .patterns import python_regex
from .surroundings import NotFollowedError
from .variables import Variables

_CONDITION = re.compile(r"\(\s*(\$\w+|\$\{\w+\})\s*(?:(=|!=|~\*?|!~\*?)\s*(.*?))?\s*\)", re.DOTALL)
_FILE_CONDITION = re.compile(r"\(\s*(!?)-([fdex])\s*(.*?)\s*\)", re.DOTALL)
_URL = ("http://", "https://", "$scheme")
_REDIRECTS = (301, 302, 303, 307, 308)
#: Answers an ``if`` whose condition is not known.
Decide = Callable[[Directive], bool]
#: Whether a path of the host is a directory; ``None`` if that is not known.
IsDirectory = Callable[[str], "bool | None"]


@dataclass(frozen=True)
class Ended:
    """An answer of nginx itself.

    :param by: The directive that answers; ``None`` for nginx's own decision.
    :param target: Where a redirect leads.
    :param sent: Whether the answer is sent as it is, without a look at ``error_page``.
    :param why: What led to it where the directive does not say it.
    """

    status: int
    by: Directive | None
    target: str = ""
    sent: bool = False
    why: str = ""


@dataclass
class Uri:
    """The URI in work.

    :param arguments: Those of the request, as ``name=value&...``.
    :param original: Whether an upstream gets the path as the client wrote it (``valid_unparsed_uri``).
    :param in_location: Whether a ``proxy_pass`` with a path replaces the part that the location matched
        (``valid_location``).
    :param changed: Whether nginx looks for a location again.
    :param rewritten: Whether ``internal`` locations are open.
    """

    path: str
    arguments: str = ""
    original: bool = True
    in_location: bool = True
    changed: bool = False
    rewritten: bool = False

    def publish(self, variables: Variables) -> None:
        """Make the variables of the URI those of this one."""
        for name in ("uri", "document_uri"):
            variables.known[name] = self.path
        for name in ("args", "query_string"):
            variables.known[name] = self.arguments
        variables.known["is_args"] = "?" if self.arguments else ""

    def replace(self, path: str, arguments: str) -> None:
        self.path, self.arguments = path, arguments
        self.original, self.rewritten = False, True


@dataclass
class Rewritten:
    """The outcome of the phase.

    :param entered: The last ``if`` whose condition holds; nginx prefers its directives to those around it.
    """

    ended: Ended | None = None
    entered: Directive | None = None


class Rewrite:
    """The phase for one request; assigned variables are kept in ``variables``."""

    def __init__(self, variables: Variables, uri: Uri, decide: Decide, is_directory: IsDirectory) -> None:
        self._variables = variables
        self._uri = uri
        self._decide = decide
        self._is_directory = is_directory

    def run(self, block: Sequence[Directive]) -> Rewritten:
        """Execute the directives of a server or a location.

        :raises NotFollowedError: If the outcome needs a value that is not known.
        """
        outcome = Rewritten()
        self._execute(block, outcome)
        return outcome

    def _execute(self, block: Sequence[Directive], outcome: Rewritten) -> bool:
        """Returns whether the phase continues after this block."""
        for each in block:
            if each.name == "set" and len(each.args) == 2:
                value = self._variables.text(each.args[1])
                self._variables.assign(each.args[0], value)
                if each.args[0] == "$args" and value is not None:
                    self._uri.arguments = value
                    self._uri.publish(self._variables)
            elif each.name == "return" and each.args:
                outcome.ended = self._returned(each)
                return False
            elif each.name == "break":
                if self._uri.changed:
                    self._uri.changed, self._uri.in_location = False, False
                return False
            elif each.name == "rewrite" and len(each.args) >= 2:
                if not self._rewritten(each, outcome):
                    return False
            elif each.name == "if" and self._holds(each):
                outcome.entered = each
                if not self._execute(each.block or (), outcome):
                    return False
        return True

    def _returned(self, each: Directive) -> Ended:
        first, text = each.args[0], "".join(each.args[1:2])
        if not first.isdigit():
            return Ended(302, each, self._variables.text(first) or first)
        status = int(first)
        if status in _REDIRECTS:
            return Ended(status, each, self._variables.text(text) or text)
        return Ended(status, each, sent=status < 400 or text != "")

    def _rewritten(self, each: Directive, outcome: Rewritten) -> bool:
        """Execute a ``rewrite``; returns whether the phase continues."""
        pattern = python_regex(each.args[0], ignore_case=False)
        if pattern is None:
            raise NotFollowedError(each.where, f"the regular expression {each.args[0]} cannot be evaluated here")
        if not self._variables.matches(pattern, self._uri.path):
            return True
        replacement, flag = each.args[1], "".join(each.args[2:3])
        template, mark, added = replacement.partition("?")
        path = self._variables.text(template)
        if flag in ("redirect", "permanent") or replacement.startswith(_URL):
            outcome.ended = Ended(301 if flag == "permanent" else 302, each, path or template)
            return False
        arguments = self._variables.text(added)
        if path is None or arguments is None:
            raise NotFollowedError(each.where, f"the value of {replacement} is not known")
        if not path:
            outcome.ended = Ended(500, each)
            return False
        kept = "" if mark and not added else self._uri.arguments
        arguments = arguments[:-1] if arguments.endswith("?") else "&".join(filter(None, (arguments, kept)))
        self._uri.replace(path, arguments)
        self._uri.publish(self._variables)
        self._uri.changed = flag != "break"
        if flag == "break":
            self._uri.in_location = False
        return flag == ""

    def _holds(self, each: Directive) -> bool:
        """Whether the condition of an ``if`` holds."""
        held = self._condition(" ".join(each.args))
        return self._decide(each) if held is None else held

    def _condition(self, text: str) -> bool | None:
        match = _FILE_CONDITION.fullmatch(text)
        if match is not None:
            return self._file_condition(match.group(1) == "!", match.group(2), match.group(3))
        match = _CONDITION.fullmatch(text)
        if match is None:
            return None
        value = self._variables.text(match.group(1))
        if value is None:
            return None
        operator, operand = match.group(2), match.group(3) or ""
        if operator is None:
            return value not in ("", "0")
        if operator in ("=", "!="):
            other = self._variables.text(operand)
            return None if other is None else (value == other) == (operator == "=")
        pattern = python_regex(operand, ignore_case=operator.endswith("*"))
        return None if pattern is None else self._variables.matches(pattern, value) != operator.startswith("!")

    def _file_condition(self, negated: bool, kind: str, template: str) -> bool | None:
        path = self._variables.text(template)
        if path is None or kind == "x":
            return None
        try:
            directory = self._is_directory(path)
        except FileNotFoundError:
            return negated
        if directory is None:
            return None
        held = kind == "e" or directory == (kind == "d")
        return held != negated
