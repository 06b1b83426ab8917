# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of releases on disk: how it is read, and the steps that change it.

Each step leaves a state that the next run understands when it is interrupted:
the manifest names a release before its directory is made, and forgets it after
the directory is gone; what serves is decided by the link alone, which is only
ever replaced by a rename.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import glob
import json
import os
import pwd
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from .._frontend.build_plan import record_beside
from . import git as git_source
from .manifest import (
    RELEASE_ID,
    Layout,
    Manifest,
    Record,
    ReleaseError,
    load,
    number_of,
    store,
    write_private,
)
from .plan import Found
from .tree import (
    ALWAYS_EXCLUDED,
    Difference,
    Exclusion,
    Tree,
    TreeError,
    copy_directory,
    copy_file,
    differences,
    read_tree,
    remove_tree,
    tree_digest,
    unlink_if_there,
    walk,
)

LOCK_FILES = ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb")
HARD_LINKED = "node_modules"
"""Package managers replace files in it and do not write into them."""
CARRIED = (HARD_LINKED, ".next", ".venv")
WRITTEN_IN_PLACE = (".cache", ".prisma", ".vite", ".vite-temp")
"""Directories of installed packages into which tools write; a hard link would carry that into a former release."""
MADE_BY_TOOLS = ("next-env.d.ts", "*.tsbuildinfo", "*.egg-info", "build", "dist", record_beside("*"))
RENAME_EXCHANGE = 2
AT_FDCWD = -100


def exchange(first: str, second: str) -> bool:
    """Swap two paths in one step (renameat2); False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if rename(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), first)


class Project:
    """One project: the link that the user knows, and the directory of releases beside it."""

    def __init__(self, project_dir: str) -> None:
        self.link = project_dir.rstrip("/") or "/"
        self.parent = os.path.dirname(self.link)
        self.directory = f"{self.link}.releases"
        self.manifest_path = os.path.join(self.directory, "manifest.json")
        self.shared = os.path.join(self.directory, "shared")
        self.venvs = os.path.join(self.directory, "venvs")
        self.incoming = os.path.join(self.directory, "incoming")
        self.mirror = os.path.join(self.directory, "source.git")

    def path(self, release: str) -> str:
        """The directory of a release."""
        return os.path.join(self.directory, release)

    def baseline(self, release: str, *parts: str) -> str:
        """The private directory with a release's checksums and copies of its env files, or a path in it."""
        return os.path.join(self.directory, "baselines", release, *parts)

    def refuse_impossible(self, predicting: bool = False) -> None:
        """Say what makes releases impossible here, before anything is changed.

        :param predicting: Nothing will be written, perhaps by another user than the one who will.
        :raises ReleaseError: With one sentence.
        """
        self.refuse_malformed()
        existing = self.parent
        while not os.path.lexists(existing):
            existing = os.path.dirname(existing)
        if not os.path.isdir(existing):
            raise ReleaseError(f"project_dir {self.link} cannot be made, since {existing} is not a directory")
        if os.path.isdir(self.directory):
            if not os.access(self.directory, os.R_OK | os.W_OK | os.X_OK):
                raise ReleaseError(
                    f"the releases directory {self.directory} cannot be written by {_who()}; {_owner(self.directory)}"
                )
        elif os.path.lexists(self.directory):
            raise ReleaseError(f"{self.directory} is not a directory; the releases of {self.link} are to stand there")
        if not os.access(existing, os.W_OK | os.X_OK) and not (predicting and existing != self.parent):
            raise ReleaseError(
                f"the directory {existing} cannot be written by {_who()}, and the link {self.link} stands below it; "
                f"{_owner(existing)}"
            )
        if not os.path.isdir(self.parent):
            return
        device = os.stat(self.parent).st_dev
        if os.path.isdir(self.directory) and os.stat(self.directory).st_dev != device:
            raise ReleaseError(
                f"{self.directory} is on another file system than {self.parent}; releases are switched by renames and "
                "share files by hard links, so both must be on one"
            )
        if self.find()[0] is not Found.DIRECTORY:
            return
        if not os.access(self.link, os.R_OK | os.W_OK | os.X_OK):
            raise ReleaseError(
                f"the directory {self.link} was deployed by hand and cannot be taken over by {_who()}, since "
                f"{_owner(self.link)}; give it to {_who()} (chown -R), or name its owner as the user to deploy as"
            )
        if os.stat(self.link).st_dev != device:
            raise ReleaseError(
                f"{self.link} is a mount point and cannot be renamed; expected is an ordinary directory, so choose one "
                "inside that file system as project_dir"
            )

    def refuse_malformed(self) -> None:
        """Say what is wrong with the path itself.

        :raises ReleaseError: With one sentence.
        """
        if not os.path.isabs(self.link) or os.path.normpath(self.link) != self.link or self.link == "/":
            raise ReleaseError(
                f"project_dir is {self.link!r}; expected is an absolute path without '..' below a directory"
            )
        if os.path.lexists(self.link) and not os.path.islink(self.link) and not os.path.isdir(self.link):
            raise ReleaseError(
                f"project_dir {self.link} is a file; expected is a directory, a link to a release, or nothing"
            )

    def find(self) -> tuple[Found, str | None]:
        """Say what stands at the project's path, and which release is the active one."""
        try:
            status = os.lstat(self.link)
        except (FileNotFoundError, NotADirectoryError):
            return Found.NOTHING, None
        if stat.S_ISLNK(status.st_mode):
            target = os.path.normpath(os.path.join(self.parent, os.readlink(self.link)))
            name = os.path.basename(target)
            if os.path.dirname(target) == self.directory and RELEASE_ID.match(name):
                return (Found.LINK, name) if os.path.isdir(target) else (Found.NOTHING, None)
            return Found.UNMANAGED_LINK, None
        if stat.S_ISDIR(status.st_mode) and not os.listdir(self.link):
            return Found.NOTHING, None
        return Found.DIRECTORY, None

    def unmanaged_link(self) -> ReleaseError:
        """The sentence for a project path that links somewhere else."""
        target = os.readlink(self.link)
        return ReleaseError(
            f"project_dir {self.link} is a symbolic link to {target}, which is not one of its releases in "
            f"{self.directory}; name the directory itself, or remove the link"
        )

    def read(self) -> Manifest:
        """Return the manifest as it fits what is on disk; nothing is written."""
        manifest = load(self.manifest_path)
        _found, active = self.find()
        if manifest is None:
            manifest = self._rebuilt(active)
        if manifest.candidate and (manifest.candidate == active or not os.path.isdir(self.path(manifest.candidate))):
            # Switched already, or never made: the run was killed in between.
            if manifest.candidate != active:
                manifest.releases.pop(manifest.candidate, None)
            manifest.candidate = None
        for name in [name for name in manifest.releases if not os.path.isdir(self.path(name))]:
            del manifest.releases[name]
        if active and active not in manifest.releases:
            manifest.releases[active] = Record(complete=True)
        manifest.counter = max([manifest.counter, *(number_of(name) for name in manifest.releases)])
        if manifest.committed and manifest.committed.release not in manifest.releases:
            manifest.committed = None
        if manifest.previous and manifest.previous.release not in manifest.releases:
            manifest.previous = None
        return manifest

    def _rebuilt(self, active: str | None) -> Manifest:
        """A manifest for releases whose manifest is gone: nothing is known of them, and nothing is deleted."""
        manifest = Manifest()
        if os.path.isdir(self.directory):
            for name in os.listdir(self.directory):
                if RELEASE_ID.match(name) and os.path.isdir(self.path(name)) and not os.path.islink(self.path(name)):
                    manifest.releases[name] = Record(complete=name == active, taken_over=True)
        return manifest

    def write(self, manifest: Manifest) -> None:
        """Write the manifest."""
        store(self.manifest_path, manifest)

    def make_directories(self) -> None:
        """Make the directories, readable by the user and the group alone."""
        os.makedirs(self.parent, mode=0o755, exist_ok=True)
        for path, mode in ((self.directory, 0o750), (self.shared, 0o750), (self.venvs, 0o755), (self.incoming, 0o700)):
            _make(path, mode)
        _make(os.path.join(self.directory, "baselines"), 0o700)

    @contextlib.contextmanager
    def held(self, wait_s: float = 30) -> Iterator[None]:
        """Keep other calls for this project out.

        :raises ReleaseError: If another one does not end in time.
        """
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            deadline = time.monotonic() + wait_s
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise ReleaseError(
                            f"another process changes the releases in {self.directory}, and did not end within "
                            f"{wait_s:g} s; wait for that deployment"
                        ) from None
                    time.sleep(0.1)
            yield
        finally:
            os.close(descriptor)

    # --- what a release holds -------------------------------------------------------------------

    def exclusion(self, layout: Layout) -> Exclusion:
        """What is no source in this project."""
        anchored = (f"/{path}" for path in (*layout.shared_paths, *layout.env_files))
        return Exclusion((*ALWAYS_EXCLUDED, *layout.exclude, *anchored))

    def listed_in_place(self, directory: str, layout: Layout) -> Tree:
        """Read the source of a directory whose files nobody listed: what git does not ignore, or all that is left."""
        exclusion = self.exclusion(layout)
        git = git_source.Git()
        if os.path.lexists(os.path.join(directory, ".git")) and git.available():
            names: Iterable[str] = git_source.present_files(git, directory)
        else:
            names = walk(directory, exclusion)
        return read_tree(directory, (name for name in names if not exclusion.covers(name)))

    def delivered(self, release: str) -> Tree | None:
        """The source of a release as it was delivered, before its build."""
        return _read_tree_file(self.baseline(release, "delivered.json"))

    def activated_tree(self, release: str) -> Tree | None:
        """The source of a release when it was activated."""
        return _read_tree_file(self.baseline(release, "activated.json"))

    def record_delivered(self, release: str, tree: Tree) -> None:
        """Keep the list of source files of a release."""
        _make(self.baseline(release), 0o700)
        write_private(self.baseline(release, "delivered.json"), json.dumps(tree, indent=0, sort_keys=True))

    def take_baseline(self, release: str, manifest: Manifest) -> None:
        """Store checksums of the source files as they are now, and private copies of the env files."""
        delivered = self.delivered(release) or {}
        _make(self.baseline(release), 0o700)
        copies = self.baseline(release, "env")
        _make(copies, 0o700)
        for path in manifest.layout.env_files:
            original, copy = self.path(release) + "/" + path, os.path.join(copies, path)
            os.makedirs(os.path.dirname(copy), mode=0o700, exist_ok=True)
            unlink_if_there(copy)
            if os.path.isfile(original):
                copy_file(os.path.realpath(original), copy, 0o600)
        if manifest.releases[release].origin.get("type") == "in_place":
            tree = self.listed_in_place(self.path(release), manifest.layout)
        else:
            # A build may rewrite sources (Next.js: tsconfig.json); what it leaves is what is to stay.
            tree = read_tree(self.path(release), delivered)
        write_private(self.baseline(release, "activated.json"), json.dumps(tree, indent=0, sort_keys=True))

    def damage(self, release: str, manifest: Manifest) -> tuple[Difference, ...] | None:
        """Compare a release with its checksums; None if there are none."""
        baseline = self.activated_tree(release)
        if baseline is None:
            return None
        if manifest.releases[release].origin.get("type") == "in_place":
            return differences(baseline, self.listed_in_place(self.path(release), manifest.layout))
        exclusion = self.exclusion(manifest.layout)
        expected = {path: entry for path, entry in baseline.items() if not exclusion.covers(path)}
        return differences(expected, read_tree(self.path(release), expected))

    def unlinked(self, directory: str, layout: Layout) -> tuple[str, ...]:
        """Return the shared paths for which a directory has no link to the shared data."""
        result = []
        for path in layout.shared_paths:
            place = os.path.join(directory, path)
            if not os.path.islink(place) or os.path.realpath(place) != os.path.realpath(
                os.path.join(self.shared, path)
            ):
                result.append(path)
        return tuple(result)

    def adoptable(self, directory: str, layout: Layout) -> tuple[str, ...]:
        """Return the shared paths whose data stands in a directory, and nowhere else yet."""
        return tuple(
            path
            for path in self.unlinked(directory, layout)
            if os.path.lexists(os.path.join(directory, path))
            and not os.path.islink(os.path.join(directory, path))
            and not os.path.lexists(os.path.join(self.shared, path))
        )

    def known_source(self, release: str, record: Record) -> set[str]:
        """Return the files of a release that came with its source.

        Of a directory that was taken over only git can say so; the others may be data.
        """
        if record.taken_over:
            git = git_source.Git()
            directory = self.path(release)
            return set(git_source.tracked_files(git, directory)) if git_source.head(git, directory) else set()
        return {*(self.delivered(release) or {}), *(self.activated_tree(release) or {})}

    def left_behind(self, release: str, layout: Layout, known: Collection[str]) -> tuple[str, ...]:
        """Return what stands in a release, belongs to no known source, and is not carried into the next one."""
        directories = {os.path.dirname(path) for path in known}
        directories |= {"/".join(d.split("/")[: n + 1]) for d in directories for n in range(len(d.split("/")))}
        kept = Exclusion(
            (
                *ALWAYS_EXCLUDED,
                *MADE_BY_TOOLS,
                *layout.exclude,
                *(f"/{path}" for path in (*layout.shared_paths, *layout.env_files, *layout.carry)),
                # Written anew with the env file, where the source has none.
                *(f"/{path}.example" for path in layout.env_files),
            )
        )
        found = set()
        for path in walk(self.path(release), kept):
            if path in known:
                continue
            parts = path.split("/")
            unknown = next((n for n in range(1, len(parts)) if "/".join(parts[:n]) not in directories), None)
            found.add("/".join(parts[:unknown]) + "/" if unknown else path)
        return tuple(sorted(found))

    # --- steps ----------------------------------------------------------------------------------

    def recover(self, manifest: Manifest) -> Manifest:
        """Finish or forget what an interrupted run began, as far as it concerns the project's path."""
        self._empty_trash()
        unlink_if_there(self._temporary_link())
        name = manifest.taking_over
        if name is None:
            # What `read` found out about an interruption is true for good.
            if os.path.exists(self.manifest_path) and load(self.manifest_path) != manifest:
                self.write(manifest)
            return manifest
        found, active = self.find()
        if found is Found.NOTHING and os.path.isdir(self.path(name)) and not os.path.islink(self.path(name)):
            self.point_to(name)
            found, active = self.find()
        if active == name:
            self.finish_take_over(manifest)
        else:
            if os.path.islink(self.path(name)):
                os.unlink(self.path(name))
            manifest.releases.pop(name, None)
            manifest.taking_over = None
            self.write(manifest)
        return manifest

    def take_over(self, manifest: Manifest, revision: str | None, origin: dict[str, Any]) -> str:
        """Make the directory that was deployed by hand the first release, under the running processes."""
        name = manifest.next_id(revision)
        manifest.counter += 1
        manifest.taking_over = name
        # Stands in the manifest from the start: until the exchange its directory is not there, and `read` drops it.
        manifest.releases[name] = Record(revision=revision, origin=dict(origin), taken_over=True)
        self.write(manifest)
        target = os.path.join(os.path.basename(self.directory), name)
        os.symlink(target, self.path(name))
        if not exchange(self.link, self.path(name)):
            os.unlink(self.path(name))
            os.rename(self.link, self.path(name))
            self.point_to(name)
        manifest.releases[name] = Record(revision=revision, origin=dict(origin), taken_over=True)
        self.finish_take_over(manifest)
        return name

    def finish_take_over(self, manifest: Manifest) -> None:
        """Move the data of the directory that was taken over to the shared directory, and record its source."""
        name = manifest.taking_over
        if name is None:
            return
        self.adopt(name, manifest.layout)
        record = manifest.releases.setdefault(name, Record(taken_over=True))
        tree = self.source_of_taken_over(self.path(name), manifest.layout)
        record.source_digest = tree_digest(tree)
        record.complete = record.taken_over = True
        record.revision = record.revision or record.source_digest
        self.record_delivered(name, tree)
        self.take_baseline(name, manifest)
        manifest.taking_over = None
        self.write(manifest)

    def source_of_taken_over(self, directory: str, layout: Layout) -> Tree:
        """Read the source of a directory that was deployed by hand."""
        return self.listed_in_place(directory, layout)

    def adopt(self, release: str, layout: Layout) -> tuple[str, ...]:
        """Move shared data out of a release, and leave links in its place."""
        self._finish_adoption(release, layout)
        adopted = self.adoptable(self.path(release), layout)
        for path in adopted:
            place, home = os.path.join(self.path(release), path), os.path.join(self.shared, path)
            os.makedirs(os.path.dirname(home), mode=0o750, exist_ok=True)
            aside = f"{place}.to-shared"
            os.symlink(os.path.relpath(home, os.path.dirname(place)), aside)
            # The link is in place an instant before its data is: shorter than the two renames the other way round.
            if not exchange(place, aside):
                link = f"{place}.link"
                os.rename(aside, link)
                os.rename(place, aside)
                os.rename(link, place)
            os.rename(aside, home)
        return adopted

    def _finish_adoption(self, release: str, layout: Layout) -> None:
        """Bring data home that an interrupted ``adopt`` left beside its place."""
        for path in layout.shared_paths:
            place, home = os.path.join(self.path(release), path), os.path.join(self.shared, path)
            aside = f"{place}.to-shared"
            if os.path.islink(aside):
                os.unlink(aside)
            elif os.path.lexists(aside) and not os.path.lexists(home):
                os.rename(aside, home)
            unlink_if_there(f"{place}.link")
            if os.path.lexists(home) and not os.path.lexists(place):
                os.makedirs(os.path.dirname(place), exist_ok=True)
                os.symlink(os.path.relpath(home, os.path.dirname(place)), place)

    def open_candidate(self, manifest: Manifest, name: str, record: Record) -> str:
        """Announce a candidate and make its empty directory."""
        manifest.counter += 1
        manifest.candidate = name
        manifest.releases[name] = record
        self.write(manifest)
        return self.path(name)

    def complete(self, manifest: Manifest, tree: Tree) -> None:
        """Record that the candidate holds all that it is made of."""
        name = manifest.candidate
        if name is None:
            raise ReleaseError("there is no candidate")
        record = manifest.releases[name]
        record.source_digest = tree_digest(tree)
        record.complete = True
        self.record_delivered(name, tree)
        self.write(manifest)

    def link_shared(self, release: str, layout: Layout) -> None:
        """Link the shared paths into a release; what its source brings for them seeds shared data that is not there."""
        for path in layout.shared_paths:
            place, home = os.path.join(self.path(release), path), os.path.join(self.shared, path)
            os.makedirs(os.path.dirname(home), mode=0o750, exist_ok=True)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if os.path.islink(place):
                os.unlink(place)
            elif os.path.lexists(place):
                if os.path.lexists(home):
                    remove_tree(place)
                else:
                    os.rename(place, home)
            if not os.path.lexists(home):
                os.mkdir(home, 0o750)
            os.symlink(os.path.relpath(home, os.path.dirname(place)), place)

    def carry_over(self, base: str, release: str, layout: Layout) -> None:
        """Bring what is not source from a release into one made of new source."""
        source, target = self.path(base), self.path(release)
        for path in layout.env_files:
            original, copy = os.path.join(source, path), os.path.join(target, path)
            if os.path.isfile(original) and os.path.isdir(os.path.dirname(copy)):
                unlink_if_there(copy)
                copy_file(os.path.realpath(original), copy, 0o600)
        records = (os.path.join(os.path.dirname(path), record_beside(path)) for path in layout.carry)
        for path in (*self._generated(source, layout), *layout.carry, *records):
            original, copy = os.path.join(source, path), os.path.join(target, path)
            if not os.path.lexists(original) or os.path.lexists(copy) or not os.path.isdir(os.path.dirname(copy)):
                continue
            if os.path.islink(original) or not os.path.isdir(original):
                copy_file(original, copy)
                continue
            hard = os.path.basename(path) == HARD_LINKED
            if hard and not _same_lock(os.path.dirname(original), os.path.dirname(copy)):
                continue
            if hard:
                share_directory(original, copy)
            else:
                copy_directory(original, copy)

    def close_env_files(self, release: str, layout: Layout) -> None:
        """Make env files private that the source brought."""
        for path in layout.env_files:
            place = os.path.join(self.path(release), path)
            if os.path.isfile(place) and not os.path.islink(place):
                os.chmod(place, 0o600)

    def _generated(self, directory: str, layout: Layout) -> list[str]:
        """Return the directories (or links) of installed packages and builds in a release."""
        result = []
        pending = [""]
        shared = set(layout.shared_paths)
        while pending:
            here = pending.pop()
            with os.scandir(os.path.join(directory, here)) as entries:
                for entry in entries:
                    path = os.path.join(here, entry.name)
                    if entry.name in CARRIED:
                        result.append(path)
                    elif entry.is_dir(follow_symlinks=False) and entry.name != ".git" and path not in shared:
                        pending.append(path)
        return sorted(result)

    def fork(self, base: str, release: str, layout: Layout) -> None:
        """Copy a release: its sources and builds as copies, installed packages as hard links."""
        private = set(layout.env_files)
        top_source, top_target = self.path(base), self.path(release)
        os.mkdir(top_target, stat.S_IMODE(os.stat(top_source).st_mode))
        pending = [""]
        while pending:
            here = pending.pop()
            with os.scandir(os.path.join(top_source, here)) as entries:
                for entry in entries:
                    path = os.path.join(here, entry.name)
                    target = os.path.join(top_target, path)
                    if entry.is_symlink() or entry.is_file(follow_symlinks=False):
                        copy_file(entry.path, target, 0o600 if path in private and not entry.is_symlink() else None)
                    elif not entry.is_dir(follow_symlinks=False) or entry.name == "__pycache__":
                        continue
                    elif entry.name == HARD_LINKED:
                        share_directory(entry.path, target)
                    elif path.endswith(".git/objects"):
                        copy_directory(entry.path, target, hard_links=True)
                    elif entry.name in CARRIED:
                        copy_directory(entry.path, target)
                    else:
                        os.mkdir(target, stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode) | 0o700)
                        pending.append(path)

    def _temporary_link(self) -> str:
        return os.path.join(self.parent, f".{os.path.basename(self.link)}.link-new")

    def point_to(self, release: str) -> None:
        """Let the project's link point to a release, in one step."""
        temporary = self._temporary_link()
        unlink_if_there(temporary)
        if os.path.isdir(self.link) and not os.path.islink(self.link):
            os.rmdir(self.link)
        os.symlink(os.path.join(os.path.basename(self.directory), release), temporary)
        os.replace(temporary, self.link)

    def drop(self, manifest: Manifest, releases: Sequence[str]) -> None:
        """Forget releases and delete their directories (later, where a process still stands in one)."""
        for name in releases:
            if os.path.isdir(self.path(name)):
                os.rename(self.path(name), self.path(f".trash-{name}"))
            manifest.releases.pop(name, None)
            if manifest.candidate == name:
                manifest.candidate = None
        for name in releases:
            if os.path.isdir(self.baseline(name)):
                remove_tree(self.baseline(name))
        # Before the manifest is written, which a full disk would not allow.
        self._empty_trash()
        self.write(manifest)

    def _empty_trash(self) -> None:
        trash = glob.glob(os.path.join(glob.escape(self.directory), ".trash-*"))
        used = processes_inside(self.directory) if trash else set()
        for path in trash:
            if os.path.basename(path) not in used:
                remove_tree(path)

    def needless(self, manifest: Manifest) -> list[str]:
        """Return what no release needs any more: baselines and virtual environments."""
        if not os.path.isdir(self.directory):
            return []
        result = [
            path
            for path in sorted(glob.glob(os.path.join(glob.escape(self.directory), "baselines", "*")))
            if os.path.basename(path) not in manifest.releases
        ]
        # Names that begin with a dot are tools (uv), not environments of a release; glob leaves them out.
        venvs = sorted(glob.glob(os.path.join(glob.escape(self.venvs), "*")))
        if venvs:
            used = self._linked_venvs(manifest) | processes_inside(self.venvs)
            result.extend(path for path in venvs if os.path.isdir(path) and os.path.basename(path) not in used)
        return result

    def _linked_venvs(self, manifest: Manifest) -> set[str]:
        """Return the names of the virtualenvs that a release links to."""
        result = set()
        home = os.path.realpath(self.venvs) + os.sep
        for release in manifest.releases:
            pending = [self.path(release)]
            while pending:
                with os.scandir(pending.pop()) as entries:
                    for entry in entries:
                        if entry.is_symlink():
                            reached = os.path.realpath(entry.path) + os.sep
                            if reached.startswith(home):
                                result.add(reached[len(home) :].split(os.sep)[0])
                        elif entry.is_dir(follow_symlinks=False) and entry.name not in (
                            "node_modules",
                            ".git",
                            ".next",
                        ):
                            pending.append(entry.path)
        return result

    def in_use(self) -> set[str]:
        """Return the releases in which a live process stands."""
        return {name for name in processes_inside(self.directory) if RELEASE_ID.match(name)}


def processes_inside(directory: str) -> set[str]:
    """Return the names directly below a directory in which a live process has its working directory.

    Processes that may not be looked at do not count: they belong to others.
    """
    top = os.path.realpath(directory) + os.sep
    found = set()
    for link in glob.iglob("/proc/[0-9]*/cwd"):
        try:
            reached = os.readlink(link)
        except OSError:
            continue
        if reached.startswith(top):
            found.add(reached[len(top) :].split(os.sep)[0])
    return found


def share_directory(source: str, target: str) -> None:
    """Copy a directory of installed packages by hard links, except for what tools write into it."""
    try:
        copy_directory(source, target, hard_links=True)
    except TreeError:
        # Files of another user (installed with sudo, say) may not be linked to, but they may be copied.
        if os.path.lexists(target):
            remove_tree(target)
        copy_directory(source, target)
        return
    for name in WRITTEN_IN_PLACE:
        if os.path.isdir(os.path.join(target, name)) and not os.path.islink(os.path.join(target, name)):
            remove_tree(os.path.join(target, name))
            copy_directory(os.path.join(source, name), os.path.join(target, name))


def _same_lock(first: str, second: str) -> bool:
    """Whether two directories of a package agree on what is to be installed."""
    return read_tree(first, LOCK_FILES) == read_tree(second, LOCK_FILES)


def _read_tree_file(path: str) -> Tree | None:
    try:
        with open(path, encoding="utf-8") as file:
            tree: Tree = json.load(file)
            return tree
    except (FileNotFoundError, ValueError):
        return None


def _make(path: str, mode: int) -> None:
    """Make a directory with this mode; one that is there loses what it allows beyond that."""
    if not os.path.isdir(path):
        os.mkdir(path, mode)
        os.chmod(path, mode)
        return
    found = stat.S_IMODE(os.stat(path).st_mode)
    if found & ~mode & 0o777:
        os.chmod(path, found & mode)


def _who() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _owner(path: str) -> str:
    status = os.stat(path)
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    return f"it belongs to {owner} with mode {stat.S_IMODE(status.st_mode):04o}"


def in_words(problem: OSError) -> str:
    """Return one sentence for a failure of the system."""
    what = problem.strerror or str(problem)
    where = problem.filename2 or problem.filename
    if problem.errno == errno.ENOSPC:
        return (
            f"there is no space left for a release ({where or 'file system full'}); what serves is untouched; "
            "free some and run again"
        )
    if problem.errno == errno.EXDEV:
        return (
            f"{where} cannot be renamed: it is a mount point, or belongs to a lower layer of a container's image; "
            "expected is an ordinary directory"
        )
    if problem.errno in (errno.EACCES, errno.EPERM):
        return f"{where} cannot be used: {what}; the module must run as the user that the project belongs to"
    return f"{where or 'the releases'}: {what}"
