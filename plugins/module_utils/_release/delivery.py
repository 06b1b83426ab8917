# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the source of a release comes from: a git repository, an archive, or the project directory as it is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any

from . import git
from .archive import archived_tree, unpack
from .errors import ReleaseError
from .git_access import OpenAccess
from .git_parts import fetch_parts
from .manifest import Layout
from .plan import WantedSource
from .project import Project
from .source import exclusion
from .tree import Tree, read_tree, tree_digest


@dataclass(frozen=True)
class Source:
    """The source that a user asked for; the fields are the options of the module."""

    kind: str | None
    git_url: str | None = None
    version: str = "HEAD"
    git_timeout_s: float = 600
    git_access: OpenAccess = field(default_factory=OpenAccess)
    git_submodules: bool = True
    git_lfs: bool = True
    archive: str | None = None
    revision: str | None = None

    @property
    def in_place(self) -> bool:
        return self.kind == "in_place"

    def git(self) -> git.Git:
        return git.Git(self.git_url, self.git_timeout_s, access=self.git_access)

    def origin(self) -> dict[str, Any]:
        """Return what is recorded of the source's origin."""
        origin: dict[str, Any] = {"type": self.kind}
        if self.kind == "git":
            origin.update(url=self.git().shown_url, version=self.version)
        elif self.kind == "archive":
            origin.update(archive=os.path.basename(self.archive or "archive"))
        return origin

    def wanted(self, project: Project, *, predicting: bool) -> WantedSource:
        """Find out which revision is wanted.

        :param predicting: Nothing may be written, so that a revision may stay unknown.
        :raises ReleaseError: If there is none.
        """
        if self.in_place:
            return WantedSource(revision=None, in_place=True)
        if self.kind == "archive":
            return WantedSource(self._archive_revision(predicting))
        version = self.version
        if not version or version.startswith("-") or any(c.isspace() or ord(c) < 32 for c in version):
            raise ReleaseError(f"version is {version!r}; expected a branch, a tag or a commit")
        if git.FULL_COMMIT.match(version):
            return WantedSource(version)
        program = self.git()
        if predicting and not program.available():
            return WantedSource(None)
        commit = program.remote_commit(version) or program.local_commit(project.mirror, version)
        if commit is None and not predicting:
            commit = program.fetch(project.mirror, version, None)
        return WantedSource(commit)

    def _archive_revision(self, predicting: bool) -> str | None:
        if self.revision:
            return self.revision
        if not self.archive:
            raise ReleaseError("neither archive nor revision is given; expected the archive with the source")
        if not os.path.isfile(self.archive):
            if predicting:
                return None
            raise ReleaseError(f"the archive {self.archive} does not exist; upload it first")
        return tree_digest(archived_tree(self.archive))

    def fetched(self, project: Project, wanted: WantedSource) -> WantedSource:
        """Make sure that the source is on this host, before anything is changed.

        :raises ReleaseError: If it is not, and cannot be fetched.
        """
        if self.kind == "git":
            return replace(wanted, revision=self.git().fetch(project.mirror, self.version, wanted.revision))
        if not self.archive or not os.path.isfile(self.archive):
            raise ReleaseError(
                f"the archive {self.archive or '(option archive)'} does not exist, and a new release is to be made of "
                "it; upload it first"
            )
        return wanted

    def names(self, project: Project, wanted: WantedSource) -> set[str] | None:
        """Return the files of the wanted source; None if it is not on this host yet, or is in place."""
        if self.kind == "archive" and self.archive and os.path.isfile(self.archive):
            return set(archived_tree(self.archive))
        if self.kind == "git" and wanted.revision and self.git().local_commit(project.mirror, wanted.revision):
            return set(git.files_of(self.git(), project.mirror, wanted.revision))
        return None

    def deliver(self, project: Project, directory: str, wanted: WantedSource, layout: Layout) -> Tree:
        """Put the source into the candidate's directory, and return its tree.

        :raises ReleaseError: If a part of it cannot be fetched.
        """
        excluded = exclusion(layout)
        if self.kind == "git":
            program = self.git()
            program.clone(project.mirror, directory, wanted.revision or "")
            fetch_parts(program, directory, project.mirror, submodules=self.git_submodules, lfs=self.git_lfs)
            names = git.tracked_files(program, directory)
            return read_tree(directory, (name for name in names if not excluded.covers(name)))
        os.mkdir(directory, 0o755)
        tree = unpack(str(self.archive), directory)
        return {name: entry for name, entry in tree.items() if not excluded.covers(name)}
