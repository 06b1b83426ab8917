"""When a temporary instance keeps a port open while its process is replaced, and what becomes of that instance."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.client import Pm2
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.daemon import Pm2Daemon
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.definition import ProcessDefinition
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.handover import (
    can_hand_over,
    handover,
    incoming_of,
    remove_incoming,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import PROJECT_KEY, Pm2Process
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.state import Pm2State

SETTINGS = {"listen_timeout": 300}
DEFINITION = ProcessDefinition("web", script="/srv/x.js", cwd="/srv", exec_mode="cluster", settings=SETTINGS)
DAEMON = Pm2Daemon(os.getpid(), "7.0.4", "/home")


class FakePm2:
    """A pm2 that starts what it is told, as this process or as one that has ended."""

    def __init__(self, *, pid: int, waits: bool = True, refuses: bool = False) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.entries: list[Mapping[str, Any]] = []
        self.pid, self.waits, self.refuses = pid, waits, refuses

    def call(self, *args: str, **_limit: float) -> str:
        self.calls.append(args)
        if args[0] == "delete":
            self.entries = [entry for entry in self.entries if entry["name"] != args[1]]
        return ""

    def apply(self, command: str, entry: Mapping[str, Any], _directory: str) -> None:
        self.calls.append((command, str(entry["name"])))
        if self.refuses:
            raise Pm2Error("refused")
        self.entries.append(entry)
        scripts = [word.partition("=")[2] for word in entry["interpreter_args"] if word.startswith("--require=")]
        for script in scripts if self.waits else ():
            Path(f"{script}.waits").touch()

    def processes(self) -> list[Pm2Process]:
        return [
            Pm2Process(entry["name"], 9, self.pid, "online", "/srv/x.js", "/srv", env=entry["env"])
            for entry in self.entries
        ]


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def process(exec_mode: str = "fork", pid: int = os.getpid()) -> Pm2Process:
    return Pm2Process("web", 0, pid, "online", "/srv/x.js", "/srv", exec_mode=exec_mode)


def test_a_port_is_handed_over_to_cluster_mode_by_what_holds_it(port: int) -> None:
    state = Pm2State(DAEMON, [], None)
    assert can_hand_over(DEFINITION, port, state, [process()])
    assert can_hand_over(DEFINITION, port, state, [process("cluster", pid=0)])
    fork = ProcessDefinition("web", exec_mode="fork")
    assert not can_hand_over(fork, port, state, [process()])
    assert not can_hand_over(replace(DEFINITION, settings={"wait_ready": True}), port, state, [process()])
    assert not can_hand_over(DEFINITION, None, state, [process()])
    assert not can_hand_over(DEFINITION, port, Pm2State(None, [], None), [process()])
    assert not can_hand_over(DEFINITION, port, state, [])
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert not can_hand_over(DEFINITION, port, state, [process(pid=other.pid)])


def test_an_instance_waits_for_the_port_and_is_deleted(port: int, tmp_path: Path) -> None:
    pm2 = FakePm2(pid=os.getpid())
    state = Pm2State(DAEMON, [], cast("Pm2", pm2))
    with handover(DEFINITION, port, state, [process()], str(tmp_path)) as holds:
        assert holds
        (entry,) = pm2.entries
        assert entry["interpreter_args"] == [f"--require={tmp_path}/wait-for-port-{port}.js"]
        assert f"port = {port}," in (tmp_path / f"wait-for-port-{port}.js").read_text()
    assert pm2.calls == [("start", "web-incoming"), ("delete", "web-incoming")]
    assert list(tmp_path.iterdir()) == []


def test_where_the_daemon_has_the_port_the_instance_shares_it(port: int, tmp_path: Path) -> None:
    pm2 = FakePm2(pid=os.getpid())
    state = Pm2State(DAEMON, [], cast("Pm2", pm2))
    with handover(DEFINITION, port, state, [process("cluster", pid=0)], str(tmp_path)) as holds:
        assert holds
        assert pm2.entries[0]["interpreter_args"] == []
    assert pm2.calls == [("start", "web-incoming"), ("reload", "web-incoming"), ("delete", "web-incoming")]


@pytest.mark.parametrize("kind", ["never-listens", "ended", "refused"])
def test_an_instance_that_does_not_come_up_is_deleted(kind: str, port: int, tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    settings = {"listen_timeout": 300 if kind == "never-listens" else 60_000}
    definition = ProcessDefinition("web", script="/srv/x.js", cwd="/srv", exec_mode="cluster", settings=settings)
    pm2 = FakePm2(pid=ended.pid if kind == "ended" else os.getpid(), waits=False, refuses=kind == "refused")
    began = time.monotonic()
    with handover(definition, port, Pm2State(DAEMON, [], cast("Pm2", pm2)), [process()], str(tmp_path)) as holds:
        assert not holds
    assert time.monotonic() - began < 20
    assert pm2.entries == []
    assert list(tmp_path.iterdir()) == []


def test_only_a_managed_process_of_the_project_is_a_temporary_instance() -> None:
    def found(**env: str) -> bool:
        named = Pm2Process("web-incoming", 1, 1, "online", "/x.js", "/", env=env)
        pm2 = FakePm2(pid=1)
        state = Pm2State(DAEMON, [named], cast("Pm2", pm2))
        definition = ProcessDefinition("web", cwd="/srv/app", project="/srv/app")
        remove_incoming(state, definition)
        assert pm2.calls == ([("delete", "web-incoming")] if incoming_of(state, definition) else [])
        return bool(pm2.calls)

    assert found(**{PROJECT_KEY: "/srv/app"})
    assert not found(**{PROJECT_KEY: "/srv/other"})
    assert not found()
