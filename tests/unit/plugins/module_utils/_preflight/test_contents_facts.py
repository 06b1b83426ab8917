"""What a project has on the host, on real directories."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.contents import Contents
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.contents_facts import (
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
