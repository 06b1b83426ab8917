# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the private authority on the controller."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._tls import authority_store as store
from ansible_collections.codeframe.staging.plugins.module_utils._tls.authority import (
    Authority,
    AuthorityError,
    utc_now,
)


def create(directory: Path) -> Authority:
    with store.locked(str(directory)) as descriptor:
        return store.create(descriptor, "Private", utc_now())


def test_nobody_else_can_read_the_key_whatever_the_umask_is(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        created = create(tmp_path / "a/ca")
    finally:
        os.umask(umask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a/ca").iterdir()}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600}
    assert stat.S_IMODE((tmp_path / "a/ca").stat().st_mode) == 0o700
    found = store.find(str(tmp_path / "a/ca"))
    assert found is not None
    assert found.fingerprint == created.fingerprint


def test_a_directory_without_an_authority_has_none_and_stays_as_it_is(tmp_path: Path) -> None:
    assert store.find(str(tmp_path / "none")) is None
    assert store.find(str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_creation_is_completed_with_the_same_key(tmp_path: Path) -> None:
    create(tmp_path)
    key = (tmp_path / "ca.key").read_text()
    (tmp_path / "ca.pem").unlink()
    create(tmp_path)
    assert (tmp_path / "ca.key").read_text() == key
    assert store.find(str(tmp_path)) is not None


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    create(tmp_path)
    (tmp_path / "ca.key").chmod(mode)
    with pytest.raises(AuthorityError, match=r"has a file ca\.key that"):
        store.find(str(tmp_path))


def test_a_key_behind_a_link_and_a_missing_key_are_refused(tmp_path: Path) -> None:
    create(tmp_path)
    (tmp_path / "ca.key").rename(tmp_path / "other")
    with pytest.raises(AuthorityError, match=r"has no key: ca\.key is missing beside ca\.pem"):
        store.find(str(tmp_path))
    (tmp_path / "ca.key").symlink_to("other")
    with pytest.raises(AuthorityError, match=r"has a file ca\.key that is a symbolic link"):
        store.find(str(tmp_path))


def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "ca"
    directory.mkdir()
    directory.chmod(0o777)
    with pytest.raises(AuthorityError, match=f"cannot be kept in {directory}, which"), store.locked(str(directory)):
        pass
    with pytest.raises(AuthorityError, match="cannot be kept in"):
        store.find(str(directory))


def test_a_place_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuthorityError, match="cannot be kept in"), store.locked(str(tmp_path / "file")):
        pass
