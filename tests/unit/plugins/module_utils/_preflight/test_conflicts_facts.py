"""What a manual deployment has on the host, with a real checkout."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.conflicts import UncommittedFiles
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.conflicts_facts import (
    claims_on,
    conflicts_in,
    long_names_on,
    uncommitted_in,
)

USER = getpass.getuser()
_AUTHOR = {f"GIT_{role}_{part}": "t" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout as a manual deployment script leaves it."""
    directory = tmp_path / "app"
    directory.mkdir()
    for name in ("app.py", "uv.lock"):
        (directory / name).write_text("committed\n")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=directory, check=True)
    for name in ("app.py", "uv.lock", "package.json", ".env.staging", "notes.local"):
        (directory / name).write_text("changed\n")
    (directory / "data").mkdir()
    (directory / "data/state.db").write_text("rows")
    return directory


def test_uncommitted_files_are_found_without_what_is_no_source(checkout: Path) -> None:
    found = uncommitted_in(str(checkout), USER, shared=["data"], env_file=".env.staging", exclude=["*.local"])
    assert found == UncommittedFiles(("uv.lock",), ("package.json",), ("app.py",))


def test_what_is_shared_or_excluded_counts_otherwise(checkout: Path) -> None:
    found = uncommitted_in(str(checkout), USER, shared=[], env_file="", exclude=[])
    assert set(found.untracked) == {".env.staging", "data/state.db", "notes.local", "package.json"}


@pytest.mark.parametrize("user", [USER, "no-such-user"])
def test_a_directory_that_is_no_checkout_has_none(tmp_path: Path, user: str) -> None:
    (tmp_path / "file").write_text("x")
    assert uncommitted_in(str(tmp_path), user, shared=[], env_file="", exclude=[]) == UncommittedFiles()


def test_a_merge_that_stopped_is_found_with_its_files(checkout: Path) -> None:
    def run(*arguments: str) -> int:
        return subprocess.run(["git", *arguments], cwd=checkout, env={**os.environ, **_AUTHOR}, check=False).returncode

    assert conflicts_in(str(checkout), USER) == []
    assert run("reset", "-q", "--hard") == 0
    assert run("branch", "start") == 0
    for branch in ("theirs", "ours"):
        assert run("checkout", "-q", "-b", branch, "start") == 0
        (checkout / "app.py").write_text(branch)
        assert run("commit", "-qam", branch) == 0
    assert run("merge", "-q", "theirs") != 0
    assert conflicts_in(str(checkout), USER) == ["app.py"]


@pytest.mark.parametrize("user", [USER, "no-such-user"])
def test_a_directory_that_is_no_checkout_has_no_merge(tmp_path: Path, user: str) -> None:
    assert conflicts_in(str(tmp_path), user) == []


def test_git_runs_as_the_deploy_user(checkout: Path) -> None:
    """A repository can name programs that git starts; as root they would have all rights."""
    if USER != "root":
        pytest.skip("needs root")
    ran = checkout.parent / "ran-by"
    hook = checkout.parent / "fsmonitor"
    hook.write_text(f"#!/bin/sh\nid -un >> {ran}\n")
    hook.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(hook)], cwd=checkout, check=True)
    for path in (*checkout.parents[:3], checkout.parent):
        path.chmod(0o755)
    checkout.parent.chmod(0o777)
    subprocess.run(["chown", "-R", "nobody", str(checkout)], check=True)
    uncommitted_in(str(checkout), "nobody", shared=[], env_file="", exclude=[])
    assert not ran.exists() or set(ran.read_text().split()) == {"nobody"}


def test_without_nginx_no_name_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.codeframe.staging.plugins.module_utils._nginx.program.find", lambda _name: None
    )
    assert claims_on({("api.example.com", 80)}, "app") == []


def test_a_name_that_a_new_nginx_would_refuse_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.codeframe.staging.plugins.module_utils._nginx.program.find", lambda _name: None
    )
    found = long_names_on({("a" * 47, 80), ("b" * 47, 443), ("c", 80)}, "app")
    assert [each.name for each in found] == ["a" * 47]
