"""Workspaces of uv, and the packages of the source in a lock file."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.uv_workspace import (
    built_packages,
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


LOCK = """
[[package]]
name = "root"
source = { virtual = "." }

[[package]]
name = "api"
version = "1.0"
source = { editable = "api" }

[[package]]
name = "common"
version = "0"
source = { editable = "libs/common" }

[[package]]
name = "shared"
source = { directory = "../shared" }

[[package]]
name = "idna"
version = "3.10"
source = { registry = "https://pypi.org/simple" }
"""


def test_the_packages_of_the_source_in_a_lock_file() -> None:
    assert local_packages(LOCK, "/srv/app", "/srv/app/api") == ["/srv/app/libs/common", "/srv/shared"]
    assert local_packages("", "/srv/app", "/srv/app") == []
    assert built_packages(LOCK) == ["api", "common", "shared"]
