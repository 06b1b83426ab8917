"""What holds for every finding of preflight."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._preflight.finding import PreflightFinding
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.kinds import KINDS
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import is_secret

_REMEDIES = (
    "add|adopt|check|choose|commit|correct|deploy|free|get|leave|list|make|mount|move|put|remove|rename|renew|repair"
    "|replace|run|set|start|stop|use|write"
)


def assert_names_a_variable_and_shows_its_value(item: PreflightFinding, given: Mapping[str, Any]) -> None:
    """The variable is one that the user sets, and the message shows its value, not what was derived from it."""
    name, value = _at(given, item.variable)
    assert name in KINDS or item.name == "variable-unknown"
    if item.value.endswith(" (not shown)"):
        # A secret, or what may be one: a text in place of a dictionary, a key that is a secret too.
        assert is_secret(name) or item.name in {"type", "env-twice", "variable-unknown"}
    elif item.value.endswith(" by default") or item.value == "not set":
        assert name not in given
    elif value in (None, ""):
        assert item.value == ("null" if value is None else "empty")
    else:
        assert item.value == re.sub("://.*@", "://***@", json.dumps(value, ensure_ascii=False, sort_keys=True))


def assert_tells_found_from_expected(item: PreflightFinding) -> None:
    """Each part of a finding has its form, so that none is used in place of another."""
    # A noun phrase: only its reason says what is.
    expected = re.sub(r"(, )?(because|as|which) .*|\(.*\)|that (is|are) .*", "", item.expected)
    assert expected
    assert not re.search(r" (is|was|are|were|has|have|cannot) ", f" {expected} "), item.expected
    assert re.match(rf"({_REMEDIES})\b", item.remedy), item.remedy
    assert not re.search(r"[;\n]", item.found + item.expected + item.remedy), item.sentence


def _at(given: Mapping[str, Any], variable: str) -> tuple[str, Any]:
    """The name of a variable without the entry, and the value of the entry."""
    name, dot, key = variable.partition(".")
    index = re.fullmatch(r"(\w+)\[(\d+)\]", name)
    if index:
        return index[1], given[index[1]][int(index[2])]
    return name, given[name][key] if dot else given.get(name)
