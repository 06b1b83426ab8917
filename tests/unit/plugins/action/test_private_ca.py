# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""private_ca in runs of Ansible, with the host on this machine."""

from __future__ import annotations

import json
import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]


class Run:
    """A play that asks for the certificate of one host."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.ca = tmp_path, tmp_path / "ca"
        self.file = tmp_path / "host/app.pem"
        self.output = ""

    def __call__(self, *arguments: str, **options: Any) -> dict[str, Any]:
        task = {
            "name": "Issue",
            "codeframe.staging.private_ca": {
                "directory": str(self.ca),
                "names": ["app.home.arpa"],
                "path": str(self.file),
                **options,
            },
            "register": "issued",
            "ignore_errors": True,
        }
        shown = {"ansible.builtin.debug": {"msg": "result={{ issued | to_json }}"}}
        play = {"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": [task, shown]}
        (self.folder / "play.yml").write_text(yaml.safe_dump([play]))
        done = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", *arguments, f"{self.folder}/play.yml"],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        self.output = done.stdout + done.stderr
        line = next(line for line in self.output.splitlines() if "result=" in line)
        text = json.loads("{" + line.strip().rstrip(",") + "}")["msg"]
        found: dict[str, Any] = json.loads(text[len("result=") :])
        return found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_host_gets_a_certificate_once_and_its_key_is_nowhere_else(run: Run) -> None:
    predicted = run("--check")
    assert (predicted["changed"], predicted["reasons"]) == (True, ["there is none yet"])
    assert not run.ca.exists()
    assert not run.file.exists()

    first = run("--diff", "-vvv")
    assert (first["changed"], first["reasons"], first["ca_created"]) == (True, ["there is none yet"], True)
    assert stat.S_IMODE(run.file.stat().st_mode) == 0o600
    text = run.file.read_text()
    secret = text[text.index("PRIVATE KEY-----") :].splitlines()[1]
    assert secret not in run.output
    assert secret not in json.dumps(first)
    assert (run.ca / "ca.key").read_text().splitlines()[1] not in run.output
    # nginx takes one file as both.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(run.file, run.file)
    assert sorted(path.name for path in run.ca.iterdir()) == ["ca.key", "ca.pem"]

    again = run()
    assert (again["changed"], again["reasons"], again["ca_fingerprint"]) == (False, [], first["ca_fingerprint"])
    assert run.file.read_text() == text

    renewed = run(names=["app.home.arpa", "192.0.2.7"])
    assert renewed["changed"]
    assert run.file.read_text() != text
    assert not run("--check", names=["app.home.arpa", "192.0.2.7"])["changed"]


def test_what_is_on_the_host_does_not_decide_beyond_a_new_certificate(run: Run) -> None:
    run.file.parent.mkdir()
    run.file.write_text("-----BEGIN CERTIFICATE-----\n{{ 7 * 7 }}\n-----END CERTIFICATE-----\n")
    result = run()
    assert result["changed"]
    assert "cannot be used with" in result["reasons"][0]


def test_an_authority_that_cannot_be_used_is_named_with_the_remedy(run: Run) -> None:
    run()
    before = run.file.read_text()
    (run.ca / "ca.key").chmod(0o644)
    result = run(names=["other.home.arpa"])
    assert result["failed"]
    assert f"the private authority in {run.ca} has a file ca.key that" in result["msg"]
    assert "move its files away for a new one, which all devices must then trust" in result["msg"]
    assert run.file.read_text() == before
