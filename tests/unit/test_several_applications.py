"""The inventory of several applications: each passes preflight, and none meets another on its machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from playbook_runs import CHECKOUT, playbook_environment, run_playbook

INVENTORY = CHECKOUT / "inventories/several"
KIND = "OPENSSH PRIVATE KEY"
SECRETS = {"DEPLOY_KEY": f"-----BEGIN {KIND}-----\nabc\n-----END {KIND}-----\n", "SHOP_DATABASE_PASSWORD": "hush-hush"}
#: Prints the variables of each host, rendered.
PLAY = """
- hosts: staging
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        content: >-
          {{ dict(names | zip(q('ansible.builtin.vars', *names))) | to_json }}
        dest: "{{ place }}/{{ inventory_hostname }}.json"
        mode: "0600"
      delegate_to: localhost
      vars:
        ansible_connection: local
        names: "{{ q('ansible.builtin.varnames', '^(staging_|ansible_host$)') }}"
"""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    place = tmp_path_factory.mktemp("hosts")
    play = place / "play.yml"
    play.write_text(PLAY)
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(INVENTORY), str(play), "-e", f"place={place}"]
    done = subprocess.run(
        [*command, "-e", f"ansible_python_interpreter={sys.executable}"],
        env={**playbook_environment(), **SECRETS, "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.stem: json.loads(path.read_text()) for path in place.glob("*.json")}


def test_each_application_passes_preflight(hosts: dict[str, dict[str, Any]]) -> None:
    assert sorted(hosts) == ["board.two", "chat.one", "shop.one"]
    for name, given in hosts.items():
        inputs = {key: value for key, value in given.items() if key.startswith("staging_")}
        assert [finding.sentence for finding in check_inputs(inputs)] == [], name


@pytest.mark.parametrize("playbook", ["deploy_staging", "drift_staging", "rollback_staging"])
def test_the_playbooks_accept_the_inventory(playbook: str) -> None:
    run = run_playbook(CHECKOUT / f"playbooks/{playbook}.yml", "--syntax-check", inventory=str(INVENTORY))
    assert run.exit_code == 0, run.output


def test_no_two_applications_of_one_machine_share_anything(hosts: dict[str, dict[str, Any]]) -> None:
    machines = Counter(given["ansible_host"] for given in hosts.values())
    assert sorted(machines.values()) == [1, 2]
    taken: Counter[tuple[str, str, str]] = Counter()
    for given in hosts.values():
        for name in ("app_name", "user", "project_dir", "public_url", "public_ws_url"):
            taken[given["ansible_host"], name, given[f"staging_{name}"]] += 1
        for name in ("staging_backend_port", "staging_frontend_port"):
            if name in given:
                taken[given["ansible_host"], "port", str(given[name])] += 1
    assert [place for place, count in taken.items() if count > 1] == []
