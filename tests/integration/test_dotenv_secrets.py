"""Ten planted secrets through real playbooks: they are in the env file and nowhere else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from playbook_runs import run_playbook
from process_arguments import ArgumentsWatch

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
      loop: [inputs, host]
      failed_when: false
      loop_control:
        label: "{{ item }}"
    - codeframe.staging.dotenv_file:
        path: "{{ directory }}/.env.staging"
        values: {URL: "ws://app.localhost/ws"}
        secret_values: "{{ planted | combine({'SECRET_0': planted.SECRET_0 ~ suffix}) }}"
        generate: {AUTH_SECRET: {}}
        example_path: "{{ directory }}/.env.staging.example"
        generated_path: "{{ directory }}/generated.env"
    - codeframe.staging.dotenv_info:
        path: "{{ directory }}/.env.staging"
        pid: "{{ pid }}"
"""


Runs = tuple[Path, dict[str, str], ArgumentsWatch]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Check mode, the first run, a run that changes one secret, and one that is refused."""
    directory = tmp_path_factory.mktemp("secrets")
    (directory / "play.yml").write_text(PLAYBOOK)
    (directory / "planted.json").write_text(json.dumps({"planted": PLANTED}))
    (directory / "tmp").mkdir()
    outputs = {}
    with ArgumentsWatch() as watch:
        for name, suffix, more in (
            ("check", "", ["--check"]),
            ("first", "", []),
            ("second", "-changed", []),
            ("refused", "$HOME", []),
        ):
            extra = {"directory": str(directory), "suffix": suffix, "pid": os.getpid()}
            done = run_playbook(
                directory / "play.yml",
                *("-vvvv", "--diff", "-e", "@planted.json", "-e", json.dumps(extra), *more),
                inventory="localhost,",
                environment={
                    "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
                    "ANSIBLE_REMOTE_TEMP": str(directory / "tmp"),
                    "ANSIBLE_PIPELINING": "True",
                },
            )
            outputs[name] = done.output
            assert (done.exit_code == 0) is (name != "refused"), outputs[name]
    return directory, outputs, watch


def test_no_secret_is_in_the_output_at_the_highest_verbosity(runs: Runs) -> None:
    directory, outputs, _seen = runs
    generated = (directory / ".env.staging").read_text().partition("AUTH_SECRET=")[2].split("\n")[0]
    assert len(generated) == 48
    hits = [(name, key) for name, out in outputs.items() for key, value in PLANTED.items() if value in out]
    assert hits == []
    assert [name for name, out in outputs.items() if generated in out] == []
    assert 'SECRET_0 contains a "$" before a name' in outputs["refused"].replace('\\"', '"')


def test_no_secret_is_in_an_argument_of_a_process(runs: Runs) -> None:
    watch = runs[2]
    assert watch.showing("@planted.json")
    assert [key for key, value in PLANTED.items() if watch.showing(value)] == []


def test_only_private_files_hold_secrets(runs: Runs) -> None:
    directory = runs[0]
    generated = (directory / ".env.staging").read_text().partition("AUTH_SECRET=")[2].split("\n")[0]
    holding = {
        path.name: path.stat().st_mode & 0o777
        for path in directory.rglob("*")
        if path.is_file()
        and path.name != "planted.json"
        and any(value.encode() in path.read_bytes() for value in (*PLANTED.values(), generated))
    }
    assert holding == {".env.staging": 0o600, "generated.env": 0o600}
    assert (directory / ".env.staging.example").stat().st_mode & 0o777 == 0o644
