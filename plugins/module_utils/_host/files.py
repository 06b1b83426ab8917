# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and replace files whose directory another user may be able to write to.

Nothing here follows a symbolic link in the last component unless told to, waits for the other end of a FIFO, or reads
without a bound. What is refused for its kind raises :class:`UnsafeFileError`; everything raises ``OSError`` at most.
A path may be relative to an open directory (``dir_fd``), which another user cannot replace by a link meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO

#: Bytes that :func:`read_file` accepts unless told otherwise.
DEFAULT_LIMIT = 16 * 1024 * 1024
_BLOCK = 65536
_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{12}\.codeframe-tmp\Z", re.DOTALL)
#: NAME_MAX is 255 bytes; the dots, the random part and the ending take 28 of them.
_NAME_PART = 200
#: Symbolic links on a way, as the kernel limits them.
_LINKS = 40


class UnsafeFileError(OSError):
    """Something other than the expected kind of file was found; ``strerror`` says what, as in "is a symbolic link"."""


@dataclass(frozen=True)
class FileContent:
    """A regular file as it was when it was opened."""

    data: bytes
    status: os.stat_result

    @property
    def mode(self) -> int:
        """Permission bits."""
        return stat.S_IMODE(self.status.st_mode)

    @property
    def uid(self) -> int:
        return self.status.st_uid

    @property
    def gid(self) -> int:
        return self.status.st_gid

    def text(self, errors: str = "replace") -> str:
        """The content as UTF-8.

        :param errors: As in :meth:`bytes.decode`; ``surrogateescape`` survives a round trip.
        """
        return self.data.decode("utf-8", errors)


def open_regular(
    path: str,
    *,
    dir_fd: int | None = None,
    flags: int = os.O_RDONLY,
    follow: bool = False,
    owners: Collection[int] | None = None,
    forbid: int = 0,
    single: bool = False,
) -> int:
    """Open an existing regular file and return its descriptor.

    :param flags: ``O_RDONLY``, ``O_WRONLY`` or ``O_RDWR``.
    :param follow: Follow a symbolic link in the last component.
    :param owners: User ids that the file may belong to; by default any.
    :param forbid: Permission bits that must not be set, such as ``0o022``.
    :param single: Refuse a file with several hard links: another user may have made one to a file of root's.
    :raises UnsafeFileError: If it is a symbolic link, not a regular file, or not as these parameters demand.
    :raises OSError: If it cannot be opened.
    """
    how = flags | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    descriptor = _open(path, how, dir_fd)
    return _checked(descriptor, path, stat.S_IFREG, owners, forbid, single)


def open_directory(
    path: str,
    *,
    dir_fd: int | None = None,
    follow: bool = False,
    owners: Collection[int] | None = None,
    forbid: int = 0,
) -> int:
    """Open a directory, to be used as ``dir_fd``; parameters and errors as in :func:`open_regular`."""
    how = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    return _checked(_open(path, how, dir_fd), path, stat.S_IFDIR, owners, forbid, False)


@contextlib.contextmanager
def directory_beneath(root: str, relative: str, *, owners: Collection[int] | None = None) -> Iterator[int]:
    """Open a directory below another one without following a symbolic link on the way, and yield its descriptor.

    :param root: Opened as it is, symbolic links in it included: it is the caller's.
    :param relative: Relative path without ``..``; ``.`` for the root itself.
    :param owners: User ids that each directory below the root may belong to; by default any.
    :raises ValueError: If the path is absolute or leaves the root.
    :raises UnsafeFileError: If a part of it is a symbolic link, no directory, or belongs to another user.
    :raises OSError: If one of them cannot be opened.
    """
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    if relative.startswith("/") or ".." in parts:
        raise ValueError(f"{relative} is not a path below {root}")
    descriptor = open_directory(root, follow=True)
    try:
        for part in parts:
            inner = open_directory(part, dir_fd=descriptor, owners=owners)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def protected_directory(path: str, *, create: int | None = None) -> Iterator[int]:
    """Open a directory in which no other user can exchange anything, and yield its descriptor.

    Each directory on the way belongs to root or to the user of this process, and no other user can write to it. A
    sticky one such as /tmp may be on the way, where others cannot exchange what belongs to root. A symbolic link is
    followed if it belongs to one of the two.

    :param path: An absolute path.
    :param create: Create what is missing with this mode, whatever the umask.
    :raises UnsafeFileError: With the path of the directory in which another user can write, or of a link that is his.
    :raises FileNotFoundError: If it does not exist.
    :raises OSError: If it cannot be opened or created.
    """
    owners = {0, os.geteuid()}
    waiting = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    if not path.startswith("/"):
        raise ValueError(f"{path} is not an absolute path")
    descriptor, at, links = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), "/", 0
    try:
        while waiting:
            name = waiting.pop()
            place = os.path.normpath(os.path.join(at, name))
            target = _own_link(name, descriptor, owners, place)
            if target is not None:
                links += 1
                if links > _LINKS:
                    raise UnsafeFileError(errno.ELOOP, "is one of too many symbolic links", place)
                waiting += [part for part in reversed(target.split("/")) if part not in ("", ".")]
                if not target.startswith("/"):
                    continue
                inner, place = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), "/"
            else:
                if create is not None:
                    _make_directory(name, create, descriptor)
                inner = _opened(name, descriptor, owners, place)
            os.close(descriptor)
            descriptor, at = inner, place
            status = os.fstat(descriptor)
            if status.st_mode & 0o022 and not (waiting and status.st_mode & stat.S_ISVTX):
                raise UnsafeFileError(errno.EPERM, f"has the mode {stat.S_IMODE(status.st_mode):04o}", at)
        yield descriptor
    finally:
        os.close(descriptor)


def _own_link(name: str, directory: int, owners: Collection[int], place: str) -> str | None:
    """The target of a symbolic link; None if it is none, or does not exist."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(status.st_mode):
        return None
    if status.st_uid not in owners:
        raise UnsafeFileError(errno.EPERM, f"is a symbolic link of user {status.st_uid}", place)
    return os.readlink(name, dir_fd=directory)


def _opened(name: str, directory: int, owners: Collection[int], place: str) -> int:
    try:
        return open_directory(name, dir_fd=directory, owners=owners)
    except OSError as problem:
        problem.filename = place
        raise


def _make_directory(name: str, mode: int, directory: int) -> None:
    """Create a directory unless there is something of that name."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, mode & 0o700, dir_fd=directory)
        inner = open_directory(name, dir_fd=directory, owners={os.geteuid()})
        try:
            os.fchmod(inner, mode)
        finally:
            os.close(inner)


def read_file(
    path: str,
    *,
    dir_fd: int | None = None,
    follow: bool = False,
    limit: int = DEFAULT_LIMIT,
    owners: Collection[int] | None = None,
    forbid: int = 0,
    single: bool = False,
) -> FileContent:
    """Read a regular file.

    :param limit: Largest accepted size in bytes.
    :raises UnsafeFileError: As :func:`open_regular`, and if the file is larger than the limit.
    :raises OSError: If it cannot be read.
    """
    descriptor = open_regular(path, dir_fd=dir_fd, follow=follow, owners=owners, forbid=forbid, single=single)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        data = read_bounded(file, limit + 1)
    if len(data) > limit:
        raise UnsafeFileError(errno.EFBIG, f"is larger than {limit} bytes", path)
    return FileContent(data, status)


def read_bounded(file: IO[bytes], limit: int) -> bytes:
    """The beginning of an open file, at most ``limit`` bytes.

    Piece by piece to the end, not by the size in its status: that is 0 for files of ``/proc``, another process may
    append, and the kernel refuses to read a file below ``/proc/sys`` into a large buffer (ENOMEM).
    """
    data = bytearray()
    while len(data) < limit and (block := file.read(min(_BLOCK, limit - len(data)))):
        data += block
    return bytes(data)


def read_text(path: str, *, follow: bool = True, limit: int = DEFAULT_LIMIT) -> str | None:
    """The text of a regular file (UTF-8, other bytes replaced), or ``None`` where it cannot be read.

    For files whose absence is an answer; use :func:`read_file` where the reason matters.
    """
    try:
        return read_file(path, follow=follow, limit=limit).text()
    except OSError:
        return None


def file_digest(path: str, *, dir_fd: int | None = None, follow: bool = False) -> str:
    """SHA-256 of a regular file of any size, in hexadecimal; errors as in :func:`open_regular`."""
    digest = hashlib.sha256()
    with open(open_regular(path, dir_fd=dir_fd, follow=follow), "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def create_file(path: str, *, mode: int, dir_fd: int | None = None) -> IO[bytes]:
    """Create a file that must not exist yet, with this mode from its first byte whatever the umask.

    :raises FileExistsError: If anything is at the path, a symbolic link included.
    :raises OSError: If it cannot be created.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode & 0o700, dir_fd=dir_fd)
    try:
        os.fchmod(descriptor, mode)
        return open(descriptor, "wb")
    except BaseException:
        os.close(descriptor)
        os.unlink(path, dir_fd=dir_fd)
        raise


@contextlib.contextmanager
def replacing(
    path: str,
    *,
    mode: int,
    uid: int | None = None,
    gid: int | None = None,
    dir_fd: int | None = None,
    sync: bool = True,
) -> Iterator[IO[bytes]]:
    """Yield a new file that takes the place of ``path`` in one step when the block ends without an exception.

    A reader sees the old file or the whole new one, also after a crash. A symbolic link at ``path`` is replaced, not
    followed. On an exception the new file is removed and ``path`` stays as it was.

    :param mode: Permission bits, in force from the first byte.
    :param uid: Owner; ``None`` for that of this process. The same for ``gid``.
    :param sync: Write the data and the directory to the disk. Without it a crash of the machine may leave an empty
        file: for what is checked before it is used and can be written again.
    :raises OSError: If the directory cannot be written to or the owner cannot be set.
    """
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, _temporary_name(name))
    file = create_file(temporary, mode=0o600 & mode, dir_fd=dir_fd)
    try:
        with file:
            if uid is not None or gid is not None:
                set_owner(file.fileno(), uid, gid)
            # After the owner: the kernel drops the set-user-ID bits when that changes.
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.rename(temporary, path, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=dir_fd)
        raise
    if sync:
        sync_directory(directory, dir_fd=dir_fd)


def write_atomic(
    path: str,
    data: bytes | str,
    *,
    mode: int,
    uid: int | None = None,
    gid: int | None = None,
    dir_fd: int | None = None,
    sync: bool = True,
) -> None:
    """Replace a file in one step; contract and errors as in :func:`replacing`.

    :param data: The whole content; text is written as UTF-8, with bytes that ``surrogateescape`` stands for.
    """
    content = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    with replacing(path, mode=mode, uid=uid, gid=gid, dir_fd=dir_fd, sync=sync) as file:
        file.write(content)


def link_atomic(path: str, target: str, *, dir_fd: int | None = None) -> None:
    """Create a symbolic link to ``target``, or replace a file or link at ``path`` by it, in one step.

    :raises IsADirectoryError: If a directory is at ``path``.
    :raises OSError: If the directory cannot be written to.
    """
    directory, name = os.path.split(path)
    temporary = os.path.join(directory, _temporary_name(name))
    os.symlink(target, temporary, dir_fd=dir_fd)
    try:
        os.rename(temporary, path, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=dir_fd)
        raise
    sync_directory(directory, dir_fd=dir_fd)


def is_temporary(name: str) -> bool:
    """Whether a file name is one under which a killed run may have left an unfinished file or link behind."""
    return _TEMPORARY.match(name) is not None


def sweep(directory: str, *, of: str | None = None, dir_fd: int | None = None) -> None:
    """Remove the unfinished files and links that a killed run has left in a directory.

    Only for a caller that no other process writes there beside.

    :param of: Only those that were to become the file of this name.
    :param dir_fd: The open directory itself, ``directory`` being ``.`` then.
    :raises OSError: If the directory cannot be read or written to.
    """
    for name in os.listdir(directory if dir_fd is None else dir_fd):
        if is_temporary(name) and (of is None or name.rsplit(".", 2)[0] == f".{_start(of)}"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, name), dir_fd=dir_fd)


def set_attributes(path: str, *, mode: int | None, uid: int | None, gid: int | None, dir_fd: int | None = None) -> None:
    """Change mode and owner of a regular file in place, without following a symbolic link.

    :raises OSError: As :func:`open_regular`, and if they cannot be changed.
    """
    descriptor = open_regular(path, dir_fd=dir_fd)
    try:
        if uid is not None or gid is not None:
            set_owner(descriptor, uid, gid)
        if mode is not None:
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def set_owner(descriptor: int, uid: int | None, gid: int | None) -> None:
    """Change the owner of an open file where it differs.

    :raises OSError: With ``strerror`` "cannot be given to user U and group G ..." if this process may not.
    """
    status = os.fstat(descriptor)
    if uid in {None, status.st_uid} and gid in {None, status.st_gid}:
        return
    try:
        os.fchown(descriptor, -1 if uid is None else uid, -1 if gid is None else gid)
    except OSError as error:
        raise type(error)(
            error.errno, f"cannot be given to user {uid} and group {gid}: {os.strerror(error.errno or 0)}"
        ) from None


def sync_directory(path: str, *, dir_fd: int | None = None) -> None:
    """Write a directory's entries to the disk, so that a rename outlives a crash of the machine."""
    descriptor = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot sync a directory; the rename itself has happened.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _temporary_name(name: str) -> str:
    return f".{_start(name)}.{secrets.token_hex(6)}.codeframe-tmp"


def _start(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:_NAME_PART])


def _open(path: str, flags: int, dir_fd: int | None) -> int:
    try:
        return os.open(path, flags, dir_fd=dir_fd)
    except OSError as error:
        if flags & os.O_NOFOLLOW and (error.errno == errno.ELOOP or _is_link(path, dir_fd)):
            raise UnsafeFileError(errno.ELOOP, "is a symbolic link", path) from None
        if error.errno == errno.ENXIO:
            # A socket, or a FIFO without a reader opened for writing.
            raise UnsafeFileError(errno.ENXIO, "is not a regular file", path) from None
        raise


def _is_link(path: str, dir_fd: int | None) -> bool:
    try:
        return stat.S_ISLNK(os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _checked(descriptor: int, path: str, kind: int, owners: Collection[int] | None, forbid: int, single: bool) -> int:
    status = os.fstat(descriptor)
    problem: tuple[int, str] | None = None
    if stat.S_IFMT(status.st_mode) != kind:
        problem = errno.EINVAL, "is not a directory" if kind == stat.S_IFDIR else "is not a regular file"
    elif owners is not None and status.st_uid not in owners:
        problem = errno.EPERM, f"belongs to user {status.st_uid}"
    elif status.st_mode & forbid:
        problem = errno.EPERM, f"has the mode {stat.S_IMODE(status.st_mode):04o}"
    elif single and status.st_nlink != 1:
        problem = errno.EMLINK, f"has {status.st_nlink} hard links"
    if problem is not None:
        os.close(descriptor)
        raise UnsafeFileError(problem[0], problem[1], path)
    return descriptor
