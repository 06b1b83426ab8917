#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backend_hook
short_description: Run commands before or after a new backend is activated
version_added: 0.1.0
description:
  - Runs commands such as a copy of the database and its migrations, in the candidate before it is activated, or in the
    active release after that.
  - The commands are required if the revision of the backend changes, which is decided by the manifest of the releases
    (M(codeframe.staging.release)), never by the results of earlier tasks. If a run was killed before the commands
    ended, the next one runs them again, so they must be repeatable. A run that activates no other backend runs nothing.
  - A command gets the environment of the process. No part of it appears in an argument or in the output.
options:
  project_dir:
    description:
      - The project directory, which is a symbolic link to the active release.
    type: path
    required: true
  hook:
    description:
      - V(before_activation) runs in the candidate, V(after_activation) in the active release, through the link.
    type: str
    choices: [before_activation, after_activation]
    required: true
  commands:
    description:
      - The commands, each a list of arguments, run one after the other without a shell. The first that fails ends the
        call.
      - A relative program with a slash in it, such as C(.venv/bin/alembic), is looked up in O(chdir).
    type: list
    elements: list
    required: true
  revision:
    description:
      - The revision of the backend after the activation, as recorded under C(backend_revision) with the release.
    type: str
    required: true
  chdir:
    description:
      - Directory of the project that the commands run in.
    type: str
    default: .
  env_file:
    description:
      - Env file of the project with variables for the commands.
    type: str
  env:
    description:
      - Further variables. Their values may be shown.
    type: dict
    default: {}
  timeout:
    description:
      - Timeout of each command in seconds, after which it is killed together with its children.
    type: int
    default: 600
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    support: full
    description: Predicts whether the commands would run.
  diff_mode:
    support: none
    description: What a command changes is not known.
seealso:
  - module: codeframe.staging.release
"""

EXAMPLES = r"""
- name: Copy the database and migrate it
  codeframe.staging.backend_hook:
    project_dir: /home/deploy/projects/app
    hook: before_activation
    chdir: backend
    env_file: .env.staging
    revision: "{{ backend_revision }}"
    commands:
      - [cp, -p, data/app.db, data/app.db.before]
      - [.venv/bin/alembic, upgrade, head]
"""

RETURN = r"""
ran:
  description: The commands that ran, or would run.
  returned: always
  type: list
  elements: str
reasons:
  description: Why they are required.
  returned: always
  type: list
  elements: str
output:
  description: The last lines of each command, without secrets.
  returned: always
  type: list
  elements: list
duration_s:
  description: Seconds that all of them took.
  returned: always
  type: float
"""

import shlex
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._backend.hook import AFTER, BEFORE, RECORD, required
from ..module_utils._backend.hook_commands import HookCommands, HookError, HookOutcome, run_commands
from ..module_utils._release.errors import ReleaseError, explain
from ..module_utils._release.manifest import ReleaseRecord
from ..module_utils._release.project import Project


def record(project: Project, revision: str) -> None:
    """Record that the commands after the activation have run for the active release."""
    with project.locked():
        manifest = project.read()
        active = project.find()[1]
        if active:
            manifest.releases.setdefault(active, ReleaseRecord()).records[RECORD] = revision
            project.write(manifest)


def run(params: dict[str, Any], outcome: HookOutcome, *, predicting: bool) -> str:
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
        record(project, params["revision"])
    return reason


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "project_dir": {"type": "path", "required": True},
            "hook": {"type": "str", "choices": [BEFORE, AFTER], "required": True},
            "commands": {"type": "list", "elements": "list", "required": True},
            "revision": {"type": "str", "required": True},
            "chdir": {"type": "str", "default": "."},
            "env_file": {"type": "str"},
            "env": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    params = module.params
    outcome = HookOutcome()
    reason = problem = ""
    if not all(params["commands"]):
        problem = f"{params['hook']} holds an empty command; expected a list of arguments"
    else:
        try:
            reason = run(params, outcome, predicting=module.check_mode)
        except (HookError, ReleaseError) as err:
            problem = str(err)
        except OSError as err:
            problem = explain(err)
    result = {"changed": bool(reason or outcome.ran), "reasons": [reason] if reason else [], **asdict(outcome)}
    if problem:
        module.fail_json(msg=problem, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
