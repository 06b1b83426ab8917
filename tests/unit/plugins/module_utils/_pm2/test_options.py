"""The definition of a process, from the options of a task and its files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.definition import ProcessDefinition
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.options import definition_from

BASE = {"PATH": "/usr/bin:/bin", "HOME": "/home/deploy"}
OPTIONS: dict[str, Any] = dict.fromkeys(
    ("script", "args", "cwd", "exec_mode", "env_file", "revision", "project_dir", "ecosystem_file", "ecosystem_env")
) | {"name": "web", "state": "online", "env": {}, "health_timeout": 60}


def definition(check: bool = False, **options: Any) -> ProcessDefinition:
    return definition_from({**OPTIONS, **options}, "node", BASE, check=check)


def ecosystem(directory: Path, **application: Any) -> dict[str, str]:
    file = directory / "ecosystem.json"
    file.write_text(json.dumps({"apps": [{"name": "web", **application}]}))
    return {"ecosystem_file": str(file)}


def test_the_options_of_a_task(tmp_path: Path) -> None:
    release = tmp_path / "releases/0001"
    release.mkdir(parents=True)
    (tmp_path / "app").symlink_to(release)
    (release / "server.js").write_text("")
    (release / ".env").write_text("PORT=1\nSECRET=s\n")
    found = definition(
        script="server.js",
        cwd=f"{tmp_path}/app",
        args=["--a", "b c"],
        env={"PORT": 2, "DEBUG": True},
        env_file=f"{tmp_path}/app/.env",
        revision="r1",
        project_dir=f"{tmp_path}/app/",
    )
    assert found == ProcessDefinition(
        name="web",
        script=f"{tmp_path}/app/server.js",
        cwd=f"{tmp_path}/app",
        args=("--a", "b c"),
        interpreter="node",
        env={**BASE, "PORT": "2", "DEBUG": "true", "SECRET": "s"},
        revision="r1",
        project=f"{tmp_path}/app",
        real_cwd=str(release),
    )


def test_the_ecosystem_file_defines_what_the_task_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("")
    options = ecosystem(
        tmp_path,
        script="x.py",
        args="-a 'b c'",
        interpreter="./venv/bin/python",
        interpreter_args="-u -X dev",
        instances=2,
        env={"A": 1, "PORT": 1},
        env_production={"B": 1},
        out_file="logs/out",
        error="/l/err",
        kill_timeout="5s",
        time=True,
    )
    found = definition(**options, env={"PORT": 2}, env_file=None)
    assert (found.script, found.cwd) == (f"{tmp_path}/x.py", str(tmp_path))
    assert (found.args, found.interpreter_args) == (("-a", "b c"), ("-u", "-X", "dev"))
    assert (found.interpreter, found.instances) == (f"{tmp_path}/venv/bin/python", 2)
    assert found.env == {**BASE, "A": "1", "PORT": "2", "PYTHONUNBUFFERED": "1"}
    assert (found.out_log, found.err_log) == (f"{tmp_path}/logs/out", "/l/err")
    assert found.settings == {"kill_timeout": 5000}
    assert (found.extra, found.unused) == ({"time": True}, ("env_production",))


def test_the_env_file_overrides_the_ecosystem_file_and_the_task_both(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\nC=file\n")
    (tmp_path / "x.js").write_text("")
    options = ecosystem(tmp_path, script="x.js", env={"A": 1, "D": 1}, env_staging={"B": 2, "D": 2})
    found = definition(**options, ecosystem_env="staging", env={"C": "task"}, env_file=f"{tmp_path}/.env")
    assert found.env == {**BASE, "A": "file", "B": "file", "C": "task", "D": "2"}


def test_options_of_the_task_take_precedence(tmp_path: Path) -> None:
    options = ecosystem(tmp_path, script="x.js", args=["a"], cwd="/srv", exec_mode="cluster")
    found = definition(**options, script="y.js", args=[], cwd=str(tmp_path), exec_mode="fork")
    assert (found.script, found.args, found.cwd, found.exec_mode) == (f"{tmp_path}/y.js", (), str(tmp_path), "fork")


@pytest.mark.parametrize(
    ("application", "timeout", "listen"),
    [
        pytest.param({"exec_mode": "cluster_mode"}, 60, 30000, id="at-most-30-s"),
        pytest.param({"exec_mode": "cluster"}, 10, 10000, id="health-timeout"),
        pytest.param({"exec_mode": "cluster", "listen_timeout": 5000}, 60, 5000, id="as-defined"),
        pytest.param({}, 60, None, id="fork"),
    ],
)
def test_a_cluster_waits_for_the_new_worker_to_listen(
    tmp_path: Path, application: dict[str, Any], timeout: int, listen: int | None
) -> None:
    found = definition(**ecosystem(tmp_path, script="x.js", **application), health_timeout=timeout)
    assert found.settings.get("listen_timeout") == listen


@pytest.mark.parametrize(
    ("value", "number"), [(1, 1), (3, 3), ("2", 2), ("max", os.cpu_count()), (0, os.cpu_count()), (-1000, 1)]
)
def test_the_number_of_instances_as_pm2_reads_it(tmp_path: Path, value: Any, number: int) -> None:
    assert definition(**ecosystem(tmp_path, script="x.js", instances=value)).instances == number


@pytest.mark.parametrize("place", [".venv/bin", "node_modules/.bin"])
def test_a_script_that_is_a_program_of_the_installed_packages(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "sh").write_text("#!/bin/sh\n")
    assert definition(script="sh", cwd=str(tmp_path)).script == f"{tmp_path}/{place}/sh"
    # A file of the directory itself counts more, and a path is taken as it is.
    (tmp_path / "sh").write_text("")
    assert definition(script="sh", cwd=str(tmp_path)).script == f"{tmp_path}/sh"
    assert definition(script="/bin/sh", cwd=str(tmp_path)).script == "/bin/sh"


def test_a_script_that_is_a_program_of_the_path(tmp_path: Path) -> None:
    assert definition(script="sh", cwd=str(tmp_path)).script == shutil.which("sh", path=BASE["PATH"])
    (tmp_path / "sh").write_text("")
    assert definition(script="sh", cwd=str(tmp_path)).script == f"{tmp_path}/sh"
    assert definition(script="no-such-program", cwd=str(tmp_path)).script == f"{tmp_path}/no-such-program"
    assert definition(script="./sh", cwd=str(tmp_path)).script == f"{tmp_path}/sh"


@pytest.mark.parametrize(("options", "missing"), [({"script": "x"}, "directory (cwd)"), ({"cwd": "/"}, "script")])
def test_a_definition_without_directory_or_script_is_refused(options: dict[str, Any], missing: str) -> None:
    with pytest.raises(Pm2Error) as error:
        definition(**options)
    assert str(error.value) == f"the process web has no {missing}; expected one in the task or the ecosystem file"


@pytest.mark.parametrize("state", ["stopped", "absent"])
def test_a_process_that_is_not_to_run_needs_no_files(tmp_path: Path, state: str) -> None:
    options = {"state": state, "project_dir": "/srv/app/", "ecosystem_file": "/nonexistent"}
    assert definition(**options) == ProcessDefinition("web", cwd="/nonexistent", project="/srv/app")
    found = definition(**options, cwd=str(tmp_path))
    assert (found.cwd, found.real_cwd) == (str(tmp_path), str(tmp_path))


def test_a_block_of_variables_is_chosen_by_its_name(tmp_path: Path) -> None:
    file = ecosystem(
        tmp_path, script="a.js", env={"A": "1", "B": "1"}, env_staging={"B": 2, "C": True}, env_production={"B": "3"}
    )
    found = definition(ecosystem_env="staging", env={"C": "task"}, **file)
    assert {key: found.env[key] for key in "ABC"} == {"A": "1", "B": "2", "C": "task"}
    # The block that is not chosen is neither given to pm2 nor a reason to replace the process.
    assert (found.unused, found.extra) == (("env_production",), {})


def test_without_a_choice_the_blocks_are_named(tmp_path: Path) -> None:
    found = definition(**ecosystem(tmp_path, script="a.js", env={"B": "1"}, env_staging={"B": "2"}, vizion=True, x=1))
    assert (found.env["B"], found.unused, found.extra) == ("1", ("env_staging", "vizion"), {"x": 1})
    assert definition(**ecosystem(tmp_path, script="a.js", merge_logs=True, vizion=False)).unused == ()


def test_a_block_that_the_file_does_not_define_is_refused(tmp_path: Path) -> None:
    file = ecosystem(tmp_path, script="a.js", env_production={})
    with pytest.raises(Pm2Error) as refused:
        definition(ecosystem_env="staging", **file)
    assert str(refused.value) == (
        f"{tmp_path}/ecosystem.json defines no env_staging for web, which staging_ecosystem_env names (it defines: "
        "env_production)"
    )


def test_a_file_in_yaml_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Pm2Error, match=r"ecosystem\.yml is YAML; expected JavaScript or JSON"):
        definition(ecosystem_file=f"{tmp_path}/ecosystem.yml")


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_a_cjs_file_with_several_applications(tmp_path: Path) -> None:
    # In a package of type module, a file of CommonJS has to be called .cjs.
    (tmp_path / "package.json").write_text('{"type": "module"}')
    file = tmp_path / "ecosystem.config.cjs"
    file.write_text(
        "module.exports = {apps: [{name: 'api', script: 'api.js'},"
        " {name: 'web', script: 'a.js', instances: 'max', exec_mode: 'cluster', env_staging: {B: 2}}], deploy: {}}"
    )
    node = str(shutil.which("node"))
    found = definition_from(
        {**OPTIONS, "ecosystem_file": str(file), "ecosystem_env": "staging"}, node, BASE, check=False
    )
    assert (found.script, found.instances, found.env["B"]) == (f"{tmp_path}/a.js", os.cpu_count(), "2")
