#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: dotenv_info
short_description: Keys of an env file, and whether a process runs with its values
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Lists the keys of an env file with a digest of each value, for comparison. Values are never returned.
  - Tells whether the environment of a running process holds what the file holds now.
attributes:
  check_mode:
    description: Looks as always.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show.
    support: none
options:
  path:
    description: The env file. A symbolic link is followed.
    type: path
    required: true
  reader:
    description: The program whose reading of the file counts.
    type: str
    choices: [bash, dotenv, next, python-dotenv]
    default: dotenv
  readers:
    description: The programs among which RV(keys_differing) looks for disagreement.
    type: list
    elements: str
    choices: [bash, dotenv, next, python-dotenv]
    default: [bash, dotenv, next, python-dotenv]
  pid:
    description:
      - A process whose environment is compared with the file. It has to be the caller's own, or the caller root.
    type: int
  salt:
    description:
      - Goes into the digests, so that they cannot be compared with those of guessed values. By default it is the
        host's C(/etc/machine-id), so that digests of one host can be compared with each other only.
    type: str
seealso:
  - module: codeframe.staging.dotenv_file
"""

EXAMPLES = r"""
- name: Does the backend run with the present values
  codeframe.staging.dotenv_info:
    path: /srv/app/.env.staging
    pid: 4711
  register: __backend_env

- name: Say which keys are outdated
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
  description: Whether there is such a file.
  returned: always
  type: bool
  sample: true
keys:
  description: Its keys, in the order of the file. Write C(result['keys']), since C(result.keys) is a method.
  returned: always
  type: list
  elements: str
  sample: [NEXT_PUBLIC_WS_URL, AUTH_SECRET]
empty_keys:
  description: Keys with an empty value.
  returned: always
  type: list
  elements: str
  sample: []
placeholder_keys:
  description: Keys whose value only marks the place of one, as V(changeme) does.
  returned: always
  type: list
  elements: str
  sample: []
keys_differing:
  description: Keys that O(readers) do not read alike.
  returned: always
  type: list
  elements: str
  sample: []
digests:
  description: A salted digest of each value.
  returned: always
  type: dict
  sample: {"NEXT_PUBLIC_WS_URL": "6fa1c8d20b3e"}
digest:
  description: A salted digest of all keys and values, whatever their order and spelling. Empty if there is no file.
  returned: always
  type: str
  sample: 04be71aa9c52
mode:
  description: The mode of the file. Empty if there is no file.
  returned: always
  type: str
  sample: "0600"
process:
  description:
    - The comparison with the process O(pid). C(exists) is false if there is no such process. C(missing) are the keys
      that its environment lacks, C(differing) those with another value. Both are empty for a process that runs with
      the present values.
  returned: if O(pid) is given
  type: dict
  sample: {"pid": 4711, "exists": true, "missing": [], "differing": ["NEXT_PUBLIC_WS_URL"]}
"""

import hashlib
import hmac
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._dotenv import entries as _dotenv
from ..module_utils._dotenv import store as _dotenv_store
from ..module_utils._dotenv.readers import READERS


def machine_salt() -> str:
    try:
        with open("/etc/machine-id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def digest(salt: str, text: str) -> str:
    return hmac.new(salt.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:12]


def environment(pid: int) -> dict[str, str] | None:
    """The environment a process was started with, or None if there is no such process.

    :raises OSError: If it may not be read.
    """
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return None
    pairs = (entry.decode("utf-8", "surrogateescape").partition("=") for entry in entries if entry)
    return {key: value for key, _equals, value in pairs}


def compare(module: AnsibleModule, pid: int, values: dict[str, str]) -> dict[str, Any]:
    try:
        found = environment(pid)
    except OSError as error:
        module.fail_json(msg=f"the environment of process {pid} cannot be read: {error.strerror}; run the task as root")
    running = found or {}
    return {
        "pid": pid,
        "exists": found is not None,
        "missing": [key for key in values if found is not None and key not in running],
        "differing": [key for key, value in values.items() if key in running and running[key] != value],
    }


def look(module: AnsibleModule) -> dict[str, Any]:
    path, reader = module.params["path"], module.params["reader"]
    found = _dotenv_store.look(path, follow=True, tolerant=True)
    text = (found.data or b"").decode("utf-8", "surrogateescape")
    document = _dotenv.parse(text)
    views = _dotenv.values_for(text, [reader, *module.params["readers"]])
    values = {key: value for key in document.keys if (value := views[reader].get(key)) is not None}
    compared = {name: views[name] for name in module.params["readers"]}
    salt = module.params["salt"] if module.params["salt"] is not None else machine_salt()
    exists = found.data is not None
    return {
        "changed": False,
        "path": path,
        "exists": exists,
        "keys": list(document.keys),
        "empty_keys": [key for key, value in values.items() if not value],
        "placeholder_keys": [key for key, value in values.items() if _dotenv.is_placeholder(value)],
        "keys_differing": [key for key in document.keys if len({view.get(key) for view in compared.values()}) > 1],
        "digests": {key: digest(salt, value) for key, value in values.items()},
        "digest": digest(salt, "\0".join(f"{key}={values[key]}" for key in sorted(values))) if exists else "",
        "mode": f"{found.mode:04o}" if found.mode is not None else "",
        **({"process": compare(module, module.params["pid"], values)} if module.params["pid"] is not None else {}),
    }


def main() -> None:
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
    try:
        result = look(module)
    except _dotenv_store.StoreError as error:
        module.fail_json(msg=str(error), path=module.params["path"])
    except _dotenv.ParseError as error:
        path = module.params["path"]
        module.fail_json(msg=f"{path} cannot be parsed ({error}); repair that line", path=path, line=error.line)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
