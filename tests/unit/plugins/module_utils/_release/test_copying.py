# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of files and directories, and their deletion."""

from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.copying import (
    copy_directory,
    copy_file,
    remove_tree,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError


def test_a_private_copy_is_private_and_never_replaces_an_existing_file(tmp_path):
    (tmp_path / "a").write_text("secret")
    copy_file(str(tmp_path / "a"), str(tmp_path / "b"), 0o600)
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        copy_file(str(tmp_path / "a"), str(tmp_path / "b"))


def test_a_directory_is_copied_or_hard_linked_completely(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("x")
    (tmp_path / "a/link").symlink_to("b/file")
    copy_directory(str(tmp_path / "a"), str(tmp_path / "copy"))
    copy_directory(str(tmp_path / "a"), str(tmp_path / "shared"), hard_links=True)
    assert not (tmp_path / "copy/b/file").samefile(tmp_path / "a/b/file")
    assert (tmp_path / "shared/b/file").samefile(tmp_path / "a/b/file")
    assert os.readlink(tmp_path / "shared/link") == "b/file"
    with pytest.raises(ReleaseError, match=r"/gone cannot be copied to .*: .*No such file or directory"):
        copy_directory(str(tmp_path / "gone"), str(tmp_path / "x"))


def test_deleting_a_tree_follows_no_link_and_enters_read_only_directories(tmp_path):
    (tmp_path / "outside").write_text("x")
    (tmp_path / "a/closed").mkdir(parents=True)
    (tmp_path / "a/closed/file").write_text("x")
    (tmp_path / "a/link").symlink_to(tmp_path / "outside")
    (tmp_path / "a/closed").chmod(0o500)
    remove_tree(str(tmp_path / "a"))
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "outside").exists()
