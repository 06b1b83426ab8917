# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data that the application has written into a release: files that no source contains and no build has made."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._frontend.build_plan import record_beside
from .._frontend.sources import DATA_ENDINGS, DATABASE_ENDINGS
from .._host import proc
from .._host.files import open_regular
from . import baseline, git
from .displaced import displaced
from .errors import ReleaseError
from .manifest import Layout, ReleaseRecord
from .project import Project
from .tree import ALWAYS_EXCLUDED, Exclusion, inside, literal, walk

_MADE_BY_TOOLS = (
    *("next-env.d.ts", "*.tsbuildinfo", "*.egg-info", "build", "dist", ".turbo", ".cache", ".eslintcache", ".DS_Store"),
    *("*.staging-previous", record_beside("*")),
)
_CODE_ENDINGS = (
    *(".py", ".pyi", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte", ".astro"),
    *(
        ".css",
        ".scss",
        ".sass",
        ".less",
        ".html",
        ".sh",
        ".sql",
        ".graphql",
        ".proto",
        ".prisma",
        ".mdx",
        ".jinja",
        ".j2",
    ),
)
#: Found among sources as well as among data: source only in a directory that contains source.
_EITHER_ENDINGS = (
    *(
        ".json",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".cfg",
        ".conf",
        ".xml",
        ".md",
        ".rst",
        ".txt",
        ".lock",
        ".in",
        ".example",
    ),
    *(".in", ".example", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".ico", ".woff", ".woff2", ".ttf"),
)
ASIDE = ".to-shared"
"""Ending of data that is being moved to the shared data."""
_SIDECARS = ("-wal", "-shm", "-journal")
"""What SQLite writes beside a database, and what belongs to its content."""
_PLACEHOLDERS = (".gitkeep", ".keep", ".gitignore", ".placeholder")
"""Source that only makes a directory exist."""
_SQLITE = b"SQLite format 3\0"
_SHOWN = 10


@dataclass(frozen=True)
class Known:
    """What is known of the files in a directory.

    :param source: The files of its source.
    :param edited: Those of them that differ from the source.
    :param made: The signature of each other file at the activation: made by a build, or copied from a release.
    :param edits_are_source: Other files may be source as well, because the directory is edited manually.
    :param complete: Whether ``source`` is known at all.
    :param delivered: The entries of the source as it was delivered, unless the directory was its own source.
    """

    source: Collection[str] = ()
    edited: Collection[str] = ()
    made: Mapping[str, str] = field(default_factory=dict)
    edits_are_source: bool = False
    complete: bool = True
    delivered: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """The data in a directory; directories that contain nothing else end in a slash.

    :param unshared: What is neither shared nor may be left behind.
    :param left_behind: What may be left behind.
    :param open_in: For each of ``unshared`` that a process holds open, that process.
    :param displaced: By shared path that is no link to the shared data, what the shared data does not have.
    """

    unshared: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
    open_in: Mapping[str, str] = field(default_factory=dict)
    displaced: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def only_here(self) -> list[str]:
        """What no other release has, although none of it may be left behind."""
        return sorted((*self.unshared, *self.displaced))


def sidecars(path: str) -> tuple[str, ...]:
    """Return the names of the files that SQLite writes beside a database."""
    return tuple(path + ending for ending in _SIDECARS)


def names_a_database(path: str) -> bool:
    """Whether a path can only be that of a database file."""
    return path.endswith(DATABASE_ENDINGS)


# --- what is known ----------------------------------------------------------------------------------


def of_release(
    project: Project, release: str, record: ReleaseRecord, edited: Collection[str], new_source: Collection[str] | None
) -> Known:
    """Return what is known of a release.

    :param edited: Its source files that differ from the activated ones.
    :param new_source: The files of the source that is deployed now; None if they are not known.
    """
    directory = project.path(release)
    if record.origin.get("type") == "in_place":
        source = _tracked(directory)
        source = set(baseline.activated(project, release) or ()) if source is None else source
        return Known(source, edited, baseline.made(project, release), edits_are_source=True)
    if record.taken_over:
        # Its list of files names data as well: only git, or the source that is deployed now, tells them apart.
        return of_directory(directory, new_source)
    activated, delivered = baseline.activated(project, release), baseline.delivered(project, release) or {}
    return Known({*(activated or ()), *delivered}, edited, baseline.made(project, release), delivered=delivered)


def of_directory(directory: str, new_source: Collection[str] | None) -> Known:
    """Return what is known of a directory that was deployed manually.

    :param new_source: As for :func:`of_release`.
    """
    tracked = _tracked(directory)
    return Known(
        {*(tracked or ()), *(new_source or ())},
        edits_are_source=True,
        complete=tracked is not None or new_source is not None,
    )


def _tracked(directory: str) -> set[str] | None:
    """Return the files of the commit that is checked out; None if the directory is no checkout."""
    program = git.Git()
    if not program.available() or git.head(program, directory) is None:
        return None
    return set(git.tracked_files(program, directory))


# --- finding data -----------------------------------------------------------------------------------


def find(directory: str, layout: Layout, known: Known, shared: str) -> Data:
    """Return the data in a directory.

    :param shared: The directory of the shared data.
    """
    top = os.path.realpath(directory)
    open_in = {os.path.relpath(path, top): process for path, process in proc.open_for_writing(top).items()}
    directories = {"", *(part for path in known.source for part in _parents(path))}
    found: list[str] = []
    other: list[str] = []
    for path in walk(directory, not_data(layout)):
        is_data = path in open_in or _is_data(directory, path, known, directories)
        (found if is_data else other).append(path)
    telling = (path for path in (*other, *known.source) if os.path.basename(path) not in _PLACEHOLDERS)
    mixed = {part for path in telling for part in _parents(path)}
    behind = {path for path in found if inside(path, layout.leave_behind)}
    unshared = [path for path in found if path not in behind]
    return Data(
        _condensed(unshared, mixed),
        _condensed(behind, mixed),
        {path: open_in[path] for path in unshared if path in open_in},
        displaced(directory, shared, layout, known.delivered),
    )


def not_data(layout: Layout) -> Exclusion:
    """Return the paths at which nothing is data: made by tools, shared, or carried over into each release.

    What a user excludes from the source may well be data.
    """
    beside = (os.path.join(os.path.dirname(path), record_beside(path)) for path in layout.carry)
    paths = (*layout.shared_paths, *layout.env_files, *layout.carry, *beside)
    # Beside a shared database are the files that SQLite writes; an interrupted move to the shared data is finished.
    beside_shared = (name for path in layout.shared_paths for name in (*sidecars(path), path + ASIDE))
    # Written together with the env file if the source has none.
    examples = (f"{path}.example" for path in layout.env_files)
    return Exclusion((*ALWAYS_EXCLUDED, *_MADE_BY_TOOLS, *map(literal, (*paths, *beside_shared, *examples))))


def _is_data(directory: str, path: str, known: Known, directories: Collection[str]) -> bool:
    if path in known.source:
        # Text that was edited is an edit of the source.
        return path in known.edited and _is_binary(os.path.join(directory, path))
    if known.made.get(path) == baseline.signature(os.path.join(directory, path)):
        return False
    if not known.edits_are_source:
        return True
    if path.endswith(DATA_ENDINGS) or _is_database(os.path.join(directory, path)):
        return True
    if not known.complete:
        return False
    if path.endswith(_CODE_ENDINGS):
        return False
    is_either = path.endswith(_EITHER_ENDINGS) or "." not in os.path.basename(path)[1:]
    return not (is_either and os.path.dirname(path) in directories)


def _is_binary(path: str) -> bool:
    return b"\0" in _beginning(path, 8192)


def _is_database(path: str) -> bool:
    return _beginning(path, len(_SQLITE)) == _SQLITE


def _beginning(path: str, size: int) -> bytes:
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            return file.read(size)
    except OSError:
        return b""


def _parents(path: str) -> Iterable[str]:
    """Return the directories above a path."""
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


def _condensed(paths: Iterable[str], mixed: Collection[str]) -> tuple[str, ...]:
    """Name directories that contain nothing else instead of the files in them."""
    found = set()
    for path in paths:
        whole = next((parent for parent in _parents(path) if parent not in mixed), None)
        found.add(f"{whole}/" if whole else path)
    return tuple(sorted(found))


# --- messages ---------------------------------------------------------------------------------------


def refuse(data: Data, where: str, layout: Layout, shared: str) -> None:
    """Stop a deployment that would leave data behind.

    :param where: The release or the directory that contains it.
    :param shared: The directory of the shared data.
    :raises ReleaseError: If there is such data.
    """
    if data.displaced:
        raise ReleaseError(_not_linked(data.displaced, where, shared))
    if data.unshared:
        raise ReleaseError(
            f"{where} contains files that no source contains and no build has made, so the application has probably "
            f"written them: {named(data)}; the next release would not have them, so nothing was activated; "
            f"{advice(data.unshared, layout)}"
        )


def _not_linked(found: Mapping[str, Sequence[str]], where: str, shared: str) -> str:
    paths = ", ".join(found)
    files = _cut([name for names in found.values() for name in names])
    return (
        f"in {where}, {paths} should be a link to the shared data in {shared} and is none, and holds what is not in "
        f"the shared data: {files}; the next release would use the shared data, so nothing was activated; copy what is "
        f"right to the same path in {shared}, and delete {paths} from {where}; an application that saves a file by "
        "renaming another one to its name replaces the link, so share the directory of such a file"
    )


def advice(paths: Sequence[str], layout: Layout) -> str:
    """Return the lines to add to the inventory."""
    lines = ", ".join(dict.fromkeys((*layout.shared_paths, *(shareable(paths)))))
    return (
        f"keep them with `staging_shared_paths: [{lines}]` in the inventory, and list in staging_leave_behind those "
        "that the next release must not have"
    )


def shareable(paths: Sequence[str]) -> list[str]:
    """Return the paths to share, so that the given data is kept: a database without what SQLite writes beside it."""
    beside = {sidecar for path in paths for sidecar in sidecars(path)}
    return [path.rstrip("/") for path in paths if path not in beside]


def named(data: Data) -> str:
    """Return the data as a list for a message."""
    shown = []
    for path in data.unshared[:_SHOWN]:
        process = next((data.open_in[name] for name in sorted(data.open_in) if inside(name, (path.rstrip("/"),))), None)
        shown.append(f"{path} (open in {process})" if process else path)
    return _cut(shown, len(data.unshared))


def _cut(names: Sequence[str], count: int | None = None) -> str:
    """:param count: Of the names, if they are cut already."""
    more = (len(names) if count is None else count) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
