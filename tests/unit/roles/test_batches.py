# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``deploy_staging.yml`` on several hosts: which are deployed together, and what stops further ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from playbook_runs import PlaybookRun, run_playbook
from role_files import ROOT

HOSTS = ("a", "b", "c", "d")


def deploy(directory: Path, *, fail: str = "", limit: str = "all", extra: str = "", **variables: Any) -> PlaybookRun:
    """Run the real playbook, with what it does with a host reduced to a report.

    :param fail: Host whose deployment fails; with ``-`` before its name, without having written a report.
    """
    plays = yaml.safe_load((ROOT / "playbooks/deploy_staging.yml").read_text(encoding="utf-8"))
    gate = plays[-1]["tasks"][0]
    assert gate["ansible.builtin.import_role"]["tasks_from"] == "gate", "the first thing that a batch does"
    name = fail.removeprefix("-")
    verdict = f"{{{{ 'failed' if inventory_hostname == '{name}' else 'passed' }}}}"
    report: dict[str, Any] = {"ansible.builtin.set_fact": {"report_result": {"verdict": verdict}}}
    if fail.startswith("-"):
        report["when"] = f"inventory_hostname != '{name}'"
    failure = {"ansible.builtin.fail": {"msg": "it failed"}, "when": f"inventory_hostname == '{name}'"}
    plays[-1] |= {"tasks": [gate, {"ansible.builtin.debug": {"msg": "begun"}}, report, failure], "become": False}
    (directory / "deploy.yml").write_text(yaml.safe_dump(plays))
    inventory = {"staging": {"hosts": dict.fromkeys(HOSTS), "vars": {"ansible_connection": "local", **variables}}}
    (directory / "inventory.json").write_text(json.dumps(inventory))
    options = ["--limit", limit, *(["--extra-vars", extra] if extra else [])]
    return run_playbook(directory / "deploy.yml", *options, inventory=str(directory / "inventory.json"))


def batches(run: PlaybookRun) -> list[str]:
    """The hosts that were begun, by batch."""
    plays = run.output.split("PLAY [Deploy the application")[1:]
    begun = ["".join(sorted(re.findall(r'ok: \[(\w)\] => \{\s+"msg": "begun"', play))) for play in plays]
    return [each for each in begun if each]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"staging_serial": 1}, ["a", "b", "c", "d"]),
        ({"staging_serial": [1, "100%"]}, ["a", "bcd"]),
        ({"extra": "staging_serial=3"}, ["abc", "d"]),
        ({"staging_serial": 1, "limit": "c,d"}, ["c", "d"]),
    ],
)
def test_hosts_are_deployed_in_batches(variables: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    run = deploy(tmp_path, **variables)
    assert (run.exit_code, batches(run)) == (0, expected), run.output


@pytest.mark.parametrize("fail", ["b", "-b"], ids=["verification", "before-a-report"])
def test_a_batch_that_failed_is_the_last_and_the_others_of_it_are_deployed(fail: str, tmp_path: Path) -> None:
    run = deploy(tmp_path, fail=fail, staging_serial=3)
    assert run.exit_code == 2
    assert batches(run) == ["abc"]


def test_what_was_not_begun_says_why(tmp_path: Path) -> None:
    run = deploy(tmp_path, fail="a", staging_serial=2)
    assert batches(run) == ["ab"]
    assert "Not deployed, because 1 of 2 hosts before this batch failed (a)." in run.words
    assert "staging_max_fail_percentage allows 0 %" in run.words


def test_some_hosts_may_fail(tmp_path: Path) -> None:
    run = deploy(tmp_path, fail="a", staging_serial=2, staging_max_fail_percentage=50)
    assert (run.exit_code, batches(run)) == (2, ["ab", "cd"])


@pytest.mark.parametrize(
    "variables",
    [
        {"staging_serial": "0%"},
        {"staging_serial": [1, "2 %"]},
        {"staging_max_fail_percentage": 101},
    ],
    ids=str,
)
def test_a_wrong_number_stops_before_any_host_is_begun(variables: dict[str, Any], tmp_path: Path) -> None:
    run = deploy(tmp_path, **variables)
    assert (run.exit_code, batches(run)) == (2, [])
    assert next(iter(variables)) in run.words
