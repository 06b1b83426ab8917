"""Bad input stops the play in preflight, with one sentence that says what helps, and nothing on the host has changed.

Every input of the table is a host of its own in one play, all of them names of the same container.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from bad_inputs import ERRORS, GOOD
from deployment import Deployment, Outcome

Host = testinfra.host.Host

CONNECTION = ("ansible_host", "ansible_port", "ansible_user", "ansible_ssh_private_key_file", "ansible_ssh_common_args")
#: Every fifth input is enough for a first look.
CHOSEN = ERRORS[::5] if os.environ.get("SCENARIO_CASES") == "quick" else ERRORS
#: The whole tree: paths, kinds, modes, owners, sizes, times and contents. Left out is what a login itself writes.
DIGEST = """\
import hashlib, os, stat
whole = hashlib.sha256()
left_out = ("/proc", "/sys", "/dev", "/run", "/checkout", "/var/log", "/var/lib/systemd", "/tmp", "/var/tmp")
for directory, names, files in os.walk("/"):
    names[:] = sorted(n for n in names if os.path.join(directory, n) not in left_out)
    for name in sorted([*names, *files]):
        path = os.path.join(directory, name)
        status = os.lstat(path)
        whole.update(repr((path, status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns)).encode())
        if stat.S_ISREG(status.st_mode):
            with open(path, "rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        elif stat.S_ISLNK(status.st_mode):
            whole.update(os.readlink(path).encode())
print(whole.hexdigest())
"""


def digest(host: Host) -> str:
    with host.sudo():
        return host.check_output("python3 -c %s", DIGEST)


@dataclass(frozen=True)
class Stopped:
    """One play over all bad inputs."""

    outcome: Outcome
    before: str
    after: str
    locked: bool

    def message(self, alias: str) -> str:
        """The message with which a host failed, or an empty text."""
        found = re.search(rf"^fatal: \[{alias}[ \]].*?=> (\{{.*\}})$", self.outcome.output, re.MULTILINE)
        return str(json.loads(found[1])["msg"]) if found else ""


def alias_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@pytest.fixture(scope="session")
def stopped(host: Host, variables: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    shared = {name: variables[name] for name in CONNECTION}
    hosts = {alias_of(name): {**GOOD, **changes} for name, changes, _message in CHOSEN}
    inventory = tmp_path_factory.mktemp("inputs") / "hosts.json"
    inventory.write_text(json.dumps({"staging": {"hosts": hosts, "vars": shared}}))
    before = digest(host)
    outcome = Deployment(Path(inventory)).run(environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"})
    return Stopped(outcome, before, digest(host), host.file("/run/codeframe-staging").exists)


@pytest.mark.quick
def test_the_digest_sees_a_change(host: Host) -> None:
    before = digest(host)
    assert digest(host) == before
    with host.sudo():
        host.check_output("touch -d 2030-01-01 /etc/hostname.new")
        assert digest(host) != before
        host.check_output("rm /etc/hostname.new")


@pytest.mark.quick
def test_no_bad_input_gets_beyond_preflight_or_changes_anything(stopped: Stopped) -> None:
    assert stopped.outcome.exit_code != 0
    assert stopped.outcome.failed_tasks == (("preflight", "Validate the inputs"),), stopped.outcome.output
    assert len(re.findall(r"failed=1 ", stopped.outcome.output)) == len(CHOSEN), stopped.outcome.output
    assert stopped.outcome.changed == 0
    assert stopped.after == stopped.before
    assert not stopped.locked


@pytest.mark.quick
@pytest.mark.parametrize(
    ("alias", "message"), [pytest.param(alias_of(name), message, id=alias_of(name)) for name, _, message in CHOSEN]
)
def test_a_bad_input_is_said_in_one_sentence(alias: str, message: str, stopped: Stopped) -> None:
    assert f"{message}." in stopped.message(alias).splitlines(), stopped.message(alias)


@dataclass(frozen=True)
class Trouble:
    """What only the host can show: how it is made, what undoes it, the inputs, the role that stops and its words."""

    given: dict[str, Any]
    said: str
    made_by: str = "true"
    undone_by: str = "true"


FOREIGN = "systemd-run --quiet --unit=foreign --working-directory=/tmp python3 -m http.server 14555"
HELD = {"controller": "another", "pid": 4711, "start": 1, "who": "deployer@elsewhere"}
TROUBLES = [
    pytest.param(
        Trouble(
            {"staging_backend_port": 14555},
            "staging_backend_port is 14555, but process ",
            f"{FOREIGN}; sleep 1",
            "systemctl stop foreign",
        ),
        id="port-of-another-program",
    ),
    pytest.param(
        Trouble({"staging_min_free_bytes": 1 << 50}, "expected 1048576 GiB for a deployment"), id="disk-too-small"
    ),
    pytest.param(
        Trouble(
            {"staging_min_memory_bytes": 1 << 50, "staging_preflight_levels": {"memory": "fail"}},
            "of memory left, swap included; expected 1048576 GiB for the build",
        ),
        id="memory-too-small",
    ),
    pytest.param(
        Trouble(
            {},
            'nginx refuses its present configuration (unknown directive "upgrde" in /etc/nginx/conf.d/foreign.conf:1)',
            "echo 'upgrde on;' > /etc/nginx/conf.d/foreign.conf",
            "rm /etc/nginx/conf.d/foreign.conf",
        ),
        id="nginx-broken-before-us",
    ),
    pytest.param(
        Trouble(
            {"staging_project_dir": "/srv/closed/app"},
            "but deploy cannot write to /srv/closed; expected ",
            "mkdir /srv/closed",
            "rmdir /srv/closed",
        ),
        id="directory-of-root",
    ),
    pytest.param(
        Trouble(
            {"staging_project_dir": "/srv/file/projects/sample"},
            "but /srv/file is not a directory",
            "touch /srv/file",
            "rm /srv/file",
        ),
        id="file-in-the-way",
    ),
]


@pytest.fixture(scope="session")
def deployed(deployment: Deployment, stopped: Stopped) -> Deployment:
    """The sample application in place, after the bad inputs were tried on the bare host."""
    assert stopped.after == stopped.before
    outcome = deployment.run()
    assert outcome.exit_code == 0, outcome.output
    return deployment


@pytest.fixture
def served(host: Host, variables: dict[str, Any]) -> Any:
    """What is served: the current release, the processes with their starts, the site."""

    def look() -> str:
        with host.sudo():
            return host.check_output(
                "readlink %s; pgrep -u %s -a | sort; md5sum /etc/nginx/sites-enabled/*; pgrep -u root nginx",
                variables["staging_project_dir"],
                variables["staging_user"],
            )

    return look


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_only_the_host_can_show_stops_before_anything_served_has_changed(
    trouble: Trouble, host: Host, deployed: Deployment, served: Any, site: Any
) -> None:
    before = served()
    with host.sudo():
        host.check_output("sh -c %s", trouble.made_by)
    try:
        outcome = deployed.run(variables=[json.dumps(trouble.given)])
    finally:
        with host.sudo():
            host.check_output("sh -c %s", trouble.undone_by)
    assert outcome.failed_roles == {"preflight"}, outcome.output
    assert outcome.changed == 0, outcome.output
    assert trouble.said in outcome.words.replace('\\"', '"'), outcome.output
    assert served() == before
    assert site.ask({"type": "ping"}) == {"type": "pong"}


def test_an_input_of_the_proxy_alone_stops_before_the_lock(deployed: Deployment, served: Any) -> None:
    before = served()
    outcome = deployed.run(variables=[json.dumps({"proxy_connect_timeout": "1s; return 200"})])
    assert outcome.failed_tasks == (("proxy", "check | Refuse values that would break out of a directive"),), outcome
    assert "TASK [codeframe.staging.preflight : Validate the inputs]" in outcome.output
    assert "lock |" not in outcome.output
    assert outcome.changed == 0
    assert served() == before


def test_a_source_that_wants_a_newer_node_is_stopped_and_the_served_release_stays(
    host: Host, deployed: Deployment, served: Any, site: Any, tmp_path: Path
) -> None:
    sample = Path(__file__).resolve().parents[3] / "examples/sample_app"
    source = tmp_path / "sample_app"
    for path in sample.rglob("*"):
        if path.is_file() and not {"node_modules", ".next"} & set(path.parts):
            copy = source / path.relative_to(sample)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    package = source / "web-ui/package.json"
    package.write_text(json.dumps({**json.loads(package.read_text()), "engines": {"node": ">=99"}}))
    before = served()
    outcome = deployed.run(variables=[json.dumps({"staging_source_dir": str(source)})])
    assert ("preflight", "host | Validate what the host can run") in outcome.failed_tasks, outcome.output
    assert "expected >=99, as package.json needs it" in outcome.words, outcome.output
    with host.sudo():
        assert host.check_output("ls /run/codeframe-staging") == ""
    assert served() == before
    assert site.ask({"type": "ping"}) == {"type": "pong"}


def test_a_failure_in_the_runtime_frees_the_lock(host: Host, deployed: Deployment, served: Any) -> None:
    before = served()
    outcome = deployed.run(variables=[json.dumps({"runtime_pm2_version": "7.0.999"})])
    assert outcome.failed_roles == {"runtime", ""}, outcome.output
    with host.sudo():
        assert host.check_output("ls /run/codeframe-staging") == ""
    assert served() == before


def test_a_lock_of_another_controller_stops_the_run_and_names_its_holder(
    host: Host, deployed: Deployment, variables: dict[str, Any], served: Any
) -> None:
    before = served()
    project = variables["staging_project_dir"]
    deployed.module("deploy_lock", {"project": project, "identity": HELD, "lease_s": 300})
    outcome = deployed.run()
    assert outcome.failed_tasks == (("release", "lock | Take the deployment lock"),), outcome.output
    assert f"{project} is being deployed by deployer@elsewhere (process 4711, since " in outcome.words
    assert served() == before
    # A verification changes nothing, so it says what it has met, and goes on.
    outcome = deployed.run(playbook="verify_staging.yml")
    assert outcome.exit_code == 0, outcome.output
    assert f"{project} is being deployed by deployer@elsewhere (process 4711, since " in outcome.words
    # The other controller was killed: its lease runs out, and the wait ends with it.
    deployed.module("deploy_lock", {"project": project, "identity": HELD, "lease_s": 20})
    outcome = deployed.run(variables=[json.dumps({"staging_lock_wait": 60})])
    assert (outcome.exit_code, outcome.changed) == (0, 0), outcome.output
    with host.sudo():
        assert host.check_output("ls /run/codeframe-staging") == ""


def test_a_run_that_is_killed_frees_its_lock_for_other_controllers(
    host: Host, deployed: Deployment, served: Any
) -> None:
    before = served()
    deployed.kill_at("release : pack | Pack the directory on the controller")
    deadline = time.monotonic() + 30
    with host.sudo():
        while host.check_output("ls /run/codeframe-staging"):
            assert time.monotonic() < deadline
            time.sleep(0.5)
    assert served() == before
    outcome = deployed.run()
    assert (outcome.exit_code, outcome.changed) == (0, 0), outcome.output
