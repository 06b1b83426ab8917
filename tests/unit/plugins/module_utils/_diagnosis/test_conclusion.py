"""The most likely cause, from all that was looked at."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._diagnosis.conclusion import Look, conclude_diagnosis

DOWN = {
    "passed": False,
    "message": "all at once",
    "diagnosis": {
        "cause": "backend_down",
        "explanation": "nothing listens on 127.0.0.1:14200",
        "remedy": "start it",
        "evidence": ["connection refused"],
    },
}
PROXY = {**DOWN, "diagnosis": {**DOWN["diagnosis"], "cause": "upgrade_not_forwarded", "remedy": "set the header"}}
PROCESS: dict[str, Any] = {
    "name": "app-backend", "status": "online", "pid": 7, "uptime_s": 60, "restarts": 0, "ports": [14200],
    "managed": True, "log": ["started", "a", "b", "KeyError: 'DATABASE_URL'"],
}  # fmt: skip
FULL = {"finding": "disk-space", "level": "error", "message": "1 MB are free", "remedy": "free some space"}
PAGE = {"passed": False, "message": "through the proxy, the URL is in no script", "diagnosis": {}}


@pytest.mark.parametrize(
    ("look", "cause", "explanation", "remedy"),
    [
        (Look({"passed": True}), "", "", ""),
        # What would be a fault elsewhere is none while the WebSocket works.
        (Look({"passed": True}, findings=[FULL]), "", "", ""),
        (Look(DOWN, findings=[FULL]), "disk-space", "1 MB are free", "free some space"),
        (
            Look(DOWN, findings=[{**FULL, "level": "warning"}], problems=["x"]),
            "backend_down",
            "nothing listens",
            "start",
        ),
        (
            Look(DOWN, processes=[{**PROCESS, "status": "errored", "restarts": 16}], backend="app-backend"),
            "backend_down",
            "the process app-backend is errored in pm2 and was restarted 16 times; nothing listens",
            "repair what the end of its log says",
        ),
        (Look(DOWN, backend="app-backend"), "backend_down", "pm2 has no process app-backend; nothing", "deploy with"),
        # Not looked at is not absent.
        (Look(DOWN, backend="app-backend", problems=["pm2: denied"]), "backend_down", "nothing listens", "start it"),
        (Look(DOWN, processes=[PROCESS], backend="app-backend"), "backend_down", "nothing listens", "start it"),
        (Look(PROXY, backend="app-backend"), "upgrade_not_forwarded", "nothing listens", "set the header"),
        (Look(PAGE), "", "through the proxy, the URL is in no script", ""),
        (Look({}), "", "", ""),
    ],
)
def test_the_cause_that_must_be_repaired_first_is_named(look: Look, cause: str, explanation: str, remedy: str) -> None:
    found = conclude_diagnosis(look)
    assert found.cause == cause
    assert found.explanation.startswith(explanation)
    assert bool(found.explanation) is bool(explanation)
    assert found.remedy.startswith(remedy)
    assert bool(found.remedy) is bool(remedy)


def test_the_end_of_the_log_and_the_configuration_are_evidence() -> None:
    broken = {**PROCESS, "status": "errored", "restarts": 16}
    found = conclude_diagnosis(Look(DOWN, processes=[broken], backend="app-backend", proxy_evidence="line 3 drops it"))
    assert found.evidence == (
        "log of app-backend: a",
        "log of app-backend: b",
        "log of app-backend: KeyError: 'DATABASE_URL'",
        "connection refused",
        "line 3 drops it",
    )


def test_all_that_was_seen_is_listed_by_subject_and_what_was_not_seen_too() -> None:
    env = {
        "path": "/p/.env.staging", "exists": True, "keys": ["A", "B"], "mode": "0600", "digest": "d0",
        "digests": {"A": "d1", "B": "d2"}, "placeholder_keys": ["B"], "empty_keys": [],
        "process": {"missing": ["A"], "differing": []},
    }  # fmt: skip
    found = conclude_diagnosis(
        Look(
            {"passed": True},
            findings=[FULL],
            processes=[{**PROCESS, "managed": False, "log": []}],
            env=env,
            backend="app-backend",
            problems=["proxy: no nginx"],
        )
    )
    assert found.seen == {
        "Processes": (
            "app-backend: online, pid 7, port 14200, running for 60 s, restarted 0 times by pm2, "
            "not started by this collection",
        ),
        "Environment": (
            "/p/.env.staging has 2 keys and mode 0600, digest d0",
            "A: digest d1",
            "B: digest d2",
            "app-backend runs with other values: it lacks A; restart it",
            "still a placeholder: B",
        ),
        "Host": ("error: 1 MB are free",),
        "Not looked at": ("proxy: no nginx",),
    }
    assert conclude_diagnosis(Look({}, env={"path": "/p", "exists": False})).seen == {
        "Environment": ("/p does not exist",)
    }
