# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what has to happen to the releases: observations in, a plan with its reasons out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from .manifest import (
    GoodState,
    Manifest,
    ReleaseError,
    number_of,
)
from .tree import Difference, summary


class Found(Enum):
    """What stands at the project's path."""

    NOTHING = "nothing"
    LINK = "a link to a release"
    DIRECTORY = "a directory that was deployed by hand"
    FOREIGN_LINK = "a link to something else"


@dataclass(frozen=True)
class Wanted:
    """The source that is wanted.

    :param revision: None where it cannot be known yet.
    :param in_place: The source is what stands in the current release, edits included.
    """

    revision: str | None
    name: str
    in_place: bool = False


@dataclass(frozen=True)
class Observed:
    """What ``prepared`` found."""

    found: Found
    current: str | None
    current_revision: str | None
    candidate: str | None
    damage: tuple[Difference, ...] = ()
    """Differences between the current release and what it was sealed with."""
    sealed: bool = True
    unlinked: tuple[str, ...] = ()
    """Shared paths for which the current release has no link."""


@dataclass(frozen=True)
class PreparePlan:
    """What ``prepared`` has to do, in this order."""

    drop: str | None = None
    take_over: bool = False
    new_release: bool = False
    reasons: tuple[str, ...] = ()


def short(revision: str | None) -> str:
    """Return a revision as it is shown."""
    return (revision or "unknown")[:12]


def plan_prepared(observed: Observed, wanted: Wanted) -> PreparePlan:
    """Compare the current release with the source that is wanted.

    Whatever a former run left half-way is dropped: only the current release and
    the source decide, so every interruption ends in the same state.
    """
    reasons: list[str] = []
    if observed.candidate:
        reasons.append(f"the candidate {observed.candidate} was left by an interrupted run")
    take_over = observed.found is Found.DIRECTORY
    if take_over:
        reasons.append("the directory found was deployed by hand and becomes the first release")
    new = _reasons_for_a_new_release(observed, wanted)
    reasons.extend(new)
    return PreparePlan(drop=observed.candidate, take_over=take_over, new_release=bool(new), reasons=tuple(reasons))


def _reasons_for_a_new_release(observed: Observed, wanted: Wanted) -> list[str]:
    if observed.found is Found.NOTHING:
        if wanted.in_place:
            raise ReleaseError(
                "the source is to be in place already, and nothing is there; put the project there, "
                "or name another source"
            )
        return ["there is no release yet"]
    reasons = []
    if not wanted.in_place and observed.current_revision != wanted.revision:
        reasons.append(f"the source moved from {short(observed.current_revision)} to {short(wanted.revision)}")
    if not observed.sealed:
        reasons.append(f"what release {observed.current} held when it was made is not recorded")
    elif observed.damage:
        where = f"the current release {observed.current}" if observed.current else "the project"
        reasons.append(f"in {where} {summary(observed.damage)}")
    if observed.unlinked:
        reasons.append(f"not linked to the shared data: {', '.join(observed.unlinked)}")
    return reasons


def choose_restored(manifest: Manifest, current: str | None, wanted: str) -> str:
    """Return the release to go back to.

    :param wanted: ``good``, ``former``, ``last`` or a release's id. The last one is the good
        state, unless that is current already.
    :raises ReleaseError: If there is none, or it is not complete.
    """
    if wanted == "good":
        return _remembered(manifest.good, "no release has passed verification yet, so there is no state to return to")
    if wanted == "last" and manifest.good and manifest.good.release != current:
        return manifest.good.release
    if wanted in ("former", "last"):
        return _remembered(manifest.former, "only one state has passed verification so far, so there is no former one")
    record = manifest.releases.get(wanted)
    if record is None or wanted == manifest.candidate:
        known = [name for name in sorted(manifest.releases, key=number_of) if name != manifest.candidate]
        raise ReleaseError(
            f"there is no release {wanted!r} to go back to; "
            + (f"there are {', '.join(known)}" if known else "there is none at all")
            + (f" (current: {current})" if current else "")
        )
    return wanted


def _remembered(state: GoodState | None, otherwise: str) -> str:
    if state is None:
        raise ReleaseError(f"{otherwise}; name the release")
    return state.release


@dataclass(frozen=True)
class Judged:
    """The states to remember after a verification."""

    good: GoodState
    former: GoodState | None
    changed: bool = field(default=False)


def judge_good(
    manifest: Manifest, current: str, proxy_state: Mapping[str, object], records: Mapping[str, str]
) -> Judged:
    """Say which states to remember now that the current one passed verification."""
    good = GoodState(release=current, proxy_state=dict(proxy_state), records=dict(records))
    before = manifest.good
    if before is None or before.release == current:
        return Judged(good=good, former=manifest.former, changed=good != before)
    return Judged(good=good, former=before, changed=True)


def to_prune(manifest: Manifest, current: str | None, in_use: Iterable[str], keep: int) -> Sequence[str]:
    """Return the releases that may go, oldest first.

    Never the current, the good, the former one, the candidate, one that a live
    process stands in, or a directory that was taken over: that one may hold
    work that is nowhere else.
    """
    protected = {current, manifest.candidate, *in_use}
    protected |= {state.release for state in (manifest.good, manifest.former) if state}
    protected |= {name for name, record in manifest.releases.items() if record.taken_over}
    ordered = sorted(manifest.releases, key=number_of)
    newest = set(ordered[len(ordered) - keep :] if keep else ())
    return [name for name in ordered if name not in newest and name not in protected]
