"""Workspaces of uv, and the packages of the source in a lock file."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.uv_workspace import (
    local_packages,
    workspace_root,
)


@pytest.mark.parametrize(
    ("project", "member", "found"),
    [
        pytest.param("", "backend", False, id="no workspace"),
        pytest.param('[project]\nname = "x"\n', "backend", False, id="a project above"),
        pytest.param('[tool.uv.workspace]\nmembers = ["backend"]\n', "backend", True, id="by name"),
        pytest.param('[tool.uv.workspace] # all\nmembers = [\n  "./apps/*",\n]\n', "apps/api", True, id="by pattern"),
        pytest.param('[tool.uv.workspace]\nmembers = ["apps/*"]\n', "apps/api/deep", False, id="below a member"),
        pytest.param(
            '[tool.uv.workspace]\nmembers = ["apps/*"]\nexclude = ["apps/api"]\n', "apps/api", False, id="excluded"
        ),
        pytest.param('[tool.uv]\nworkspace = { members = ["backend"] }\n', "backend", True, id="inline"),
        pytest.param('[tool.uv.workspace]\n# members = ["backend"]\n', "backend", False, id="comment"),
        pytest.param('[tool.uv.workspace]\n[tool.x]\nmembers = ["backend"]\n', "backend", False, id="another table"),
    ],
)
def test_the_root_of_a_workspace(tmp_path: Path, project: str, member: str, found: bool) -> None:
    (tmp_path / member).mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(project)
    assert workspace_root(str(tmp_path / member)) == str(tmp_path if found else tmp_path / member)


def test_the_packages_of_the_source_in_a_lock_file() -> None:
    lock = (
        'source = { virtual = "." }\n'
        'source = { editable = "api" }\n'
        'source = { editable = "libs/common" }\n'
        'source = { directory = "../shared" }\n'
        'source = { registry = "https://pypi.org/simple" }\n'
    )
    assert local_packages(lock, "/srv/app", "/srv/app/api") == ["/srv/app/libs/common", "/srv/shared"]
    assert local_packages("", "/srv/app", "/srv/app") == []
