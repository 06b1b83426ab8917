"""What a project has on the host, on real directories."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.contents import Contents
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.contents_facts import (
    env_file_problem,
    is_filled_directory,
    look_at_contents,
)

ME = pwd.getpwuid(os.geteuid()).pw_name
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A deployed project of the user nobody: a link to its release."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory.is_relative_to("/tmp/pytest-of-root"):
            directory.chmod(0o755)
    release = tmp_path / "app.releases/0001"
    (release / "web-ui/.next/cache").mkdir(parents=True)
    (release / ".env.staging").write_text("A=1")
    (tmp_path / "app.releases/shared/uploads").mkdir(parents=True)
    for path in (tmp_path / "app.releases").rglob("*"):
        os.chown(path, 65534, 65534)
    os.chown(tmp_path / "app.releases", 65534, 65534)
    (tmp_path / "app").symlink_to(release)
    return tmp_path / "app"


def test_the_size_of_the_active_release(tmp_path: Path) -> None:
    assert look_at_contents(str(tmp_path / "app"), ME) == Contents()
    release = tmp_path / "app.releases/0001/web-ui"
    release.mkdir(parents=True)
    (tmp_path / "app").symlink_to(release.parent)
    empty = look_at_contents(str(tmp_path / "app"), ME).size
    assert empty is not None
    assert empty < 1 << 20
    (release / "big").write_bytes(os.urandom(1 << 20))
    assert (1 << 20) <= (look_at_contents(str(tmp_path / "app"), ME).size or 0) - empty < (1 << 21)


@as_root
def test_what_the_deploy_user_owns_is_not_named(project: Path) -> None:
    (project / "link").symlink_to("/etc/passwd")
    assert look_at_contents(str(project), "nobody").foreign == {}


@as_root
def test_files_of_others_are_named_once_with_their_owners(project: Path) -> None:
    release = project.resolve()
    os.chown(release / ".env.staging", 0, 0)
    os.chown(release / "web-ui/.next", 1, 0)
    os.chown(release / "web-ui/.next/cache", 0, 0)
    os.chown(release.parent / "shared/uploads", 0, 0)
    (release.parent / "manifest.json").write_text("{}")
    assert look_at_contents(str(project), "nobody").foreign == {
        f"{release}/.env.staging": "root",
        f"{release}/web-ui/.next": "daemon",
        f"{release.parent}/shared/uploads": "root",
        f"{release.parent}/manifest.json": "root",
    }


@as_root
def test_a_directory_of_a_manual_deployment_is_read_before_it_is_taken_over(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    manual = tmp_path / "manual"
    (manual / "node_modules/react").mkdir(parents=True)
    for path in (manual, manual / "node_modules"):
        os.chown(path, 65534, 65534)
    assert look_at_contents(str(manual), "nobody").foreign == {f"{manual}/node_modules/react": "root"}
    assert look_at_contents(str(manual), "nobody-of-this-name").foreign == {str(manual): "nobody"}


@as_root
def test_a_directory_that_the_user_cannot_read_is_not_entered(project: Path) -> None:
    closed = project.resolve() / "closed"
    (closed / "inner").mkdir(parents=True)
    closed.chmod(0o700)
    assert look_at_contents(str(project), "nobody").foreign == {str(closed): "root"}


def test_a_directory_with_something_in_it(tmp_path: Path) -> None:
    assert not is_filled_directory(str(tmp_path))
    assert not is_filled_directory(str(tmp_path / "none"))
    (tmp_path / "file").write_text("")
    assert is_filled_directory(str(tmp_path))
    assert not is_filled_directory(str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"A=1\nexport B='2'\n", ""),
        (b"A=1\nif true\n", ":2: "),
        (b"A='1\n", ":1: the quote ' is never closed; close it"),
        (b"A=\xff\n", ":1: this is not UTF-8 text; save the file as UTF-8"),
    ],
)
def test_an_environment_file_that_cannot_be_kept(tmp_path: Path, text: bytes, problem: str) -> None:
    path = tmp_path / ".env.staging"
    assert env_file_problem(str(path), ME) == ""
    path.write_bytes(text)
    found = env_file_problem(str(path), ME)
    assert found.startswith(f"{path}{problem}" if problem else "")
    assert bool(found) is bool(problem)


def test_an_environment_file_that_is_no_regular_file(tmp_path: Path) -> None:
    path = tmp_path / ".env.staging"
    os.mkfifo(path)
    assert env_file_problem(str(path), ME).startswith(f"{path} ")
    path.unlink()
    (tmp_path / "secrets").write_text("A=1\n")
    path.symlink_to("secrets")
    assert f"cp --remove-destination {tmp_path}/secrets {path}" in env_file_problem(str(path), ME)


@as_root
def test_an_environment_file_that_the_deploy_user_cannot_read(project: Path) -> None:
    path = project / ".env.staging"
    os.chown(path, 0, 0)
    path.chmod(0o600)
    assert env_file_problem(str(path), "nobody") == (
        f"{path} cannot be read: Permission denied; make it readable for the user nobody"
    )
