"""Which value of staging_backend_install fits a directory."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.install_hint import install_hint, lock_hint

NOTHING = "correct staging_backend_dir, or set staging_backend_install to what installs the backend"


@pytest.mark.parametrize(
    ("files", "install", "hint"),
    [
        pytest.param([], "requirements", NOTHING, id="nothing"),
        pytest.param(["pyproject.toml", "uv.lock"], "requirements", "it has uv.lock: set staging_backend_install: uv",
                     id="uv"),
        pytest.param(["pyproject.toml", "poetry.lock"], "uv", "it has poetry.lock: set staging_backend_install: poetry",
                     id="poetry"),
        pytest.param(["Pipfile", "Pipfile.lock", "requirements.txt"], "project",
                     "it has Pipfile.lock: set staging_backend_install: pipenv", id="pipenv-before-requirements"),
        pytest.param(["requirements.txt"], "uv", "it has requirements.txt: set staging_backend_install: requirements",
                     id="requirements"),
        pytest.param(["requirements-dev.txt", "requirements-prod.txt"], "poetry",
                     "it has requirements-dev.txt, requirements-prod.txt: set staging_backend_install: requirements, "
                     "and "
                     "name the file in staging_backend_requirements", id="requirements-of-other-names"),
        pytest.param(["requirements-prod.txt", "pyproject.toml"], "requirements",
                     "it has requirements-prod.txt: write the right one into staging_backend_requirements",
                     id="another-requirements-file"),
        pytest.param(["pyproject.toml", "pdm.lock"], "requirements",
                     "it has pdm.lock: commit requirements.txt (pdm export -o requirements.txt), and set "
                     "staging_backend_install: requirements", id="pdm"),
        pytest.param(["environment.yaml"], "requirements",
                     "it has environment.yaml: commit requirements.txt (pip list --format=freeze > requirements.txt), "
                     "and set staging_backend_install: requirements", id="conda"),
        pytest.param(["pyproject.toml"], "requirements", "it has pyproject.toml: set staging_backend_install: project",
                     id="project"),
        pytest.param(["package.json"], "requirements", "it has package.json: set staging_backend_install: npm",
                     id="node"),
    ],
)  # fmt: skip
def test_the_hint_names_what_the_directory_has(files: list[str], install: str, hint: str, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).write_text("")
    assert install_hint(str(tmp_path), install) == hint


def test_a_directory_that_is_missing_has_nothing(tmp_path: Path) -> None:
    assert install_hint(str(tmp_path / "none"), "uv") == NOTHING


def test_only_the_lock_file_of_another_tool_is_a_hint_for_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text("")
    assert lock_hint(str(tmp_path), "poetry") == ""
    assert lock_hint(str(tmp_path), "pipenv") == "it has poetry.lock: set staging_backend_install: poetry"


def test_a_member_of_a_workspace_of_uv_is_told_from_a_project(tmp_path: Path) -> None:
    member = tmp_path / "backend"
    member.mkdir()
    (member / "pyproject.toml").write_text("")
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["backend"]\n')
    hint = "it is a member of a workspace of uv: set staging_backend_install: uv"
    assert install_hint(str(member), "requirements") == hint
    assert install_hint(str(member), "uv") != hint
