"""Every row of drifts.yml, and a sample of pairs: looked at, predicted, repaired, verified, and nothing left."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment, Outcome
from invariants import Invariants
from matrix import LEFT_ALONE, REFUSED, REPAIRED, Drift, Pair, Places, read_drifts, sample_pairs
from outside import Site
from results import recorded

ROWS = read_drifts()
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


def marked(row: Drift) -> Any:
    return pytest.param(row, id=row.id, marks=[pytest.mark.quick] if row.quick else [])


@pytest.mark.parametrize("row", [marked(row) for row in ROWS])
def test_a_manual_change_ends_as_the_table_says(row: Drift, bench: Bench) -> None:
    with recorded("drift", row.id) as found:
        bench.inject([row])
        try:
            drifted, unknown = bench.look()
            found["looked"] = {"drifted": drifted, "unknown": unknown}
            predicted = bench.run("--check")
            found["predicted"] = sorted(predicted.changed_roles)
            outcome = bench.run()
            found["changed"] = sorted(outcome.changed_roles)
            found["ended"] = ended(outcome)
            assert ended(outcome) == row.end, outcome.output
            assert (set(drifted), set(unknown)) == (set(row.layers), set(row.unknown)), (drifted, unknown)
            if row.end == REFUSED:
                for refused in (predicted, outcome):
                    assert (refused.exit_code != 0, refused.changed) == (True, 0), refused.output
                    assert bench.places.fill(row.says) in refused.words, refused.output
            else:
                assert predicted.exit_code == 0, predicted.output
                assert predicted.changed_roles == outcome.changed_roles == row.changed_roles, outcome.changed_tasks
                bench.check_served()
            if row.keeps:
                bench.execute("root", row.keeps)
        finally:
            if row.undo:
                bench.execute(row.user, row.undo)
        bench.check_rest()


@pytest.mark.parametrize("pair", [pytest.param(pair, id=pair.id) for pair in PAIRS])
def test_two_manual_changes_are_repaired_by_one_run(pair: Pair, bench: Bench) -> None:
    with recorded("pairs", pair.id, first=pair.first.id, second=pair.second.id) as found:
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
