"""Every row of drifts.yml, and a sample of pairs: looked at, predicted, repaired, verified, and nothing left."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment, Outcome
from invariants import Invariants
from matrix import LEFT_ALONE, REFUSED, REPAIRED, Drift, Pair, Places, batches, bundles, read_drifts, sample_pairs
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

    def check_served(self) -> None:
        assert self.site.ask({"type": "ping"}) == {"type": "pong"}
        assert self.places.names["ws_url"] in self.site.scripts()

    def check_rest(self) -> None:
        """The invariants hold, and nothing differs any more."""
        assert self.invariants.violations() == []
        self.bundles += 1
        if self.bundles >= FURTHER_RUN:
            self.check_further_run()

    def check_further_run(self) -> None:
        self.bundles = 0
        again = self.run()
        assert (again.exit_code, again.changed) == (0, 0), again.output


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
        bench.check_further_run()


def marked(bundle: tuple[Drift, ...]) -> Any:
    quick = any(row.quick for row in bundle)
    return pytest.param(bundle, id="+".join(row.id for row in bundle), marks=[pytest.mark.quick] if quick else [])


@pytest.mark.parametrize("bundle", [marked(bundle) for bundle in BUNDLES])
def test_manual_changes_end_as_the_table_says(bundle: tuple[Drift, ...], bench: Bench) -> None:
    names = [row.id for row in bundle]
    with contextlib.ExitStack() as stack:
        stack.enter_context(bench.repaired_after_a_failure())
        results = [stack.enter_context(recorded("drift", row.id, together=names)) for row in bundle]
        bench.inject(bundle)
        with bench.restored(bundle):
            drifted, unknown = bench.look()
            for row, found in zip(bundle, results, strict=True):
                own = {*row.layers} if len(bundle) > 1 else {*drifted}
                found["looked"] = {"drifted": {k: v for k, v in drifted.items() if k in own}, "unknown": unknown}
            predicted = bench.run("--check")
            outcome = bench.run()
            for row, found in zip(bundle, results, strict=True):
                own_roles = row.changed_roles if len(bundle) > 1 else outcome.changed_roles
                found["changed"] = sorted(own_roles & outcome.changed_roles)
                found["ended"] = ended(outcome) if row.layers or len(bundle) == 1 else LEFT_ALONE
            roles = {role for row in bundle for role in row.changed_roles}
            assert predicted.exit_code == 0, predicted.output
            assert outcome.exit_code == 0, outcome.output
            ends = {row.end for row in bundle}
            assert ended(outcome) == (REPAIRED if REPAIRED in ends else ends.pop()), outcome.output
            assert_names(bundle, drifted, unknown)
            assert (predicted.changed_roles, outcome.changed_roles) == (roles, roles), outcome.output
            bench.check_served()
        bench.check_rest()


@pytest.mark.parametrize("refused", [marked(batch) for batch in batches(REFUSALS, 1 if ALONE else 5)])
def test_a_refusal_comes_before_any_change(refused: tuple[Drift, ...], bench: Bench) -> None:
    """One after the other, each put right by a person; nothing differs after the last one."""
    with bench.repaired_after_a_failure():
        problems = {row.id: refusal for row in refused if (refusal := refuse(row, bench))}
        assert problems == {}
        bench.check_rest()


def refuse(row: Drift, bench: Bench) -> str:
    """Make a change that a run refuses, and put it right; return what is not as the table says."""
    try:
        with recorded("drift", row.id, together=[row.id]) as found:
            bench.inject([row])
            with bench.restored([row]):
                drifted, unknown = bench.look()
                found["looked"] = {"drifted": drifted, "unknown": unknown}
                predicted, outcome = bench.run("--check"), bench.run()
                found["changed"], found["ended"] = sorted(outcome.changed_roles), ended(outcome)
                for each in (predicted, outcome):
                    assert (each.exit_code != 0, each.changed) == (True, 0), each.output
                    assert bench.places.fill(row.says) in each.words, each.output
                assert_names([row], drifted, unknown)
    except AssertionError as problem:
        return str(problem)
    return ""


def assert_names(rows: Iterable[Drift], drifted: dict[str, list[str]], unknown: dict[str, list[str]]) -> None:
    """The look names the layers of the rows, and no others."""
    layers = {layer for row in rows for layer in row.layers}
    not_comparable = {layer for row in rows for layer in row.unknown}
    assert ({*drifted}, {*unknown}) == (layers, not_comparable), (drifted, unknown)


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair.id) for pair in PAIRS])
def test_two_manual_changes_are_repaired_by_one_run(pair: Pair, bench: Bench) -> None:
    result = recorded("pairs", pair.id, first=pair.first.id, second=pair.second.id)
    with bench.repaired_after_a_failure(), result as found:
        bench.inject([pair.first, pair.second])
        drifted, unknown = bench.look()
        found["looked"] = {"drifted": drifted, "unknown": unknown}
        predicted = bench.run("--check")
        found["predicted"] = sorted(predicted.changed_roles)
        outcome = bench.run()
        found["changed"], found["ended"] = sorted(outcome.changed_roles), ended(outcome)
        assert predicted.exit_code == 0, predicted.output
        assert ended(outcome) == REPAIRED, outcome.output
        assert predicted.changed_roles == outcome.changed_roles, outcome.changed_tasks
        bench.check_served()
        bench.check_rest()


def ended(outcome: Outcome) -> str:
    """How a run ended, in the words of the table."""
    if outcome.exit_code == 0:
        return REPAIRED if outcome.changed else LEFT_ALONE
    return REFUSED if outcome.changed == 0 else "failed after changes"
