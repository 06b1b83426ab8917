"""Applications of common shapes: deployed, deployed again, with another URL, and rolled back, by the playbooks.

Backends are deployed with one of the pages, so that a deployment of minutes shows both.

`make test-applications` runs all of them, records the results, and writes the table in docs/applications.md.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import subprocess
import sys
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from application_shapes import FALLBACK, PRIVATE, SHAPES, Shape
from application_table import STEPS, Tried
from backend_shapes import FIRST, SECOND, BackendShape
from backend_shapes import SHAPES as BACKENDS
from backend_sources import write_backend
from deployed_application import DeployedApplication, Steps, machine_of
from free_ports import free_port
from playbook_runs import PlaybookRun
from private_registry import PrivateRegistry, private_registry

USER, HOST, OTHER_HOST = "shapes", "shapes.test", "live.shapes.test"
_BACKENDS = {backend.page: backend for backend in BACKENDS}
#: Whose damage a whole deployment repairs; test_backends.py shows how the damage of each is found.
DAMAGED = "express"
TOKEN = "npm_Zq81vKeTokenOfTheTests"
_SCRIPTS = re.compile(r"""["'(]([\w./@~-]+\.m?js)\b""")


@pytest.fixture(scope="module", autouse=True)
def _machine() -> Iterator[None]:
    with machine_of(USER, HOST, OTHER_HOST):
        yield


@pytest.fixture(scope="module")
def registry() -> Iterator[PrivateRegistry]:
    with private_registry(PRIVATE, "1.0.0", "export const open = (url) => new WebSocket(url)\n", TOKEN) as running:
        yield running


class Deployed(DeployedApplication):
    """An application with a page of some shape, and its backend.

    :param backend: None for one in Python without packages.
    """

    def __init__(
        self,
        shape: Shape,
        backend: BackendShape | None,
        folder: Path,
        registry: PrivateRegistry,
        tools: Callable[[str], str],
    ) -> None:
        self.shape, self.backend, self.source = shape, backend, folder / "source"
        for name, text in shape.texts.items():
            (self.source / name).parent.mkdir(parents=True, exist_ok=True)
            filled = text.replace("{registry}", registry.address).replace("{registry_name}", registry.name)
            (self.source / name).write_text(filled)
        if backend:
            write_backend(backend, self.source, tools)
        page_port = free_port()
        own = json.dumps(dict(shape.variables)).replace("{frontend_port}", str(page_port))
        variables = {
            "staging_hold": 1,
            "staging_frontend_stable": 1,
            "staging_frontend_port": page_port,
            **(_variables_of(backend) if backend else self._echo()),
            **json.loads(own.replace("{token}", registry.token)),
        }
        super().__init__(shape.name, folder, USER, HOST, variables)
        self.variables["staging_public_url"] += shape.base
        self._lock()

    def _echo(self) -> dict[str, Any]:
        return {
            "staging_backend_dir": self.shape.backend,
            "staging_backend_install": "none",
            "staging_backend_command": [sys.executable, "server.py", "{port}"],
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

    def url(self, host: str) -> str:
        return f"ws://{host}:{self.port}{self.backend.path if self.backend else '/ws'}"

    def lead_to(self, host: str) -> None:
        """Change the public URL of the WebSocket, which has the name of the API."""
        self.variables["staging_public_ws_url"] = self.url(host)

    def release(self, version: str) -> None:
        """Give the source of the backend another version."""
        for name, content in self.backend.files.items() if self.backend else ():
            if FIRST in content:
                (self.source / name).write_text(content.replace(FIRST, version))

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
                            answer = self.text(found)
                            # A page in the place of a script, as servers answer for a path that they do not know.
                            if not answer.lstrip().startswith("<"):
                                texts[found] = answer
                                pending.append(found)
        return "".join(texts.values())

    def send_form(self) -> None:
        """Send a form as a browser does: servers refuse one from another origin than that of the page."""
        place = f"{HOST}:{self.port}"
        headers = {"Origin": f"http://{place}", "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection(place, timeout=30)
        connection.request("POST", self.shape.form, body="name=x", headers={**headers, "Accept": "text/html"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        connection.close()

    def assert_serves(self, version: str, host: str, not_host: str = "") -> None:
        for each in self.shape.paths:
            assert self.text(each)
        if self.shape.form:
            self.send_form()
        scripts = self.scripts()
        assert self.url(host) in scripts
        assert FALLBACK not in scripts
        assert not not_host or self.url(not_host) not in scripts
        assert not self.backend or self.text("/api/version", host) == version

    @property
    def project(self) -> Path:
        return Path(self.variables["staging_project_dir"])

    def drift(self) -> PlaybookRun:
        """Compare the host, which fails where something differs."""
        return super().play("drift_staging")

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


def _variables_of(backend: BackendShape) -> dict[str, Any]:
    """The variables of a backend; all but Socket.IO, which has messages of its own, send back what they get."""
    echo = "staging_websocket_protocol" not in backend.variables
    return {**({"staging_websocket_expect": {"type": "ping"}} if echo else {}), **backend.variables}


@pytest.mark.applications
@pytest.mark.parametrize(
    ("shape", "backend"),
    [
        pytest.param(shape, backend, id=f"{shape.name}+{backend.name}" if backend else shape.name)
        for shape, backend in ((shape, _BACKENDS.get(shape.name)) for shape in SHAPES)
    ],
)
def test_an_application(
    shape: Shape,
    backend: BackendShape | None,
    tmp_path: Path,
    registry: PrivateRegistry,
    tools: Callable[[str], str],
    applications: dict[str, Tried],
) -> None:
    passed: dict[str, int] = {}
    applications.update({each.name: Tried(each.digest, passed) for each in (shape, backend) if each})
    deployed, unchanged, changed_url, rollback = STEPS
    site = Deployed(shape, backend, tmp_path, registry, tools)
    try:
        steps = Steps(passed)
        site.lead_to(HOST)
        assert site.changes() > 0
        site.assert_serves(FIRST, HOST)
        assert (f"{shape.name}-frontend" in site.processes()) == shape.process
        assert "{token}" not in json.dumps(dict(shape.variables)) or site.files_with(TOKEN) == []
        steps.passed(deployed)
        assert site.changes() == 0
        steps.passed(unchanged)
        # The backend has another version as well, so that a rollback has to restore it.
        site.release(SECOND)
        site.lead_to(OTHER_HOST)
        assert site.changes() > 0
        site.assert_serves(SECOND, OTHER_HOST, not_host=HOST)
        steps.passed(changed_url)
        site.play("rollback_staging")
        site.assert_serves(FIRST, HOST, not_host=OTHER_HOST)
        steps.passed(rollback)
        if backend and backend.name == DAMAGED:
            (site.project / backend.damage).unlink()
            site.release(FIRST)
            site.lead_to(HOST)
            assert Path(backend.damage).name in site.drift().words
            assert site.changes() > 0
            assert (site.project / backend.damage).is_file()
            site.assert_serves(FIRST, HOST)
    finally:
        site.remove()
