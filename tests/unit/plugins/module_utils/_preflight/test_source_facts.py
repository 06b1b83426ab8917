"""Whether the source can be read where it comes from, with real repositories and directories."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.accounts import find_account, rights_of
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.source_facts import (
    check_repository,
    unreadable_in,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs
from bad_inputs import GOOD

ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    directory = tmp_path / "app.git"
    for command in (
        ["init", "-q", "-b", "main", str(directory)],
        ["-C", str(directory), "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "1"],
    ):
        subprocess.run(["git", *command], check=True)
    return directory


def names(**changes: Any) -> list[str]:
    inputs = DeploymentInputs({**GOOD, "staging_user": ME, **changes})
    return [item.name for item in check_repository(inputs)]


def test_the_server_is_asked_for_the_version(repository: Path) -> None:
    url = {"staging_git_url": f"file://{repository}"}
    assert names(**url) == []
    assert names(**url, staging_git_version="") == []
    assert names(**url, staging_git_version="no-such-branch") == ["git-version-unknown"]
    # Only a fetch can tell whether there is such a commit.
    assert names(**url, staging_git_version="0123abcd") == []


def test_the_reason_of_git_is_quoted(tmp_path: Path) -> None:
    inputs = DeploymentInputs({**GOOD, "staging_user": ME, "staging_git_url": f"file://{tmp_path}/none"})
    (found,) = check_repository(inputs)
    assert found.name == "git-unreadable"
    assert "does not exist" in found.found or "does not appear to be a git repository" in found.found


def test_nothing_is_asked_without_the_deploy_user(tmp_path: Path) -> None:
    assert names(staging_git_url=f"file://{tmp_path}/none", staging_user="nobody-of-this-name") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_source_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents):
        if directory.is_relative_to("/tmp/pytest-of-root"):
            directory.chmod(0o755)
    for name in ("a", "closed/inner", "node_modules/x", "excluded", "logs/x", ".env.staging"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    source = tmp_path / "source"
    (source / "link").symlink_to("/etc/shadow")
    inputs = DeploymentInputs({**GOOD, "staging_source_exclude": ["/excluded"], "staging_shared_paths": ["logs"]})
    with rights_of(find_account("nobody")):
        assert unreadable_in(str(source), inputs) == []
    for name in ("a", "node_modules", "excluded", "logs", ".env.staging"):
        (source / name).chmod(0)
    with rights_of(find_account("nobody")):
        assert unreadable_in(str(source), inputs) == ["a"]
    (source / "closed").chmod(0o700)
    with rights_of(find_account("nobody")):
        assert unreadable_in(str(source), inputs) == ["closed"]
