# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source files of a frontend's build."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator

from .._host.files import file_digest

#: Written by the build itself, in place.
_GENERATED = ("next-env.d.ts",)
_GENERATED_ENDING = ".tsbuildinfo"
DATABASE_ENDINGS = (".db", ".db3", ".sqlite", ".sqlite3")
DATA_ENDINGS = (*DATABASE_ENDINGS, "-wal", "-shm", "-journal", ".log", ".rdb", ".aof", ".mdb", ".ldb", ".pid")
"""Written by applications while they run, and read by no build."""


def short_digest(path: str, *, follow: bool = False) -> str:
    """Return the digest of a file as a build records it."""
    return file_digest(path, follow=follow)[:32]


def source_digests(root: str, exclude: Iterable[str], listed: Collection[str] | None = None) -> dict[str, str]:
    """Return the digest of every source file below a directory; of a symbolic link, its target.

    :param exclude: Names (anywhere), or paths relative to the root, that are not source.
    :param listed: The files that may be source. Without it, every file may be that does not look like data of an
        application.
    """
    excluded = frozenset(exclude)
    names = _walked(root, excluded) if listed is None else (name for name in listed if not _covers(excluded, name))
    found: dict[str, str] = {}
    for name in names:
        path = os.path.join(root, name)
        if os.path.basename(name) in _GENERATED or name.endswith(_GENERATED_ENDING):
            continue
        if os.path.islink(path):
            found[name] = "-> " + os.readlink(path)
        elif os.path.isfile(path):
            found[name] = short_digest(path)
    return found


def _covers(excluded: Collection[str], path: str) -> bool:
    parts = path.split("/")
    return any(part in excluded or "/".join(parts[: count + 1]) in excluded for count, part in enumerate(parts))


def _walked(root: str, excluded: Collection[str]) -> Iterator[str]:
    for directory, names, files in os.walk(root):
        relative = os.path.relpath(directory, root)
        prefix = "" if relative == "." else relative + "/"
        names.sort()
        for name in list(names):
            if name in excluded or prefix + name in excluded:
                names.remove(name)
            elif os.path.islink(os.path.join(directory, name)):
                names.remove(name)
                files.append(name)
        for name in files:
            if name not in excluded and prefix + name not in excluded and not name.endswith(DATA_ENDINGS):
                yield prefix + name
