#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: dotenv_file
short_description: Manage keys of an env file in a form that every reader reads alike
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Sets and removes keys of a file such as C(.env.staging). Other keys, comments and the order stay byte for byte.
  - Bash's C(source), npm C(dotenv), C(@next/env) and C(python-dotenv) disagree on C($), C(#), quotes and spaces.
    Each value is written in a form that all chosen O(readers) return unchanged. A value for which there is no such form
    is refused by its key, and nothing is written.
  - The file is replaced in one step and has mode C(0600) from its first byte. No value of O(secret_values), of a
    generated key or of a key that is not given here is ever part of the result or the diff.
  - A symbolic link in place of the file is refused.
attributes:
  check_mode:
    description: Predicts the change and writes nothing; missing directories and users are tolerated.
    support: full
  diff_mode:
    description: Shows keys; values of O(values) only.
    support: full
options:
  path:
    description: Path of the env file. Its directory must exist.
    type: path
    required: true
  values:
    description:
      - Keys with values that may be shown.
      - Numbers are written as they are, V(true) and V(false) in lower case. Lists and dictionaries are refused.
    type: dict
    default: {}
  secret_values:
    description:
      - Keys with values that are never shown.
      - Ansible blanks every equal text of the result, so a secret that is an everyday word makes the result hard to
        read.
    type: dict
    default: {}
  absent_keys:
    description: Keys to remove.
    type: list
    elements: str
    default: []
  generate:
    description:
      - Secrets to generate on the host, for keys for which neither the file nor O(snapshot_path) nor
        O(generated_path) has a value. Afterwards the value stays.
      - A key that is given a value in O(values) or O(secret_values) too gets that value.
      - Each value is a dictionary with C(length) (characters, V(48) by default) and C(alphabet) (V(alphanumeric),
        V(hex) or V(base64url), V(alphanumeric) by default).
    type: dict
    default: {}
  generated_path:
    description:
      - A private file outside the releases that keeps the values of O(generate), so that a secret stays the same after
        a rollback to a release that does not have it yet.
      - It is written only when a value is generated. Its directory must exist by then.
    type: path
  required_keys:
    description: Keys that must have a value in the end, other than a placeholder.
    type: list
    elements: str
    default: []
  allow_placeholders:
    description: Keys whose value is right although it looks like a placeholder, as V(changeme) or V(your-key-here) do.
    type: list
    elements: str
    default: []
  readers:
    description:
      - The programs that read the file. Each given value is returned unchanged by all of them.
      - V(bash) stands for C(source), V(dotenv) for the npm package, V(next) for C(@next/env).
    type: list
    elements: str
    choices: [bash, dotenv, next, python-dotenv]
    default: [bash, dotenv, next, python-dotenv]
  content:
    description:
      - Text of a new file, for order and comments. The given keys are filled in where it has them, and added at the end
        otherwise.
      - Must not contain secrets.
    type: str
  example_path:
    description:
      - A file for people who read the source. It lists the keys with the comments of O(content) and no values, and has
        mode C(0644).
      - Only a file that this module wrote is changed, so that an example of the source itself stays.
    type: path
  snapshot_path:
    description:
      - A private copy of the file from the activation of the release. It is only read.
      - If the file itself does not exist, it is restored from this copy.
    type: path
  owner:
    description: Owner of the file, a name or an id. By default that of an existing file, or the user of the task.
    type: str
seealso:
  - module: codeframe.staging.dotenv_info
"""

EXAMPLES = r"""
- name: Set the public URLs and the secret of the application
  codeframe.staging.dotenv_file:
    path: /srv/app/.env.staging
    values:
      NEXT_PUBLIC_WS_URL: wss://api.example.com/ws
      BACKEND_PORT: 14200
    secret_values:
      OPENAI_API_KEY: "{{ openai_api_key }}"
    generate:
      AUTH_SECRET:
        length: 64
    required_keys: [AUTH_SECRET]
    owner: deploy

- name: Set a password for an application whose file is never read by Next.js
  codeframe.staging.dotenv_file:
    path: /srv/app/.env.staging
    readers: [bash, dotenv, python-dotenv]
    secret_values:
      DATABASE_PASSWORD: 'p$word'
    absent_keys: [DATABASE_PASS]
"""

RETURN = r"""
path:
  description: The env file.
  returned: always
  type: str
  sample: /srv/app/.env.staging
keys_added:
  description: Keys that were not in the file.
  returned: success
  type: list
  elements: str
  sample: [AUTH_SECRET]
keys_changed:
  description: Keys that at least one reader read with another value.
  returned: success
  type: list
  elements: str
  sample: [NEXT_PUBLIC_WS_URL]
keys_removed:
  description: Keys that were removed.
  returned: success
  type: list
  elements: str
  sample: []
keys_generated:
  description: Keys whose value was generated in this run.
  returned: success
  type: list
  elements: str
  sample: [AUTH_SECRET]
keys_differing:
  description: Other keys that the readers do not read alike. They are left as they are.
  returned: success
  type: list
  elements: str
  sample: [LEGACY_GREETING]
attributes_changed:
  description: Which of V(mode) and V(owner) were wrong.
  returned: success
  type: list
  elements: str
  sample: [mode]
restores:
  description:
    - Whether the file has to change although the copy at O(snapshot_path) already has every wanted value. The file has
      drifted then, and nothing new is deployed.
  returned: success
  type: bool
  sample: false
example_changed:
  description: Whether the file at O(example_path) is missing or outdated.
  returned: success
  type: bool
  sample: false
line:
  description: The line of the file that cannot be parsed.
  returned: on failure, if it cannot be parsed
  type: int
  sample: 3
refused:
  description: Keys that were refused, each with C(key), C(why) and C(readers). Nothing was written.
  returned: on failure, if keys were refused
  type: list
  elements: dict
  sample: [{"key": "AUTH_SECRET", "why": "contains a \"$\" before a name", "readers": ["next"]}]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._dotenv.arguments import FILE
from ..module_utils._dotenv.document import ParseError
from ..module_utils._dotenv.manage import manage
from ..module_utils._dotenv.options import OptionsError
from ..module_utils._dotenv.plan import RefusedKeysError
from ..module_utils._dotenv.store import StoreError


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=FILE, supports_check_mode=True)
    path = module.params["path"]
    try:
        done = manage(module.params, predicting=module.check_mode)
    except ParseError as error:
        message = f"{error.of_file(path)}; nothing was changed"
        module.fail_json(msg=message, path=path, line=error.line)
    except RefusedKeysError as error:
        refused = [{"key": each.key, "why": each.why, "readers": list(each.readers)} for each in error.refusals]
        module.fail_json(msg=str(error), path=path, refused=refused)
    except (OptionsError, StoreError) as error:
        module.fail_json(msg=str(error), path=path)
    module.no_log_values.update(done.secrets)
    for warning in done.warnings:
        module.warn(warning)
    module.exit_json(**done.result)


if __name__ == "__main__":
    main()
