"""Fixtures of the module tests."""

from __future__ import annotations

import module_runner
import pytest


@pytest.fixture
def run_module() -> module_runner.RunModule:
    """Run a module's real ``main()`` and return its result."""
    return module_runner.run
