"""The definition of a process, and what pm2 is given of it."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.codeframe.staging.plugins.module_utils._pm2.definition import (
    ProcessDefinition,
    ecosystem_entry,
    ecosystem_entry_of,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.plan import NO_CHANGE, plan
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process, parse_process
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.settings import normalised_settings

DEFINITION = ProcessDefinition(
    name="web",
    script="/srv/app/server.js",
    cwd="/srv/app",
    args=("--a",),
    interpreter="node",
    env={"PORT": "14100"},
    revision="r1",
    project="/srv/app",
)


def test_the_entry_has_the_whole_definition() -> None:
    settings = {"kill_timeout": 5000}
    assert ecosystem_entry(replace(DEFINITION, out_log="/l/o", settings=settings)) == {
        "name": "web",
        "script": "/srv/app/server.js",
        "cwd": "/srv/app",
        "args": ["--a"],
        "interpreter": "node",
        "interpreter_args": [],
        "exec_mode": "fork",
        "instances": 1,
        "merge_logs": True,
        "vizion": False,
        "kill_timeout": 5000,
        "out_file": "/l/o",
        "env": {"PORT": "14100", "STAGING_PROJECT": "/srv/app", "STAGING_REVISION": "r1"},
    }
    assert ecosystem_entry(replace(DEFINITION, err_log="/l/e"))["error_file"] == "/l/e"


def test_a_process_without_project_and_revision_is_marked_as_managed() -> None:
    assert replace(DEFINITION, project="", revision="").full_env() == {"PORT": "14100", "STAGING_PROJECT": "-"}


def test_further_options_are_compared_by_a_digest() -> None:
    first = replace(DEFINITION, extra={"time": True})
    assert ecosystem_entry(first)["time"] is True
    digests = {
        definition.full_env()["STAGING_OPTIONS"]
        for definition in (first, replace(first, extra={"time": False}), replace(first, env={}))
    }
    assert sorted(map(len, digests)) == [16, 16]


def test_the_first_value_of_a_counted_variable_is_part_of_the_digest() -> None:
    first = replace(DEFINITION, extra={"increment_var": "PORT", "instance_var": "ID"})
    assert first.numbering == ("ID", "PORT")
    moved = replace(first, env={"PORT": "14200"})
    assert first.full_env()["STAGING_OPTIONS"] != moved.full_env()["STAGING_OPTIONS"]


def test_what_ran_can_be_started_again() -> None:
    process = Pm2Process(
        name="web",
        pm_id=0,
        pid=100,
        status="online",
        script="/srv/app/server.js",
        cwd="/srv/app",
        args=("a b",),
        env={"PORT": "1"},
        settings={"kill_timeout": 5000},
        out_log="/l/o",
        err_log="/l/e",
    )
    assert ecosystem_entry_of([process, process]) == {
        "name": "web",
        "script": "/srv/app/server.js",
        "cwd": "/srv/app",
        "args": ["a b"],
        "interpreter": "node",
        "interpreter_args": [],
        "exec_mode": "fork",
        "instances": 2,
        "merge_logs": True,
        "vizion": False,
        "kill_timeout": 5000,
        "out_file": "/l/o",
        "error_file": "/l/e",
        "env": {"PORT": "1"},
    }


def test_a_started_definition_needs_no_change() -> None:
    definition = replace(DEFINITION, settings=normalised_settings({"max_memory_restart": "1G", "kill_timeout": "5s"}))
    entry = ecosystem_entry(definition)
    inner = {
        **entry,
        "pm_exec_path": entry["script"],
        "pm_cwd": entry["cwd"],
        "exec_interpreter": "node",
        "exec_mode": "fork_mode",
        "status": "online",
    }
    assert plan([parse_process({"name": "web", "pid": 1, "pm2_env": inner})], definition) == NO_CHANGE
