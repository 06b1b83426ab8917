# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the deploy user can use what the project has on the host, judged from facts that were gathered before."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .finding import PreflightFinding
from .variables import PROJECT_DIR, DeploymentInputs

_NAMED = 5


@dataclass(frozen=True)
class Contents:
    """What is in the active release, or in a directory that is to be taken over."""

    size: int | None = None
    """Bytes on disk; None where there is nothing yet."""
    foreign: Mapping[str, str] = field(default_factory=dict)
    """Files and directories of other users by their owners' names, without what is below such a directory."""


def judge_owners(inputs: DeploymentInputs, foreign: Mapping[str, str], *, user_exists: bool) -> list[PreflightFinding]:
    """What belongs to another user than the deploy user, who can neither replace nor link it.

    :param foreign: Paths with the names of their owners.
    """
    if not foreign:
        return []
    user, paths = inputs.text("staging_user"), sorted(foreign)
    owners = sorted(set(foreign.values()))
    create = "" if user_exists else f"create the user {user} and "
    other = f", or set staging_user: {owners[0]}" if owners not in (["root"], [user]) and len(owners) == 1 else ""
    return [
        inputs.finding(
            "files-of-another-user",
            PROJECT_DIR,
            f"files of {user}, who cannot replace those of others",
            f"{create}run {shlex.join(['chown', '-Rh', user, *_to_change(paths)])}{other}",
            found=f"{_listed(paths)} there {'belongs' if len(paths) == 1 else 'belong'} to {' and '.join(owners)}",
        )
    ]


def judge_env_file(inputs: DeploymentInputs, problem: str) -> list[PreflightFinding]:
    """An environment file of a directory to be taken over, whose keys the first release keeps.

    :param problem: Why it cannot be read, with a remedy; empty where it can.
    """
    if not problem:
        return []
    found, _, remedy = problem.partition("; ")
    return [
        inputs.finding(
            "env-file-unreadable",
            "staging_env_file",
            "an environment file whose keys can be kept",
            remedy,
            found=found,
        )
    ]


def judge_source_in_place(inputs: DeploymentInputs, *, exists: bool) -> list[PreflightFinding]:
    """:param exists: Whether there is a directory with something in it."""
    if exists:
        return []
    return [
        inputs.finding(
            "source-in-place-missing",
            PROJECT_DIR,
            "the source of the application, because staging_source_type is in_place",
            "put it there as the deploy user, or choose another staging_source_type",
            found="the host has no such directory, or nothing is in it",
        )
    ]


def _to_change(paths: Sequence[str]) -> list[str]:
    """What one command gives to the deploy user: the paths, or the directories that contain all of them."""
    if len(paths) > _NAMED:
        paths = [path.rpartition("/")[0] for path in paths]
    wanted = {_typeable(path) for path in paths}
    return sorted(each for each in wanted if not any(each.startswith(f"{other}/") for other in wanted))[:_NAMED]


def _typeable(path: str) -> str:
    """The path, or the directory above it whose name has no control characters."""
    while not path.isprintable():
        path = path.rpartition("/")[0]
    return path


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(path if path.isprintable() else ascii(path) for path in paths[:_NAMED]) + more
