"""Virtual environments that are really created, from a local directory of packages."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pip
import pytest
from ansible_collections.codeframe.staging.plugins.modules import backend_virtualenv

CODE = "VALUE = 1\n\n\ndef main():\n    print(VALUE)\n"


def wheel(directory: Path, name: str, version: str = "1.0", code: str = CODE) -> None:
    """Write a package with one module and one script."""
    directory.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(directory / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", code)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        archive.writestr(f"{info}/RECORD", f"{name}/__init__.py,,{len(code)}\n{info}/RECORD,,\n")


def quick_python(tmp_path: Path) -> Path:
    """An interpreter whose environments use this one's pip, because unpacking pip takes most of the time."""
    script = tmp_path / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    script.write_text(
        "#!/bin/sh\n"
        f'[ "$2" = venv ] || exec {sys.executable} "$@"\n'
        f'{sys.executable} -m venv --without-pip "$3"\n'
        f'echo {Path(pip.__file__).parent.parent} > "$3/lib/{version}/site-packages/pip.pth"\n'
    )
    script.chmod(0o755)
    return script


class Backend:
    def __init__(self, tmp_path: Path, run_module: Any) -> None:
        self.run_module = run_module
        self.releases = tmp_path / "app.releases"
        self.venvs = self.releases / "venvs"
        self.wheels = tmp_path / "wheels"
        wheel(self.wheels, "demo_one")
        self.venvs.mkdir(parents=True)
        self.python = quick_python(tmp_path)
        self.release = self.make_release("0001")

    def make_release(self, name: str) -> Path:
        release = self.releases / name
        (release / "backend").mkdir(parents=True)
        self.require(release, "demo_one")
        return release

    def require(self, release: Path, packages: str) -> None:
        text = f"--no-index\n--find-links {self.wheels}\n{packages}\n"
        (release / "backend/requirements.txt").write_text(text)

    def call(self, release: Path | None = None, check: bool = False, **args: Any) -> dict[str, Any]:
        path = str((release or self.release) / "backend")
        arguments = {"path": path, "venvs_dir": str(self.venvs), "python": str(self.python), **args}
        result: dict[str, Any] = self.run_module(backend_virtualenv, arguments, check=check)
        return result


@pytest.fixture
def backend(tmp_path: Path, run_module: Any, monkeypatch: Any) -> Backend:
    for name in ("PIP_CONSTRAINT", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return Backend(tmp_path, run_module)


def test_an_environment_is_created_shared_and_replaced_beside_a_damaged_one(backend, tmp_path):
    predicted = backend.call(check=True)
    assert (predicted["changed"], predicted["reasons"]) == (
        True,
        [f"there is no environment {predicted['digest']} yet"],
    )
    assert list(backend.venvs.iterdir()) == []

    first = backend.call()
    assert not first["failed"], first
    assert (first["changed"], first["built"], first["digest"]) == (True, True, predicted["digest"])
    link = backend.release / "backend/.venv"
    assert os.readlink(link) == f"../../venvs/{first['digest']}"
    assert "demo_one-1.0" in first["distributions"]
    script = link / "bin/demo_one"
    assert script.read_text().startswith(f"#!{backend.venvs}/{first['digest']}/bin/python")
    assert subprocess.run([script], capture_output=True, check=True).stdout == b"1\n"

    for check in (True, False):
        again = backend.call(check=check)
        assert (again["changed"], again["reasons"], again["path"]) == (False, [], first["path"])

    second = backend.make_release("0002")
    shared = backend.call(second)
    assert (shared["changed"], shared["built"], shared["path"]) == (True, False, first["path"])

    # Damage makes another one.
    (Path(first["path"]) / "bin/python").unlink()
    broken = backend.call(check=True)
    assert broken["reasons"] == [f"environment {first['digest']}: its interpreter is missing or does not run"]
    fresh = backend.call()
    assert fresh["path"] == f"{first['path']}-2"
    assert os.readlink(link) == f"../../venvs/{first['digest']}-2"
    assert (Path(first["path"]) / "bin/demo_one").exists()
    assert not backend.call()["changed"]
    # The other release still links to the damaged one, and gets the usable one without an installation.
    moved = backend.call(second)
    assert (moved["changed"], moved["built"], moved["path"]) == (True, False, fresh["path"])

    # The damaged one is deleted as soon as no release links to it. The later one stays in use, for new releases too.
    aside = Path(first["path"]).rename(tmp_path / "deleted")
    assert backend.call()["changed"] is False
    third = backend.call(backend.make_release("0003"))
    assert (third["changed"], third["built"], third["path"]) == (True, False, fresh["path"])
    aside.rename(first["path"])

    for damage, reason in (
        (
            lambda site: (site / "demo_one/__init__.py").unlink(),
            "installed files are missing or were changed: demo_one/__init__.py",
        ),
        (
            lambda site: (site / "demo_one/__init__.py").write_text("VALUE = 22\n"),
            "installed files are missing or were changed: demo_one/__init__.py",
        ),
        (lambda site: (site / "demo_one-1.0.dist-info").rename(site / "gone"), "packages are missing: demo_one-1.0"),
    ):
        site = next((Path(fresh["path"]) / "lib").glob("python3*/site-packages"))
        damage(site)
        assert backend.call(check=True)["reasons"] == [
            f"environment {first['digest']}: its interpreter is missing or does not run",
            f"environment {first['digest']}-2: {reason}",
        ]


def test_an_interrupted_installation_is_repeated_in_its_place(backend):
    digest = backend.call(check=True)["digest"]
    half = backend.venvs / digest
    (half / "lib").mkdir(parents=True)
    (half / ".building").write_text("")
    result = backend.call()
    assert result["reasons"] == [f"environment {digest}: its installation was interrupted"]
    assert result["path"] == str(half)
    assert not (half / ".building").exists()
    assert not backend.call()["changed"]


def test_a_killed_installation_ends_and_is_repeated(backend, tmp_path):
    backend.require(backend.release, f"demo_one\n{slow_package(tmp_path)}")
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            backend.call()
        os._exit(0)
    deadline = time.monotonic() + 60
    while not (tmp_path / "building").exists():
        assert time.monotonic() < deadline, "the installation never began"
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    (half,) = backend.venvs.iterdir()
    assert (half / ".building").exists()
    (tmp_path / "quick").touch()
    result = backend.call()
    assert not result["failed"], result
    assert result["path"] == str(half)
    assert {"demo_one-1.0", "demo_two-1.0"} <= set(result["distributions"])
    assert not any(str(half) in " ".join(command) for command in running())
    assert not backend.call()["changed"]


def slow_package(tmp_path: Path) -> Path:
    """A package whose build creates a file when it begins, and ends only if the file `quick` exists."""
    package = tmp_path / "slow"
    wheel(package, "demo_two")
    (package / "slow.py").write_text(
        "import os, shutil, time\n"
        f"open({str(tmp_path / 'building')!r}, 'w').close()\n"
        f"time.sleep(0 if os.path.exists({str(tmp_path / 'quick')!r}) else 600)\n"
        "def build_wheel(target, config_settings=None, metadata_directory=None):\n"
        "    name = 'demo_two-1.0-py3-none-any.whl'\n"
        "    shutil.copy(name, target)\n"
        "    return name\n"
    )
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "slow"\nbackend-path = ["."]\n'
    )
    return package


def running() -> list[list[str]]:
    """The command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text().split("\0"))
    return found


#: In the place of Poetry and Pipenv: installs what the lock file names into the activated environment.
TOOL = """
import os, subprocess, sys

LOCKS = {"poetry": "poetry.lock", "pipenv": "Pipfile.lock"}


def main():
    name = os.path.basename(sys.argv[0])
    with open("calls", "a") as calls:
        calls.write(" ".join([name, *sys.argv[1:]]) + "\\n")
    packages = ["demo_one"] if name == "uv" else open(LOCKS[name]).read().split()
    if "outdated" in packages:
        sys.exit("pyproject.toml changed significantly since poetry.lock was last generated. " + os.environ["TOKEN"])
    environment = os.environ.get("UV_PROJECT_ENVIRONMENT") or os.environ["VIRTUAL_ENV"]
    pip = [os.path.join(environment, "bin/python"), "-m", "pip", "install"]
    sys.exit(subprocess.call([*pip, *packages]))
"""


@pytest.fixture
def tools(backend):
    """Options that install the tools from the local directory."""
    for name, version in (("poetry", "2.2.1"), ("pipenv", "2025.0.4"), ("uv", "0.13.9")):
        wheel(backend.wheels, name, version, TOOL)
    return {"install_env": {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(backend.wheels), "TOKEN": "hush-hush"}}


@pytest.mark.parametrize(
    ("tool", "project", "lock", "call"),
    [
        ("poetry", "pyproject.toml", "poetry.lock", "poetry install --no-interaction --no-root"),
        ("pipenv", "Pipfile", "Pipfile.lock", "pipenv install --deploy"),
    ],
)
def test_poetry_and_pipenv_install_what_their_lock_files_name(backend, tools, tool, project, lock, call):
    directory = backend.release / "backend"
    (directory / project).write_text("[tool.ruff]\n")
    (directory / lock).write_text("demo_one\n")
    first = backend.call(install=tool, **tools)
    assert not first["failed"], first
    assert (directory / "calls").read_text().splitlines() == [call]
    assert "demo_one-1.0" in first["distributions"]
    assert {path.name.partition("-")[0] for path in backend.venvs.iterdir()} == {f".{tool}", first["digest"]}
    assert not backend.call(install=tool, **tools)["changed"]
    # The variables of an installation may change, as a token does, and decide nothing.
    assert not backend.call(install=tool)["changed"]
    wheel(backend.wheels, "demo_two")
    (directory / lock).write_text("demo_one demo_two\n")
    second = backend.call(install=tool, **tools)
    assert second["reasons"] == [f"lock file {lock} changed"]
    assert "demo_two-1.0" in second["distributions"]


UV_LOCK = """
[[package]]
name = "api"
source = { virtual = "backend" }

[[package]]
name = "common"
source = { editable = "libs/common" }
"""


@pytest.mark.parametrize(
    ("project", "arguments"),
    [
        ("[project]\n", "--frozen --no-editable --no-install-project --refresh-package=common --no-dev"),
        ("[project]\n[build-system]\n", "--frozen --no-editable --refresh-package=common --no-dev"),
    ],
)
def test_a_member_of_a_workspace_of_uv_is_installed_by_its_lock_file_and_not_bound_to_a_release(
    backend, tools, project, arguments
):
    files = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["backend", "libs/*"]\n',
        "uv.lock": UV_LOCK,
        "backend/pyproject.toml": project,
        "libs/common/common.py": "",
    }
    for name, content in files.items():
        (backend.release / name).parent.mkdir(parents=True, exist_ok=True)
        (backend.release / name).write_text(content)
    options = {"install": "uv", "uv_version": "0.13.9", "uv_arguments": ["--no-dev", "--no-editable"], **tools}
    first = backend.call(**options)
    assert not first["failed"], first
    assert (backend.release / "backend/calls").read_text().splitlines() == [f"uv sync {arguments}"]
    (backend.release / "backend/calls").unlink()
    assert not backend.call(**options)["changed"]
    for name, reason in {
        "uv.lock": "lock file uv.lock changed",
        "pyproject.toml": "pyproject.toml of the workspace changed",
        "libs/common/common.py": "source changed",
    }.items():
        before = (backend.release / name).read_text()
        (backend.release / name).write_text(before + "\n#\n")
        assert reason in backend.call(check=True, **options)["reasons"]
        (backend.release / name).write_text(before)
    assert not backend.call(check=True, **options)["changed"]


def test_the_reason_of_poetry_is_quoted_without_the_token(backend, tools):
    directory = backend.release / "backend"
    (directory / "pyproject.toml").write_text("[project]\n")
    (directory / "poetry.lock").write_text("outdated\n")
    result = backend.call(install="poetry", **tools)
    assert result["failed"]
    assert result["msg"] == (
        f"poetry install in {directory} failed: pyproject.toml changed significantly since poetry.lock was last "
        "generated; "
        "lock the packages again (poetry lock, pipenv lock, uv lock), and commit the lock file"
    )
    assert "hush-hush" not in str(result)


def test_a_failed_installation_leaves_nothing_and_names_the_cause(backend):
    backend.require(backend.release, "no_such_package")
    result = backend.call()
    assert result["failed"]
    assert result["msg"] == (
        f"installing requirements.txt of {backend.release}/backend failed: No matching distribution found for "
        "no_such_package"
    )
    assert "no_such_package" in result["output"]
    assert list(backend.venvs.iterdir()) == []
    assert not (backend.release / "backend/.venv").exists()


def test_a_real_directory_is_replaced_by_a_link(backend):
    (backend.release / "backend/.venv/bin").mkdir(parents=True)
    backend.require(backend.release, "")
    assert backend.call()["changed"]
    assert (backend.release / "backend/.venv").is_symlink()
    assert sorted(path.name for path in (backend.release / "backend").iterdir()) == [".venv", "requirements.txt"]
    backend.require(backend.release, "demo_one")
    assert backend.call(check=True)["reasons"] == ["requirements file requirements.txt changed"]


def test_check_mode_on_a_bare_host_predicts_a_change(backend, tmp_path):
    for args in ({"python": "/nowhere/python3"}, {"path": str(tmp_path / "nowhere")}):
        result = backend.call(check=True, **args)
        assert (result["changed"], result["failed"], result["digest"]) == (True, False, None)


def test_the_digest_is_that_of_the_source_as_it_was_delivered(backend):
    (backend.release / "backend/pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n")
    baseline = backend.releases / "baselines/0001"
    baseline.mkdir(parents=True)
    delivered = {"backend/pyproject.toml": "f:1", "web-ui/page.js": "f:2"}
    (baseline / "delivered.json").write_text(json.dumps(delivered))
    before = backend.call(check=True, install="project")["digest"]
    (backend.release / "backend/made-at-run-time").write_text("")
    (baseline / "delivered.json").write_text(json.dumps({**delivered, "web-ui/page.js": "f:3"}))
    assert backend.call(check=True, install="project")["digest"] == before
    (baseline / "delivered.json").write_text(json.dumps({**delivered, "backend/new.py": "f:4"}))
    assert backend.call(check=True, install="project")["digest"] != before
    given = backend.call(check=True, install="project", source_digest="ab")["digest"]
    assert given not in (before, None)


@pytest.mark.parametrize(
    ("prepare", "args", "message"),
    [
        pytest.param(
            None,
            {"python": "/nowhere/python3"},
            "the interpreter /nowhere/python3 does not exist or does not run, and the virtual environment is to be "
            "created with it; install it or choose another one",
            id="no-python",
        ),
        pytest.param(
            None,
            {"requirements": "other.txt"},
            "there is no requirements file other.txt in {path}; it has requirements.txt: write the right one into "
            "staging_backend_requirements",
            id="no-requirements",
        ),
        pytest.param(
            {"requirements.txt": "-r base.txt\n"},
            {},
            "there is no requirements file base.txt in {path}, which requirements.txt includes; add the file, or "
            "correct requirements.txt",
            id="no-included-requirements",
        ),
        pytest.param(
            {"requirements.txt": "# comment\n-e .\n"},
            {},
            "requirements.txt line 2 installs . editable, which would bind the environment that releases share to one "
            "of them; set staging_backend_install: project, or name only the packages",
            id="editable",
        ),
        pytest.param(
            None,
            {"install": "project"},
            "there is neither pyproject.toml nor setup.py in {path}, so there is no project to install; it has "
            "requirements.txt: set staging_backend_install: requirements",
            id="no-project",
        ),
        pytest.param(
            None,
            {"install": "poetry"},
            "there is no pyproject.toml in {path}, which poetry needs; it has requirements.txt: set "
            "staging_backend_install: requirements",
            id="no-project-of-poetry",
        ),
        pytest.param(
            {"pyproject.toml": "[project]\n"},
            {"install": "poetry"},
            "there is no poetry.lock beside pyproject.toml in {path}, so the versions to install are not known; run "
            "`poetry lock` and commit the file",
            id="no-lock-of-poetry",
        ),
        pytest.param(
            {"Pipfile": "[packages]\n"},
            {"install": "pipenv"},
            "there is no Pipfile.lock beside Pipfile in {path}, so the versions to install are not known; run `pipenv "
            "lock` and commit the file",
            id="no-lock-of-pipenv",
        ),
        pytest.param(
            {"Pipfile": '[packages]\nidna = "*"\napp = {path = ".", editable = true}\n', "Pipfile.lock": "{}"},
            {"install": "pipenv"},
            "Pipfile line 3 installs app editable, which would bind the environment that releases share to one of "
            "them; "
            "remove editable or develop from it, and lock the packages again",
            id="editable-of-pipenv",
        ),
        pytest.param(
            {
                "pyproject.toml": '[tool.poetry.dependencies.shared]\npath = "../shared"\ndevelop = true\n',
                "poetry.lock": "",
            },
            {"install": "poetry"},
            "pyproject.toml line 3 installs shared editable, which would bind the environment that releases share "
            "to one "
            "of them; remove editable or develop from it, and lock the packages again",
            id="develop-of-poetry",
        ),
        pytest.param(
            None,
            {"install": "uv"},
            "there is no pyproject.toml in {path}, which uv needs; it has requirements.txt: set "
            "staging_backend_install: requirements",
            id="no-pyproject",
        ),
        pytest.param(
            None,
            {"requirements": "../base.txt"},
            "requirements holds '../base.txt'; expected a path inside the project, relative to it",
            id="requirements-outside",
        ),
        pytest.param(
            None, {"venvs_dir": "venvs"}, "venvs_dir is 'venvs'; expected an absolute path", id="relative-directory"
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(backend, prepare, args, message):
    for name, content in (prepare or {}).items():
        (backend.release / "backend" / name).write_text(content)
    result = backend.call(**args)
    assert result["failed"]
    assert result["msg"] == message.format(path=backend.release / "backend")
    assert list(backend.venvs.iterdir()) == []
