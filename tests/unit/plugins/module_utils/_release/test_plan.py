"""Decisions about releases, without a disk."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.git import (
    choose_reference,
    last_complaint,
    without_password,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.manifest import (
    GoodState,
    Manifest,
    Record,
    ReleaseError,
    from_text,
    to_text,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.plan import (
    Found,
    Observed,
    Wanted,
    judge_good,
    plan_prepared,
    to_prune,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.tree import Difference


def observed(**changes):
    known = {"found": Found.LINK, "current": "0001-a", "current_revision": "r1", "candidate": None}
    return Observed(**{**known, **changes})


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        pytest.param(observed(), "r1", (None, False, False, ()), id="nothing-moved"),
        pytest.param(
            observed(found=Found.NOTHING, current=None, current_revision=None),
            "r1",
            (None, False, True, ("there is no release yet",)),
            id="bare",
        ),
        pytest.param(observed(), "r2", (None, False, True, ("the source moved from r1 to r2",)), id="source-moved"),
        pytest.param(
            observed(), None, (None, False, True, ("the source moved from r1 to unknown",)), id="source-not-known-yet"
        ),
        pytest.param(
            observed(damage=(Difference("a.py", "was edited"),)),
            "r1",
            (None, False, True, ("in the current release 0001-a a.py was edited",)),
            id="damaged",
        ),
        pytest.param(
            observed(sealed=False),
            "r1",
            (None, False, True, ("what release 0001-a held when it was made is not recorded",)),
            id="not-recorded",
        ),
        pytest.param(
            observed(unlinked=("data",)),
            "r1",
            (None, False, True, ("not linked to the shared data: data",)),
            id="not-linked",
        ),
        pytest.param(
            observed(candidate="0002-b"),
            "r1",
            ("0002-b", False, False, ("the candidate 0002-b was left by an interrupted run",)),
            id="leftover",
        ),
        pytest.param(
            observed(found=Found.DIRECTORY, current=None),
            "r1",
            (None, True, False, ("the directory found was deployed by hand and becomes the first release",)),
            id="by-hand-at-the-wanted-commit",
        ),
    ],
)
def test_what_prepared_has_to_do(found, wanted, expected):
    plan = plan_prepared(found, Wanted(wanted, "main"))
    assert (plan.drop, plan.take_over, plan.new_release, plan.reasons) == expected


def test_source_in_place_must_be_there():
    with pytest.raises(ReleaseError, match="the source is to be in place already, and nothing is there"):
        plan_prepared(observed(found=Found.NOTHING, current=None), Wanted(None, "", in_place=True))


def manifest(*names, **changes):
    return Manifest(releases={name: Record() for name in names}, **changes)


@pytest.mark.parametrize(
    ("known", "current", "in_use", "keep", "pruned"),
    [
        pytest.param(manifest("0001-a", "0002-b"), "0002-b", (), 2, [], id="within-the-number"),
        pytest.param(manifest("0001-a", "0002-b", "0003-c"), "0003-c", (), 1, ["0001-a", "0002-b"], id="only-current"),
        pytest.param(manifest("0001-a", "0002-b", "0003-c"), "0003-c", ("0001-a",), 1, ["0002-b"], id="a-process"),
        pytest.param(
            manifest("0001-a", "0002-b", "0003-c", good=GoodState("0001-a"), former=GoodState("0002-b")),
            "0003-c",
            (),
            1,
            [],
            id="good-and-former",
        ),
        pytest.param(manifest("9999-a", "10000-b"), "10000-b", (), 1, ["9999-a"], id="by-number-not-by-text"),
        pytest.param(manifest("0001-a", "0002-b"), "0001-a", (), 1, [], id="after-the-way-back"),
        pytest.param(
            Manifest(releases={"0001-a": Record(taken_over=True), "0002-b": Record()}),
            "0002-b",
            (),
            1,
            [],
            id="taken-over",
        ),
    ],
)
def test_what_may_be_pruned(known, current, in_use, keep, pruned):
    assert list(to_prune(known, current, in_use, keep)) == pruned


def test_the_same_good_state_again_is_no_change_and_keeps_the_former():
    first = judge_good(Manifest(), "0001-a", {"p": 1}, {})
    assert (first.changed, first.former) == (True, None)
    second = judge_good(Manifest(good=first.good), "0002-b", {"p": 1}, {})
    assert (second.changed, second.former) == (True, first.good)
    again = judge_good(Manifest(good=second.good, former=second.former), "0002-b", {"p": 1}, {})
    assert (again.changed, again.former) == (False, first.good)
    proxy = judge_good(Manifest(good=second.good, former=second.former), "0002-b", {"p": 2}, {})
    assert (proxy.changed, proxy.former) == (True, first.good)


def test_a_manifest_survives_the_way_to_disk_and_back():
    full = Manifest(
        counter=3,
        candidate="0003-c",
        good=GoodState("0002-b", {"deep": [1, {"a": None}]}, {"k": "v"}),
        releases={"0002-b": Record("r", "t", {"type": "git"}, {"k": "v"}, sealed=True)},
    )
    assert from_text(to_text(full), "m") == full


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "m cannot be understood (Expecting property name"),
        ("[]", "m cannot be understood ("),
        ('{"schema": 1}', "m cannot be understood ('counter')"),
        ('{"schema": 2}', "m has schema 2, expected is 1; it was written by another version of this collection"),
    ],
)
def test_a_damaged_manifest_is_one_sentence(text, message):
    with pytest.raises(ReleaseError) as problem:
        from_text(text, "m")
    assert str(problem.value).startswith(message)


@pytest.mark.parametrize(
    ("listing", "commit"),
    [
        pytest.param("b\trefs/heads/v1\n", "b", id="branch"),
        pytest.param("b\trefs/heads/v1\nt\trefs/tags/v1\n", "t", id="tag-before-branch"),
        pytest.param("t\trefs/tags/v1\nc\trefs/tags/v1^{}\n", "c", id="annotated"),
        pytest.param("x\trefs/heads/feature/v1\n", None, id="tail-of-another-branch"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_the_reference_of_a_version(listing, commit):
    assert choose_reference(listing, "v1") == commit


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@host:8443/a.git", "https://host:8443/a.git"),
        ("git@host:a.git", "git@host:a.git"),
        ("ssh://git@host/a.git", "ssh://git@host/a.git"),
        ("/srv/a.git", "/srv/a.git"),
    ],
)
def test_an_address_is_shown_without_its_password(url, shown):
    assert without_password(url) == shown


def test_the_complaint_that_names_the_cause_is_chosen():
    assert last_complaint("warning: x\nfatal: repository not found\nhint: y\n") == "fatal: repository not found"
    assert last_complaint("") == ""
