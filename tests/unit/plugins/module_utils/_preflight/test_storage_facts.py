"""What the host knows of the directory of the releases, on real directories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.storage_facts import (
    closed_to,
    look_at_storage,
    size_of_release,
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
    storage = look_at_storage(str(tmp_path / "projects/app.releases"), "nobody-of-this-name")
    assert (storage.nearest, storage.is_directory, storage.writable, storage.closed) == (str(tmp_path), True, True, "")
    assert storage.free_bytes > 0


def test_a_file_or_a_dangling_link_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        storage = look_at_storage(str(tmp_path / name / "app"), "deploy")
        assert (storage.nearest, storage.is_directory) == (str(tmp_path / name), False)


@as_root
def test_the_kernel_says_whether_a_user_can_write(open_directory: Path) -> None:
    directory = open_directory / "projects"
    directory.mkdir(mode=0o755)
    assert not look_at_storage(str(directory), "nobody").writable
    directory.chmod(0o777)
    assert look_at_storage(str(directory), "nobody").writable


@as_root
def test_the_first_directory_that_a_user_cannot_enter(open_directory: Path) -> None:
    inner = open_directory / "home/projects"
    inner.mkdir(parents=True)
    assert closed_to(str(inner), "nobody") == ""
    inner.parent.chmod(0o750)
    assert closed_to(str(inner), "nobody") == str(inner.parent)
    assert closed_to(str(inner), "root") == ""
    assert closed_to(str(inner), "nobody-of-this-name") == ""
    os.chown(inner.parent, 65534, 0)
    assert closed_to(str(inner), "nobody") == ""


def test_the_size_of_the_active_release(tmp_path: Path) -> None:
    assert size_of_release(str(tmp_path / "app")) is None
    release = tmp_path / "app.releases/0001/web-ui"
    release.mkdir(parents=True)
    (tmp_path / "app").symlink_to(release.parent)
    assert size_of_release(str(tmp_path / "app")) == 0
    (release / "big").write_bytes(os.urandom(1 << 20))
    assert (1 << 20) <= (size_of_release(str(tmp_path / "app")) or 0) < (1 << 21)
