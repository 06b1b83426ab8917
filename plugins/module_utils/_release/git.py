# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Source from git: one bare mirror beside the releases, and a clone of it in each."""

from __future__ import annotations

import glob
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

from .._host.accounts import Account
from .._host.command import c_locale, run
from .._host.url import without_userinfo
from .errors import ReleaseError, UnknownVersionError
from .git_access import OpenAccess, ssh_command
from .git_reason import cause_of, remedy_for

FULL_COMMIT = re.compile(r"[0-9a-f]{40}\Z|[0-9a-f]{64}\Z")
SHORT_COMMIT = re.compile(r"[0-9a-f]{4,64}\Z")
REMOTE = "staging"
_SUBMODULE = "160000 "
"""Mode of a submodule in the listing of a commit."""


@dataclass(frozen=True)
class GitResult:
    """How a git command ended.

    :param problem: The lines of its error output that name the cause, without a password.
    """

    status: int
    out: str
    problem: str


class Git:
    """Git commands for one source. The URL never appears in the arguments of a process.

    :param account: Run git as this user; needs root.
    :param access: What a private repository is read with.
    """

    def __init__(
        self,
        url: str | None = None,
        timeout_s: float = 600,
        executable: str = "git",
        account: Account | None = None,
        access: OpenAccess | None = None,
    ) -> None:
        self._account = account
        self._access = access or OpenAccess()
        self._url = url
        self._timeout_s = timeout_s
        self._executable = executable

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown."""
        return without_userinfo(self._url or "")

    def available(self) -> bool:
        """Whether git is installed."""
        return shutil.which(self._executable) is not None

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in c_locale().items() if not name.startswith("GIT_DIR")}
        # Without its optional locks, git status does not rewrite the index of a directory that is only read.
        # Files of LFS are fetched in a step of their own, which has a message of its own.
        environment.update(GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0", GIT_LFS_SKIP_SMUDGE="1")
        environment.setdefault("GIT_SSH_COMMAND", ssh_command())
        environment.update(self._access.environment)
        config = [*([(f"remote.{REMOTE}.url", self._url)] if self._url else []), *self._access.config]
        if config:
            environment["GIT_CONFIG_COUNT"] = str(len(config))
        for index, (name, value) in enumerate(config):
            environment.update({f"GIT_CONFIG_KEY_{index}": name, f"GIT_CONFIG_VALUE_{index}": value})
        return environment

    def run(self, arguments: Sequence[str], directory: str | None = None) -> GitResult:
        """Run git.

        :raises ReleaseError: If git is not installed, or does not end in time.
        """
        command = [self._executable, *(["-C", directory] if directory else []), *arguments]
        try:
            # File names need not be UTF-8.
            ended = run(
                command,
                cwd=directory or "/",
                env=self._environment(),
                deadline=time.monotonic() + self._timeout_s,
                separate=True,
                account=self._account,
                errors="surrogateescape",
            )
        except FileNotFoundError:
            raise ReleaseError(f"{self._executable} is not installed, and the source is to come from git") from None
        if ended.code is None:
            raise ReleaseError(
                f"git {arguments[0]} for {self.shown_url or directory} did not end within {self._timeout_s:g} s; "
                "the server does not answer or the repository is too large for that time"
            )
        problem = os.fsencode(ended.errors).decode("utf-8", "replace").strip()
        if self._url and self._url != self.shown_url:
            problem = problem.replace(self._url, self.shown_url)
        return GitResult(ended.code, ended.output, cause_of(problem))

    def checked(self, arguments: Sequence[str], directory: str | None, attempt: str) -> str:
        """Run git and return what it printed.

        :raises ReleaseError: If it failed; the sentence begins with the attempt.
        """
        answer = self.run(arguments, directory)
        if answer.status:
            raise ReleaseError(f"{attempt} failed: {answer.problem or f'git ended with {answer.status}'}")
        return answer.out

    def unknown(self, version: str) -> UnknownVersionError:
        """The error for a version that the repository does not have."""
        return UnknownVersionError(
            f"version {version!r} is not known to {self.shown_url}; expected a branch, a tag or a commit of it "
            "(was it pushed?)"
        )

    def remote_commit(self, version: str) -> str | None:
        """Ask the server for the commit of a version; None if only a fetch can resolve it."""
        answer = self.run(["ls-remote", REMOTE, version, f"refs/tags/{version}^{{}}"], "/")
        if answer.status:
            raise ReleaseError(
                f"the git repository {self.shown_url} cannot be read: {answer.problem}; {remedy_for(answer.problem)}"
            )
        commit = choose_reference(answer.out, version)
        if commit is None and not SHORT_COMMIT.match(version):
            raise self.unknown(version)
        return commit

    def local_commit(self, repository: str, version: str) -> str | None:
        """Return the full commit of a (short) commit that a repository already has."""
        if not os.path.isdir(repository):
            return None
        answer = self.run(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{version}^{{commit}}"], repository)
        return answer.out.strip() if answer.status == 0 and answer.out.strip() else None

    def fetch(self, mirror: str, version: str, commit: str | None) -> str:
        """Update the mirror as far as needed, and return the full commit of the version."""
        if not os.path.isfile(os.path.join(mirror, "HEAD")):
            self.checked(["init", "--quiet", "--bare", mirror], None, f"creating the mirror {mirror}")
        # A killed git leaves its locks behind. No other process uses the mirror while the caller holds the lock.
        for lock in glob.iglob(os.path.join(glob.escape(mirror), "**", "*.lock"), recursive=True):
            os.unlink(lock)
        if commit is not None and self.local_commit(mirror, commit):
            return commit
        references = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        attempt = f"fetching {self.shown_url}"
        answer = self.run(["fetch", "--quiet", "--prune", "--force", REMOTE, *references], mirror)
        if answer.status:
            raise ReleaseError(f"{attempt} failed: {answer.problem}; {remedy_for(answer.problem)}")
        found = self.local_commit(mirror, commit or version)
        for wanted in (version, commit):
            # On no branch, such as the head of a merge request. Servers return it by its reference, some by its number.
            if (
                found is None
                and wanted
                and self.run(["fetch", "--quiet", "--force", REMOTE, wanted], mirror).status == 0
            ):
                found = self.local_commit(mirror, commit or "FETCH_HEAD")
        if found is None:
            raise self.unknown(version)
        return found

    def clone(self, mirror: str, target: str, commit: str) -> None:
        """Create a clone that shares its objects with the mirror by hard links, detached at the commit."""
        attempt = f"checking out {commit} of {self.shown_url} in {target}"
        quiet = ["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"]
        self.checked([*quiet, "clone", "--quiet", "--local", "--no-checkout", mirror, target], None, attempt)
        self.checked(["remote", "set-url", "origin", self.shown_url], target, attempt)
        self.checked([*quiet, "checkout", "--quiet", "--detach", commit], target, attempt)


def choose_reference(listing: str, version: str) -> str | None:
    """Choose the commit of a version from the output of ``git ls-remote``.

    As with git itself, a tag wins over a branch of the same name; of an
    annotated tag the commit counts, not the tag.
    """
    found = {}
    for line in listing.splitlines():
        commit, _tab, name = line.partition("\t")
        found[name] = commit
    for name in (f"refs/tags/{version}^{{}}", f"refs/tags/{version}", f"refs/heads/{version}", version):
        if name in found:
            return found[name]
    return None


def tracked_files(git: Git, directory: str) -> list[str]:
    """Return the files of the commit that is checked out, those of its submodules included."""
    found = []
    for path, is_submodule in _entries(git, directory, "HEAD"):
        below = os.path.join(directory, path)
        if not is_submodule:
            found.append(path)
        elif head(git, below):
            found += [os.path.join(path, name) for name in tracked_files(git, below)]
    return found


def files_of(git: Git, repository: str, commit: str) -> list[str]:
    """Return the files of a commit, without those of submodules."""
    return [path for path, is_submodule in _entries(git, repository, commit) if not is_submodule]


def submodules_in(git: Git, directory: str) -> list[str]:
    """Return the paths of the submodules of the commit that is checked out, fetched or not."""
    return [path for path, is_submodule in _entries(git, directory, "HEAD") if is_submodule]


def _entries(git: Git, repository: str, commit: str) -> list[tuple[str, bool]]:
    """Return the paths of a commit, each with whether it is a submodule."""
    listing = git.checked(
        ["ls-tree", "-r", "-z", "--full-tree", commit], repository, f"listing the files of {repository}"
    )
    lines = [line.partition("\t") for line in listing.split("\0") if line]
    return [(path, described.startswith(_SUBMODULE)) for described, _tab, path in lines]


def present_files(git: Git, directory: str) -> list[str]:
    """Return the files of a checkout that git does not ignore, untracked ones and those of submodules included."""
    listing = git.checked(
        ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        directory,
        f"listing the files of {directory}",
    )
    found = []
    for name in dict.fromkeys(listing.split("\0")):
        path = os.path.join(directory, name)
        if name and not name.endswith("/") and os.path.isdir(path) and not os.path.islink(path):
            if os.path.lexists(os.path.join(path, ".git")):
                found += [os.path.join(name, below) for below in present_files(git, path)]
        elif name and os.path.lexists(path):
            found.append(name)
    return found


def changes(git: Git, directory: str) -> list[tuple[str, str]]:
    """Return the paths below a directory whose content is in no commit, with the two letters of ``git status``."""
    attempt = f"asking git about {directory}"
    top = git.checked(["rev-parse", "--show-prefix"], directory, attempt).rstrip("\n")
    listing = git.checked(
        ["status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", "."], directory, attempt
    )
    return [(line[:2], line[3 + len(top) :]) for line in listing.split("\0") if line]


def conflicts(git: Git, directory: str) -> list[str]:
    """Return the files of a checkout that a merge has left with conflicts."""
    listing = git.checked(["ls-files", "-z", "--unmerged"], directory, f"asking git about {directory}")
    return sorted({path for _described, tab, path in (line.partition("\t") for line in listing.split("\0")) if tab})


def head(git: Git, directory: str) -> str | None:
    """Return the commit that is checked out; None if the directory is no checkout of its own."""
    if not os.path.lexists(os.path.join(directory, ".git")):
        return None
    return git.local_commit(directory, "HEAD")


def inside_checkout(git: Git, directory: str) -> bool:
    """Whether a directory is in a git checkout.

    :raises ReleaseError: If it is in a checkout that git refuses to read.
    """
    answer = git.run(["rev-parse", "--is-inside-work-tree"], directory)
    if answer.status == 0:
        return answer.out.strip() == "true"
    if "dubious ownership" in answer.problem:
        # Without git, its ignored files, such as secrets, would count as source.
        raise ReleaseError(
            f"{directory} is a git checkout of another user, which git refuses to read; run as its owner, "
            "or add it to git's safe.directory"
        )
    return False
