# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a virtual environment and install packages into it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence

from .._host.command import run
from .._host.files import write_atomic
from .._host.progress import Say
from .._host.url import without_userinfo
from .._release.copying import remove_file, remove_tree
from .._release.errors import ReleaseError
from .environment import COMPLETE, end_processes_from, mark_building, mark_complete
from .interpreter import Interpreter
from .virtualenv_inputs import NO_PROJECT, VirtualenvOptions
from .virtualenv_plan import VirtualenvInputs, VirtualenvPlan

#: Variables of the caller that would change what is installed, or where.
_REMOVED_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "PIP_TARGET", "PIP_USER", "PIP_PREFIX")


class InstallError(ReleaseError):
    """A failed installation, with the last lines that it printed."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


def cause_in(output: str) -> str:
    """Return the line of an installer's output that names the cause."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for pattern in (r"ERROR: (?!Failed to build|Could not build)", r"error:|\u00d7", r".*Error\b"):
        matching = [line for line in lines if re.match(pattern, line)]
        if matching:
            return re.sub(r"^(ERROR:|error:|\u00d7)\s*", "", matching[-1])
    return lines[-1] if lines else "nothing was printed"


class Installer:
    """Installations for one backend, all within one timeout."""

    def __init__(self, options: VirtualenvOptions, say: Say) -> None:
        self._options = options
        self._say = say
        self._deadline = time.monotonic() + options.timeout_s

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
        try:
            mark_building(directory)
            if self._options.install == "uv":
                self._sync(directory)
            else:
                self._pip(directory)
            mark_complete(directory, inputs.parts, python)
        except (InstallError, OSError):
            remove_tree(directory)
            raise

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
        uv = self._uv()
        locked = os.path.isfile(os.path.join(options.path, "uv.lock"))
        arguments = [
            *(["--frozen"] if locked else []),
            "--no-editable" if options.uv_installs_project() else NO_PROJECT,
            *(argument for argument in options.uv_arguments if argument != NO_PROJECT),
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
                remove_file(os.path.join(options.path, "uv.lock"))

    def _uv(self) -> str:
        """Return the path of uv, and install it if it is missing."""
        version = self._options.uv_version
        home = os.path.join(self._options.venvs_dir, f".uv-{version}")
        uv, complete = os.path.join(home, "bin", "uv"), os.path.join(home, COMPLETE)
        if os.path.isfile(complete) and os.access(uv, os.X_OK):
            return uv
        if os.path.lexists(home):
            remove_tree(home)
        os.makedirs(home, mode=0o755)
        python = self._create(home, "creating the virtual environment of uv")
        self._run([python, "-m", "pip", "install", f"uv=={version}"], f"installing uv {version} from the package index")
        write_atomic(complete, "{}\n", mode=0o644)
        return uv

    def _create(self, directory: str, attempt: str) -> str:
        self._run([self._options.python, "-m", "venv", directory], attempt)
        return os.path.join(directory, "bin", "python")

    def _run(self, command: Sequence[str], attempt: str, **variables: str) -> None:
        """Run one step of an installation within the time that is left."""
        environment = {name: value for name, value in os.environ.items() if name not in _REMOVED_VARIABLES}
        environment.update(LC_ALL="C.UTF-8", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", **variables)
        self._say(attempt, "")

        def watch(output: str) -> None:
            self._say(attempt, without_userinfo(output))

        ended = run(command, cwd=self._options.path, env=environment, deadline=self._deadline, watch=watch)
        output = without_userinfo(ended.output)
        if ended.timed_out:
            raise InstallError(
                f"{attempt} did not end within {self._options.timeout_s:g} s; the package index may not answer, or the "
                "timeout is too short",
                output[-4000:],
            )
        if not ended.succeeded:
            raise InstallError(f"{attempt} failed: {cause_in(output)}", "\n".join(output.splitlines()[-25:]))
