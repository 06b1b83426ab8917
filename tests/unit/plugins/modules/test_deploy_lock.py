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
from ansible_collections.codeframe.staging.plugins.module_utils._release import lock_file
from ansible_collections.codeframe.staging.plugins.modules import deploy_lock
from module_runner import RunModule

KEYS = {"changed", "held", "action", "reason", "holder", "path", "jobs", "waited_s"}


def run_of(controller: str = "one", pid: int = 100, start: int = 5000, **more: Any) -> dict[str, Any]:
    who = f"frank@{controller}"
    return {"controller": controller, "pid": pid, "start": start, "who": who, "live": None, "gathered": 0, **more}


class Lock:
    def __init__(self, run_module: RunModule, directory: Path) -> None:
        self.run_module, self.directory = run_module, directory

    def __call__(
        self, identity: dict[str, Any], state: str = "held", *, check: bool = False, **more: Any
    ) -> dict[str, Any]:
        args = {"state": state, "project": "/home/deploy/app", "identity": identity}
        result = self.run_module(deploy_lock, {**args, **more}, check=check)
        assert result.keys() >= KEYS
        assert result["changed"] is False
        return result

    @property
    def files(self) -> list[str]:
        return sorted(entry.name for entry in self.directory.iterdir()) if self.directory.exists() else []


@pytest.fixture
def lock(run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lock:
    monkeypatch.setattr(lock_file, "DIRECTORY", str(tmp_path / "locks"))
    return Lock(run_module, tmp_path / "locks")


def test_a_free_lock_is_taken_and_names_its_holder(lock: Lock) -> None:
    result = lock(run_of(), lease_s=60)
    assert (result["held"], result["action"], result["reason"]) == (True, "taken", "it was free")
    holder = result["holder"]
    assert (holder["controller"], holder["pid"], holder["start"], holder["who"]) == ("one", 100, 5000, "frank@one")
    assert 50 <= holder["lease_left_s"] <= 60
    assert len(lock.files) == 1
    assert stat.S_IMODE(os.stat(lock.directory).st_mode) & 0o022 == 0


def test_results_of_asynchronous_tasks_last_as_long_as_the_lock(lock: Lock) -> None:
    jobs = Path(lock(run_of(), lease_s=1)["jobs"])
    left = jobs / "123.456"
    for action, identity, state, kept in (
        ("renewed", run_of(), "renewed", True),
        ("nothing", run_of("two"), "released", True),
        ("taken_over", run_of("one", 200, live=["200:5000"], gathered=6000), "held", False),
        ("released", run_of("one", 200), "released", False),
    ):
        jobs.mkdir(exist_ok=True)
        left.write_text("{}")
        assert lock(identity, state)["action"] == action
        assert left.exists() is kept, action
    assert lock.files == []


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
    left = re.search(r"expires in (\d+) s", result["msg"])
    assert left, result["msg"]
    assert 480 <= int(left[1]) <= 500
    assert result["msg"] == (
        f"/home/deploy/app is being deployed by frank@one (process 100, since {first['holder']['since']}), whose lease "
        f"expires in {left[1]} s unless that run renews it; wait for it, or delete {first['path']} "
        "if you know that the run is dead"
    )
    assert result["holder"]["controller"] == "one"
    assert result["held"] is False


def test_an_expired_lease_is_taken_over(lock: Lock) -> None:
    lock(run_of(), lease_s=1)
    time.sleep(1.05)
    result = lock(run_of("two"))
    assert (result["action"], result["reason"]) == ("taken_over", "the lease of frank@one had expired")
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


def test_waiting_ends_after_wait_s(lock: Lock) -> None:
    lock(run_of(), lease_s=500)
    begin = time.monotonic()
    assert lock(run_of("two"), wait_s=1)["failed"] is True
    assert 0.9 <= time.monotonic() - begin < 20


def test_the_same_controller_takes_over_from_a_dead_run_immediately(lock: Lock) -> None:
    lock(run_of(), lease_s=500)
    result = lock(run_of(pid=200, start=9000, live=["200:9000"], gathered=9100))
    assert (result["action"], result["reason"]) == ("taken_over", "process 100 on this controller has ended")


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


def test_released_releases_the_lock_and_does_nothing_a_second_time(lock: Lock) -> None:
    lock(run_of())
    result = lock(run_of(), "released")
    assert (result["action"], result["held"], result["holder"]) == ("released", False, {})
    assert lock.files == []
    assert lock(run_of(), "released")["action"] == "nothing"
    assert lock(run_of("two"))["action"] == "taken"


def test_a_run_does_not_release_the_lock_of_another_one(lock: Lock) -> None:
    lock(run_of())
    result = lock(run_of("two"), "released")
    assert (result["action"], result["holder"]["controller"]) == ("nothing", "one")
    assert len(lock.files) == 1


def test_released_without_a_lock_creates_no_directory(lock: Lock) -> None:
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


def test_each_project_has_a_lock_of_its_own(lock: Lock) -> None:
    lock(run_of())
    assert lock(run_of("two"), project="/srv/other/app")["action"] == "taken"
    assert len(lock.files) == 2


def test_a_file_that_is_no_lock_counts_as_free(lock: Lock) -> None:
    path = Path(lock(run_of())["path"])
    path.write_text("{half")
    assert lock(run_of("two"))["action"] == "taken"


def test_a_directory_that_others_can_write_to_is_refused(lock: Lock) -> None:
    lock.directory.mkdir()
    lock.directory.chmod(0o777)
    expected = "expected a directory that only root can write to"
    assert lock(run_of())["msg"] == f"the directory {lock.directory} for the lock has the mode 0777; {expected}"
    lock.directory.rmdir()
    lock.directory.symlink_to("/")
    assert lock(run_of())["msg"] == f"the directory {lock.directory} for the lock is a symbolic link; {expected}"


def test_a_link_in_place_of_the_lock_is_not_followed(lock: Lock) -> None:
    path = Path(lock(run_of())["path"])
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))
    assert lock(run_of("two"))["msg"] == f"the lock {path} cannot be read: is a symbolic link"


def test_an_unfinished_lock_of_a_killed_task_is_removed(lock: Lock) -> None:
    path = Path(lock(run_of())["path"])
    (lock.directory / f".{path.name}.{'ab' * 6}.codeframe-tmp").write_text("{")
    lock(run_of())
    assert lock.files == [path.name]


def test_of_concurrent_runs_exactly_one_acquires_the_lock(tmp_path: Path) -> None:
    """Separate processes, as on a host."""
    code = (
        "import sys, json; sys.path[:0] = json.loads(sys.argv[1]); import module_runner\n"
        "from ansible_collections.codeframe.staging.plugins.module_utils._release import lock_file\n"
        "from ansible_collections.codeframe.staging.plugins.modules import deploy_lock\n"
        "lock_file.DIRECTORY = sys.argv[3]\n"
        "who = {'controller': sys.argv[2], 'pid': 1, 'start': 1, 'who': sys.argv[2]}\n"
        "args = {'project': '/x', 'identity': who}\n"
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
        pytest.param({"lease_s": 0}, "lease_s is 0, expected a number of seconds from 1", id="no lease"),
        pytest.param({"wait_s": -1}, "wait_s is -1, expected a number of seconds from 0", id="negative wait"),
        pytest.param(
            {"identity": {"pid": 1}},
            "identity lacks 'controller'; omit the option, so that the action plugin sets it",
            id="identity",
        ),
    ],
)
def test_bad_input_is_refused(lock: Lock, args: dict[str, Any], message: str) -> None:
    given = {"project": "/x", "identity": run_of(), **args}
    assert lock.run_module(deploy_lock, given)["msg"] == message
    assert not lock.directory.exists()
