# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of ``release``: what was asked for, what was found, and what was done or would be done."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from . import pruning, takeover
from .checks import refuse_impossible
from .delivery import Source
from .errors import ReleaseError
from .facts import as_lines, facts
from .manifest import Layout, Manifest
from .plan import Found
from .project import Project
from .tree import relative_path

LAYOUT_OPTIONS = ("shared_paths", "exclude", "env_files", "carry", "leave_behind")


@dataclass(frozen=True)
class ReleaseOptions:
    """What was asked for; the fields are the options of the module.

    :param layout: The values of :data:`LAYOUT_OPTIONS` that were given.
    """

    source: Source
    layout: Mapping[str, Sequence[str]] = field(default_factory=dict)
    on_uncommitted: str = "refuse"
    keep_releases: int = 3
    rollback_to: str = "committed"
    verified: Sequence[str] = ()
    records: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class ReleaseResult:
    """What was done, or would be done."""

    reasons: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    unshared_data: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    kept_for_data: dict[str, list[str]] = field(default_factory=dict)
    remaining: list[str] = field(default_factory=list)
    """The paths that a removal leaves."""
    taken_over: str | None = None
    kept: list[str] = field(default_factory=list)
    """Files of the directory that was taken over whose content is in no commit."""
    pruned: list[str] = field(default_factory=list)
    predicted_digest: str | None = None
    unfit: dict[str, list[str]] = field(default_factory=dict)
    """What the releases lack that a rollback has passed over."""


class Operation:
    """One call.

    :param predicting: Change nothing, and return what would be changed.
    """

    def __init__(self, project: Project, request: ReleaseOptions, *, predicting: bool) -> None:
        self.project = project
        self.request = request
        self.predicting = predicting
        self.outcome = ReleaseResult()
        self.manifest = Manifest()
        self.found = Found.NOTHING
        self.active: str | None = None
        self.active_before: str | None = None
        self.before = ""
        #: Directories that other users could enter before this call.
        self.opened: list[str] = []

    def run(self, step: Callable[[Operation], None], *, creates: bool) -> None:
        """Run a step under the lock of the project, or predict it.

        :param creates: The step creates the directory of releases if there is none.
        :raises ReleaseError: If it is refused or fails.
        """
        refuse_impossible(self.project, predicting=self.predicting)
        if self.predicting:
            self._look()
            # A prediction works on a copy of the manifest and writes nothing.
            self.manifest = copy.deepcopy(self.manifest)
            step(self)
            return
        if not os.path.isdir(self.project.directory):
            if not creates:
                self._look()
                step(self)
                return
            # What can be refused is refused before the first directory is created.
            Operation(self.project, self.request, predicting=True).run(step, creates=False)
            self.project.make_directories()
        with self.project.locked():
            self.opened = self.project.opened()
            self.project.make_directories()
            takeover.recover(self.project, self.project.read())
            refuse_impossible(self.project)
            self._look()
            step(self)

    def _look(self) -> None:
        self.found, self.active = self.project.find()
        self.manifest = self.project.read()
        self.active_before = self.active
        self.before = as_lines(self.project, self.manifest, self.active)
        self.opened = self.opened or self.project.opened()

    def because(self, reason: str) -> None:
        """Record a change and its reason."""
        self.outcome.reasons.append(reason)

    def write(self) -> None:
        """Write the manifest, unless predicting."""
        if not self.predicting:
            self.project.write(self.manifest)

    def drop(self, names: Sequence[str]) -> None:
        """Delete releases, or remove them from the predicted manifest."""
        if not self.predicting:
            pruning.drop(self.project, self.manifest, names)
            return
        for name in names:
            self.manifest.releases.pop(name, None)
            if self.manifest.candidate == name:
                self.manifest.candidate = None

    def take_layout(self) -> None:
        """Let the given options override the stored ones.

        :raises ReleaseError: If a path leaves the project, or two of them overlap.
        """
        layout = self.manifest.layout
        for option, given in self.request.layout.items():
            values = list(given) if option == "exclude" else [relative_path(value, option) for value in given]
            setattr(layout, option, list(dict.fromkeys(values)))
        _refuse_nested_paths(layout)

    def result(self, digest_exclude: Sequence[str]) -> dict[str, Any]:
        """Return the result of the call."""
        after = as_lines(self.project, self.manifest, self.active)
        outcome = self.outcome
        return {
            "changed": bool(outcome.reasons),
            "reasons": outcome.reasons,
            "damage": outcome.damage,
            "unshared_data": outcome.unshared_data,
            "left_behind": outcome.left_behind,
            "kept_for_data": outcome.kept_for_data,
            "remaining": outcome.remaining,
            "unfit": outcome.unfit,
            "taken_over": outcome.taken_over,
            "pruned": outcome.pruned,
            "active_before": self.active_before,
            "diff": [{"before": self.before, "after": after}] if self.before != after else [],
            **facts(self.project, self.manifest, self.active, digest_exclude, outcome.predicted_digest),
        }


def _refuse_nested_paths(layout: Layout) -> None:
    for path in layout.leave_behind:
        if path in layout.shared_paths:
            raise ReleaseError(
                f"{path!r} is in staging_shared_paths and in staging_leave_behind; remove it from one of them"
            )
    for path in layout.shared_paths:
        for other in layout.shared_paths:
            if other != path and other.startswith(path + "/"):
                raise ReleaseError(f"shared_paths holds {path!r} and {other!r}, which is in it; name one of them")
        for env in layout.env_files:
            if env == path or env.startswith(path + "/"):
                raise ReleaseError(
                    f"the env file {env!r} is in the shared path {path!r}; it belongs to a release, so that a rollback "
                    "restores the previous one; remove it from shared_paths"
                )
