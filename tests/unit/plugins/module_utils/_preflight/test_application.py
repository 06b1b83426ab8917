"""Whether the source has what a deployment needs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.application import (
    Application,
    judge_application,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs

COMPLETE: dict[str, Any] = {"package_json": "", "has_lock": True, "has_build_script": True}
FRONTEND = 'staging_frontend_dir is "web-ui" by default, but '


@pytest.mark.parametrize(
    ("facts", "name", "sentence"),
    [
        pytest.param(
            {"package_json": None},
            "package-json-missing",
            FRONTEND + "the source has no package.json there; expected the directory of the frontend; write the "
            "directory that has the package.json",
            id="no package.json",
        ),
        pytest.param(
            {"package_json": "contains no object"},
            "package-json",
            FRONTEND + "its package.json contains no object; expected a JSON object; repair the file in the source",
            id="malformed",
        ),
        pytest.param(
            {"has_lock": False},
            "lock-file-missing",
            FRONTEND + "there is no lock file beside its package.json, nor at the root of a workspace with it, "
            "so each build may install other packages; "
            "expected a lock file; commit package-lock.json (npm install --package-lock-only)",
            id="no lock file",
        ),
        pytest.param(
            {"has_build_script": False},
            "build-script-missing",
            FRONTEND + "its package.json has no script build; expected a script that builds the page; add it, for "
            "example as next build",
            id="no build script",
        ),
        pytest.param(
            {"has_backend_dir": False},
            "backend-dir-missing",
            'staging_backend_dir is "." by default, but the source has no such directory; expected the directory of '
            "the backend; write its path inside the project",
            id="no backend",
        ),
    ],
)
def test_what_is_missing_is_an_error(good: DeploymentInputs, facts: dict[str, Any], name: str, sentence: str) -> None:
    (found,) = judge_application(good, Application(**{**COMPLETE, **facts}))
    assert (found.name, found.level, found.sentence) == (name, "error", sentence)


def test_a_complete_source_has_no_finding(good: DeploymentInputs) -> None:
    assert judge_application(good, Application(**COMPLETE)) == []
