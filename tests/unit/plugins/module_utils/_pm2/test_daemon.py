"""The pm2 daemon, found by the title of a process."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host import proc
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.daemon import Pm2Daemon, find_daemon, orphans

Start = Callable[..., int]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process with a command line and an environment; gives its pid."""
    running = []

    def run(title: str = "sleep", **env: str) -> int:
        process = subprocess.Popen([title, "60"], executable="/bin/sleep", env=env)
        running.append(process)
        deadline = time.monotonic() + 30
        while not Path(f"/proc/{process.pid}/cmdline").read_bytes().endswith(b"60\0"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return process.pid

    yield run
    for process in running:
        process.kill()
        process.wait()


def title_of(home: Path) -> str:
    return f"PM2 v7.0.4: God Daemon ({home})"


@pytest.fixture
def titled(start: Start, monkeypatch: pytest.MonkeyPatch) -> Start:
    """As ``start``, with the last argument of the command line left out of the title, as the daemon's has none."""
    title = proc.title
    monkeypatch.setattr(proc, "title", lambda pid: title(pid).removesuffix(" 60"))
    return start


def test_no_daemon_of_this_home(titled: Start, tmp_path: Path) -> None:
    titled(title_of(tmp_path / "another"))
    assert find_daemon(str(tmp_path)) is None


@pytest.mark.parametrize("recorded", [True, False])
def test_a_daemon_is_found_with_its_version(titled: Start, tmp_path: Path, recorded: bool) -> None:
    pid = titled(title_of(tmp_path))
    if recorded:
        (tmp_path / "pm2.pid").write_text(f"{pid}\n")
    assert find_daemon(str(tmp_path)) == Pm2Daemon(pid, "7.0.4", str(tmp_path))


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_a_process_of_another_user_with_such_a_title_is_no_daemon(
    titled: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    pid = titled(title_of(home))
    assert find_daemon(str(home)) == Pm2Daemon(pid, "7.0.4", str(home))
    monkeypatch.setattr(proc, "owner", lambda each: 1234 if each == pid else 0)
    assert find_daemon(str(home)) is None
    monkeypatch.setattr(proc, "owner", lambda _pid: 65534)
    assert find_daemon(str(home)) is not None


def test_a_home_behind_a_link_is_the_same(titled: Start, tmp_path: Path) -> None:
    home, link = tmp_path / "home", tmp_path / "link"
    home.mkdir()
    link.symlink_to(home)
    pid = titled(title_of(home))
    assert find_daemon(str(link)) == Pm2Daemon(pid, "7.0.4", str(link))


@pytest.mark.parametrize("title", ["PM2 v7.0.4: God Daemon", "PM2 v7.0.4: God Daemon (/so"])
def test_a_title_that_is_cut_off_is_completed_by_the_environment(titled: Start, tmp_path: Path, title: str) -> None:
    pid = titled(title, PM2_HOME=str(tmp_path))
    found = find_daemon(str(tmp_path))
    assert (found and found.pid) == pid
    assert find_daemon(str(tmp_path / "another")) is None


@pytest.mark.parametrize("kind", ["text", "fifo", "link", "stale", "digits", "other-digits"])
def test_a_recorded_pid_that_is_none_does_not_mislead(titled: Start, tmp_path: Path, kind: str) -> None:
    pid = titled(title_of(tmp_path))
    file = tmp_path / "pm2.pid"
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "link":
        file.symlink_to("/dev/zero")
    else:
        texts = {"text": "not a pid", "digits": "9" * 5000, "other-digits": "²"}
        file.write_text(texts.get(kind, str(os.getpid())))
    found = find_daemon(str(tmp_path))
    assert (found and found.pid) == pid


def test_processes_that_a_dead_daemon_left_running(start: Start, tmp_path: Path) -> None:
    env = {"pm_id": "0", "name": "web", "PM2_HOME": str(tmp_path)}
    pid = start(**env)
    start(**{**env, "name": "other"})
    start(**{**env, "PM2_HOME": "/another"})
    start(name="web", PM2_HOME=str(tmp_path))
    assert orphans("web", str(tmp_path), None) == [pid]
    # Those of a living daemon are its descendants; here this process takes its part.
    assert orphans("web", str(tmp_path), Pm2Daemon(os.getpid(), "7.0.4", str(tmp_path))) == []
