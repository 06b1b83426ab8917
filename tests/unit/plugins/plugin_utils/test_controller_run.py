"""Which run of Ansible this is, told from processes."""

from __future__ import annotations

import os

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.command import Ended
from ansible_collections.codeframe.staging.plugins.module_utils._release.lock import Identity
from ansible_collections.codeframe.staging.plugins.plugin_utils import _controller_run
from ansible_collections.codeframe.staging.plugins.plugin_utils._controller_run import Process


def test_the_identity_says_who_and_which_process() -> None:
    found = _controller_run.run_identity()
    assert len(found["controller"]) == 16
    assert found["who"].endswith(f"@{os.uname().nodename}")
    assert Identity.from_mapping(found).pid == found["pid"]
    assert _controller_run.run_identity()["controller"] == found["controller"]


def test_processes_can_be_read_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def ps(_command: list[str], **_options: object) -> Ended:
        listed = (
            "  100     1 Mon Nov 23 08:00:00 2026     -zsh\n"
            "  200   100 Mon Nov 23 08:01:40 2026     /usr/bin/python3 /usr/local/bin/ansible-playbook site.yml\n"
        )
        return Ended(0, listed)

    monkeypatch.setattr(_controller_run, "run", ps)
    found = _controller_run.ps_processes()
    assert [(item.pid, item.parent, item.is_run) for item in found.values()] == [(100, 1, False), (200, 100, True)]
    assert found[200].start - found[100].start == 100


def _process(pid: int, parent: int, *argv: str) -> Process:
    return Process(pid, parent, pid * 10, argv)


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        pytest.param(
            [
                _process(1, 0, "/sbin/init"),
                _process(2, 1, "-bash"),
                _process(3, 2, "/usr/bin/python3", "/usr/bin/ansible-playbook", "site.yml"),
                _process(4, 3, "/usr/bin/python3", "/usr/bin/ansible-playbook", "site.yml"),
                _process(5, 4, "/bin/sh", "-c", "cd /x/ansible && /usr/bin/python3 /tmp/AnsiballZ_deploy_lock.py"),
                _process(6, 5, "/usr/bin/python3", "/tmp/ansible-tmp-1/AnsiballZ_deploy_lock.py"),
            ],
            3,
            id="worker of a playbook",
        ),
        pytest.param(
            [
                _process(2, 1, "python", "-m", "pytest", "ansible"),
                _process(3, 2, "ansible-playbook", "site.yml"),
                _process(4, 3, "python3"),
            ],
            3,
            id="started by something else",
        ),
        pytest.param([_process(2, 1, "bash"), _process(3, 2, "python3")], None, id="no playbook"),
        pytest.param([_process(2, 2, "python3")], None, id="its own parent"),
        pytest.param(
            [_process(3, 2, "python3", "-m", "ansible", "playbook"), _process(4, 3, "python3")], 3, id="as a module"
        ),
    ],
)
def test_the_run_is_the_highest_process_of_ansible(chain: list[Process], expected: int | None) -> None:
    found = _controller_run.run_of({item.pid: item for item in chain}, chain[-1].pid)
    assert (found.pid if found else None) == expected
