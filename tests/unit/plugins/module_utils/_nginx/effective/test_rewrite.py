"""The rewrite phase."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import Directive, parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.rewrite import (
    Rewrite,
    Rewritten,
    Uri,
)
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.surroundings import NotFollowedError
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.variables import (
    Definitions,
    Variables,
)

FILES = {"/there": False, "/folder": True}


def is_directory(path: str) -> bool | None:
    if path == "/unknown":
        return None
    if path not in FILES:
        raise FileNotFoundError(path)
    return FILES[path]


class Phase:
    """The phase, run on a text."""

    def __init__(self, text: str, answer: bool = False, **known: str) -> None:
        block = parse(text, "f")
        names = {"http_upgrade": "websocket", "empty": "", "zero": "0", "cookie_x": None, **known}
        self.variables = Variables(Definitions.of(block), names)
        self.uri = Uri("/api/ws", "a=1")
        self.asked: list[str] = []
        self.uri.publish(self.variables)

        def decide(each: Directive) -> bool:
            self.asked.append(each.where)
            return answer

        self.outcome = Rewrite(self.variables, self.uri, decide, is_directory).run(block)


def executed(text: str, **known: str) -> tuple[Rewritten, Variables]:
    phase = Phase(text, **known)
    return phase.outcome, phase.variables


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
    assert (outcome.ended is not None) is held


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("$cookie_x", id="unknown-variable"),
        pytest.param("$http_upgrade = $cookie_x", id="unknown-operand"),
        pytest.param("-f $cookie_x", id="file-of-an-unknown-name"),
        pytest.param("-f /unknown", id="file-of-another-host"),
        pytest.param("-x /there", id="mode-of-a-file"),
        pytest.param("$http_upgrade ~ \\Qx", id="pattern-that-python-lacks"),
    ],
)
def test_an_unknown_condition_is_decided_by_the_caller(condition: str) -> None:
    for answer in (False, True):
        phase = Phase(f"if ({condition}) {{ return 418; }}", answer=answer)
        assert (phase.asked, phase.outcome.entered is not None) == (["f:1"], answer)


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        pytest.param("-f /there", True, id="file"),
        pytest.param("-f /folder", False, id="file-that-is-a-directory"),
        pytest.param("-d /folder", True, id="directory"),
        pytest.param("-d /there", False, id="directory-that-is-a-file"),
        pytest.param("-e /folder", True, id="exists"),
        pytest.param("-e /gone", False, id="exists-not"),
        pytest.param("!-e /gone", True, id="not-exists"),
        pytest.param("!-f /there", False, id="not-a-file"),
    ],
)
def test_files_are_looked_at(condition: str, held: bool) -> None:
    phase = Phase(f"if ({condition}) {{ }}")
    assert (phase.outcome.entered is not None, phase.asked) == (held, [])


@pytest.mark.parametrize(
    ("text", "path", "arguments", "changed"),
    [
        pytest.param("rewrite ^/api/(.*)$ /$1 last;", "/ws", "a=1", True, id="last"),
        pytest.param("rewrite ^/api/(.*)$ /$1 break;", "/ws", "a=1", False, id="break"),
        pytest.param("rewrite ^/api/(.*)$ /$1;", "/ws", "a=1", True, id="without-a-flag"),
        pytest.param("rewrite ^/api/(.*)$ /$1; rewrite ^/ws$ /x last;", "/x", "a=1", True, id="one-after-the-other"),
        pytest.param("rewrite ^/none /x last;", "/api/ws", "a=1", False, id="no-match"),
        pytest.param("rewrite ^ /x last; rewrite ^ /y last;", "/x", "a=1", True, id="last-ends-the-phase"),
        pytest.param("rewrite ^ /x; break;", "/x", "a=1", False, id="break-stays-in-the-location"),
        pytest.param("rewrite ^ /x?b=2 last;", "/x", "b=2&a=1", True, id="arguments-are-added"),
        pytest.param("rewrite ^ /x? last;", "/x", "", True, id="a-question-mark-removes-the-arguments"),
        pytest.param("rewrite ^ $uri/y last;", "/api/ws/y", "a=1", True, id="variable"),
        pytest.param("if ($uri ~ ^/(.)) { rewrite ^ /$1 last; }", "/", "a=1", True, id="groups-of-the-last-match"),
        pytest.param("if ($uri ~ ^/(.)) { set $x $1; rewrite ^ /$x last; }", "/a", "a=1", True, id="groups-of-an-if"),
    ],
)
def test_a_rewrite_replaces_the_uri(text: str, path: str, arguments: str, changed: bool) -> None:
    phase = Phase(text)
    assert (phase.uri.path, phase.uri.arguments, phase.uri.changed) == (path, arguments, changed)
    assert (phase.variables.value("uri"), phase.outcome.ended) == (path, None)


@pytest.mark.parametrize(
    ("text", "status", "target"),
    [
        pytest.param("rewrite ^ https://x.test$uri permanent;", 301, "https://x.test/api/ws", id="permanent"),
        pytest.param("rewrite ^ https://x.test;", 302, "https://x.test", id="url"),
        pytest.param("rewrite ^ /x redirect;", 302, "/x", id="redirect"),
        pytest.param("rewrite ^ $empty last;", 500, "", id="empty"),
        pytest.param("return 301 https://x.test;", 301, "https://x.test", id="return-with-a-target"),
        pytest.param("return https://x.test;", 302, "https://x.test", id="return-a-target-alone"),
        pytest.param("return 404;", 404, "", id="return"),
    ],
)
def test_the_phase_may_answer(text: str, status: int, target: str) -> None:
    ended = Phase(text).outcome.ended
    assert ended is not None
    assert (ended.status, ended.target, ended.sent) == (status, target, False)


@pytest.mark.parametrize("text", ["return 200;", "return 404 gone;", "return 200 ok;"])
def test_an_answer_with_a_text_or_below_400_is_sent_without_a_look_at_error_page(text: str) -> None:
    ended = Phase(text).outcome.ended
    assert ended is not None
    assert ended.sent


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rewrite \\Qx /y;", "the regular expression \\Qx cannot be evaluated here"),
        ("rewrite ^ /$cookie_x;", "the value of /$cookie_x is not known"),
    ],
)
def test_a_rewrite_with_an_unknown_result_is_not_followed(text: str, why: str) -> None:
    with pytest.raises(NotFollowedError) as raised:
        Phase(text)
    assert (raised.value.where, raised.value.why) == ("f:1", why)


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
    assert (outcome.ended.by.args[0] if outcome.ended and outcome.ended.by else None) == returned


def test_the_last_entered_if_counts() -> None:
    outcome, _variables = executed("if ($http_upgrade) { }\nif ($http_upgrade) { }\nif ($empty) { }")
    assert outcome.entered is not None
    assert outcome.entered.line == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("if ($empty) { set $x 2; }", id="an-if-that-is-not-entered"),
        pytest.param("location / { set $x 2; }", id="a-location"),
        pytest.param("if ($cookie_x) { set $x 2; }", id="an-if-that-the-caller-does-not-enter"),
    ],
)
def test_only_what_is_executed_assigns(text: str) -> None:
    _outcome, variables = executed(f"set $x 1; {text}")
    assert variables.value("x") == "1"


def test_assignments_are_executed_in_order() -> None:
    _outcome, variables = executed("set $x 1; set $x ${x}2; if ($x = 12) { set $y $x; }")
    assert (variables.value("x"), variables.value("y")) == ("12", "12")
