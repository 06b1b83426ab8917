"""The state that a module tells, and what is left of a line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.progress import LINE_LIMIT, Progress, plain_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("one\ntwo\n\n", "two", id="last line that says something"),
        pytest.param("10 %\r20 %\r", "20 %", id="overwritten"),
        pytest.param("\x1b[32m✓\x1b[0m built\x1b[K", "✓ built", id="colours"),
        pytest.param("\x1b]0;title\x07made \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "made link", id="title and link"),
        pytest.param("a\x00b\x07c\x9bd\u2028e", "a b c d e", id="controls"),
        pytest.param("x" * 500, "x" * LINE_LIMIT, id="long"),
        pytest.param("\x1b[2J\x1b[H", "", id="only escapes"),
    ],
)
def test_a_line_is_the_last_without_escapes_and_controls(text: str, line: str) -> None:
    assert plain_line(text) == line


def test_secrets_are_removed_the_longest_first_and_before_the_line_is_cut() -> None:
    assert plain_line("key=abcdef", ["abc", "abcdef"]) == "key=***"
    assert plain_line("x" * (LINE_LIMIT - 2) + "secret", ["secret", ""]) == "x" * (LINE_LIMIT - 2) + "**"


def test_the_latest_state_is_in_a_private_file_while_the_module_runs(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with Progress(str(path), ["pa55"]) as progress:
        progress.say("install", "a much longer line than the next one")
        progress.say("build", "with pa55")
        assert json.loads(path.read_text()) == {"phase": "build", "line": "with ***"}
        assert path.stat().st_mode & 0o777 == 0o600
        progress.say("build", "too soon")
        assert json.loads(path.read_text())["line"] == "with ***"
    assert not path.exists()


def test_the_file_goes_when_the_module_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), Progress(str(tmp_path / "state")):
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_what_is_there_already_is_left_alone(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "state", tmp_path / "other"
    other.write_text("kept")
    if kind == "file":
        path.write_text("kept")
    elif kind == "link":
        path.symlink_to(other)
    else:
        path.mkdir()
    with Progress(str(path)) as progress:
        progress.say("build", "x")
    assert other.read_text() == "kept"
    assert os.path.lexists(path)


@pytest.mark.parametrize("path", [None, "", "/nonexistent/directory/state"])
def test_without_a_file_nothing_is_told_and_nothing_fails(path: str | None) -> None:
    with Progress(path) as progress:
        progress.say("build", "x")
