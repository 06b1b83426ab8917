"""The plan for one pm2 process, without pm2."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.definition import ProcessDefinition
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import UnmanagedProcessError
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.plan import (
    NO_CHANGE,
    ProcessAction,
    ProcessDifference,
    ProcessPlan,
    differences,
    plan,
    plan_online,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process

DEFINITION = ProcessDefinition(
    name="web",
    script="/srv/app/server.js",
    cwd="/srv/app",
    interpreter="node",
    env={"PORT": "14100"},
    revision="r1",
    project="/srv/app",
    real_cwd="/srv/app.releases/0001",
)
RUNNING = Pm2Process(
    name="web",
    pm_id=0,
    pid=100,
    status="online",
    script="/srv/app/server.js",
    cwd="/srv/app",
    env={"PORT": "14100", "STAGING_PROJECT": "/srv/app", "STAGING_REVISION": "r1"},
    live_cwd="/srv/app.releases/0001",
)


def test_a_process_that_runs_as_defined_needs_no_change() -> None:
    assert plan([RUNNING], DEFINITION) == plan([RUNNING, replace(RUNNING, name="other", cwd="/x")], DEFINITION)
    assert plan([RUNNING], DEFINITION).action is ProcessAction.NOTHING


def test_no_process_is_started() -> None:
    chosen = plan([], DEFINITION)
    assert (chosen.action, chosen.reasons) == (ProcessAction.START, ("no process of this name runs",))


@pytest.mark.parametrize(
    ("running", "action", "reason"),
    [
        pytest.param(
            {"env": {**RUNNING.env, "PORT": "1"}}, ProcessAction.RELOAD, "the variable PORT changed", id="env-value"
        ),
        pytest.param(
            {"env": {**RUNNING.env, "OLD": "1"}},
            ProcessAction.REPLACE,
            "the variable OLD is set, but not part of the definition",
            id="env-removed",
        ),
        pytest.param(
            {"leftovers": ("OLD",)},
            ProcessAction.REPLACE,
            "the variable OLD was removed, but pm2 kept it",
            id="env-kept",
        ),
        pytest.param({"args": ("--x",)}, ProcessAction.RELOAD, "the arguments changed", id="args"),
        pytest.param(
            {"script": "/srv/app/old.js"},
            ProcessAction.REPLACE,
            "script is /srv/app/old.js, not /srv/app/server.js",
            id="script",
        ),
        pytest.param({"cwd": "/srv"}, ProcessAction.REPLACE, "cwd is /srv, not /srv/app", id="cwd"),
        pytest.param({"interpreter": "bun"}, ProcessAction.REPLACE, "interpreter is bun, not node", id="interpreter"),
        pytest.param({"exec_mode": "cluster"}, ProcessAction.REPLACE, "exec_mode is cluster, not fork", id="mode"),
        pytest.param(
            {"settings": {"max_memory_restart": 1}},
            ProcessAction.REPLACE,
            "max_memory_restart is 1, not unset",
            id="limit-gone",
        ),
        pytest.param({"status": "stopped", "pid": 0}, ProcessAction.START, "it is stopped", id="stopped"),
        pytest.param({"status": "errored", "pid": 0}, ProcessAction.START, "it is errored", id="errored"),
        pytest.param(
            {"env": {**RUNNING.env, "STAGING_REVISION": "r0"}},
            ProcessAction.RELOAD,
            "its revision is r0, not r1",
            id="revision",
        ),
        pytest.param(
            {"live_cwd": "/srv/app.releases/0000 (deleted)"},
            ProcessAction.RELOAD,
            "its directory /srv/app.releases/0000 no longer exists",
            id="directory-gone",
        ),
    ],
)
def test_each_difference_has_its_action(running: dict[str, Any], action: ProcessAction, reason: str) -> None:
    chosen = plan([replace(RUNNING, **running)], DEFINITION)
    assert (chosen.action, chosen.reasons[0]) == (action, reason)


def test_variables_that_pm2_counts_up_are_compared_by_their_first_value() -> None:
    definition = replace(
        DEFINITION, env={**DEFINITION.env, "PORT": "14100"}, extra={"increment_var": "PORT", "instance_var": "ID"}
    )
    second = replace(RUNNING, env={**definition.full_env(), "PORT": "14101", "ID": "1"})
    assert plan([second], definition).action is ProcessAction.NOTHING
    moved = replace(definition, env={**definition.env, "PORT": "14200"})
    assert plan([second], moved).reasons == ("further options of the ecosystem file changed",)


def test_another_release_with_the_same_revision_needs_no_change() -> None:
    elsewhere = replace(RUNNING, live_cwd="/srv/app.releases/0000")
    assert plan([elsewhere], DEFINITION).action is ProcessAction.NOTHING


def test_another_release_without_a_revision_is_outdated() -> None:
    elsewhere = replace(
        RUNNING, live_cwd="/srv/app.releases/0000", env={"PORT": "14100", "STAGING_PROJECT": "/srv/app"}
    )
    assert plan([elsewhere], replace(DEFINITION, revision="")).action is ProcessAction.RELOAD


def test_a_setting_that_is_no_reason_to_act_is_corrected_along_with_another() -> None:
    running = replace(RUNNING, settings={"wait_ready": True})
    definition = replace(DEFINITION, uncompared=frozenset({"wait_ready"}))
    assert plan([running], definition).action is ProcessAction.NOTHING
    assert plan([replace(running, args=("x",))], definition).action is ProcessAction.REPLACE
    assert plan([running], DEFINITION).action is ProcessAction.REPLACE


def test_values_of_variables_are_in_no_difference() -> None:
    found = differences(replace(RUNNING, env={**RUNNING.env, "PORT": "old-secret"}), DEFINITION)
    assert "old-secret" not in repr(found)
    assert "14100" not in repr(found)


@pytest.mark.parametrize(
    ("running", "expected"),
    [
        pytest.param(
            {"env": {**RUNNING.env, "OLD": "1"}},
            ProcessDifference(
                "env OLD", "set", "unset", "the variable OLD is set, but not part of the definition", False
            ),
            id="removed",
        ),
        pytest.param(
            {"leftovers": ("OLD",)},
            ProcessDifference("env OLD", "set", "unset", "the variable OLD was removed, but pm2 kept it", False),
            id="kept-by-pm2",
        ),
        pytest.param(
            {"env": {key: value for key, value in RUNNING.env.items() if key != "PORT"}},
            ProcessDifference("env PORT", "unset", "set", "the variable PORT is missing", True),
            id="missing",
        ),
        pytest.param(
            {"env": {**RUNNING.env, "PORT": "1"}},
            ProcessDifference("env PORT", "previous value", "new value", "the variable PORT changed", True),
            id="changed",
        ),
    ],
)
def test_a_difference_of_a_variable_tells_whether_it_is_set(
    running: dict[str, Any], expected: ProcessDifference
) -> None:
    assert differences(replace(RUNNING, **running), DEFINITION) == (expected,)


def test_the_number_of_instances_of_a_cluster_is_scaled() -> None:
    cluster = replace(RUNNING, exec_mode="cluster")
    definition = replace(DEFINITION, exec_mode="cluster", instances=3)
    assert plan([cluster], definition).action is ProcessAction.SCALE
    assert plan([RUNNING], replace(DEFINITION, instances=2)).action is ProcessAction.REPLACE
    assert plan([replace(cluster, args=("x",))], definition).action is ProcessAction.REPLACE


def test_a_change_of_the_number_of_instances_is_said_with_both_numbers() -> None:
    cluster = replace(RUNNING, exec_mode="cluster")
    number = ProcessDifference("instances", "1", "3", "1 instances run, not 3", False)
    definition = replace(DEFINITION, exec_mode="cluster", instances=3)
    assert plan([cluster], definition) == ProcessPlan(ProcessAction.SCALE, (number.reason,), (number,))
    assert plan([RUNNING], replace(DEFINITION, instances=3)) == ProcessPlan(
        ProcessAction.REPLACE, (number.reason,), (number,)
    )


def test_a_cluster_is_never_scaled_to_no_instance() -> None:
    """``pm2 scale NAME 0`` would delete the process."""
    cluster = replace(RUNNING, exec_mode="cluster")
    definition = replace(DEFINITION, exec_mode="cluster", instances=0)
    assert plan([cluster], definition).action is ProcessAction.REPLACE


def test_one_dead_instance_among_several_means_replace() -> None:
    cluster = replace(RUNNING, exec_mode="cluster")
    chosen = plan([cluster, replace(cluster, status="errored")], replace(DEFINITION, exec_mode="cluster", instances=2))
    assert (chosen.action, chosen.reasons) == (ProcessAction.REPLACE, ("it is errored",))


@pytest.mark.parametrize(
    "running",
    [
        pytest.param({"env": {"STAGING_PROJECT": "/srv/other"}}, id="of-another-project"),
        pytest.param(
            {"env": {}, "cwd": "/opt", "script": "/opt/x.js", "live_cwd": "/opt"}, id="started-manually-elsewhere"
        ),
    ],
)
@pytest.mark.parametrize("state", ["online", "stopped", "absent"])
def test_an_unmanaged_process_of_the_same_name_is_refused(running: dict[str, Any], state: str) -> None:
    unmanaged = replace(RUNNING, **running)
    with pytest.raises(UnmanagedProcessError, match="belongs to something else"):
        plan([unmanaged], DEFINITION, state)


def test_states_other_than_online() -> None:
    assert plan([RUNNING], DEFINITION, "stopped").action is ProcessAction.STOP
    assert plan([replace(RUNNING, status="stopped")], DEFINITION, "stopped").action is ProcessAction.NOTHING
    assert plan([RUNNING], DEFINITION, "absent").action is ProcessAction.DELETE
    assert plan([], DEFINITION, "absent").action is ProcessAction.NOTHING


def test_the_refusal_names_what_runs() -> None:
    with pytest.raises(UnmanagedProcessError) as error:
        plan([replace(RUNNING, env={"STAGING_PROJECT": "/srv/other"}, script="/srv/other/x.js")], DEFINITION)
    assert str(error.value) == (
        "pm2 already runs a process named web that belongs to something else (it runs /srv/other/x.js in /srv/other); "
        "choose another name, or delete that process with pm2 delete web"
    )


@pytest.mark.parametrize(
    "running",
    [
        pytest.param({"env": {"STAGING_PROJECT": "-"}}, id="managed-without-a-project"),
        pytest.param({"env": {}, "cwd": "/srv/app/web-ui"}, id="below-the-project"),
        pytest.param({"env": {}, "cwd": "/", "live_cwd": "/srv/app.releases/0001"}, id="in-the-release"),
        pytest.param({"env": {}, "cwd": "/", "live_cwd": "", "script": "/srv/app/x.js"}, id="its-script"),
        pytest.param(
            {"env": {}, "cwd": "/", "live_cwd": "", "script": "/usr/bin/node", "args": ("/srv/app/x.js",)},
            id="its-argument",
        ),
    ],
)
def test_a_process_of_the_same_project_is_taken_over(running: dict[str, Any]) -> None:
    assert plan([replace(RUNNING, **running)], DEFINITION).action is not ProcessAction.NOTHING


def test_a_directory_that_only_begins_alike_is_another() -> None:
    with pytest.raises(UnmanagedProcessError):
        plan([replace(RUNNING, env={}, cwd="/srv/app2", script="/srv/app2/x.js", live_cwd="/srv/app2")], DEFINITION)


def test_a_setting_that_is_not_wanted_any_more_needs_more_than_a_reload() -> None:
    running = replace(RUNNING, settings={"kill_timeout": 1000})
    changed = replace(DEFINITION, settings={"kill_timeout": 5000})
    assert plan([running], changed).action is ProcessAction.RELOAD
    assert differences(running, changed) == (
        ProcessDifference("kill_timeout", "1000", "5000", "kill_timeout is 1000, not 5000", True),
    )
    assert plan([running], DEFINITION).action is ProcessAction.REPLACE


def test_logs_are_compared_where_they_are_defined() -> None:
    running = replace(RUNNING, out_log="/l/o", err_log="/l/e")
    assert plan([running], DEFINITION) == NO_CHANGE
    assert plan([running], replace(DEFINITION, out_log="/l/o", err_log="/l/e")) == NO_CHANGE
    assert plan([running], replace(DEFINITION, out_log="/m/o")).reasons == ("out_log is /l/o, not /m/o",)
    assert plan([running], replace(DEFINITION, err_log="/m/e")).action is ProcessAction.REPLACE


def test_a_marker_that_is_missing_is_added_by_a_reload() -> None:
    env = {"PORT": "14100", "STAGING_REVISION": "r1"}
    assert plan([replace(RUNNING, env=env)], DEFINITION) == ProcessPlan(
        ProcessAction.RELOAD,
        ("it was not started by this module for this project",),
        (ProcessDifference("project", "none", "/srv/app", "it was not started by this module for this project", True),),
    )


def test_the_environment_of_a_manual_start_is_no_list_of_reasons() -> None:
    env = {"PORT": "1", "SHELL": "/bin/sh", "SUDO_USER": "admin"}
    planned = plan([replace(RUNNING, env=env, exec_mode="cluster")], DEFINITION)
    assert planned.reasons == (
        "exec_mode is cluster, not fork",
        "it was not started by this module for this project",
        "its revision is unknown, not r1",
    )
    assert {"env PORT", "env SHELL", "env SUDO_USER"} <= {each.what for each in planned.differences}


def test_the_same_difference_of_two_instances_is_said_once() -> None:
    cluster = replace(RUNNING, exec_mode="cluster", args=("x",))
    definition = replace(DEFINITION, exec_mode="cluster", instances=2)
    assert plan_online([cluster, cluster], definition).reasons == ("the arguments changed",)
