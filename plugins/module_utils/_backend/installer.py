# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a virtual environment and install packages into it."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import tempfile
import time
from collections.abc import Sequence

from .._host.command import run
from .._host.files import read_text, write_atomic
from .._host.progress import Say
from .._host.redaction import redacted, secrets_of
from .._host.url import without_userinfo
from .._release.copying import remove_file, remove_tree
from .._release.errors import ReleaseError
from .._release.installed import COMPLETE
from .environment import end_processes_from, mark_building, mark_complete
from .install_reason import reason_of
from .interpreter import Interpreter
from .uv_workspace import built_packages, workspace_root
from .virtualenv_inputs import NO_PROJECT, NO_ROOT, VirtualenvOptions, uv_packages
from .virtualenv_plan import VirtualenvInputs, VirtualenvPlan

#: Variables of the caller that would change what is installed, or where.
_REMOVED_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "PIP_TARGET", "PIP_USER", "PIP_PREFIX")

#: In the directory of a backend: what belongs to a page or to a tool.
_NOT_IMPORTED = r"/(\.[^/]*|node_modules)/"
#: What setuptools leaves in the source of a project that it installs.
_LEFT_BY_BUILDS = ("build", "*.egg-info", "*/*.egg-info")
_NO_EDITABLE = "--no-editable"
_NOT_FETCHED = re.compile(r"Could not fetch URL .*")


class InstallError(ReleaseError):
    """A failed installation, with the last lines that it printed."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


class Installer:
    """Installations for one backend, all within one timeout."""

    def __init__(self, options: VirtualenvOptions, say: Say) -> None:
        self._options = options
        self._say = say
        self._deadline = time.monotonic() + options.timeout_s
        self._given = {str(name): str(value) for name, value in options.install_env.items()}
        self._secrets = secrets_of(self._given)

    def build(self, plan: VirtualenvPlan, inputs: VirtualenvInputs, python: Interpreter) -> None:
        """Create an environment where it will stay.

        :raises InstallError: If the installation fails; nothing is left of it.
        """
        directory = os.path.join(self._options.venvs_dir, plan.name)
        os.makedirs(self._options.venvs_dir, mode=0o755, exist_ok=True)
        if plan.clear:
            # It was never complete, so the processes that run from it are builds of the killed installation.
            end_processes_from(directory)
            remove_tree(directory)
        os.mkdir(directory, 0o755)
        present = self._left_by_builds()
        try:
            mark_building(directory)
            installations = {"uv": self._sync, "poetry": self._poetry, "pipenv": self._pipenv}
            installations.get(self._options.install, self._pip)(directory)
            self.compile(directory, os.path.join(directory, "lib"), attempt="compiling the installed packages")
            mark_complete(directory, inputs.parts, python)
        except (InstallError, OSError):
            remove_tree(directory)
            raise
        finally:
            # They are not part of the source, and would be a change in the next run.
            for path in self._left_by_builds() - present:
                remove_tree(path)

    def _left_by_builds(self) -> set[str]:
        options = self._options
        places = [options.path, *(uv_packages(options) if options.install == "uv" else ())]
        names = [os.path.join(glob.escape(place), pattern) for place in places for pattern in _LEFT_BY_BUILDS]
        found = {path for name in names for path in glob.glob(name)}
        return {path for path in found if os.path.isdir(path) and not os.path.islink(path)}

    def compile(self, directory: str, place: str, *, attempt: str) -> None:
        """Compile what the backend imports, which its first start would otherwise do while nothing answers.

        Only pip does so itself. A file that cannot be compiled is no failure: nothing may ever import it.

        :param directory: The environment whose Python compiles.
        """
        self._say(attempt, "")
        python = os.path.join(directory, "bin", "python")
        run([python, "-m", "compileall", "-q", "-x", _NOT_IMPORTED, place], cwd="/", deadline=self._deadline)

    def _pip(self, directory: str) -> None:
        options = self._options
        python = self._create(directory, "creating the virtual environment")
        if options.install == "requirements":
            what, attempt = ["-r", options.requirements], f"installing {options.requirements} of {options.path}"
        else:
            what, attempt = ["."], f"installing the project in {options.path}"
        self._run([python, "-m", "pip", "install", *what], attempt)

    def _sync(self, directory: str) -> None:
        options = self._options
        uv = self._tool("uv", options.uv_version)
        lock = os.path.join(workspace_root(options.path), "uv.lock")
        locked = os.path.isfile(lock)
        arguments = [
            *(["--frozen"] if locked else []),
            # Packages of the source that the project depends on would be editable otherwise, too.
            _NO_EDITABLE,
            *([] if options.uv_installs_project() else [NO_PROJECT]),
            *(f"--refresh-package={name}" for name in built_packages(read_text(lock) or "")),
            *(argument for argument in options.uv_arguments if argument not in (NO_PROJECT, _NO_EDITABLE)),
        ]
        # uv would create the environment itself, but accepts an existing one.
        self._create(directory, "creating the virtual environment")
        try:
            self._run(
                [uv, "sync", *arguments],
                f"uv sync in {options.path}",
                UV_PROJECT_ENVIRONMENT=directory,
                UV_PYTHON_DOWNLOADS="never",
                UV_NO_PROGRESS="1",
                UV_PYTHON=options.python,
            )
        finally:
            if not locked:
                # A lock file created here is not part of the source, and would be a change in the next run.
                remove_file(lock)

    def _poetry(self, directory: str) -> None:
        options = self._options
        poetry = self._tool("poetry", options.poetry_version)
        python = self._create(directory, "creating the virtual environment")
        arguments = [argument for argument in options.poetry_arguments if argument != NO_ROOT]
        # Poetry would install the project editable, which binds the environment to one release.
        self._run(
            [poetry, "install", "--no-interaction", NO_ROOT, *arguments],
            f"poetry install in {options.path}",
            **_activated(directory),
            POETRY_VIRTUALENVS_PROMPT="",
        )
        if options.poetry_installs_project():
            self._run([python, "-m", "pip", "install", "--no-deps", "."], f"installing the project in {options.path}")

    def _pipenv(self, directory: str) -> None:
        options = self._options
        pipenv = self._tool("pipenv", options.pipenv_version)
        self._create(directory, "creating the virtual environment")
        self._run(
            # Fails if the lock file is not that of Pipfile, and otherwise installs what it names.
            [pipenv, "install", "--deploy", *options.pipenv_arguments],
            f"pipenv install in {options.path}",
            **_activated(directory),
            PIPENV_PIPFILE=os.path.join(options.path, "Pipfile"),
            PIPENV_DONT_LOAD_ENV="1",
            PIPENV_NOSPIN="1",
            PIPENV_VERBOSITY="-1",
        )

    def _tool(self, name: str, version: str) -> str:
        """Return the path of uv, Poetry or Pipenv, and install it if it is missing."""
        home = os.path.join(self._options.venvs_dir, f".{name}-{version}")
        program, complete = os.path.join(home, "bin", name), os.path.join(home, COMPLETE)
        if os.path.isfile(complete) and os.access(program, os.X_OK):
            return program
        if os.path.lexists(home):
            remove_tree(home)
        os.makedirs(home, mode=0o755)
        python = self._create(home, f"creating the virtual environment of {name}")
        self._run(
            [python, "-m", "pip", "install", f"{name}=={version}"],
            f"installing {name} {version} from the package index",
        )
        write_atomic(complete, "{}\n", mode=0o644)
        return program

    def _create(self, directory: str, attempt: str) -> str:
        self._run([self._options.python, "-m", "venv", directory], attempt)
        return os.path.join(directory, "bin", "python")

    def _run(self, command: Sequence[str], attempt: str, **variables: str) -> None:
        """Run one step of an installation within the time that is left."""
        environment = {name: value for name, value in os.environ.items() if name not in _REMOVED_VARIABLES}
        environment.update(
            LC_ALL="C.UTF-8", NO_COLOR="1", COLUMNS="500", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1"
        )
        environment.update({**variables, **self._given})
        self._say(attempt, "")

        def shown(output: str) -> str:
            return redacted(without_userinfo(output), self._secrets)

        def watch(output: str) -> None:
            self._say(attempt, shown(output))

        with tempfile.TemporaryDirectory() as directory:
            log = environment.setdefault("PIP_LOG", os.path.join(directory, "pip.log"))
            ended = run(command, cwd=self._options.path, env=environment, deadline=self._deadline, watch=watch)
            output = shown(ended.output)
            refused = "" if ended.succeeded else shown(_not_fetched(log))
        if ended.timed_out:
            raise InstallError(
                f"{attempt} did not end within {self._options.timeout_s:g} s; the package index may not answer, or the "
                "timeout is too short (staging_backend_install_timeout)",
                output[-4000:],
            )
        if not ended.succeeded:
            raise InstallError(
                f"{attempt} failed: {reason_of(refused + output, ended.code)}", "\n".join(output.splitlines()[-25:])
            )


def _activated(directory: str) -> dict[str, str]:
    """Return the variables of an activated environment, into which Poetry and Pipenv install."""
    programs = os.path.join(directory, "bin")
    return {"VIRTUAL_ENV": directory, "PATH": os.pathsep.join((programs, os.environ.get("PATH", os.defpath)))}


def _not_fetched(log: str) -> str:
    """Return why pip could not read an index, which it tells in its log alone."""
    with contextlib.suppress(OSError), open(log, encoding="utf-8", errors="replace") as file:
        return "".join(f"{found[0]}\n" for line in file if (found := _NOT_FETCHED.search(line)))
    return ""
