#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backend_node_build
short_description: Install the packages of a backend for Node.js, and build it
version_added: 0.1.0
description:
  - Compares the installed packages with the lock file, file by file with what was installed, and the build with its
    inputs (sources, lock file, commands, version of Node.js, variables). Installs and builds only what differs.
  - Packages are installed into new directories, because files of the previous ones may be hard links that other
    releases share. If an installation or a build fails, the previous state is restored. If the run was killed, the
    next run restores it.
  - Commands run in a clean environment.
extends_documentation_fragment:
  - codeframe.staging.node_build
  - codeframe.staging.progress
options:
  path:
    description: Directory of the backend (the one with C(package.json)).
    type: path
    required: true
  build_command:
    description: Command that builds, as a list, such as V([npm, run, build]). Empty if nothing is to be built.
    type: list
    elements: str
    default: []
  output_dir:
    description: Directory that the build writes, relative to O(path).
    type: str
    default: dist
  frontend_dir:
    description: Directory of the frontend, relative to O(source_root). Its files are no sources of the build.
    type: str
  source_list:
    description:
      - A file on the host with the files of the source, as the keys of a JSON object. Only they are sources of the
        build. Without it, every file in O(path) is one, except databases and logs.
    type: path
  source_root:
    description:
      - Directory of the application. The paths in O(source_list) are relative to it.
      - If O(path) is a member of a workspace of npm, pnpm, yarn or bun whose root is in this directory, packages are
        installed at that root, which has the lock file.
    type: path
  timeout:
    description: Timeout of installation and build together, in seconds.
    type: int
    default: 900
attributes:
  check_mode:
    description: Predicts whether packages would be installed and the backend built, and why.
    support: full
  diff_mode:
    description: Shows what changed; of variables only their names.
    support: full
author:
  - The codeframe.staging contributors (@codeframe)
seealso:
  - module: codeframe.staging.frontend_build
  - module: codeframe.staging.backend_virtualenv
"""

EXAMPLES = r"""
- name: Install the packages of an application that needs no build
  codeframe.staging.backend_node_build:
    path: "{{ release.path }}/server"

- name: Build an application in TypeScript
  codeframe.staging.backend_node_build:
    path: "{{ release.path }}/api"
    build_command: [npm, run, build]
    output_dir: dist
    source_list: "{{ release.source_list }}"
    source_root: "{{ release.path }}"
"""

RETURN = r"""
digest:
  description:
    - Digest of the lock file, the commands, the version of Node.js, the variables of the build, and the installation.
      Null in check mode if a part is missing.
  returned: success
  type: str
reasons:
  description: Why packages were installed or the backend was built, or would be; empty if nothing changed.
  returned: always
  type: list
  elements: str
  sample: ["lock file changed"]
built:
  description: Whether the build command ran, or would run.
  returned: always
  type: bool
installed:
  description: Whether the install command ran, or would run.
  returned: always
  type: bool
duration_s:
  description: Seconds that installation and build took.
  returned: always
  type: float
output_tail:
  description: What a failed command says of the cause; empty unless one failed.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._backend.arguments import NODE_BUILD
from ..module_utils._backend.node_build import build_node, options_of
from ..module_utils._frontend.build import BuildOutcome
from ..module_utils._frontend.errors import BuildError
from ..module_utils._host.progress import OPTION as PROGRESS_OPTION
from ..module_utils._host.progress import Progress
from ..module_utils._host.redaction import secrets_of
from ..module_utils._host.shown import shown, shown_result
from ..module_utils._host.unlogged import Unlogged


def result_of(outcome: BuildOutcome, path: str) -> dict[str, Any]:
    """Return the result of the call."""
    lines = [f"install: {reason}\n" for reason in outcome.install_reasons]
    lines += [f"build: {reason}\n" for reason in outcome.build_reasons]
    return {
        "built": bool(outcome.build_reasons),
        "installed": bool(outcome.install_reasons),
        "reasons": list(dict.fromkeys([*outcome.install_reasons, *outcome.build_reasons])),
        "duration_s": outcome.duration_s,
        "output_tail": outcome.output_tail,
        "diff": [{"before_header": path, "after_header": path, "before": "", "after": "".join(lines)}] if lines else [],
    }


class UnloggedModule(Unlogged, AnsibleModule):  # type: ignore[misc]
    """A module that does not write its arguments, of which some are secret, to the system's log."""


def main() -> None:
    """Run the module."""
    module = UnloggedModule(
        argument_spec=NODE_BUILD, required_by={"source_list": ["source_root"]}, supports_check_mode=True
    )
    params = module.params
    private = secrets_of({name: str(value) for name, value in params["install_env"].items()})
    module.no_log_values.update(private)
    secrets = [*secrets_of({name: str(value) for name, value in params["build_env"].items()}), *private]
    watched = Progress(params[PROGRESS_OPTION], secrets)
    options = options_of(params)
    outcome = BuildOutcome()
    digest, problem = None, ""
    try:
        with watched as progress:
            digest = build_node(options, outcome, predicting=module.check_mode, say=progress.say)
    except BuildError as err:
        problem = str(err)
    except OSError as err:
        problem = f"the backend in {options.path} cannot be built: {err.strerror or err} ({err.filename})"
    for warning in outcome.warnings:
        module.warn(shown(warning))
    result = result_of(outcome, options.path)
    if problem:
        module.fail_json(msg=shown(problem), changed=False, **shown_result(result))
    module.exit_json(changed=outcome.changed, digest=digest, **shown_result(result))


if __name__ == "__main__":
    main()
