# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source files of a frontend's build."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Callable

from .._host.files import file_digest

#: Written by the build itself, in place.
_GENERATED = ("next-env.d.ts",)
_GENERATED_ENDING = ".tsbuildinfo"
DATABASE_ENDINGS = (".db", ".db3", ".sqlite", ".sqlite3")
DATA_ENDINGS = (*DATABASE_ENDINGS, "-wal", "-shm", "-journal", ".log", ".rdb", ".aof", ".mdb", ".ldb", ".pid")
"""Written by applications while they run, and read by no build."""
#: What a backend in Python has beside a frontend in the same directory.
_PYTHON_FILES = (
    *("*.py", "*.pyi", "*.pyc", "requirements*.txt", "requirements*.in", "constraints*.txt", "pyproject.toml"),
    *("setup.cfg", "tox.ini", "pytest.ini", "alembic.ini", "uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock"),
)
_PYTHON_DIRECTORIES = (".venv", "venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache")


@dataclass(frozen=True)
class BackendFiles:
    """The backend's files among those that a build of the frontend could read.

    :param directories: Names and relative paths.
    :param files: Patterns of further files' names.
    :param frontend: Relative path with a slash at its end, in which these patterns do not apply; empty for none.
    """

    directories: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    frontend: str = ""

    @classmethod
    def between(cls, root: str, backend: str | None, frontend: str, base: str) -> BackendFiles:
        """Tell a backend from a frontend whose sources are in a directory.

        :param root: Directory of the application.
        :param backend: Directory of the backend, relative to it; None if there is none.
        :param frontend: Directory of the frontend.
        :param base: The directory with the sources, which is that of the frontend or of its workspace.
        """
        if backend is None:
            return cls()
        place = os.path.normpath(os.path.join(root, backend))
        inner = os.path.relpath(place, base)
        if not _within(frontend, place):
            # A directory of its own; outside of the sources it does not matter.
            return cls((inner,)) if _within(place, base) else cls()
        if frontend == place:
            return cls(_PYTHON_DIRECTORIES, _PYTHON_FILES)
        # In its own directory below that of the backend, everything is the frontend's.
        own = os.path.relpath(frontend, base)
        return cls() if own == "." else cls(_PYTHON_DIRECTORIES, _PYTHON_FILES, own + "/")

    def has(self, path: str) -> bool:
        """Whether a file is the backend's."""
        if self.frontend and path.startswith(self.frontend):
            return False
        name = os.path.basename(path)
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.files)


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def short_digest(path: str, *, follow: bool = False) -> str:
    """Return the digest of a file as a build records it."""
    return file_digest(path, follow=follow)[:32]


def source_digests(
    root: str,
    exclude: Iterable[str],
    listed: Collection[str] | None = None,
    foreign: Callable[[str], bool] | None = None,
) -> dict[str, str]:
    """Return the digest of every source file below a directory; of a symbolic link, its target.

    :param exclude: Names (anywhere), or paths relative to the root, that are not source.
    :param listed: The files that may be source. Without it, every file may be that does not look like data of an
        application.
    :param foreign: Whether a file belongs to something else.
    """
    excluded = frozenset(exclude)
    names = _walked(root, excluded) if listed is None else (name for name in listed if not _covers(excluded, name))
    found: dict[str, str] = {}
    for name in names:
        path = os.path.join(root, name)
        if os.path.basename(name) in _GENERATED or name.endswith(_GENERATED_ENDING) or (foreign and foreign(name)):
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
