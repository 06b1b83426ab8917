"""Run a playbook of a test on this machine, with the collection of this checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "ansible", "playbook")


def playbook_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of this process with the collection, and without the settings of Ansible that it has."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        **(environment or {}),
    }


@dataclass(frozen=True)
class PlaybookRun:
    """What a run of ansible-playbook left: its exit status and all its output."""

    exit_code: int
    output: str

    @property
    def words(self) -> str:
        """The output with each run of blanks made one, so that a sentence is found however it was wrapped."""
        return " ".join(self.output.split())

    @property
    def summary_agrees(self) -> bool:
        """Whether the summary says that something changed exactly if the recap does."""
        counts = [int(count) for count in re.findall(r"\bchanged=(\d+)", self.output)]
        return bool(sum(counts)) is ("Changed: nothing" not in self.words)


def run_playbook(
    playbook: Path,
    *options: str,
    inventory: str = "staging.test,",
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 600,
) -> PlaybookRun:
    """Run a playbook with the Python of this process on both sides.

    :param inventory: A path, or names each followed by a comma.
    :param environment: Variables in addition to those of this process.
    :raises subprocess.TimeoutExpired: If it takes longer than ``timeout_s``.
    """
    done = subprocess.run(
        [
            *(*COMMAND, "--inventory", inventory, "--connection", "local"),
            *("--extra-vars", f"ansible_python_interpreter={sys.executable}", *options, str(playbook)),
        ],
        cwd=playbook.parent,
        env=playbook_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return PlaybookRun(done.returncode, done.stdout)
