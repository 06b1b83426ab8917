"""What pm2 runs now, and who listens on a port."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2 import state
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.client import Pm2
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.daemon import Pm2Daemon
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.state import (
    Pm2State,
    SharedList,
    is_held_by,
    look,
    other_holder,
)
from free_ports import free_port

USER = pwd.getpwuid(os.getuid()).pw_name


def process(pid: int, exec_mode: str = "fork", name: str = "web") -> Pm2Process:
    return Pm2Process(name, 0, pid, "online", "/x.js", "/", exec_mode=exec_mode)


def test_without_pm2_and_a_daemon_nothing_runs(tmp_path: Path) -> None:
    found = look(str(tmp_path), None)
    assert (found.daemon, found.processes, found.named("web")) == (None, [], [])
    with pytest.raises(Pm2Error, match="pm2 is not installed on this host"):
        found.program()


def test_what_a_daemon_runs_is_not_known_without_pm2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes go on running after pm2 was uninstalled: none of them is absent."""
    monkeypatch.setattr(state, "find_daemon", lambda home: Pm2Daemon(7, "7.0.4", home))
    with pytest.raises(Pm2Error, match=r"a pm2 daemon runs \(pid 7\), but there is no program pm2"):
        look(str(tmp_path), None)


def test_the_instances_of_a_name() -> None:
    web, other = process(1), process(2, name="other")
    assert Pm2State(None, [web, other], None).named("web") == [web]


def test_nobody_holds_a_free_port() -> None:
    port = free_port()
    assert other_holder(port, None, []) == ""
    assert not is_held_by(port, [os.getpid()])


def test_a_port_of_the_process_itself_or_a_child_is_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert other_holder(port, None, [process(os.getpid())]) == ""
        assert other_holder(port, None, [process(os.getppid())]) == ""
        assert is_held_by(port, [os.getppid()])
        assert not is_held_by(port, [])


def test_a_port_of_the_daemon_is_the_process_s_own_in_cluster_mode() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        daemon = Pm2Daemon(os.getpid(), "7.0.4", "/h")
        assert other_holder(port, daemon, [process(1_000_000, "cluster")]) == ""
        assert other_holder(port, daemon, [process(1_000_000)]) != ""


def test_another_program_is_described_without_its_arguments(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(
        "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    )
    server = subprocess.Popen(
        [sys.executable, str(script), "planted"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    port = int(server.stdout.readline())
    try:
        name = Path(sys.executable).name
        assert other_holder(port, None, []) == f"{name} {script} (pid {server.pid}, user {USER})"
    finally:
        server.communicate("\n")


class Listing(Pm2):
    """Counts how often it is asked."""

    def __init__(self, failures: int = 0) -> None:
        self.asked, self.failures = 0, failures

    def processes(self) -> list[Pm2Process]:
        self.asked += 1
        if self.asked <= self.failures:
            raise Pm2Error("pm2 jlist ended with exit code 1")
        return [process(1)]


def test_pm2_is_asked_once_for_several_processes() -> None:
    first, other = Listing(), Listing()
    shared = SharedList(first)
    assert [shared.processes(other), shared.processes(other)] == [[process(1)], [process(1)]]
    assert (first.asked, other.asked) == (1, 0)


def test_pm2_is_asked_again_by_the_one_that_needs_the_answer() -> None:
    shared, knowing = SharedList(Listing(failures=1)), Listing()
    assert shared.processes(knowing) == [process(1)]
    with pytest.raises(Pm2Error):
        shared.processes(Listing(failures=1))
