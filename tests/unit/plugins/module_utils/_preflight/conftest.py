"""DeploymentInputs that fit together, and processes that listen on ports."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs
from bad_inputs import GOOD

Start = Callable[..., tuple[int, int]]
CODE = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"


@pytest.fixture
def good() -> DeploymentInputs:
    return DeploymentInputs(GOOD)


@pytest.fixture
def listening() -> Iterator[Start]:
    """Start a process that listens on a port, in a directory of its own; gives its pid and port."""
    running = []

    def start(directory: Path, **variables: Any) -> tuple[int, int]:
        directory.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            cwd=directory,
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        return process.pid, int(process.stdout.readline())

    yield start
    for process in running:
        process.communicate("\n", timeout=30)
