"""Decisions about releases, without a disk."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError
from ansible_collections.codeframe.staging.plugins.module_utils._release.manifest import (
    Manifest,
    ReleaseRecord,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.plan import (
    Found,
    Observed,
    WantedSource,
    plan_commit,
    plan_prepared,
    to_prune,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.tree import Difference


def observed(**changes):
    known = {"found": Found.LINK, "active": "0001-a", "active_revision": "r1", "candidate": None}
    return Observed(**{**known, **changes})


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        pytest.param(observed(), "r1", (None, False, False, ()), id="no-change"),
        pytest.param(
            observed(found=Found.NOTHING, active=None, active_revision=None),
            "r1",
            (None, False, True, ("there is no release yet",)),
            id="no-release-yet",
        ),
        pytest.param(
            observed(found=Found.NOTHING, active=None, active_revision=None, inactive=("0001-a", "0002-b")),
            "r1",
            (None, False, True, ("no release is active; there are 0001-a, 0002-b",)),
            id="link-deleted",
        ),
        pytest.param(observed(), "r2", (None, False, True, ("the source changed from r1 to r2",)), id="source-changed"),
        pytest.param(
            observed(), None, (None, False, True, ("the source changed from r1 to unknown",)), id="source-not-known-yet"
        ),
        pytest.param(
            observed(damage=(Difference("a.py", "was edited"),)),
            "r1",
            (None, False, True, ("in the active release 0001-a a.py was edited",)),
            id="damaged",
        ),
        pytest.param(
            observed(has_checksums=False),
            "r1",
            (None, False, True, ("release 0001-a has no checksums",)),
            id="no-checksums",
        ),
        pytest.param(
            observed(unlinked=("data",)),
            "r1",
            (None, False, True, ("not linked to the shared data: data",)),
            id="not-linked",
        ),
        pytest.param(
            observed(unlinked=("data", "logs/app")),
            "r1",
            (None, False, True, ("not linked to the shared data: data, logs/app",)),
            id="two-paths-not-linked",
        ),
        pytest.param(
            observed(candidate="0002-b"),
            "r1",
            ("0002-b", False, False, ("the candidate 0002-b was left by an interrupted run",)),
            id="leftover",
        ),
        pytest.param(
            observed(found=Found.DIRECTORY, active=None),
            "r1",
            (None, True, False, ("the directory that was found becomes the first release",)),
            id="deployed-manually-at-the-wanted-commit",
        ),
    ],
)
def test_the_plan_of_prepared(found, wanted, expected):
    plan = plan_prepared(found, WantedSource(wanted))
    assert (plan.drop, plan.take_over, plan.new_release, plan.reasons) == expected


def test_source_in_place_must_exist():
    with pytest.raises(ReleaseError, match="the project directory is missing or empty"):
        plan_prepared(observed(found=Found.NOTHING, active=None), WantedSource(None, in_place=True))


def manifest(*names, **changes):
    return Manifest(releases={name: ReleaseRecord() for name in names}, **changes)


@pytest.mark.parametrize(
    ("known", "active", "in_use", "keep", "pruned"),
    [
        pytest.param(manifest("0001-a", "0002-b"), "0002-b", (), 2, [], id="within-the-limit"),
        pytest.param(manifest("0001-a", "0002-b", "0003-c"), "0003-c", (), 1, ["0001-a", "0002-b"], id="only-active"),
        pytest.param(manifest("0001-a", "0002-b", "0003-c"), "0003-c", ("0001-a",), 1, ["0002-b"], id="a-process"),
        pytest.param(
            manifest("0001-a", "0002-b", "0003-c", committed="0001-a", previous="0002-b"),
            "0003-c",
            (),
            1,
            [],
            id="last-two-verified",
        ),
        pytest.param(manifest("9999-a", "10000-b"), "10000-b", (), 1, ["9999-a"], id="by-number-not-by-text"),
        pytest.param(manifest("0001-a", "0002-b"), "0001-a", (), 1, [], id="after-a-rollback"),
        pytest.param(
            Manifest(releases={"0001-a": ReleaseRecord(taken_over=True), "0002-b": ReleaseRecord()}),
            "0002-b",
            (),
            1,
            [],
            id="taken-over",
        ),
    ],
)
def test_the_releases_that_may_be_deleted(known, active, in_use, keep, pruned):
    assert list(to_prune(known, active, in_use, keep)) == pruned


def test_the_same_committed_state_again_is_no_change_and_keeps_the_previous_one():
    first = plan_commit(Manifest(), "0001-a")
    assert (first.changed, first.previous) == (True, None)
    second = plan_commit(Manifest(committed=first.committed), "0002-b")
    assert (second.changed, second.previous) == (True, first.committed)
    again = plan_commit(Manifest(committed=second.committed, previous=second.previous), "0002-b")
    assert (again.changed, again.previous) == (False, first.committed)
