# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decisions about releases: observations in, a plan with its reasons out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from .errors import ReleaseError
from .manifest import Manifest, number_of
from .tree import Difference, summary


class Found(Enum):
    """What is at the project's path."""

    NOTHING = "nothing"
    LINK = "a link to a release"
    DIRECTORY = "a directory that was deployed manually"
    UNMANAGED_LINK = "a link to something else"


@dataclass(frozen=True)
class WantedSource:
    """The source that is wanted.

    :param revision: None if it is not known yet.
    :param in_place: The source is the active release as it is, including edits.
    """

    revision: str | None
    in_place: bool = False


@dataclass(frozen=True)
class Observed:
    """What ``prepared`` found on the host."""

    found: Found
    active: str | None
    active_revision: str | None
    candidate: str | None
    damage: tuple[Difference, ...] = ()
    """Differences between the active release and its checksums."""
    has_checksums: bool = True
    new_commit: str | None = None
    """The commit that was checked out in the active release after its activation, if nothing else differs."""
    committed: tuple[str, ...] = ()
    """The paths with differences whose content is that of ``commit``; they are not in ``damage``."""
    commit: str | None = None
    """The commit that is checked out, with files in no commit beside it."""
    unlinked: tuple[str, ...] = ()
    """Shared paths for which the active release has no link."""
    inactive: tuple[str, ...] = ()
    """The releases that exist, if none is active."""


@dataclass(frozen=True)
class PreparePlan:
    """What ``prepared`` does, in this order."""

    drop: str | None = None
    take_over: bool = False
    new_release: bool = False
    reasons: tuple[str, ...] = ()


def short(revision: str | None) -> str:
    """Return a revision as it is shown."""
    return (revision or "unknown")[:12]


def plan_prepared(observed: Observed, wanted: WantedSource) -> PreparePlan:
    """Compare the active release with the source that is wanted.

    What an interrupted run has left is discarded. Only the active release and the
    source decide, so that every interruption ends in the same state.
    """
    reasons: list[str] = []
    if observed.candidate:
        reasons.append(f"the candidate {observed.candidate} was left by an interrupted run")
    take_over = observed.found is Found.DIRECTORY
    if take_over:
        reasons.append("the directory that was found becomes the first release")
    new = _reasons_for_a_new_release(observed, wanted)
    reasons.extend(new)
    return PreparePlan(drop=observed.candidate, take_over=take_over, new_release=bool(new), reasons=tuple(reasons))


def _reasons_for_a_new_release(observed: Observed, wanted: WantedSource) -> list[str]:
    if observed.found is Found.NOTHING:
        if wanted.in_place:
            raise ReleaseError(
                "the source is expected in place, but the project directory is missing or empty; put the project "
                "there, or choose another source"
            )
        # The link was deleted, or the release that it leads to.
        known = f"no release is active; there are {', '.join(observed.inactive)}"
        return [known if observed.inactive else "there is no release yet"]
    reasons = []
    if not wanted.in_place and observed.active_revision != wanted.revision:
        reasons.append(f"the source changed from {short(observed.active_revision)} to {short(wanted.revision)}")
    if observed.new_commit:
        # Its files differ from the checksums, but they were not edited.
        was, now = short(observed.active_revision), short(observed.new_commit)
        reasons.append(
            f"the source changed from {was} to {now}"
            if wanted.in_place
            else f"in the active release {observed.active} the commit {now} is checked out instead of {was}"
        )
    elif not observed.has_checksums:
        reasons.append(f"release {observed.active} has no checksums")
    else:
        if observed.committed:
            # A manual deployment leaves files in no commit. They do not make an edit of what was committed or pulled.
            changed = summary(observed.committed)
            reasons.append(f"the source changed: {changed} as in the commit {short(observed.commit)}")
        if observed.damage:
            where = f"the active release {observed.active}" if observed.active else "the project"
            reasons.append(f"in {where} {summary(observed.damage)}")
    if observed.unlinked:
        reasons.append(f"not linked to the shared data: {', '.join(observed.unlinked)}")
    return reasons


#: How the user of a playbook names a release; status_staging lists them.
BY_NAME = "-e rollback_release=<id>"


def choose_rollback(manifest: Manifest, active: str | None, wanted: str) -> str:
    """Return the release to roll back to.

    :param wanted: ``committed``, ``previous``, ``last`` or a release's id. ``last`` is the last verified
        release that is not active.
    :raises ReleaseError: If there is none.
    """
    if wanted == "committed":
        return _remembered(manifest.committed, "no release is verified yet, so there is none to roll back to")
    if wanted == "last" and manifest.committed and manifest.committed != active:
        return manifest.committed
    if wanted in ("previous", "last"):
        return _remembered(manifest.previous, "only one release is verified so far, so there is no previous one")
    record = manifest.releases.get(wanted)
    if record is None or wanted == manifest.candidate:
        known = [name for name in sorted(manifest.releases, key=number_of) if name != manifest.candidate]
        raise ReleaseError(
            f"there is no release {wanted!r} to roll back to; "
            + (f"there are {', '.join(known)}" if known else "there is none at all")
            + (f" (active: {active})" if active else "")
            + (f"; name one of them: {BY_NAME}" if known else "")
        )
    return wanted


def older_verified(verified: Iterable[str], than: str) -> list[str]:
    """Return the verified releases that are older than another, the newest first."""
    return sorted((name for name in verified if number_of(name) < number_of(than)), key=number_of, reverse=True)


def _remembered(release: str | None, otherwise: str) -> str:
    if release is None:
        raise ReleaseError(f"{otherwise}; name the release: {BY_NAME}")
    return release


@dataclass(frozen=True)
class CommitPlan:
    """The releases of the verified states after a verification."""

    committed: str
    previous: str | None
    changed: bool


def plan_commit(manifest: Manifest, active: str) -> CommitPlan:
    """Return the verified states now that the active release is verified."""
    before = manifest.committed
    changed = before != active
    return CommitPlan(active, before if before and changed else manifest.previous, changed)


def to_prune(manifest: Manifest, active: str | None, in_use: Iterable[str], keep: int) -> Sequence[str]:
    """Return the releases that may be deleted if they contain no data, oldest first.

    Never the active one, the last two verified ones, the candidate, one in which a
    process is running, or a directory that was taken over, because that one may
    contain work that is nowhere else.
    """
    protected = {active, manifest.candidate, manifest.committed, manifest.previous, *in_use}
    protected |= {name for name, record in manifest.releases.items() if record.taken_over}
    ordered = sorted(manifest.releases, key=number_of)
    newest = set(ordered[len(ordered) - keep :] if keep else ())
    return [name for name in ordered if name not in newest and name not in protected]
