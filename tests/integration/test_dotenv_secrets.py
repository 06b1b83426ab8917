"""Ten planted secrets through real playbooks: they stand in the env file and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANTED = {f"SECRET_{number}": f"pl4nted-{number}-{os.urandom(6).hex()}" for number in range(10)}
PLAYBOOK = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - codeframe.staging.preflight_info:
        stage: "{{ item }}"
        inputs:
          staging_public_url: http://app.localhost:18080
          staging_public_ws_url: http://app.localhost:18080/ws
          staging_project_dir: /srv/none/app
          staging_env_secrets: "{{ planted }}"
        fail: false
      loop: [inputs, host]
      loop_control:
        label: "{{ item }}"
    - codeframe.staging.dotenv_file:
        path: "{{ directory }}/.env.staging"
        values: {URL: "ws://app.localhost/ws"}
        secret_values: "{{ planted | combine({'SECRET_0': planted.SECRET_0 ~ suffix}) }}"
        generate: {AUTH_SECRET: {}}
        example_path: "{{ directory }}/.env.staging.example"
        backup: true
    - codeframe.staging.dotenv_info:
        path: "{{ directory }}/.env.staging"
        pid: "{{ pid }}"
"""


class Watch(threading.Thread):
    """Every argument of every process while a playbook runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            for name in os.listdir("/proc"):
                if name.isdigit():
                    try:
                        self.seen.add(Path(f"/proc/{name}/cmdline").read_bytes())
                    except OSError:
                        continue


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], set[bytes]]:
    """Check mode, the first run, a run that changes one secret, and one that is refused."""
    directory = tmp_path_factory.mktemp("secrets")
    (directory / "play.yml").write_text(PLAYBOOK)
    (directory / "planted.json").write_text(json.dumps({"planted": PLANTED}))
    (directory / "tmp").mkdir()
    binary = Path(sys.executable).with_name("ansible-playbook")
    outputs = {}
    watch = Watch()
    watch.start()
    for name, suffix, more in (
        ("check", "", ["--check"]),
        ("first", "", []),
        ("second", "-changed", []),
        ("refused", "$HOME", []),
    ):
        extra = {"directory": str(directory), "suffix": suffix, "pid": os.getpid()}
        extra["ansible_python_interpreter"] = sys.executable
        done = subprocess.run(
            [
                str(binary) if binary.exists() else "ansible-playbook",
                "-i",
                "localhost,",
                "-vvvv",
                "--diff",
                "play.yml",
                "-e",
                "@planted.json",
                "-e",
                json.dumps(extra),
                *more,
            ],
            cwd=directory,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
                "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
                "ANSIBLE_REMOTE_TEMP": str(directory / "tmp"),
                "ANSIBLE_PIPELINING": "True",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        outputs[name] = done.stdout + done.stderr
        assert (done.returncode == 0) is (name != "refused"), outputs[name]
    watch.over.set()
    watch.join()
    return directory, outputs, watch.seen


def test_no_secret_is_in_the_output_at_the_highest_verbosity(runs: tuple[Path, dict[str, str], set[bytes]]) -> None:
    directory, outputs, _seen = runs
    generated = (directory / ".env.staging").read_text().partition("AUTH_SECRET=")[2].split("\n")[0]
    assert len(generated) == 48
    hits = [(name, key) for name, out in outputs.items() for key, value in PLANTED.items() if value in out]
    assert hits == []
    assert [name for name, out in outputs.items() if generated in out] == []
    assert 'SECRET_0 contains a "$" before a name' in outputs["refused"].replace('\\"', '"')


def test_no_secret_is_in_an_argument_of_a_process(runs: tuple[Path, dict[str, str], set[bytes]]) -> None:
    seen = runs[2]
    assert any(b"ansible-playbook" in entry for entry in seen)
    assert [key for key, value in PLANTED.items() if any(value.encode() in entry for entry in seen)] == []


def test_only_private_files_hold_secrets(runs: tuple[Path, dict[str, str], set[bytes]]) -> None:
    directory = runs[0]
    holding = {
        path.name: path.stat().st_mode & 0o777
        for path in directory.rglob("*")
        if path.is_file()
        and path.name != "planted.json"
        and any(value.encode() in path.read_bytes() for value in PLANTED.values())
    }
    backups = [name for name in holding if name.endswith(".bak")]
    assert len(backups) == 1
    assert holding == {".env.staging": 0o600, backups[0]: 0o600}
    assert (directory / ".env.staging.example").stat().st_mode & 0o777 == 0o644
