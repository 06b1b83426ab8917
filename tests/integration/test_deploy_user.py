"""A deploy user who was there before, with a primary group of another name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
USER = "grouped"


@pytest.fixture
def home() -> Iterator[Path]:
    subprocess.run(["useradd", "--create-home", "--no-user-group", "--gid", "users", USER], check=True)
    yield Path("/home") / USER
    subprocess.run(["userdel", "--remove", USER], check=True)


def play(tmp_path: Path, tasks: list[dict[str, Any]], **variables: Any) -> str:
    book = tmp_path / "play.json"
    variables = {"ansible_pipelining": True, "ansible_python_interpreter": sys.executable, **variables}
    book.write_text(
        json.dumps([{"hosts": "all", "gather_facts": False, "become": True, "vars": variables, "tasks": tasks}])
    )
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "staging.test,", "-c", "local", str(book)],
        env=os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_source_of_the_controller_comes_to_this_user(tmp_path: Path, home: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/main.py").write_text("1\n")
    task = {"ansible.builtin.include_role": {"name": "codeframe.staging.source"}}
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
    assert list((home / "app.releases/incoming").iterdir()) == []
