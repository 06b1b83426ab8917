"""The processes that pm2 runs, as it reports them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import (
    parse_jlist,
    parse_process,
    setting_text,
)


def test_jlist_with_banners_before_it() -> None:
    text = '[PM2] Spawning PM2 daemon\n>>>> In-memory PM2 is out-of-date\n[{"name": "a", "pm2_env": {}}]\n'
    assert parse_jlist(text) == [{"name": "a", "pm2_env": {}}]
    assert parse_jlist("[]") == []


@pytest.mark.parametrize("text", ["[PM2] nothing here", "", '[{"name": "a"}]', '["a"]'])
def test_a_text_without_a_list_of_processes_is_refused(text: str) -> None:
    with pytest.raises(Pm2Error, match="no list"):
        parse_jlist(text)


def test_an_entry_of_jlist_without_what_pm2_and_shells_add() -> None:
    entry = {
        "name": "web",
        "pid": 7,
        "pm_id": 3,
        "pm2_env": {
            "exec_mode": "cluster_mode",
            "env": {
                "PORT": 14100,
                "DEBUG": False,
                "EMPTY": None,
                "PM2_HOME": "/h",
                "PWD": "/",
                "web": "{}",
                "unique_id": "x",
                "npm_config_x": "1",
                "axm_actions": "y",
                "LIST": ["z"],
                "STAGING_REVISION": "r1",
            },
            "PORT": "14100",
            "STRAY": "kept by pm2",
            "PATH": "/bin",
            "NODE_APP_INSTANCE": 0,
            "PM2_USAGE": "CLI",
            "status": "online",
            "pm_exec_path": "/a.js",
            "pm_cwd": "/",
            "args": "-a b",
            "node_args": ["--x"],
            "restart_time": 4,
            "exit_code": 1,
            "kill_timeout": 5000,
            "pm_out_log_path": "/l/out",
            "pm_err_log_path": "/l/err",
        },
    }
    process = parse_process(entry)
    assert process.env == {"PORT": "14100", "DEBUG": "false", "EMPTY": "", "STAGING_REVISION": "r1"}
    assert process.leftovers == ("PATH", "STRAY")
    assert (process.exec_mode, process.args, process.interpreter_args) == ("cluster", ("-a", "b"), ("--x",))
    assert (process.pid, process.pm_id, process.restarts, process.exit_code) == (7, 3, 4, 1)
    assert (process.out_log, process.err_log, process.settings) == ("/l/out", "/l/err", {"kill_timeout": 5000})
    assert (process.revision, process.interpreter, process.online) == ("r1", "none", True)


def test_an_entry_of_the_dump_is_the_inner_part() -> None:
    process = parse_process({"name": "web", "pm_id": 2, "pm_exec_path": "/a.js", "exit_code": None, "env": []})
    assert (process.name, process.pm_id, process.pid, process.script) == ("web", 2, 0, "/a.js")
    assert (process.exec_mode, process.env, process.exit_code, process.status) == ("fork", {}, None, "")


@pytest.mark.parametrize(
    ("status", "online"), [("online", True), ("launching", True), ("stopped", False), ("errored", False), ("", False)]
)
def test_which_states_count_as_online(status: str, online: bool) -> None:
    assert parse_process({"status": status}).online is online


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (None, ""), (5, "5"), ("x", "x"), (1.5, "1.5")]
)
def test_values_as_pm2_puts_them_into_an_environment(value: Any, text: str) -> None:
    assert setting_text(value) == text
