"""What the host knows of the directory of the releases, on real directories."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.accounts import find_account
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import storage_facts
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.storage_facts import (
    closed_to,
    look_at_storage,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as another user")


@pytest.fixture
def open_directory(tmp_path: Path) -> Path:
    """A directory that other users can enter."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory.is_relative_to("/tmp/pytest-of-root"):
            directory.chmod(0o755)
    return tmp_path


def test_the_nearest_existing_directory_is_looked_at(tmp_path: Path) -> None:
    storage = look_at_storage(str(tmp_path / "projects/app"), pwd.getpwuid(os.geteuid()).pw_name)
    assert (storage.nearest, storage.is_directory, storage.unwritable, storage.closed) == (str(tmp_path), True, (), "")
    assert storage.free_bytes > 0


def test_a_file_or_a_dangling_link_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        storage = look_at_storage(str(tmp_path / name / "app"), "root")
        assert (storage.nearest, storage.is_directory) == (str(tmp_path / name), False)


@as_root
def test_the_kernel_says_whether_a_user_can_write(open_directory: Path) -> None:
    directory = open_directory / "projects"
    directory.mkdir(mode=0o755)
    assert look_at_storage(str(directory / "app"), "nobody").unwritable == (str(directory),)
    directory.chmod(0o777)
    assert look_at_storage(str(directory / "app"), "nobody").unwritable == ()


@as_root
def test_the_link_and_the_releases_are_two_places(open_directory: Path) -> None:
    releases = open_directory / "app.releases"
    releases.mkdir()
    os.chown(releases, 65534, 0)
    assert look_at_storage(str(open_directory / "app"), "nobody").unwritable == (str(open_directory),)
    open_directory.chmod(0o777)
    assert look_at_storage(str(open_directory / "app"), "nobody").unwritable == ()
    os.chown(releases, 0, 0)
    assert look_at_storage(str(open_directory / "app"), "nobody").unwritable == (str(releases),)


@as_root
def test_a_user_still_to_be_created_has_the_rights_of_everybody_and_a_home(
    open_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = "nobody-of-this-name"
    directory = open_directory / "projects"
    directory.mkdir(mode=0o755)
    assert look_at_storage(str(directory / "app"), user).unwritable == (str(directory),)
    directory.chmod(0o777)
    assert look_at_storage(str(directory / "app"), user).unwritable == ()
    directory.chmod(0o770)
    assert look_at_storage(str(directory / "app"), user).closed == str(directory)
    monkeypatch.setattr(storage_facts, "future_home", lambda _user: str(directory / "home"))
    storage = look_at_storage(str(directory / "home/projects/app"), user)
    assert (storage.unwritable, storage.closed) == ((), "")


@as_root
def test_a_directory_that_root_can_create_is_named() -> None:
    assert look_at_storage("/srv/no-such-directory/team/app", "nobody").creatable == "/srv/no-such-directory"
    assert look_at_storage("/srv/app", "nobody").creatable == ""


@as_root
def test_the_first_directory_that_a_user_cannot_enter(open_directory: Path) -> None:
    inner = open_directory / "home/projects"
    inner.mkdir(parents=True)
    nobody = find_account("nobody")
    assert closed_to(str(inner), nobody) == ""
    inner.parent.chmod(0o750)
    assert closed_to(str(inner), nobody) == str(inner.parent)
    assert closed_to(str(inner), find_account("root")) == ""
    assert closed_to(str(inner), None) == str(inner.parent)
    os.chown(inner.parent, 65534, 0)
    assert closed_to(str(inner), nobody) == ""
    assert closed_to(str(inner), None) == str(inner.parent)
