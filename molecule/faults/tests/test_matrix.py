"""Every row of faults.yml, and crash points of a deployment, while pages are loaded and a WebSocket is open."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import CHECKOUT, Deployment, Outcome
from invariants import Invariants
from load import Load
from matrix import FAILED, KILLED, PASSED, RESTORED, Fault, Places, fault_problems, read_faults
from outside import Site
from results import recorded

ROWS = read_faults()
Action = Callable[[Callable[[], None]], None]
#: How many of the tasks of a deployment are crash points: `all`, or a number.
POINTS = os.environ.get("FAULT_POINTS", "12")
MAIN, REQUIREMENTS, PAGE = "backend/app/main.py", "backend/requirements.txt", "web-ui/app/page.jsx"
VERSION = 'VERSION = "1.0.0"'
#: After so many rows, a further run must change nothing.
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

    ``deployed`` are the variables of what is deployed now; ``rows`` were tried since the last further run.
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
    rows: int = 0

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
            "npm_packages": {"web-ui/package.json": ('"private"', f'"description": "{number}", "private"')},
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

    def check_rest(self, given: dict[str, Any], found: dict[str, Any]) -> None:
        """The next run repairs everything, and what must always hold does."""
        following = self.run(given)
        found["next_run"] = sorted(following.changed_roles) if following.exit_code == 0 else "failed"
        assert following.exit_code == 0, following.output
        self.deployed = given
        self.rows += 1
        found["wrong"] = self.invariants.violations() + (self.further_run() if self.rows >= FURTHER_RUN else [])
        assert found["wrong"] == []

    def further_run(self) -> list[str]:
        """What a further run changes."""
        self.rows = 0
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
    if bench.rows:
        assert bench.further_run() == []
    if bench.deployed:
        # The other tests of the session expect what the inventory says.
        assert deployment.run().exit_code == 0


@pytest.fixture
def disk(request: pytest.FixtureRequest, bench: Bench) -> Iterator[None]:
    """A small file system of its own for the projects, if the row wants one."""
    row: Fault = request.node.callspec.params["row"]
    if row.disk:
        stagehost("exec", bench.name, OWN_DISK)
    yield
    if row.disk:
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


def marked(row: Fault) -> Any:
    return pytest.param(row, id=row.id, marks=[pytest.mark.quick] if row.quick else [])


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize("row", [marked(row) for row in ROWS])
def test_a_deployment_survives_a_fault(row: Fault, bench: Bench) -> None:
    given = bench.wanted(row)
    with recorded("faults", row.id) as found:
        with bench.load(given) as load:
            try:
                bench.execute(row.before)
                given_now = {**given, **row.variables}
                if row.rollback:
                    outcome = bench.run(given, playbook="rollback_staging.yml")
                elif row.at:
                    outcome = bench.deployment.run_with(
                        row.at,
                        bench.happening(row, given, found),
                        delay_s=row.delay_s,
                        variables=bench.variables(given_now),
                    )
                else:
                    outcome = bench.run(given_now)
            finally:
                bench.execute(row.after)
            found["ended"], found["words"] = ended(outcome), outcome.words[-6000:]
            # What cannot work is not deployed again.
            broken = row.edit or row.deploys in ("broken_page", "missing_package")
            bench.check_rest(bench.deployed if broken else given, found)
        found["load"] = load.as_result()
    assert fault_problems(row, found) == [], (load.pages.failures[:3], outcome.output)


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


def test_a_deployment_killed_at_any_task_is_finished_by_the_next(bench: Bench) -> None:
    """Another URL, so everything is in it: a release, a build, processes, the proxy."""
    row = Fault("crash-points", "the controller is killed", KILLED, deploys="url")
    given = bench.wanted(row)
    whole = bench.run(given)
    assert whole.exit_code == 0, whole.output
    bench.deployed = given
    tasks = tasks_of(whole)
    for number, task in enumerate(points_of(tasks, POINTS)):
        given = bench.wanted(row)
        with recorded("crash", f"{number:03}", task=task, of=len(tasks)) as found, bench.load(given) as load:
            bench.deployment.kill_at(f"[{task}]", variables=bench.variables(given))
            bench.check_rest(given, found)
            found["load"] = load.as_result()
            assert load.pages.passed > 0
            assert load.pages.failures == []
