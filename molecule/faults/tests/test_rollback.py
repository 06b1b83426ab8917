"""Releases that do not work: the previous one stays active, or is restored, and the run reports both."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import CHECKOUT, Deployment
from outside import Site

Host = testinfra.host.Host
MAIN = "backend/app/main.py"
Edit = Callable[[str, str], list[str]]
SECRET = "molecule-secret-value"


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """The variables that deploy a source in which a text of the backend is another one."""

    def edit(previous: str, text: str) -> list[str]:
        source = tmp_path / "source"
        skipped = shutil.ignore_patterns("node_modules", ".next", ".venv", "__pycache__")
        shutil.copytree(CHECKOUT / "examples/sample_app", source, ignore=skipped, dirs_exist_ok=True)
        main = source / MAIN
        found = main.read_text(encoding="utf-8")
        assert previous in found
        main.write_text(found.replace(previous, text), encoding="utf-8")
        return [f"staging_source_dir={source}"]

    return edit


def current(host: Host, variables: dict[str, Any]) -> str:
    with host.sudo():
        return host.check_output("readlink %s", variables["staging_project_dir"]).rpartition("/")[2]


def seconds_between(log: Path, first: str, second: str) -> float:
    """From the last line that holds one text to the first one after it that holds another."""
    lines = log.read_text(encoding="utf-8").splitlines()
    begin = max(number for number, line in enumerate(lines) if first in line)
    end = next(number for number, line in enumerate(lines) if number > begin and second in line)
    times = [datetime.strptime(lines[number][:23], "%Y-%m-%d %H:%M:%S,%f") for number in (begin, end)]
    return (times[1] - times[0]).total_seconds()


@pytest.fixture
def rollback_s(
    edited: Edit,
    deployment: Deployment,
    site: Site,
    host: Host,
    variables: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> float:
    """Seconds from a verification that fails on purpose until the previous release is active again and verified."""
    previous = current(host, variables)
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(tmp_path / "log"))
    outcome = deployment.run(variables=edited('{"type":"pong"}', '{"type":"gnop"}'))
    assert outcome.exit_code != 0, outcome.output
    assert ("websocket_verify", "Fail with the cause") in outcome.failed_tasks, outcome.output
    assert f"Release {previous}, the last verified one, is active again and verified" in outcome.words, outcome.output
    assert current(host, variables) == previous
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    return seconds_between(
        tmp_path / "log", "TASK [Record the failure of the run]", "TASK [codeframe.staging.backend : retire | Wait"
    )


@pytest.mark.quick
def test_the_previous_release_is_restored_after_a_failed_verification(rollback_s: float) -> None:
    # How long it takes depends on what else the machine does.
    assert rollback_s > 0


def test_a_rollback_takes_no_longer_than_10_s(rollback_s: float) -> None:
    # On an otherwise idle machine: its tasks take twice as long on one that is busy.
    assert rollback_s <= 10


def test_a_backend_that_crashes_at_once_is_quoted_without_secrets_and_rolled_back(
    edited: Edit, deployment: Deployment, site: Site, host: Host, variables: dict[str, Any]
) -> None:
    previous = current(host, variables)
    crash = 'VERSION = "1.0.0"\nraise SystemExit(f"no database for {os.environ[\'SAMPLE_TOKEN\']}")'
    outcome = deployment.run(variables=edited('VERSION = "1.0.0"', crash))
    assert outcome.exit_code != 0, outcome.output
    assert "backend" in outcome.failed_roles, outcome.output
    assert "no database for ********" in outcome.words, outcome.output
    assert SECRET not in outcome.output
    assert f"Release {previous}, the last verified one, is active again and verified" in outcome.words, outcome.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}


def test_a_backend_that_refuses_the_handshake_is_rolled_back(
    edited: Edit, deployment: Deployment, site: Site, host: Host, variables: dict[str, Any]
) -> None:
    previous = current(host, variables)
    outcome = deployment.run(variables=edited('websocket("/ws")', 'websocket("/elsewhere")'))
    assert outcome.exit_code != 0, outcome.output
    assert "/ws answers the WebSocket handshake with 403 Forbidden" in outcome.words, outcome.output
    assert f"Release {previous}, the last verified one, is active again and verified" in outcome.words, outcome.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}


def test_a_command_that_crashes_is_rolled_back_where_the_release_is_the_same(
    deployment: Deployment, site: Site, host: Host, variables: dict[str, Any]
) -> None:
    previous = current(host, variables)
    command = [".venv/bin/python", "-m", "uvicorn", "app.main:nope", "--port", "{port}"]
    outcome = deployment.run(variables=[json.dumps({"staging_backend_command": command})])
    assert outcome.exit_code != 0, outcome.output
    assert 'Attribute "nope" not found in module "app.main"' in outcome.words, outcome.output
    assert f"Release {previous}, the last verified one, is active again and verified" in outcome.words, outcome.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}


def test_another_port_and_path_that_fail_are_rolled_back(
    deployment: Deployment, site: Site, host: Host, variables: dict[str, Any]
) -> None:
    previous = current(host, variables)
    path = variables["staging_public_ws_url"].replace("/ws", "/elsewhere")
    outcome = deployment.run(variables=["staging_backend_port=14250", f"staging_public_ws_url={path}"])
    assert outcome.exit_code != 0, outcome.output
    assert ":14250/elsewhere answers the WebSocket handshake with 403 Forbidden" in outcome.words, outcome.output
    assert f"Release {previous}, the last verified one, is active again and verified" in outcome.words, outcome.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    assert not host.socket("tcp://127.0.0.1:14250").is_listening


def test_a_command_that_fails_before_the_activation_changes_nothing(
    edited: Edit, deployment: Deployment, host: Host, variables: dict[str, Any]
) -> None:
    previous = current(host, variables)
    commands = [["sh", "-c", "echo cannot migrate with $SAMPLE_TOKEN; exit 3"]]
    new = [
        *edited('VERSION = "1.0.0"', 'VERSION = "1.0.1"'),
        json.dumps({"staging_backend_before_activation": commands}),
    ]
    # The brackets keep the shell that runs pgrep from being found as well.
    with host.sudo(variables["staging_user"]):
        pid = host.check_output("pgrep -f [a]pp.main:app")
    outcome = deployment.run(variables=new)
    assert outcome.exit_code != 0, outcome.output
    assert "ended with 3; it printed: cannot migrate with ********" in outcome.words, outcome.output
    assert f"Release {previous}, the last verified one, is still active." in outcome.words
    with host.sudo(variables["staging_user"]):
        assert host.check_output("pgrep -f [a]pp.main:app") == pid
    assert SECRET not in outcome.output
    assert current(host, variables) == previous


@pytest.mark.parametrize(
    ("task", "version"),
    [
        pytest.param("release : activate | Activate the candidate", "1.1.0", id="before-the-activation"),
        pytest.param("backend : process | Run the backend under pm2", "1.2.0", id="after-the-activation"),
        pytest.param("websocket_verify : Start the check from the host", "1.3.0", id="before-the-verification"),
    ],
)
def test_a_run_that_was_killed_is_finished_by_the_next(
    task: str, version: str, edited: Edit, deployment: Deployment, site: Site, host: Host
) -> None:
    new = edited('VERSION = "1.0.0"', f'VERSION = "{version}"')
    deployment.kill_at(task, variables=new)
    outcome = deployment.run(variables=new)
    assert outcome.exit_code == 0, outcome.output
    assert version in host.check_output("curl -fsS http://127.0.0.1:14200/health")
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    again = deployment.run(variables=new)
    assert (again.exit_code, again.changed) == (0, 0), again.output


def test_rollbacks_to_the_previous_and_to_a_named_release_build_nothing(
    edited: Edit, deployment: Deployment, site: Site, host: Host, variables: dict[str, Any]
) -> None:
    first = deployment.run()
    assert first.exit_code == 0, first.output
    original = current(host, variables)
    second = deployment.run(variables=edited('VERSION = "1.0.0"', 'VERSION = "2.0.0"'))
    assert second.exit_code == 0, second.output
    newer = current(host, variables)
    back = deployment.run(playbook="rollback_staging.yml")
    assert back.exit_code == 0, back.output
    assert current(host, variables) == original
    assert '"1.0.0"' in host.check_output("curl -fsS http://127.0.0.1:14200/health")
    named = deployment.run(playbook="rollback_staging.yml", variables=[f"rollback_release={newer}"])
    assert named.exit_code == 0, named.output
    assert current(host, variables) == newer
    assert '"2.0.0"' in host.check_output("curl -fsS http://127.0.0.1:14200/health")
    for outcome in (back, named):
        assert "build | " not in outcome.output
        assert "Verdict:" in outcome.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}


class Handshakes:
    """A client that opens a WebSocket after another, and asks a question on each, until it is told to stop."""

    def __init__(self, site: Site) -> None:
        self.site, self.stop = site, threading.Event()
        self.passed, self.failures = 0, list[str]()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self.stop.is_set():
            try:
                self.site.ask({"type": "ping"})
                self.passed += 1
            except Exception as err:
                self.failures.append(repr(err))
            time.sleep(0.02)

    def __enter__(self) -> Handshakes:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()


def serving_port(host: Host, variables: dict[str, Any]) -> str:
    path = host.check_output("ls /etc/nginx/sites-available/*%s*", variables["staging_app_name"])
    with host.sudo():
        return str(re.findall(r"proxy_pass http://127\.0\.0\.1:(1420\d)", host.file(path).content_string)[0])


def test_a_blue_green_backend_refuses_no_handshake_in_deployment_and_rollback(
    edited: Edit, deployment: Deployment, site: Site, host: Host, variables: dict[str, Any]
) -> None:
    blue_green = ["staging_backend_switch=blue_green", "staging_backend_drain=5"]
    ports = []
    with Handshakes(site) as client:
        for version in ("3.0.0", "3.1.0"):
            new = [*blue_green, *edited('VERSION = "1.0.0"', f'VERSION = "{version}"')]
            outcome = deployment.run(variables=new)
            assert outcome.exit_code == 0, outcome.output
            ports.append(serving_port(host, variables))
            assert version in host.check_output("curl -fsS http://127.0.0.1:%s/health", ports[-1])
        again = deployment.run(variables=new)
        assert (again.exit_code, again.changed) == (0, 0), again.output
        failing = deployment.run(variables=[*blue_green, *edited('{"type":"pong"}', '{"type":"gnop"}')])
        back = deployment.run(playbook="rollback_staging.yml", variables=blue_green)
        assert back.exit_code == 0, back.output
    assert failing.exit_code != 0
    assert "is active again and verified" in failing.words, failing.output
    assert set(ports) == {"14200", "14201"}
    assert client.passed > 500
    assert client.failures == []
    single = deployment.run()
    assert single.exit_code == 0, single.output
    assert serving_port(host, variables) == "14200"
    with host.sudo(variables["staging_user"]):
        assert "-green" not in host.check_output("bash -lc 'pm2 -s jlist'")
