#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backend_hook
short_description: Run commands before or after a new backend is switched in
version_added: 0.1.0
description:
  - Runs commands such as a copy of the database and its migrations in the new release before it is switched in, or
    after that through the link of the project.
  - They are required when the revision of the backend moves, which is decided by what the releases remember
    (M(codeframe.staging.release)), never by what a former task did. A run that was killed before they ended runs them
    again, so they must bear repetition. A run that switches no other backend in runs nothing.
  - A command gets the environment that the process gets; none of it stands in an argument or in the output.
options:
  project_dir:
    description:
      - The directory of the project, a link to the active release.
    type: path
    required: true
  hook:
    description:
      - V(before_activation) runs in the candidate. V(after_activation) runs in the active release, through the link.
    type: str
    choices: [before_activation, after_activation]
    required: true
  commands:
    description:
      - The commands, each a list of arguments, run one after the other without a shell. The first that fails ends it.
      - A relative program with a slash in it, such as C(.venv/bin/alembic), is looked up in O(chdir).
    type: list
    elements: list
    required: true
  revision:
    description:
      - The revision of the backend that is, or was, switched in, as recorded under C(backend) with the release.
    type: str
    required: true
  chdir:
    description:
      - Directory inside the project that they run in.
    type: str
    default: .
  env_file:
    description:
      - Env file inside the project, whose variables they get.
    type: str
  env:
    description:
      - Further variables. Their values may be shown.
    type: dict
    default: {}
  timeout:
    description:
      - Seconds for each command, after which it is killed with all that it started.
    type: int
    default: 600
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    support: full
    description: Says whether they would run.
  diff_mode:
    support: none
    description: What a command changes is its own.
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
  description: The commands that ran, or would.
  returned: always
  type: list
  elements: str
reasons:
  description: Why, in words.
  returned: always
  type: list
  elements: str
output:
  description: The last lines of each command, secrets removed.
  returned: always
  type: list
  elements: list
duration_s:
  description: Seconds for all of them.
  returned: always
  type: float
"""

import os
import shlex
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._backend.hook import AFTER, BEFORE, RECORD, required
from ..module_utils._host.command import run
from ..module_utils._host.redaction import last_lines, redacted, secrets_of
from ..module_utils._pm2.environment import base_env, read_env_file
from ..module_utils._pm2.error import Pm2Error
from ..module_utils._release.errors import ReleaseError, explain
from ..module_utils._release.manifest import ReleaseRecord
from ..module_utils._release.project import Project


class HookError(Exception):
    """A command failed, or cannot be run; says which, and what it printed."""


def run_all(params: dict[str, Any], directory: str, result: dict[str, Any]) -> None:
    """Run the commands in order.

    :raises HookError: At the first that fails.
    """
    env_file = os.path.join(directory, params["env_file"]) if params["env_file"] else None
    try:
        env = {**base_env(), **read_env_file(env_file, check=False)}
    except Pm2Error as err:
        raise HookError(f"{params['hook']} cannot be run: {err}") from err
    secrets = secrets_of(env)
    env.update({str(key): str(value) for key, value in params["env"].items()})
    cwd = os.path.normpath(os.path.join(directory, params["chdir"]))
    began = time.monotonic()
    for number, words in enumerate(params["commands"], 1):
        command = [str(word) for word in words]
        what = f"{params['hook']} command {number} of {len(params['commands'])} ({shown(command, secrets)})"
        if "/" in command[0]:
            command[0] = os.path.join(cwd, command[0])
        try:
            ended = run(command, cwd=cwd, env=env, deadline=time.monotonic() + params["timeout"])
        except OSError as err:
            raise HookError(f"{what} cannot be started in {cwd}: {err.strerror or err}") from err
        lines = [redacted(line, secrets) for line in last_lines(redacted(ended.output, secrets), 15)]
        result["ran"].append(shown(words, secrets))
        result["output"].append(lines)
        result["duration_s"] = round(time.monotonic() - began, 2)
        said = "; it printed: " + " | ".join(lines) if lines else "; it printed nothing"
        if ended.code is None:
            raise HookError(f"{what} did not end within {params['timeout']} s and was killed{said}")
        if ended.code != 0:
            raise HookError(f"{what} ended with {ended.code}{said}")


def shown(command: list[Any], secrets: list[str]) -> str:
    return redacted(shlex.join(str(word) for word in command), secrets)


def record(project: Project, revision: str) -> None:
    """Remember that the commands after the switch have run for the active release."""
    with project.locked():
        manifest = project.read()
        active = project.find()[1]
        if active:
            manifest.releases.setdefault(active, ReleaseRecord()).records[RECORD] = revision
            project.write(manifest)


def main() -> None:
    """Entry point."""
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
    result: dict[str, Any] = {"changed": False, "ran": [], "reasons": [], "output": [], "duration_s": 0.0}
    if not all(params["commands"]):
        module.fail_json(msg=f"{params['hook']} holds an empty command; expected a list of arguments", **result)
    project = Project(params["project_dir"])
    try:
        manifest, active = project.read(), project.find()[1]
        reason = required(params["hook"], manifest, active, params["revision"], predicting=module.check_mode)
        if reason and params["commands"]:
            result.update(changed=True, reasons=[reason])
            if module.check_mode:
                result["ran"] = [shown(command, []) for command in params["commands"]]
            else:
                candidate = manifest.candidate if params["hook"] == BEFORE else None
                run_all(params, project.path(candidate) if candidate else params["project_dir"], result)
                if params["hook"] == AFTER:
                    record(project, params["revision"])
    except (HookError, ReleaseError) as err:
        module.fail_json(msg=str(err), **result)
    except OSError as err:
        module.fail_json(msg=explain(err), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
