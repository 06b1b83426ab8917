# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rewrite phase of nginx: ``set``, ``if``, ``return`` and ``break`` (``ngx_http_rewrite_module``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..config import Directive
from .patterns import python_regex
from .variables import Variables

_CONDITION = re.compile(r"\(\s*(\$\w+)\s*(?:(=|!=|~\*?|!~\*?)\s*(.*?))?\s*\)")


@dataclass
class Rewritten:
    """The outcome of the phase.

    :param returned: The ``return`` that answers.
    :param entered: The last ``if`` whose condition holds; nginx prefers its directives to those around it.
    """

    returned: Directive | None = None
    entered: Directive | None = None


def rewrite(block: Sequence[Directive], variables: Variables) -> Rewritten:
    """Execute the phase of a server or a location; assigned variables are kept in ``variables``.

    An ``if`` whose condition is unknown is not entered, and what it assigns becomes unknown.
    """
    outcome = Rewritten()
    _execute(block, variables, outcome)
    return outcome


def _execute(block: Sequence[Directive], variables: Variables, outcome: Rewritten) -> bool:
    """Returns whether the phase continues after this block."""
    for each in block:
        if each.name == "set" and len(each.args) == 2:
            variables.assign(each.args[0], variables.text(each.args[1]))
        elif each.name == "return":
            outcome.returned = each
            return False
        elif each.name == "break":
            return False
        elif each.name == "if":
            held = _holds(each.args, variables)
            if held:
                outcome.entered = each
                if not _execute(each.block or (), variables, outcome):
                    return False
            elif held is None:
                for inner in each.block or ():
                    if inner.name == "set" and inner.args:
                        variables.assign(inner.args[0], None)
    return True


def _holds(args: Sequence[str], variables: Variables) -> bool | None:
    """Whether the condition of an ``if`` holds, ``None`` if it is unknown."""
    match = _CONDITION.fullmatch(" ".join(args))
    if match is None:
        return None
    value = variables.text(match.group(1))
    if value is None:
        return None
    operator, operand = match.group(2), match.group(3) or ""
    if operator is None:
        return value not in ("", "0")
    if operator in ("=", "!="):
        other = variables.text(operand)
        return None if other is None else (value == other) == (operator == "=")
    pattern = python_regex(operand, ignore_case=operator.endswith("*"))
    return None if pattern is None else bool(pattern.search(value)) != operator.startswith("!")
