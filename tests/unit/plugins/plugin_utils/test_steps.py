"""The lines of a run, from what its tasks did."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.plugin_utils._steps import (
    FinishedStep,
    Outcome,
    Step,
    failure_lines,
    folded,
    heading,
    step_lines,
    steps_on,
)

LONG = "http://app.example.com/" + "x" * 20


def ended(step: Step, hosts: list[str], *, check_mode: bool = False, width: int = 100) -> list[str]:
    return [line.text for line in step_lines(step, hosts, 3.25, check_mode=check_mode, width=width)]


def step_of(*results: tuple[str, Outcome, list[str]], title: str = "Build the frontend") -> Step:
    step = Step(title, 1.0)
    for host, outcome, notes in results:
        step.add(host, outcome, notes)
    return step


def test_a_step_is_one_line_with_its_outcome_and_duration() -> None:
    step = step_of(("app", Outcome.SKIPPED, []), ("app", Outcome.OK, []))
    assert ended(step, ["app"]) == [f"{'Build the frontend':<48} {'ok':<14}     2.2 s"]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([Outcome.OK, Outcome.CHANGED, Outcome.OK], "changed"),
        ([Outcome.CHANGED, Outcome.FAILED], "FAILED"),
        ([Outcome.FAILED, Outcome.UNREACHABLE], "UNREACHABLE"),
        ([Outcome.OK, Outcome.SKIPPED], "ok"),
    ],
)
def test_the_highest_outcome_of_its_tasks_counts(outcomes: list[Outcome], expected: str) -> None:
    step = step_of(*[("app", outcome, []) for outcome in outcomes])
    assert ended(step, ["app"])[0].split()[3] == expected


def test_a_step_of_which_every_task_was_skipped_is_not_shown() -> None:
    assert ended(step_of(("app", Outcome.SKIPPED, [])), ["app"]) == []
    assert ended(step_of(), ["app"]) == []


def test_a_warning_shows_a_step_that_was_skipped() -> None:
    step = step_of(("app", Outcome.SKIPPED, []))
    step.warnings.append("the certificate expires in 3 days")
    assert ended(step, ["app"])[1:] == ["    warning: the certificate expires in 3 days"]


def test_reasons_stand_below_the_step_once_each() -> None:
    step = step_of(("app", Outcome.CHANGED, ["url changed"]), ("app", Outcome.CHANGED, ["url changed", "no build"]))
    assert ended(step, ["app"])[1:] == ["    - url changed", "    - no build"]


def test_in_check_mode_nothing_is_said_to_have_changed() -> None:
    assert "would change" in ended(step_of(("app", Outcome.CHANGED, [])), ["app"], check_mode=True)[0]


def test_each_host_has_a_column_and_only_different_reasons_name_their_host() -> None:
    step = step_of(
        ("one", Outcome.CHANGED, ["no build", "port taken"]),
        ("two", Outcome.CHANGED, ["no build"]),
    )
    lines = ended(step, ["one", "two"])
    assert lines[0].split()[-4:] == ["changed", "changed", "2.2", "s"]
    assert lines[1:] == ["    - no build", "    - one: port taken"]


def test_many_hosts_are_counted() -> None:
    hosts = [f"host{number}" for number in range(16)]
    step = step_of(*[(host, Outcome.OK, []) for host in hosts[1:]], (hosts[0], Outcome.FAILED, ["Verify"]))
    lines = ended(step, hosts)
    assert "ok 15, FAILED 1" in lines[0]
    assert lines[1] == "    - host0: Verify"
    assert heading("Deploy", hosts, check_mode=False) == "Deploy: 16 hosts"


def test_the_heading_names_the_hosts_above_their_columns() -> None:
    assert heading("Deploy", ["app"], check_mode=False) == "Deploy: app"
    title, columns = heading("Deploy", ["one", "two"], check_mode=True).splitlines()
    assert title == "Deploy (check mode)"
    assert columns.index("one") == 49
    assert columns.split() == ["one", "two"]


def test_long_reasons_are_wrapped_and_no_word_is_cut() -> None:
    lines = ended(step_of(("app", Outcome.CHANGED, [" ".join([LONG] * 3)])), ["app"], width=60)
    assert lines[1:] == [f"    - {LONG}", f"      {LONG}", f"      {LONG}"]


def test_a_failure_is_said_once_for_all_its_hosts() -> None:
    lines = [line.text for line in failure_lines({"a": "port taken", "b": "port taken", "c": "no route"}, "", 100)]
    assert lines == ["", "FAILED on a, b: port taken", "", "FAILED on c: no route"]


def test_a_failure_that_the_summary_has_said_is_not_repeated() -> None:
    shown = "Verdict: failed\n  port 14200 is\n  taken by redis"
    assert failure_lines({"a": "port 14200 is taken by redis"}, shown, 100) == []
    assert failure_lines({"a": "port 14200 is taken by redis. Verdict: failed."}, shown, 100) == []
    told = failure_lines({"a": "port 14200 is taken by redis. Nothing was rolled back."}, shown, 100)
    assert [line.text for line in told][1].endswith("redis. Nothing was rolled back.")


def test_a_report_lists_what_was_done_on_its_host() -> None:
    finished = [
        FinishedStep("Build", 2.5, {"web1": Outcome.CHANGED, "web2": Outcome.OK}),
        FinishedStep("Skipped", 0.1, {"web1": Outcome.SKIPPED}),
        FinishedStep("Elsewhere", 0.1, {"web2": Outcome.OK}),
    ]
    assert steps_on("web1", finished) == [{"name": "Build", "seconds": 2.5, "outcome": "changed"}]


def test_consecutive_steps_without_news_share_a_line() -> None:
    one, two = step_of(("a", Outcome.OK, []), title="Plan the backend"), step_of(("b", Outcome.OK, []), title="x" * 60)
    assert folded([one]) is one
    both = folded([one, two])
    assert (both.title, both.outcomes) == ("x" * 30 + " and 1 step before", {"a": Outcome.OK, "b": Outcome.OK})
    assert folded([one, one, two]).title.endswith(" and 2 steps before")
    assert len(both.title) == 48


@pytest.mark.parametrize(
    ("outcome", "warnings", "news"),
    [
        (Outcome.SKIPPED, [], False),
        (Outcome.OK, [], False),
        (Outcome.OK, ["careful"], True),
        (Outcome.CHANGED, [], True),
        (Outcome.FAILED, [], True),
    ],
)
def test_a_step_with_news_changed_failed_or_warned(outcome: Outcome, warnings: list[str], news: bool) -> None:
    step = step_of(("a", outcome, []))
    step.warnings += warnings
    assert step.has_news is news
