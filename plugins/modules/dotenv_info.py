#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: dotenv_info
short_description: List the keys of an env file and compare it with the environment of a process
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Lists the keys of an env file with a digest of each value, for comparison. Values are never returned.
  - Compares the environment of a running process with the file.
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
options:
  path:
    description: Path of the env file. A symbolic link is followed.
    type: path
    required: true
  reader:
    description: The program whose reading of the values counts.
    type: str
    choices: [bash, dotenv, next, python-dotenv]
    default: dotenv
  readers:
    description: The programs that RV(keys_differing) compares.
    type: list
    elements: str
    choices: [bash, dotenv, next, python-dotenv]
    default: [bash, dotenv, next, python-dotenv]
  pid:
    description: A process to compare with the file. It must belong to the user of the task, unless that is root.
    type: int
  salt:
    description:
      - Text that the digests depend on, so that they cannot be compared with those of guessed values. By default it is
        the content of the host's C(/etc/machine-id), so that only digests of one host can be compared.
    type: str
seealso:
  - module: codeframe.staging.dotenv_file
"""

EXAMPLES = r"""
- name: Compare the backend with its env file
  codeframe.staging.dotenv_info:
    path: /srv/app/.env.staging
    pid: 4711
  register: __backend_env

- name: Show the keys with outdated values
  ansible.builtin.debug:
    var: __backend_env.process.differing
"""

RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
  sample: /srv/app/.env.staging
exists:
  description: Whether the file exists.
  returned: success
  type: bool
  sample: true
all_keys:
  description: Its keys, in the order of the file.
  returned: success
  type: list
  elements: str
  sample: [NEXT_PUBLIC_WS_URL, AUTH_SECRET]
empty_keys:
  description: Keys with an empty value.
  returned: success
  type: list
  elements: str
  sample: []
placeholder_keys:
  description: Keys with a placeholder as their value, such as V(changeme).
  returned: success
  type: list
  elements: str
  sample: []
keys_differing:
  description: Keys that O(readers) do not read alike.
  returned: success
  type: list
  elements: str
  sample: []
digests:
  description: A salted digest of each value.
  returned: success
  type: dict
  sample: {"NEXT_PUBLIC_WS_URL": "6fa1c8d20b3e"}
digest:
  description: A salted digest of all keys and values, whatever their order and spelling. Empty if there is no file.
  returned: success
  type: str
  sample: 04be71aa9c52
mode:
  description: Mode of the file. Empty if there is no file.
  returned: success
  type: str
  sample: "0600"
process:
  description:
    - The comparison with the process O(pid). C(exists) is V(false) if there is no such process. C(missing) are the keys
      that its environment lacks, C(differing) those that it has with another value. Both are empty for a process that
      runs with the values of the file.
  returned: success, if O(pid) is given
  type: dict
  sample: {"pid": 4711, "exists": true, "missing": [], "differing": ["NEXT_PUBLIC_WS_URL"]}
line:
  description: The line of the file that cannot be parsed.
  returned: on failure, if it cannot be parsed
  type: int
  sample: 3
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._dotenv.document import ParseError
from ..module_utils._dotenv.readers import READERS
from ..module_utils._dotenv.store import StoreError, look
from ..module_utils._dotenv.summary import Summary, compare_process, summarize
from ..module_utils._host import files, proc


def compared(pid: int, summary: Summary) -> dict[str, Any]:
    """The result for the process.

    :raises StoreError: If its environment may not be read.
    """
    try:
        environment = proc.environment(pid, strict=True)
    except PermissionError as error:
        raise StoreError(
            f"the environment of process {pid} cannot be read: {error.strerror}; run the task as root"
        ) from None
    # One that does not exist lacks nothing.
    found = compare_process(summary.values if environment is not None else {}, environment or {})
    return {
        "pid": pid,
        "exists": environment is not None,
        "missing": list(found.missing),
        "differing": list(found.differing),
    }


def inspect(module: AnsibleModule) -> dict[str, Any]:
    """Look at the file and the process, and return the result."""
    params = module.params
    found = look(params["path"], follow=True, tolerant=True)
    salt = params["salt"] if params["salt"] is not None else (files.read_text("/etc/machine-id") or "").strip()
    summary = summarize(found.text or "", params["reader"], params["readers"], salt)
    exists = found.text is not None
    return {
        "changed": False,
        "path": params["path"],
        "exists": exists,
        "all_keys": list(summary.keys),
        "empty_keys": list(summary.empty),
        "placeholder_keys": list(summary.placeholders),
        "keys_differing": list(summary.differing),
        "digests": dict(summary.digests),
        "digest": summary.digest if exists else "",
        "mode": f"{found.mode:04o}" if found.mode is not None else "",
        **({"process": compared(params["pid"], summary)} if params["pid"] is not None else {}),
    }


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "reader": {"type": "str", "choices": list(READERS), "default": "dotenv"},
            "readers": {"type": "list", "elements": "str", "choices": list(READERS), "default": list(READERS)},
            "pid": {"type": "int"},
            "salt": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    path = module.params["path"]
    try:
        result = inspect(module)
    except ParseError as error:
        module.fail_json(msg=error.of_file(path), path=path, line=error.line)
    except StoreError as error:
        module.fail_json(msg=str(error), path=path)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
