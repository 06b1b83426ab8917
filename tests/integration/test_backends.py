"""Backends of other kinds than the sample's: their packages are installed and answer; whole applications are deployed.

`make test-applications` deploys the applications by the playbooks: again, changed, damaged and rolled back.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from ansible_collections.codeframe.staging.plugins.module_utils._host.http import request
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import parse_url
from ansible_collections.codeframe.staging.plugins.modules import (
    backend_node_build,
    backend_virtualenv,
    websocket_check,
)
from application_table import STEPS, Tried
from backend_shapes import FIRST, PAGE, SECOND, SHAPES, BackendShape
from deployed_application import DeployedApplication, Steps, machine_of
from free_ports import free_port
from module_runner import RunModule

USER, HOST, OTHER_HOST = "backends", "backends.test", "live.backends.test"
INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple/")
#: In the gate.
QUICK = "express"


@pytest.fixture(scope="module")
def machine() -> Iterator[None]:
    with machine_of(USER, HOST, OTHER_HOST):
        yield


def written(shape: BackendShape, source: Path, tools: Callable[[str], str]) -> None:
    """Write an application with its lock files."""
    for name, text in {**PAGE, **shape.files}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text.replace("{index}", INDEX))
    for place, command in shape.locks.items():
        words = [tools(word[1:-1]) if word.startswith("{") else word for word in command]
        env = {**os.environ, **clean_env(), "PIPENV_IGNORE_VIRTUALENVS": "1", "PIPENV_PYTHON": "/usr/bin/python3"}
        done = subprocess.run(
            words, cwd=source / place, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, done.stdout


@contextlib.contextmanager
def running(shape: BackendShape, directory: Path, place: int | str) -> Iterator[None]:
    """Run the backend as pm2 would, until it answers and while the block runs."""
    env = {**clean_env(), **shape.environment(place)}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            shape.command(place), cwd=directory, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 120
        while answer(place, "/health") is None:
            assert process.poll() is None and time.monotonic() < deadline, (directory / "log").read_text()  # noqa: PT018
            time.sleep(0.2)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def address_of(place: int | str) -> tuple[str, str]:
    """Authority and ``connect_to`` of a port or a socket."""
    return ("localhost", f"unix:{place}") if isinstance(place, str) else (f"127.0.0.1:{place}", f"127.0.0.1:{place}")


def answer(place: int | str, path: str) -> str | None:
    """What a server answers; None if it does not."""
    connect_to = (f"unix:{place}", 0) if isinstance(place, str) else ("127.0.0.1", place)
    with contextlib.suppress(OSError):
        found = request(parse_url(f"http://{address_of(place)[0]}{path}"), timeout_s=30, connect_to=connect_to)
        return found.body.decode() if found.status == 200 else None
    return None


@pytest.mark.parametrize(
    "shape",
    [pytest.param(shape, id=shape.name, marks=[] if shape.name == QUICK else pytest.mark.slow) for shape in SHAPES],
)
def test_a_backend_is_installed_from_its_lock_file_and_answers(
    shape: BackendShape, tmp_path: Path, run_module: RunModule, tools: Callable[[str], str]
) -> None:
    release = tmp_path / "app.releases/0001-a"
    written(shape, release, tools)
    directory = release / shape.directory
    kind = shape.variables.get("staging_backend_install", "requirements")
    options: dict[str, Any] = {"path": str(directory), "timeout": 600}
    if kind == "npm":
        module: Any = backend_node_build
        options["build_command"] = shape.variables.get("staging_backend_build_command", [])
    else:
        module = backend_virtualenv
        options.update(install=kind, python="/usr/bin/python3", venvs_dir=str(tmp_path / "app.releases/venvs"))
    installed = run_module(module, options)
    assert not installed["failed"], installed
    before = sorted(directory.iterdir())
    again = run_module(module, options)
    assert (again["changed"], again["digest"]) == (False, installed["digest"])
    assert sorted(directory.iterdir()) == before

    place = str(tmp_path / "backend.sock") if "staging_backend_socket" in shape.variables else free_port()
    authority, connect_to = address_of(place)
    with running(shape, directory, place):
        assert FIRST in (answer(place, "/api/version") or "")
        endpoint = {"name": "backend", "url": f"ws://{authority}{shape.path}", "connect_to": connect_to}
        protocol = shape.variables.get("staging_websocket_protocol", "plain")
        checked = run_module(websocket_check, {"endpoints": [endpoint], "hold": 1, "protocol": protocol})
    assert checked["diagnosis"]["cause"] == "none", checked["diagnosis"]

    if shape.damage:
        (release / shape.damage).unlink()
        repaired = run_module(module, options)
        assert (repaired["changed"], (release / shape.damage).is_file()) == (True, True)


class Deployed(DeployedApplication):
    """An application with a backend of some shape."""

    def __init__(self, shape: BackendShape, folder: Path, tools: Callable[[str], str]) -> None:
        self.shape, self.source = shape, folder / "source"
        self.project = Path(f"/home/{USER}/{shape.name}")
        written(shape, self.source, tools)
        variables = {
            "staging_hold": 2,
            "staging_frontend_output_dir": "dist",
            "staging_frontend_serve": "static",
            # They send back what they get. Socket.IO has messages of its own.
            **(
                {}
                if "staging_websocket_protocol" in shape.variables
                else {"staging_websocket_expect": {"type": "ping"}}
            ),
            **shape.variables,
        }
        super().__init__(shape.name, folder, USER, HOST, variables)
        self.variables["staging_public_ws_url"] = self.url()

    def url(self, host: str = HOST) -> str:
        return f"ws://{host}:{self.port}{self.shape.path}"

    def assert_serves(self, version: str, url: str) -> None:
        # The API is at the name of the WebSocket.
        assert self.text("/api/version", urlsplit(url).hostname or "") == version
        assert f'"{url}"' in self.text("/assets/app.js")

    def release(self, text: str) -> None:
        """Give the source another version."""
        for name, content in self.shape.files.items():
            if FIRST in content:
                (self.source / name).write_text(content.replace(FIRST, text))


@pytest.mark.applications
@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_backend_is_deployed_changed_and_rolled_back(
    shape: BackendShape, tmp_path: Path, tools: Callable[[str], str], applications: dict[str, Tried]
) -> None:
    passed: dict[str, int] = {}
    applications[shape.name] = Tried(shape.digest, passed)
    deployed, unchanged, changed_url, rollback = STEPS
    site = Deployed(shape, tmp_path, tools)
    steps = Steps(passed)

    try:
        assert site.changes() > 0
        site.assert_serves(FIRST, site.url())
        steps.passed(deployed)
        assert site.changes() == 0
        steps.passed(unchanged)
        # Of another source, so that the backend has to be another one as well.
        site.release(SECOND)
        site.variables["staging_public_ws_url"] = site.url(OTHER_HOST)
        assert site.changes() > 0
        site.assert_serves(SECOND, site.url(OTHER_HOST))
        steps.passed(changed_url)
        back = site.play("rollback_staging")
        assert back.exit_code == 0, back.output
        site.assert_serves(FIRST, site.url())
        steps.passed(rollback)
        # What is damaged is found by rules that the test above shows for each; the whole way is shown for one.
        if shape.name == QUICK:
            (site.project / shape.damage).unlink()
            site.release(FIRST)
            site.variables["staging_public_ws_url"] = site.url()
            assert Path(shape.damage).name in site.play("drift_staging").words
            assert site.changes() > 0
            assert (site.project / shape.damage).is_file()
            site.assert_serves(FIRST, site.url())
    finally:
        site.remove()
