"""Packing a source, on real directories and a real git checkout."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.modules import source_archive

GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]


def make(root: Path) -> Path:
    (root / "a").mkdir(parents=True)
    (root / "a/one.py").write_text("1\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("a/one.py")
    return root


def commit(root: Path) -> None:
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*GIT, "-C", str(root), *command], check=True)


@pytest.fixture
def pack(run_module, tmp_path):
    def packing(src, check=False, **args):
        return run_module(source_archive, {"src": str(src), "dest_dir": str(tmp_path / "out"), **args}, check=check)

    return packing


def test_equal_sources_give_equal_archives_at_any_time_and_place(pack, tmp_path):
    first, second = make(tmp_path / "first"), make(tmp_path / "second")
    os.utime(second / "run.sh", (1, 1))
    (second / "a/one.py").chmod(0o600)
    one = pack(first)
    content = Path(one["path"]).read_bytes()
    Path(one["path"]).unlink()
    two = pack(second)
    assert (one["digest"], one["path"], one["files"]) == (two["digest"], two["path"], 3)
    assert Path(two["path"]).read_bytes() == content


def test_a_second_run_changes_nothing_and_check_mode_writes_nothing(pack, tmp_path):
    src = make(tmp_path / "src")
    predicted = pack(src, check=True)
    assert predicted["changed"]
    assert not (tmp_path / "out").exists()
    first = pack(src)
    assert first["changed"]
    assert predicted["digest"] == first["digest"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert Path(first["path"]).stat().st_mode & 0o777 == 0o600
    assert not pack(src)["changed"]
    Path(first["path"]).write_bytes(b"cut")
    assert pack(src)["changed"]
    assert not pack(src)["changed"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda src: (src / "a/one.py").write_text("2\n"), id="content"),
        pytest.param(lambda src: (src / "run.sh").chmod(0o644), id="executable"),
        pytest.param(lambda src: (src / "a/one.py").rename(src / "a/two.py"), id="name"),
        pytest.param(lambda src: (src / "new").write_text(""), id="added"),
    ],
)
def test_each_change_of_the_source_changes_the_digest(pack, tmp_path, change):
    src = make(tmp_path / "src")
    before = pack(src)["digest"]
    change(src)
    assert pack(src)["digest"] != before


def test_of_a_checkout_the_files_are_packed_that_git_does_not_ignore(pack, tmp_path):
    src = make(tmp_path / "src")
    (src / ".gitignore").write_text("*.log\n.env*\n")
    commit(src)
    (src / "x.log").write_text("")
    (src / ".env.staging").write_text("SECRET=1\n")
    clean = pack(src)
    assert (clean["dirty"], len(clean["revision"])) == (False, 40)
    (src / "untracked.py").write_text("")
    dirty = pack(src)
    assert (dirty["dirty"], dirty["revision"]) == (True, clean["revision"])
    with tarfile.open(dirty["path"]) as archive:
        assert archive.getnames() == [".gitignore", "a/one.py", "link", "run.sh", "untracked.py"]


def test_a_directory_inside_a_checkout_is_a_source_with_the_same_digest(pack, tmp_path):
    alone = pack(make(tmp_path / "alone"))
    make(tmp_path / "repository/apps/app")
    commit(tmp_path / "repository")
    inside = pack(tmp_path / "repository/apps/app")
    assert (inside["digest"], inside["dirty"]) == (alone["digest"], False)
    (tmp_path / "repository/other").write_text("")
    assert pack(tmp_path / "repository/apps/app")["dirty"] is False
    (tmp_path / "repository/apps/app/new").write_text("")
    assert pack(tmp_path / "repository/apps/app")["dirty"] is True


def test_generated_and_excluded_files_are_not_packed(pack, tmp_path):
    src = make(tmp_path / "src")
    before = pack(src, exclude=["docs/", "/a/skip", "*.tmp"])["digest"]
    for name in ("node_modules/x/y", "web/.next/BUILD_ID", "a/__pycache__/one.pyc", "docs/x", "a/skip/x", "a/x.tmp"):
        (src / name).parent.mkdir(parents=True, exist_ok=True)
        (src / name).write_text("")
    assert pack(src, exclude=["docs/", "/a/skip", "*.tmp"])["digest"] == before


def test_a_destination_inside_the_source_is_not_packed(run_module, tmp_path):
    src = make(tmp_path / "src")
    args = {"src": str(src), "dest_dir": str(src / "out")}
    assert run_module(source_archive, args)["changed"]
    assert not run_module(source_archive, args)["changed"]


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        pytest.param(
            lambda _src: None, "src is {src!r}, which is not a directory; expected the directory with the source"
        ),
        pytest.param(lambda src: src.mkdir(), "src {src} holds no source file; expected the directory with the source"),
        pytest.param(
            lambda src: (src.mkdir(), (src / "out").symlink_to("../../etc")),
            "src {src} holds the symbolic link 'out' to '../../etc', which leaves the source; replace or exclude it",
        ),
    ],
    ids=["missing", "empty", "link-out"],
)
def test_bad_input_is_refused_in_one_sentence(pack, tmp_path, prepare, message):
    src = tmp_path / "src"
    prepare(src)
    assert pack(src)["msg"] == message.format(src=str(src))
