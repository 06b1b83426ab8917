"""Virtual environments from the real package index, with the system's own Python."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import backend_virtualenv

PYPROJECT = """[project]
name = "demo-app"
version = "0.1"
requires-python = ">=3.9"
dependencies = ["idna>=3"]
[project.scripts]
demo-app = "demo_app:main"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""


@pytest.fixture
def backend(tmp_path, run_module):
    path = tmp_path / "app.releases/0001-a/backend"
    (path / "src/demo_app").mkdir(parents=True)
    (path / "pyproject.toml").write_text(PYPROJECT)
    (path / "src/demo_app/__init__.py").write_text("import idna\n\n\ndef main():\n    print('served')\n")

    def call(check: bool = False, **args: Any) -> dict[str, Any]:
        arguments = {"path": str(path), "venvs_dir": str(tmp_path / "app.releases/venvs"), **args}
        result = run_module(backend_virtualenv, {"python": "/usr/bin/python3", **arguments}, check=check)
        assert not result["failed"], result
        return result

    call.path = path
    return call


def assert_idempotent(backend: Any, **args: Any) -> None:
    names = sorted(path.name for path in backend.path.iterdir())
    for check in (True, False):
        assert backend(check=check, **args)["reasons"] == []
    assert sorted(path.name for path in backend.path.iterdir()) == names


def test_requirements_are_installed_from_the_index(backend):
    (backend.path / "requirements.txt").write_text("idna>=3\n")
    result = backend()
    assert any(name.startswith("idna-") for name in result["distributions"])
    subprocess.run([backend.path / ".venv/bin/python", "-c", "import idna"], check=True)
    assert_idempotent(backend)
    (Path(result["path"]) / "bin/python3").unlink()
    assert backend()["path"] == f"{result['path']}-2"


def test_a_project_is_installed_as_a_copy(backend):
    backend(install="project")
    assert sorted(path.name for path in backend.path.iterdir()) == [".venv", "pyproject.toml", "src"]
    (backend.path / "src/demo_app/__init__.py").rename(backend.path / "moved-away")
    assert subprocess.check_output([backend.path / ".venv/bin/demo-app"]) == b"served\n"
    (backend.path / "moved-away").rename(backend.path / "src/demo_app/__init__.py")
    assert_idempotent(backend, install="project")


@pytest.mark.parametrize("install", ["project", pytest.param("uv", marks=pytest.mark.slow)])
def test_what_setuptools_leaves_in_the_source_is_removed_and_what_was_there_stays(backend, install):
    project = PYPROJECT.replace("hatchling.build", "setuptools.build_meta").replace("hatchling", "setuptools")
    (backend.path / "pyproject.toml").write_text(project)
    backend(install=install)
    assert sorted(path.name for path in backend.path.iterdir()) == [".venv", "pyproject.toml", "src"]
    assert not list(backend.path.glob("src/*.egg-info"))
    assert subprocess.check_output([backend.path / ".venv/bin/demo-app"]) == b"served\n"
    assert_idempotent(backend, install=install)
    (backend.path / "build").mkdir()
    (backend.path / "build/script").write_text("of the user\n")
    (backend.path / "pyproject.toml").write_text(project.replace('"0.1"', '"0.2"'))
    assert backend(install=install)["built"]
    assert (backend.path / "build/script").read_text() == "of the user\n"


def test_uv_installs_what_its_lock_names(backend):
    without_lock = backend(install="uv")
    assert sorted(path.name for path in backend.path.iterdir()) == [".venv", "pyproject.toml", "src"]
    assert subprocess.check_output([backend.path / ".venv/bin/demo-app"]) == b"served\n"
    assert_idempotent(backend, install="uv")
    uv = next((backend.path.parent.parent / "venvs").glob(".uv-*")) / "bin/uv"
    subprocess.run(
        [uv, "lock", "--quiet"], cwd=backend.path, env={**os.environ, "UV_PYTHON": "/usr/bin/python3"}, check=True
    )
    locked = backend(install="uv")
    assert locked["reasons"] == ["lock file uv.lock changed", "source changed"]
    assert locked["path"] != without_lock["path"]
    assert_idempotent(backend, install="uv")
    # The first start compiles nothing: that would be downtime.
    places = (Path(locked["path"]), backend.path / "src")
    before = {path for place in places for path in place.rglob("*.pyc")}
    program = "import sys; sys.path.insert(0, 'src'); import demo_app, idna, idna.core, json.tool"
    subprocess.run([backend.path / ".venv/bin/python", "-c", program], cwd=backend.path, check=True)
    assert {path for place in places for path in place.rglob("*.pyc")} == before
    assert any(path.parent.parent.name == "demo_app" for path in before)
    only_dependencies = backend(install="uv", uv_arguments=["--no-install-project"])
    assert not any(name.startswith("demo_app-") for name in only_dependencies["distributions"])
    (backend.path / "src/demo_app/__init__.py").write_text("changed\n")
    assert not backend(install="uv", uv_arguments=["--no-install-project"])["changed"]


@pytest.mark.slow
def test_a_member_of_a_workspace_of_uv_has_copies_of_the_other_members(backend):
    root = backend.path.parent
    library = root / "libs/common/src/common/__init__.py"
    library.parent.mkdir(parents=True)
    library.write_text("VALUE = 1\n")
    project = PYPROJECT.replace("demo-app", "common").replace("demo_app:main", "common:main")
    (root / "libs/common/pyproject.toml").write_text(project)
    (root / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["backend", "libs/*"]\n')
    (backend.path / "pyproject.toml").write_text(
        '[project]\nname = "backend"\nversion = "0.1"\nrequires-python = ">=3.9"\ndependencies = ["common"]\n'
        "[tool.uv.sources]\ncommon = { workspace = true }\n"
    )
    backend(install="uv")
    uv = next((root.parent / "venvs").glob(".uv-*")) / "bin/uv"
    subprocess.run([uv, "lock", "--quiet"], cwd=root, env={**os.environ, "UV_PYTHON": "/usr/bin/python3"}, check=True)
    locked = backend(install="uv")
    # Beside the digest of the lock file, that of the source, which it names.
    assert locked["reasons"] == ["lock file uv.lock changed", "source changed"]
    program = "import common, os; print(os.path.realpath(common.__file__), common.VALUE)"

    def imported() -> tuple[str, str]:
        said = subprocess.check_output([backend.path / ".venv/bin/python", "-c", program], cwd="/", text=True)
        place, value = said.split()
        return place, value

    assert imported()[0].startswith(str(root.parent / "venvs"))
    assert_idempotent(backend, install="uv")
    library.write_text("VALUE = 2\n")
    assert backend(install="uv")["reasons"] == ["source changed"]
    assert imported()[1] == "2"
    assert_idempotent(backend, install="uv")
