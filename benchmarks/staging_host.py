# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The staging host of a benchmark: a container with the sample application, deployed over SSH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT / "molecule/shared"
sys.path.insert(0, str(SHARED))

from deployment import Deployment, checkout_environment  # noqa: E402


@dataclass(frozen=True)
class Line:
    """A line of the playbook's output.

    :param at_s: When it was printed, in seconds from the start of the playbook.
    """

    at_s: float
    text: str


@dataclass(frozen=True)
class StagingHost:
    """A container, its inventory, and the sources that are deployed to it."""

    name: str
    port: int
    ssh_port: int
    inventory: Path
    sources: Path

    @property
    def page_url(self) -> str:
        return f"http://codeframe.localhost:{self.port}"

    def ws_url(self, host: str = "api") -> str:
        return f"ws://{host}.codeframe.localhost:{self.port}/ws"

    @property
    def deployment(self) -> Deployment:
        return Deployment(self.inventory)

    def timed(self, playbook: str, variables: Sequence[str] = ()) -> tuple[int, list[Line]]:
        """Run a playbook; return its exit code and its lines with their times."""
        extra = [argument for variable in variables for argument in ("--extra-vars", variable)]
        started = time.monotonic()
        process = subprocess.Popen(
            ["ansible-playbook", f"--inventory={self.inventory}", *extra, f"playbooks/{playbook}"],
            cwd=ROOT,
            env=checkout_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        lines = [Line(time.monotonic() - started, line.rstrip("\n")) for line in process.stdout]
        return process.wait(), lines

    def shell(self, script: str, timeout_s: float = 900) -> str:
        """Run a script as root on the host and return what it printed.

        :raises subprocess.CalledProcessError: If it fails.
        """
        done = subprocess.run(
            [*_STAGEHOST, "ssh", str(self.ssh_port), "sudo", "sh", "-s"],
            cwd=ROOT,
            env=_environment(),
            input=script,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=True,
        )
        return done.stdout

    def copy(self, directory: Path, target: str) -> None:
        """Copy a directory of this machine to the host, for everyone to read."""
        with subprocess.Popen(["tar", "-c", "-C", str(directory), "."], stdout=subprocess.PIPE) as archive:
            subprocess.run(
                [*_STAGEHOST, "ssh", str(self.ssh_port), f"mkdir -p {target} && tar -x -C {target}"],
                cwd=ROOT,
                env=_environment(),
                stdin=archive.stdout,
                check=True,
            )


_STAGEHOST = (sys.executable, "-m", "stagehost")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SHARED)}


@contextmanager
def staging_host(name: str, port: int, ssh_port: int, image: str = "prepared") -> Iterator[StagingHost]:
    """Run a host during the ``with`` block; both ports are on the loopback address of this machine.

    :param image: ``prepared``, with the packages of an earlier deployment in its caches, or ``bare``.
    """
    subprocess.run(
        [
            *(*_STAGEHOST, "up", name, f"--image={image}", "--replace"),
            *(f"--ssh-port={ssh_port}", f"--publish={port}"),
        ],
        cwd=ROOT,
        env=_environment(),
        check=True,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="staging-benchmark-") as directory:
            here = Path(directory)
            sources = here / "sample_app"
            shutil.copytree(
                ROOT / "examples/sample_app", sources, ignore=shutil.ignore_patterns("node_modules", ".next")
            )
            (here / "group_vars").symlink_to(ROOT / "molecule/inventory/group_vars")
            variables = {"ansible_port": ssh_port, "stagehost_port": port, "staging_source_dir": str(sources)}
            inventory = here / "hosts.yml"
            inventory.write_text(yaml.safe_dump({"staging": {"children": {"scenario": {"hosts": {name: variables}}}}}))
            yield StagingHost(name, port, ssh_port, inventory, sources)
    finally:
        subprocess.run([*_STAGEHOST, "down", name], cwd=ROOT, env=_environment(), check=True)
