"""The process that stands by on the controller for a run that holds a lock."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.plugin_utils import _lock_guard


class Run:
    """A process that stands for a run of Ansible, and what is freed behind it."""

    def __init__(self, directory: Path) -> None:
        self.tries = directory / "tries"
        self.temporary = directory / "temporary"
        self.temporary.mkdir()
        self.process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    def stand_by(self, *, unreachable: int = 0) -> None:
        def free() -> None:
            with self.tries.open("a") as file:
                file.write("x")
            if len(self.tries.read_text()) <= unreachable:
                raise ConnectionError

        _lock_guard.stand_by(str(self.temporary), "host /run/lock", self.process.pid, free)

    def end(self) -> None:
        self.process.communicate(b"\n", timeout=30)

    def tried(self, times: int) -> bool:
        """Whether it comes to so many tries."""
        return comes_true(lambda: self.tries.exists() and len(self.tries.read_text()) >= times)


def comes_true(said: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not said():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(_lock_guard, "POLL_S", 0.05)
    monkeypatch.setattr(_lock_guard, "PAUSES_S", (0, 0.1, 0.1))
    return Run(tmp_path)


def test_after_the_end_of_the_run_the_lock_is_released_once_and_no_directory_is_left(run: Run) -> None:
    run.stand_by()
    assert not run.tries.exists()
    run.end()
    assert run.tried(1)
    assert comes_true(lambda: not run.temporary.exists())
    time.sleep(0.5)
    assert run.tries.read_text() == "x"


def test_the_release_is_retried_on_an_unreachable_host(run: Run) -> None:
    run.stand_by(unreachable=2)
    run.end()
    assert run.tried(3)


def test_the_waiting_process_ends_when_it_is_dismissed(run: Run) -> None:
    run.stand_by()
    _lock_guard.dismiss(str(run.temporary), "another /run/lock")
    _lock_guard.dismiss(str(run.temporary), "host /run/lock")
    _lock_guard.dismiss(str(run.temporary), "host /run/lock")
    run.end()
    time.sleep(0.5)
    assert not run.tries.exists()
