"""Env files on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv import store


def test_an_absent_file_has_no_text(tmp_path: Path) -> None:
    assert store.look(str(tmp_path / "none"), tolerant=False) == store.FoundFile(str(tmp_path / "none"))


def test_a_directory_that_is_a_file_is_an_absent_file_only_where_that_is_tolerated(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = str(tmp_path / "file" / ".env")
    assert store.look(path, tolerant=True).text is None
    with pytest.raises(store.StoreError, match=f"{path} cannot be read: Not a directory"):
        store.look(path, tolerant=False)


def test_a_link_is_followed_only_on_request(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("A=1\n")
    (tmp_path / "link").symlink_to("file")
    assert store.look(str(tmp_path / "link"), tolerant=True, follow=True).text == "A=1\n"
    with pytest.raises(store.StoreError) as caught:
        store.look(str(tmp_path / "link"), tolerant=True)
    assert str(caught.value) == (
        f"{tmp_path}/link is a symbolic link to file, not a regular file; replace the link with a copy of that file "
        f"(cp --remove-destination {tmp_path}/file {tmp_path}/link)"
    )
    (tmp_path / "file").unlink()
    with pytest.raises(store.StoreError, match="is a symbolic link to file, not a regular file; remove the link"):
        store.look(str(tmp_path / "link"), tolerant=True)


def test_the_content_of_a_file_is_not_part_of_its_description(tmp_path: Path) -> None:
    store.write(str(tmp_path / ".env"), "SECRET=abc\n")
    found = store.look(str(tmp_path / ".env"), tolerant=False)
    assert (found.text, found.mode, found.uid) == ("SECRET=abc\n", 0o600, os.getuid())
    assert "abc" not in repr(found)


def test_attributes_of_a_file_that_is_gone_are_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(store.StoreError, match=f"{tmp_path}/none cannot be written: No such file"):
        store.set_attributes(str(tmp_path / "none"), uid=None)


def test_a_file_that_is_there_but_may_not_be_read_is_not_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the deploy user, who may enter the directory of a file of root's."""

    def read_file(path: str, **_options: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(store.files, "read_file", read_file)
    path = tmp_path / ".env"
    assert store.look(str(path), tolerant=True).text is None
    path.write_text("A=1\n")
    with pytest.raises(store.StoreError, match="cannot be read: Permission denied"):
        store.look(str(path), tolerant=True)
