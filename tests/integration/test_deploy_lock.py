"""deploy_lock between real playbooks: who waits, and who takes over."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.lock_file import lock_path
from playbook_runs import COMMAND, playbook_environment

PLAYBOOK = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - codeframe.staging.deploy_lock:
        project: "{{ project }}"
      register: lock
    - ansible.builtin.copy:
        content: "{{ lock | to_json }}"
        dest: "{{ said }}"
        mode: "0644"
    - ansible.builtin.command: sleep {{ nap }}
      changed_when: false
    - codeframe.staging.deploy_lock:
        state: released
        project: "{{ project }}"
"""


class Playbook:
    def __init__(self, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        self.directory, self.environment = directory, environment
        self.project = str(directory / "app")
        (directory / "play.yml").write_text(PLAYBOOK)

    def start(self, name: str, nap: int) -> tuple[subprocess.Popen[str], Path]:
        said = self.directory / f"{name}.json"
        extra = {"project": self.project, "said": str(said), "nap": nap}
        extra["ansible_python_interpreter"] = sys.executable
        process = subprocess.Popen(
            [*COMMAND, "-i", "localhost,", "-e", json.dumps(extra), "play.yml"],
            cwd=self.directory,
            env=playbook_environment(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A shell in the background has its children ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        return process, said

    def start_and_hold(self, name: str) -> tuple[subprocess.Popen[str], dict[str, object]]:
        process, said = self.start(name, 600)
        deadline = time.monotonic() + 180
        while not said.exists() or not said.read_text():
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return process, json.loads(said.read_text())

    def others(self) -> list[int]:
        """Processes of Ansible in the directory of this playbook."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (path / "cwd").resolve() == self.directory and b"ansible" in (path / "cmdline").read_bytes():
                    found.append(int(path.name))
        return found

    def locks(self) -> list[Path]:
        path = Path(lock_path(self.project))
        return [path] if path.exists() else []


def await_truth(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_second_playbook_names_the_holder_and_a_killed_one_is_replaced_immediately(tmp_path: Path) -> None:
    playbook = Playbook(tmp_path)
    first, lock = playbook.start_and_hold("first")
    try:
        assert lock["action"] == "taken"
        second, _said = playbook.start("second", 0)
        out = second.communicate(timeout=180)[0]
        assert second.returncode != 0
        assert f"is being deployed by {lock['holder']['who']} (process {first.pid}, since" in " ".join(out.split())  # type: ignore[index]
    finally:
        # The process that would release the lock is killed as well, as when the whole controller is lost.
        for pid in [*playbook.others(), first.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        first.wait()
    third, said = playbook.start("third", 0)
    out = third.communicate(timeout=180)[0]
    assert third.returncode == 0, out
    taken = json.loads(said.read_text())
    assert (taken["action"], taken["reason"]) == ("taken_over", f"process {first.pid} on this controller has ended")
    assert playbook.locks() == []
    await_truth(lambda: playbook.others() == [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("pipelining", ["True", "False"])
def test_the_lock_of_an_interrupted_or_killed_run_is_released(
    number: signal.Signals, pipelining: str, tmp_path: Path
) -> None:
    playbook = Playbook(tmp_path, {"ANSIBLE_PIPELINING": pipelining})
    run, _lock = playbook.start_and_hold("run")
    assert len(playbook.locks()) == 1
    # Ansible loses an interrupt that comes in the instant in which it starts a worker; a person presses Ctrl-C again.
    for _attempt in range(5):
        os.killpg(run.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=10)
            break
    assert run.poll() is not None
    await_truth(lambda: playbook.locks() == [])
    for pid in playbook.others():
        # A worker of a killed run continues its task.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
