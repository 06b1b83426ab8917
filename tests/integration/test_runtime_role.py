"""The role runtime on hosts whose umask closes what root installs, and with a project below a directory of root's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playbook_runs import run_playbook

USER = "masked"
PM2 = Path("/usr/local/lib/node_modules/pm2")


@pytest.fixture
def closed_by_default() -> Iterator[None]:
    """The umask of a host with ``UMASK 077`` in login.defs, which a task of Ansible inherits."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def runtime(tmp_path: Path) -> Any:
    def run(fails: bool = False, **variables: Any) -> Any:
        """How many tasks changed something; of a run that fails, what the role reports."""
        settings = {
            "staging_user": USER,
            "staging_project_dir": f"/home/{USER}/app",
            "staging_packages": [],
            "runtime_log_processes": [],
        }
        task = {"ansible.builtin.include_role": {"name": "codeframe.staging.runtime"}}
        play = {"hosts": "all", "gather_facts": False, "become": True, "vars": {**settings, **variables}}
        book = tmp_path / "play.json"
        result = tmp_path / "result.json"
        report = {"ansible.builtin.copy": {"content": "{{ runtime_result | to_json }}", "dest": str(result)}}
        tasks = [{"block": [task], "rescue": [report, {"ansible.builtin.fail": {}}]}]
        book.write_text(json.dumps([{**play, "tasks": tasks}]))
        done = run_playbook(book)
        assert (done.exit_code == 0) is not fails, done.output
        if fails:
            return json.loads(result.read_text())
        changed = re.search(r"changed=(\d+)", done.output)
        assert changed is not None, done.output
        return int(changed[1])

    return run


@pytest.fixture(scope="module", autouse=True)
def _removed_afterwards() -> Iterator[None]:
    yield
    subprocess.run(["systemctl", "disable", "--now", f"pm2-{USER}.service"], check=False)
    Path(f"/etc/systemd/system/pm2-{USER}.service").unlink(missing_ok=True)
    subprocess.run(["pkill", "-KILL", "-u", USER], check=False)
    subprocess.run(["userdel", "--remove", USER], check=False)


def runs_for_the_user() -> bool:
    command = ["runuser", "-u", USER, "--", "node", "-e", f"require('{PM2}/package.json'); require('{PM2}')"]
    return subprocess.run(command, cwd="/", check=False, capture_output=True).returncode == 0


@pytest.mark.slow
@pytest.mark.usefixtures("closed_by_default")
def test_what_root_installs_runs_for_the_deploy_user_whatever_the_umask(runtime: Any) -> None:
    shutil.rmtree(PM2)
    assert runtime() > 0
    assert runs_for_the_user()
    assert runtime() == 0


@pytest.mark.usefixtures("closed_by_default")
def test_a_second_run_opens_what_an_earlier_installation_has_closed(runtime: Any) -> None:
    runtime()
    subprocess.run(["chmod", "-R", "go=", PM2], check=True)
    PM2.parent.chmod(0o700)
    assert not runs_for_the_user()
    assert runtime() > 0
    assert runs_for_the_user()
    assert runtime() == 0


def test_the_parent_of_the_project_is_created_for_the_deploy_user(runtime: Any) -> None:
    parent = Path("/srv/masked-projects")
    project = {"staging_project_dir": f"{parent}/team/app"}
    try:
        runtime(**project)
        assert not parent.exists()
        assert runtime(**project, staging_create_parent=True) == 1
        assert (parent.owner(), parent.stat().st_mode & 0o777, list(parent.iterdir())) == (USER, 0o755, [])
        assert runtime(**project, staging_create_parent=True) == 0
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def test_logs_are_configured_where_logrotate_is_not_installed(runtime: Any) -> None:
    file = Path("/etc/logrotate.d/pm2-app-backend")
    file.unlink(missing_ok=True)
    assert shutil.which("logrotate") is None
    assert runtime(runtime_log_processes=["app-backend"]) > 0
    assert "app-backend" in file.read_text()
    assert runtime(runtime_log_processes=["app-backend"]) == 0
    file.unlink()


def test_what_changed_before_a_failure_is_reported(runtime: Any) -> None:
    user = f"{USER}-two"
    try:
        reported = runtime(
            fails=True, staging_user=user, staging_project_dir=f"/home/{user}/app", runtime_pm2_version="0.0.0"
        )
    finally:
        subprocess.run(["userdel", "--remove", user], check=False)
    assert reported == {"become_user": user, "changes": [f"user {user}"]}
