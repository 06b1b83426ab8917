"""Releases on a file system that is full, and on another one than the project's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.archive import write_archive
from ansible_collections.codeframe.staging.plugins.module_utils._release.tree import (
    Exclusion,
    read_tree,
    tree_digest,
    walk,
)
from ansible_collections.codeframe.staging.plugins.modules import release

MEGABYTE = 1 << 20


@pytest.fixture
def small(mounted):
    """A file system of 6 MB."""
    return mounted(6)


def source(root: Path, name: str, content: str) -> dict[str, Any]:
    tree = root / name
    tree.mkdir()
    (tree / "main.py").write_text(content)
    # Random bytes do not get smaller by packing.
    (tree / "big").write_bytes(os.urandom(int(2.5 * MEGABYTE)))
    names = list(walk(str(tree), Exclusion(())))
    archive = root / f"{name}.tar.gz"
    write_archive(str(tree), names, str(archive))
    revision = tree_digest(read_tree(str(tree), names))
    return {"state": "prepared", "source_type": "archive", "archive": str(archive), "revision": revision}


def test_a_full_disk_fails_the_run_and_leaves_the_active_release(tmp_path, small, run_module):
    def call(**args: Any) -> dict[str, Any]:
        result: dict[str, Any] = run_module(release, {"project_dir": str(small / "app"), **args})
        return result

    assert call(**source(tmp_path, "one", "1"))["changed"]
    call(state="activated")
    call(state="committed")
    filler = small / "filler"
    filler.write_bytes(b"x" * int(2.5 * MEGABYTE))
    new = source(tmp_path, "two", "2")
    for args in ({"state": "candidate"}, new):
        result = call(**args)
        assert result["msg"].startswith("no space is left for a release ("), result
        assert result["msg"].endswith("; the active release is untouched; free some space and run again")
        assert (small / "app/main.py").read_text() == "1"
        assert [path.name for path in (small / "app.releases").glob("*0*")] == [(small / "app").readlink().name]
    filler.unlink()
    assert call(**new)["changed"]
    assert call(state="activated")["changed"]
    assert (small / "app/main.py").read_text() == "2"


def test_a_project_that_is_a_mount_point_is_refused(tmp_path, small, run_module):
    (small / "file").write_text("")
    result = run_module(release, {"project_dir": str(small), **source(tmp_path, "one", "1")})
    assert result["msg"] == (
        f"{small} is a mount point and cannot be renamed; expected an ordinary directory, so choose one inside that "
        "file system as project_dir"
    )
    assert not (tmp_path / "small.releases").exists()


def test_releases_on_another_file_system_are_refused(tmp_path, small, run_module):
    (tmp_path / "app.releases").mkdir()
    subprocess.run(["mount", "--bind", small, tmp_path / "app.releases"], check=True)
    try:
        result = run_module(release, {"project_dir": str(tmp_path / "app"), **source(tmp_path, "one", "1")})
    finally:
        subprocess.run(["umount", tmp_path / "app.releases"], check=True)
    assert result["msg"] == (
        f"{tmp_path}/app.releases is on another file system than {tmp_path}; releases are activated by renames and "
        "share files by hard links, so both must be on one"
    )
