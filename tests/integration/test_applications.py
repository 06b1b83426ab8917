"""Applications of common shapes: deployed, deployed again, with another URL, and rolled back, by the playbooks.

`make test-applications` runs all of them, and writes the table in docs/applications.md.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from application_shapes import FALLBACK, SHAPES, Shape
from free_ports import free_port
from playbook_runs import PlaybookRun, run_playbook

ROOT = Path(__file__).resolve().parents[2]
USER, HOST = "shapes", "shapes.test"
#: In the gate.
QUICK = "vite-static"


@pytest.fixture(scope="module", autouse=True)
def _machine() -> Iterator[None]:
    """The name of the page, as DNS gives it, and no process of an earlier shape afterwards."""
    hosts = Path("/etc/hosts")
    before = hosts.read_text()
    hosts.write_text(f"{before}127.0.0.1 {HOST}\n")
    yield
    hosts.write_text(before)
    subprocess.run(["systemctl", "disable", "--now", f"pm2-{USER}.service"], check=False, capture_output=True)
    subprocess.run(["pkill", "-KILL", "-u", USER], check=False)
    subprocess.run(["userdel", "--remove", USER], check=False, capture_output=True)


class Deployed:
    """An application on this machine, by its inventory."""

    def __init__(self, shape: Shape, folder: Path) -> None:
        self.shape, self.folder, self.source = shape, folder, folder / "source"
        for name, text in shape.texts.items():
            (self.source / name).parent.mkdir(parents=True, exist_ok=True)
            (self.source / name).write_text(text)
        if shape.lock is not None:
            command = ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=self.source / shape.lock, env=clean_env(), check=True, capture_output=True)
        self.port, self.page_port = free_port(), free_port()
        self.variables: dict[str, Any] = {
            "staging_project_dir": f"/home/{USER}/{shape.name}",
            "staging_user": USER,
            "staging_packages": [],
            "runtime_log_processes": [],
            "staging_source_type": "archive",
            "staging_source_dir": str(self.source),
            "staging_public_url": f"http://{HOST}:{self.port}{shape.base}",
            "staging_allow_loopback": True,
            "staging_vantages": ["direct", "proxy"],
            "staging_hold": 1,
            "staging_browser": "never",
            "staging_report": False,
            "staging_backend_dir": shape.backend,
            "staging_backend_install": "none",
            "staging_backend_command": [sys.executable, "server.py", "{port}"],
            "staging_backend_port": free_port(),
            "staging_frontend_dir": "web",
            "staging_frontend_port": self.page_port,
            **json.loads(json.dumps(dict(shape.variables)).replace("{frontend_port}", str(self.page_port))),
        }

    def url(self, path: str) -> str:
        return f"ws://{HOST}:{self.port}{path}"

    def play(self, book: str, path: str) -> PlaybookRun:
        inventory = self.folder / "inventory.json"
        variables = {**self.variables, "staging_public_ws_url": self.url(path)}
        inventory.write_text(json.dumps({"staging": {"hosts": {"staging.test": variables}}}))
        done = run_playbook(ROOT / f"playbooks/{book}.yml", inventory=str(inventory), timeout_s=1800)
        assert done.exit_code == 0, done.output
        return done

    def changes(self, path: str) -> int:
        done = self.play("deploy_staging", path)
        changed = re.search(r"changed=(\d+)", done.output)
        assert changed is not None, done.output
        return int(changed[1])

    def text(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def scripts(self) -> str:
        """The page and the scripts that it names."""
        page = self.text(self.shape.paths[0])
        names = set(re.findall(r"""["'(](/[^"'() ]+\.m?js)\b""", page))
        return page + "".join(self.text(name) for name in sorted(names))

    def assert_serves(self, path: str, not_path: str = "") -> None:
        for each in self.shape.paths:
            assert self.text(each)
        if not self.shape.name.startswith(("nuxt", "remix", "sveltekit")):
            # The others load the scripts of a page by those of the page.
            assert self.url(path) in self.scripts()
            assert FALLBACK not in self.scripts()
            assert not not_path or self.url(not_path) not in self.scripts()


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(shape, id=shape.name, marks=[] if shape.name == QUICK else pytest.mark.applications)
        for shape in SHAPES
    ],
)
def test_an_application(shape: Shape, tmp_path: Path, application_rows: list[str]) -> None:
    site = Deployed(shape, tmp_path)
    assert site.changes("/ws/one") > 0
    site.assert_serves("/ws/one")
    listed = subprocess.run(
        ["runuser", "-u", USER, "--", "pm2", "-s", "jlist"], check=True, capture_output=True, text=True, cwd="/"
    )
    names = {process["name"] for process in json.loads(listed.stdout)}
    assert (f"{shape.name}-frontend" in names) == shape.process
    assert site.changes("/ws/one") == 0
    assert site.changes("/ws/two") > 0
    site.assert_serves("/ws/two", not_path="/ws/one")
    site.play("rollback_staging", "/ws/two")
    site.assert_serves("/ws/one", not_path="/ws/two")
    application_rows.append(shape.title)
