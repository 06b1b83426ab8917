"""What pm2_process returns."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._pm2.daemon import Pm2Daemon
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.definition import ProcessDefinition
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.plan import (
    NO_CHANGE,
    ProcessAction,
    ProcessDifference,
    ProcessPlan,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.result import diff_of, empty_result, state_result
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.state import Pm2State

ENV = {"STAGING_PROJECT": "/srv/app", "STAGING_REVISION": "r1"}
FIRST = Pm2Process("web", 0, 100, "online", "/x.js", "/", env=ENV, restarts=1)
SECOND = Pm2Process("web", 1, 0, "errored", "/x.js", "/", env=ENV, restarts=2)
API = Pm2Process("api", 2, 200, "online", "/x.js", "/", env=ENV)
DIFFERENCE = ProcessDifference("args", "a", "b", "the arguments changed", True)


def test_a_result_describes_what_runs() -> None:
    state = Pm2State(Pm2Daemon(1, "7.0.4", "/h"), [FIRST, SECOND, API], None)
    assert state_result(state, ProcessDefinition("web", project="/srv/app")) == {
        "pid": 100,
        "pids": [100],
        "restarts": 3,
        "revision": "r1",
        "status": "online",
        "project_processes": ["api"],
        "daemon_version": "7.0.4",
        "pm2_version": "",
    }


def test_a_result_of_nothing() -> None:
    nothing = state_result(Pm2State(None, [API], None), ProcessDefinition("web"))
    assert nothing == {
        "pid": None,
        "pids": [],
        "restarts": 0,
        "revision": "",
        "status": "absent",
        "project_processes": [],
        "daemon_version": "",
        "pm2_version": "",
    }
    assert set(nothing) <= set(empty_result())


def diff(plan: ProcessPlan, *present: Pm2Process) -> tuple[str, str] | None:
    found = diff_of(plan, "web", present)
    return (found[0]["before"], found[0]["after"]) if found else None


def test_the_diff_shows_status_and_differences() -> None:
    assert diff(NO_CHANGE, FIRST) is None
    assert diff(ProcessPlan(ProcessAction.START)) == ("status: absent\n", "status: online\n")
    assert diff(ProcessPlan(ProcessAction.STOP), FIRST) == ("status: online\n", "status: stopped\n")
    assert diff(ProcessPlan(ProcessAction.DELETE), FIRST) == ("status: online\n", "status: absent\n")
    assert diff(ProcessPlan(ProcessAction.REPLACE), FIRST) == ("status: online\n", "status: online (replace)\n")
    reload = ProcessPlan(ProcessAction.RELOAD, differences=(DIFFERENCE,))
    assert diff(reload, FIRST) == ("args: a\n", "args: b\n")
    assert diff(reload, SECOND) == ("status: errored\nargs: a\n", "status: online\nargs: b\n")
    assert diff_of(reload, "web", [FIRST])[0]["before_header"] == "pm2 process web"
