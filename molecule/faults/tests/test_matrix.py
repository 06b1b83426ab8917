"""Every row of faults.yml, and crash points of a deployment, while pages are loaded and a WebSocket is open."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import CHECKOUT, Deployment, Outcome
from invariants import Invariants
from load import Load
from matrix import FAILED, KILLED, PASSED, RESTORED, Fault, Places, chains, fault_problems, read_faults
from outside import Site
from results import recorded

ROWS = read_faults()
Action = Callable[[Callable[[], None]], None]
#: How many of the tasks of a deployment are crash points: `all`, or a number.
POINTS = os.environ.get("FAULT_POINTS", "12")
#: They are handed out to so many tests, in which so many deployments are killed before one is finished.
SHARES, IN_A_ROW = 4, 4
KILL = Fault("crash-point", "the controller is killed", KILLED, deploys="url")
MAIN, REQUIREMENTS, PAGE = "backend/app/main.py", "backend/requirements.txt", "web-ui/app/page.jsx"
VERSION = 'VERSION = "1.0.0"'
#: After so many repairs, a further run must change nothing.
FURTHER_RUN = 4
_NUMBERS = itertools.count(1)
# A file system of its own for the projects, with room for a few more releases; and back to that of the host.
OWN_DISK = """
cd /home/deploy; kib=$(du -sk projects | cut -f1); cp -a projects moving
mount -t tmpfs -o size=$((kib + 3000000))k tmpfs projects
chown --reference=moving projects; chmod --reference=moving projects; cp -a moving/. projects; rm -rf moving
"""
DISK_OF_HOST = """
cd /home/deploy; mount -o remount,rw projects; rm -f projects/filler; cp -a projects moving; umount -l projects
find projects -mindepth 1 -delete; cp -a moving/. projects; rm -rf moving
"""
FILLER = "/home/deploy/projects/filler"
DISK = {
    # 40 KiB are left, as for a log; a file of more does not fit.
    "fill": f"fallocate -l $(($(df --output=avail -B1 /home/deploy/projects | tail -1) - 40960)) {FILLER}",
    "empty": f"rm -f {FILLER}",
}
ON_MACHINE = {
    "read_only": "mount -o remount,ro /home/deploy/projects",
    "writable": "mount -o remount,rw /home/deploy/projects",
}


@dataclass
class Bench:
    """The deployment that faults are tried on.

    ``deployed`` are the variables of what is deployed now; ``repairs`` were made since the last further run.
    """

    deployment: Deployment
    host: testinfra.host.Host
    page_url: str
    ws_url: str
    places: Places
    invariants: Invariants
    name: str
    directory: Path
    deployed: dict[str, Any] = field(default_factory=dict)
    repairs: int = 0

    def source(self, number: int, edits: dict[str, tuple[str, str]]) -> str:
        """The path of a source with other texts in some of its files."""
        source = self.directory / str(number)
        skipped = shutil.ignore_patterns("node_modules", ".next", ".venv", "__pycache__")
        shutil.copytree(CHECKOUT / "examples/sample_app", source, ignore=skipped)
        for path, (previous, text) in edits.items():
            file = source / path
            found = file.read_text(encoding="utf-8")
            assert previous in found, f"{path} does not contain {previous!r}"
            file.write_text(found.replace(previous, text, 1), encoding="utf-8")
        return str(source)

    def wanted(self, row: Fault) -> dict[str, Any]:
        """The variables that deploy what the row says."""
        number = next(_NUMBERS)
        version = (VERSION, f'VERSION = "1.{number}.0"')
        edits: dict[str, dict[str, tuple[str, str]]] = {
            "version": {MAIN: version},
            "packages": {REQUIREMENTS: ("\n", f"\n# {number}\n")},
            "npm_packages": {"web-ui/package-lock.json": ("\n", "\n" * (number + 1))},
            "broken_page": {PAGE: ("export default", f"const broken{number} = ;\nexport default")},
            "missing_package": {REQUIREMENTS: ("\n", "\nno-such-package-of-anybody==1.0\n")},
        }
        given = dict(self.deployed)
        if row.edit:
            given["staging_source_dir"] = self.source(number, {MAIN: (row.edit[0], row.edit[1])})
        elif row.deploys == "url":
            given["staging_public_ws_url"] = self.ws_url.replace("//api.", f"//api{number}.")
        elif row.deploys in edits:
            given["staging_source_dir"] = self.source(number, edits[row.deploys])
        return given

    def variables(self, given: dict[str, Any]) -> list[str]:
        return [json.dumps({"staging_hold": 1, **given})]

    def run(self, given: dict[str, Any], *arguments: str, playbook: str = "deploy_staging.yml") -> Outcome:
        return self.deployment.run(*arguments, playbook=playbook, variables=self.variables(given))

    def load(self, *given: dict[str, Any]) -> Load:
        urls = [str(each.get("staging_public_ws_url", self.ws_url)) for each in (self.deployed, *given)]
        return Load(Site(self.page_url, urls[0]), tuple(dict.fromkeys(urls[1:])))

    def execute(self, command: str) -> None:
        if command in ON_MACHINE:
            stagehost("exec", self.name, ON_MACHINE[command])
        elif command:
            with self.host.sudo():
                done = self.host.run("bash -lc %s", self.places.fill(command))
            # The connection of the command itself may be what it cuts.
            assert done.rc in (0, 255), f"{command}\n{done.stdout}\n{done.stderr}"

    def happening(
        self, row: Fault, given: dict[str, Any], found: dict[str, Any]
    ) -> Callable[[Callable[[], None]], None]:
        def act(kill: Callable[[], None]) -> None:
            if row.during == "kill":
                kill()
            elif row.during == "restart":
                stagehost("restart", self.name)
            elif row.during == "second_run":
                second = self.run(given)
                found["second_run"] = ended(second)
                assert "lock" in second.words, second.output
                assert (second.exit_code != 0, second.changed) == (True, 0), second.output
            else:
                self.execute(row.during)

        return act

    def run_with_fault(self, row: Fault, given: dict[str, Any], found: dict[str, Any]) -> Outcome:
        try:
            self.execute(row.before)
            if row.rollback:
                return self.run(given, playbook="rollback_staging.yml")
            if not row.at:
                return self.run({**given, **row.variables})
            return self.deployment.run_with(
                row.at,
                self.happening(row, given, found),
                delay_s=row.delay_s,
                variables=self.variables({**given, **row.variables}),
            )
        finally:
            self.execute(row.after)

    def check_rest(self, given: dict[str, Any], results: Iterable[dict[str, Any]]) -> None:
        """The next run repairs everything, and what must always hold does."""
        following = self.run(given)
        changed = sorted(following.changed_roles) if following.exit_code == 0 else "failed"
        for found in results:
            found["next_run"] = changed
        assert following.exit_code == 0, following.output
        self.deployed = given
        self.repairs += 1
        wrong = self.invariants.violations() + (self.further_run() if self.repairs >= FURTHER_RUN else [])
        for found in results:
            found["wrong"] = wrong
        assert wrong == []

    def further_run(self) -> list[str]:
        """What a further run changes."""
        self.repairs = 0
        again = self.run(self.deployed)
        return [] if (again.exit_code, again.changed) == (0, 0) else [f"a further run: {again.words[-3000:]}"]


def stagehost(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "stagehost", *arguments],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "molecule/shared")},
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def bench(
    deployment: Deployment,
    host: testinfra.host.Host,
    places: Places,
    invariants: Invariants,
    variables: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bench]:
    filled = Places({**places.names, **DISK})
    urls = variables["staging_public_url"], variables["staging_public_ws_url"]
    name, directory = variables["inventory_hostname"], tmp_path_factory.mktemp("sources")
    bench = Bench(deployment, host, *urls, filled, invariants, name, directory)
    yield bench
    if bench.repairs:
        assert bench.further_run() == []
    if bench.deployed:
        # The other tests of the session expect what the inventory says.
        assert deployment.run().exit_code == 0


@pytest.fixture
def disk(request: pytest.FixtureRequest, bench: Bench) -> Iterator[None]:
    """A small file system of its own for the projects, if the row wants one."""
    wanted = any(row.disk for row in request.node.callspec.params["chain"])
    if wanted:
        stagehost("exec", bench.name, OWN_DISK)
    yield
    if wanted:
        stagehost("exec", bench.name, DISK_OF_HOST)
        with bench.host.sudo("deploy"):
            bench.host.check_output("bash -lc 'pm2 restart all'")


def ended(outcome: Outcome) -> str:
    """How a run ended, in the words of the table."""
    if outcome.exit_code < 0:
        return KILLED
    if outcome.exit_code == 0:
        return PASSED
    return RESTORED if "is active again and verified" in outcome.words else FAILED


def marked(chain: tuple[Fault, ...]) -> Any:
    quick = any(row.quick for row in chain)
    return pytest.param(chain, id="+".join(row.id for row in chain), marks=[pytest.mark.quick] if quick else [])


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize("chain", [marked(chain) for chain in chains(ROWS)])
def test_a_deployment_survives_a_fault(chain: tuple[Fault, ...], bench: Bench) -> None:
    """One after the other; the run after the last one repairs what all of them have left."""
    wanted = [bench.wanted(row) for row in chain]
    results: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        for row, given in zip(chain, wanted, strict=True):
            found = stack.enter_context(recorded("faults", row.id, digest=row.digest))
            results.append(found)
            with bench.load(*wanted) as load:
                outcome = bench.run_with_fault(row, given, found)
                found["ended"] = ended(outcome)
                as_expected = found["ended"] == row.ends and row.says in outcome.words
                found["words"] = row.says if as_expected else outcome.words[-2000:]
                if row is chain[-1]:
                    bench.check_rest(bench.deployed if row.broken else given, results)
            found["load"] = load.as_result()
        problems = {row.id: fault_problems(row, found) for row, found in zip(chain, results, strict=True)}
        failures = load.pages.failures[:3]
        assert not any(problems.values()), (problems, failures, outcome.output)


def tasks_of(outcome: Outcome) -> list[str]:
    """The tasks of a deployment from the lock on, each once, in their order."""
    names = re.findall(r"(?m)^TASK \[(.*?)\] \**$", outcome.output)
    begin = next(number for number, name in enumerate(names) if "Take the deployment lock" in name)
    return list(dict.fromkeys(name for name in names[begin:] if "Validating arguments" not in name))


def points_of(tasks: list[str], wanted: str) -> list[str]:
    """All tasks, or so many at equal distances."""
    if wanted == "all":
        return tasks
    number = min(int(wanted), len(tasks))
    return [tasks[index * len(tasks) // number] for index in range(number)]


@pytest.fixture(scope="module")
def tasks(bench: Bench) -> list[str]:
    """The tasks of a deployment of another URL, so everything is in it: a release, a build, processes, the proxy."""
    given = bench.wanted(KILL)
    whole = bench.run(given)
    assert whole.exit_code == 0, whole.output
    bench.deployed = given
    return tasks_of(whole)


@pytest.mark.parametrize("share", range(SHARES))
def test_a_deployment_killed_at_any_task_is_finished_by_a_later_one(share: int, bench: Bench, tasks: list[str]) -> None:
    points = list(enumerate(points_of(tasks, POINTS)))[share::SHARES]
    for start in range(0, len(points), IN_A_ROW):
        kill_in_a_row(points[start : start + IN_A_ROW], len(tasks), bench)


def kill_in_a_row(points: list[tuple[int, str]], number: int, bench: Bench) -> None:
    """Kill one deployment after the other, each of another URL; the run after the last one finishes what is left."""
    wanted = [bench.wanted(KILL) for _ in points]
    results: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        for (index, task), given in zip(points, wanted, strict=True):
            found = stack.enter_context(recorded("crash", f"{index:03}", task=task, of=number))
            results.append(found)
            with bench.load(*wanted) as load:
                bench.deployment.kill_at(f"[{task}]", variables=bench.variables(given))
                if index == points[-1][0]:
                    bench.check_rest(given, results)
            found["load"] = load.as_result()
            assert load.pages.passed > 0
            assert load.pages.failures == []
