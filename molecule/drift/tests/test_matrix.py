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
from matrix import LEFT_ALONE, REFUSED, REPAIRED, Drift, Pair, Places, bundles, read_drifts, sample_pairs
from outside import Site
from results import recorded

ROWS = read_drifts()
#: To find out which row of a bundle is the cause: DRIFT_ALONE=1 make test-drift.
BUNDLES = [(row,) for row in ROWS] if os.environ.get("DRIFT_ALONE") else bundles(ROWS)
PAIRS = sample_pairs(ROWS)
#: The verification itself is the subject of other tests.
SHORT = "staging_hold=1"


@dataclass(frozen=True)
class Bench:
    """The deployment that the rows are tried on."""

    deployment: Deployment
    host: testinfra.host.Host
    site: Site
    places: Places
    invariants: Invariants
    drift_file: Path

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

    def check_served(self) -> None:
        assert self.site.ask({"type": "ping"}) == {"type": "pong"}
        assert self.places.names["ws_url"] in self.site.scripts()

    def check_rest(self) -> None:
        """Nothing differs any more, and the invariants hold."""
        again = self.run()
        assert (again.exit_code, again.changed) == (0, 0), again.output
        assert self.invariants.violations() == []


@pytest.fixture(scope="module")
def bench(
    deployment: Deployment,
    host: testinfra.host.Host,
    site: Site,
    places: Places,
    invariants: Invariants,
    tmp_path_factory: pytest.TempPathFactory,
) -> Bench:
    return Bench(deployment, host, site, places, invariants, tmp_path_factory.mktemp("drift") / "drift.json")


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
        try:
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
            check_ends(bundle, bench, (drifted, unknown), predicted, outcome)
        finally:
            for row in bundle:
                if row.undo:
                    bench.execute(row.user, row.undo)
        bench.check_rest()


def check_ends(
    bundle: tuple[Drift, ...],
    bench: Bench,
    looked: tuple[dict[str, list[str]], dict[str, list[str]]],
    predicted: Outcome,
    outcome: Outcome,
) -> None:
    ends = {row.end for row in bundle}
    assert ended(outcome) == (REPAIRED if REPAIRED in ends else ends.pop()), outcome.output
    layers = {layer for row in bundle for layer in row.layers}
    unknown = {layer for row in bundle for layer in row.unknown}
    assert ({*looked[0]}, {*looked[1]}) == (layers, unknown), looked
    if REFUSED in {row.end for row in bundle}:
        (row,) = bundle
        for refused in (predicted, outcome):
            assert (refused.exit_code != 0, refused.changed) == (True, 0), refused.output
            assert bench.places.fill(row.says) in refused.words, refused.output
    else:
        roles = {role for row in bundle for role in row.changed_roles}
        assert predicted.exit_code == 0, predicted.output
        assert predicted.changed_roles == outcome.changed_roles == roles, (
            predicted.changed_tasks,
            outcome.changed_tasks,
        )
        bench.check_served()
    for row in bundle:
        if row.keeps:
            bench.execute("root", row.keeps)


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
