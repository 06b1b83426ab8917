# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete all that deployments have made of a project, and leave its data and what was there before."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection

from . import pruning
from .copying import remove_tree
from .errors import ReleaseError
from .manifest import Manifest, ReleaseRecord
from .operation import Operation
from .plan import Found
from .project import Project
from .steps import data_in

#: Where env files go that no remaining release has, below the directory of the releases.
KEPT_ENV = "kept"
#: Of the backend's environment, what was generated on the host; data may be encrypted with it.
GENERATED = "generated.env"


def remaining_release(manifest: Manifest, active: str | None) -> str | None:
    """The release that stays as the project, or None.

    With the source type ``in_place``, the active release is the user's own checkout. Otherwise it is the directory that
    was taken over, which stays in the place to which it was moved.
    """
    if active and manifest.releases.get(active, ReleaseRecord()).origin.get("type") == "in_place":
        return active
    return next((name for name, record in manifest.releases.items() if record.taken_over), None)


def remove(operation: Operation) -> None:
    """Delete releases, virtual environments and what belongs to them.

    A run that was killed is completed by the next one.

    :raises ReleaseError: If a process still runs in a release that would be deleted.
    """
    project, manifest = operation.project, operation.manifest
    if operation.found is Found.DIRECTORY:
        raise ReleaseError(f"{project.link} was deployed manually, and no release of it is removed")
    stays = remaining_release(manifest, operation.active)
    kept = _kept_releases(operation, stays)
    gone = [name for name in manifest.releases if name not in kept]
    busy = sorted(pruning.in_use(project) & set(gone)) if os.path.isdir(project.directory) else []
    # A prediction is made before the processes are stopped.
    if busy and not operation.predicting:
        raise ReleaseError(
            f"a process still runs in release {', '.join(busy)}; stop it, and remove the deployment again; nothing was "
            "deleted"
        )
    if stays is None:
        _keep_env_files(operation)
    _move_link(operation, stays)
    if gone:
        operation.because(f"releases are deleted: {', '.join(gone)}")
        operation.drop(gone)
    if manifest.committed or manifest.previous:
        operation.because("no release counts as verified any more")
        manifest.committed = manifest.previous = None
        if manifest.releases:
            operation.write()
    _remove_rest(operation, gone)
    operation.outcome.remaining = remaining(project, manifest)


def _kept_releases(operation: Operation, stays: str | None) -> set[str]:
    """The releases that are not deleted: what was taken over, and those in which the application has written files."""
    kept = {name for name, record in operation.manifest.releases.items() if record.taken_over} | {stays or ""}
    for name, record in operation.manifest.releases.items():
        if name in kept or name == operation.manifest.candidate or not record.complete:
            continue
        found = data_in(operation, name).only_here
        if found:
            operation.outcome.kept_for_data[name] = found
            kept.add(name)
    return kept - {""}


def _keep_env_files(operation: Operation) -> None:
    """Move the env files of the active release aside: the user may have written keys into them."""
    project, active = operation.project, operation.active
    for path in operation.manifest.layout.env_files if active else ():
        source, target = os.path.join(project.path(str(active)), path), os.path.join(project.directory, KEPT_ENV, path)
        if not os.path.isfile(source) or os.path.islink(source):
            continue
        operation.because(f"the env file {path} is kept as {target}")
        if not operation.predicting:
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            os.rename(source, target)


def _move_link(operation: Operation, stays: str | None) -> None:
    project = operation.project
    if operation.found is not Found.LINK or operation.active == stays:
        return
    if stays is None:
        operation.because(f"the link {project.link} is deleted")
        if not operation.predicting:
            os.unlink(project.link)
    else:
        operation.because(f"{project.link} leads to {stays}, the directory that was taken over")
        if not operation.predicting:
            project.point_to(stays)
    operation.active = stays


def _remove_rest(operation: Operation, gone: Collection[str]) -> None:
    """Delete what belongs to no release any more."""
    project, manifest = operation.project, operation.manifest
    # In check mode, what belongs to a deleted release is still there.
    rest = [path for path in pruning.unused(project, manifest) if os.path.basename(path) not in gone]
    if not manifest.releases:
        rest += [
            path
            for path in (project.venvs, project.mirror, os.path.join(project.directory, "manual"))
            if _has_files(path)
        ]
    rest = [path for path in rest if not any(path.startswith(other + "/") for other in rest)]
    if rest:
        names = ", ".join(os.path.relpath(path, project.directory) for path in rest)
        operation.because(f"what no release needs any more is deleted: {names}")
    if operation.predicting:
        return
    for path in rest:
        remove_tree(path)
    if manifest.releases or not os.path.isdir(project.directory):
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(project.manifest_path)
    for path in (project.venvs, project.baselines, project.shared, project.directory):
        # Not empty: data.
        with contextlib.suppress(OSError):
            os.rmdir(path)


def _has_files(directory: str) -> bool:
    return os.path.isdir(directory) and bool(os.listdir(directory))


def remaining(project: Project, manifest: Manifest) -> list[str]:
    """The paths that are left of a project, as text that cannot control a terminal."""
    shared = sorted(os.listdir(project.shared)) if os.path.isdir(project.shared) else []
    paths = [
        *(project.path(name) for name in manifest.releases),
        *(os.path.join(project.shared, name) for name in shared),
        *(os.path.join(project.directory, name) for name in (KEPT_ENV, GENERATED)),
    ]
    found = [path for path in paths if os.path.lexists(path)]
    return [path if path.isprintable() else ascii(path) for path in found]
