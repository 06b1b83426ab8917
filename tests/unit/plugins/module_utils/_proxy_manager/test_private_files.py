"""Tokens and journals in files that only their user can read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.private_files import (
    FileTokenStore,
    Journal,
    default_directory,
)

SECRET = "correct horse"


def test_a_stored_token_is_private_and_bound_to_its_password(tmp_path: Path) -> None:
    directory = tmp_path / "tokens"
    store = FileTokenStore("http://manager:81/api", "a@example.com", SECRET, str(directory))
    assert store.load() is None
    store.save("head.body.signature", 3600)
    assert store.load() == "head.body.signature"
    assert [path.stat().st_mode & 0o777 for path in (directory, *directory.iterdir())] == [0o700, 0o600]
    other = FileTokenStore("http://manager:81/api", "a@example.com", "another", str(directory))
    assert other.load() is None
    directory.chmod(0o755)
    assert store.load() is None, "a directory that others read is not trusted"
    directory.chmod(0o700)
    store.save("head.body.signature", 30)
    assert store.load() is None, "it expires within the minute"


def test_a_token_that_is_forgotten_is_gone(tmp_path: Path) -> None:
    store = FileTokenStore("http://manager:81/api", "a@example.com", SECRET, str(tmp_path / "tokens"))
    store.forget()
    store.save("head.body.signature", 3600)
    store.forget()
    assert store.load() is None
    assert list((tmp_path / "tokens").iterdir()) == []


@pytest.mark.parametrize("planted", ["link", "fifo", "directory", "text"])
def test_what_another_user_could_have_planted_is_not_read(tmp_path: Path, planted: str) -> None:
    store = FileTokenStore("http://manager:81/api", "a@example.com", SECRET, str(tmp_path / "tokens"))
    store.save("head.body.signature", 3600)
    (path,) = (tmp_path / "tokens").iterdir()
    content = path.read_text()
    path.unlink()
    if planted == "link":
        (tmp_path / "elsewhere").write_text(content)
        (tmp_path / "elsewhere").chmod(0o600)
        path.symlink_to(tmp_path / "elsewhere")
    elif planted == "fifo":
        os.mkfifo(path, 0o600)
    elif planted == "directory":
        path.mkdir(0o700)
    else:
        path.write_text("[1, 2]")
        path.chmod(0o600)
    assert store.load() is None


def test_where_no_file_can_be_written_a_task_does_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = FileTokenStore("http://manager:81/api", "a@example.com", SECRET, str(tmp_path / "file"))
    store.save("head.body.signature", 3600)
    assert store.load() is None
    store.forget()


def test_a_journal_holds_an_interrupted_save(tmp_path: Path) -> None:
    journal = Journal("http://manager:81/api", 7, str(tmp_path / "journals"))
    assert journal.pending() == ({}, {})
    journal.open({"forward_port": 1}, {"forward_port": 2})
    assert Journal("http://manager:81/api", 7, str(tmp_path / "journals")).pending() == (
        {"forward_port": 1},
        {"forward_port": 2},
    )
    assert Journal("http://manager:81/api", 8, str(tmp_path / "journals")).pending() == ({}, {})
    journal.close()
    assert journal.pending() == ({}, {})


def test_files_are_in_the_runtime_directory_of_this_user_or_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert default_directory() == f"{tmp_path}/codeframe-staging-proxy-manager"
    for elsewhere in (str(tmp_path / "none"), ""):
        monkeypatch.setenv("XDG_RUNTIME_DIR", elsewhere)
        assert default_directory() == f"{tmp_path}/.cache/codeframe-staging/proxy-manager"
