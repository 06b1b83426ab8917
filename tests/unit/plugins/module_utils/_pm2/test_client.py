"""The pm2 program, with one that records its calls."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.client import Pm2
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error

#: Notes arguments, environment, umask and the file that it is given, then does what the test says.
PROGRAM = """#!{python}
import json, os, sys
umask = os.umask(0)
calls = {directory!r} + "/calls"
given = sys.argv[3] if len(sys.argv) > 3 and sys.argv[3].endswith(".json") else None
entry = {{"args": sys.argv[1:], "env": dict(os.environ), "umask": umask}}
if given:
    entry["file"] = [open(given).read(), os.stat(given).st_mode & 0o777]
with open(calls, "a") as file:
    file.write(json.dumps(entry) + "\\n")
{code}
"""
Make = Callable[..., Pm2]


@pytest.fixture
def pm2(tmp_path: Path) -> Make:
    def make(code: str = "", hidden: tuple[str, ...] = ()) -> Pm2:
        program = tmp_path / "package/bin/pm2"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(PROGRAM.format(python=sys.executable, directory=str(tmp_path), code=code))
        program.chmod(0o755)
        return Pm2(str(program), {"PATH": "/usr/bin", "A": "1"}, str(tmp_path), hidden)

    return make


def calls(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]


def test_a_call_has_the_given_environment_and_no_other(
    pm2: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRAY", "of the shell")
    assert pm2("print('said')").call("stop", "web", umask=0o077) == "said\n"
    (call,) = calls(tmp_path)
    assert call["args"] == ["-s", "stop", "web"]
    assert call["umask"] == 0o077
    env = {key: value for key, value in call["env"].items() if key not in ("LC_CTYPE", "__CF_USER_TEXT_ENCODING")}
    assert env == {"PATH": "/usr/bin", "A": "1", "PM2_HOME": str(tmp_path), "PM2_DISCRETE_MODE": "true"}


def test_a_failure_is_said_without_secrets(pm2: Make) -> None:
    with pytest.raises(Pm2Error) as error:
        pm2("print('out'); print('bad planted', file=sys.stderr); sys.exit(3)", ("planted",)).call("stop", "web")
    assert str(error.value) == "pm2 stop ended with exit code 3: bad ********\nout"


def test_a_call_has_a_deadline(pm2: Make) -> None:
    with pytest.raises(Pm2Error, match="pm2 jlist did not end within 1 s"):
        pm2("import time; time.sleep(60)").call("jlist", timeout_s=0.6)


def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(Pm2Error, match=f"{tmp_path}/none cannot be run: No such file or directory"):
        Pm2(f"{tmp_path}/none", {}, str(tmp_path)).call("jlist")


@pytest.mark.parametrize(
    ("package", "version"), [('{"version": "7.0.4"}', "7.0.4"), ("{}", ""), ("[]", ""), ("{", ""), (None, "")]
)
def test_the_version_is_read_from_the_package(pm2: Make, tmp_path: Path, package: str | None, version: str) -> None:
    if package is not None:
        (tmp_path / "package").mkdir()
        (tmp_path / "package/package.json").write_text(package)
    assert pm2().version() == version
    assert not (tmp_path / "calls").exists()


def test_modules_of_pm2_are_no_processes(pm2: Make) -> None:
    entries = [
        {"name": "web", "pid": os.getpid(), "pm_id": 0, "pm2_env": {"status": "online"}},
        {"name": "old", "pid": 0, "pm_id": 1, "pm2_env": {"status": "stopped"}},
        {"name": "pm2-logrotate", "pid": 2, "pm_id": 2, "pm2_env": {"pmx_module": True}},
    ]
    found = pm2(f"print('banner'); print({json.dumps(entries)!r})").processes()
    assert [(process.name, process.live_cwd) for process in found] == [("web", os.getcwd()), ("old", "")]


@pytest.mark.parametrize("code", ["", "sys.exit(1)"])
def test_a_definition_is_given_in_a_private_file_that_is_removed(pm2: Make, tmp_path: Path, code: str) -> None:
    directory = tmp_path / "tmp"
    directory.mkdir()
    try:
        pm2(code).apply("start", {"name": "web"}, str(directory))
    except Pm2Error:
        assert code
    (call,) = calls(tmp_path)
    assert [call["args"][1], call["args"][3]] == ["start", "--update-env"]
    assert call["file"] == ['{"apps": [{"name": "web"}]}', 0o600]
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    ("previous", "saved"),
    [
        pytest.param(None, [{"name": "web", "n": 2}, {"name": "other", "n": 2}], id="first"),
        pytest.param(
            [{"name": "other", "n": 1}, {"name": "web", "n": 1}],
            [{"name": "other", "n": 1}, {"name": "web", "n": 2}],
            id="of-others",
        ),
    ],
)
def test_saving_keeps_the_entries_of_others(pm2: Make, tmp_path: Path, previous: Any, saved: Any) -> None:
    dump = tmp_path / "dump.pm2"
    if previous is not None:
        dump.write_text(json.dumps(previous))
        dump.chmod(0o644)
    fresh = json.dumps([{"name": "web", "n": 2}, {"name": "other", "n": 2}])
    pm2(f"open({str(dump)!r}, 'w').write({fresh!r})").save("web")
    assert json.loads(dump.read_text()) == saved
    assert dump.stat().st_mode & 0o777 == 0o600
    assert calls(tmp_path)[0]["args"] == ["-s", "save", "--force"]
    assert calls(tmp_path)[0]["umask"] == 0o077


def test_a_prepared_start_is_given_its_definitions_when_they_are_known(pm2: Make, tmp_path: Path) -> None:
    program = pm2()
    with program.prepared(str(tmp_path)) as start:
        # It is loaded, and waits.
        assert not (tmp_path / "calls").exists()
        program.call("delete", "web")
        start({"name": "web"}, {"name": "worker"})
    deleted, started = calls(tmp_path)
    assert deleted["args"] == ["-s", "delete", "web"]
    assert (started["args"][:2], started["args"][3]) == (["-s", "start"], "--update-env")
    assert started["file"] == [json.dumps({"apps": [{"name": "web"}, {"name": "worker"}]}), 0o600]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calls", "package"]


def test_a_prepared_start_that_fails_is_said_without_secrets(pm2: Make, tmp_path: Path) -> None:
    program = pm2("print('no s3cret'); sys.exit(5)", ("s3cret",))
    with program.prepared(str(tmp_path)) as start, pytest.raises(Pm2Error) as error:
        start({"name": "web"})
    assert str(error.value).startswith("pm2 start ended with exit code 5: no ")
    assert "s3cret" not in str(error.value)


def test_where_pm2_ends_before_it_is_given_a_definition_nothing_has_been_stopped(pm2: Make, tmp_path: Path) -> None:
    program = pm2()
    file = tmp_path / "package/bin/pm2"
    file.write_text("#!/bin/sh\necho broken; exit 3\n")
    with (
        pytest.raises(Pm2Error, match="pm2 start ended with exit code 3: broken"),
        program.prepared(str(tmp_path)),
    ):
        pytest.fail("the block must not run")
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_a_prepared_start_that_is_not_used_is_ended(pm2: Make, tmp_path: Path) -> None:
    program = pm2()
    with pytest.raises(ZeroDivisionError), program.prepared(str(tmp_path)):
        raise ZeroDivisionError
    assert not list(tmp_path.glob("pm2-*"))
