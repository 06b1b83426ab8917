"""Every row of drifts.yml, and a sample of pairs: looked at, predicted, repaired, verified, and nothing left."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment, Outcome
from invariants import Invariants
from matrix import (
    LEFT_ALONE,
    REFUSED,
    REPAIRED,
    Drift,
    Facts,
    Pair,
    Places,
    batches,
    bundles,
    problems,
    read_drifts,
    sample_pairs,
)
from outside import Site
from results import recorded

ROWS = read_drifts()
REFUSALS = [row for row in ROWS if row.end == REFUSED]
OTHERS = [row for row in ROWS if row.end != REFUSED]
#: To find out which row of a bundle is the cause: DRIFT_ALONE=1 make test-drift.
ALONE = bool(os.environ.get("DRIFT_ALONE"))
BUNDLES = [(row,) for row in OTHERS] if ALONE else bundles(OTHERS)
PAIRS = sample_pairs(ROWS)
#: The verification itself is the subject of other tests.
SHORT = "staging_hold=1"
#: After so many bundles, a further run must change nothing. Until then, what a run has left behind would be named by
#: the look of the next bundle, which may name nothing else than its own changes.
FURTHER_RUN = 1 if ALONE else 5


@dataclass
class Bench:
    """The deployment that the rows are tried on; ``bundles`` were repaired since the last further run."""

    deployment: Deployment
    host: testinfra.host.Host
    site: Site
    places: Places
    invariants: Invariants
    drift_file: Path
    bundles: int = 0

    def execute(self, user: str, command: str) -> None:
        with self.host.sudo(user):
            done = self.host.run("bash -lc %s", self.places.fill(command))
        assert done.rc == 0, f"{command}\n{done.stdout}\n{done.stderr}"

    def inject(self, rows: Iterable[Drift]) -> None:
        for row in rows:
            if row.prepare:
                self.execute(row.user, row.prepare)
            self.execute(row.user, row.command)

    def look(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """The reasons of each layer that has drifted, and of each that could not be compared."""
        outcome = self.deployment.run(
            playbook="drift_staging.yml", variables=[f"staging_drift_file={self.drift_file}", SHORT]
        )
        assert (outcome.exit_code, outcome.changed) == (0, 0), outcome.output
        (found,) = json.loads(self.drift_file.read_text(encoding="utf-8"))["hosts"].values()
        layers = found["layers"]
        drifted = {each["layer"]: each["reasons"] for each in layers if each["state"] == "drifted"}
        unknown = {each["layer"]: each["unknown"] for each in layers if each["state"] == "unknown"}
        return drifted, unknown

    def run(self, *arguments: str) -> Outcome:
        return self.deployment.run(*arguments, variables=[SHORT])

    def look_and_predict(self) -> tuple[dict[str, list[str]], dict[str, list[str]], Outcome]:
        """What :meth:`look` returns, and the end of check mode. Neither changes anything, so they run side by side."""
        with ThreadPoolExecutor(2) as runs:
            looked, predicted = runs.submit(self.look), runs.submit(self.run, "--check")
            return *looked.result(), predicted.result()

    @contextlib.contextmanager
    def repaired_after_a_failure(self) -> Iterator[None]:
        """A row that fails leaves nothing that the next one would find."""
        try:
            yield
        except BaseException:
            self.run()
            raise

    @contextlib.contextmanager
    def restored(self, rows: Iterable[Drift]) -> Iterator[None]:
        """A person puts right what a run refuses or leaves alone; what is not managed must still be there."""
        try:
            yield
            for row in rows:
                if row.keeps:
                    self.execute("root", row.keeps)
        finally:
            for row in rows:
                if row.undo:
                    self.execute(row.user, row.undo)

    def wrong(self) -> list[str]:
        """What is not served, and the invariants that do not hold."""
        found = self.invariants.violations()
        if (answer := self.site.ask({"type": "ping"})) != {"type": "pong"}:
            found.append(f"the WebSocket answers {answer}")
        if self.places.names["ws_url"] not in self.site.scripts():
            found.append("the scripts of the page do not have the URL of the WebSocket")
        return found

    def left_over(self) -> list[str]:
        """What a further run changes, after every few bundles."""
        self.bundles += 1
        return self.further_run() if self.bundles >= FURTHER_RUN else []

    def further_run(self) -> list[str]:
        self.bundles = 0
        again = self.run()
        return [] if (again.exit_code, again.changed) == (0, 0) else [f"a further run: {again.words[-3000:]}"]


@pytest.fixture(scope="module")
def bench(
    deployment: Deployment,
    host: testinfra.host.Host,
    site: Site,
    places: Places,
    invariants: Invariants,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bench]:
    bench = Bench(deployment, host, site, places, invariants, tmp_path_factory.mktemp("drift") / "drift.json")
    yield bench
    if bench.bundles:
        assert bench.further_run() == []


def marked(bundle: tuple[Drift, ...]) -> Any:
    quick = any(row.quick for row in bundle)
    return pytest.param(bundle, id="+".join(row.id for row in bundle), marks=[pytest.mark.quick] if quick else [])


@pytest.mark.parametrize("bundle", [marked(bundle) for bundle in BUNDLES])
def test_manual_changes_end_as_the_table_says(bundle: tuple[Drift, ...], bench: Bench) -> None:
    names = [row.id for row in bundle]
    with contextlib.ExitStack() as stack:
        stack.enter_context(bench.repaired_after_a_failure())
        results = [stack.enter_context(recorded("drift", row.id, digest=row.digest, together=names)) for row in bundle]
        bench.inject(bundle)
        with bench.restored(bundle):
            drifted, unknown, predicted = bench.look_and_predict()
            outcome = bench.run()
            failed = [f"it fails: {each.words[-3000:]}" for each in (predicted, outcome) if each.exit_code != 0]
            wrong = failed or [*bench.wrong(), *bench.left_over()]
        facts = seen(drifted, unknown, predicted, outcome, wrong)
        for found in results:
            found["facts"] = asdict(facts)
        assert facts.wrong == ()
    assert problems(bundle, facts) == [], (drifted, unknown, predicted.changed_tasks, outcome.changed_tasks)


@pytest.mark.parametrize("refused", [marked(batch) for batch in batches(REFUSALS, 1 if ALONE else 5)])
def test_a_refusal_comes_before_any_change(refused: tuple[Drift, ...], bench: Bench) -> None:
    """One after the other, each put right by a person; nothing differs after the last one."""
    with bench.repaired_after_a_failure():
        unexpected = {row.id: why for row in refused if (why := refuse(row, bench))}
        assert (bench.wrong(), bench.left_over()) == ([], [])
    assert unexpected == {}


def refuse(row: Drift, bench: Bench) -> list[str]:
    """Make a change that a run refuses, and put it right; return what is not as the table says."""
    with recorded("drift", row.id, digest=row.digest, together=[row.id]) as found:
        bench.inject([row])
        with bench.restored([row]):
            drifted, unknown, predicted = bench.look_and_predict()
            outcome = bench.run()
        wrong = [
            f"it does not say {says}: {each.words[-3000:]}"
            for each in (predicted, outcome)
            if (says := bench.places.fill(row.says)) not in each.words
        ]
        wrong += ["check mode does not fail"] if predicted.exit_code == 0 and not row.warns else []
        facts = seen(drifted, unknown, predicted, outcome, wrong)
        found["facts"] = asdict(facts)
    return problems([row], facts)


def seen(
    drifted: Iterable[str], unknown: Iterable[str], predicted: Outcome, outcome: Outcome, wrong: Iterable[str]
) -> Facts:
    return Facts(
        drifted=tuple(sorted(drifted)),
        unknown=tuple(sorted(unknown)),
        predicted=tuple(sorted(predicted.changed_roles)),
        changed=tuple(sorted(outcome.changed_roles)),
        ended=ended(outcome),
        wrong=tuple(wrong),
    )


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair.id) for pair in PAIRS])
def test_two_manual_changes_are_repaired_by_one_run(pair: Pair, bench: Bench) -> None:
    result = recorded("pairs", pair.id, digest=pair.digest, first=pair.first.id, second=pair.second.id)
    with bench.repaired_after_a_failure(), result as found:
        bench.inject([pair.first, pair.second])
        drifted, unknown, predicted = bench.look_and_predict()
        found["looked"] = {"drifted": sorted(drifted), "unknown": sorted(unknown)}
        found["predicted"] = sorted(predicted.changed_roles)
        outcome = bench.run()
        found["changed"], found["ended"] = sorted(outcome.changed_roles), ended(outcome)
        assert predicted.exit_code == 0, predicted.output
        assert ended(outcome) == REPAIRED, outcome.output
        possible = {*pair.first.possible, *pair.second.possible}
        assert predicted.changed_roles - possible == outcome.changed_roles - possible, outcome.changed_tasks
        assert (bench.wrong(), bench.left_over()) == ([], [])


def ended(outcome: Outcome) -> str:
    """How a run ended, in the words of the table."""
    if outcome.exit_code == 0:
        return REPAIRED if outcome.changed else LEFT_ALONE
    return REFUSED if outcome.changed == 0 else "failed after changes"
