from __future__ import annotations

import subprocess
import sys

import pytest
from process_arguments import ArgumentsWatch


def test_a_text_among_the_arguments_of_a_process_is_seen() -> None:
    with ArgumentsWatch() as watch:
        process = subprocess.Popen([sys.executable, "-c", "input()", "shown-to-all"], stdin=subprocess.PIPE)
        try:
            watch.await_sight("shown-to-all")
        finally:
            process.communicate(b"\n", timeout=60)
    assert len(watch.showing("nothing like it", "shown-to-all")) == 1


def test_a_text_that_no_process_shows_is_reported() -> None:
    with ArgumentsWatch() as watch, pytest.raises(AssertionError, match=r"no process was seen with 'hidden-from-all'"):
        watch.await_sight("hidden-" + "from-all", timeout_s=0.2)
    assert watch.seen
