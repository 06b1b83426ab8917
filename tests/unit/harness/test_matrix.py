from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from deployment import CHECKOUT
from matrix import (
    KILLED,
    REFUSED,
    REPAIRED,
    Drift,
    Facts,
    Fault,
    Pair,
    Places,
    batches,
    bundles,
    chains,
    fault_problems,
    problems,
    read_drifts,
    read_faults,
    sample_pairs,
)

ROWS = read_drifts()
ROLES = CHECKOUT / "collections/ansible_collections/codeframe/staging/roles"


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(ROWS) >= 40
    assert len([row for row in ROWS if row.quick]) == 1


def test_pairs_are_the_same_every_time_and_cover_groups_and_rows() -> None:
    pairs = sample_pairs(ROWS)
    assert pairs == sample_pairs(list(reversed(ROWS)))
    assert pairs != sample_pairs(ROWS, seed=2)
    assert len(pairs) >= 30
    combined = {frozenset((pair.first.group, pair.second.group)) for pair in pairs}
    groups = {row.group for row in ROWS}
    assert combined == {frozenset((one, other)) for one in groups for other in groups if one != other}
    repaired = {row.id for row in ROWS if row.end == REPAIRED and row.pairs}
    assert {row.id for pair in pairs for row in (pair.first, pair.second)} == repaired


def test_a_pair_combines_different_groups() -> None:
    assert [pair.id for pair in sample_pairs(ROWS) if pair.first.group == pair.second.group] == []


@pytest.mark.parametrize(
    ("row", "why"),
    [
        pytest.param("layers: []", "a: it is repaired, but no layer drifts", id="repaired-without-a-layer"),
        pytest.param("layers: [proxy], end: left_alone", "a: it is left alone, but layers drift", id="left-alone"),
        pytest.param("layers: [], end: refused, undo: x", "a: it is refused, but nothing is said", id="refused"),
        pytest.param("layers: [moon]", "a: no layers are moon", id="no-layer"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(row: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "drifts.yml"
    file.write_text(f"nginx:\n  - {{id: a, drift: b, user: root, command: c, {row}}}\n")
    with pytest.raises(ValueError, match=why):
        read_drifts(file)


def test_the_roles_are_those_of_the_layers_unless_the_row_names_them() -> None:
    row = Drift("a", "b", "root", "c", ("env_file", "virtualenv", "static_files"))
    assert row.changed_roles == {"app_env", "backend", "frontend"}
    assert Drift("a", "b", "root", "c", ("env_file",), roles=("release",)).changed_roles == {"release"}


def test_only_known_places_are_filled() -> None:
    command = "awk '{print $1}' {site} ${HOME} && printf '{ %s }'"
    assert Places({"site": "/x"}).fill(command) == "awk '{print $1}' /x ${HOME} && printf '{ %s }'"


def test_what_removes_something_comes_last() -> None:
    edited = Drift("edited", "b", "root", "c", ("proxy",))
    removed = Drift("removed", "b", "root", "c", ("proxy",), last=True)
    assert Pair.of(removed, edited) == Pair.of(edited, removed) == Pair(edited, removed)


def test_the_faults_are_as_many_as_they_should_be_and_none_is_without_an_end() -> None:
    rows = read_faults()
    assert len(rows) >= 25


@pytest.mark.parametrize(
    ("row", "why"),
    [
        pytest.param("ends: happily", "a: no end is happily", id="no-end"),
        pytest.param("ends: passed, at: x", "a: what happens, and at which task", id="nothing-happens"),
    ],
)
def test_a_fault_that_contradicts_itself_is_refused(row: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "faults.yml"
    file.write_text(f"host:\n  - {{id: a, fault: b, {row}}}\n")
    with pytest.raises(ValueError, match=why):
        read_faults(file)


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in read_faults()])
def test_the_task_and_the_text_of_a_fault_exist(row: Fault) -> None:
    if row.at:
        role, _, task = row.at.partition(" : ")
        files = (ROLES / role / "tasks").glob("*.yml")
        assert any(f"- name: {task}" in file.read_text(encoding="utf-8") for file in files)
    if row.edit:
        assert (CHECKOUT / "examples/sample_app/backend/app/main.py").read_text(encoding="utf-8").count(
            row.edit[0]
        ) == 1


def test_a_bundle_has_each_layer_once_and_no_row_is_left_out() -> None:
    rows = [row for row in ROWS if row.end != REFUSED]
    made = bundles(rows)
    assert sorted(row.id for bundle in made for row in bundle) == sorted(row.id for row in rows)
    assert max(len(bundle) for bundle in made) > 3
    for bundle in (bundle for bundle in made if len(bundle) > 1):
        layers = [layer for row in bundle for layer in row.layers]
        assert len(layers) == len(set(layers))
        assert "release" not in layers
        assert len({row.end for row in bundle}) == 1
        assert not any(row.quick or row.alone for row in bundle)


def test_what_was_seen_is_compared_with_the_table() -> None:
    rows = [Drift("a", "b", "root", "c", ("proxy",)), Drift("d", "b", "root", "c", ("env_file",))]
    seen = Facts(("env_file", "proxy"), (), ("app_env", "proxy"), ("app_env", "proxy"), REPAIRED)
    assert problems(rows, seen) == []
    assert problems(rows, replace(seen, changed=("proxy",), wrong=("a lock is left",))) == [
        "the run changes ['proxy'], not ['app_env', 'proxy']",
        "a lock is left",
    ]
    assert problems(rows, Facts())[-1] == "it is ['failed'], not ['repaired']"


def test_check_mode_may_name_roles_that_it_cannot_know_of() -> None:
    row = Drift("a", "b", "root", "c", ("runtime",), unknown=("backend",), possible=("backend",))
    seen = Facts(("runtime",), ("backend",), ("backend", "runtime"), ("runtime",), REPAIRED)
    assert problems([row], seen) == []
    assert problems([replace(row, possible=())], seen) != []
    assert problems([row], replace(seen, changed=("backend", "runtime"))) != []


def test_a_refusal_names_a_layer_and_changes_nothing() -> None:
    row = Drift("a", "b", "root", "c", ("backend",), end=REFUSED)
    assert problems([row], Facts(drifted=("backend",), ended=REFUSED)) == []
    assert problems([row], Facts(drifted=("backend",), changed=("backend",), ended=REFUSED)) != []


def test_what_was_seen_of_a_fault_is_compared_with_the_table() -> None:
    row = Fault("a", "b", "failed", says="No space")
    load = {"pages": {"passed": 9, "failed": 0}}
    seen = {"ended": "failed", "words": "msg: No space left", "next_run": [], "wrong": [], "load": load}
    assert fault_problems(row, seen) == []
    assert fault_problems(row, {**seen, "load": {"pages": {"passed": 9, "failed": 1}}}) == ["1 of 10 page loads failed"]
    assert fault_problems(replace(row, outage="nginx"), {**seen, "load": {"pages": {"passed": 9, "failed": 1}}}) == []
    assert fault_problems(row, {**seen, "wrong": ["a lock is left"]}) == ["a lock is left"]
    assert fault_problems(row, {}) == [
        "the run ended None, not failed",
        "it does not say No space",
        "the next run did not repair it",
        "0 of 0 page loads failed",
    ]


def test_batches_have_every_row_once_and_in_order() -> None:
    assert [len(batch) for batch in batches(ROWS[:7], 3)] == [3, 3, 1]
    assert [row for batch in batches(ROWS[:7], 3) for row in batch] == ROWS[:7]
    assert batches([], 3) == []


def test_chains_have_every_fault_once_and_in_order() -> None:
    rows = read_faults()
    made = chains(rows)
    assert [row for chain in made for row in chain] == rows
    assert max(len(chain) for chain in made) == 4
    for chain in (chain for chain in made if len(chain) > 1):
        assert len({row.group for row in chain}) == 1
        assert all(row.ends == KILLED or row.broken for row in chain)
        assert not any(row.disk or row.before or row.after or row.outage or row.quick for row in chain)


def test_a_fault_that_is_repaired_before_the_next_one_is_no_link_of_a_chain() -> None:
    killed = Fault("a", "b", KILLED, group="g", at="x", during="kill")
    quick, outage = replace(killed, id="q", quick=True), replace(killed, id="o", outage="nginx is stopped")
    assert chains([killed, killed, quick, killed]) == [(killed, killed), (quick,), (killed,)]
    assert chains([outage, killed]) == [(outage,), (killed,)]
    assert chains([killed, replace(killed, group="h")]) == [(killed,), (replace(killed, group="h"),)]
    assert chains([]) == []
