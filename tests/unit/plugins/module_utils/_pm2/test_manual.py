"""Manual processes: which are saved, and what a restoration of them changes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.manual import (
    entries_of,
    save_manual,
    saved_manual,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.plan import NO_CHANGE, ProcessAction
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import PROJECT_KEY, Pm2Process
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.restore import plan_restored


def process(name: str, *, managed: bool = False, status: str = "online") -> Pm2Process:
    env = {"KEY": "secret", **({PROJECT_KEY: "/srv/app"} if managed else {})}
    return Pm2Process(name, 0, 1, status, "/srv/app/run", "/srv/app", args=("-x",), env=env)


SAVED = [{"name": "web", "script": "/srv/app/run"}]


def test_a_manual_process_is_saved_with_its_environment_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "manual/web.json"
    save_manual(str(path), [process("web"), process("web"), process("other"), process("ours", managed=True)])
    (web, other) = saved_manual(str(path))
    assert (web["name"], web["instances"], web["env"], web["args"]) == ("web", 2, {"KEY": "secret"}, ["-x"])
    assert other["name"] == "other"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_was_saved_stays_when_only_managed_processes_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "web.json"
    save_manual(str(path), [process("web")])
    before = path.read_text()
    save_manual(str(path), [process("web", managed=True)])
    save_manual(str(path), [])
    assert path.read_text() == before


def test_a_process_that_cannot_be_saved_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Pm2Error, match=r"cannot be written \(.*\), so the manual process is not replaced"):
        save_manual(str(tmp_path / "file/web.json"), [process("web")])


def test_without_a_file_nothing_is_saved(tmp_path: Path) -> None:
    assert saved_manual(str(tmp_path / "none")) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"apps": [{"name": "a", "script": "b", "env": 1}]}',
        '{"apps": [{}]}',
        '{"apps": [{"name": 1, "script": ""}]}',
        '{"apps": 1}',
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "f").write_text(text)
    with pytest.raises(Pm2Error, match="is damaged, so the manual processes cannot be started again"):
        saved_manual(str(tmp_path / "f"))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(json.dumps({"apps": SAVED}))
    os.symlink(tmp_path / "real", tmp_path / "f")
    assert saved_manual(str(tmp_path / "f")) == []


def test_instances_of_one_name_are_one_entry() -> None:
    assert [(each["name"], each["instances"]) for each in entries_of([process("a"), process("b"), process("a")])] == [
        ("a", 2),
        ("b", 1),
    ]


@pytest.mark.parametrize(
    ("running", "reasons"),
    [
        pytest.param(
            [process("web", managed=True)],
            ("the managed process web runs", "the manual process web does not run"),
            id="managed",
        ),
        pytest.param([], ("the manual process web does not run",), id="nothing"),
        pytest.param([process("web", status="stopped")], ("the manual process web does not run",), id="stopped"),
    ],
)
def test_the_managed_process_gives_way_to_the_manual_one(running: list[Pm2Process], reasons: tuple[str, ...]) -> None:
    found = plan_restored(running, "web", SAVED)
    assert (found.action, found.reasons) == (ProcessAction.REPLACE, reasons)


@pytest.mark.parametrize("saved", [SAVED, []])
def test_what_runs_already_or_was_never_replaced_needs_no_change(saved: list[dict[str, str]]) -> None:
    assert plan_restored([process("web", managed=not saved)], "web", saved) == NO_CHANGE
