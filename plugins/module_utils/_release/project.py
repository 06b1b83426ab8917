# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One project on disk: the link that users know, the directory of releases beside it, and the manifest in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator

from .._host.files import link_atomic, read_file, write_atomic
from .errors import ReleaseError
from .manifest import RELEASE_ID, Manifest, ReleaseRecord, from_text, number_of, to_text
from .plan import Found


class Project:
    """The paths of a project, and what is at them.

    :param project_dir: The path of the link to the active release.
    """

    def __init__(self, project_dir: str) -> None:
        self.link = project_dir.rstrip("/") or "/"
        self.parent = os.path.dirname(self.link)
        self.directory = f"{self.link}.releases"
        self.manifest_path = os.path.join(self.directory, "manifest.json")
        self.shared = os.path.join(self.directory, "shared")
        self.venvs = os.path.join(self.directory, "venvs")
        self.baselines = os.path.join(self.directory, "baselines")
        self.mirror = os.path.join(self.directory, "source.git")

    def path(self, release: str) -> str:
        """The directory of a release."""
        return os.path.join(self.directory, release)

    def find(self) -> tuple[Found, str | None]:
        """Return what is at the project's path, and the id of the active release."""
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

    def point_to(self, release: str) -> None:
        """Let the project's link point to a release, in one step."""
        if os.path.isdir(self.link) and not os.path.islink(self.link):
            os.rmdir(self.link)
        link_atomic(self.link, os.path.join(os.path.basename(self.directory), release))

    # --- the manifest -----------------------------------------------------------------------------

    def load(self) -> Manifest | None:
        """Return the manifest as it was written; None if there is none.

        :raises ReleaseError: If it is damaged, of another version, or fails the schema.
        """
        try:
            return from_text(read_file(self.manifest_path).text(), self.manifest_path)
        except FileNotFoundError:
            return None

    def read(self) -> Manifest:
        """Return the manifest corrected by what is on disk; nothing is written."""
        manifest = self.load()
        _found, active = self.find()
        if manifest is None:
            manifest = self._rebuilt(active)
        if manifest.candidate and (manifest.candidate == active or not os.path.isdir(self.path(manifest.candidate))):
            # Already activated, or never created: the run was killed in between.
            if manifest.candidate != active:
                manifest.releases.pop(manifest.candidate, None)
            manifest.candidate = None
        for name in [name for name in manifest.releases if not os.path.isdir(self.path(name))]:
            del manifest.releases[name]
        if active and active not in manifest.releases:
            manifest.releases[active] = ReleaseRecord(complete=True)
        manifest.counter = max([manifest.counter, *(number_of(name) for name in manifest.releases)])
        if manifest.committed not in manifest.releases:
            manifest.committed = None
        if manifest.previous not in manifest.releases:
            manifest.previous = None
        return manifest

    def _rebuilt(self, active: str | None) -> Manifest:
        """A manifest for releases whose manifest is lost: nothing is known of them, and none is deleted."""
        manifest = Manifest()
        if os.path.isdir(self.directory):
            for name in os.listdir(self.directory):
                if RELEASE_ID.match(name) and os.path.isdir(self.path(name)) and not os.path.islink(self.path(name)):
                    manifest.releases[name] = ReleaseRecord(complete=name == active, taken_over=True)
        return manifest

    def write(self, manifest: Manifest) -> None:
        """Replace the manifest in one step."""
        write_atomic(self.manifest_path, to_text(manifest), mode=0o600)

    # --- the directories --------------------------------------------------------------------------

    def make_directories(self) -> None:
        """Create the directories, readable for the user and the group alone."""
        os.makedirs(self.parent, mode=0o755, exist_ok=True)
        for path, mode in self._modes().items():
            make_directory(path, mode)

    def opened(self) -> list[str]:
        """Return the directories that have permissions beyond those that they were created with."""
        return [path for path, mode in self._modes().items() if os.path.isdir(path) and _beyond(path, mode)]

    def _modes(self) -> dict[str, int]:
        return {self.directory: 0o750, self.shared: 0o750, self.venvs: 0o755, self.baselines: 0o700}

    @contextlib.contextmanager
    def locked(self, wait_s: float = 30) -> Iterator[None]:
        """Exclude other calls for this project.

        :raises ReleaseError: If another one does not end in time.
        """
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            deadline = time.monotonic() + wait_s
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise ReleaseError(
                            f"another process is changing the releases in {self.directory}, and did not end within "
                            f"{wait_s:g} s; wait for that deployment"
                        ) from None
                    time.sleep(0.1)
            yield
        finally:
            os.close(descriptor)


def make_directory(path: str, mode: int) -> None:
    """Create a directory with this mode; an existing one loses the permissions beyond it."""
    if not os.path.isdir(path):
        os.mkdir(path, mode)
        os.chmod(path, mode)
    elif _beyond(path, mode):
        os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & mode)


def _beyond(path: str, mode: int) -> int:
    """Return the permissions of a directory that the mode does not have."""
    return stat.S_IMODE(os.stat(path).st_mode) & ~mode & 0o777
