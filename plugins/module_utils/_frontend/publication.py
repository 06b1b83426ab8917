# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish the static files of a build in a directory that the web server may read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .._host.accounts import Account, find_account, rights_of
from .._host.files import (
    UnsafeFileError,
    file_digest,
    is_temporary,
    open_regular,
    protected_directory,
    read_file,
    write_atomic,
)
from .._host.json_text import json_value
from .lasting_names import is_lasting
from .static_files import Generation, PublicationPlan, StaticFilesError, from_json, to_json

_MANIFEST_LIMIT = 256 * 1024 * 1024


@dataclass(frozen=True)
class Place:
    """Where the files are published.

    :param dest: The directory of this publication alone.
    :param base: The URL path as a relative directory.
    """

    dest: str
    base: str

    @property
    def files(self) -> str:
        """The document root."""
        return os.path.join(self.dest, "files")

    @property
    def target(self) -> str:
        return os.path.join(self.files, self.base) if self.base else self.files

    @property
    def manifest(self) -> str:
        return os.path.join(self.dest, "manifest.json")


def url_directory(url_path: str) -> str:
    """Return a URL path as a relative directory.

    :raises StaticFilesError: If it is no such path.
    """
    if url_path == "/":
        return ""
    parts = url_path.strip("/").split("/")
    if not url_path.startswith("/") or not url_path.endswith("/") or any(part in ("", ".", "..") for part in parts):
        raise StaticFilesError(f"url_path is {url_path!r}; expected a path such as /_next/static/, or /")
    return "/".join(parts)


def account_of(user: str | None) -> Account | None:
    """Return the account whose build is published.

    :raises StaticFilesError: If there is no such user.
    """
    account = find_account(user) if user else None
    if user and account is None:
        raise StaticFilesError(f"there is no user {user}, whose build is to be published")
    return account


def refuse_unprotected(place: Place) -> None:
    """Make sure that no other user can exchange what is published, or a directory on the way to it.

    :raises StaticFilesError: With the directory in which another user can write.
    """
    try:
        with protected_directory(place.target):
            pass
    except FileNotFoundError:
        # What exists of the way is protected, and the rest is created in it.
        pass
    except UnsafeFileError as problem:
        raise StaticFilesError(
            f"{problem.filename} {problem.strerror}, so that another user can decide what is written to {place.dest}; "
            "expected a directory of root's in which nobody else can write (staging_static_root)"
        ) from None


# --- reading ----------------------------------------------------------------------------------------


def read_files(directory: str, *, hidden: bool = True) -> tuple[dict[str, str], list[str]]:
    """Return the digests of the regular files below a directory, and the paths of everything else.

    Symbolic links are not followed.

    :param hidden: Whether to read files and directories whose names begin with a dot, other than ``.well-known``.
    :raises OSError: If something cannot be read.
    """
    digests: dict[str, str] = {}
    others: list[str] = []

    def stop(err: OSError) -> None:
        raise err

    for current, names, files, handle in os.fwalk(directory, onerror=stop, follow_symlinks=False):
        relative = os.path.relpath(current, directory)
        if not hidden:
            names[:] = [name for name in names if not name.startswith(".") or name == ".well-known"]
            files = [name for name in files if not name.startswith(".")]
        for name in files + [name for name in names if stat.S_ISLNK(os.lstat(name, dir_fd=handle).st_mode)]:
            path = os.path.normpath(os.path.join(relative, name))
            try:
                digests[path] = file_digest(name, dir_fd=handle)
            except UnsafeFileError:
                others.append(path)
    return digests, sorted(others)


def read_unpublished(
    directories: Sequence[str], account: Account | None, known: Collection[str], *, hidden: bool = True
) -> list[Generation]:
    """Return the previous builds that are not among the known directories."""
    found = []
    for directory in directories:
        source = os.path.realpath(directory)
        if source not in known:
            with rights_of(account):
                files = read_files(source, hidden=hidden)[0] if os.path.isdir(source) else {}
            if files:
                found.append(Generation(source, files))
    return found


def read_present(place: Place) -> dict[str, str]:
    """Return the digests of the files in the published directory."""
    if not os.path.isdir(place.target):
        return {}
    digests = read_files(place.target)[0]
    return {path: digest for path, digest in digests.items() if not is_temporary(os.path.basename(path))}


def read_published(place: Place) -> tuple[Place, tuple[Generation, ...]]:
    """Return the builds that are published, and where, which may be at another URL path.

    :raises StaticFilesError: If the manifest cannot be read.
    """
    try:
        base, generations = from_json(json_value(read_file(place.manifest, limit=_MANIFEST_LIMIT).data))
        return Place(place.dest, base), generations
    except FileNotFoundError:
        if os.path.isdir(place.files) and os.listdir(place.files):
            raise StaticFilesError(
                f"{place.files} contains files, but {place.manifest} does not exist, so they may be unmanaged; choose "
                "another directory, or delete this one if its files are not needed"
            ) from None
        return place, ()
    except (OSError, ValueError, StaticFilesError) as err:
        raise StaticFilesError(
            f"{place.manifest} cannot be read ({err}); delete it together with {place.files}, and the next run "
            "publishes the active build again"
        ) from err


# --- writing ----------------------------------------------------------------------------------------


def publish(place: Place, published: Sequence[Generation], plan: PublicationPlan, account: Account | None) -> None:
    """Write and remove files as planned: first the files that pages load, then the pages.

    :raises StaticFilesError: If a file of the build has changed since it was planned.
    """
    _make_directories(place.dest)
    _sweep(place)
    # Before the files, so that every published file is known to be managed even if this run is killed.
    _write_manifest(place, (*published, *(each for each in plan.generations if each not in published)))
    _make_directories(place.target)
    lost = set()
    for path, digest in sorted(plan.write.items(), key=lambda item: (not is_lasting(item[0]), item[0])):
        content = _content_of(path, digest, plan.generations, account)
        if content is None:
            lost.add(path)
            continue
        target = os.path.join(place.target, path)
        _make_directories(os.path.dirname(target))
        # Not synced: a file that a crash leaves empty has another digest, and the next run writes it again.
        write_atomic(target, content, mode=0o644, sync=False)
    for path in (*plan.remove, *lost):
        _remove(place.target, path)
    _write_manifest(place, [_without(generation, lost) for generation in plan.generations])


def forget(earlier: Place, published: Sequence[Generation], place: Place, plan: PublicationPlan) -> None:
    """Remove what was published at another URL path, unless it is published there again."""
    kept = {os.path.join(place.target, path) for generation in plan.generations for path in generation.files}
    for path in {path for generation in published for path in generation.files}:
        if os.path.join(earlier.target, path) not in kept:
            _remove(earlier.target, path)


def withdraw(place: Place, published: Sequence[Generation], present: Collection[str]) -> None:
    """Remove everything that is published, and each directory that is empty then."""
    _sweep(place)
    for path in {path for generation in published for path in generation.files}:
        if path in present:
            _remove(place.target, path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.manifest)
    directory = place.target
    with contextlib.suppress(OSError):
        while directory.startswith(place.dest):
            os.rmdir(directory)
            directory = os.path.dirname(directory)


def _write_manifest(place: Place, generations: Sequence[Generation]) -> None:
    write_atomic(place.manifest, json.dumps(to_json(generations, place.base)), mode=0o644)


def _content_of(path: str, digest: str, generations: Sequence[Generation], account: Account | None) -> bytes | None:
    """Read a file from the newest build that has it; ``None`` if a previous build no longer has it."""
    for generation in reversed(generations):
        if generation.files.get(path) != digest:
            continue
        with rights_of(account), contextlib.suppress(FileNotFoundError, NotADirectoryError, UnsafeFileError):
            with open(open_regular(os.path.join(generation.source, path)), "rb") as file:
                content = file.read()
            if hashlib.sha256(content).hexdigest() == digest:
                return content
    if path in generations[-1].files:
        raise StaticFilesError(
            f"{os.path.join(generations[-1].source, path)} changed while it was published; is a build still running?"
        )
    return None


def _without(generation: Generation, paths: Collection[str]) -> Generation:
    files = {path: digest for path, digest in generation.files.items() if path not in paths}
    return Generation(generation.source, files)


def _make_directories(path: str) -> None:
    """Create a directory and its parents so that everyone may enter them; existing ones stay as they are."""
    if os.path.isdir(path):
        return
    _make_directories(os.path.dirname(path))
    os.mkdir(path)
    # Whatever the umask is: the web server has to enter it.
    os.chmod(path, 0o755)  # noqa: S103


def _remove(target: str, path: str) -> None:
    """Remove a file and the directories that are empty then."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(target, path))
    directory = os.path.dirname(path)
    with contextlib.suppress(OSError):
        while directory:
            os.rmdir(os.path.join(target, directory))
            directory = os.path.dirname(directory)


def _sweep(place: Place) -> None:
    """Remove the unfinished files of a killed run."""
    for current, _names, files in os.walk(place.dest):
        for name in files:
            if is_temporary(name):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(current, name))
