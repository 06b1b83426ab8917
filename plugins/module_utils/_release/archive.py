# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Source as a tar archive: equal trees give equal archives, and no member leaves the directory."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import stat
import tarfile
import zlib
from collections.abc import Iterable
from typing import IO

from .._host.files import create_file, replacing
from .errors import ReleaseError
from .tree import Tree, file_entry

_DAMAGE = (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error)


def write_archive(root: str, paths: Iterable[str], target: str) -> None:
    """Write the paths below root to a gzipped tar file without times and owners.

    The file appears under its name when it is complete, also if several runs write it at once.
    """
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(replacing(target, mode=0o600))
        # Level 6: level 9 takes twice the time for 1 % less.
        packed = stack.enter_context(gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0))
        archive = stack.enter_context(tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT))
        for path in sorted(paths):
            _add(archive, root, path)


def _add(archive: tarfile.TarFile, root: str, path: str) -> None:
    full = os.path.join(root, path)
    status = os.lstat(full)
    member = tarfile.TarInfo(path)
    if stat.S_ISLNK(status.st_mode):
        member.type = tarfile.SYMTYPE
        member.linkname = os.readlink(full)
        member.mode = 0o777
        archive.addfile(member)
        return
    member.mode = 0o755 if status.st_mode & 0o100 else 0o644
    member.size = status.st_size
    with open(full, "rb") as file:
        archive.addfile(member, file)


def unpack(archive_path: str, target: str) -> Tree:
    """Unpack an archive into an empty directory and return the tree that came out.

    Modes are reduced to 0644 and 0755; owners and times are ignored.

    :raises ReleaseError: If the archive is damaged, or a member would leave the directory.
    """
    tree: Tree = {}
    links: list[tuple[str, str]] = []
    try:
        with tarfile.open(archive_path, mode="r:*") as archive:
            for member in archive:
                path = _safe_name(member.name, archive_path)
                if path is None:
                    continue
                full = os.path.join(target, path)
                if member.isdir():
                    os.makedirs(full, mode=0o755, exist_ok=True)
                    continue
                os.makedirs(os.path.dirname(full), mode=0o755, exist_ok=True)
                if member.issym():
                    # Created last, so that no member is ever written through a link.
                    links.append((path, _safe_link(path, member.linkname, archive_path)))
                elif member.isreg():
                    content = archive.extractfile(member)
                    if content is not None:
                        tree[path] = _write(content, full, bool(member.mode & 0o100))
                else:
                    raise ReleaseError(
                        f"the archive {archive_path} holds {member.name!r}, which is neither a file, a directory "
                        "nor a symbolic link; expected a source archive as source_archive creates it"
                    )
    except _DAMAGE as problem:
        raise _damaged(archive_path, problem) from None
    for path, destination in links:
        os.symlink(destination, os.path.join(target, path))
        tree[path] = f"l:{destination}"
    top = os.path.realpath(target)
    for path, destination in links:
        # One link may lead through another; only the file system can resolve that.
        reached = os.path.realpath(os.path.join(target, path))
        if reached != top and not reached.startswith(top + os.sep):
            raise _leaves(archive_path, path, destination)
    return tree


def archived_tree(archive_path: str) -> Tree:
    """Return the tree that an archive holds, without unpacking it."""
    tree: Tree = {}
    try:
        with tarfile.open(archive_path, mode="r:*") as archive:
            for member in archive:
                path = _safe_name(member.name, archive_path)
                content = archive.extractfile(member) if member.isreg() else None
                if path and member.issym():
                    tree[path] = f"l:{member.linkname}"
                elif path and content is not None:
                    digest = hashlib.sha256()
                    for block in iter(lambda content=content: content.read(1 << 20), b""):  # type: ignore[misc]
                        digest.update(block)
                    tree[path] = file_entry(digest.hexdigest(), bool(member.mode & 0o100))
    except _DAMAGE as problem:
        raise _damaged(archive_path, problem) from None
    return tree


def _damaged(archive_path: str, problem: Exception) -> ReleaseError:
    first = (str(problem).splitlines() or ["it ends too early"])[0].rstrip(":")
    return ReleaseError(f"the archive {archive_path} is damaged or no tar archive ({first}); upload it again")


def _write(content: IO[bytes], full: str, executable: bool) -> str:
    digest = hashlib.sha256()
    with create_file(full, mode=0o755 if executable else 0o644) as file:
        while block := content.read(1 << 20):
            digest.update(block)
            file.write(block)
    return file_entry(digest.hexdigest(), executable)


def _safe_name(name: str, archive_path: str) -> str | None:
    """Return the clean relative path of a member; None for the top directory itself."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise ReleaseError(
            f"the archive {archive_path} holds the path {name!r}, which leaves the release; "
            "expected a source archive as source_archive creates it"
        )
    return "/".join(parts) or None


def leaving_links(tree: Tree) -> list[str]:
    """Return the symbolic links of a tree that point out of it."""
    return [path for path in sorted(tree) if tree[path].startswith("l:") and _leaves_tree(path, tree[path][2:])]


def _leaves_tree(path: str, destination: str) -> bool:
    reached = os.path.normpath(os.path.join(os.path.dirname(path), destination))
    return os.path.isabs(destination) or reached == ".." or reached.startswith("../") or not destination


def _safe_link(path: str, destination: str, archive_path: str) -> str:
    """Return the target of a symbolic link that stays in the tree."""
    if _leaves_tree(path, destination):
        raise _leaves(archive_path, path, destination)
    return destination


def _leaves(archive_path: str, path: str, destination: str) -> ReleaseError:
    return ReleaseError(
        f"the archive {archive_path} holds the symbolic link {path!r} to {destination!r}, which leaves the "
        "release; expected links that stay inside the source"
    )
