"""What the source of an application says of itself, on real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.application import Application, Package
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.application_facts import (
    look_at_application,
    pinned_python,
    wanted_node,
    wanted_python,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "web-ui").mkdir()
    return tmp_path


def test_a_source_without_anything(source: Path) -> None:
    found = look_at_application(str(source), DeploymentInputs({"staging_backend_dir": "api"}))
    assert (found.page.problem, found.page.has_lock, found.has_backend_dir) == (None, False, False)
    assert wanted_node(str(source), DeploymentInputs({})) == wanted_python(str(source), DeploymentInputs({})) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("{", "is not valid JSON (", id="no JSON"),
        pytest.param("[]", "contains no object", id="a list"),
        pytest.param('{"scripts": []}', "", id="scripts that are none"),
    ],
)
def test_a_package_json_that_cannot_be_used(source: Path, text: str, problem: str) -> None:
    (source / "web-ui/package.json").write_text(text)
    found = look_at_application(str(source), DeploymentInputs({}))
    assert found.page.problem is not None
    assert found.page.problem.startswith(problem)
    assert bool(found.page.problem) is bool(problem)
    assert found.page.missing_script == "build"


@pytest.mark.parametrize("lock", ["package-lock.json", "yarn.lock", "pnpm-lock.yaml"])
def test_a_complete_source(source: Path, lock: str) -> None:
    (source / "web-ui/package.json").write_text('{"scripts": {"build": "next build"}}')
    (source / "web-ui" / lock).write_text("{}")
    (source / "requirements.txt").write_text("fastapi\n")
    assert look_at_application(str(source), DeploymentInputs({})) == Application(Package("", has_lock=True))


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (None, "build"),
        (["npm", "run", "build:staging"], "build:staging"),
        (["yarn", "run", "compile"], ""),
        (["pnpm", "run-script", "compile"], ""),
        # These run no script of this package.json, or another one's.
        (["turbo", "run", "build"], ""),
        (["npx", "vite", "build"], ""),
        (["npm", "run", "build", "--workspace=web"], ""),
        (["npm", "run", "build", "-w", "web"], ""),
        (["npm", "run", "build", "--prefix=web"], ""),
        (["npm", "run", "--silent", "build"], ""),
        (["npm", "run"], ""),
        ("npm run build", ""),
    ],
)
def test_the_script_that_the_build_runs_must_be_there(source: Path, command: Any, missing: str) -> None:
    (source / "web-ui/package.json").write_text('{"scripts": {"compile": "vite build"}}')
    inputs = DeploymentInputs({"staging_frontend_build_command": command})
    assert look_at_application(str(source), inputs).page.missing_script == missing


def test_the_package_manager_that_is_declared_must_have_its_lock_file(source: Path) -> None:
    (source / "web-ui/package.json").write_text('{"packageManager": "pnpm@9.15.9"}')
    (source / "web-ui/package-lock.json").write_text("{}")
    assert look_at_application(str(source), DeploymentInputs({})).page.manager == (
        "package.json declares packageManager pnpm@9.15.9, but there is package-lock.json instead of pnpm-lock.yaml; "
        "commit the lock file of pnpm, or correct packageManager"
    )
    inputs = DeploymentInputs({"staging_frontend_install_command": ["npm", "ci"]})
    assert look_at_application(str(source), inputs).page.manager == ""


def test_a_backend_for_node_has_a_package_of_its_own(source: Path) -> None:
    (source / "api").mkdir()
    given = {"staging_backend_dir": "api", "staging_backend_install": "npm"}
    found = look_at_application(str(source), DeploymentInputs(given)).backend
    assert found is not None
    assert (found.problem, found.missing_script) == (None, "")
    (source / "api/package.json").write_text('{"scripts": {}}')
    (source / "api/package-lock.json").write_text("{}")
    assert look_at_application(str(source), DeploymentInputs(given)).backend == Package("", has_lock=True)
    built = DeploymentInputs({**given, "staging_backend_build_command": ["npm", "run", "build"]})
    assert look_at_application(str(source), built).backend == Package("", has_lock=True, missing_script="build")


@pytest.mark.parametrize(
    ("install", "files", "problem"),
    [
        ("requirements", {"requirements.txt": "fastapi\n"}, ""),
        (
            "requirements",
            {"uv.lock": ""},
            "there is no requirements file requirements.txt in {source}; it has uv.lock: set staging_backend_install: "
            "uv",
        ),
        (
            "poetry",
            {"pyproject.toml": ""},
            "there is no poetry.lock beside pyproject.toml in {source}, so the versions to install are not known; run "
            "`poetry lock` and commit the file",
        ),
        ("pipenv", {"Pipfile": "", "Pipfile.lock": "{}"}, ""),
        ("uv", {"pyproject.toml": ""}, ""),
        (
            "project",
            {"requirements.txt": ""},
            "there is neither pyproject.toml nor setup.py in {source}, so there is no project to install; it has "
            "requirements.txt: set staging_backend_install: requirements",
        ),
        ("none", {}, ""),
        ("conda", {}, ""),
    ],
)
def test_the_packages_of_a_backend_in_python(source: Path, install: str, files: dict[str, str], problem: str) -> None:
    for name, text in files.items():
        (source / name).write_text(text)
    found = look_at_application(str(source), DeploymentInputs({"staging_backend_install": install}))
    assert found.packages == problem.format(source=source)


def test_requirements_that_are_a_loop_of_links_are_told(source: Path) -> None:
    (source / "requirements.txt").symlink_to("requirements.txt")
    found = look_at_application(str(source), DeploymentInputs({}))
    assert found.packages == (
        f"{source}/requirements.txt cannot be read: Too many levels of symbolic links; repair it in the source"
    )


def test_the_lock_file_of_a_workspace_is_at_its_root(source: Path) -> None:
    (source / "web-ui/package.json").write_text('{"scripts": {"build": "next build"}}')
    (source / "package.json").write_text('{"workspaces": ["web-ui"], "engines": {"node": ">=22"}}')
    (source / "package-lock.json").write_text('{"packages": {"node_modules/next": {"engines": {"node": ">=20"}}}}')
    inputs = DeploymentInputs({"staging_frontend_dir": "web-ui/"})
    assert look_at_application(f"{source}/", inputs).page.has_lock
    assert wanted_node(str(source), inputs) == {"package.json": ">=22", "Next.js": ">=20"}
    (source / "package.json").write_text('{"workspaces": ["packages/*"]}')
    assert not look_at_application(str(source), inputs).page.has_lock


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20", {".nvmrc": "20"}),
        ("# LTS\n\nv20.11.1\n", {".nvmrc": "^20.11.1"}),
        ("v20.11", {".nvmrc": "^20.11"}),
        ("lts/Jod", {".nvmrc": "22"}),
        ("lts/*", {}),
        ("node", {}),
        ("", {}),
    ],
)
def test_a_version_file_is_a_range(source: Path, text: str, wanted: dict[str, str]) -> None:
    (source / ".nvmrc").write_text(text)
    assert wanted_node(str(source), DeploymentInputs({})) == wanted


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (".python-version", "3.12\n", "==3.12.*"),
        (".python-version", "# of the team\n3.12.4\n3.11.9\n", "==3.12.*"),
        (".python-version", "cpython-3.12.4", "==3.12.*"),
        (".python-version", "3", "==3.*"),
        (".python-version", "pypy3.10-7.3.12", ""),
        (".python-version", "app-environment", ""),
        (".tool-versions", "nodejs 22.1.0\npython 3.12.1\n", "==3.12.*"),
        (".tool-versions", "nodejs 22.1.0\n", ""),
        ("runtime.txt", "python-3.12.1", "==3.12.*"),
        ("mise.toml", '[tools]\nnode = "22"\npython = ["3.12", "3.11"]\n', "==3.12.*"),
    ],
)
def test_a_version_file_names_a_python(source: Path, name: str, text: str, wanted: str) -> None:
    (source / name).write_text(text)
    assert pinned_python(str(source), DeploymentInputs({})) == ({name: wanted} if wanted else {})
    assert pinned_python(str(source), DeploymentInputs({"staging_backend_install": "none"})) == {}


def test_the_python_of_the_backend_counts_more_than_that_of_the_application(source: Path) -> None:
    (source / ".python-version").write_text("3.11")
    (source / "backend").mkdir(exist_ok=True)
    (source / "backend/.python-version").write_text("3.13")
    inputs = DeploymentInputs({"staging_backend_dir": "backend"})
    assert pinned_python(str(source), inputs) == {".python-version": "==3.13.*"}


def test_the_version_file_of_the_frontend_counts_more_than_that_of_the_application(source: Path) -> None:
    (source / ".node-version").write_text("18")
    (source / "web-ui/.node-version").write_text("22")
    assert wanted_node(str(source), DeploymentInputs({})) == {".node-version": "22"}


def test_a_backend_for_node_has_a_range_of_its_own(source: Path) -> None:
    (source / "web-ui/.nvmrc").write_text("22")
    (source / "api").mkdir()
    (source / "api/package.json").write_text('{"engines": {"node": ">=24"}}')
    inputs = {"staging_backend_dir": "api"}
    assert wanted_node(str(source), DeploymentInputs(inputs)) == {".nvmrc": "22"}
    wanted = {".nvmrc": "22", "package.json of the backend": ">=24"}
    assert wanted_node(str(source), DeploymentInputs({**inputs, "staging_backend_install": "npm"})) == wanted


@pytest.mark.parametrize(
    ("package", "lock", "wanted"),
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({"engines": {"node": ">=20"}}, {}, {"package.json": ">=20"}, id="the application"),
        pytest.param({"engines": ["node"]}, {"packages": []}, {}, id="malformed"),
        pytest.param(
            {},
            {"packages": {"node_modules/next": {"version": "16.0.1", "engines": {"node": ">=20.9.0"}}}},
            {"Next.js 16.0.1": ">=20.9.0"},
            id="its Next.js",
        ),
    ],
)
def test_who_needs_which_node(source: Path, package: Any, lock: Any, wanted: dict[str, str]) -> None:
    (source / "web-ui/package.json").write_text(json.dumps(package))
    (source / "web-ui/package-lock.json").write_text(json.dumps(lock))
    assert wanted_node(str(source), DeploymentInputs({})) == wanted


@pytest.mark.parametrize(
    ("install", "wanted"),
    [
        (None, {"pyproject.toml": ">=3.12"}),
        ("project", {"pyproject.toml": ">=3.12"}),
        ("uv", {"pyproject.toml": ">=3.12"}),
        ("none", {}),
        ("npm", {}),
    ],
)
def test_the_python_of_a_virtual_environment_is_compared(
    source: Path, install: str | None, wanted: dict[str, str]
) -> None:
    (source / "api").mkdir()
    (source / "api/pyproject.toml").write_text('[project]\nrequires-python = ">=3.12"\n')
    inputs = DeploymentInputs({"staging_backend_dir": "api", "staging_backend_install": install})
    assert wanted_python(str(source), inputs) == wanted


@pytest.mark.parametrize(
    ("install", "name", "text", "wanted"),
    [
        ("poetry", "pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.12"\n', {"pyproject.toml": ">=3.12,<4"}),
        (
            "poetry",
            "pyproject.toml",
            '[project]\nrequires-python = ">=3.12"\n[tool.poetry.dependencies]\npython = "^3.12"\n',
            {"pyproject.toml": ">=3.12"},
        ),
        # Only Poetry reads its own table.
        ("project", "pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.12"\n', {}),
        ("pipenv", "Pipfile", '[requires]\npython_version = "3.12"\n', {"Pipfile": "==3.12.*"}),
        ("requirements", "Pipfile", '[requires]\npython_version = "3.12"\n', {}),
    ],
)
def test_poetry_and_pipenv_say_which_python_they_need(
    source: Path, install: str, name: str, text: str, wanted: dict[str, str]
) -> None:
    (source / name).write_text(text)
    assert wanted_python(str(source), DeploymentInputs({"staging_backend_install": install})) == wanted


@pytest.mark.parametrize(
    ("name", "title"), [("vite", "Vite 7.1.0"), ("@angular/cli", "Angular CLI 7.1.0"), ("nuxt", "Nuxt 7.1.0")]
)
@pytest.mark.parametrize("place", ["node_modules", "web-ui/node_modules"])
def test_the_framework_of_a_workspace_says_which_node_it_needs(source: Path, name: str, title: str, place: str) -> None:
    (source / "web-ui/package.json").write_text("{}")
    (source / "package.json").write_text('{"workspaces": ["web-ui"]}')
    entry = {"version": "7.1.0", "engines": {"node": "^20.19.0 || >=22.12.0"}}
    (source / "package-lock.json").write_text(json.dumps({"packages": {f"{place}/{name}": entry}}))
    inputs = DeploymentInputs({"staging_frontend_dir": "web-ui"})
    assert wanted_node(str(source), inputs) == {title: "^20.19.0 || >=22.12.0"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"volta": {"node": "22.11.0"}}', {"volta in package.json": "^22.11.0"}),
        ('{"volta": {"extends": "../package.json"}}', {}),
        ('{"volta": []}', {}),
    ],
)
def test_the_version_that_volta_uses(source: Path, text: str, expected: dict[str, str]) -> None:
    (source / "web-ui/package.json").write_text(text)
    assert wanted_node(str(source), DeploymentInputs({})) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python 3.12\nnodejs 22.11.0 # lts\n", "^22.11.0"),
        ("node 22", "22"),
        ("python 3.12", ""),
        ("nodejs system", ""),
    ],
)
def test_the_version_that_asdf_uses(source: Path, text: str, expected: str) -> None:
    (source / ".tool-versions").write_text(text)
    found = wanted_node(str(source), DeploymentInputs({}))
    assert found == ({".tool-versions": expected} if expected else {})


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [
        ({"name": "node", "version": ">=22"}, ">=22"),
        ([{"name": "bun"}, {"name": "node", "version": "^22.4.0"}], "^22.4.0"),
        ({"name": "deno", "version": "2"}, ""),
        ("node", ""),
    ],
)
def test_the_version_in_dev_engines(source: Path, runtime: Any, expected: str) -> None:
    (source / "web-ui/package.json").write_text(json.dumps({"devEngines": {"runtime": runtime}}))
    found = wanted_node(str(source), DeploymentInputs({}))
    assert found == ({"devEngines in package.json": expected} if expected else {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[tools]\nnode = "22"\n', "22"),
        ('[env]\nA = "1"\n\n[tools]\npython = "3.12"\nnode = ["22.11.0"]\n', "^22.11.0"),
        ('[tools]\nnode = "lts"\n', ""),
        ('[tasks]\nnode = "22"\n', ""),
    ],
)
@pytest.mark.parametrize("name", ["mise.toml", ".mise.toml"])
def test_the_version_that_mise_uses(source: Path, name: str, text: str, expected: str) -> None:
    (source / name).write_text(text)
    assert wanted_node(str(source), DeploymentInputs({})) == ({"mise.toml": expected} if expected else {})
