# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""saved_state on real files, and on those that another user has prepared."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release import state_store
from ansible_collections.codeframe.staging.plugins.modules import saved_state
from module_runner import RunModule

PROJECT = "/home/deploy/projects/app"
BEFORE = {"provider": "nginx", "site_name": "app", "content": "a\n", "main_content": ""}
AFTER = {"provider": "nginx", "site": {"site_name": "app"}}
KEYS = {"changed", "path", "incoming_dir", "proxy_before", "before_take_over", "verified"}
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")


class Store:
    def __init__(self, run_module: RunModule, directory: Path) -> None:
        self.run_module, self.top = run_module, directory
        self.file = Path(self.call()["path"])

    def call(self, state: str = "read", check: bool = False, **more: Any) -> dict[str, Any]:
        return self.run_module(saved_state, {"project_dir": PROJECT, "state": state, **more}, check=check)

    def ok(self, state: str = "read", check: bool = False, **more: Any) -> dict[str, Any]:
        result = self.call(state, check, **more)
        assert not result["failed"], result["msg"]
        assert result.keys() >= KEYS
        return result


@pytest.fixture
def store(run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(state_store, "DIRECTORY", str(tmp_path / "lib/codeframe-staging"))
    return Store(run_module, tmp_path / "lib/codeframe-staging")


def test_without_a_saved_state_nothing_is_created(store):
    result = store.ok()
    assert (result["changed"], result["proxy_before"], result["verified"]) == (False, {}, {})
    assert not store.top.exists()


def test_what_is_saved_is_readable_for_root_alone_whatever_the_umask_is(store):
    umask = os.umask(0)
    try:
        assert store.ok("proxy_saved", proxy_state=BEFORE)["changed"]
    finally:
        os.umask(umask)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (store.top, store.file.parent, store.file)] == [
        0o711,
        0o711,
        0o600,
    ]
    assert store.ok()["proxy_before"] == BEFORE


def test_check_mode_predicts_each_step_and_writes_nothing(store):
    steps: list[tuple[str, dict[str, Any]]] = [
        ("proxy_saved", {"proxy_state": BEFORE}),
        ("proxy_saved", {"proxy_state": AFTER}),
        ("take_over_saved", {"before_take_over": {"sites": []}}),
        (
            "verified",
            {"release": "0001-a", "proxy_state": AFTER, "records": {"verification": {"page_url": "http://a"}}},
        ),
        ("verified", {"release": "0001-a", "records": {"verification": {"page_url": "http://a"}}}),
    ]
    for (state, args), changes in zip(steps, (True, False, True, True, False)):
        before = store.file.read_text() if store.file.exists() else None
        predicted = store.ok(state, check=True, **args)
        assert (store.file.read_text() if store.file.exists() else None) == before
        done = store.ok(state, **args)
        for result in (done, predicted):
            for each in result["verified"].values():
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each.pop("verified_at"))
        # ansible-core adds what it finds of a file named "path".
        assert {name: done[name] for name in KEYS} == {name: predicted[name] for name in KEYS}
        assert predicted["changed"] is changes
    found = store.ok()["verified"]["0001-a"]
    assert (found["proxy_state"], found["records"]) == (AFTER, {"verification": {"page_url": "http://a"}})
    assert store.ok()["proxy_before"] == {}


def test_a_verification_that_changes_nothing_else_is_recorded_with_its_time(store):
    store.ok("verified", release="0001-a")
    store.file.write_text(
        re.sub(r'"verified_at": "[^"]+"', '"verified_at": "2030-01-02T03:04:05Z"', store.file.read_text())
    )
    assert store.ok()["verified"]["0001-a"]["verified_at"] == "2030-01-02T03:04:05Z"
    assert not store.ok("verified", check=True, release="0001-a")["changed"]
    assert store.ok()["verified"]["0001-a"]["verified_at"] == "2030-01-02T03:04:05Z"
    assert not store.ok("verified", release="0001-a")["changed"]
    assert store.ok()["verified"]["0001-a"]["verified_at"] != "2030-01-02T03:04:05Z"


def test_a_saved_state_without_a_time_is_read(store):
    store.ok("verified", release="0001-a")
    document = json.loads(store.file.read_text())
    del document["verified"]["0001-a"]["verified_at"]
    store.file.write_text(json.dumps(document))
    assert store.ok()["verified"]["0001-a"]["verified_at"] == ""


def test_values_that_fail_the_schema_are_not_written(store):
    result = store.call("verified", release="../../etc", proxy_state=AFTER)
    assert result["msg"] == (
        "the state to save is refused: a key of verified is '../../etc', expected the id of a release"
    )
    assert not store.top.exists()


def test_an_archive_directory_is_empty_and_only_root_can_write_to_it(store):
    assert not store.ok("receiving", check=True)["changed"]
    assert not store.top.exists()
    incoming = Path(store.ok("receiving")["incoming_dir"])
    (incoming / "old.tar.gz").write_text("x")
    (incoming / "link").symlink_to("/etc")
    store.ok("receiving")
    assert list(incoming.iterdir()) == []
    assert stat.S_IMODE(incoming.stat().st_mode) == 0o711


def refused(store: Store, found: str) -> None:
    before = store.file.read_bytes() if store.file.is_file() else b""
    for state, args in (("read", {}), ("proxy_saved", {"proxy_state": {}})):
        assert store.call(state, **args)["msg"] == (
            f"the saved state of {PROJECT} is not used: {found}, expected one that belongs to root and that no other "
            "user can write to; find out who changed it, and repair its owner and mode"
        )
    assert (store.file.read_bytes() if store.file.is_file() else b"") == before


def test_a_file_that_others_can_read_or_write_is_refused(store):
    store.ok("proxy_saved", proxy_state=BEFORE)
    store.file.chmod(0o640)
    refused(store, f"{store.file} has the mode 0640")


def test_a_directory_that_others_can_write_to_is_refused(store):
    store.ok("proxy_saved", proxy_state=BEFORE)
    for directory in (store.file.parent, store.top, store.top.parent):
        directory.chmod(0o777)
        refused(store, f"{directory} has the mode 0777")
        directory.chmod(0o711)
    # A sticky bit does not make the directory of the file itself safe.
    store.file.parent.chmod(0o1777)
    refused(store, f"{store.file.parent} has the mode 1777")


@as_root
def test_what_belongs_to_another_user_is_refused(store):
    store.ok("proxy_saved", proxy_state=BEFORE)
    for path in (store.file, store.file.parent, store.top):
        os.chown(path, NOBODY, NOBODY)
        refused(store, f"{path} belongs to user {NOBODY}")
        os.chown(path, 0, 0)


@as_root
def test_a_symbolic_link_of_another_user_on_the_way_is_refused(store, tmp_path):
    store.ok("proxy_saved", proxy_state=BEFORE)
    real = tmp_path / "real"
    store.top.rename(real)
    store.top.symlink_to(real)
    assert store.ok()["proxy_before"] == BEFORE
    os.chown(store.top, NOBODY, NOBODY, follow_symlinks=False)
    refused(store, f"{store.top} is a symbolic link of user {NOBODY}")


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("link", "is a symbolic link"),
        ("fifo", "is not a regular file"),
        ("hard link", "has 2 hard links"),
        ("directory", "is not a regular file"),
    ],
)
def test_anything_but_a_file_of_root_alone_is_refused(store, tmp_path, kind, found):
    store.ok("proxy_saved", proxy_state=BEFORE)
    other = tmp_path / "other"
    store.file.rename(other)
    if kind == "link":
        store.file.symlink_to(other)
    elif kind == "fifo":
        os.mkfifo(store.file, 0o600)
    elif kind == "hard link":
        os.link(other, store.file)
    else:
        store.file.mkdir(0o700)
    refused(store, f"{store.file} {found}")


def test_a_state_that_is_removed_leaves_nothing(store):
    store.ok("verified", release="0001-a")
    incoming = Path(store.ok("receiving")["incoming_dir"])
    (incoming / "old.tar.gz").write_text("x")
    assert store.ok("absent", check=True)["changed"]
    assert store.file.exists()
    result = store.ok("absent")
    assert (result["changed"], result["verified"]) == (True, {})
    assert not store.top.exists()
    assert not store.ok("absent")["changed"]


def test_the_states_of_other_projects_stay(store):
    store.ok("verified", release="0001-a")
    (store.top / "other").mkdir()
    store.ok("absent")
    assert [each.name for each in store.top.iterdir()] == ["other"]


@as_root
def test_a_directory_of_another_user_is_not_removed(store):
    store.ok("verified", release="0001-a")
    os.chown(store.file.parent, NOBODY, NOBODY)
    assert store.call("absent")["failed"]
    assert store.file.exists()
