"""Applications that never tell pm2 that they are ready."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.definition import ProcessDefinition
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.never_ready import (
    note_never_ready,
    without_waiting,
)

WAITING = ProcessDefinition("web", "/srv/x.js", settings={"wait_ready": True, "listen_timeout": 1500, "watch": True})
FILE = "staging-never-ready.json"


def test_a_start_that_took_the_whole_time_is_remembered_for_this_script(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert without_waiting(WAITING, home) == WAITING
    warning = note_never_ready(WAITING, home, 1.5)
    assert warning.startswith("web never told pm2 that it is ready, which cost 1.5 s (wait_ready is set")
    assert without_waiting(WAITING, home) == replace(
        WAITING, settings={"listen_timeout": 1500, "watch": True}, uncompared=frozenset({"wait_ready"})
    )
    for other in (replace(WAITING, script="/srv/y.js"), replace(WAITING, name="api"), replace(WAITING, settings={})):
        assert without_waiting(other, home) == other
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("definition", "took_s"),
    [
        pytest.param(WAITING, 1.4, id="ready-in-time"),
        pytest.param(replace(WAITING, settings={}), 9, id="not-waited-for"),
    ],
)
def test_other_starts_are_not_remembered(tmp_path: Path, definition: ProcessDefinition, took_s: float) -> None:
    assert note_never_ready(definition, str(tmp_path), took_s) == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"api": "/srv/api.js"}'])
def test_what_is_remembered_of_others_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert without_waiting(WAITING, str(tmp_path)) == WAITING
    note_never_ready(WAITING, str(tmp_path), 2)
    assert without_waiting(WAITING, str(tmp_path)) != WAITING
    assert ("api" in (tmp_path / FILE).read_text()) is ("api" in text)
