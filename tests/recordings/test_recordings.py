# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of the playbooks print, recorded from real ones into docs/terminal.md. Hosts are two containers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from deployment import checkout_environment
from documentation_blocks import ROOT
from free_ports import free_port

PAGE = ROOT / "docs/terminal.md"
HOSTS = ("web1", "web2")
HEAD = """# What a run prints

`make recordings` writes this page from runs of the playbooks, with the sample application on containers. Without a
terminal, as here, every line is printed once; on a terminal, the progress of a build is one line that changes, and
results have colours.
"""


@dataclass(frozen=True)
class Recording:
    """The output of a run without a terminal.

    :param silence_s: The longest time between two lines.
    """

    title: str
    command: str
    exit_code: int
    lines: tuple[str, ...]
    silence_s: float

    def __str__(self) -> str:
        return "\n".join(self.lines)

    @property
    def markdown(self) -> str:
        silence = f"Exit status {self.exit_code}; {len(self.lines)} lines, the longest silence {self.silence_s:.0f} s."
        return "\n".join(
            [f"## {self.title}", "", silence, "", "```console", f"$ {self.command}", *self.lines, "```", ""]
        )


@dataclass(frozen=True)
class Stage:
    """Two hosts and the sources that are deployed to them."""

    directory: Path
    inventory: Path
    sources: Path

    def record(self, title: str, playbook: str, *options: str) -> Recording:
        """Run a playbook as a user does."""
        environment = {**checkout_environment(), "ANSIBLE_STDOUT_CALLBACK": "codeframe.staging.steps"}
        process = subprocess.Popen(
            ["ansible-playbook", f"--inventory={self.inventory}", *options, str(ROOT / f"{playbook}.yml")],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines, silence_s, last_s = [], 0.0, time.monotonic()
        assert process.stdout is not None
        for line in process.stdout:
            now_s = time.monotonic()
            silence_s, last_s = max(silence_s, now_s - last_s), now_s
            shown = line.rstrip("\n").replace(str(self.directory), "/home/you/staging")
            # The same page at any time.
            lines.append(re.sub(r"/[0-9]{8}T[0-9]{6}Z/", "/20260101T120000Z/", shown))
        command = " ".join(["ansible-playbook -i inventory.yml", *options, f"{playbook}.yml"])
        return Recording(title, command, process.wait(), tuple(lines), silence_s)


@pytest.fixture(scope="module", name="stage")
def fixture_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("recordings")
    sources = directory / "sample_app"
    shutil.copytree(ROOT / "examples/sample_app", sources, ignore=shutil.ignore_patterns("node_modules", ".next"))
    (directory / "group_vars").symlink_to(ROOT / "molecule/inventory/group_vars")
    names = {host: f"codeframe-staging-recordings-{host}" for host in HOSTS}
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "molecule/shared")}
    hosts = {}
    try:
        for host, name in names.items():
            port, ssh_port = free_port(), free_port()
            command = ["up", name, "--image=prepared", "--replace", f"--ssh-port={ssh_port}", f"--publish={port}"]
            subprocess.run(["python3", "-m", "stagehost", *command], cwd=ROOT, env=environment, check=True)
            variables = {"staging_source_dir": str(sources), "staging_report": True, "staging_hold": 61}
            hosts[host] = {"ansible_port": ssh_port, "stagehost_port": port, **variables}
        inventory = directory / "inventory.yml"
        inventory.write_text(yaml.safe_dump({"staging": {"children": {"scenario": {"hosts": hosts}}}}))
        yield Stage(directory, inventory, sources)
    finally:
        subprocess.run(["python3", "-m", "stagehost", "down", *names.values()], cwd=ROOT, env=environment, check=True)


def test_runs_say_what_they_did_and_fit_a_screen(stage: Stage) -> None:
    first = stage.record("The first deployment", "deploy-staging", "--limit=web1")
    assert first.exit_code == 0, first
    assert "the WebSocket works" in str(first)

    again = stage.record("Another run, without drift", "deploy-staging", "--limit=web1")
    assert again.exit_code == 0, again
    assert "changed=0" in again.lines[-1]
    # On a terminal, the next output replaces the line that names the running task.
    left = [line for line in again.lines if not re.fullmatch(r"    \S.*, [0-9]+ s( - .*)?", line)]
    assert len(left) <= 24, str(again)

    predicted = stage.record(
        "What a run would change", "deploy-staging", "--limit=web1", "--check", "-e", extra(LIMIT=1)
    )
    assert predicted.exit_code == 0, predicted
    assert "env file: " in str(predicted)

    main = stage.sources / "backend/app/main.py"
    text = main.read_text()
    main.write_text(text.replace('"/ws"', '"/socket"'))
    assert main.read_text() != text
    failed = stage.record("A failure that is rolled back", "deploy-staging", "--limit=web1")
    main.write_text(text)
    assert failed.exit_code == 2, failed
    assert "is active again and verified" in " ".join(str(failed).split())

    several = stage.record("Several hosts, one after the other", "deploy-staging", "-e", "staging_serial=1")
    assert several.exit_code == 0, several
    assert "Hosts: 2 succeeded" in str(several)

    recordings = (first, again, predicted, failed, several)
    for each in recordings:
        assert "\x1b" not in str(each)
        assert [line for line in each.lines if len(line) > 120 and " " in line.strip()] == []
    PAGE.write_text(HEAD + "\n" + "\n".join(each.markdown for each in recordings), encoding="utf-8")


def extra(**values: object) -> str:
    """An option that adds variables to the environment file."""
    return json.dumps({"staging_env": values})
