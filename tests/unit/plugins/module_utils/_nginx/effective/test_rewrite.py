"""The rewrite phase."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.rewrite import Rewritten, rewrite
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.variables import Variables


def executed(text: str, **known: str) -> tuple[Rewritten, Variables]:
    block = parse(text, "f")
    variables = Variables(block, {"http_upgrade": "websocket", "empty": "", "zero": "0", **known})
    return rewrite(block, variables), variables


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        pytest.param("$http_upgrade", True, id="set"),
        pytest.param("$empty", False, id="empty"),
        pytest.param("$zero", False, id="zero"),
        pytest.param("$http_upgrade = websocket", True, id="equal"),
        pytest.param("$http_upgrade = x", False, id="not-equal"),
        pytest.param('$http_upgrade = "websocket"', True, id="quoted"),
        pytest.param(" $http_upgrade = websocket ", True, id="spaces-inside-of-the-parentheses"),
        pytest.param("$http_upgrade != x", True, id="different"),
        pytest.param("$http_upgrade != websocket", False, id="not-different"),
        pytest.param("$http_upgrade = $http_upgrade", True, id="variable-on-both-sides"),
        pytest.param("$http_upgrade ~ ^web", True, id="regex"),
        pytest.param("$http_upgrade ~ ^WEB", False, id="regex-with-case"),
        pytest.param("$http_upgrade ~* ^WEB", True, id="regex-that-ignores-case"),
        pytest.param("$http_upgrade !~ ^web", False, id="no-regex"),
        pytest.param("$http_upgrade !~* ^x", True, id="no-regex-that-ignores-case"),
    ],
)
def test_a_condition_decides_whether_an_if_is_entered(condition: str, held: bool) -> None:
    outcome, _variables = executed(f"if ({condition}) {{ return 418; }}")
    assert (outcome.entered is not None) is held
    assert (outcome.returned is not None) is held


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("$cookie_x", id="unknown-variable"),
        pytest.param("$http_upgrade = $cookie_x", id="unknown-operand"),
        pytest.param("-f $request_filename", id="file-test"),
        pytest.param("$http_upgrade ~ \\Qx", id="pattern-that-python-lacks"),
    ],
)
def test_after_an_unknown_condition_what_it_assigns_is_unknown(condition: str) -> None:
    outcome, variables = executed(f"set $x 1; if ({condition}) {{ set $x 2; return 418; }}")
    assert (outcome.entered, outcome.returned) == (None, None)
    assert variables.value("x") is None


@pytest.mark.parametrize(
    ("text", "returned"),
    [
        pytest.param("return 404;", "404", id="return"),
        pytest.param("return 404; return 500;", "404", id="first-return"),
        pytest.param("break; return 404;", None, id="break"),
        pytest.param("if ($http_upgrade) { break; } return 404;", None, id="break-in-an-if"),
        pytest.param("if ($empty) { break; } return 404;", "404", id="break-in-an-if-that-is-not-entered"),
        pytest.param("if ($http_upgrade) { set $y 1; } return 404;", "404", id="after-an-if"),
        pytest.param("if ($http_upgrade) { return 1; } return 404;", "1", id="in-an-if"),
        pytest.param("proxy_pass x;", None, id="other-directives"),
    ],
)
def test_the_phase_ends_with_return_and_break(text: str, returned: str | None) -> None:
    outcome, _variables = executed(text)
    assert (outcome.returned.args[0] if outcome.returned else None) == returned


def test_the_last_entered_if_counts() -> None:
    outcome, _variables = executed("if ($http_upgrade) { }\nif ($http_upgrade) { }\nif ($empty) { }")
    assert outcome.entered is not None
    assert outcome.entered.line == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("if ($empty) { set $x 2; }", id="an-if-that-is-not-entered"),
        pytest.param("location / { set $x 2; }", id="a-location"),
        pytest.param("if ($cookie_x) { add_header x 2; }", id="another-directive-in-an-if-with-an-unknown-condition"),
    ],
)
def test_only_what_is_executed_assigns(text: str) -> None:
    _outcome, variables = executed(f"set $x 1; {text}")
    assert variables.value("x") == "1"


def test_assignments_are_executed_in_order() -> None:
    _outcome, variables = executed("set $x 1; set $x ${x}2; if ($x = 12) { set $y $x; }")
    assert (variables.value("x"), variables.value("y")) == ("12", "12")
