# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a repository keeps elsewhere: submodules in other repositories, large files in Git LFS."""

from __future__ import annotations

import os
from collections.abc import Iterator

from .errors import ReleaseError
from .git import Git, submodules_in
from .git_reason import remedy_for

_SHOWN = 3


def fetch_parts(git: Git, directory: str, mirror: str, *, submodules: bool, lfs: bool) -> None:
    """Complete a checkout by what its repository keeps elsewhere.

    :param mirror: The repository beside the releases, which keeps LFS files for the next release.
    :raises ReleaseError: If something cannot be fetched.
    """
    if submodules and submodules_in(git, directory):
        answer = git.run(["-c", "core.hooksPath=/dev/null", "submodule", "update", "--init", "--recursive"], directory)
        if answer.status:
            raise ReleaseError(
                f"fetching the submodules of {git.shown_url} failed: {answer.problem}; {remedy_for(answer.problem)}, "
                "or set staging_git_submodules to false to deploy without them"
            )
    if lfs:
        for checkout in _checkouts(git, directory):
            _fetch_large_files(git, checkout, os.path.join(mirror, "lfs"))


def _checkouts(git: Git, directory: str) -> Iterator[str]:
    """The checkout and those of its submodules."""
    yield directory
    for path in submodules_in(git, directory):
        below = os.path.join(directory, path)
        if os.path.lexists(os.path.join(below, ".git")):
            yield from _checkouts(git, below)


def _fetch_large_files(git: Git, checkout: str, storage: str) -> None:
    listing = git.checked(
        ["ls-files", "-z", "--", ":(attr:filter=lfs)"], checkout, f"listing the LFS files of {checkout}"
    )
    paths = [path for path in listing.split("\0") if path]
    if not paths:
        return
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    named = f"{', '.join(paths[:_SHOWN])}{more}"
    if git.run(["lfs", "version"], checkout).status:
        raise ReleaseError(
            f"files of {git.shown_url} are in Git LFS ({named}), and git-lfs is not installed on the host; add git-lfs "
            "to staging_packages, or set staging_git_lfs to false to deploy the pointers instead of the files"
        )
    attempt = f"fetching the LFS files of {git.shown_url} ({named})"
    # The checkout's own configuration, so that git finds no difference between a file and its pointer.
    git.checked(["lfs", "install", "--local", "--skip-repo", "--skip-smudge"], checkout, attempt)
    # Not in the environment, which git-lfs hands on to its other end if that is on this machine.
    git.checked(["config", "lfs.storage", storage], checkout, attempt)
    answer = git.run(["lfs", "pull"], checkout)
    if answer.status:
        raise ReleaseError(f"{attempt} failed: {answer.problem}; {remedy_for(answer.problem)}")
    missing = [path for path in paths if _is_pointer(os.path.join(checkout, path))]
    if missing:
        raise ReleaseError(
            f"{attempt} failed: {', '.join(missing[:_SHOWN])} is still a pointer; push it with git lfs push"
        )


def _is_pointer(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(40).startswith(b"version https://git-lfs.github.com/spec/")
    except OSError:
        return False
