"""Applications with other backends than FastAPI's: deployed, deployed again, changed, damaged and rolled back."""

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
from backend_shapes import FIRST, PAGE, SECOND, SHAPES, BackendShape
from free_ports import free_port
from playbook_runs import PlaybookRun, run_playbook

ROOT = Path(__file__).resolve().parents[2]
USER, HOST = "backends", "backends.test"


@pytest.fixture(scope="module", autouse=True)
def _machine() -> Iterator[None]:
    """The name of the page, as DNS gives it, and no process of an application afterwards."""
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

    def __init__(self, shape: BackendShape, folder: Path) -> None:
        self.shape, self.folder, self.source = shape, folder, folder / "source"
        self.project = Path(f"/home/{USER}/{shape.name}")
        for name, text in {**PAGE, **shape.files}.items():
            (self.source / name).parent.mkdir(parents=True, exist_ok=True)
            (self.source / name).write_text(text)
        for place, command in shape.locks.items():
            subprocess.run(
                [word.replace("{python}", sys.executable) for word in command],
                cwd=self.source / place, env=clean_env(), check=True, capture_output=True,
            )  # fmt: skip
        self.port = free_port()
        self.variables: dict[str, Any] = {
            "staging_project_dir": str(self.project),
            "staging_user": USER,
            "staging_packages": [],
            "runtime_log_processes": [],
            "staging_source_type": "archive",
            "staging_source_dir": str(self.source),
            "staging_public_url": f"http://{HOST}:{self.port}",
            "staging_public_ws_url": f"ws://{HOST}:{self.port}{shape.path}",
            "staging_allow_loopback": True,
            "staging_vantages": ["direct", "proxy"],
            "staging_hold": 2,
            "staging_browser": "never",
            "staging_report": False,
            "staging_backend_port": free_port(),
            "staging_backend_stable": 1,
            "staging_frontend_dir": "web",
            "staging_frontend_output_dir": "dist",
            "staging_frontend_serve": "static",
            **shape.variables,
        }

    def play(self, book: str) -> PlaybookRun:
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"staging": {"hosts": {"staging.test": self.variables}}}))
        return run_playbook(
            ROOT / f"playbooks/{book}.yml",
            inventory=str(inventory),
            environment={"ANSIBLE_PIPELINING": "1"},
            timeout_s=2400,
        )

    def changes(self) -> int:
        done = self.play("deploy_staging")
        assert done.exit_code == 0, done.output
        changed = re.search(r"changed=(\d+)", done.output)
        assert changed is not None, done.output
        return int(changed[1])

    def version(self) -> str:
        with urllib.request.urlopen(f"http://{HOST}:{self.port}/api/version", timeout=30) as answer:
            return str(answer.read().decode())

    def release(self, text: str) -> None:
        """Give the source another version."""
        for name, content in self.shape.files.items():
            if FIRST in content:
                (self.source / name).write_text(content.replace(FIRST, text))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.name) for shape in SHAPES])
def test_a_backend_is_deployed_changed_repaired_and_rolled_back(shape: BackendShape, tmp_path: Path) -> None:
    site = Deployed(shape, tmp_path)
    assert site.changes() > 0
    assert site.version() == FIRST
    assert site.changes() == 0

    site.release(SECOND)
    assert site.changes() > 0
    assert site.version() == SECOND

    back = site.play("rollback_staging")
    assert back.exit_code == 0, back.output
    assert site.version() == FIRST
    assert site.changes() > 0
    assert site.version() == SECOND

    if shape.damage:
        (site.project / shape.damage).unlink()
        drift = site.play("drift_staging")
        assert Path(shape.damage).name in drift.words, drift.output
        assert site.changes() > 0
        assert (site.project / shape.damage).is_file()
        assert site.version() == SECOND
        assert site.changes() == 0
