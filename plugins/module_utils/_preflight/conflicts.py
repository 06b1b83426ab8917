# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manual deployment has on the host that this one would replace, judged from facts that were gathered before."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._host.sockets import Place, named
from .._nginx.site.name_length import LongName
from .finding import PreflightFinding
from .listeners import PortHolder
from .variables import PROJECT_DIR, TAKE_OVER, DeploymentInputs

#: Files that package managers rewrite.
LOCK_FILES = frozenset(
    (
        "bun.lock",
        "bun.lockb",
        "npm-shrinkwrap.json",
        "package-lock.json",
        "Pipfile.lock",
        "pnpm-lock.yaml",
        "poetry.lock",
        "uv.lock",
        "yarn.lock",
    )
)
_NAMED = 5


@dataclass(frozen=True)
class NameClaim:
    """A server block of an unmanaged file that answers for a public name; ``where`` is its file and line."""

    name: str
    port: int
    where: str
    obstacle: str = ""
    """Why that file cannot be taken over; empty if it can."""


@dataclass(frozen=True)
class UncommittedFiles:
    """The files of a checkout that are in no commit, by kind."""

    lock_files: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()


def by_kind(changes: Iterable[tuple[str, str]]) -> UncommittedFiles:
    """:param changes: The two letters of ``git status --porcelain`` with each path."""
    lock_files, untracked, edited = [], [], []
    for code, path in changes:
        if code == "??":
            untracked.append(path)
        elif path.rpartition("/")[2] in LOCK_FILES:
            lock_files.append(path)
        else:
            edited.append(path)
    return UncommittedFiles(tuple(lock_files), tuple(untracked), tuple(edited))


def judge_names(inputs: DeploymentInputs, claims: Iterable[NameClaim]) -> list[PreflightFinding]:
    """Other files of nginx that answer for the public names."""
    found = []
    for claim in claims:
        what = f"{claim.where} answers for {claim.name} on port {claim.port}"
        if claim.obstacle:
            found.append(
                inputs.finding(
                    "nginx-name-shared",
                    TAKE_OVER,
                    "a file that answers for names of this deployment alone",
                    "remove the name there, or move what else is in that file to another one",
                    found=f"{what} and cannot be taken over, because {claim.obstacle}",
                )
            )
        elif not inputs.takes_over:
            found.append(
                inputs.finding(
                    "nginx-name-claimed",
                    TAKE_OVER,
                    "no other file of nginx that answers for it",
                    f"set {TAKE_OVER}: true, which keeps that file aside until a rollback or a removal restores it, or "
                    "remove the name there",
                    found=what,
                )
            )
    return found


def judge_name_lengths(inputs: DeploymentInputs, names: Iterable[LongName]) -> list[PreflightFinding]:
    """Public names that nginx would refuse for their length."""
    return [
        inputs.finding(
            "nginx-name-length",
            "staging_proxy_provider",
            f"a host name of at most {each.limit} characters",
            f"{each.remedy}, or choose a shorter name",
            found=each.found,
        )
        for each in names
    ]


def judge_processes(
    inputs: DeploymentInputs,
    places: Mapping[str, Place],
    names: Sequence[str],
    holders: Iterable[PortHolder],
    user: str,
) -> list[PreflightFinding]:
    """pm2 processes that this deployment would not find by their names.

    :param places: Ports and socket of the application, by the variable that names them.
    :param names: Of its pm2 processes.
    :param user: The deploy user.
    """
    found = []
    variables = {place: variable for variable, place in places.items()}
    for holder in holders:
        if holder.place not in variables or not holder.pm2_name or not holder.managed:
            # Another application, whose port is judged as held.
            continue
        variable, kind = variables[holder.place], "socket" if isinstance(holder.place, str) else "port"
        what = f"the pm2 process {holder.pm2_name} of {holder.user} listens on {named(holder.place)}"
        if holder.user != user:
            stop = shlex.join(["sudo", "-iu", holder.user, "pm2", "delete", holder.pm2_name])
            found.append(
                inputs.finding(
                    "pm2-of-another-user",
                    "staging_user",
                    f"a {kind} that no other user's pm2 has",
                    f"run {stop} (and pm2 save as that user), or set staging_user: {holder.user}, or write another "
                    f"{kind} into {variable}",
                    found=what,
                )
            )
        elif holder.pm2_name not in names and not inputs.takes_over:
            found.append(
                inputs.finding(
                    "pm2-other-name",
                    TAKE_OVER,
                    f"one of the names {', '.join(names)}",
                    f"set {TAKE_OVER}: true, which replaces that process, or write its name into "
                    f"{variable.replace('_green_port', '_port').replace(f'_{kind}', '_process_name')}",
                    found=what,
                )
            )
    return found


def judge_checkout(inputs: DeploymentInputs, directory: str, files: UncommittedFiles) -> list[PreflightFinding]:
    """Work in a checkout that is taken over and whose source comes from elsewhere.

    :param directory: The checkout.
    """
    if inputs.takes_over:
        # They are kept in the first release, and listed when it is made.
        return []
    found = []
    keep = f"set {TAKE_OVER}: true, which keeps them in the first release"
    if files.lock_files:
        restore = shlex.join(["git", "-C", directory, "checkout", "--", *files.lock_files])
        found.append(
            inputs.finding(
                "checkout-lock-files",
                TAKE_OVER,
                "lock files as they were committed",
                f"restore them ({restore}), or {keep}",
                found=f"in {directory}, a tool has rewritten {_listed(files.lock_files)}",
            )
        )
    if files.untracked:
        found.append(
            inputs.finding(
                "checkout-untracked",
                TAKE_OVER,
                "a checkout without untracked files",
                "add data among them to staging_shared_paths and what may be lost to staging_leave_behind, delete "
                f"what is not needed, or {keep}",
                found=f"{directory} has files that are in no commit ({_listed(files.untracked)})",
            )
        )
    if files.edited:
        found.append(
            inputs.finding(
                "checkout-edits",
                TAKE_OVER,
                "edits that are committed, because the deployed source does not contain them",
                f"commit and push them, or {keep}",
                found=f"in {directory}, files were edited ({_listed(files.edited)})",
            )
        )
    return found


def judge_merge(inputs: DeploymentInputs, directory: str, conflicts: Sequence[str]) -> list[PreflightFinding]:
    """A merge that was not completed in a checkout that is deployed as it is.

    :param conflicts: Files with conflicts.
    """
    if not conflicts:
        return []
    command = shlex.join(["git", "-C", directory])
    return [
        inputs.finding(
            "checkout-conflicts",
            PROJECT_DIR,
            "files without conflict markers",
            f"correct them and commit, or go back to the commit before the merge ({command} merge --abort, or "
            f"{command} rebase --abort)",
            found=f"a merge in {directory} has left conflicts in {_listed(conflicts)}",
        )
    ]


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(path if path.isprintable() else ascii(path) for path in paths[:_NAMED]) + more
