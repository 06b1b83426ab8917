"""pm2_process where there is no pm2 daemon; the rest needs a real one (tests/integration)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.modules import pm2_process


def run(tmp_path: Path, check: bool = False, **changes: Any) -> dict[str, Any]:
    options = {
        "name": "web",
        "script": "server.js",
        "cwd": str(tmp_path / "app"),
        "pm2": str(tmp_path / "no-pm2"),
        "pm2_home": str(tmp_path / "home"),
        **changes,
    }
    return module_runner.run(pm2_process, options, check=check, diff=True)


def test_check_mode_on_a_bare_host_predicts_a_start(tmp_path: Path) -> None:
    result = run(tmp_path, check=True, env_file=str(tmp_path / "none.env"))
    assert (result["failed"], result["changed"], result["action"]) == (False, True, "start")
    assert result["reasons"] == ["pm2 is not installed yet"]
    assert result["diff"][0]["after"] == "status: online\n"
    assert list(tmp_path.iterdir()) == []


def test_without_pm2_a_real_run_fails_with_a_remedy(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result["failed"]
    assert result["msg"].startswith(f"there is no program {tmp_path}/no-pm2; install pm2")


@pytest.mark.parametrize("state", ["stopped", "absent"])
def test_without_pm2_nothing_runs_that_should_not(tmp_path: Path, state: str) -> None:
    result = run(tmp_path, state=state)
    assert (result["failed"], result["changed"], result["status"]) == (False, False, "absent")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"script": None}, "the process web needs script", id="no-script"),
        pytest.param({"health_url": "localhost:1"}, "health_url is 'localhost:1'; expected a URL", id="no-url"),
        pytest.param({"max_memory_restart": "much"}, "the memory limit 'much' is no size", id="no-size"),
        pytest.param(
            {"env_file": "/nonexistent/.env"}, "the env file /nonexistent/.env does not exist", id="no-env-file"
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    result = run(tmp_path, **options)
    assert result["failed"]
    assert result["msg"].startswith(message)


def test_an_ecosystem_file_in_json_needs_no_node(tmp_path: Path) -> None:
    file = tmp_path / "ecosystem.json"
    file.write_text('{"apps": [{"name": "api", "script": "x.js"}]}')
    options = {"script": None, "cwd": None, "ecosystem_file": str(file)}
    assert "defines no application named web (it defines: api)" in run(tmp_path, **options)["msg"]
    assert run(tmp_path, check=True, only="api", **options)["action"] == "start"
    file.write_text("{")
    assert "is no valid JSON" in run(tmp_path, **options)["msg"]
