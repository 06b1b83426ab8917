"""Applications of common shapes: deployed, deployed again, with another URL, and rolled back, by the playbooks.

`make test-applications` runs all of them, records the results, and writes the table in docs/applications.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from application_shapes import FALLBACK, PRIVATE, SHAPES, Shape
from application_table import STEPS, Tried
from free_ports import free_port
from playbook_runs import PlaybookRun, run_playbook
from private_registry import PrivateRegistry, private_registry

ROOT = Path(__file__).resolve().parents[2]
USER, HOST = "shapes", "shapes.test"
TOKEN = "npm_Zq81vKeTokenOfTheTests"
_SCRIPTS = re.compile(r"""["'(]([\w./@~-]+\.m?js)\b""")


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


@pytest.fixture(scope="module")
def registry() -> Iterator[PrivateRegistry]:
    with private_registry(PRIVATE, "1.0.0", "export const open = (url) => new WebSocket(url)\n", TOKEN) as running:
        yield running


class Deployed:
    """An application on this machine, by its inventory."""

    def __init__(self, shape: Shape, folder: Path, registry: PrivateRegistry) -> None:
        self.shape, self.folder, self.source = shape, folder, folder / "source"
        for name, text in shape.texts.items():
            (self.source / name).parent.mkdir(parents=True, exist_ok=True)
            filled = text.replace("{registry}", registry.address).replace("{registry_name}", registry.name)
            (self.source / name).write_text(filled)
        self._lock()
        self.port, self.page_port = free_port(), free_port()
        own = json.dumps(dict(shape.variables)).replace("{frontend_port}", str(self.page_port))
        self.variables: dict[str, Any] = {
            "staging_project_dir": f"/home/{USER}/{shape.name}",
            "staging_user": USER,
            "staging_packages": [],
            "staging_source_type": "archive",
            "staging_source_dir": str(self.source),
            "staging_public_url": f"http://{HOST}:{self.port}{shape.base}",
            "staging_allow_loopback": True,
            "staging_vantages": ["direct", "proxy"],
            "staging_hold": 1,
            "staging_frontend_stable": 1,
            "staging_backend_stable": 1,
            "staging_browser": "never",
            "staging_report": False,
            "staging_backend_dir": shape.backend,
            "staging_backend_install": "none",
            "staging_backend_command": [sys.executable, "server.py", "{port}"],
            "staging_backend_port": free_port(),
            "staging_frontend_dir": "web",
            "staging_frontend_port": self.page_port,
            **json.loads(own.replace("{token}", registry.token)),
        }

    def _lock(self) -> None:
        """Lock the packages in a copy, so that nothing else of an installation is in the source."""
        place = self.folder / "locked"
        shutil.copytree(self.source, place)
        locker, at = self.shape.locker, self.shape.lock
        env = {**clean_env(), "CI": "", "NPM_TOKEN": TOKEN}
        done = subprocess.run(
            locker.command,
            cwd=place / at,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.copy(place / at / locker.file, self.source / at / locker.file)
        shutil.rmtree(place)

    def url(self, path: str) -> str:
        return f"ws://{HOST}:{self.port}{path}"

    def play(self, book: str, path: str) -> PlaybookRun:
        inventory = self.folder / "inventory.json"
        variables = {**self.variables, "staging_public_ws_url": self.url(path)}
        inventory.write_text(json.dumps({"staging": {"hosts": {"staging.test": variables}}}))
        done = run_playbook(
            ROOT / f"playbooks/{book}.yml",
            inventory=str(inventory),
            environment={"ANSIBLE_PIPELINING": "1"},
            timeout_s=1800,
        )
        assert done.exit_code == 0, done.output
        assert TOKEN not in done.output
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
        """The page, the scripts that it names, and those that these name."""
        start = self.shape.paths[0]
        texts, pending = {start: self.text(start)}, [start]
        while pending:
            place = pending.pop()
            for name in _SCRIPTS.findall(texts[place]):
                # Scripts name others relative to themselves, to the page, or to the directory of all.
                for found in {
                    urljoin(place, name),
                    urljoin(start, name),
                    f"/_next/{name}",
                    f"{self.shape.base}/_next/{name}",
                }:
                    if found not in texts and re.match("/[^/]", found):
                        texts[found] = ""
                        with contextlib.suppress(urllib.error.HTTPError):
                            texts[found] = self.text(found)
                            pending.append(found)
        return "".join(texts.values())

    def assert_serves(self, path: str, not_path: str = "") -> None:
        for each in self.shape.paths:
            assert self.text(each)
        scripts = self.scripts()
        assert self.url(path) in scripts
        assert FALLBACK not in scripts
        assert not not_path or self.url(not_path) not in scripts

    def processes(self) -> set[str]:
        listed = subprocess.run(
            ["runuser", "-u", USER, "--", "pm2", "-s", "jlist"], check=True, capture_output=True, text=True, cwd="/"
        )
        return {process["name"] for process in json.loads(listed.stdout)}

    def files_with(self, text: str) -> list[str]:
        """The files of all releases that contain a text."""
        places = [str(place) for place in Path(f"/home/{USER}").glob(f"{self.shape.name}*")]
        found = subprocess.run(["grep", "-rlF", text, *places], check=False, capture_output=True, text=True)
        return found.stdout.split()

    def remove(self) -> None:
        """Make room for the next application."""
        subprocess.run(["runuser", "-u", USER, "--", "pm2", "-s", "delete", "all"], check=False, cwd="/")
        for place in Path(f"/home/{USER}").glob(f"{self.shape.name}*"):
            place.unlink() if place.is_symlink() else shutil.rmtree(place)
        for place in Path("/etc/nginx").glob(f"sites-*/{self.shape.name}*"):
            os.unlink(place)


@pytest.mark.applications
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_an_application(
    shape: Shape, tmp_path: Path, registry: PrivateRegistry, applications: dict[str, Tried]
) -> None:
    passed: dict[str, int] = {}
    applications[shape.name] = Tried(shape.digest, passed)
    began = time.monotonic()

    def step(name: str) -> None:
        nonlocal began
        passed[name] = round(time.monotonic() - began)
        began = time.monotonic()

    deployed, unchanged, changed_url, rollback = STEPS
    site = Deployed(shape, tmp_path, registry)
    try:
        began = time.monotonic()
        assert site.changes("/ws/one") > 0
        site.assert_serves("/ws/one")
        assert (f"{shape.name}-frontend" in site.processes()) == shape.process
        assert "{token}" not in json.dumps(dict(shape.variables)) or site.files_with(TOKEN) == []
        step(deployed)
        assert site.changes("/ws/one") == 0
        step(unchanged)
        assert site.changes("/ws/two") > 0
        site.assert_serves("/ws/two", not_path="/ws/one")
        step(changed_url)
        site.play("rollback_staging", "/ws/two")
        site.assert_serves("/ws/one", not_path="/ws/two")
        step(rollback)
    finally:
        site.remove()
