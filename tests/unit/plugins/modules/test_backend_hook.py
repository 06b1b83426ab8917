# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands around a switch, with real releases and real commands."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.modules import backend_hook, release

SECRET = "hunter2-and-more"


class App:
    """A project that is deployed by the real release module."""

    def __init__(self, run_module, root):
        self.run_module, self.link = run_module, root / "app"

    def release(self, state, **options):
        return self.run_module(release, {"project_dir": str(self.link), "state": state, **options})

    def prepare(self):
        return self.release("prepared", source_type="in_place", env_files=[".env.staging"])

    def switch(self, revision, *, committed=True):
        self.release("candidate")
        result = self.release("activated", records={"backend_revision": revision})
        assert not result["failed"], result
        if committed:
            self.release("committed")

    def hook(self, hook, revision, *commands, check=False, **options):
        args = {"project_dir": str(self.link), "hook": hook, "revision": revision, "commands": list(commands)}
        return self.run_module(backend_hook, {"env_file": ".env.staging", **args, **options}, check=check)


def runs(pid):
    """Whether a process is there and has not ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def app(run_module, tmp_path):
    project = App(run_module, tmp_path)
    (project.link / "backend").mkdir(parents=True)
    (project.link / "backend/main.py").write_text("1\n")
    (project.link / ".env.staging").write_text(f"TOKEN={SECRET}\n")
    project.prepare()
    project.switch("one")
    return project


def test_before_the_activation_the_commands_run_in_the_candidate_and_only_for_another_revision(app):
    app.release("candidate")
    same = app.hook("before_activation", "one", ["touch", "ran"], chdir="backend")
    assert (same["changed"], same["ran"], same["reasons"]) == (False, [], [])
    moved = app.hook("before_activation", "two", ["touch", "ran"], chdir="backend")
    assert (moved["changed"], moved["ran"]) == (True, ["touch ran"])
    assert moved["reasons"] == ["the backend changes from revision one to two"]
    candidate = app.release("candidate")["path"]
    assert os.path.exists(f"{candidate}/backend/ran")
    assert not (app.link / "backend/ran").exists()


@pytest.mark.parametrize("place", [".venv/bin", "node_modules/.bin"])
def test_programs_of_the_installed_packages_are_found_by_name(app, place):
    programs = Path(app.release("candidate")["path"]) / "backend" / place
    programs.mkdir(parents=True)
    (programs / "migrate").write_text("#!/bin/sh\necho migrated $1\n")
    (programs / "migrate").chmod(0o755)
    result = app.hook("before_activation", "two", ["migrate", "head"], chdir="backend")
    assert result["output"] == [["migrated head"]]


def test_check_mode_predicts_the_commands_without_a_candidate_and_runs_nothing(app, tmp_path):
    mark = tmp_path / "mark"
    predicted = app.hook("before_activation", "two", ["touch", str(mark)], check=True)
    assert (predicted["changed"], predicted["ran"]) == (True, [f"touch {mark}"])
    assert not app.hook("before_activation", "one", ["touch", str(mark)], check=True)["changed"]
    assert app.hook("after_activation", "two", ["touch", str(mark)], check=True)["changed"]
    assert not app.hook("after_activation", "one", ["touch", str(mark)], check=True)["changed"]
    assert not mark.exists()


def test_after_the_activation_the_commands_run_once_through_the_link(app):
    app.switch("two", committed=False)
    first = app.hook("after_activation", "two", ["pwd"])
    assert (first["changed"], first["output"]) == (True, [[os.path.realpath(app.link)]])
    assert not app.hook("after_activation", "two", ["pwd"])["changed"]


def test_commands_of_an_interrupted_run_are_run_by_the_next(app):
    app.switch("two", committed=False)
    assert app.hook("after_activation", "two", ["false"])["failed"]
    assert app.hook("after_activation", "two", ["true"])["changed"]


def test_a_verified_release_needs_no_commands(app):
    app.switch("two")
    assert not app.hook("after_activation", "two", ["true"])["changed"]


def test_a_new_release_with_the_same_backend_runs_no_commands(app):
    app.switch("one", committed=False)
    assert not app.hook("after_activation", "one", ["true"])["changed"]


def test_commands_get_the_env_file_and_its_values_are_redacted_in_their_output(app):
    app.release("candidate")
    script = 'echo "token is $TOKEN, plain is $PLAIN"; exit 3'
    result = app.hook("before_activation", "two", ["true"], ["sh", "-c", script], env={"PLAIN": "seen"})
    assert result["failed"]
    assert result["msg"].startswith("before_activation command 2 of 2 (sh -c ")
    assert result["msg"].endswith("ended with 3; it printed: token is ********, plain is seen")
    assert SECRET not in str(result)


def test_the_commands_do_not_get_the_callers_environment(app, monkeypatch):
    monkeypatch.setenv("STRAY", "stray")
    app.release("candidate")
    assert app.hook("before_activation", "two", ["sh", "-c", "echo stray=$STRAY"])["output"] == [["stray="]]


def test_a_command_that_exceeds_the_timeout_is_killed_with_its_children(app, tmp_path):
    app.release("candidate")
    started = tmp_path / "pid"
    began = time.monotonic()
    command = ["sh", "-c", f"echo begun; sleep 60 & echo $! >{started}; wait"]
    result = app.hook("before_activation", "two", command, timeout=2)
    assert time.monotonic() - began < 30
    assert "did not end within 2 s and was killed; it printed: begun" in result["msg"]
    deadline = time.monotonic() + 20
    while runs(int(started.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_first_failing_command_ends_the_call_and_its_error_names_the_cause(app):
    app.release("candidate")
    result = app.hook("before_activation", "two", ["./no-such-program"], ["touch", "ran"])
    assert "command 1 of 2 (./no-such-program) cannot be started in" in result["msg"]
    assert not os.path.exists(app.release("candidate")["path"] + "/ran")


def test_an_empty_command_is_refused(app):
    assert app.hook("before_activation", "two", [])["msg"] == (
        "before_activation holds an empty command; expected a list of arguments"
    )
