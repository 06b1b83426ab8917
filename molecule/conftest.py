"""Fixtures of all scenarios: the host over SSH, the site from outside, and the playbook."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import testinfra
import testinfra.host
from deployment import CHECKOUT, Deployment
from invariants import Invariants
from loops import Loops
from matrix import Places
from outside import Site

JOURNAL = (
    "systemctl --failed --no-legend; journalctl --no-pager -n 40 -u nginx -u 'pm2-*'; "
    "tail -n 20 /var/log/nginx/error.log /home/*/.pm2/logs/*.log"
)

VARIABLES = (
    "ansible_host",
    "ansible_port",
    "ansible_ssh_common_args",
    "ansible_ssh_private_key_file",
    "ansible_user",
    "inventory_hostname",
    "staging_app_name",
    "staging_project_dir",
    "staging_public_url",
    "staging_public_ws_url",
    "staging_user",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select only the quick cases if SCENARIO_CASES is ``quick``, and of other scenarios in every case.

    The host of `default` also serves the quick cases of `drift` and `faults`, which need a deployment as it does.
    """
    quick = [item for item in items if item.get_closest_marker("quick")]
    directory = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
    own = [item for item in items if directory in item.path.parents]
    if os.environ.get("SCENARIO_CASES") == "quick":
        own = [item for item in own if item in quick] or own
    config.hook.pytest_deselected(items=[item for item in items if item not in own and item not in quick])
    items[:] = [item for item in items if item in own or item in quick]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Add the journal of the host to the report of a failed test."""
    report = yield
    host = getattr(item, "funcargs", {}).get("host")
    if report.when == "call" and report.failed and host is not None:
        with host.sudo():
            report.sections.append(("journal of the host", host.run(JOURNAL).stdout))
    return report


@pytest.fixture(scope="session")
def inventory(request: pytest.FixtureRequest) -> Path:
    return Path(request.config.getoption("ansible_inventory"))


@pytest.fixture(scope="session")
def deployment(inventory: Path) -> Deployment:
    return Deployment(inventory)


@pytest.fixture(scope="session")
def variables(inventory: Path) -> dict[str, Any]:
    """Variables of the inventory, with their templates resolved."""
    arguments = json.dumps({"msg": {name: "{{ " + name + " }}" for name in VARIABLES}})
    done = subprocess.run(
        ["ansible", f"--inventory={inventory}", "staging", "-m", "debug", "-a", arguments, "-o"],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])["msg"]
    return found


@pytest.fixture(scope="session")
def host(variables: dict[str, Any]) -> testinfra.host.Host:
    """The staging host, over SSH as the ordinary user; testinfra does not resolve templates of an inventory."""
    return testinfra.get_host(
        f"ssh://{variables['ansible_user']}@{variables['ansible_host']}:{variables['ansible_port']}",
        ssh_identity_file=variables["ansible_ssh_private_key_file"],
        ssh_extra_args=variables["ansible_ssh_common_args"],
    )


@pytest.fixture(scope="session")
def site(variables: dict[str, Any]) -> Site:
    return Site(variables["staging_public_url"], variables["staging_public_ws_url"])


@pytest.fixture(scope="session")
def places(host: testinfra.host.Host, variables: dict[str, Any]) -> Places:
    """Places of the deployment, by the names that the commands of the tables use."""
    project, app, user = (variables[f"staging_{name}"] for name in ("project_dir", "app_name", "user"))
    key = f"{project.rpartition('/')[2]}-{hashlib.sha256(project.encode()).hexdigest()[:12]}"
    page, websocket = urlsplit(variables["staging_public_url"]), urlsplit(variables["staging_public_ws_url"])
    holder = {"controller": "another-controller", "who": "another user on another-controller", "project": project}
    lock = json.dumps({"version": 1, **holder, "pid": 1, "start": 1, "since": "2026-01-01T00:00:00Z", "expires": 0})
    return Places(
        {
            "site": host.check_output("ls /etc/nginx/sites-available/*%s*", app),
            "project": project,
            "releases": f"{project}.releases",
            "app": app,
            "home": f"/home/{user}",
            "files": f"/var/lib/codeframe-staging/{app}/files",
            "key": key,
            "port": str(page.port),
            "api_name": str(websocket.hostname),
            "ws_url": variables["staging_public_ws_url"],
            "lock": lock.replace('"expires": 0', '"expires": 99999999'),
            "old_lock": lock.replace('"expires": 0', '"expires": 1'),
        }
    )


@pytest.fixture(scope="session")
def invariants(host: testinfra.host.Host, places: Places, variables: dict[str, Any]) -> Invariants:
    return Invariants.of(host, places.names, variables["staging_user"])


@pytest.fixture(scope="session")
def api_url(site: Site) -> str:
    return site.ws_url.replace("ws://", "http://").removesuffix("/ws")


@pytest.fixture(scope="session")
def as_user(host: testinfra.host.Host, variables: dict[str, Any]) -> Callable[[str], str]:
    """Run a script in a login shell of the user of the application."""

    def run(script: str) -> str:
        with host.sudo(variables["staging_user"]):
            done = host.run("bash -lc %s", script)
        assert done.rc == 0, f"{done.stdout}\n{done.stderr}"
        return str(done.stdout)

    return run


@pytest.fixture(scope="session")
def rows(host: testinfra.host.Host) -> Callable[[str], list[str]]:
    """Add a row to the database of the stand-in for CodeFRAME, and return all that must be in it."""
    url = "http://127.0.0.1:14200/api/projects"
    added: list[str] | None = None

    def names() -> list[str]:
        return [each["name"] for each in json.loads(host.check_output(f"curl -fsS {url}"))["projects"]]

    def add(step: str) -> list[str]:
        nonlocal added
        added = names() if added is None else added
        name = f"{len(added)}: {step}"
        body = shlex.quote(json.dumps({"project_name": name}))
        host.check_output(f"curl -fsS -XPOST -H 'Content-Type: application/json' -d {body} {url}")
        added.append(name)
        assert names() == added
        return added

    return add


@pytest.fixture
def loops(
    site: Site, api_url: str, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> Iterator[Loops]:
    """A browser on a page of the stand-in for CodeFRAME, which goes on during the test; what it saw is printed."""
    made = Loops(site, api_url, "/projects/1")
    with made.running():
        yield made
    with capfd.disabled():
        print(f"\n{request.node.name}: {made}")
