"""Files that are read and replaced beside other users."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host import files
from ansible_collections.codeframe.staging.plugins.module_utils._host.files import UnsafeFileError

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
Make = Callable[[Path], None]


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def make_link(path: Path) -> None:
    target = path.with_name("target")
    target.write_text("secret")
    path.symlink_to(target)


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def make_link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


KINDS = [
    pytest.param(make_fifo, "is not a regular file", id="fifo"),
    pytest.param(make_socket, "is not a regular file", id="socket"),
    pytest.param(lambda path: path.mkdir(), "is not a regular file", id="directory"),
    pytest.param(make_link, "is a symbolic link", id="link"),
    pytest.param(make_dangling_link, "is a symbolic link", id="dangling-link"),
    pytest.param(make_link_to_itself, "is a symbolic link", id="loop"),
]


@pytest.mark.parametrize(("make", "reason"), KINDS)
def test_only_a_regular_file_is_read_and_nothing_is_waited_for(tmp_path: Path, make: Make, reason: str) -> None:
    make(tmp_path / "it")
    with pytest.raises(UnsafeFileError) as caught:
        files.read_file(str(tmp_path / "it"))
    assert (caught.value.strerror, caught.value.filename) == (reason, str(tmp_path / "it"))


def test_a_device_is_not_read() -> None:
    with pytest.raises(UnsafeFileError, match="is not a regular file"):
        files.read_file("/dev/zero")


@pytest.mark.parametrize("make", [pytest.param(make_fifo, id="fifo"), pytest.param(make_socket, id="socket")])
def test_opening_for_writing_does_not_wait_either(tmp_path: Path, make: Make) -> None:
    make(tmp_path / "it")
    with pytest.raises(UnsafeFileError, match="is not a regular file"):
        files.open_regular(str(tmp_path / "it"), flags=os.O_WRONLY)


def test_content_and_attributes_are_those_of_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"a\xff")
    path.chmod(0o640)
    found = files.read_file(str(path))
    assert (found.data, found.mode, found.uid, found.gid) == (b"a\xff", 0o640, os.getuid(), path.stat().st_gid)
    assert found.text() == "a\N{REPLACEMENT CHARACTER}"
    assert found.text("surrogateescape").encode("utf-8", "surrogateescape") == b"a\xff"


def test_a_link_is_followed_on_request_but_a_fifo_behind_it_is_not_read(tmp_path: Path) -> None:
    make_link(tmp_path / "link")
    assert files.read_file(str(tmp_path / "link"), follow=True).data == b"secret"
    make_fifo(tmp_path / "fifo")
    (tmp_path / "to-fifo").symlink_to("fifo")
    with pytest.raises(UnsafeFileError, match="is not a regular file"):
        files.read_file(str(tmp_path / "to-fifo"), follow=True)


@pytest.mark.parametrize(("size", "accepted"), [(0, True), (9, True), (10, True), (11, False), (1000, False)])
def test_the_limit_is_the_largest_accepted_size(tmp_path: Path, size: int, accepted: bool) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"x" * size)
    if accepted:
        assert len(files.read_file(str(path), limit=10).data) == size
        return
    with pytest.raises(UnsafeFileError) as caught:
        files.read_file(str(path), limit=10)
    assert (caught.value.errno, caught.value.strerror) == (errno.EFBIG, "is larger than 10 bytes")


def test_files_of_proc_are_read_although_they_claim_to_be_empty() -> None:
    assert b"Name:" in files.read_file("/proc/self/status").data


def test_settings_of_the_kernel_are_read_although_it_refuses_large_buffers() -> None:
    assert len(files.read_file("/proc/sys/kernel/random/boot_id").data) == 37


def test_an_absent_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.read_file(str(tmp_path / "none"))


def test_owner_and_permissions_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_text("x")
    path.chmod(0o664)
    me = os.getuid()
    assert files.read_file(str(path), owners={me}, forbid=0o002).data == b"x"
    with pytest.raises(UnsafeFileError, match=f"belongs to user {me}"):
        files.read_file(str(path), owners={me + 1})
    with pytest.raises(UnsafeFileError, match="has the mode 0664"):
        files.read_file(str(path), forbid=0o022)


def test_a_file_with_several_hard_links_is_refused_on_request(tmp_path: Path) -> None:
    (tmp_path / "it").write_text("x")
    assert files.read_file(str(tmp_path / "it"), single=True).data == b"x"
    os.link(tmp_path / "it", tmp_path / "other")
    assert files.read_file(str(tmp_path / "it")).data == b"x"
    with pytest.raises(UnsafeFileError, match="has 2 hard links"):
        files.read_file(str(tmp_path / "it"), single=True)


def test_a_refusal_leaves_no_descriptor_open(tmp_path: Path) -> None:
    make_fifo(tmp_path / "fifo")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(UnsafeFileError):
            files.read_file(str(tmp_path / "fifo"))
    assert len(os.listdir("/proc/self/fd")) == before


def test_text_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    make_fifo(tmp_path / "fifo")
    (tmp_path / "it").write_text("text")
    assert files.read_text(str(tmp_path / "it")) == "text"
    assert files.read_text(str(tmp_path / "none")) is None
    assert files.read_text(str(tmp_path / "fifo")) is None


def test_a_digest_is_of_the_whole_file_and_follows_no_link(tmp_path: Path) -> None:
    content = b"x" * (3 << 20)
    (tmp_path / "it").write_bytes(content)
    assert files.file_digest(str(tmp_path / "it")) == hashlib.sha256(content).hexdigest()
    make_link(tmp_path / "link")
    with pytest.raises(UnsafeFileError):
        files.file_digest(str(tmp_path / "link"))


# --- directories


def test_a_directory_below_another_one_is_opened_part_by_part(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("x")
    with files.directory_beneath(str(tmp_path), "a//./b/") as inside:
        assert files.read_file("file", dir_fd=inside).data == b"x"
    with files.directory_beneath(str(tmp_path / "a" / "b"), ".") as inside:
        assert files.read_file("file", dir_fd=inside).data == b"x"


@pytest.mark.parametrize("part", ["link", "link/b", "dir/link"])
def test_no_link_on_the_way_is_followed(tmp_path: Path, part: str) -> None:
    (tmp_path / "outside" / "b").mkdir(parents=True)
    (tmp_path / "root" / "dir").mkdir(parents=True)
    (tmp_path / "root" / "link").symlink_to("../outside")
    (tmp_path / "root" / "dir" / "link").symlink_to("../../outside")
    with (
        pytest.raises(UnsafeFileError, match="is a symbolic link"),
        files.directory_beneath(str(tmp_path / "root"), part),
    ):
        pass


@pytest.mark.parametrize("part", ["/etc", "..", "a/../..", "a/.."])
def test_a_path_that_leaves_the_root_is_refused(tmp_path: Path, part: str) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="is not a path below"), files.directory_beneath(str(tmp_path), part):
        pass


def test_a_directory_of_another_owner_or_with_open_permissions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    (tmp_path / "a").chmod(0o777)
    with (
        pytest.raises(UnsafeFileError, match="belongs to user"),
        files.directory_beneath(str(tmp_path), "a", owners={os.getuid() + 1}),
    ):
        pass
    with pytest.raises(UnsafeFileError, match="has the mode 0777"):
        files.open_directory(str(tmp_path / "a"), forbid=0o022)


def protected(path: Path | str, create: int | None = None) -> str:
    """The directory that was opened."""
    with files.protected_directory(str(path), create=create) as descriptor:
        return os.readlink(f"/proc/self/fd/{descriptor}")


def test_a_directory_that_only_this_user_can_change_is_opened_through_links_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "absolute").symlink_to(tmp_path / "a")
    (tmp_path / "a/relative").symlink_to("../a/./b")
    for path in ("a/b", "absolute/b", "absolute/relative", "a//b/"):
        assert protected(f"{tmp_path}/{path}") == str(tmp_path / "a/b")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UnsafeFileError, match="is one of too many symbolic links"):
        protected(tmp_path / "loop")


def test_what_is_missing_is_created_with_the_mode_whatever_the_umask_is(tmp_path: Path) -> None:
    for umask in (0, 0o777):
        before = os.umask(umask)
        try:
            assert protected(tmp_path / str(umask) / "b", create=0o711) == str(tmp_path / str(umask) / "b")
        finally:
            os.umask(before)
        for made in (tmp_path / str(umask), tmp_path / str(umask) / "b"):
            assert stat.S_IMODE(made.stat().st_mode) == 0o711
    with pytest.raises(FileNotFoundError):
        protected(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("mode", [0o775, 0o777, 0o1777])
def test_a_directory_that_others_can_write_to_is_not_opened(tmp_path: Path, mode: int) -> None:
    inner = tmp_path / "outer/inner"
    inner.mkdir(parents=True)
    inner.chmod(mode)
    with pytest.raises(UnsafeFileError, match=f"has the mode {mode:04o}") as problem:
        protected(inner)
    assert problem.value.filename == str(inner)
    inner.chmod(0o755)
    inner.parent.chmod(mode)
    if mode & stat.S_ISVTX:
        # Others can add entries there, but not exchange this one.
        assert protected(inner) == str(inner)
        return
    with pytest.raises(UnsafeFileError) as problem:
        protected(inner)
    assert problem.value.filename == str(inner.parent)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
@pytest.mark.parametrize("kind", ["directory", "link"])
def test_a_part_of_the_way_that_belongs_to_another_user_is_not_opened(tmp_path: Path, kind: str) -> None:
    (tmp_path / "real/inner").mkdir(parents=True)
    part = tmp_path / "real"
    if kind == "link":
        part = tmp_path / "part"
        part.symlink_to("real")
    os.chown(part, 65534, 65534, follow_symlinks=False)
    what = "is a symbolic link of user 65534" if kind == "link" else "belongs to user 65534"
    with pytest.raises(UnsafeFileError, match=what) as problem:
        protected(part / "inner")
    assert problem.value.filename == str(part)
    # Nothing is created through it either.
    with pytest.raises(UnsafeFileError):
        protected(part / "new", create=0o755)
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == ["inner"]


def test_only_an_absolute_path_can_be_protected() -> None:
    with pytest.raises(ValueError, match="is not an absolute path"):
        protected("tmp")


def test_a_file_is_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "it").write_text("x")
    with pytest.raises(NotADirectoryError):
        files.open_directory(str(tmp_path / "it"))


# --- writing


def left_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o400, 0o755])
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_mode_is_as_asked_for_whatever_the_umask(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.write_atomic(str(tmp_path / "it"), "text", mode=mode)
    finally:
        os.umask(before)
    assert ((tmp_path / "it").read_text(), stat.S_IMODE((tmp_path / "it").stat().st_mode)) == ("text", mode)
    assert left_in(tmp_path) == ["it"]


def test_the_new_file_is_never_more_readable_than_it_will_be(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with files.replacing(str(tmp_path / "it"), mode=0o600) as file:
            file.write(b"secret")
            file.flush()
            (temporary,) = tmp_path.iterdir()
            assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
            assert files.is_temporary(temporary.name)
    finally:
        os.umask(before)
    assert left_in(tmp_path) == ["it"]


def test_an_existing_file_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "it").write_text("old")
    os.link(tmp_path / "it", tmp_path / "hard-link")
    files.write_atomic(str(tmp_path / "it"), b"new", mode=0o644)
    assert ((tmp_path / "it").read_text(), (tmp_path / "hard-link").read_text()) == ("new", "old")


def test_a_symbolic_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    make_link(tmp_path / "it")
    files.write_atomic(str(tmp_path / "it"), "new", mode=0o644)
    assert not (tmp_path / "it").is_symlink()
    assert ((tmp_path / "it").read_text(), (tmp_path / "target").read_text()) == ("new", "secret")


def test_readers_see_the_old_or_the_new_content_only(tmp_path: Path) -> None:
    path = tmp_path / "it"
    contents = {letter * 200_000 for letter in "ab"}
    path.write_text("a" * 200_000)
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(20):
            for content in sorted(contents):
                files.write_atomic(str(path), content, mode=0o644)
    finally:
        done.set()
        reader.join()
    assert seen <= contents


def fail(*_args: object, **_keywords: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("broken", ["fsync", "rename", "fchmod", "fchown"])
def test_a_failure_at_any_step_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    (tmp_path / "it").write_text("old")
    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(str(tmp_path / "it"), "new", mode=0o644, uid=os.getuid() + 1, gid=None)
    assert (left_in(tmp_path), (tmp_path / "it").read_text()) == (["it"], "old")


def test_an_exception_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "it").write_text("old")

    def write_half() -> None:
        with files.replacing(str(tmp_path / "it"), mode=0o600) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert (left_in(tmp_path), (tmp_path / "it").read_text()) == (["it"], "old")


def test_data_and_directory_are_synced_before_and_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_fsync, real_rename = os.fsync, os.rename

    def fsync(descriptor: int) -> None:
        steps.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_fsync(descriptor)

    def rename(*args: str, **keywords: int) -> None:
        steps.append("rename")
        real_rename(*args, **keywords)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    files.write_atomic(str(tmp_path / "it"), "x", mode=0o644)
    assert steps == ["file", "rename", "directory"]
    steps.clear()
    files.write_atomic(str(tmp_path / "it"), "y", mode=0o644, sync=False)
    assert steps == ["rename"]


def test_a_directory_at_the_path_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write_atomic(str(tmp_path / "it"), "x", mode=0o644)
    assert left_in(tmp_path) == ["it"]


def test_a_missing_directory_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.write_atomic(str(tmp_path / "none" / "it"), "x", mode=0o644)


@pytest.mark.parametrize("name", ["x" * 255, "\N{SNOWMAN}" * 85, "line\nbreak"])
def test_a_name_of_any_length_and_spelling_is_written(tmp_path: Path, name: str) -> None:
    files.write_atomic(str(tmp_path / name), "x", mode=0o644)
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize(
    ("name", "temporary"),
    [
        (".it.0123456789ab.codeframe-tmp", True),
        (".a\nb.0123456789ab.codeframe-tmp", True),
        ("it.0123456789ab.codeframe-tmp", False),
        (".it.codeframe-tmp", False),
        (".it.0123456789ab.codeframe-tmp.bak", False),
        ("it", False),
    ],
)
def test_left_overs_of_killed_runs_are_known_by_name(name: str, temporary: bool) -> None:
    assert files.is_temporary(name) is temporary


def test_a_sweep_removes_the_left_overs_of_killed_runs_alone(tmp_path: Path) -> None:
    names = {name: f".{name}.{'ab' * 6}.codeframe-tmp" for name in ("app", "app.x", "x" * 200, "other")}
    for name in (*names.values(), "app", ".app.new", ".other.tmp"):
        (tmp_path / name).write_text("")
    (tmp_path / names["app"]).unlink()
    (tmp_path / names["app"]).symlink_to("nowhere")
    files.sweep(str(tmp_path), of="app")
    assert left_in(tmp_path) == sorted([".app.new", ".other.tmp", "app", *(names[n] for n in names if n != "app")])
    files.sweep(str(tmp_path), of="x" * 255)
    assert names["x" * 200] not in left_in(tmp_path)
    files.sweep(str(tmp_path))
    assert left_in(tmp_path) == [".app.new", ".other.tmp", "app"]


def test_a_file_relative_to_an_open_directory_is_written_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with files.directory_beneath(str(tmp_path), "a") as inside:
        (tmp_path / "a").rename(tmp_path / "moved")
        (tmp_path / "a").symlink_to("/nowhere")
        files.write_atomic("it", "x", mode=0o644, dir_fd=inside)
        files.link_atomic("link", "it", dir_fd=inside)
        assert files.file_digest("it", dir_fd=inside) == hashlib.sha256(b"x").hexdigest()
        files.set_attributes("it", mode=0o600, uid=None, gid=None, dir_fd=inside)
    assert left_in(tmp_path / "moved") == ["it", "link"]
    assert stat.S_IMODE((tmp_path / "moved" / "it").stat().st_mode) == 0o600


@ROOT
def test_owner_and_group_are_set_before_the_file_appears(tmp_path: Path) -> None:
    files.write_atomic(str(tmp_path / "it"), "x", mode=0o640, uid=65534, gid=12)
    status = (tmp_path / "it").stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (65534, 12, 0o640)


def test_an_owner_that_cannot_be_given_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(PermissionError) as caught:
        files.write_atomic(str(tmp_path / "it"), "x", mode=0o640, uid=os.getuid() + 1, gid=7)
    assert caught.value.strerror == (f"cannot be given to user {os.getuid() + 1} and group 7: Operation not permitted")
    files.write_atomic(str(tmp_path / "it"), "x", mode=0o640, uid=os.getuid(), gid=os.getgid())
    assert left_in(tmp_path) == ["it"]


@pytest.mark.parametrize("existing", [None, "file", "link", "dangling"])
def test_a_link_is_made_or_replaced_in_one_step(tmp_path: Path, existing: str | None) -> None:
    path = tmp_path / "link"
    if existing == "file":
        path.write_text("old")
    elif existing:
        path.symlink_to("." if existing == "link" else "nowhere")
    files.link_atomic(str(path), "new/target")
    assert (os.readlink(path), left_in(tmp_path)) == ("new/target", ["link"])


def test_a_link_does_not_replace_a_directory(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    with pytest.raises(IsADirectoryError):
        files.link_atomic(str(tmp_path / "it"), "x")
    assert left_in(tmp_path) == ["it"]


def test_a_new_file_never_goes_through_an_existing_one(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with files.create_file(str(tmp_path / "new"), mode=0o755) as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o755
    make_dangling_link(tmp_path / "link")
    for name in ("new", "link"):
        with pytest.raises(FileExistsError):
            files.create_file(str(tmp_path / name), mode=0o644)


def test_attributes_of_a_link_s_target_are_not_changed(tmp_path: Path) -> None:
    make_link(tmp_path / "link")
    (tmp_path / "target").chmod(0o644)
    with pytest.raises(UnsafeFileError):
        files.set_attributes(str(tmp_path / "link"), mode=0o600, uid=None, gid=None)
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o644
    files.set_attributes(str(tmp_path / "target"), mode=0o600, uid=os.getuid(), gid=None)
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o600
