# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a project's saved state, in a directory that only root can write to."""

from __future__ import annotations

import contextlib
import os
import shutil

from .._host.files import UnsafeFileError, protected_directory, read_file, sweep, write_atomic
from .errors import ReleaseError
from .project_key import project_key
from .saved_state import SavedState, from_text, to_text

DIRECTORY = "/var/lib/codeframe-staging"
_FILE = "state.json"
#: Group and others may enter it, so that the deploy user can read an archive below it by its path.
_MODE = 0o711


class StateStore:
    """The saved state of one project.

    :param project: The project directory.
    """

    def __init__(self, project: str) -> None:
        self.project = project.rstrip("/")
        self.directory = os.path.join(DIRECTORY, project_key(project))
        self.path = os.path.join(self.directory, _FILE)
        self.incoming = os.path.join(self.directory, "incoming")

    def read(self) -> SavedState:
        """Return the saved state; an empty one where nothing is saved.

        :raises ReleaseError: If another user can write to it, or if it is refused.
        """
        try:
            with protected_directory(self.directory) as directory:
                content = read_file(_FILE, dir_fd=directory, owners={0, os.geteuid()}, forbid=0o077, single=True)
        except FileNotFoundError:
            return SavedState(self.project)
        except UnsafeFileError as problem:
            raise self._unsafe(problem) from None
        return from_text(content.text(), self.path, self.project)

    def write(self, state: SavedState) -> None:
        """Replace the saved state in one step.

        :raises ReleaseError: If another user can write to the directory.
        """
        try:
            with protected_directory(self.directory, create=_MODE) as directory:
                sweep(".", dir_fd=directory)
                write_atomic(_FILE, to_text(state), mode=0o600, dir_fd=directory)
        except UnsafeFileError as problem:
            raise self._unsafe(problem) from None

    def make_incoming(self) -> None:
        """Create the directory for archives, and empty it.

        :raises ReleaseError: If another user can write to it.
        """
        try:
            with protected_directory(self.incoming, create=_MODE) as directory:
                for name in os.listdir(directory):
                    os.unlink(name, dir_fd=directory)
        except UnsafeFileError as problem:
            raise self._unsafe(problem) from None

    def exists(self) -> bool:
        """Whether the directory of this project exists."""
        return os.path.lexists(self.directory)

    def remove(self) -> None:
        """Delete the directory of this project, and that of all projects if it is empty then.

        :raises ReleaseError: If another user can write to it.
        """
        try:
            with protected_directory(self.directory):
                # No other user can exchange anything in it meanwhile.
                shutil.rmtree(self.directory)
        except UnsafeFileError as problem:
            raise self._unsafe(problem) from None
        with contextlib.suppress(OSError):
            os.rmdir(DIRECTORY)

    def _unsafe(self, problem: UnsafeFileError) -> ReleaseError:
        where = problem.filename if str(problem.filename).startswith("/") else self.path
        return ReleaseError(
            f"the saved state of {self.project} is not used: {where} {problem.strerror}, expected one that belongs to "
            "root and that no other user can write to; find out who changed it, and repair its owner and mode"
        )
