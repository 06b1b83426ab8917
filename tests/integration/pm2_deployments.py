# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments by the playbooks on this machine, with real pm2 processes and without nginx."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from free_ports import free_port
from playbook_runs import PlaybookRun, run_playbook

ROOT = Path(__file__).resolve().parents[2]
PAGE = '<script>new WebSocket("ws://api.test/ws")</script>'
SERVE = [
    {"ansible.builtin.include_role": {"name": "codeframe.staging.backend", "tasks_from": "serve"}},
    {"ansible.builtin.include_role": {"name": "codeframe.staging.frontend", "tasks_from": "serve"}},
]


def python_servers(project: Path, page: int) -> dict[str, Any]:
    """Variables of a directory that Python serves as page and backend, of which nothing is verified.

    :param page: The port of the page.
    """
    serve = ["/usr/bin/python3", "-m", "http.server"]
    return {
        "staging_project_dir": str(project),
        "staging_user": "root",
        "staging_source_type": "in_place",
        "staging_proxy_page": False,
        "staging_public_ws_url": "ws://api.test/ws",
        "staging_vantages": [],
        "staging_report": False,
        "staging_backend_port": free_port(),
        "staging_backend_command": [*serve, "{port}"],
        "staging_backend_health_url": "http://127.0.0.1:{port}/",
        "staging_frontend_dir": ".",
        "staging_frontend_port": page,
        "staging_frontend_command": [*serve, str(page)],
        "frontend_exec_mode": "fork",
    }


class Deployments:
    """Releases that serve a page with Python, under pm2."""

    def __init__(self, root: Path) -> None:
        self.root, self.project, self.port = root, root / "app", free_port()
        self.project.mkdir()
        (self.project / ".env.staging").write_text("A=1\n")
        self.variables: dict[str, Any] = {
            **python_servers(self.project, self.port),
            "staging_public_url": f"http://127.0.0.1:{self.port}",
            "staging_allow_loopback": True,
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
