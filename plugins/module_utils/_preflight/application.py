# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the source has what a deployment needs, judged from facts that were gathered before."""

from __future__ import annotations

from dataclasses import dataclass

from .._frontend.frameworks import Framework
from .finding import PreflightFinding
from .variables import DeploymentInputs

_OUTPUT_DIR, _STATIC_DIR = "staging_frontend_output_dir", "staging_frontend_static_dir"
_SERVE = "staging_frontend_serve"
_STATIC_URL_PATH, _PUBLISH = "staging_static_url_path", "staging_static_publish"


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
    framework: Framework | None = None
    """Of the page; None where that cannot be told."""
    exports: bool = False
    """Whether Next.js is told to make a static export."""


def judge_application(inputs: DeploymentInputs, application: Application) -> list[PreflightFinding]:
    found = _judge_package(inputs, application.page, "frontend")
    if application.framework is not None:
        found += _judge_framework(inputs, application.framework, exports=application.exports)
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


def _judge_framework(inputs: DeploymentInputs, framework: Framework, *, exports: bool) -> list[PreflightFinding]:
    """The directories of the build, of which the defaults are those of Next.js."""
    by_process = inputs.text("staging_frontend_serve") != "static"
    started = any(inputs.get(name) for name in ("staging_frontend_command", "staging_ecosystem_file"))
    if framework.package == "next" and by_process:
        exported = exports and not started and inputs.get(_OUTPUT_DIR) is None
        return [_no_server(inputs, framework, "; then set staging_frontend_output_dir: out")] if exported else []
    found = [] if inputs.get(_OUTPUT_DIR) is not None else _judge_output(inputs, framework, by_process=by_process)
    if framework.problem:
        problem, _, remedy = framework.problem.partition("; ")
        expected = "an adapter that makes pages or a server"
        found.append(inputs.finding("page-server", _SERVE, expected, remedy, found=f"the page has {problem}"))
        return found
    if by_process and not started and not framework.server:
        found.append(_no_server(inputs, framework))
        return found
    published = inputs.provider == "nginx" and inputs.proxies_page and inputs.get(_PUBLISH) is not False
    unset = next((name for name in (_STATIC_DIR, _STATIC_URL_PATH) if inputs.get(name) is None), "")
    if by_process and published and unset and framework.static_dir:
        found.append(
            inputs.finding(
                "static-dir",
                unset,
                f"where {framework.name} has its static files, so that nginx serves them",
                f"set {_STATIC_DIR}: {framework.static_dir} and {_STATIC_URL_PATH}: {framework.static_url_path}, or "
                f"{_PUBLISH}: false",
                found=f"the page is made with {framework.name}",
            )
        )
    return found


def _judge_output(inputs: DeploymentInputs, framework: Framework, *, by_process: bool) -> list[PreflightFinding]:
    """The directory of the build where it is not set."""
    if framework.package:
        place = framework.output_dir if by_process else framework.page_dir or framework.output_dir
        expected = f"the directory of the build, which is {place} by default"
        remedy, what = f"set {_OUTPUT_DIR}: {place}", f"the page is made with {framework.name}"
    elif inputs.or_default("staging_frontend_build_command"):
        expected = "the directory of the build, of which the default is that of Next.js"
        remedy = "write the directory that the build makes"
        what = "its package.json does not name Next.js"
    else:
        return []
    return [inputs.finding("output-dir", _OUTPUT_DIR, expected, remedy, found=what)]


def _no_server(inputs: DeploymentInputs, framework: Framework, more: str = "") -> PreflightFinding:
    export = " with output: export" if framework.package == "next" else ""
    return inputs.finding(
        "page-server",
        _SERVE,
        "a server for the page",
        f"set {_SERVE}: static, so that nginx serves it, or name a server in staging_frontend_command{more}",
        found=f"the page is made with {framework.name}{export}, whose build has no server",
    )


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
