# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a deployment after its source is prepared: candidate, activate, commit, roll back."""

from __future__ import annotations

import os

from . import baseline, candidate, data, pruning, shared
from .copying import remove_tree
from .errors import ReleaseError
from .fitness import lost_environments, unfit, whole_parts
from .manifest import ReleaseRecord, checked_records
from .operation import Operation
from .plan import BY_NAME, choose_rollback, older_verified, plan_commit, to_prune
from .tree import summary, walk


def open_candidate(operation: Operation) -> None:
    """Open a copy of the active release, unless there is a candidate."""
    operation.take_layout()
    project, manifest = operation.project, operation.manifest
    found = manifest.candidate
    if found and manifest.releases[found].complete:
        return
    if operation.active is None and not operation.predicting:
        raise ReleaseError(f"there is no release of {project.link} to copy; prepare the source first (state prepared)")
    operation.because(f"a copy of release {operation.active} is opened for changes")
    if operation.active:
        _refuse_damaged(operation, operation.active)
        refuse_unshared(operation)
    base = manifest.releases.get(operation.active or "", ReleaseRecord())
    record = ReleaseRecord(base.revision, base.source_digest, dict(base.origin), dict(base.records))
    record.origin.pop("taken_over", None)
    record.repaired, record.repaired_in = list(base.repaired), base.repaired_in
    if found:
        operation.drop([found])
    if operation.predicting:
        manifest.candidate = manifest.next_id(base.revision)
        manifest.releases[manifest.candidate] = record
    else:
        active = str(operation.active)
        candidate.copy_of(project, manifest, active, record, baseline.delivered(project, active) or {})


def _refuse_damaged(operation: Operation, active: str) -> None:
    """In a copy, a manual edit would become part of the source, and would never be found again."""
    if operation.manifest.releases[active].origin.get("type") == "in_place":
        return
    damage = baseline.damage(operation.project, active, operation.manifest)
    if damage:
        raise ReleaseError(
            f"in the active release {active} {summary(damage)}, so it is not copied; prepare the source first "
            "(state prepared), which makes a new release of it"
        )


def refuse_unshared(operation: Operation) -> None:
    """Stop before a release becomes active that would not have the data of the active one."""
    if operation.active:
        found = data_in(operation, operation.active)
        data.refuse(found, f"release {operation.active}", operation.manifest.layout, operation.project.shared)


def data_in(operation: Operation, release: str) -> data.Data:
    """Return the data in a release."""
    project, manifest = operation.project, operation.manifest
    record = manifest.releases[release]
    edited = {difference.path for difference in baseline.damage(project, release, manifest) or ()}
    known = data.of_release(project, release, record, edited, None)
    return data.find(project.path(release), manifest.layout, known, project.shared)


def activate(operation: Operation) -> None:
    """Make the candidate the active release."""
    project, manifest = operation.project, operation.manifest
    name = manifest.candidate
    if name is None:
        if operation.active is None and not operation.predicting:
            raise ReleaseError(f"there is neither a candidate nor a release of {project.link} to activate")
        _store_records(operation)
        return
    if not manifest.releases[name].complete and not operation.predicting:
        raise ReleaseError(
            f"the candidate {name} is incomplete, because a run was interrupted; prepare the source again "
            "(state prepared)"
        )
    records = checked_records(operation.request.records)
    # Again: the application was running while the candidate was built.
    refuse_unshared(operation)
    if not operation.predicting:
        _refuse_lost(operation, name)
    operation.because(f"release {name} replaces {operation.active or 'nothing'}")
    manifest.releases[name].records.update(records)
    if not operation.predicting:
        baseline.take(project, name, manifest)
        baseline.store_parts(project, name, whole_parts(project, name, manifest.layout))
        baseline.store_made(project, name, walk(project.path(name), data.not_data(manifest.layout)))
        project.write(manifest)
        project.point_to(name)
    manifest.candidate = None
    operation.active = name
    operation.write()


def _refuse_lost(operation: Operation, name: str) -> None:
    """Stop while the processes of the active release still run: they could not be started again either."""
    lost = lost_environments(operation.project, name, operation.manifest.layout)
    if lost:
        raise ReleaseError(
            f"the candidate {name} was damaged after it was built ({'; '.join(lost)}), so it is not activated; find "
            "out what deletes files of the releases, and deploy again, which builds what is missing"
        )


def _store_records(operation: Operation) -> None:
    given = checked_records(operation.request.records)
    if operation.active is None:
        return
    record = operation.manifest.releases[operation.active]
    merged = {**record.records, **given}
    if merged != record.records:
        record.records = merged
        operation.because(f"the records of release {operation.active} changed")
        operation.write()


def discard(operation: Operation) -> None:
    """Delete the candidate."""
    name = operation.manifest.candidate
    if name is not None:
        operation.because(f"the candidate {name} is discarded")
        operation.drop([name])


def commit(operation: Operation) -> None:
    """Store the active release as the last verified state, and delete old releases."""
    project, manifest, active = operation.project, operation.manifest, operation.active
    if active is None:
        if operation.predicting:
            return
        raise ReleaseError(f"there is no active release of {project.link} to commit")
    _store_records(operation)
    plan = plan_commit(manifest, active)
    if plan.changed:
        operation.because(f"release {active} is verified")
        manifest.committed, manifest.previous = plan.committed, plan.previous
        operation.write()
    _prune(operation, active)


def _prune(operation: Operation, active: str) -> None:
    project, manifest = operation.project, operation.manifest
    pruned = []
    for name in to_prune(manifest, active, pruning.in_use(project), operation.request.keep_releases):
        found = data_in(operation, name).only_here
        if found:
            operation.outcome.kept_for_data[name] = found
        else:
            pruned.append(name)
    if pruned:
        operation.outcome.pruned = pruned
        operation.because(f"old releases are deleted: {', '.join(pruned)}")
        operation.drop(pruned)
    unused = [path for path in pruning.unused(project, manifest) if os.path.basename(path) not in pruned]
    if unused:
        names = ", ".join(os.path.relpath(path, project.directory) for path in unused)
        operation.because(f"what no release needs any more is deleted: {names}")
        if not operation.predicting:
            for path in unused:
                remove_tree(path)


def _fit(operation: Operation, target: str) -> str:
    """Return the release to activate: the target, or the newest older verified one that is not damaged.

    :raises ReleaseError: If there is none.
    """
    project, manifest, outcome = operation.project, operation.manifest, operation.outcome
    verified = [name for name in operation.request.verified if name in manifest.releases]
    for name in (target, *older_verified(verified, target)):
        if name == operation.active:
            break
        missing = unfit(project, name, manifest)
        if not missing:
            return name
        outcome.unfit[name] = missing
    damaged = [f"release {name} cannot be activated again: {'; '.join(why)}" for name, why in outcome.unfit.items()]
    raise ReleaseError(
        f"{'; '.join(damaged)}; {operation.active or 'nothing'} stays active; roll back to another release "
        f"({BY_NAME}), or deploy again, which builds a new one"
    )


def roll_back(operation: Operation) -> None:
    """Make an earlier release active, and discard the candidate."""
    project, manifest = operation.project, operation.manifest
    target = choose_rollback(manifest, operation.active, operation.request.rollback_to)
    discard(operation)
    if target == operation.active:
        return
    target = _fit(operation, target)
    if target == operation.active:
        return
    if operation.active:
        operation.outcome.unshared_data = data_in(operation, operation.active).only_here
    damage = baseline.damage(project, target, manifest)
    operation.outcome.damage = [str(difference) for difference in damage or ()]
    operation.because(f"release {target} replaces {operation.active or 'nothing'}")
    if not operation.predicting:
        # A path that is shared since then: the application must not go on with older data.
        shared.link_into(project, target, manifest.layout)
        project.point_to(target)
    operation.active = target
