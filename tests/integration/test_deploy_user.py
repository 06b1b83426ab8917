"""A deploy user who was there before, with a primary group of another name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playbook_runs import run_playbook

USER = "grouped"


@pytest.fixture
def home() -> Iterator[Path]:
    subprocess.run(["useradd", "--create-home", "--no-user-group", "--gid", "users", USER], check=True)
    yield Path("/home") / USER
    subprocess.run(["userdel", "--remove", USER], check=True)


def play(tmp_path: Path, tasks: list[dict[str, Any]], **variables: Any) -> str:
    book = tmp_path / "play.json"
    variables = {"ansible_pipelining": True, **variables}
    book.write_text(
        json.dumps([{"hosts": "all", "gather_facts": False, "become": True, "vars": variables, "tasks": tasks}])
    )
    done = run_playbook(book)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_source_of_the_controller_comes_to_this_user(tmp_path: Path, home: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/main.py").write_text("1\n")
    task = {"ansible.builtin.include_role": {"name": "codeframe.staging.release"}}
    settings = {
        "staging_project_dir": str(home / "app"),
        "staging_user": USER,
        "staging_source_type": "archive",
        "staging_source_dir": str(tmp_path / "source"),
    }
    play(tmp_path, [task], **settings)
    (release,) = (home / "app.releases").glob("0*")
    assert (release / "main.py").read_text() == "1\n"
    assert release.owner() == USER
    # Root writes nothing below a directory of this user, and nothing of the archive is left.
    owned = [path for path in home.rglob("*") if path.lstat().st_uid == 0]
    assert owned == []
    assert list(Path("/var/lib/codeframe-staging").glob("app-*/incoming")) == []
