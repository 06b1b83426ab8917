"""pm2_process on a host without a pm2 daemon; tests/integration has the ones with a real pm2."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2 import run
from ansible_collections.codeframe.staging.plugins.modules import pm2_process
from module_runner import RunModule


@pytest.fixture
def bare(run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the module where no pm2 is installed."""
    monkeypatch.setenv("PM2_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(run, "find_program", lambda _name: None)

    def call(check: bool = False, **changes: Any) -> dict[str, Any]:
        options = {"name": "web", "script": "server.js", "cwd": str(tmp_path / "app"), **changes}
        return run_module(pm2_process, options, check=check, diff=True)

    return call


def test_check_mode_on_a_bare_host_predicts_a_start(bare: Any, tmp_path: Path) -> None:
    result = bare(check=True, env_file=str(tmp_path / "none.env"))
    assert (result["failed"], result["changed"], result["action"]) == (False, True, "start")
    assert result["reasons"] == ["pm2 is not installed yet"]
    assert result["diff"][0]["after"] == "status: online\n"
    assert list(tmp_path.iterdir()) == []


def test_without_pm2_a_real_run_fails_with_a_remedy(bare: Any) -> None:
    result = bare()
    assert result["failed"]
    assert result["msg"] == "there is no program pm2 on this host; deploy with the role runtime, which installs it"
    assert (result["changed"], result["action"], result["pids"], result["downtime_s"]) == (False, "nothing", [], None)


@pytest.mark.parametrize("state", ["stopped", "absent"])
def test_without_pm2_nothing_runs_that_should_not(bare: Any, state: str) -> None:
    result = bare(state=state)
    assert (result["failed"], result["changed"], result["status"]) == (False, False, "absent")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"script": None}, "the process web has no script", id="no-script"),
        pytest.param({"health_url": "localhost:1"}, "health_url is 'localhost:1', but ", id="no-url"),
        pytest.param(
            {"env_file": "/nonexistent/.env"}, "the env file /nonexistent/.env does not exist", id="no-env-file"
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(bare: Any, options: dict[str, Any], message: str) -> None:
    result = bare(**options)
    assert result["failed"]
    assert result["msg"].startswith(message)


@pytest.mark.parametrize("check", [True, False])
def test_a_log_that_pm2_cannot_write_is_named_before_anything_is_stopped(
    bare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    """pm2 stops the process and does not start it again. As `sudo` or a rotation by root leaves it."""
    log = tmp_path / "home/logs/web-out.log"
    log.parent.mkdir(parents=True)
    log.touch()
    monkeypatch.setattr(run, "_with_circumstances", lambda chosen, *_args, **_options: chosen)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(log) and access(path, mode))
    result = bare(check=check)
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["msg"] == (
        f"the process web cannot be started: {user} cannot write its log {log}; run chown {user} {log}"
    )
