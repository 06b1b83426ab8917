# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the source has what a deployment needs, judged from facts that were gathered before."""

from __future__ import annotations

from dataclasses import dataclass

from .finding import PreflightFinding
from .variables import DeploymentInputs


@dataclass(frozen=True)
class Package:
    """What a part of the application that Node.js builds or runs contains."""

    problem: str | None
    """Of its package.json: None where it is missing, otherwise why it cannot be used, or an empty text."""
    has_lock: bool = False
    manager: str = ""
    """Why its package manager cannot install by the lock file that is there; empty where it can."""
    missing_script: str = ""
    """The script that its build command runs and package.json has not; empty where it has it."""


@dataclass(frozen=True)
class Application:
    """What the source of the application contains."""

    page: Package
    has_backend_dir: bool = True
    backend: Package | None = None
    """None for a backend that is not for Node.js."""
    packages: str = ""
    """Why the packages of a backend in Python cannot be installed, and what to do; empty where they can."""


def judge_application(inputs: DeploymentInputs, application: Application) -> list[PreflightFinding]:
    found = _judge_package(inputs, application.page, "frontend")
    if not application.has_backend_dir:
        found.append(
            inputs.finding(
                "backend-dir-missing",
                "staging_backend_dir",
                "the directory of the backend",
                "write its path inside the project",
                found="the source has no such directory",
            )
        )
    elif application.backend is not None:
        found += _judge_package(inputs, application.backend, "backend")
    elif application.packages:
        problem, _, remedy = application.packages.partition("; ")
        found.append(
            inputs.finding(
                "backend-packages",
                "staging_backend_install",
                "what installs the backend",
                remedy,
                found=problem,
            )
        )
    return found


def _judge_package(inputs: DeploymentInputs, package: Package, part: str) -> list[PreflightFinding]:
    found: list[PreflightFinding] = []

    def add(name: str, what: str, expected: str, remedy: str, variable: str = "dir") -> None:
        found.append(inputs.finding(name, f"staging_{part}_{variable}", expected, remedy, found=what))

    if package.problem is None:
        add(
            "package-json-missing",
            "the source has no package.json there",
            f"the directory of the {part}",
            "write the directory that has the package.json",
        )
        return found
    if package.problem:
        add(
            "package-json",
            f"its package.json {package.problem}",
            "a JSON object",
            "repair the file in the source",
        )
        return found
    if not package.has_lock:
        add(
            "lock-file-missing",
            "there is no lock file beside its package.json, nor at the root of a workspace with it, so each build "
            "may install other packages",
            "a lock file",
            "commit package-lock.json (npm install --package-lock-only)",
        )
    elif package.manager:
        problem, _, remedy = package.manager.partition("; ")
        add("package-manager", problem, "a package manager and its lock file", remedy)
    if package.missing_script:
        add(
            "build-script-missing",
            f"its package.json has no script {package.missing_script}",
            f"a script that builds the {part}",
            f"add it, or write the command that builds the {part} into staging_{part}_build_command",
            variable="build_command" if inputs.get(f"staging_{part}_build_command") else "dir",
        )
    return found
