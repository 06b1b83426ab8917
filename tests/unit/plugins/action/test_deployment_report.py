"""The action deployment_report in a run of Ansible on the controller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from report_samples import FAILED, VERIFICATION

ROOT = Path(__file__).resolve().parents[4]


def task(directory: Path, **options: Any) -> dict[str, Any]:
    return {
        "name": "Write the report",
        "codeframe.staging.deployment_report": {
            "application": "app",
            "host": "web1",
            "directory": str(directory),
            "verification": VERIFICATION,
            **options,
        },
        "register": "written",
    }


def play(tmp_path: Path, *tasks: dict[str, Any], arguments: tuple[str, ...] = ()) -> str:
    shown = {"ansible.builtin.debug": {"msg": "result={{ written | to_json }}"}}
    steps = [each for one in tasks for each in (one, shown)]
    book = [{"name": "Report", "hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": steps}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(book))
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", *arguments, str(tmp_path / "play.yml")]
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "codeframe.staging.steps",
    }
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def results_in(output: str) -> list[dict[str, Any]]:
    return [json.loads(line[len("result=") :]) for line in output.splitlines() if line.startswith("result=")]


def test_a_report_is_written_and_a_command_is_told_when_the_verdict_changes(tmp_path: Path) -> None:
    told = [sys.executable, "-c", "import sys; open('told', 'a').write(sys.stdin.read())"]
    metrics = tmp_path / "textfile"
    metrics.mkdir()
    options = {"notify_command": told, "metrics_directory": str(metrics)}
    reports = tmp_path / "reports"
    output = play(
        tmp_path,
        task(reports, **options),
        task(reports, **options),
        task(reports, verification=FAILED, failure="Verify: no", notify_command=[*told[:2], "import sys; sys.exit(3)"]),
    )
    first, second, third = results_in(output)
    assert [each["notified"] for each in (first, second, third)] == [True, False, False]
    assert [each["changed"] for each in (first, second, third)] == [False, False, False]
    page = Path(first["path"])
    assert page.parent.parent == reports / "app/web1"
    names = {path.name for path in page.parent.iterdir()}
    assert names == {"report.html", "report.json", "junit.xml", "metrics.prom"}
    assert (metrics / "codeframe_staging_app_web1.prom").read_text() == Path(second["path"]).with_name(
        "metrics.prom"
    ).read_text()
    document = json.loads((page.parent / "report.json").read_text())
    assert json.loads((tmp_path / "told").read_text()) == document
    assert (document["verdict"], json.loads(Path(third["path"]).with_name("report.json").read_text())["verdict"]) == (
        "passed",
        "failed",
    )
    assert "the command that tells the verdict failed" in output
    assert (reports / "index.html").read_text().count("<circle") == 3


def test_the_steps_of_the_run_are_in_the_report(tmp_path: Path) -> None:
    step = {"name": "Build the frontend", "ansible.builtin.command": "true"}
    result = results_in(play(tmp_path, task(tmp_path / "a"), step, task(tmp_path / "b", host="localhost")))[-1]
    document = json.loads(Path(result["path"]).with_name("report.json").read_text())
    assert ("Build the frontend", "changed") in [(each["name"], each["outcome"]) for each in document["steps"]]


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    [result] = results_in(play(tmp_path, task(tmp_path / "reports"), arguments=("--check",)))
    assert result["path"] == ""
    assert not (tmp_path / "reports").exists()


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    output = " ".join(play(tmp_path, task(tmp_path / "file/reports")).split())
    assert f"the report was not written: {tmp_path}/file" in output
    assert "Not a directory" in output


def test_a_report_that_cannot_be_written_need_not_fail_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    output = play(tmp_path, {**task(tmp_path / "file/reports"), "failed_when": False})
    [result] = results_in(output)
    assert result["msg"].startswith("the report was not written: ")
