"""Applications of common shapes: deployed, deployed again, with another URL, and rolled back, by the playbooks.

`make test-applications` runs all of them, records the results, and writes the table in docs/applications.md.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from application_shapes import FALLBACK, PRIVATE, SHAPES, Shape
from application_table import STEPS, Tried
from deployed_application import DeployedApplication, Steps, machine_of
from free_ports import free_port
from playbook_runs import PlaybookRun
from private_registry import PrivateRegistry, private_registry

USER, HOST = "shapes", "shapes.test"
TOKEN = "npm_Zq81vKeTokenOfTheTests"
_SCRIPTS = re.compile(r"""["'(]([\w./@~-]+\.m?js)\b""")


@pytest.fixture(scope="module", autouse=True)
def _machine() -> Iterator[None]:
    with machine_of(USER, HOST):
        yield


@pytest.fixture(scope="module")
def registry() -> Iterator[PrivateRegistry]:
    with private_registry(PRIVATE, "1.0.0", "export const open = (url) => new WebSocket(url)\n", TOKEN) as running:
        yield running


class Deployed(DeployedApplication):
    """An application with a frontend of some shape."""

    def __init__(self, shape: Shape, folder: Path, registry: PrivateRegistry) -> None:
        self.shape, self.source = shape, folder / "source"
        for name, text in shape.texts.items():
            (self.source / name).parent.mkdir(parents=True, exist_ok=True)
            filled = text.replace("{registry}", registry.address).replace("{registry_name}", registry.name)
            (self.source / name).write_text(filled)
        page_port = free_port()
        own = json.dumps(dict(shape.variables)).replace("{frontend_port}", str(page_port))
        variables = {
            "staging_hold": 1,
            "staging_frontend_stable": 1,
            "staging_backend_dir": shape.backend,
            "staging_backend_install": "none",
            "staging_backend_command": [sys.executable, "server.py", "{port}"],
            "staging_frontend_port": page_port,
            **json.loads(own.replace("{token}", registry.token)),
        }
        super().__init__(shape.name, folder, USER, HOST, variables)
        self.variables["staging_public_url"] += shape.base
        self._lock()

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

    def lead_to(self, path: str) -> None:
        """Change the public URL of the WebSocket."""
        self.variables["staging_public_ws_url"] = self.url(path)

    def play(self, book: str) -> PlaybookRun:
        done = super().play(book)
        assert done.exit_code == 0, done.output
        assert TOKEN not in done.output
        return done

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


@pytest.mark.applications
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_an_application(
    shape: Shape, tmp_path: Path, registry: PrivateRegistry, applications: dict[str, Tried]
) -> None:
    passed: dict[str, int] = {}
    applications[shape.name] = Tried(shape.digest, passed)
    deployed, unchanged, changed_url, rollback = STEPS
    site = Deployed(shape, tmp_path, registry)
    try:
        steps = Steps(passed)
        site.lead_to("/ws/one")
        assert site.changes() > 0
        site.assert_serves("/ws/one")
        assert (f"{shape.name}-frontend" in site.processes()) == shape.process
        assert "{token}" not in json.dumps(dict(shape.variables)) or site.files_with(TOKEN) == []
        steps.passed(deployed)
        assert site.changes() == 0
        steps.passed(unchanged)
        site.lead_to("/ws/two")
        assert site.changes() > 0
        site.assert_serves("/ws/two", not_path="/ws/one")
        steps.passed(changed_url)
        site.play("rollback_staging")
        site.assert_serves("/ws/one", not_path="/ws/two")
        steps.passed(rollback)
    finally:
        site.remove()
