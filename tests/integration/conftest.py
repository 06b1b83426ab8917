"""Tests against real parts; ``make integration`` runs them as root inside a throw-away container."""

from __future__ import annotations

import os

import module_runner
import pytest


def pytest_collection_modifyitems() -> None:
    if os.environ.get("INTEGRATION_ON_THIS_MACHINE") != "1":
        raise pytest.UsageError(
            "tests/integration starts and changes services of the machine it runs on: run `make integration`, "
            "or set INTEGRATION_ON_THIS_MACHINE=1 on a machine that may be spoiled"
        )


@pytest.fixture
def run_module() -> module_runner.RunModule:
    """Run a module's real ``main()`` and return its result."""
    return module_runner.run
