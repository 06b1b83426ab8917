#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: backend_virtualenv
short_description: Link a release to the virtual environment that fits its requirements
version_added: "0.1.0"
description:
  - Environments are kept beside the releases and named by a digest of everything that decides what they contain.
    Releases with the same requirements share one, and a rollback needs no installation.
  - An environment whose installation was interrupted is created again. A damaged one (no interpreter, another version
    of Python, missing packages or files) stays for the processes that may run from it, and another one is created.
  - The link C(.venv) in O(path) is replaced in one step.
extends_documentation_fragment:
  - codeframe.staging.progress
options:
  path:
    description: The directory of the backend in the working release.
    type: path
    required: true
  venvs_dir:
    description: The directory of the environments, as M(codeframe.staging.release) returns it.
    type: path
    required: true
  install:
    description:
      - How packages are installed. V(requirements) installs the file O(requirements), V(project) runs
        C(pip install .), and V(uv) runs C(uv sync), with C(--frozen) if there is a C(uv.lock).
      - V(poetry) and V(pipenv) install what C(poetry.lock) or C(Pipfile.lock) names.
      - A project is installed as a copy, never editable, because releases share the environment.
    type: str
    choices: [requirements, project, uv, poetry, pipenv]
    default: requirements
  requirements:
    description: The requirements file, relative to O(path). A change of a file that it includes is a change as well.
    type: str
    default: requirements.txt
  python:
    description: The interpreter to create the environment with.
    type: str
    default: python3
  uv_version:
    description: Version of uv to install from PyPI. It is kept beside the environments.
    type: str
    default: 0.13.9
  uv_arguments:
    description:
      - Further arguments for C(uv sync), such as V(--no-dev) or V(--extra).
      - With V(--no-install-project), the environment depends on the lock file alone, and releases with different source
        share it.
    type: list
    elements: str
    default: []
  poetry_version:
    description: Version of Poetry to install from PyPI. It is kept beside the environments.
    type: str
    default: 2.2.1
  poetry_arguments:
    description:
      - Further arguments for C(poetry install), such as V(--only) or V(--extras).
      - The project itself is installed if C(pyproject.toml) has a build system, unless C(package-mode) is false in it,
        or V(--no-root) is among these.
    type: list
    elements: str
    default: []
  pipenv_version:
    description: Version of Pipenv to install from PyPI. It is kept beside the environments.
    type: str
    default: 2025.0.4
  pipenv_arguments:
    description: Further arguments for C(pipenv install --deploy), such as V(--categories).
    type: list
    elements: str
    default: []
  install_env:
    description:
      - Variables of the installation, such as V(PIP_INDEX_URL), or the token of a private index.
      - Their values are never shown, and do not decide which environment is used.
    type: dict
    default: {}
  source_digest:
    description:
      - Digest of the source, for installations that copy it into the environment.
      - By default that of the source below O(path) as M(codeframe.staging.release) delivered it, which builds and files
        written at run time do not change. Outside a release, the files are read.
      - If the project's directory contains the frontend as well, use the digest without it
        (RV(codeframe.staging.release#module:partial_source_digest)). A change of the frontend alone then installs
        nothing.
    type: str
  timeout:
    description: Timeout of the installation in seconds.
    type: int
    default: 900
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    support: full
    description: Predicts changes, also if Python is not installed yet.
  diff_mode:
    support: full
    description: Shows the link before and after.
seealso:
  - module: codeframe.staging.release
"""

EXAMPLES = r"""
- name: Link the release to its virtual environment
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
    source_digest: "{{ release.partial_source_digest }}"
"""

RETURN = r"""
digest:
  description: Digest of everything that decides about the environment. Null in check mode if a part is missing.
  returned: success
  type: str
path:
  description: The environment. Null if it is not known yet.
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
  description: Why something was changed.
  returned: success
  type: list
  elements: str
built:
  description: Whether an environment was created, not only linked.
  returned: success
  type: bool
distributions:
  description: The distributions in the environment; empty if it does not exist yet.
  returned: success
  type: list
  elements: str
duration_s:
  description: Seconds that the call took.
  returned: success
  type: float
output:
  description: The last lines of a failed installation.
  returned: failure
  type: str
"""

import os
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._backend.arguments import VIRTUALENV
from ..module_utils._backend.installer import InstallError
from ..module_utils._backend.virtualenv import Virtualenv, provide
from ..module_utils._backend.virtualenv_inputs import VirtualenvOptions
from ..module_utils._host.progress import OPTION as PROGRESS_OPTION
from ..module_utils._host.progress import Progress
from ..module_utils._host.redaction import secrets_of
from ..module_utils._host.unlogged import Unlogged
from ..module_utils._release.errors import ReleaseError, explain


def result_of(found: Virtualenv) -> dict[str, Any]:
    """Return the result of the call."""
    diff = []
    if found.changed and found.path:
        before, after = found.linked or "nothing", os.path.basename(found.path)
        diff = [{"before": f"{found.link} -> {before}\n", "after": f"{found.link} -> {after}\n"}]
    return {
        "changed": found.changed,
        "built": found.built,
        "digest": found.digest,
        "path": found.path,
        "link": found.link,
        "python": found.python,
        "reasons": list(found.reasons),
        "distributions": list(found.distributions),
        "diff": diff,
    }


class UnloggedModule(Unlogged, AnsibleModule):  # type: ignore[misc]
    """A module that does not write its arguments, of which some are secret, to the system's log."""


def main() -> None:
    """Run the module."""
    module = UnloggedModule(argument_spec=VIRTUALENV, supports_check_mode=True)
    private = secrets_of({name: str(value) for name, value in module.params["install_env"].items()})
    module.no_log_values.update(private)
    watched = Progress(module.params[PROGRESS_OPTION], private)
    began = time.monotonic()
    try:
        options = VirtualenvOptions.of(module.params)
        with watched as progress:
            found = provide(options, predicting=module.check_mode, say=progress.say)
    except InstallError as problem:
        module.fail_json(msg=str(problem), output=problem.output)
    except ReleaseError as problem:
        module.fail_json(msg=str(problem))
    except OSError as problem:
        module.fail_json(msg=explain(problem))
    module.exit_json(duration_s=round(time.monotonic() - began, 2), **result_of(found))


if __name__ == "__main__":
    main()
