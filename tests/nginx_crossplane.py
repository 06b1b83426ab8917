"""crossplane as the second opinion on the collection's own parser of nginx configurations."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from typing import Any

import crossplane
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import config
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import ConfigError, Directive, walk


def parse(text: str, file: str) -> tuple[Directive, ...]:
    """Parse one text leniently, since crossplane does not know the newest directives.

    :raises ConfigError: If it is not a configuration.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape", suffix=".conf") as stream:
        stream.write(text)
        stream.flush()
        payload = crossplane.parse(
            stream.name, single=True, strict=False, check_ctx=False, check_args=False, catch_errors=True
        )
    for problem in payload["errors"]:
        raise ConfigError(str(problem["error"]).split(" in ")[0], file, problem["line"] or 0)
    return _directives(payload["config"][0]["parsed"], file)


def _directives(parsed: list[dict[str, Any]], file: str) -> tuple[Directive, ...]:
    found = []
    for each in parsed:
        block = each.get("block")
        inner = None if block is None else _directives(block, file)
        found.append(Directive(each["directive"], tuple(each["args"]), file, each["line"], inner))
    return tuple(found)


def comparable(directives: Sequence[Directive]) -> list[tuple[str, tuple[str, ...], str]]:
    """All directives with their places, in a form in which both parsers agree.

    crossplane removes the parentheses around the condition of an ``if``.
    """
    return [
        (each.name, (re.sub(r"[()\s]", "", "".join(each.args)),) if each.name == "if" else each.args, each.where)
        for each in walk(directives)
    ]


def assert_parsed_alike(text: str, file: str) -> None:
    assert comparable(config.parse(text, file)) == comparable(parse(text, file))
