"""deploy_lock on real lock files."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import deploy_lock
from module_runner import RunModule

KEYS = {"changed", "held", "action", "reason", "holder", "path", "waited_s"}


def run_of(controller: str = "one", pid: int = 100, start: int = 5000, **more: Any) -> dict[str, Any]:
    who = f"frank@{controller}"
    return {"controller": controller, "pid": pid, "start": start, "who": who, "live": None, "gathered": 0, **more}


class Lock:
    def __init__(self, run_module: RunModule, directory: Path) -> None:
        self.run_module, self.directory = run_module, directory

    def __call__(
        self, identity: dict[str, Any], state: str = "held", *, check: bool = False, **more: Any
    ) -> dict[str, Any]:
        args = {"state": state, "project": "/home/deploy/app", "identity": identity, "lock_dir": str(self.directory)}
        result = self.run_module(deploy_lock, {**args, **more}, check=check)
        assert result.keys() >= KEYS
        assert result["changed"] is False
        return result

    @property
    def files(self) -> list[str]:
        return sorted(entry.name for entry in self.directory.iterdir()) if self.directory.exists() else []


@pytest.fixture
def lock(run_module: RunModule, tmp_path: Path) -> Lock:
    return Lock(run_module, tmp_path / "locks")


def test_a_free_lock_is_taken_and_says_who_holds_it(lock: Lock) -> None:
    result = lock(run_of(), lease_s=60)
    assert (result["held"], result["action"], result["reason"]) == (True, "taken", "nobody held it")
    holder = result["holder"]
    assert (holder["controller"], holder["pid"], holder["start"], holder["who"]) == ("one", 100, 5000, "frank@one")
    assert 50 <= holder["lease_left_s"] <= 60
    assert len(lock.files) == 1
    assert stat.S_IMODE(os.stat(lock.directory).st_mode) & 0o022 == 0


def test_the_same_run_renews_it_and_keeps_the_time_since_when(lock: Lock) -> None:
    first = lock(run_of(), lease_s=10)
    second = lock(run_of(), "renewed", lease_s=1000)
    assert (second["action"], second["held"]) == ("renewed", True)
    assert second["holder"]["since"] == first["holder"]["since"]
    assert second["holder"]["lease_left_s"] > 900


def test_another_run_is_refused_with_the_name_of_the_holder(lock: Lock) -> None:
    first = lock(run_of(), lease_s=500)
    result = lock(run_of("two"))
    assert result["failed"] is True
    left = re.search(r"runs out in (\d+) s", result["msg"])
    assert left, result["msg"]
    assert 480 <= int(left[1]) <= 500
    assert result["msg"] == (
        f"/home/deploy/app is being deployed by frank@one (process 100, since {first['holder']['since']}), whose lease "
        f"runs out in {left[1]} s unless that run renews it; wait for it, or remove {first['path']} "
        "if you know that it is dead"
    )
    assert result["holder"]["controller"] == "one"
    assert result["held"] is False


def test_a_lease_that_has_run_out_is_taken_over(lock: Lock) -> None:
    lock(run_of(), lease_s=1)
    time.sleep(1.05)
    result = lock(run_of("two"))
    assert (result["action"], result["reason"]) == ("taken_over", "the lease of frank@one had run out")
    lost = lock(run_of(), "renewed")
    assert lost["failed"] is True
    assert "frank@two" in lost["msg"]


def test_another_run_waits_for_the_lease(lock: Lock) -> None:
    began = time.monotonic()
    lock(run_of(), lease_s=2)
    result = lock(run_of("two"), wait_s=60)
    took = time.monotonic() - began
    assert (result["held"], result["action"]) == (True, "taken_over")
    assert 2 <= took < 30
    assert 0 < result["waited_s"] < took + 0.1


def test_waiting_ends_when_the_lock_is_released(lock: Lock) -> None:
    held = lock(run_of(), lease_s=500)
    timer = threading.Timer(0.6, os.unlink, (held["path"],))
    timer.start()
    result = lock(run_of("two"), wait_s=60)
    timer.join()
    assert (result["held"], result["action"]) == (True, "taken")
    assert result["waited_s"] < 30


def test_waiting_has_an_end(lock: Lock) -> None:
    lock(run_of(), lease_s=500)
    begin = time.monotonic()
    assert lock(run_of("two"), wait_s=1)["failed"] is True
    assert 0.9 <= time.monotonic() - begin < 20


def test_the_same_controller_takes_over_from_a_dead_run_at_once(lock: Lock) -> None:
    lock(run_of(), lease_s=500)
    result = lock(run_of(pid=200, start=9000, live=["200:9000"], gathered=9100))
    assert (result["action"], result["reason"]) == ("taken_over", "process 100 on this controller is gone")


def test_a_process_of_the_same_number_that_started_later_is_another_one(lock: Lock) -> None:
    lock(run_of(), lease_s=500)
    result = lock(run_of(pid=100, start=9000, live=["100:9000"], gathered=9100))
    assert result["action"] == "taken_over"


@pytest.mark.parametrize(
    ("second", "why"),
    [
        pytest.param({"live": ["100:5000", "200:9000"], "gathered": 9100}, "alive", id="the holder is alive"),
        pytest.param({"live": ["200:4000"], "gathered": 4900}, "younger", id="the holder started after the look"),
        pytest.param({"live": None, "gathered": 9100}, "unknown", id="the controller cannot tell"),
    ],
)
def test_the_same_controller_waits_for_a_run_that_may_be_alive(lock: Lock, second: dict[str, Any], why: str) -> None:
    lock(run_of(), lease_s=500)
    assert lock(run_of(pid=200, start=9000, **second))["failed"] is True, why


def test_release_gives_it_back_and_a_second_release_does_nothing(lock: Lock) -> None:
    lock(run_of())
    result = lock(run_of(), "released")
    assert (result["action"], result["held"], result["holder"]) == ("released", False, {})
    assert lock.files == []
    assert lock(run_of(), "released")["action"] == "nothing"
    assert lock(run_of("two"))["action"] == "taken"


def test_a_run_does_not_release_what_another_holds(lock: Lock) -> None:
    lock(run_of())
    result = lock(run_of("two"), "released")
    assert (result["action"], result["holder"]["controller"]) == ("nothing", "one")
    assert lock(run_of("two"), "released", force=True)["action"] == "released"


def test_release_without_any_lock_makes_no_directory(lock: Lock) -> None:
    assert lock(run_of(), "released")["action"] == "nothing"
    assert not lock.directory.exists()


def test_check_mode_writes_nothing_and_does_not_fail(lock: Lock) -> None:
    assert lock(run_of(), check=True)["action"] == "taken"
    assert not lock.directory.exists()
    lock(run_of())
    result = lock(run_of("two"), check=True, wait_s=30)
    assert (result["failed"], result["action"], result["held"]) == (False, "wait", False)
    assert "frank@one" in result["warnings"][0]
    assert lock(run_of(), "released", check=True)["action"] == "released"
    assert len(lock.files) == 1


def test_projects_do_not_disturb_each_other(lock: Lock) -> None:
    lock(run_of())
    assert lock(run_of("two"), project="/srv/other/app")["action"] == "taken"
    assert len(lock.files) == 2


def test_a_file_that_is_no_lock_is_nobodys(lock: Lock) -> None:
    path = Path(lock(run_of())["path"])
    path.write_text("{half")
    assert lock(run_of("two"))["action"] == "taken"


def test_a_directory_that_others_can_write_to_is_refused(lock: Lock) -> None:
    lock.directory.mkdir()
    lock.directory.chmod(0o777)
    assert (
        lock.run_module(deploy_lock, {"project": "/x", "identity": run_of(), "lock_dir": str(lock.directory)})["msg"]
        == f"{lock.directory} is no directory that only its owner can write to; set lock_dir to another one"
    )


def test_of_many_runs_at_the_same_time_just_one_gets_it(tmp_path: Path) -> None:
    """Processes, as on a host: each a module of its own."""
    code = (
        "import sys, json; sys.path[:0] = json.loads(sys.argv[1]); import module_runner\n"
        "from ansible_collections.codeframe.staging.plugins.modules import deploy_lock\n"
        "who = {'controller': sys.argv[2], 'pid': 1, 'start': 1, 'who': sys.argv[2]}\n"
        "args = {'project': '/x', 'identity': who, 'lock_dir': sys.argv[3]}\n"
        "print(module_runner.run(deploy_lock, args)['held'])"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, json.dumps(sys.path), f"c{number}", str(tmp_path / "locks")],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(6)
    ]
    answers = [process.communicate(timeout=60)[0].strip() for process in running]
    assert sorted(answers) == ["False"] * 5 + ["True"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param({"lease_s": 0}, "lease_s is 0, but a number of seconds from 1 is expected", id="no lease"),
        pytest.param({"wait_s": -1}, "wait_s is -1, but a number of seconds from 0 is expected", id="negative wait"),
        pytest.param(
            {"identity": {"pid": 1}},
            "identity lacks 'controller'; leave the option out, so that the controller fills it in",
            id="identity",
        ),
    ],
)
def test_bad_input_is_said(run_module: RunModule, tmp_path: Path, args: dict[str, Any], message: str) -> None:
    given = {"project": "/x", "identity": run_of(), "lock_dir": str(tmp_path / "locks"), **args}
    assert run_module(deploy_lock, given)["msg"] == message
    assert not (tmp_path / "locks").exists()
