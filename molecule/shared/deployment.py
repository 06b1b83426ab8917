"""Run the playbook as a user does, and read from its output what it did."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
_TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(?:(?:[\w.]+\.)?(?P<role>\w+) : )?(?P<name>.*?)\] \**$")
_RESULT = re.compile(r"^(?P<verdict>changed|fatal|failed): \[")
_RECAP = re.compile(r"^(?P<host>\S+)\s+: ok=\d+\s+changed=(?P<changed>\d+)\s+unreachable=\d+\s+failed=(?P<failed>\d+)")


@dataclass(frozen=True)
class Outcome:
    """What one run of a playbook said; tasks are ``(role, name)``, with an empty role outside of any."""

    exit_code: int
    changed: int
    changed_tasks: tuple[tuple[str, str], ...]
    failed_tasks: tuple[tuple[str, str], ...]
    output: str

    def __str__(self) -> str:
        return self.output

    @property
    def changed_roles(self) -> set[str]:
        return {role for role, _ in self.changed_tasks}

    @property
    def failed_roles(self) -> set[str]:
        return {role for role, _ in self.failed_tasks}

    @property
    def words(self) -> str:
        """The output with every run of blanks made one, so that a sentence is found however it was wrapped."""
        return " ".join(self.output.split())


def read_outcome(exit_code: int, output: str) -> Outcome:
    """Read the output of the default callback, without colours.

    :raises ValueError: If a run that ended well shows no recap, since then nothing is known about it.
    """
    task = ("", "")
    changed: list[tuple[str, str]] = []
    failed: list[tuple[str, str]] = []
    count: int | None = None
    for line in output.splitlines():
        if found := _TASK.match(line):
            task = (found["role"] or "", found["name"])
        elif found := _RESULT.match(line):
            (changed if found["verdict"] == "changed" else failed).append(task)
        elif found := _RECAP.match(line):
            count = (count or 0) + int(found["changed"])
    if count is None and exit_code == 0:
        raise ValueError(f"no recap in the output of the playbook:\n{output}")
    return Outcome(exit_code, count or 0, tuple(dict.fromkeys(changed)), tuple(dict.fromkeys(failed)), output)


def checkout_environment() -> dict[str, str]:
    """What a run of a playbook of this checkout needs, wherever it is called from."""
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        # What the tests read: every task, and every result as JSON.
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "collections"),
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
        "MOLECULE_PROJECT_DIRECTORY": str(CHECKOUT),
    }


@dataclass(frozen=True)
class Deployment:
    """The playbooks of this checkout, run on one inventory."""

    inventory: Path

    def run(
        self,
        *arguments: str,
        playbook: str = "deploy_staging.yml",
        variables: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 900,
    ) -> Outcome:
        """Run a playbook with further arguments of ``ansible-playbook``; ``variables`` are ``name=value`` or JSON.

        :param playbook: One of ``playbooks/``, or any by its absolute path.
        """
        command = [*self._playbook(playbook, variables), *arguments]
        done = self._command(command, environment or {}, timeout_s)
        return read_outcome(done.returncode, done.stdout)

    def module(self, name: str, options: Mapping[str, Any]) -> str:
        """Run one of the collection's modules on the host, as root.

        :raises AssertionError: If it fails.
        """
        command = ["ansible", f"--inventory={self.inventory}", "staging", "--become", "-m", f"codeframe.staging.{name}"]
        done = self._command([*command, "-a", json.dumps(options)], {}, 180)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _command(
        self, command: Sequence[str], environment: Mapping[str, str], timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=CHECKOUT,
            env={**checkout_environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def kill_at(self, task: str, *, variables: Sequence[str] = (), timeout_s: float = 900) -> None:
        """Run the deployment and kill it, with all that it started here, as soon as a task of this name begins.

        :raises AssertionError: If the run ended before.
        """
        outcome = self.run_with(task, lambda kill: kill(), variables=variables, timeout_s=timeout_s)
        assert outcome.exit_code == -signal.SIGKILL, f"the run ended before {task}:\n{outcome.output}"

    def run_with(
        self,
        task: str,
        action: Callable[[Callable[[], None]], None],
        *,
        delay_s: float = 0,
        variables: Sequence[str] = (),
        timeout_s: float = 900,
    ) -> Outcome:
        """Run the deployment, and do something when a task of this name begins, while the run goes on.

        :param action: Gets a function that kills the run, with all that it started here.
        :raises AssertionError: If the run ended before, and if the action fails.
        """
        process = subprocess.Popen(
            self._playbook("deploy_staging.yml", variables),
            cwd=CHECKOUT,
            env=checkout_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        guard = threading.Timer(timeout_s, kill)
        guard.start()
        problems: list[BaseException] = []

        def act() -> None:
            try:
                time.sleep(delay_s)
                action(kill)
            except BaseException as problem:
                problems.append(problem)

        acting: threading.Thread | None = None
        lines = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if acting is None and line.startswith("TASK [") and task in line:
                    acting = threading.Thread(target=act)
                    acting.start()
            process.wait()
        finally:
            guard.cancel()
            kill()
            process.wait()
            if acting is not None:
                acting.join()
        output = "".join(lines)
        assert acting is not None, f"the run ended before {task}:\n{output}"
        if problems:
            raise AssertionError(f"what should happen at {task} failed") from problems[0]
        return read_outcome(process.returncode, output)

    def _playbook(self, playbook: str, variables: Sequence[str]) -> list[str]:
        extra = [argument for variable in variables for argument in ("--extra-vars", variable)]
        return ["ansible-playbook", f"--inventory={self.inventory}", *extra, str(Path("playbooks") / playbook)]
