"""Users of this machine and their rights."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host import accounts

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may act as another user")
NOBODY = accounts.Account(65534, 65534, (65534, 12))


@pytest.fixture
def directory() -> Iterator[Path]:
    """One that every user may enter: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


def test_an_account_has_the_numbers_of_its_user() -> None:
    me = pwd.getpwuid(os.getuid())
    found = accounts.find_account(me.pw_name)
    assert found is not None
    assert (found.uid, found.gid) == (me.pw_uid, me.pw_gid)
    assert me.pw_gid in found.groups
    assert accounts.find_account("nobody-of-this-name") is None


def test_a_user_without_a_name_is_shown_by_number() -> None:
    assert accounts.user_name(os.getuid()) == pwd.getpwuid(os.getuid()).pw_name
    assert accounts.user_name(4123456) == "4123456"


@ROOT
def test_rights_are_those_of_the_user_within_the_block_alone(directory: Path) -> None:
    secret = directory / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    before = (os.geteuid(), os.getegid(), os.getgroups())

    def read_as_nobody() -> None:
        with accounts.rights_of(NOBODY):
            assert (os.geteuid(), os.getegid(), sorted(os.getgroups())) == (65534, 65534, [12, 65534])
            secret.read_text()

    with pytest.raises(PermissionError):
        read_as_nobody()
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before
    assert secret.read_text() == "x"


@ROOT
def test_a_new_file_belongs_to_the_user_whose_rights_are_used(directory: Path) -> None:
    directory.chmod(0o777)
    with accounts.rights_of(NOBODY):
        (directory / "file").touch()
    assert ((directory / "file").stat().st_uid, (directory / "file").stat().st_gid) == (65534, 65534)


def test_nothing_changes_without_an_account() -> None:
    with accounts.rights_of(None):
        assert (os.geteuid(), os.getegid()) == (os.getuid(), os.getgid())


@ROOT
@pytest.mark.parametrize(
    ("mode", "group", "allowed"),
    [(0o755, 0, False), (0o777, 0, True), (0o775, 12, True), (0o770, 0, False), (0o766, 0, False)],
)
def test_whether_a_user_may_write_is_asked_as_that_user(directory: Path, mode: int, group: int, allowed: bool) -> None:
    place = directory / "place"
    place.mkdir()
    os.chown(place, 0, group)
    place.chmod(mode)
    assert accounts.may_write(str(place), NOBODY) is allowed
    assert accounts.may_write(str(place), None) is True
    assert accounts.may_write(str(directory / "none"), NOBODY) is False


@pytest.mark.parametrize(
    ("settings", "home"),
    [
        pytest.param(None, "/home/deploy", id="no settings"),
        pytest.param("# HOME=/nowhere\nSHELL=/bin/sh\n", "/home/deploy", id="not set"),
        pytest.param("HOME=/srv/homes\n", "/srv/homes/deploy", id="set"),
    ],
)
def test_the_home_that_a_new_user_gets(settings: str | None, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "read_text", lambda _path: settings)
    assert accounts.future_home("deploy") == home
