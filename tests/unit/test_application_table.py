"""The table of docs/applications.md is that of the recorded results."""

from __future__ import annotations

import json

import application_table
import pytest
from application_shapes import SHAPES, Shape
from application_table import STEPS, Tried
from backend_shapes import SHAPES as BACKENDS

FIRST, SECOND = SHAPES[:2]


def row(table: str, title: str) -> list[str]:
    line = next(line for line in table.splitlines() if f" {title} |" in line)
    return [cell.strip() for cell in line.split("|")[3:-1]]


def test_the_page_shows_what_is_recorded() -> None:
    page = application_table.PAGE.read_text(encoding="utf-8")
    results = application_table.results_of(application_table.RESULTS.read_text(encoding="utf-8"))
    assert application_table.with_table(page, results) == page, "run `make test-applications`, which writes the table"


def test_an_application_that_was_never_run_is_not_shown_as_passed() -> None:
    table = application_table.table({FIRST.name: Tried(FIRST.digest, dict.fromkeys(STEPS, 1))})
    assert row(table, FIRST.title) == ["yes"] * 4
    assert row(table, SECOND.title) == ["not run"] * 4


def test_an_application_that_failed_shows_which_steps_it_passed() -> None:
    table = application_table.table({FIRST.name: Tried(FIRST.digest, dict.fromkeys(STEPS[:2], 1))})
    assert row(table, FIRST.title) == ["yes", "yes", "no", "no"]


def test_an_application_that_was_changed_counts_as_not_run() -> None:
    table = application_table.table({FIRST.name: Tried("of another one", dict.fromkeys(STEPS, 1))})
    assert row(table, FIRST.title) == ["not run"] * 4


def test_the_results_of_a_run_are_read_from_its_output() -> None:
    tried = Tried("1234", {STEPS[0]: 12})
    output = f"1 failed\n{tried.line(FIRST.name)}\n{Tried('5', {}).line(SECOND.name)}\nother\n"
    assert application_table.results_in(output) == {FIRST.name: tried, SECOND.name: Tried("5", {})}


def test_a_part_of_the_applications_is_run_and_the_others_keep_their_results(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path_factory.mktemp("table")
    page, results, log = place / "page.md", place / "results.json", place / "log"
    page.write_text(f"before\n{application_table.BEGIN}old\n{application_table.END}after\n")
    passed = Tried(SECOND.digest, dict.fromkeys(STEPS, 1))
    results.write_text(application_table.recorded({SECOND.name: passed, "gone": passed}))
    log.write_text(Tried(FIRST.digest, {STEPS[0]: 7}).line(FIRST.name))
    monkeypatch.setattr(application_table, "PAGE", page)
    monkeypatch.setattr(application_table, "RESULTS", results)
    monkeypatch.setattr("sys.argv", ["application_table.py", str(log)])
    application_table.main()
    assert list(json.loads(results.read_text())) == [FIRST.name, SECOND.name]
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert row(text, FIRST.title) == ["yes", "no", "no", "no"]
    assert row(text, SECOND.title) == ["yes"] * 4


@pytest.mark.parametrize("key", ["name", "title", "digest"])
def test_no_two_applications_are_taken_for_one(key: str) -> None:
    values = [getattr(shape, key) for shape in SHAPES]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_row_names_the_version_of_the_framework(shape: Shape) -> None:
    assert any(character.isdigit() for character in shape.versions)


def test_each_backend_is_deployed_with_a_page_of_its_own() -> None:
    pages = {shape.name: shape for shape in SHAPES}
    with_backend = [backend.page for backend in BACKENDS]
    assert len(set(with_backend)) == len(with_backend)
    # A page at the root of the application has its backend there.
    assert [name for name in with_backend if pages[name].backend != "backend"] == []
