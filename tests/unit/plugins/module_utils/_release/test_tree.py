"""Source trees: what belongs to one, and when two are equal."""

from __future__ import annotations

import os

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError
from ansible_collections.codeframe.staging.plugins.module_utils._release.tree import (
    ALWAYS_EXCLUDED,
    Difference,
    Exclusion,
    differences,
    entry_of,
    inside,
    read_tree,
    relative_path,
    summary,
    tree_digest,
    walk,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("patterns", "path", "covered"),
    [
        pytest.param(ALWAYS_EXCLUDED, "a/node_modules/b", True, id="name-of-a-directory-above"),
        pytest.param(ALWAYS_EXCLUDED, "a/x.pyc", True, id="suffix"),
        pytest.param(ALWAYS_EXCLUDED, "a/my_node_modules/b", False, id="only-whole-names"),
        pytest.param(["docs"], "a/docs/b", True, id="name-anywhere"),
        pytest.param(["/docs"], "a/docs/b", False, id="anchored-elsewhere"),
        pytest.param(["/docs"], "docs/b", True, id="anchored-at-the-top"),
        pytest.param(["docs/"], "docs/b", True, id="trailing-slash"),
        pytest.param(["./a/docs"], "a/docs/b/c", True, id="path-covers-what-is-below"),
        pytest.param(["a/docs"], "b/a/docs", False, id="path-from-the-top-only"),
        pytest.param(["a/*.txt"], "a/b.txt", True, id="path-with-a-star"),
        pytest.param(["A"], "a", False, id="case-counts"),
        pytest.param(["", " ", "/"], "a", False, id="empty-patterns"),
        pytest.param([], "a", False, id="no-patterns"),
    ],
)
def test_exclusion(patterns, path, covered):
    assert Exclusion(patterns).covers(path) is covered


@pytest.mark.parametrize("value", ["", " ", ".", "/etc", "..", "a/../..", "../a", "a\nb", "a\0b"])
def test_a_path_that_leaves_the_tree_is_refused(value):
    with pytest.raises(ReleaseError, match="shared_paths holds "):
        relative_path(value, "shared_paths")


@pytest.mark.parametrize(("value", "clean"), [("a/", "a"), ("./a//b", "a/b"), ("a/../b", "b"), ("..a", "..a")])
def test_a_relative_path_is_normalised(value, clean):
    assert relative_path(value, "x") == clean


@pytest.mark.parametrize(
    ("path", "directories", "expected"),
    [("web-ui", ["web-ui"], True), ("web-ui/a", ["web-ui"], True), ("web-ui2/a", ["web-ui"], False), ("a", [], False)],
)
def test_inside_means_whole_names(path, directories, expected):
    assert inside(path, directories) is expected


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
trees = st.dictionaries(names, st.sampled_from(["f:00", "x:00", "f:01", "l:target"]), max_size=6)


@given(trees, trees)
def test_digests_are_equal_exactly_if_the_trees_are(first, second):
    assert (tree_digest(first) == tree_digest(second)) is (first == second)
    assert (differences(first, second) == ()) is (first == second)


@given(trees)
def test_the_digest_does_not_depend_on_order(tree):
    assert tree_digest(dict(reversed(list(tree.items())))) == tree_digest(tree)


@given(trees, trees)
def test_a_digest_without_a_directory_ignores_its_content(outside, within):
    outside = {path: entry for path, entry in outside.items() if path != "ui"}
    whole = {**outside, **{f"ui/{path}": entry for path, entry in within.items()}}
    assert tree_digest(whole, ["ui"]) == tree_digest(outside)


def test_differences_in_words():
    found = differences({"a": "f:1", "b": "f:1", "c": "f:1"}, {"b": "f:2", "c": "f:1", "d": "f:1"})
    assert [str(difference) for difference in found] == ["a is missing", "b was edited", "d was added"]
    assert summary([Difference(str(n), "is missing") for n in range(4)], 2) == "0 is missing, 1 is missing and 2 more"


def test_links_are_not_followed_and_sockets_are_no_source(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_text("x")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    found = sorted(walk(str(tmp_path), Exclusion(())))
    assert found == ["dangling", "link", "real/file"]
    assert read_tree(str(tmp_path), [*found, "gone"])["link"] == "l:real"
    assert entry_of(str(tmp_path / "pipe")) is None
