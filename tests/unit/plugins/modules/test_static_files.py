# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend import publication
from ansible_collections.codeframe.staging.plugins.modules import static_files


@pytest.fixture
def site(tmp_path, run_module):
    return Site(tmp_path, run_module)


class Site:
    """Builds in release directories, and the directory where their files are published."""

    def __init__(self, tmp_path: Path, run_module) -> None:
        self.releases = tmp_path / "releases"
        self.dest = tmp_path / "srv" / "app"
        self.files = self.dest / "files/_next/static"
        self._run = run_module

    def build(self, release: str, **files: str) -> Path:
        static = self.releases / release / "static"
        for name, content in files.items():
            path = static / name.replace("__", "/").replace("_js", ".js")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return static

    def publish(self, src: Path, check: bool = False, diff: bool = False, **options):
        return self._run(static_files, {"src": str(src), "dest": str(self.dest), **options}, check=check, diff=diff)

    def tree(self) -> dict[str, str]:
        return {str(path.relative_to(self.files)): path.read_text() for path in self.files.rglob("*") if path.is_file()}


def test_published_files_are_readable_for_everyone(site):
    os.umask(0o077)
    try:
        result = site.publish(site.build("1", chunks__a_js="a", id__m_js="m"))
    finally:
        os.umask(0o022)
    assert (result["changed"], result["published"], result["reasons"]) == (True, 2, ["2 files of another build"])
    assert site.tree() == {"chunks/a.js": "a", "id/m.js": "m"}
    assert result["root"] == str(site.dest / "files")
    assert {oct(path.stat().st_mode & 0o777) for path in site.dest.rglob("*") if path.is_file()} == {"0o644"}
    assert {oct(path.stat().st_mode & 0o777) for path in (site.dest, *site.dest.rglob("*")) if path.is_dir()} == {
        "0o755"
    }


def test_a_second_run_changes_nothing(site):
    src = site.build("1", a_js="a")
    site.publish(src)
    before = {path: path.stat().st_mtime_ns for path in site.dest.rglob("*")}
    assert site.publish(src)["changed"] is False
    assert {path: path.stat().st_mtime_ns for path in site.dest.rglob("*")} == before


def test_check_mode_predicts_the_change_and_writes_nothing(site):
    src = site.build("1", a_js="a")
    result = site.publish(src, check=True, diff=True)
    assert (result["changed"], result["diff"][0]["after"], site.dest.exists()) == (True, "a.js\n", False)


def test_check_mode_predicts_a_publication_where_there_is_no_build_yet(site):
    result = site.publish(site.releases / "none", check=True)
    assert (result["changed"], result["reasons"]) == (True, ["there is no build yet"])


def test_the_files_of_the_previous_build_stay_until_its_release_is_deleted_and_another_is_published(site):
    site.publish(site.build("1", a_js="a"))
    second = site.build("2", b_js="b")
    result = site.publish(second)
    assert (result["published"], result["kept"], site.tree()) == (1, 1, {"a.js": "a", "b.js": "b"})
    shutil.rmtree(site.releases / "1")
    assert site.publish(second)["changed"] is False
    result = site.publish(site.build("3", c_js="c"))
    assert (result["removed"], site.tree()) == (["a.js"], {"b.js": "b", "c.js": "c"})


def test_the_files_of_a_previous_unpublished_build_are_published_as_well(site):
    manual, src = site.build("0", z_js="z"), site.build("1", a_js="a")
    previous = [str(manual), str(src), str(site.releases / "none")]
    assert site.publish(src, previous=previous)["kept"] == 1
    assert site.tree() == {"a.js": "a", "z.js": "z"}
    assert site.publish(src, previous=previous)["changed"] is False
    assert site.publish(site.build("2", b_js="b"), previous=previous)["kept"] == 2
    assert site.tree() == {"a.js": "a", "b.js": "b", "z.js": "z"}


def test_an_edited_a_missing_and_an_unmanaged_file(site):
    site.publish(site.build("1", a_js="a", b_js="b"))
    src = site.build("2", c_js="c")
    site.publish(src)
    (site.files / "a.js").write_text("edited")
    (site.files / "b.js").unlink()
    (site.files / "mine.txt").write_text("mine")
    result = site.publish(src)
    assert result["reasons"] == ["edited: a.js", "missing: b.js"]
    assert (result["unmanaged"], site.publish(src)["changed"]) == (["mine.txt"], False)
    assert site.tree() == {"a.js": "a", "b.js": "b", "c.js": "c", "mine.txt": "mine"}


def test_a_lost_file_that_its_previous_build_no_longer_has_is_dropped(site):
    previous = site.build("1", a_js="a", b_js="b")
    site.publish(previous)
    src = site.build("2", c_js="c")
    site.publish(src)
    (site.files / "a.js").write_text("edited")
    (previous / "a.js").unlink()
    assert site.publish(src)["changed"] is True
    assert (site.publish(src)["changed"], site.tree()) == (False, {"b.js": "b", "c.js": "c"})


def test_an_interrupted_publication_is_finished_by_the_next(site, monkeypatch):
    site.publish(site.build("1", a_js="a"))
    src = site.build("2", b_js="b", c_js="c")
    written = []
    real = publication.write_atomic

    def die(path, content, **options):
        if written and not path.endswith("manifest.json"):
            Path(path).with_name(f".c.js.{'ab' * 6}.codeframe-tmp").write_bytes(content)
            raise KeyboardInterrupt
        written.extend([path] * (not path.endswith("manifest.json")))
        real(path, content, **options)

    monkeypatch.setattr(publication, "write_atomic", die)
    with pytest.raises(KeyboardInterrupt):
        site.publish(src)
    monkeypatch.undo()
    assert site.publish(src)["changed"] is True
    assert site.tree() == {"a.js": "a", "b.js": "b", "c.js": "c"}
    assert site.publish(src)["changed"] is False


def test_a_link_is_not_followed(site, tmp_path):
    (tmp_path / "secret").write_text("secret")
    src = site.build("1", a_js="a")
    (src / "link.js").symlink_to(tmp_path / "secret")
    (src / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(src / "pipe")
    result = site.publish(src)
    assert (site.tree(), len(result["warnings"])) == ({"a.js": "a"}, 3)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take the rights of another user")
def test_files_that_the_user_may_not_read_are_not_published(site, tmp_path):
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.name.startswith("pytest"):
            parent.chmod(0o755)
    src = site.build("1", a_js="a")
    (src / "a.js").chmod(0o600)
    result = site.publish(src, user="nobody")
    assert result["failed"] is True
    assert "Permission denied" in result["msg"]
    assert os.geteuid() == 0
    assert not site.dest.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
@pytest.mark.parametrize("attack", ["directory", "parent", "link", "link-below", "mode"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_root_neither_writes_nor_deletes_where_another_user_can_exchange_directories(site, tmp_path, attack, state):
    """The directory is that of another user, or leads through a link of his to a directory of root's."""
    src, target = site.build("1", a_js="a"), tmp_path / "etc"
    (target / "files/_next/static").mkdir(parents=True)
    (target / "manifest.json").write_text(
        '{"version": 1, "generations": [{"source": "/x", "files": {"root_js": "1"}}]}'
    )
    (target / "files/_next/static/root_js").write_text("of root's")
    site.dest.parent.mkdir()
    attacked = site.dest
    if attack in ("link", "link-below"):
        if attack == "link-below":
            (site.dest / "files").mkdir(parents=True)
            attacked = site.dest / "files/_next"
        attacked.symlink_to(target / "files/_next" if attack == "link-below" else target)
        os.chown(attacked, 65534, 65534, follow_symlinks=False)
        found = f"{attacked} is a symbolic link of user 65534"
    elif attack == "mode":
        site.dest.mkdir(mode=0o777)
        site.dest.chmod(0o777)
        found = f"{site.dest} has the mode 0777"
    else:
        attacked = site.dest if attack == "directory" else site.dest.parent
        attacked.mkdir(exist_ok=True)
        os.chown(attacked, 65534, 65534)
        found = f"{attacked} belongs to user 65534"
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    for check in (True, False):
        result = site.publish(src, check=check, state=state)
        assert result["msg"] == (
            f"the static files in {src} were not published: {found}, so that another user can decide what is written "
            f"to {site.dest}; expected a directory of root's in which nobody else can write (staging_static_root)"
        )
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
def test_a_swap_in_the_build_while_it_is_published_publishes_nothing_else(site, tmp_path, monkeypatch, kind):
    """The file was a regular one when it was listed, and is something else when it is opened to be copied."""
    secret = tmp_path / "secret"
    secret.write_text("of root's")
    src = site.build("1", a_js="a", b_js="b")
    write_manifest = publication._write_manifest

    def swap(*args) -> None:
        write_manifest(*args)
        (src / "a.js").unlink(missing_ok=True)
        if kind == "link":
            (src / "a.js").symlink_to(secret)
        elif kind == "fifo":
            os.mkfifo(src / "a.js")
        else:
            (src / "a.js").mkdir()

    monkeypatch.setattr(publication, "_write_manifest", swap)
    result = site.publish(src)
    assert result["msg"].endswith("/a.js changed while it was published; is a build still running?")
    assert "of root's" not in "".join(site.tree().values())


def test_files_without_a_manifest_are_refused(site):
    site.files.mkdir(parents=True)
    (site.files / "mine.txt").write_text("mine")
    result = site.publish(site.build("1", a_js="a"))
    assert result["failed"] is True
    assert "so they may be unmanaged" in result["msg"]


def test_a_damaged_manifest_is_named(site):
    src = site.build("1", a_js="a")
    site.publish(src)
    (site.dest / "manifest.json").write_text("{")
    assert "manifest.json cannot be read" in site.publish(src)["msg"]


@pytest.mark.parametrize("url_path", ["static/", "/a", "/a/../b/", "//"])
def test_a_malformed_url_path_is_refused(site, url_path):
    assert f"url_path is {url_path!r}" in site.publish(site.build("1", a_js="a"), url_path=url_path)["msg"]


def test_a_build_without_files_is_refused(site):
    (site.releases / "1/static").mkdir(parents=True)
    assert "contains no files" in site.publish(site.releases / "1/static")["msg"]
    assert "does not exist" in site.publish(site.releases / "2/static")["msg"]


def test_absent_removes_published_files_and_no_others(site):
    src = site.build("1", chunks__a_js="a")
    site.publish(src)
    (site.files / "mine.txt").write_text("mine")
    assert site.publish(src, state="absent", check=True)["changed"] is True
    result = site.publish(src, state="absent")
    assert (result["removed"], result["unmanaged"], site.tree()) == (
        ["chunks/a.js"],
        ["mine.txt"],
        {"mine.txt": "mine"},
    )
    (site.files / "mine.txt").unlink()
    assert site.publish(src, state="absent")["changed"] is False


def test_absent_removes_its_directories(site):
    src = site.build("1", chunks__a_js="a")
    site.publish(src)
    site.publish(src, state="absent")
    assert not site.dest.exists()


def test_the_manifest_names_each_build(site):
    src = site.build("1", a_js="a")
    site.publish(src)
    assert [entry["source"] for entry in json.loads((site.dest / "manifest.json").read_text())["generations"]] == [
        str(src)
    ]


def test_a_whole_page_keeps_only_lasting_files_of_the_previous_build(site):
    options = {"url_path": "/", "whole": True}
    first = site.releases / "1/dist"
    (first / "assets").mkdir(parents=True)
    for name in ("index.html", "old.html", "assets/a-AAAA1111.js", ".env", "logo.png"):
        (first / name).write_text(f"1 {name}")
    result = site.publish(first, **options)
    site.files = site.dest / "files"
    assert set(site.tree()) == {"index.html", "old.html", "assets/a-AAAA1111.js", "logo.png"}
    assert result["root"] == str(site.files)
    second = site.releases / "2/dist"
    (second / "assets").mkdir(parents=True)
    for name in ("index.html", "assets/b-BBBB2222.js"):
        (second / name).write_text(f"2 {name}")
    site.publish(second, previous=[str(first)], **options)
    assert site.tree() == {
        "index.html": "2 index.html",
        "assets/a-AAAA1111.js": "1 assets/a-AAAA1111.js",
        "assets/b-BBBB2222.js": "2 assets/b-BBBB2222.js",
    }
    assert site.publish(second, previous=[str(first)], **options)["changed"] is False
    assert site.publish(first, **options)["changed"] is True
    assert site.tree()["old.html"] == "1 old.html"
    assert site.publish(first, state="absent", **options)["changed"] is True
    assert not site.dest.exists() or site.tree() == {}


def test_pages_are_written_after_the_files_that_they_load(site, monkeypatch):
    written = []
    real = publication.write_atomic
    monkeypatch.setattr(publication, "write_atomic", lambda path, *a, **k: (written.append(path), real(path, *a, **k)))
    src = site.releases / "1/dist"
    (src / "assets").mkdir(parents=True)
    for name in ("a.html", "index.html", "assets/z-AAAA1111.js"):
        (src / name).write_text(name)
    site.publish(src, url_path="/", whole=True)
    names = [os.path.basename(path) for path in written if "manifest" not in path]
    assert names == ["z-AAAA1111.js", "a.html", "index.html"]


def test_what_was_published_at_another_path_is_removed(site):
    src = site.build("1", a_js="a")
    site.publish(src)
    page = site.releases / "1/dist"
    page.mkdir()
    (page / "index.html").write_text("page")
    result = site.publish(page, url_path="/", whole=True)
    assert (result["changed"], result["reasons"]) == (True, ["1 files of another build"])
    site.files = site.dest / "files"
    assert site.tree() == {"index.html": "page"}
    assert site.publish(page, url_path="/", whole=True)["changed"] is False
    site.publish(src)
    assert site.tree() == {"_next/static/a.js": "a"}
    site.publish(src, url_path="/other/", state="absent")
    assert not site.dest.exists() or site.tree() == {}
