"""The memory of a build, and the warning that comes from it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.memory import PeakMemory, shortage
from ansible_collections.codeframe.staging.plugins.module_utils._host import proc

MIB = 1024 * 1024


def test_the_memory_of_all_started_processes_is_measured() -> None:
    memory = PeakMemory()
    # A process and its child, with 40 MiB each; zeros would be one page.
    program = f"import os, time; data = os.urandom({40 * MIB}); "
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program + 'time.sleep(2)'!r}])"
    with memory.measured():
        subprocess.run([sys.executable, "-c", program + child], check=True)
    assert 80 * MIB < memory.peak < 200 * MIB


def test_nothing_is_measured_where_nothing_runs() -> None:
    memory = PeakMemory()
    with memory.measured():
        time.sleep(0)
    assert memory.peak == 0
    assert proc.memory(os.getpid()) > MIB
    assert proc.memory(2**22 + 1) == 0


def test_swap_counts_as_available(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proc.available_memory() > 0
    text = b"MemTotal: 1000000 kB\nMemAvailable:  500 kB\nSwapTotal: 900 kB\nSwapFree:   250 kB\n"
    monkeypatch.setattr(proc, "_read_or_raise", lambda _path: text)
    assert proc.available_memory() == 750 * 1024
    monkeypatch.setattr(proc, "_read_or_raise", lambda _path: b"")
    assert proc.available_memory() == 0


@pytest.mark.parametrize(("needed", "available"), [(0, 10), (10, 0), (10, 10), (9, 10)])
def test_enough_or_unknown_memory_is_no_warning(needed: int, available: int) -> None:
    assert shortage(needed, available) == ""


def test_a_shortage_is_told_with_both_figures() -> None:
    assert "needed 3 MiB of memory, and the host has 2 MiB available" in shortage(3 * MIB, 2 * MIB)
