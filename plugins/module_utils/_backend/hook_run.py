# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the commands around an activation if they are required."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from .._release.manifest import ReleaseRecord
from .._release.project import Project
from .hook import AFTER, BEFORE, RECORD, required
from .hook_commands import HookCommands, HookOutcome, run_commands


def run(params: Mapping[str, Any], outcome: HookOutcome, *, predicting: bool) -> str:
    """Run the commands if they are required, and return why they are; empty if they are not."""
    project = Project(params["project_dir"])
    manifest, active = project.read(), project.find()[1]
    reason = required(params["hook"], manifest, active, params["revision"], predicting=predicting)
    commands = [[str(word) for word in command] for command in params["commands"]]
    if not reason or not commands:
        return ""
    if predicting:
        outcome.ran = [shlex.join(command) for command in commands]
        return reason
    candidate = manifest.candidate if params["hook"] == BEFORE else None
    hook = HookCommands(
        hook=params["hook"],
        commands=commands,
        directory=project.path(candidate) if candidate else params["project_dir"],
        chdir=params["chdir"],
        env_file=params["env_file"],
        env=params["env"],
        timeout_s=params["timeout"],
    )
    run_commands(hook, outcome)
    if params["hook"] == AFTER:
        _record(project, params["revision"])
    return reason


def _record(project: Project, revision: str) -> None:
    """Record that the commands after the activation have run for the active release."""
    with project.locked():
        manifest = project.read()
        active = project.find()[1]
        if active:
            manifest.releases.setdefault(active, ReleaseRecord()).records[RECORD] = revision
            project.write(manifest)
