"""rollback_staging.yml where the release that it activates does not work any more."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from playbook_runs import PlaybookRun, run_playbook

ROOT = Path(__file__).resolve().parents[2]
PAGE = '<script>new WebSocket("ws://api.test/ws")</script>'
SERVE = [
    {"ansible.builtin.include_role": {"name": "codeframe.staging.backend", "tasks_from": "serve"}},
    {"ansible.builtin.include_role": {"name": "codeframe.staging.frontend", "tasks_from": "serve"}},
]


class Deployments:
    """Releases that serve a page with Python, under pm2."""

    def __init__(self, root: Path) -> None:
        self.root, self.project, self.port = root, root / "app", free_port()
        self.project.mkdir()
        (self.project / ".env.staging").write_text("A=1\n")
        self.variables: dict[str, Any] = {
            "staging_project_dir": str(self.project),
            "staging_user": "root",
            "staging_source_type": "in_place",
            "staging_public_url": f"http://127.0.0.1:{self.port}",
            "staging_allow_loopback": True,
            "staging_proxy_page": False,
            "staging_public_ws_url": "ws://api.test/ws",
            "staging_vantages": [],
            "staging_report": False,
            "staging_backend_port": free_port(),
            "staging_backend_command": ["/usr/bin/python3", "-m", "http.server", "{port}"],
            "staging_backend_health_url": "http://127.0.0.1:{port}/",
            "staging_frontend_dir": ".",
            "staging_frontend_port": self.port,
            "staging_frontend_command": ["/usr/bin/python3", "-m", "http.server", str(self.port)],
            "frontend_exec_mode": "fork",
            "staging_proxy_provider": "manual",
        }
        self.serve = root / "play.json"
        self.serve.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "become": True, "tasks": SERVE}]))

    def play(self, book: Path, *options: str) -> PlaybookRun:
        inventory = self.root / "inventory.json"
        inventory.write_text(json.dumps({"staging": {"hosts": {"staging.test": self.variables}}}))
        environment = {"XDG_RUNTIME_DIR": str(self.root)}
        return run_playbook(book, *options, inventory=str(inventory), environment=environment)

    def deploy(self, version: str) -> Path:
        """Make a release of this version, serve it, and commit it; returns its directory."""
        (self.project / "index.html").write_text(f"{PAGE}<p>{version}</p>")
        for book, options in (
            (ROOT / "playbooks/deploy_staging.yml", ("--tags", "release")),
            (self.serve, ()),
            (ROOT / "playbooks/deploy_staging.yml", ("--tags", "release,proxy,websocket_verify")),
        ):
            done = self.play(book, *options)
            assert done.exit_code == 0, done.output
            assert book == self.serve or done.summary_agrees, done.output
        assert f"<p>{version}</p>" in self.page()
        return self.project.resolve()

    def start_manually(self, name: str, port: int) -> None:
        """Start a process as a manual deployment does, with an environment of its own."""
        command = ["pm2", "-s", "start", "/usr/bin/python3", "--name", name, "--interpreter", "none"]
        subprocess.run(
            [*command, "--cwd", str(self.project), "--", "-m", "http.server", str(port)],
            check=True,
            env={**os.environ, "MANUAL": name},
        )

    def processes(self) -> dict[str, str]:
        """The processes of pm2, each with the variable that only manual ones have."""
        listed = subprocess.run(["pm2", "-s", "jlist"], check=True, capture_output=True, text=True).stdout
        return {each["name"]: each["pm2_env"].get("env", {}).get("MANUAL", "") for each in json.loads(listed)}

    def roll_back(self, *options: str) -> PlaybookRun:
        return self.play(ROOT / "playbooks/rollback_staging.yml", *options)

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
            return str(answer.read().decode())


@pytest.fixture
def deployments(tmp_path: Path) -> Iterator[Deployments]:
    yield Deployments(tmp_path)
    subprocess.run(["pm2", "-s", "kill"], check=True)


@pytest.mark.slow
def test_a_rollback_that_fails_returns_to_the_release_that_was_active(deployments: Deployments) -> None:
    first, second = deployments.deploy("one"), deployments.deploy("two")
    assert first != second
    # Rebuilt manually meanwhile, with the URL of every user's own machine.
    (first / "index.html").write_text('<script>new WebSocket("ws://localhost:8080/ws")</script>')
    done = deployments.roll_back()
    assert done.exit_code == 2, done.output
    assert "ws://api.test/ws" in done.output
    outcome = f"Release {second.name}, which was active before the rollback, is active again and verified"
    assert f"Outcome: {outcome}." in done.words
    assert deployments.project.resolve() == second
    assert "<p>two</p>" in deployments.page()

    # Both are broken: nothing is hidden.
    (second / "index.html").write_text("<p>two, broken</p>")
    done = deployments.roll_back()
    assert f"Release {second.name}, which was active before the rollback, is active again and fails" in " ".join(
        done.output.split()
    )
    assert deployments.project.resolve() == second

    # A rollback that works needs no return.
    (first / "index.html").write_text(f"{PAGE}<p>one, repaired</p>")
    done = deployments.roll_back()
    assert done.exit_code == 0, done.output
    assert deployments.project.resolve() == first
    assert "<p>one, repaired</p>" in deployments.page()


@pytest.mark.slow
def test_a_rollback_of_a_take_over_restores_the_manual_processes(deployments: Deployments) -> None:
    (deployments.project / "index.html").write_text(f"{PAGE}<p>manual</p>")
    manual = {"app-backend": "app-backend", "my-page": "my-page"}
    deployments.start_manually("app-backend", deployments.variables["staging_backend_port"])
    deployments.start_manually("my-page", deployments.port)
    assert deployments.processes() == manual

    deployments.variables["staging_take_over"] = True
    first = deployments.deploy("manual")
    assert deployments.processes() == {"app-backend": "", "app-frontend": ""}

    done = deployments.roll_back()
    assert done.exit_code == 0, done.output
    assert (deployments.processes(), deployments.project.resolve()) == (manual, first)
    assert "<p>manual</p>" in deployments.page()

    # The next deployment takes it over again.
    assert deployments.play(deployments.serve).exit_code == 0
    assert deployments.processes() == {"app-backend": "", "app-frontend": ""}


@pytest.mark.slow
def test_a_first_deployment_that_fails_is_called_no_take_over_where_nothing_ran_before(
    deployments: Deployments,
) -> None:
    (deployments.project / "index.html").write_text("<p>first</p>")
    assert deployments.play(ROOT / "playbooks/deploy_staging.yml", "--tags", "release").exit_code == 0
    assert deployments.play(deployments.serve).exit_code == 0
    done = deployments.play(ROOT / "playbooks/deploy_staging.yml", "--tags", "release,proxy,websocket_verify")
    assert done.exit_code == 2, done.output
    assert "Outcome: No state is verified yet, so there is none to roll back to." in done.words
