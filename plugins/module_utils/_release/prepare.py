# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare a release: take over a directory, and open a candidate if the active release is not the wanted source."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable

from . import baseline, candidate, data, git, shared, takeover
from .checkout import exclude_own_files
from .errors import ReleaseError
from .manifest import ReleaseRecord, number_of
from .operation import LAYOUT_OPTIONS, Operation
from .plan import Found, Observed, PreparePlan, WantedSource, plan_prepared
from .pruning import drop
from .source import listed_in_place, uncommitted
from .tree import Difference, Tree, inside, summary, tree_digest


def prepare(operation: Operation) -> None:
    """Open a candidate if the source changed or the active release is damaged."""
    _Preparation(operation).run()


class _Preparation:
    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.project = operation.project
        self.source = operation.request.source
        self.git_timeout_s = self.source.git_timeout_s
        #: Source files of the active release that were damaged, and that a candidate of the same source repairs.
        self.repaired: list[str] = []

    def run(self) -> None:
        operation, project, outcome = self.operation, self.project, self.operation.outcome
        stored = copy.deepcopy(operation.manifest.layout)
        operation.take_layout()
        layout = operation.manifest.layout
        found_files = self._uncommitted(project.link) if operation.found is Found.DIRECTORY else []
        if found_files and operation.request.on_uncommitted == "refuse" and not self.source.in_place:
            self._refuse_unshared(None)
            files = summary([Difference(path, "is not committed") for path in found_files])
            raise ReleaseError(
                f"{project.link} is a git checkout with work that is in no commit ({files}); commit or remove it, "
                "or set on_uncommitted to keep, which keeps the directory as the first release"
            )
        wanted = self.source.wanted(project, predicting=operation.predicting)
        observed = self._observe(found_files)
        plan = plan_prepared(observed, wanted)
        outcome.reasons.extend(plan.reasons)
        if operation.opened:
            operation.because(f"other users can enter {', '.join(operation.opened)}")
        if not (wanted.in_place and observed.new_commit):
            outcome.damage = [str(difference) for difference in observed.damage]
        if not self.source.in_place and operation.active and observed.active_revision == wanted.revision:
            self.repaired = [difference.path for difference in observed.damage]
        if operation.active:
            adoptable = shared.adoptable(project, project.path(operation.active), layout)
            if adoptable:
                operation.because(f"the active release contains data to share: {', '.join(adoptable)}")
            changed = [name for name in LAYOUT_OPTIONS if getattr(stored, name) != getattr(layout, name)]
            if changed:
                operation.because(f"options changed: {', '.join(changed)}")
        if operation.predicting:
            if plan.new_release or plan.take_over:
                self._refuse_unshared(wanted)
            self._predict(plan, wanted, observed)
        else:
            self._apply(plan, wanted, observed)
            if not plan.new_release and (layout != stored or not os.path.exists(project.manifest_path)):
                project.write(operation.manifest)

    # --- observing --------------------------------------------------------------------------------

    def _uncommitted(self, directory: str) -> list[str]:
        return uncommitted(directory, self.operation.manifest.layout, self.git_timeout_s)

    def _observe(self, found_files: list[str]) -> Observed:
        operation, project = self.operation, self.project
        manifest, active = operation.manifest, operation.active
        if operation.found is Found.DIRECTORY:
            tree = listed_in_place(project.link, manifest.layout)
            return Observed(
                found=operation.found,
                active=None,
                active_revision=self._revision_of(project.link, tree),
                candidate=manifest.candidate,
                damage=tuple(Difference(path, "is not committed") for path in found_files),
            )
        if active is None:
            inactive = sorted({*manifest.releases} - {manifest.candidate}, key=number_of)
            return Observed(operation.found, None, None, manifest.candidate, inactive=tuple(inactive))
        damage = baseline.damage(project, active, manifest)
        found = self._find_data(None, damage or ())
        outcome = operation.outcome
        outcome.unshared_data, outcome.left_behind = list(found.unshared), list(found.left_behind)
        if damage and self.source.in_place:
            # What the running application writes is no change of the source.
            written = [path.rstrip("/") for path in found.unshared]
            damage = tuple(difference for difference in damage if not inside(difference.path, written))
        directory = project.path(active)
        new_commit = self._new_commit(directory, manifest.releases[active].revision) if damage else None
        committed: tuple[str, ...] = ()
        commit = None
        if damage and self.source.in_place and not new_commit:
            committed, commit = self._committed(directory, damage)
            damage = tuple(difference for difference in damage if difference.path not in committed)
        unlinked = set(shared.unlinked(project, directory, manifest.layout))
        unlinked -= set(shared.adoptable(project, directory, manifest.layout))
        return Observed(
            found=operation.found,
            active=active,
            active_revision=manifest.releases[active].revision,
            candidate=manifest.candidate,
            damage=damage or (),
            has_checksums=damage is not None,
            new_commit=new_commit,
            committed=committed,
            commit=commit,
            unlinked=tuple(sorted(unlinked)),
        )

    def _revision_of(self, directory: str, tree: Tree) -> str:
        """The revision of a directory that was deployed manually: its commit, if it contains nothing else."""
        program = git.Git(timeout_s=self.git_timeout_s)
        commit = git.head(program, directory) if program.available() else None
        if commit is None or self._uncommitted(directory):
            return tree_digest(tree)
        return commit

    def _find_data(self, wanted: WantedSource | None, damage: Iterable[Difference] = ()) -> data.Data:
        """Return the data in the active release, or in the directory to take over.

        :param wanted: None if the files of its source cannot be looked at yet.
        """
        operation, project, manifest = self.operation, self.project, self.operation.manifest
        active = operation.active
        record = manifest.releases[active] if active else None
        names = self.source.names(project, wanted) if wanted and (record is None or record.taken_over) else None
        if active is None or record is None:
            known = data.of_directory(project.link, names)
            return data.find(project.link, manifest.layout, known, project.shared)
        edited = {difference.path for difference in damage}
        known = data.of_release(project, active, record, edited, names)
        return data.find(project.path(active), manifest.layout, known, project.shared)

    def _refuse_unshared(self, wanted: WantedSource | None) -> None:
        """Stop before anything is changed if the active release or the directory found contains data."""
        operation, project, manifest = self.operation, self.project, self.operation.manifest
        active = operation.active
        if active is None and operation.found is not Found.DIRECTORY:
            return
        damage = baseline.damage(project, active, manifest) if active else None
        found = self._find_data(wanted, damage or ())
        outcome = operation.outcome
        outcome.unshared_data, outcome.left_behind = list(found.unshared), list(found.left_behind)
        where = f"release {active}" if active else f"the directory {project.link}"
        data.refuse(found, where, manifest.layout, project.shared)

    def _new_commit(self, directory: str, revision: str | None) -> str | None:
        """The commit of a checkout that was updated since; None if it contains anything else."""
        if not git.FULL_COMMIT.match(revision or ""):
            return None
        program = git.Git(timeout_s=self.git_timeout_s)
        commit = git.head(program, directory) if program.available() else None
        return None if commit in (None, revision) or self._uncommitted(directory) else commit

    def _committed(self, directory: str, damage: Iterable[Difference]) -> tuple[tuple[str, ...], str | None]:
        """The paths whose content is that of the commit that is checked out, and this commit."""
        program = git.Git(timeout_s=self.git_timeout_s)
        commit = git.head(program, directory) if program.available() else None
        if commit is None:
            return (), None
        # A submodule is named by its directory.
        others = self._uncommitted(directory)
        return tuple(difference.path for difference in damage if not inside(difference.path, others)), commit

    # --- predicting and applying ------------------------------------------------------------------

    def _predict(self, plan: PreparePlan, wanted: WantedSource, observed: Observed) -> None:
        operation, manifest = self.operation, self.operation.manifest
        if plan.drop:
            operation.drop([plan.drop])
        if plan.take_over:
            operation.active = manifest.next_id(observed.active_revision)
            manifest.counter += 1
            manifest.releases[operation.active] = ReleaseRecord(revision=observed.active_revision, taken_over=True)
            operation.outcome.taken_over = operation.active
        if plan.new_release:
            name = manifest.next_id(wanted.revision)
            manifest.candidate = name
            manifest.releases[name] = ReleaseRecord(revision=wanted.revision, origin=self.source.origin())
            if self.source.kind == "archive":
                operation.outcome.predicted_digest = wanted.revision

    def _apply(self, plan: PreparePlan, wanted: WantedSource, observed: Observed) -> None:
        operation, project, manifest = self.operation, self.project, self.operation.manifest
        if plan.new_release and not wanted.in_place:
            wanted = self.source.fetched(project, wanted)
        if plan.new_release or plan.take_over:
            self._refuse_unshared(wanted)
        if plan.drop:
            drop(project, manifest, [plan.drop])
        if plan.take_over:
            origin = self.source.origin()
            if not wanted.in_place:
                origin["taken_over"] = True
            operation.active = takeover.take_over(project, manifest, observed.active_revision, origin)
            operation.outcome.taken_over = operation.active
            if not wanted.in_place:
                operation.outcome.kept = [difference.path for difference in observed.damage]
        elif operation.active:
            shared.adopt(project, operation.active, manifest.layout)
            exclude_own_files(project.path(operation.active), manifest.layout)
        if plan.new_release:
            if wanted.in_place and operation.active:
                self._open_copy(operation.active)
            else:
                self._open_new(wanted)

    def _open_copy(self, active: str) -> None:
        """The source is the active release as it is now."""
        manifest = self.operation.manifest
        tree = listed_in_place(self.project.path(active), manifest.layout)
        revision = self._revision_of(self.project.path(active), tree)
        record = ReleaseRecord(revision=revision, origin=self.source.origin())
        candidate.copy_of(self.project, manifest, active, record, tree)

    def _open_new(self, wanted: WantedSource) -> None:
        operation, project, manifest = self.operation, self.project, self.operation.manifest
        name = manifest.next_id(wanted.revision)
        record = ReleaseRecord(revision=wanted.revision, origin=self.source.origin(), repaired=self.repaired)
        record.repaired_in = name if self.repaired else None
        directory = candidate.announce(project, manifest, name, record)
        try:
            tree = self.source.deliver(project, directory, wanted, manifest.layout)
            shared.link_into(project, name, manifest.layout)
            exclude_own_files(directory, manifest.layout)
            if operation.active:
                candidate.carry_over(project, operation.active, name, manifest.layout)
            candidate.close_env_files(project, name, manifest.layout)
            candidate.complete(project, manifest, tree)
        except BaseException:
            drop(project, manifest, [name])
            raise
