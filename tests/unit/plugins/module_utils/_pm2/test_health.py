"""Whether a process is healthy, with real servers and a pm2 that reports what the test says."""

from __future__ import annotations

import http.server
import os
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import parse_url
from ansible_collections.codeframe.staging.plugins.module_utils._pm2 import health
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.client import Pm2
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.definition import ProcessDefinition
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.health import (
    UnhealthyError,
    await_health,
    examine,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.health_check import HealthCheck
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.state import Pm2State
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import parse_target
from free_ports import free_port

DEFINITION = ProcessDefinition("web")
RUNNING = Pm2Process("web", 0, os.getpid(), "online", "/x.js", "/")
#: Nothing but pm2 itself is asked.
CHECK = HealthCheck(None, None, 10, 0)
GONE = 4_194_305


class Reports:
    """A pm2 whose list is another one each time, the last one for ever."""

    def __init__(self, *lists: list[Pm2Process]) -> None:
        self.lists = list(lists)
        self.calls = 0

    def processes(self) -> list[Pm2Process]:
        self.calls += 1
        return self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]


def state_of(*lists: list[Pm2Process]) -> Pm2State:
    return Pm2State(None, lists[0], cast("Pm2", Reports(*lists)))


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.send_header("Location", "/health")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    made = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def cause(check: HealthCheck, state: Pm2State, definition: ProcessDefinition = DEFINITION) -> UnhealthyError:
    with pytest.raises(UnhealthyError) as error:
        examine(check, state, definition)
    return error.value


def test_a_process_that_answers_on_its_own_port_is_healthy(server: http.server.HTTPServer) -> None:
    port = server.server_port
    examine(HealthCheck(parse_url(f"http://127.0.0.1:{port}/health"), port, 10, 0), state_of([RUNNING]), DEFINITION)


@pytest.mark.parametrize(
    ("processes", "said", "final"),
    [
        pytest.param([], "pm2 runs 0 of 1 instances", False, id="none"),
        pytest.param(
            [replace(RUNNING, status="errored", restarts=16, exit_code=7)],
            "pm2 gave up after 16 restarts (status errored, last exit code 7)",
            True,
            id="errored",
        ),
        pytest.param(
            [replace(RUNNING, status="stopped")], "pm2 gave up after 0 restarts (status stopped)", False, id="stopped"
        ),
        pytest.param([replace(RUNNING, status="waiting restart")], "it is waiting restart", False, id="waiting"),
        pytest.param([replace(RUNNING, status="")], "it is not running", False, id="without-a-status"),
        pytest.param([replace(RUNNING, pid=GONE)], "it is online", False, id="online-without-a-process"),
    ],
)
def test_what_pm2_says_is_judged_first(processes: list[Pm2Process], said: str, final: bool) -> None:
    found = cause(CHECK, state_of(processes))
    assert (str(found), found.final) == (said, final)


def test_all_instances_must_run() -> None:
    assert str(cause(CHECK, state_of([RUNNING]), replace(DEFINITION, instances=2))) == "pm2 runs 1 of 2 instances"


def test_a_port_must_be_listened_on_by_the_process_itself(server: http.server.HTTPServer, bystander: int) -> None:
    port = free_port()
    assert str(cause(replace(CHECK, place=port), state_of([RUNNING]))) == f"nothing listens on port {port}"
    held = cause(replace(CHECK, place=server.server_port), state_of([replace(RUNNING, pid=bystander)]))
    assert str(held).startswith(f"port {server.server_port} is held by ")
    assert (held.final, held.port_held) == (True, True)


@pytest.fixture
def bystander() -> Iterator[int]:
    """The pid of a living process that listens on nothing."""
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("path", "said"),
    [("/", "answers 404, expected 200"), ("/redirected", "answers 404, expected 200")],
)
def test_another_status_is_not_healthy(server: http.server.HTTPServer, path: str, said: str) -> None:
    url = f"http://127.0.0.1:{server.server_port}{path}"
    assert str(cause(replace(CHECK, url=parse_url(url)), state_of([RUNNING]))) == f"{url} {said}"


def test_no_answer_is_not_healthy() -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    said = str(cause(replace(CHECK, url=parse_url(url)), state_of([RUNNING])))
    assert said == f"{url} does not answer (connection refused)"


def test_a_refused_websocket_is_told_from_no_answer(server: http.server.HTTPServer) -> None:
    def ask(port: int) -> UnhealthyError:
        target = parse_target({"name": "web", "url": f"ws://127.0.0.1:{port}/ws"})
        return cause(replace(CHECK, websocket=target), state_of([RUNNING]))

    refused = ask(server.server_port)
    assert refused.refused
    assert "answers the WebSocket handshake with 404 Not Found" in str(refused)
    silent = ask(free_port())
    assert not silent.refused
    assert "does not answer (" in str(silent)


def test_a_young_process_is_not_stable_yet() -> None:
    assert str(cause(replace(CHECK, stable_s=1e9), state_of([RUNNING]))) == "its pid changed less than 1e+09 s ago"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PAUSE_S", 0.01)


def awaited(state: Pm2State, within_s: float = 20, check: HealthCheck = CHECK) -> str:
    with pytest.raises(UnhealthyError) as error:
        await_health(check, state, DEFINITION, time.monotonic() + within_s)
    return str(error.value)


def restarted(number: int, **changes: Any) -> list[Pm2Process]:
    return [replace(RUNNING, restarts=number, **changes)]


@pytest.mark.usefixtures("quick")
def test_it_waits_until_the_process_is_healthy() -> None:
    state = state_of([], [replace(RUNNING, status="launching", pid=GONE)], [RUNNING])
    await_health(CHECK, state, DEFINITION, time.monotonic() + 20)
    assert state.processes == [RUNNING]


@pytest.mark.usefixtures("quick")
def test_a_process_that_starts_is_not_disturbed_by_calls_of_pm2() -> None:
    """Each is a start of Node.js."""
    state = state_of([RUNNING])
    await_health(CHECK, state, DEFINITION, time.monotonic() + 20)
    assert cast("Reports", state.pm2).calls == 0, "the list was read just now"

    begins = time.monotonic() + 0.5
    port = free_port()
    threading.Timer(0.5, lambda: listen(port)).start()
    await_health(replace(CHECK, place=port), state, DEFINITION, time.monotonic() + 60)
    assert time.monotonic() >= begins
    assert cast("Reports", state.pm2).calls <= 1 + (time.monotonic() - begins) // health._LIST_EVERY_S + 1


def listen(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    threading.Timer(30, listener.close).start()


@pytest.mark.usefixtures("quick")
def test_it_says_after_which_time_it_gave_up() -> None:
    assert awaited(state_of([]), 0) == "pm2 runs 0 of 1 instances after 0 s"


@pytest.mark.usefixtures("quick")
def test_four_crashes_are_a_crash_loop() -> None:
    lists = [restarted(number, pid=GONE, exit_code=7) for number in range(1, 9)]
    assert awaited(state_of(*lists)) == "it is in a crash loop: 4 restarts in 0 s, exit code 7"


@pytest.mark.usefixtures("quick")
def test_a_crash_and_the_end_of_the_time_are_a_crash_loop() -> None:
    assert awaited(state_of(restarted(0, pid=GONE), restarted(1, pid=GONE)), 0.3).startswith(
        "it is in a crash loop: 1 "
    )


@pytest.mark.usefixtures("quick")
def test_a_process_that_stays_stopped_is_given_up() -> None:
    stopped = {"status": "stopped", "pid": 0}
    assert "gave up" in awaited(state_of(restarted(0, **stopped)))
    # Once in between it is a crash, and the next start may be healthy.
    lists = [restarted(0, pid=GONE), restarted(1, **stopped), restarted(1)]
    await_health(CHECK, state_of(*lists), DEFINITION, time.monotonic() + 20)


@pytest.mark.usefixtures("quick")
def test_a_websocket_that_is_refused_for_a_while_is_an_answer(
    server: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_REFUSALS_S", 0.2)
    target = parse_target({"name": "web", "url": f"ws://127.0.0.1:{server.server_port}/ws"})
    began = time.monotonic()
    assert "404" in awaited(state_of([RUNNING]), 60, replace(CHECK, websocket=target))
    assert 0.2 <= time.monotonic() - began < 50


class UnixServer(socketserver.ThreadingUnixStreamServer):
    """Answers /health at a UNIX socket."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), self.Handler)


@pytest.fixture
def at_socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "backend.sock"
    with UnixServer(path) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield path
        made.shutdown()


def checked_at(path: Path, url_path: str = "/health") -> HealthCheck:
    return replace(CHECK, url=parse_url(f"http://localhost{url_path}"), place=str(path))


def test_a_process_that_answers_at_its_socket_is_healthy(at_socket: Path) -> None:
    examine(checked_at(at_socket), state_of([RUNNING]), DEFINITION)
    assert str(cause(checked_at(at_socket, "/"), state_of([RUNNING]))) == (
        f"http://localhost/ through the socket {at_socket} answers 404, expected 200"
    )


def test_a_socket_must_be_listened_on_by_the_process_itself(at_socket: Path, tmp_path: Path, bystander: int) -> None:
    none = tmp_path / "none.sock"
    assert str(cause(checked_at(none), state_of([RUNNING]))) == f"nothing listens on the socket {none}"
    held = cause(checked_at(at_socket), state_of([replace(RUNNING, pid=bystander)]))
    assert str(held).startswith(f"the socket {at_socket} is held by ")
    assert (held.final, held.port_held) == (True, True)


def test_a_crash_loop_names_a_socket_that_was_left_over(tmp_path: Path) -> None:
    path = tmp_path / "backend.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
    lists = [[replace(RUNNING, restarts=number, status="waiting restart")] for number in range(6)]
    with pytest.raises(UnhealthyError) as error:
        await_health(checked_at(path), state_of(*lists), DEFINITION, time.monotonic() + 10)
    assert str(error.value).endswith(
        f"; {path} is left over from a process that ended: remove it before the application listens"
    )
