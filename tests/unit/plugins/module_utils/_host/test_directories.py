"""Directories that exist in part."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host import directories
from ansible_collections.codeframe.staging.plugins.module_utils._host.directories import (
    missing_below_root,
    nearest_existing,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the directories must be root's")


def test_the_longest_existing_part_of_a_path(tmp_path: Path) -> None:
    assert nearest_existing(str(tmp_path / "a/b/c")) == str(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert nearest_existing(str(tmp_path / "file/b")) == str(tmp_path / "file")
    assert nearest_existing(str(tmp_path / "link/b")) == str(tmp_path / "link")
    assert nearest_existing("/no-such-directory/x") == "/"


@pytest.fixture
def below_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that counts as ``/``, because tests run below /tmp, where everybody can write."""
    monkeypatch.setattr(directories, "_ROOT", str(tmp_path))
    return tmp_path


@as_root
def test_only_the_first_missing_directory_is_for_root(below_root: Path) -> None:
    (below_root / "srv").mkdir()
    assert missing_below_root(f"{below_root}/srv/projects/team") == f"{below_root}/srv/projects"
    assert missing_below_root(f"{below_root}/srv") == ""
    assert missing_below_root(f"{below_root}/srv/a/../b") == ""


@as_root
@pytest.mark.parametrize("change", ["owner", "mode", "link", "owner above"])
def test_nothing_is_created_where_another_user_could_put_a_link(below_root: Path, change: str) -> None:
    inner = below_root / "srv/inner"
    inner.mkdir(parents=True)
    assert missing_below_root(f"{inner}/app") == f"{inner}/app"
    if change == "owner":
        os.chown(inner, 65534, 0)
    elif change == "mode":
        inner.chmod(0o775)
    elif change == "owner above":
        os.chown(inner.parent, 65534, 0)
    else:
        inner.rmdir()
        inner.symlink_to("/var")
    assert missing_below_root(f"{inner}/app") == ""


@as_root
def test_a_directory_in_tmp_is_not_for_root(tmp_path: Path) -> None:
    assert missing_below_root(f"{tmp_path}/app") == ""
