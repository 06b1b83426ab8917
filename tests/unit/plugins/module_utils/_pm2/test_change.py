"""What keeps a process from being changed, and what pm2 is told."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.change import (
    apply,
    make_place,
    refuse_held_place,
    refuse_home_of_another_user,
    refuse_missing_files,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.client import Pm2
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.daemon import Pm2Daemon
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.definition import ProcessDefinition
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.plan import ProcessAction
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.state import Pm2State
from free_ports import free_port

DEFINITION = ProcessDefinition("web", script="/srv/x.js", cwd="/srv", settings={"listen_timeout": 2000})
RUNNING = Pm2Process("web", 0, os.getpid(), "online", "/srv/old.js", "/srv")


class Recorder:
    """A pm2 that notes its calls and fails where the test says so."""

    def __init__(self, *failing: str) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.failing = failing

    def call(self, *args: str) -> str:
        self.calls.append(args)
        return ""

    @contextlib.contextmanager
    def prepared(self, directory: str) -> Iterator[Callable[..., None]]:
        self.calls.append(("prepare",))
        yield lambda entry: self.apply("start", entry, directory)

    def apply(self, command: str, entry: Mapping[str, Any], directory: str, timeout_s: float = 180) -> None:
        self.calls.append((command, entry["script"], directory, timeout_s))
        if entry["script"] in self.failing:
            raise Pm2Error(f"pm2 {command} refused {entry['script']}")


def applied(action: ProcessAction, *processes: Pm2Process, failing: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    recorder = Recorder(*failing)
    apply(action, Pm2State(None, list(processes), cast("Pm2", recorder)), DEFINITION, "/tmp")
    return recorder.calls


@pytest.mark.parametrize(
    ("action", "processes", "calls"),
    [
        (ProcessAction.NOTHING, [RUNNING], []),
        (ProcessAction.STOP, [RUNNING], [("stop", "web")]),
        (ProcessAction.DELETE, [RUNNING], [("delete", "web")]),
        (ProcessAction.SCALE, [RUNNING], [("scale", "web", "1")]),
        (ProcessAction.RELOAD, [RUNNING], [("startOrReload", "/srv/x.js", "/tmp", 122)]),
        (ProcessAction.START, [], [("prepare",), ("start", "/srv/x.js", "/tmp", 180)]),
        (ProcessAction.START, [RUNNING], [("prepare",), ("delete", "web"), ("start", "/srv/x.js", "/tmp", 180)]),
        (ProcessAction.REPLACE, [RUNNING], [("prepare",), ("delete", "web"), ("start", "/srv/x.js", "/tmp", 180)]),
    ],
)
def test_each_action_has_its_calls(
    action: ProcessAction, processes: list[Pm2Process], calls: list[tuple[Any, ...]]
) -> None:
    assert applied(action, *processes) == calls


def test_a_process_that_was_deleted_for_a_failed_start_is_started_again() -> None:
    with pytest.raises(Pm2Error) as error:
        applied(ProcessAction.REPLACE, RUNNING, failing=("/srv/x.js",))
    assert str(error.value) == "pm2 start refused /srv/x.js; the previous process was started again"


def test_a_process_that_cannot_be_started_again_is_said_not_to_run() -> None:
    with pytest.raises(Pm2Error) as error:
        applied(ProcessAction.REPLACE, RUNNING, failing=("/srv/x.js", "/srv/old.js"))
    assert str(error.value) == (
        "pm2 start refused /srv/x.js; the previous process was deleted for it and could not be started again (pm2 "
        "start refused /srv/old.js), so web does not run now"
    )


def test_a_process_that_did_not_run_is_not_started_again() -> None:
    with pytest.raises(Pm2Error) as error:
        applied(ProcessAction.START, replace(RUNNING, status="stopped"), failing=("/srv/x.js",))
    assert str(error.value) == (
        "pm2 start refused /srv/x.js; the entry of the process that did not run (stopped) is gone"
    )
    with pytest.raises(Pm2Error) as error:
        applied(ProcessAction.START, failing=("/srv/x.js",))
    assert str(error.value) == "pm2 start refused /srv/x.js"


def test_what_is_missing_is_found_before_anything_is_stopped(tmp_path: Path) -> None:
    definition = replace(DEFINITION, cwd=f"{tmp_path}/app", script=f"{tmp_path}/app/run", interpreter="none")

    def said(changed: ProcessDefinition = definition) -> str:
        with pytest.raises(Pm2Error) as error:
            refuse_missing_files(changed, "/usr/bin:/bin")
        return str(error.value).removeprefix("the process web cannot be started: ")

    assert said() == f"its directory {tmp_path}/app does not exist"
    (tmp_path / "app").mkdir()
    nor = "and .venv/bin and node_modules/.bin there and PATH have no program run"
    assert said() == f"its script {tmp_path}/app/run does not exist, {nor}"
    elsewhere = replace(definition, script=f"{tmp_path}/app/bin/run")
    assert said(elsewhere) == f"its script {tmp_path}/app/bin/run does not exist"
    (tmp_path / "app/run").write_text("")
    assert said() == f"{tmp_path}/app/run is not executable"
    (tmp_path / "app/run").chmod(0o755)
    refuse_missing_files(definition, "/usr/bin:/bin")
    assert said(replace(definition, interpreter="no-such-program")) == "there is no interpreter no-such-program"
    refuse_missing_files(replace(definition, interpreter="sh"), "/usr/bin:/bin")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_the_directory_of_a_socket_is_created_for_the_web_server_to_get_through(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        make_place(str(tmp_path / "run/app/backend.sock"))
    finally:
        os.umask(before)
    assert [(tmp_path / each).stat().st_mode & 0o777 for each in ("run", "run/app")] == [0o755, 0o755]
    # One that is there stays as it is.
    (tmp_path / "run/app").chmod(0o711)
    make_place(str(tmp_path / "run/app/backend.sock"))
    assert (tmp_path / "run/app").stat().st_mode & 0o777 == 0o711
    make_place(14200)
    make_place(None)
    (tmp_path / "file").write_text("")
    with pytest.raises(Pm2Error, match=r"the directory of health_socket .*/file/app\.sock cannot be created: "):
        make_place(str(tmp_path / "file/app.sock"))


def test_a_pm2_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    refuse_home_of_another_user(str(tmp_path))
    refuse_home_of_another_user(str(tmp_path / "none"))
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(Pm2Error, match=r"belongs to nobody; run this task as nobody \(become_user\)"):
        refuse_home_of_another_user(str(tmp_path))


def test_a_port_of_another_program_is_refused() -> None:
    gone = replace(RUNNING, pid=0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def refuse(*processes: Pm2Process, daemon: Pm2Daemon | None = None, orphans: tuple[int, ...] = ()) -> None:
            refuse_held_place(port, Pm2State(daemon, list(processes), None), DEFINITION, orphans)

        with pytest.raises(Pm2Error) as error:
            refuse(gone)
        assert str(error.value).startswith(f"web cannot be started: port {port} is held by ")
        assert str(error.value).endswith(f"(pid {os.getpid()}, user root); nothing was changed") or os.geteuid() != 0
        with pytest.raises(Pm2Error) as error:
            refuse(gone, replace(RUNNING, name="other"), daemon=Pm2Daemon(1, "7.0.4", "/h"))
        assert str(error.value) == (
            f"web cannot be started: port {port} is held by the pm2 process other; nothing was changed"
        )
        refuse(RUNNING)
        refuse(gone, orphans=(os.getpid(),))
        refuse_held_place(None, Pm2State(None, [], None), DEFINITION, ())
    refuse_held_place(free_port(), Pm2State(None, [], None), DEFINITION, ())


def test_a_socket_of_another_program_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "backend.sock")
    gone = Pm2State(None, [replace(RUNNING, pid=0)], None)
    refuse_held_place(path, gone, DEFINITION, ())
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        with pytest.raises(Pm2Error) as error:
            refuse_held_place(path, gone, DEFINITION, ())
        assert str(error.value).startswith(f"web cannot be started: the socket {path} is held by ")
        refuse_held_place(path, gone, DEFINITION, (os.getpid(),))
