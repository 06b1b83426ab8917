"""The plan for one pm2 process, without pm2."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.plan import (
    Action,
    Pm2Error,
    Process,
    Wanted,
    definition,
    differences,
    dump_is_current,
    duration_in_ms,
    last_lines,
    merged_dump,
    normalised_settings,
    parse_jlist,
    plan,
    process_from,
    redacted,
    secrets_of,
    size_in_bytes,
)

WANTED = Wanted(
    name="web",
    script="/srv/app/server.js",
    cwd="/srv/app",
    interpreter="node",
    env={"PORT": "14100"},
    revision="r1",
    project="/srv/app",
    real_cwd="/srv/app.releases/0001",
)
RUNNING = Process(
    name="web",
    pm_id=0,
    pid=100,
    status="online",
    script="/srv/app/server.js",
    cwd="/srv/app",
    env={"PORT": "14100", "STAGING_PROJECT": "/srv/app", "STAGING_REVISION": "r1"},
    live_cwd="/srv/app.releases/0001",
)


def test_a_process_that_is_as_wanted_needs_nothing() -> None:
    assert plan([RUNNING], WANTED) == plan([RUNNING, replace(RUNNING, name="other", cwd="/x")], WANTED)
    assert plan([RUNNING], WANTED).action is Action.NOTHING


def test_no_process_is_started() -> None:
    chosen = plan([], WANTED)
    assert (chosen.action, chosen.reasons) == (Action.START, ("no process of this name runs",))


@pytest.mark.parametrize(
    ("running", "action", "reason"),
    [
        pytest.param({"env": {**RUNNING.env, "PORT": "1"}}, Action.RELOAD, "the variable PORT changed", id="env-value"),
        pytest.param(
            {"env": {**RUNNING.env, "OLD": "1"}},
            Action.REPLACE,
            "the variable OLD is set and not wanted",
            id="env-removed",
        ),
        pytest.param(
            {"leftovers": ("OLD",)}, Action.REPLACE, "the variable OLD was removed, but pm2 kept it", id="env-kept"
        ),
        pytest.param({"args": ("--x",)}, Action.RELOAD, "the arguments changed", id="args"),
        pytest.param(
            {"script": "/srv/app/old.js"},
            Action.REPLACE,
            "script is /srv/app/old.js, not /srv/app/server.js",
            id="script",
        ),
        pytest.param({"cwd": "/srv"}, Action.REPLACE, "cwd is /srv, not /srv/app", id="cwd"),
        pytest.param({"interpreter": "bun"}, Action.REPLACE, "interpreter is bun, not node", id="interpreter"),
        pytest.param({"exec_mode": "cluster"}, Action.REPLACE, "exec_mode is cluster, not fork", id="mode"),
        pytest.param(
            {"settings": {"max_memory_restart": 1}},
            Action.REPLACE,
            "max_memory_restart is 1, not unset",
            id="limit-gone",
        ),
        pytest.param({"status": "stopped", "pid": 0}, Action.START, "it is stopped", id="stopped"),
        pytest.param({"status": "errored", "pid": 0}, Action.START, "it is errored", id="errored"),
        pytest.param(
            {"env": {**RUNNING.env, "STAGING_REVISION": "r0"}},
            Action.RELOAD,
            "revision r0 runs, r1 is wanted",
            id="revision",
        ),
        pytest.param(
            {"live_cwd": "/srv/app.releases/0000 (deleted)"},
            Action.RELOAD,
            "its directory /srv/app.releases/0000 no longer exists",
            id="directory-gone",
        ),
    ],
)
def test_each_difference_has_its_action(running: dict[str, Any], action: Action, reason: str) -> None:
    chosen = plan([replace(RUNNING, **running)], WANTED)
    assert (chosen.action, chosen.reasons[0]) == (action, reason)


def test_variables_that_pm2_counts_up_are_not_compared_but_what_it_begins_with() -> None:
    wanted = replace(WANTED, env={**WANTED.env, "PORT": "14100"}, extra={"increment_var": "PORT", "instance_var": "ID"})
    second = replace(RUNNING, env={**wanted.full_env(), "PORT": "14101", "ID": "1"})
    assert plan([second], wanted).action is Action.NOTHING
    moved = replace(wanted, env={**wanted.env, "PORT": "14200"})
    assert plan([second], moved).reasons == ("further options of the ecosystem file changed",)


def test_a_list_of_one_exit_code_is_what_pm2_reports() -> None:
    assert normalised_settings({"stop_exit_codes": 3}) == normalised_settings({"stop_exit_codes": [3]})


def test_another_release_with_the_same_revision_is_as_it_should_be() -> None:
    elsewhere = replace(RUNNING, live_cwd="/srv/app.releases/0000")
    assert plan([elsewhere], WANTED).action is Action.NOTHING


def test_another_release_without_a_revision_is_outdated() -> None:
    elsewhere = replace(
        RUNNING, live_cwd="/srv/app.releases/0000", env={"PORT": "14100", "STAGING_PROJECT": "/srv/app"}
    )
    assert plan([elsewhere], replace(WANTED, revision="")).action is Action.RELOAD


def test_a_setting_that_is_no_reason_to_act_is_put_right_along_with_another() -> None:
    running = replace(RUNNING, settings={"wait_ready": True})
    wanted = replace(WANTED, uncompared=frozenset({"wait_ready"}))
    assert plan([running], wanted).action is Action.NOTHING
    assert plan([replace(running, args=("x",))], wanted).action is Action.REPLACE
    assert plan([running], WANTED).action is Action.REPLACE


def test_values_of_variables_are_in_no_difference() -> None:
    found = differences(replace(RUNNING, env={**RUNNING.env, "PORT": "old-secret"}), WANTED)
    assert "old-secret" not in repr(found)
    assert "14100" not in repr(found)


def test_the_number_of_instances_of_a_cluster_is_scaled() -> None:
    cluster = replace(RUNNING, exec_mode="cluster")
    wanted = replace(WANTED, exec_mode="cluster", instances=3)
    assert plan([cluster], wanted).action is Action.SCALE
    assert plan([RUNNING], replace(WANTED, instances=2)).action is Action.REPLACE
    assert plan([replace(cluster, args=("x",))], wanted).action is Action.REPLACE


def test_one_dead_instance_among_several_means_replace() -> None:
    cluster = replace(RUNNING, exec_mode="cluster")
    chosen = plan([cluster, replace(cluster, status="errored")], replace(WANTED, exec_mode="cluster", instances=2))
    assert (chosen.action, chosen.reasons) == (Action.REPLACE, ("it is errored",))


@pytest.mark.parametrize(
    "running",
    [
        pytest.param({"env": {"STAGING_PROJECT": "/srv/other"}}, id="of-another-project"),
        pytest.param({"env": {}, "cwd": "/opt", "script": "/opt/x.js", "live_cwd": "/opt"}, id="started-by-somebody"),
    ],
)
@pytest.mark.parametrize("state", ["online", "stopped", "absent"])
def test_a_foreign_process_of_the_same_name_is_refused(running: dict[str, Any], state: str) -> None:
    foreign = replace(RUNNING, **running)
    with pytest.raises(Pm2Error, match="belongs to something else"):
        plan([foreign], WANTED, state)
    assert plan([foreign], WANTED, state, adopt=True).action is not Action.NOTHING


def test_states_other_than_online() -> None:
    assert plan([RUNNING], WANTED, "stopped").action is Action.STOP
    assert plan([replace(RUNNING, status="stopped")], WANTED, "stopped").action is Action.NOTHING
    assert plan([RUNNING], WANTED, "absent").action is Action.DELETE
    assert plan([], WANTED, "absent").action is Action.NOTHING


def test_jlist_with_banners_before_it() -> None:
    text = '[PM2] Spawning PM2 daemon\n>>>> In-memory PM2 is out-of-date\n[{"name": "a", "pm2_env": {}}]\n'
    assert parse_jlist(text) == [{"name": "a", "pm2_env": {}}]
    assert parse_jlist("[]") == []
    with pytest.raises(Pm2Error, match="no list"):
        parse_jlist("[PM2] nothing here")


def test_an_entry_of_jlist_without_what_pm2_and_shells_add() -> None:
    entry = {
        "name": "web",
        "pid": 7,
        "pm_id": 0,
        "pm2_env": {
            "exec_mode": "cluster_mode",
            "env": {"PORT": 14100, "PM2_HOME": "/h", "PWD": "/", "web": "{}", "unique_id": "x", "npm_config_x": "1"},
            "PORT": "14100",
            "STRAY": "kept by pm2",
            "PATH": "/bin",
            "NODE_APP_INSTANCE": 0,
            "status": "online",
            "pm_exec_path": "/a.js",
            "pm_cwd": "/",
            "args": "-a b",
        },
    }
    process = process_from(entry)
    assert process.env == {"PORT": "14100"}
    assert process.leftovers == ("PATH", "STRAY")
    assert (process.exec_mode, process.args, process.pid) == ("cluster", ("-a", "b"), 7)


def test_the_definition_tells_pm2_everything() -> None:
    entry = definition(replace(WANTED, out_log="/l/o", settings={"kill_timeout": 5000}, extra={"time": True}))
    assert entry["env"]["STAGING_REVISION"] == "r1"
    assert entry["env"]["STAGING_PROJECT"] == "/srv/app"
    assert len(entry["env"]["STAGING_OPTIONS"]) == 16
    assert (entry["out_file"], entry["kill_timeout"], entry["time"]) == ("/l/o", 5000, True)
    assert "error_file" not in entry


def test_a_started_definition_is_found_unchanged() -> None:
    wanted = replace(WANTED, settings=normalised_settings({"max_memory_restart": "1G", "kill_timeout": "5s"}))
    entry = definition(wanted)
    inner = {
        **entry,
        "pm_exec_path": entry["script"],
        "pm_cwd": entry["cwd"],
        "exec_interpreter": "node",
        "exec_mode": "fork_mode",
        "status": "online",
    }
    assert plan([process_from({"name": "web", "pid": 1, "pm2_env": inner})], wanted).action is Action.NOTHING


@pytest.mark.parametrize(
    ("given", "expected"),
    [("512M", 536870912), ("1G", 1073741824), (100, 100), ("10k", 10240), (None, None), ("", None)],
)
def test_sizes(given: Any, expected: Any) -> None:
    assert size_in_bytes(given) == expected


@pytest.mark.parametrize(("given", "expected"), [("10s", 10000), ("2m", 120000), (1600, 1600), (None, None)])
def test_durations(given: Any, expected: Any) -> None:
    assert duration_in_ms(given) == expected


@pytest.mark.parametrize("call", [size_in_bytes, duration_in_ms])
def test_what_is_no_number_is_refused(call: Any) -> None:
    with pytest.raises(Pm2Error, match="expected"):
        call("a lot")


def test_the_dump_keeps_what_others_saved() -> None:
    former = [{"name": "theirs", "saved": 1}, {"name": "web", "old": 1}]
    fresh = [{"name": "theirs", "saved": 2}, {"name": "unsaved"}, {"name": "web", "new": 1}]
    assert merged_dump(former, fresh, "web") == [{"name": "theirs", "saved": 1}, {"name": "web", "new": 1}]


def test_whether_the_dump_is_what_runs() -> None:
    saved = {"name": "web", "pm_exec_path": "/srv/app/server.js", "pm_cwd": "/srv/app", "exec_interpreter": "node"}
    saved.update(env=dict(RUNNING.env), status="online", exec_mode="fork_mode")  # type: ignore[arg-type]
    assert dump_is_current([saved], [RUNNING], "web")
    assert not dump_is_current([{**saved, "pm_cwd": "/old"}], [RUNNING], "web")
    assert not dump_is_current(None, [RUNNING], "web")
    assert dump_is_current(None, [], "web")


def test_secrets_are_removed_in_every_form() -> None:
    secrets = secrets_of(
        {"A": 'pa"ss wörd', "PORT": "14100", "FLAG": "true", "NEXT_PUBLIC_X": "wss://public/ws", "KEY": "line1\nline2"}
    )
    text = 'x pa"ss wörd y {"k": "pa\\"ss w\\u00f6rd"} pa%22ss%20w%C3%B6rd line2 14100 true wss://public/ws'
    clean = redacted(text, secrets)
    assert clean == 'x ******** y {"k": "********"} ******** ******** 14100 true wss://public/ws'


def test_the_last_lines_have_no_colours_and_no_blanks() -> None:
    assert last_lines("a\n\x1b[31mb\x1b[0m\n\n  \nc\n", 2) == ["b", "c"]
    assert json.dumps(last_lines("x" * 9999, 1)) == json.dumps(["x" * 500])
