"""Backends of other kinds than the sample's: their packages are installed and answer.

test_applications.py deploys them.
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

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from ansible_collections.codeframe.staging.plugins.module_utils._host.http import request
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import parse_url
from ansible_collections.codeframe.staging.plugins.modules import (
    backend_node_build,
    backend_virtualenv,
    websocket_check,
)
from backend_shapes import FIRST, SHAPES, BackendShape
from backend_sources import write_backend
from free_ports import free_port
from module_runner import RunModule

#: In the gate.
QUICK = "express"


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
    write_backend(shape, release, tools)
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
