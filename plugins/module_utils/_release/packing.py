# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the source in a directory of the controller."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from . import git
from .archive import archived_tree, leaving_links, write_archive
from .errors import ReleaseError
from .tree import ALWAYS_EXCLUDED, Exclusion, Tree, literal, read_tree, tree_digest, walk


@dataclass(frozen=True)
class PackedSource:
    """A source directory, and its archive.

    :param path: The archive, named by the digest.
    :param revision: The commit that is checked out; None without git.
    :param dirty: Some of its content is in no commit.
    :param changed: The archive was written, or would be.
    """

    path: str
    digest: str
    revision: str | None
    dirty: bool
    files: int
    changed: bool


def pack(params: Mapping[str, Any], *, predicting: bool) -> dict[str, Any]:
    """Pack a source directory.

    :param params: The options of ``source_archive``.
    :returns: Its result; with ``failed`` and ``msg`` if the source cannot be packed.
    """
    src = params["src"].rstrip("/")
    try:
        return asdict(pack_source(src, params["dest_dir"], params["exclude"], predicting=predicting))
    except ReleaseError as problem:
        return {"failed": True, "msg": str(problem)}
    except OSError as problem:
        place = problem.filename or src
        return {"failed": True, "msg": f"{place} cannot be used for the source archive: {problem.strerror}"}


def pack_source(src: str, dest_dir: str, exclude: list[str], *, predicting: bool) -> PackedSource:
    """Pack a source directory, unless its archive exists.

    :raises ReleaseError: If there is no source, or it cannot be packed as it is.
    """
    if not os.path.isdir(src):
        raise ReleaseError(f"src is {src!r}, which is not a directory; expected the directory with the source")
    inner = os.path.relpath(os.path.realpath(dest_dir), os.path.realpath(src))
    own = [] if inner == ".." or inner.startswith("../") else [literal(inner)]
    tree, revision, dirty = _read_source(src, Exclusion((*ALWAYS_EXCLUDED, *exclude, *own)))
    if not tree:
        raise ReleaseError(f"src {src} holds no source file; expected the directory with the source")
    leaving = leaving_links(tree)
    if leaving:
        raise ReleaseError(
            f"src {src} holds the symbolic link {leaving[0]!r} to {tree[leaving[0]][2:]!r}, which leaves the "
            "source; replace or exclude it"
        )
    digest = tree_digest(tree)
    path = os.path.join(dest_dir, f"{digest[:16]}.tar.gz")
    changed = not os.path.isfile(path) or not _is_intact(path, digest)
    if changed and not predicting:
        os.makedirs(dest_dir, mode=0o700, exist_ok=True)
        _pack(src, tree, digest, path)
    return PackedSource(path, digest, revision, dirty, len(tree), changed)


def _read_source(src: str, exclusion: Exclusion) -> tuple[Tree, str | None, bool]:
    """Return the tree, the commit, and whether some of the content is in no commit."""
    program = git.Git()
    if program.available() and git.inside_checkout(program, src):
        names = [name for name in git.present_files(program, src) if not exclusion.covers(name)]
        if names:
            dirty = [name for _code, name in git.changes(program, src) if not exclusion.covers(name)]
            return read_tree(src, names), program.local_commit(src, "HEAD"), bool(dirty)
        # A directory that the checkout around it ignores as a whole is a source of its own.
    return read_tree(src, walk(src, exclusion)), None, False


def _pack(src: str, tree: Tree, digest: str, path: str) -> None:
    """Write the archive, and check that it contains what was read."""
    write_archive(src, tree, path)
    if not _is_intact(path, digest):
        os.unlink(path)
        raise ReleaseError(
            f"the source in {src} changed while it was packed; wait until no process writes to it and run again"
        )


def _is_intact(path: str, digest: str) -> bool:
    """Whether an existing archive contains what its name says."""
    try:
        return tree_digest(archived_tree(path)) == digest
    except ReleaseError:
        return False
