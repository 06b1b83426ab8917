# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.command import Ended, run

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def sh(script: str, cwd: Path, seconds: float = 10) -> Ended:
    return run(["/bin/sh", "-c", script], cwd=str(cwd), env=ENVIRONMENT, deadline=time.monotonic() + seconds)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waited for yet counts as ended."""
    for _attempt in range(400):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_both_streams_come_back_in_the_order_of_their_lines(tmp_path):
    assert sh("echo one; echo two >&2; echo three; exit 3", tmp_path) == Ended(3, "one\ntwo\nthree\n")


def test_a_command_has_the_given_directory_and_environment_and_no_input(tmp_path):
    assert sh('pwd; echo "${HOME-unset}"; cat', tmp_path) == Ended(0, f"{tmp_path}\nunset\n")


def test_a_command_that_passes_its_deadline_is_killed_with_all_it_started(tmp_path):
    started = time.monotonic()
    ended = sh("sleep 60 & echo $!; wait", tmp_path, seconds=2)
    assert (ended.code, time.monotonic() - started < 30) == (None, True)
    assert gone(int(ended.output))


def test_what_a_command_leaves_running_is_killed_and_not_waited_for(tmp_path):
    started = time.monotonic()
    ended = sh("sleep 60 & echo $!", tmp_path, seconds=30)
    assert (ended.code, time.monotonic() - started < 30) == (0, True)
    assert gone(int(ended.output))


def test_a_program_that_is_not_there_is_an_error_of_its_own(tmp_path):
    with pytest.raises(FileNotFoundError):
        run([str(tmp_path / "none")], cwd=str(tmp_path), env=ENVIRONMENT, deadline=time.monotonic() + 1)


def test_a_command_dies_with_the_process_that_runs_it(tmp_path):
    child = os.fork()
    if child == 0:
        sh("echo $$ >pid; exec sleep 60", tmp_path, seconds=60)
        os._exit(0)
    pid = ""
    deadline = time.monotonic() + 30
    while not pid and time.monotonic() < deadline:
        time.sleep(0.05)
        if (tmp_path / "pid").exists():
            pid = (tmp_path / "pid").read_text().strip()
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert gone(int(pid))
