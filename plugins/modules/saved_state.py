#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: saved_state
short_description: Save what a rollback restores, where only root can write
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - A rollback makes root and the controller act. It restores the configuration of the proxy, publishes static files,
    and verifies URLs with the logins of the inventory. What it acts on is saved in a directory of root's, apart from
    the releases, which belong to the deploy user.
  - The file is read only if it and every directory on the way belong to root, no other user can write to them, and the
    content passes a schema. It is refused otherwise, with the name of the field.
  - Run the task as root.
options:
  project_dir:
    description: The project directory, which names the saved state.
    type: path
    required: true
  state:
    description:
      - V(read) changes nothing.
      - V(proxy_saved) saves O(proxy_state) as the state of the proxy before it is changed (RV(proxy_before)). One that
        is saved already is older, and stays.
      - V(take_over_saved) saves O(before_take_over) in the same manner.
      - V(verified) saves O(proxy_state) and O(records) of the verified release O(release), and the time, which alone is
        no change. It deletes RV(proxy_before).
      - V(receiving) creates RV(incoming_dir), and empties it if a killed run has left something in it.
      - V(absent) deletes the saved state and its directory.
    type: str
    choices: [read, proxy_saved, take_over_saved, verified, receiving, absent]
    default: read
  proxy_state:
    description:
      - The state of the proxy, as role C(proxy) returns it.
      - For O(state=proxy_saved), an empty dictionary deletes the saved one.
      - For O(state=verified), without the option the saved one is kept.
    type: dict
  before_take_over:
    description: What served a directory before it was taken over. An empty dictionary deletes it.
    type: dict
  release:
    description: Id of the verified release.
    type: str
  records:
    description: How the release was verified and run. Each given value replaces the saved one.
    type: dict
    suboptions:
      verification:
        description: What was verified, as role C(websocket_verify) returns it in C(verified).
        type: dict
      backend_process:
        description: How the backend's process is run, as role C(backend) defines it.
        type: dict
      frontend_process:
        description: How the frontend's process is run, as role C(frontend) defines it.
        type: dict
  keep:
    description: For O(state=verified), ids of the releases whose states are kept beside that of O(release).
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Predicts the change without writing anything.
  diff_mode:
    support: none
    description: The saved state may contain secrets, so no difference is shown.
seealso:
  - module: codeframe.staging.release
"""

EXAMPLES = r"""
- name: Save the state of the proxy before it is changed
  codeframe.staging.saved_state:
    project_dir: /home/deploy/projects/app
    state: proxy_saved
    proxy_state:
      provider: nginx
      site_name: app
      content: ""
      main_content: ""
  become: true

- name: Save the verified state
  codeframe.staging.saved_state:
    project_dir: /home/deploy/projects/app
    state: verified
    release: 0002-9f8e7d6c
    keep: [0001-1a2b3c4d]
    records:
      verification:
        url: wss://api.example.com/ws
  become: true
"""

RETURN = r"""
path:
  description: The file with the saved state.
  returned: always
  type: str
  sample: /var/lib/codeframe-staging/app-1f2e3d4c5b6a/state.json
incoming_dir:
  description:
    - Directory of root's beside it, for archives that the deploy user reads. Others can enter it, but not list it or
      write to it.
  returned: always
  type: str
proxy_before:
  description: The state of the proxy before a change that no verification has covered yet. Empty if there is none.
  returned: always
  type: dict
before_take_over:
  description: What served the directory before it was taken over. Empty if nothing is saved.
  returned: always
  type: dict
verified:
  description:
    - The verified states by the id of the release, each with C(proxy_state), C(records) and C(verified_at), the time of
      its last verification (ISO 8601, UTC), which is empty if it is not known.
  returned: always
  type: dict
"""

import copy
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._release.arguments import SAVED_STATE
from ..module_utils._release.errors import ReleaseError
from ..module_utils._release.saved_state import SavedState, checked
from ..module_utils._release.state_store import StateStore


def changed_by(found: SavedState, params: dict[str, Any], now: str) -> SavedState:
    """Return the state that is wanted.

    :param now: The time (ISO 8601, UTC).
    """
    wanted = copy.deepcopy(found)
    if params["state"] == "proxy_saved":
        wanted.save_proxy(params["proxy_state"])
    elif params["state"] == "take_over_saved":
        wanted.save_before_take_over(params["before_take_over"])
    elif params["state"] == "absent":
        return SavedState(found.project)
    elif params["state"] == "verified":
        records = {name: value for name, value in (params["records"] or {}).items() if value is not None}
        wanted.verify(params["release"], params["proxy_state"], records, params["keep"], now)
    return checked(wanted)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=SAVED_STATE,
        required_if=[
            ("state", "proxy_saved", ("proxy_state",)),
            ("state", "take_over_saved", ("before_take_over",)),
            ("state", "verified", ("release",)),
        ],
        supports_check_mode=True,
    )
    store = StateStore(module.params["project_dir"])
    try:
        found = store.read()
        exists = store.exists()
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = changed_by(found, module.params, now)
        written = wanted != found or module.params["state"] == "verified"
        if written and module.params["state"] != "absent" and not module.check_mode:
            store.write(wanted)
        if module.params["state"] == "receiving" and not module.check_mode:
            store.make_incoming()
        if module.params["state"] == "absent" and exists and not module.check_mode:
            store.remove()
    except ReleaseError as problem:
        module.fail_json(msg=str(problem))
    except OSError as problem:
        module.fail_json(
            msg=f"the saved state {store.path} cannot be used: {problem.strerror or problem}; the task must run as root"
        )
    state = asdict(wanted)
    del state["project"]
    changed = exists if module.params["state"] == "absent" else wanted != found
    module.exit_json(changed=changed, path=store.path, incoming_dir=store.incoming, **state)


if __name__ == "__main__":
    main()
