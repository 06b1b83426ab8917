"""Processes, as the kernel shows real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host import proc

GONE = 4194305  # beyond the largest pid of Linux (2^22)


@contextmanager
def child(program: str = "import time; time.sleep(60)", **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that runs until the block ends; it has executed its program's first line.

    It handles SIGINT, even where the tests run in the background of a shell, which makes its children ignore it.
    """
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{heed}; print(flush=True); {program}", "an argument"],
        stdout=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "12 (nginx) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 0 0",
            proc.ProcessStat(12, "nginx", "S", 1, 4711),
            id="plain",
        ),
        pytest.param(
            "12 (a) b (c)) Z 7 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5 0 0",
            proc.ProcessStat(12, "a) b (c)", "Z", 7, 5),
            id="a-name-with-parentheses",
        ),
        pytest.param("", None, id="empty"),
        pytest.param("12 (nginx) S 1", None, id="cut-off"),
        pytest.param("x (nginx) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711", None, id="no-number"),
    ],
)
def test_the_line_of_a_process_is_read(text: str, expected: proc.ProcessStat | None) -> None:
    assert proc.parse_stat(text) == expected


@pytest.mark.parametrize(("state", "alive"), [("R", True), ("S", True), ("D", True), ("Z", False), ("X", False)])
def test_a_process_that_was_not_reaped_yet_does_not_live(state: str, alive: bool) -> None:
    assert proc.ProcessStat(1, "x", state, 0, 0).alive is alive


def test_a_process_is_described(tmp_path: Path) -> None:
    with child(env={"ONE": "1", "EMPTY": "", "SIGNS": "a=b"}, cwd=tmp_path) as process:
        stat = proc.read_stat(process.pid)
        assert stat is not None
        assert (stat.pid, stat.parent, stat.alive) == (process.pid, os.getpid(), True)
        assert proc.all_stats()[process.pid].start_ticks == stat.start_ticks
        assert process.pid in proc.pids()
        assert proc.arguments(process.pid)[-1] == "an argument"
        assert proc.title(process.pid).endswith(" an argument")
        environment = proc.environment(process.pid) or {}
        assert {name: environment[name] for name in ("ONE", "EMPTY", "SIGNS")} == {
            "ONE": "1",
            "EMPTY": "",
            "SIGNS": "a=b",
        }
        assert proc.working_directory(process.pid) == str(tmp_path)
        assert proc.owner(process.pid) == os.geteuid()
        assert proc.program_name(process.pid).startswith("python")


def test_the_boot_and_the_pid_namespace_are_identified() -> None:
    assert (
        proc.boot_id()
        == f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    )


def test_a_removed_working_directory_is_marked(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with child(cwd=tmp_path / "a") as process:
        (tmp_path / "a").rmdir()
        assert proc.working_directory(process.pid) == f"{tmp_path}/a{proc.DELETED}"


def test_a_process_that_does_not_exist_is_no_error() -> None:
    assert proc.read_stat(GONE) is None
    assert proc.is_alive(GONE) is False
    assert proc.age_s(GONE) is None
    assert proc.started_at(GONE) is None
    assert proc.arguments(GONE) == ()
    assert proc.title(GONE) == ""
    assert proc.program_name(GONE) == ""
    assert proc.environment(GONE, strict=True) is None
    assert proc.working_directory(GONE) is None
    assert proc.owner(GONE) is None
    assert proc.open_files_limit(GONE) is None
    assert proc.children(GONE) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every environment")
def test_an_environment_that_may_not_be_read_is_an_error_on_request() -> None:
    assert proc.environment(1) is None
    with pytest.raises(PermissionError):
        proc.environment(1, strict=True)


def test_start_and_age_agree_with_the_clock() -> None:
    before = time.time()
    with child() as process:
        started = proc.started_at(process.pid)
        assert started is not None
        assert before - 0.05 <= started <= time.time() + 0.05
        age = proc.age_s(process.pid)
        assert age is not None
        assert 0 <= age <= time.time() - before + 0.05


def test_descendants_are_found_however_deep() -> None:
    program = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print(p.pid, flush=True); "
        "time.sleep(60)"
    )
    with child(program) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        assert {process.pid, grandchild} <= proc.with_descendants([os.getpid()])
        assert proc.with_descendants([process.pid]) == {process.pid, grandchild}
        assert proc.children(process.pid) == [grandchild]
        assert proc.with_descendants([0, -1]) == set()
        os.kill(grandchild, signal.SIGKILL)


def test_the_soft_limit_of_open_files_is_read() -> None:
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert proc.open_files_limit(os.getpid()) == (soft if soft != resource.RLIM_INFINITY else None)


def test_processes_are_asked_first_and_killed_after_the_patience() -> None:
    stubborn = "import signal, time; signal.signal(2, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with child() as polite, child(stubborn) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        # On a busy machine, Python needs some time until it handles the signal.
        proc.end_processes([polite.pid, GONE], patience_s=60)
        assert polite.wait() in (1, -signal.SIGINT)
        proc.end_processes([deaf.pid], patience_s=0.5)
        assert deaf.wait() == -signal.SIGKILL


def test_a_number_that_another_process_has_by_now_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn = "import signal, time; signal.signal(2, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    with child(stubborn) as process:
        assert process.stdout is not None
        process.stdout.readline()
        real, calls = proc.read_stat, []

        def read_stat(pid: int) -> proc.ProcessStat | None:
            calls.append(pid)
            stat = real(pid)
            # As if the process had ended after the first signal and its number had been given away.
            return stat if stat is None or len(calls) == 1 else proc.ProcessStat(pid, "other", "S", 1, 1)

        monkeypatch.setattr(proc, "read_stat", read_stat)
        proc.end_processes([process.pid], patience_s=0.2)
        assert process.poll() is None


def test_only_files_below_the_directory_that_may_be_written_are_open_for_writing(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "inner").mkdir(parents=True)
    names = {"written": "w", "appended": "a", "inner/updated": "r+", "read": "r", "gone": "w"}
    for name in names:
        (top / name).write_text("x")
    # Its name begins with that of the directory.
    (tmp_path / "topmost").write_text("x")
    opened = [(top / name).open(mode) for name, mode in names.items()] + [(tmp_path / "topmost").open("w")]
    (top / "gone").unlink()
    try:
        found = proc.open_for_writing(str(top))
    finally:
        for file in opened:
            file.close()
    here = f"{proc.program_name(os.getpid())}, pid {os.getpid()}"
    assert found == {str(top / name): here for name in ("written", "appended", "inner/updated")}
    assert proc.open_for_writing(str(top)) == {}
