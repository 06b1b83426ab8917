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

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._backend.arguments import HOOK
from ..module_utils._backend.hook_commands import HookError, HookOutcome
from ..module_utils._backend.hook_run import run
from ..module_utils._release.errors import ReleaseError, explain


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=HOOK,
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
