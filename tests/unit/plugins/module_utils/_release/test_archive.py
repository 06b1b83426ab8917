"""Archives that try to leave the release, and damaged ones."""

from __future__ import annotations

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.archive import (
    archived_tree,
    unpack,
    write_archive,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError
from ansible_collections.codeframe.staging.plugins.module_utils._release.tree import Exclusion, read_tree, walk

EXPECTED = "expected a source archive as source_archive creates it"


def member(name, kind=tarfile.REGTYPE, link="", content=b"x"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    return info, io.BytesIO(content)


def archive(path, *members):
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            tar.addfile(info, content)
    return str(path)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param([member("/etc/x")], f"the path '/etc/x', which leaves the release; {EXPECTED}", id="absolute"),
        pytest.param(
            [member("a/../../x")], f"the path 'a/../../x', which leaves the release; {EXPECTED}", id="climbing"
        ),
        pytest.param(
            [member("l", tarfile.SYMTYPE, "../x")],
            "the symbolic link 'l' to '../x', which leaves the release; expected links that stay inside the source",
            id="link-out",
        ),
        pytest.param(
            [member("l", tarfile.SYMTYPE, "/etc")],
            "the symbolic link 'l' to '/etc', which leaves the release; expected links that stay inside the source",
            id="absolute-link",
        ),
        pytest.param(
            [member("d", tarfile.SYMTYPE, "."), member("a", tarfile.SYMTYPE, "d/d/../..")],
            "the symbolic link 'a' to 'd/d/../..', which leaves the release; expected links that stay inside the "
            "source",
            id="link-out-through-a-link",
        ),
        pytest.param(
            [member("h", tarfile.LNKTYPE, "/etc/passwd")],
            f"'h', which is neither a file, a directory nor a symbolic link; {EXPECTED}",
            id="hard-link",
        ),
        pytest.param(
            [member("c", tarfile.CHRTYPE)],
            f"'c', which is neither a file, a directory nor a symbolic link; {EXPECTED}",
            id="device",
        ),
    ],
)
def test_a_member_that_would_leave_the_release_is_refused(tmp_path, members, message):
    path = archive(tmp_path / "a.tar.gz", *members)
    (tmp_path / "in/out").mkdir(parents=True)
    with pytest.raises(ReleaseError) as problem:
        unpack(path, str(tmp_path / "in/out"))
    assert str(problem.value) == f"the archive {path} holds {message}"
    assert [entry.name for entry in (tmp_path / "in").iterdir()] == ["out"]


def test_a_file_is_never_written_through_a_link_of_the_archive(tmp_path):
    path = archive(tmp_path / "a.tar.gz", member("d", tarfile.SYMTYPE, "e"), member("e/x"), member("d/y"))
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="exists"):
        unpack(path, str(tmp_path / "out"))
    assert not (tmp_path / "out/e/y").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00cut"], ids=["empty", "text", "cut"])
def test_a_damaged_archive_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    for read in (archived_tree, lambda name: unpack(name, str(tmp_path))):
        with pytest.raises(ReleaseError, match=r"is damaged or no tar archive \(.*\); upload it again"):
            read(str(path))


def test_a_truncated_archive_is_refused(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/big").write_bytes(bytes(range(256)) * 4000)
    write_archive(str(tmp_path / "src"), ["big"], str(tmp_path / "a.tar.gz"))
    whole = (tmp_path / "a.tar.gz").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReleaseError, match="is damaged"):
        archived_tree(str(tmp_path / "a.tar.gz"))


def test_unpacking_returns_what_was_packed(tmp_path):
    src = tmp_path / "src"
    (src / "a").mkdir(parents=True)
    (src / "a/unusual \udcff name\n").write_text("x")
    (src / "run").write_text("x")
    (src / "run").chmod(0o700)
    (src / "link").symlink_to("a")
    names = list(walk(str(src), Exclusion(())))
    path = str(tmp_path / "a.tar.gz")
    write_archive(str(src), names, path)
    (tmp_path / "out").mkdir()
    tree = unpack(path, str(tmp_path / "out"))
    assert tree == archived_tree(path) == read_tree(str(src), names) == read_tree(str(tmp_path / "out"), names)


def test_concurrent_runs_leave_the_archive_of_one_source_complete(tmp_path):
    """As the hosts of one play do, into the controller's cache."""
    (tmp_path / "src").mkdir()
    for number in range(40):
        (tmp_path / f"src/{number}").write_bytes(bytes(range(256)) * 200)
    names = list(walk(str(tmp_path / "src"), Exclusion(())))
    (tmp_path / "cache").mkdir()
    path = str(tmp_path / "cache/a.tar.gz")
    begin = Barrier(4)

    def pack(_number):
        begin.wait()
        write_archive(str(tmp_path / "src"), names, path)
        return archived_tree(path)

    with ThreadPoolExecutor(4) as runs:
        trees = list(runs.map(pack, range(4)))
    assert trees == [read_tree(str(tmp_path / "src"), names)] * 4
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["a.tar.gz"]


def test_an_unreadable_source_leaves_no_incomplete_archive(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_archive(str(tmp_path), ["gone"], str(tmp_path / "a.tar.gz"))
    assert list(tmp_path.iterdir()) == []
