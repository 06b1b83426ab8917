#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: backend_virtualenv
short_description: Link a release to a virtual environment that fits its lock file, made if there is none
version_added: "0.1.0"
description:
  - Environments stand beside the releases and are named by a digest of all that decides about their content, so that
    releases with the same requirements share one, and going back needs no installation.
  - An environment whose installation was interrupted is made again. One that is damaged (no interpreter, another
    version of Python, packages or files of packages missing) is left to the processes that may run from it, and a
    fresh one is made beside it.
  - The link in the release is replaced in one step.
options:
  path:
    description: The directory of the backend inside the working release, where its requirements stand.
    type: path
    required: true
  venv:
    description: Name of the link to the environment, relative to O(path).
    type: str
    default: .venv
  venvs_dir:
    description: The directory of the environments. M(codeframe.staging.release) returns it.
    type: path
    required: true
  install:
    description:
      - How packages are installed. V(requirements) takes the file O(requirements), V(project) does C(pip install .),
        and V(uv) does C(uv sync), with C(--frozen) where there is a C(uv.lock).
      - A project is installed as a copy, never editable, since releases share the environment.
    type: str
    choices: [requirements, project, uv]
    default: requirements
  requirements:
    description: The requirements file, relative to O(path). Files that it includes count as well.
    type: str
    default: requirements.txt
  python:
    description: The interpreter to make the environment with.
    type: str
    default: python3
  uv_version:
    description: Version of uv to take from PyPI. It is installed beside the environments.
    type: str
    default: 0.13.9
  uv_arguments:
    description: Further arguments for C(uv sync), such as V(--no-dev) or V(--extra).
    type: list
    elements: str
    default: []
  install_project:
    description:
      - For O(install=uv), whether the project itself is installed where it is a package. Without it the environment
        depends on the lock file alone, and is shared by releases whose source differs.
    type: bool
    default: true
  source_digest:
    description:
      - Digest of the source, for installations that copy it into the environment.
      - By default it is made of the source below O(path) as M(codeframe.staging.release) delivered it, which builds and
        files made at run time do not change. Outside a release the files are read.
      - Where the project's directory holds the frontend as well, the digest without it
        (RV(codeframe.staging.release#module:tree_digest_without)) spares an installation when only the frontend moved.
    type: str
  extra_packages:
    description: Further packages to install, as requirement specifiers.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds after which an installation is given up.
    type: int
    default: 900
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and predict changes; Python need not be there yet.
  diff_mode:
    support: full
    description: Shows the link before and after.
seealso:
  - module: codeframe.staging.release
"""

EXAMPLES = r"""
- name: Give the release its virtual environment
  codeframe.staging.backend_virtualenv:
    path: "{{ release.path }}/backend"
    venvs_dir: "{{ release.venvs_dir }}"
    install: requirements
    requirements: requirements.lock

- name: Install a project that uv manages
  codeframe.staging.backend_virtualenv:
    path: "{{ release.path }}"
    venvs_dir: "{{ release.venvs_dir }}"
    install: uv
    source_digest: "{{ release.tree_digest_without }}"
"""

RETURN = r"""
digest:
  description: Digest of all that decides about the environment. Null in check mode where a part is not there yet.
  returned: success
  type: str
path:
  description: The environment. Null where it cannot be known yet.
  returned: success
  type: str
  sample: /home/deploy/projects/app.releases/venvs/5d41402abc4b2a76b9719d91
link:
  description: The link in the release.
  returned: success
  type: str
python:
  description: Implementation, version and machine of the interpreter.
  returned: success
  type: str
  sample: cpython 3.13.5 x86_64
reasons:
  description: Why something was changed, in words.
  returned: success
  type: list
  elements: str
built:
  description: Whether an environment was made, not only linked.
  returned: success
  type: bool
distributions:
  description: The distributions in the environment; empty where it is not there yet.
  returned: success
  type: list
  elements: str
duration_s:
  description: Seconds that the installation took.
  returned: success
  type: float
output:
  description: The last lines of a failed installation.
  returned: failure
  type: str
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._backend import virtualenv as virtualenv
from ..module_utils._host.command import run as run_command
from ..module_utils._release.copying import remove_file, remove_tree
from ..module_utils._release.errors import ReleaseError, explain
from ..module_utils._release.tree import relative_path

UNWANTED_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "PIP_TARGET", "PIP_USER", "PIP_PREFIX")


class InstallError(ReleaseError):
    """A failed installation, with the last lines that it printed."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


def without_passwords(text: str) -> str:
    """Take user names and passwords out of addresses."""
    return re.sub(r"(\w://)[^/@\s]+@", r"\1", text)


def telling_line(output: str) -> str:
    """Return the line of an installer's output that names the cause."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for pattern in (r"ERROR: (?!Failed to build|Could not build)", r"error:|\u00d7", r".*Error\b"):
        telling = [line for line in lines if re.match(pattern, line)]
        if telling:
            return re.sub(r"^(ERROR:|error:|\u00d7)\s*", "", telling[-1])
    return lines[-1] if lines else "nothing was printed"


class Environment:
    """One call of the module."""

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.path: str = params["path"]
        self.venvs: str = params["venvs_dir"]
        self.deadline = time.monotonic() + params["timeout"]
        self.link = os.path.join(self.path, relative_path(params["venv"], "venv"))

    # --- observing --------------------------------------------------------------------------------

    def interpreter(self, executable: str) -> virtualenv.Python | None:
        """Ask an interpreter what it is; None if it does not run."""
        try:
            done = subprocess.run(  # noqa: S603 - a list
                [executable, "-I", "-c", virtualenv.PYTHON_FACTS],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            return virtualenv.python_from(done.stdout) if done.returncode == 0 else None
        except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
            return None

    def wanted_python(self) -> virtualenv.Python | None:
        """The interpreter that was asked for; None in check mode where it is not there yet.

        :raises ReleaseError: If it is not there, or cannot make environments.
        """
        executable = self.params["python"]
        python = self.interpreter(executable)
        if python is None:
            if self.check_mode:
                return None
            raise ReleaseError(
                f"the interpreter {executable} is not there or does not run, and the virtual environment is to be made "
                "with it; install it or name another one"
            )
        if not python.venv and not self.check_mode:
            raise ReleaseError(
                f"{executable} cannot make virtual environments, since its modules venv and ensurepip are not "
                "installed; install python3-venv"
            )
        return python

    def ingredients(self, python: virtualenv.Python) -> virtualenv.Ingredients | None:
        """All that decides about the environment; None in check mode where the source is not there yet."""
        if not os.path.isdir(self.path):
            if self.check_mode:
                return None
            raise ReleaseError(f"path {self.path} is not a directory; expected is that of the backend in a release")
        install = self.params["install"]
        parts = {"way to install": install, "interpreter": python.identity}
        if self.params["extra_packages"]:
            parts["extra packages"] = " ".join(sorted(self.params["extra_packages"]))
        parts.update(getattr(self, f"_parts_{install}")())
        return virtualenv.Ingredients(parts)

    def _parts_requirements(self) -> dict[str, str]:
        name = relative_path(self.params["requirements"], "requirements")
        files = virtualenv.requirement_files(self.path, name)
        parts = {f"requirements file {name}": virtualenv.content_digest(files)}
        if virtualenv.installs_local_source(files):
            parts["source"] = self._source()
        return parts

    def _parts_project(self) -> dict[str, str]:
        if not any(os.path.isfile(os.path.join(self.path, name)) for name in ("pyproject.toml", "setup.py")):
            raise ReleaseError(
                f"there is neither pyproject.toml nor setup.py in {self.path}, so there is no project to install; "
                "name another directory or another way to install"
            )
        return {"source": self._source()}

    def _parts_uv(self) -> dict[str, str]:
        project = self._content("pyproject.toml")
        if project is None:
            raise ReleaseError(
                f"there is no pyproject.toml in {self.path}, and uv installs what it names; "
                "name another directory or another way to install"
            )
        parts = {
            "pyproject.toml": virtualenv.content_digest({"pyproject.toml": project}),
            "lock file uv.lock": virtualenv.content_digest({"uv.lock": self._content("uv.lock") or b""}),
            "uv": " ".join([self.params["uv_version"], *self.params["uv_arguments"]]),
        }
        if self._uv_installs_project():
            parts["source"] = self._source()
        return parts

    def _uv_installs_project(self) -> bool:
        project = self._content("pyproject.toml") or b""
        return bool(self.params["install_project"]) and virtualenv.is_package(project.decode("utf-8", "replace"))

    def _content(self, name: str) -> bytes | None:
        try:
            with open(os.path.join(self.path, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def _source(self) -> str:
        if self.params["source_digest"]:
            return str(self.params["source_digest"])
        place = os.path.relpath(os.path.realpath(self.path), os.path.realpath(os.path.dirname(self.venvs)))
        return virtualenv.delivered_digest(os.path.dirname(self.venvs), place) or virtualenv.source_digest(self.path)

    def linked(self) -> str | None:
        """Name of the environment that is linked now."""
        if not os.path.islink(self.link):
            return None
        target = os.path.realpath(self.link)
        return os.path.basename(target) if os.path.dirname(target) == os.path.realpath(self.venvs) else None

    def conditions(self, digest: str, python: virtualenv.Python) -> list[tuple[str, virtualenv.Condition]]:
        """Look at the environments of this digest, up to the first that is whole or free."""
        found = []
        for name in virtualenv.names_for(digest):
            directory = os.path.join(self.venvs, name)
            condition = virtualenv.examine(
                directory, python, self.interpreter(os.path.join(directory, "bin", "python"))
            )
            found.append((name, condition))
            if condition.whole or not condition.exists:
                break
        return found

    # --- changing ---------------------------------------------------------------------------------

    def run(self, command: Sequence[str], attempt: str, **variables: str) -> None:
        """Run one step of an installation within the time that is left."""
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED_VARIABLES}
        environment.update(LC_ALL="C.UTF-8", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", **variables)
        ended = run_command(command, cwd=self.path, env=environment, deadline=self.deadline)
        shown = without_passwords(ended.output)
        if ended.code is None:
            raise InstallError(
                f"{attempt} did not end within {self.params['timeout']} s; the package index may not answer, or the "
                "time (option timeout) is too short",
                shown[-4000:],
            )
        if ended.code:
            raise InstallError(f"{attempt} failed: {telling_line(shown)}", "\n".join(shown.splitlines()[-25:]))

    def build(self, plan: virtualenv.Plan, parts: dict[str, str], python: virtualenv.Python) -> None:
        """Make the environment where it will stay."""
        directory = os.path.join(self.venvs, plan.name)
        os.makedirs(self.venvs, mode=0o755, exist_ok=True)
        if plan.clear:
            # It was never complete, so what runs from it are builds that the killed installation left.
            for process in virtualenv.processes_from(directory):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            remove_tree(directory)
        os.mkdir(directory, 0o755)
        try:
            with open(os.path.join(directory, virtualenv.BUILDING), "x", encoding="utf-8"):
                pass
            getattr(self, f"_install_{self.params['install']}")(directory)
            virtualenv.complete(directory, parts, python)
        except (InstallError, OSError):
            remove_tree(directory)
            raise

    def _make(self, directory: str, attempt: str) -> str:
        self.run([self.params["python"], "-m", "venv", directory], attempt)
        return os.path.join(directory, "bin", "python")

    def _pip(self, directory: str, arguments: Sequence[str], attempt: str) -> None:
        python = self._make(directory, "making the virtual environment")
        self.run([python, "-m", "pip", "install", *arguments, *self.params["extra_packages"]], attempt)

    def _install_requirements(self, directory: str) -> None:
        name = self.params["requirements"]
        self._pip(directory, ["-r", name], f"installing {name} of {self.path}")

    def _install_project(self, directory: str) -> None:
        self._pip(directory, ["."], f"installing the project in {self.path}")

    def _install_uv(self, directory: str) -> None:
        uv = self.uv()
        locked = os.path.isfile(os.path.join(self.path, "uv.lock"))
        arguments = [
            *(["--frozen"] if locked else []),
            *(["--no-editable"] if self._uv_installs_project() else ["--no-install-project"]),
            *self.params["uv_arguments"],
        ]
        variables = {
            "UV_PROJECT_ENVIRONMENT": directory,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON": self.params["python"],
        }
        # uv wants to make the environment itself, and takes over one that is there.
        self._make(directory, "making the virtual environment")
        try:
            self.run([uv, "sync", *arguments], f"uv sync in {self.path}", **variables)
        finally:
            if not locked:
                # A lock made here would not be that of the source, and would count as a change next time.
                remove_file(os.path.join(self.path, "uv.lock"))
        if self.params["extra_packages"]:
            python = os.path.join(directory, "bin", "python")
            command = [uv, "pip", "install", "--python", python, *self.params["extra_packages"]]
            self.run(command, "installing the extra packages with uv", **variables)

    def uv(self) -> str:
        """Return the path of uv, installed if it is not there."""
        version = self.params["uv_version"]
        home = os.path.join(self.venvs, f".uv-{version}")
        uv = os.path.join(home, "bin", "uv")
        stamp = os.path.join(home, virtualenv.STAMP)
        if os.path.isfile(stamp) and os.access(uv, os.X_OK):
            return uv
        if os.path.lexists(home):
            remove_tree(home)
        os.makedirs(home, mode=0o755)
        python = self._make(home, "making the virtual environment of uv")
        self.run([python, "-m", "pip", "install", f"uv=={version}"], f"installing uv {version} from the package index")
        with open(stamp, "w", encoding="utf-8") as file:
            file.write("{}\n")
        return uv

    def point_to(self, name: str) -> None:
        """Let the release's link point to an environment, in one step."""
        place = os.path.dirname(self.link)
        target = os.path.relpath(os.path.realpath(os.path.join(self.venvs, name)), os.path.realpath(place))
        temporary = f"{self.link}.new"
        remove_file(temporary)
        os.symlink(target, temporary)
        if os.path.isdir(self.link) and not os.path.islink(self.link):
            aside = f"{self.link}.replaced"
            if os.path.lexists(aside):
                remove_tree(aside)
            os.rename(self.link, aside)
            os.rename(temporary, self.link)
            remove_tree(aside)
        else:
            os.replace(temporary, self.link)


def bring_about(environment: Environment) -> dict[str, Any]:
    """Link the environment that is wanted, and return the result."""
    started = time.monotonic()
    result: dict[str, Any] = {
        "changed": True,
        "built": True,
        "digest": None,
        "path": None,
        "link": environment.link,
        "python": None,
        "reasons": ["the virtual environment cannot be looked at before its Python and its source are there"],
        "distributions": [],
        "duration_s": 0.0,
        "diff": [],
    }
    python = environment.wanted_python()
    ingredients = environment.ingredients(python) if python else None
    if python is None or ingredients is None:
        return result
    linked = environment.linked()
    stamp = virtualenv.read_stamp(os.path.join(environment.venvs, linked)) if linked else None
    former = (stamp or {}).get("parts", {})
    moved = ingredients.moved_since(former) if former else ()
    digest = ingredients.digest
    plan = virtualenv.plan(digest, environment.conditions(digest, python), moved, linked)
    reasons = list(plan.reasons)
    if not plan.build and linked != plan.name and not moved:
        reasons = [f"{environment.link} does not link to environment {plan.name}"]
    changed = plan.build or linked != plan.name
    if changed and not environment.check_mode:
        if plan.build:
            environment.build(plan, dict(ingredients.parts), python)
        environment.point_to(plan.name)
    directory = os.path.join(environment.venvs, plan.name)
    result.update(
        changed=changed,
        built=plan.build,
        digest=digest,
        path=directory,
        python=python.identity,
        reasons=reasons if changed else [],
        distributions=virtualenv.distributions(directory),
        duration_s=round(time.monotonic() - started, 2),
        diff=[
            {
                "before": f"{environment.link} -> {linked or 'nothing'}\n",
                "after": f"{environment.link} -> {plan.name}\n",
            }
        ]
        if changed
        else [],
    )
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "venv": {"type": "str", "default": ".venv"},
            "venvs_dir": {"type": "path", "required": True},
            "install": {"type": "str", "choices": ["requirements", "project", "uv"], "default": "requirements"},
            "requirements": {"type": "str", "default": "requirements.txt"},
            "python": {"type": "str", "default": "python3"},
            "uv_version": {"type": "str", "default": "0.13.9"},
            "uv_arguments": {"type": "list", "elements": "str", "default": []},
            "install_project": {"type": "bool", "default": True},
            "source_digest": {"type": "str"},
            "extra_packages": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 900},
        },
        supports_check_mode=True,
    )
    try:
        if not os.path.isabs(module.params["venvs_dir"]) or not os.path.isabs(module.params["path"]):
            raise ReleaseError(
                f"path {module.params['path']!r} and venvs_dir {module.params['venvs_dir']!r} must be absolute paths"
            )
        result = bring_about(Environment(module.params, module.check_mode))
    except InstallError as problem:
        module.fail_json(msg=str(problem), output=problem.output)
    except ReleaseError as problem:
        module.fail_json(msg=str(problem))
    except OSError as problem:
        module.fail_json(msg=explain(problem))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
