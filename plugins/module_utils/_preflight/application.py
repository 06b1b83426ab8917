# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the source has what a deployment needs, judged from facts that were gathered before."""

from __future__ import annotations

from dataclasses import dataclass

from .finding import PreflightFinding
from .variables import DeploymentInputs


@dataclass(frozen=True)
class Application:
    """What the source of the application contains."""

    package_json: str | None
    """Of the frontend: None where it is missing, otherwise why it cannot be used, or an empty text."""
    has_lock: bool = False
    has_build_script: bool = False
    has_backend_dir: bool = True


def judge_application(inputs: DeploymentInputs, application: Application) -> list[PreflightFinding]:
    found: list[PreflightFinding] = []

    def add(name: str, what: str, expected: str, remedy: str, variable: str = "staging_frontend_dir") -> None:
        found.append(inputs.finding(name, variable, expected, remedy, found=what))

    if application.package_json is None:
        add(
            "package-json-missing",
            "the source has no package.json there",
            "the directory of the frontend",
            "write the directory that has the package.json",
        )
    elif application.package_json:
        add(
            "package-json",
            f"its package.json {application.package_json}",
            "a JSON object",
            "repair the file in the source",
        )
    else:
        if not application.has_lock:
            add(
                "lock-file-missing",
                "there is no lock file beside its package.json, nor at the root of a workspace with it, so each build "
                "may install other packages",
                "a lock file",
                "commit package-lock.json (npm install --package-lock-only)",
            )
        if not application.has_build_script:
            add(
                "build-script-missing",
                "its package.json has no script build",
                "a script that builds the page",
                "add it, for example as next build",
            )
    if not application.has_backend_dir:
        add(
            "backend-dir-missing",
            "the source has no such directory",
            "the directory of the backend",
            "write its path inside the project",
            variable="staging_backend_dir",
        )
    return found
