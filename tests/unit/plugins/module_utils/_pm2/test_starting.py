# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.downtime import DowntimeWatch
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.starting import await_listening
from free_ports import free_port

LISTENS_LATE = """
import socket, sys, time
time.sleep(0.5)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""


@pytest.fixture
def started() -> Iterator[Callable[..., int]]:
    """Start a program in Python; it is ended afterwards."""
    running = []

    def start(program: str, *arguments: str) -> int:
        running.append(subprocess.Popen([sys.executable, "-c", program, *arguments]))
        return running[-1].pid

    yield start
    for process in running:
        process.kill()
        process.wait()


def write_pid(home: Path, name: str, pid: int) -> None:
    (home / "pids").mkdir(exist_ok=True)
    (home / "pids" / name).write_text(str(pid))


def waited_s(port: int, home: Path, name: str = "web") -> float:
    began = time.monotonic()
    await_listening(DowntimeWatch(port), str(home), name)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("name", "file"),
    [
        pytest.param("web", "web-0.pid", id="plain"),
        pytest.param("my web_1.2", "my-web-1.2-13.pid", id="characters-that-pm2-replaces"),
    ],
)
def test_it_waits_until_the_process_listens(name: str, file: str, tmp_path: Path, started: Callable[..., int]) -> None:
    port = free_port()
    write_pid(tmp_path, file, started(LISTENS_LATE, str(port)))
    assert waited_s(port, tmp_path, name) >= 0.4
    assert DowntimeWatch(port)._served


def test_a_process_that_ends_is_not_waited_for(tmp_path: Path, started: Callable[..., int]) -> None:
    write_pid(tmp_path, "web-0.pid", started("raise SystemExit(1)"))
    assert waited_s(free_port(), tmp_path) < 4


def test_a_process_that_takes_long_is_waited_for_for_some_seconds(tmp_path: Path) -> None:
    write_pid(tmp_path, "web-0.pid", os.getpid())
    assert 4 < waited_s(free_port(), tmp_path) < 30


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param("web-blue-0.pid", "1", id="of-another-process"),
        pytest.param("web.pid", "1", id="without-an-instance"),
        pytest.param("web-0.pid", "", id="empty"),
        pytest.param("web-0.pid", "x" * 100, id="no-number"),
    ],
)
def test_without_a_number_there_is_no_wait(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / file).write_text(text)
    assert waited_s(free_port(), tmp_path) < 4


def test_without_the_directory_of_the_files_there_is_no_wait(tmp_path: Path) -> None:
    assert waited_s(free_port(), tmp_path) < 4
