# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the releases have a place on the host, judged from facts that were gathered before."""

from __future__ import annotations

from dataclasses import dataclass

from .finding import PreflightFinding
from .project import SYSTEM_DIRS
from .variables import CREATE_PARENT, PROJECT_DIR, DeploymentInputs

#: Space for a first deployment: measured on an application with 647 MB of node_modules and a build of 67 MB.
FIRST_DEPLOYMENT_BYTES = 2 * 1024**3
#: What any further deployment needs at least.
LEAST_FREE_BYTES = 256 * 1024**2
LEAST_FREE_INODES = 100_000


@dataclass(frozen=True)
class Storage:
    """The nearest existing part of the releases' directory, and what is known of it."""

    nearest: str
    is_directory: bool = True
    unwritable: tuple[str, ...] = ()
    """Directories in which the deploy user must create something and cannot."""
    creatable: str = ""
    """The first missing directory above the project, if root can create it for the deploy user without a risk."""
    read_only: bool = False
    no_exec: bool = False
    free_bytes: int = 0
    free_inodes: int | None = None
    """None where the file system does not count them."""
    closed: str = ""
    """A directory above it that the deploy user cannot enter."""


def needed_bytes(active_release_bytes: int | None) -> int:
    """What a deployment needs.

    :param active_release_bytes: Size of the active release; None where there is none.
    """
    if active_release_bytes is None:
        return FIRST_DEPLOYMENT_BYTES
    return max(LEAST_FREE_BYTES, int(1.2 * active_release_bytes))


def judge_storage(inputs: DeploymentInputs, storage: Storage, *, needed: int) -> list[PreflightFinding]:
    """:param needed: Bytes that a deployment needs."""
    found: list[PreflightFinding] = []
    user, nearest = inputs.text("staging_user"), storage.nearest

    def add(name: str, what: str, expected: str, remedy: str) -> None:
        found.append(inputs.finding(name, PROJECT_DIR, expected, remedy, found=what))

    if not storage.is_directory:
        add(
            "path-blocked",
            f"{nearest} is not a directory",
            "a directory for the releases",
            "move that file away, or choose another directory",
        )
        return found
    if storage.read_only:
        add(
            "path-read-only",
            f"the file system of {nearest} is mounted read-only",
            "a writable file system",
            "mount it for writing, or choose another directory",
        )
        return found
    if storage.unwritable and not (storage.creatable and inputs.creates_parent):
        add(
            "path-not-writable",
            f"{user} cannot write to {' and '.join(storage.unwritable)}",
            f"a directory in which {user} can create the releases and the link to the active one",
            _place_for(inputs, storage),
        )
    if storage.no_exec:
        add(
            "path-no-exec",
            f"the file system of {nearest} is mounted noexec",
            "a file system from which the programs of a release can run",
            "mount it without noexec, or choose another directory",
        )
    if storage.closed:
        add(
            "path-closed",
            f"{user} cannot enter {storage.closed}",
            f"directories that {user} can enter",
            f"run chmod o+x {storage.closed}, or choose another directory",
        )
    if storage.free_bytes < needed:
        add(
            "disk-space",
            f"{nearest} has {size(storage.free_bytes)} left",
            f"{size(needed)} for a deployment",
            "free some space, or lower staging_min_free_bytes",
        )
    if storage.free_inodes is not None and storage.free_inodes < LEAST_FREE_INODES:
        add(
            "inodes",
            f"{nearest} has {storage.free_inodes} inodes left",
            f"{LEAST_FREE_INODES} inodes for a deployment",
            "remove small files, or choose another file system",
        )
    return found


def _place_for(inputs: DeploymentInputs, storage: Storage) -> str:
    """How the deploy user gets a directory of its own, without a change of a directory that others use."""
    user, project_dir = inputs.text("staging_user"), inputs.text(PROJECT_DIR)
    if storage.creatable:
        return f"set {CREATE_PARENT}: true, which creates {storage.creatable} for {user}, or choose another directory"
    if storage.nearest.startswith(f"{project_dir}.releases"):
        return f"make {user} the owner of {' and '.join(storage.unwritable)}"
    inside = f"{project_dir}/{project_dir.rpartition('/')[2]}"
    owner = f", or make {user} the owner of {storage.unwritable[0]}"
    return f"write {inside} and set {CREATE_PARENT}: true{'' if storage.unwritable[0] in SYSTEM_DIRS else owner}"


def size(number: int) -> str:
    """A number of bytes for people, in binary units."""
    rest = float(number)
    for unit in ("B", "KiB", "MiB"):
        if rest < 1024:
            return f"{rest:.0f} {unit}" if unit == "B" or rest >= 100 else f"{rest:.1f} {unit}"
        rest /= 1024
    return f"{rest:.0f} GiB" if rest >= 100 else f"{rest:.1f} GiB"
