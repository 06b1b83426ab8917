from __future__ import annotations

from typing import Any

import pytest
from invariants import DATA, places, violations

RELEASES = "/home/deploy/app.releases"
ACTIVE = f"{RELEASES}/0002-b"
GOOD: dict[str, Any] = {
    "link": "app.releases/0002-b",
    "real": ACTIVE,
    "exists": True,
    "build": "B",
    "builds": {f"{ACTIVE}/web-ui": "B", f"{ACTIVE}/backend": ""},
    "processes": [
        {"name": "app-backend", "status": "online", "cwd": f"{ACTIVE}/backend"},
        {"name": "app-frontend", "status": "online", "cwd": f"{ACTIVE}/web-ui"},
        {"name": "other", "status": "online", "cwd": "/home/deploy"},
    ],
    "nginx": "",
    "stale_s": -5.0,
    "listed": ["0001-a", "0002-b"],
    "manifest": ["0001-a", "0002-b"],
    "backend_revisions": {"0001-a": "R", "0002-b": "R"},
    "candidate": None,
    "verified": ["0002-b"],
    "leftovers": [],
    "of_root": [],
    "data": f"{DATA}\n",
    "secrets": [f"{ACTIVE}/.env.staging"],
    "open_secrets": [],
}


def judge(**changes: Any) -> list[str]:
    known = places([f"{RELEASES}/0001-a/.env.staging"])
    return violations({**GOOD, **changes}, app="app", releases=RELEASES, known=known)


def test_nothing_is_said_where_everything_holds() -> None:
    assert judge() == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"link": ""}, id="no-link"),
        pytest.param({"exists": False}, id="dangling"),
        pytest.param({"listed": ["0001-a", "0002-b", "0003-c"]}, id="release-that-is-not-listed"),
        pytest.param({"candidate": {"id": "0003-c"}}, id="candidate"),
        pytest.param({"processes": GOOD["processes"][1:]}, id="process-missing"),
        pytest.param({"nginx": "emerg"}, id="invalid"),
        pytest.param({"stale_s": 3.0}, id="not-reloaded"),
        pytest.param({"stale_s": None}, id="no-worker"),
        pytest.param({"verified": ["0001-a"]}, id="not-verified"),
        pytest.param({"leftovers": ["/x.tmp"]}, id="left-over"),
        pytest.param({"of_root": ["/x"]}, id="file-of-root"),
        pytest.param({"data": ""}, id="data-lost"),
        pytest.param({"secrets": ["/tmp/x"]}, id="secret-in-a-new-place"),
        pytest.param({"open_secrets": ["/x"]}, id="secret-that-others-can-read"),
    ],
)
def test_each_violation_is_named_once(changes: dict[str, Any]) -> None:
    assert len(judge(**changes)) == 1


def test_a_frontend_may_run_from_a_copy_of_its_build() -> None:
    def of(build: str) -> list[str]:
        cwd = f"{RELEASES}/0001-a/web-ui"
        processes = [GOOD["processes"][0], {"name": "app-frontend", "status": "online", "cwd": cwd}]
        return judge(processes=processes, builds={**GOOD["builds"], cwd: build})

    assert of("B") == []
    assert len(of("A")) == len(of("")) == 1


def test_a_backend_may_go_on_from_a_release_with_the_same_source_and_packages() -> None:
    def of(active: str, earlier: str) -> list[str]:
        processes = [{"name": "app-backend", "status": "online", "cwd": f"{RELEASES}/0001-a/backend"}]
        revisions = {"0001-a": earlier, "0002-b": active}
        return judge(processes=[*processes, GOOD["processes"][1]], backend_revisions=revisions)

    assert of("R", "R") == []
    assert len(of("R", "Q")) == len(of("", "")) == 1
    assert len(judge(processes=[{**each, "cwd": ""} for each in GOOD["processes"]])) == 1
