"""The files in which pm2 saves its list."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.dump_file import (
    close_dumps,
    exposed_dumps,
    read_dump,
    write_dump,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error


def test_a_written_list_is_private_and_can_be_read(tmp_path: Path) -> None:
    write_dump(str(tmp_path), [{"name": "web"}])
    assert read_dump(str(tmp_path)) == [{"name": "web"}]
    assert (tmp_path / "dump.pm2").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["dump.pm2"]


@pytest.mark.parametrize("text", [None, "", "{", "{}", "null"])
def test_a_list_that_cannot_be_read_is_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "dump.pm2").write_text(text)
    assert read_dump(str(tmp_path)) is None


def test_lists_that_others_can_read_are_closed(tmp_path: Path) -> None:
    paths = [tmp_path / "dump.pm2", tmp_path / "dump.pm2.bak"]
    for path, mode in zip(paths, (0o640, 0o604)):
        path.write_text(json.dumps([]))
        path.chmod(mode)
    assert exposed_dumps(str(tmp_path)) == [str(path) for path in paths]
    close_dumps(str(tmp_path))
    assert exposed_dumps(str(tmp_path)) == []
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o600, 0o600]


@pytest.mark.parametrize(
    "kind", ["link", "fifo", pytest.param("root", marks=pytest.mark.skipif(os.geteuid() != 0, reason="only for root"))]
)
def test_what_is_no_file_of_the_user_is_replaced_by_one(tmp_path: Path, kind: str) -> None:
    """As `sudo pm2 save` or a restored backup leaves it; what can be read of it stays."""
    path, elsewhere = tmp_path / "dump.pm2", tmp_path / "elsewhere"
    elsewhere.write_text('[{"name": "web"}]')
    elsewhere.chmod(0o600)
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "fifo":
        os.mkfifo(path, 0o600)
    else:
        elsewhere.rename(path)
        os.chown(path, 65534, 65534)
    assert exposed_dumps(str(tmp_path)) == [str(path)]
    close_dumps(str(tmp_path))
    assert exposed_dumps(str(tmp_path)) == []
    assert read_dump(str(tmp_path)) == (None if kind == "fifo" else [{"name": "web"}])
    assert kind != "link" or elsewhere.read_text() == '[{"name": "web"}]'


def test_a_directory_in_the_place_of_a_list_is_left_to_a_person(tmp_path: Path) -> None:
    (tmp_path / "dump.pm2").mkdir()
    with pytest.raises(Pm2Error, match=r"dump\.pm2 cannot be replaced by a private file of its user"):
        close_dumps(str(tmp_path))
