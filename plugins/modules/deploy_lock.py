#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: deploy_lock
short_description: Hold, renew and release the deployment lock of a project
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Holds a lease on a project on the staging host, so that one deployment runs at a time. The lock file contains the
    controller, the process and the user that hold it, and the time since when.
  - A controller takes the lock over immediately from a run of its own that is dead. Another controller waits until the
    lease expires. The run that holds the lock renews the lease.
  - The lock file is in C(/run/codeframe-staging), so that it needs no directory of the project and does not outlive a
    restart of the host. Run the task as root.
  - A module cannot see the processes of the controller, so an action plugin of the same name reads them there. It also
    starts a process that releases the lock if the run is interrupted or killed, and that ends with the run.
attributes:
  check_mode:
    description: Returns who holds the lock. It does not acquire it, wait for it, or fail.
    support: full
  diff_mode:
    description:
      - A lock is no state of the host, so there is no difference to show, and RV(ignore:changed) is never true.
    support: none
options:
  state:
    description:
      - V(held) acquires the lock, waits for it, or renews it if this run holds it.
      - V(renewed) does the same without waiting, and fails if another run has acquired the lock in the meantime.
      - V(released) releases the lock. It does nothing if this run does not hold it.
    type: str
    choices: [held, renewed, released]
    default: held
  project:
    description: The project directory, which names the lock.
    type: path
    required: true
  identity:
    description:
      - The run and the controller, with C(controller), C(pid), C(start) and C(who), and C(live), the runs that are
        alive there. The action plugin sets it.
    type: dict
  lease_s:
    description:
      - Seconds after which another controller may take the lock over. It must be longer than the longest step between
        two renewals.
    type: int
    default: 1800
  wait_s:
    description: Seconds to wait for a lock that another run holds.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Acquire the deployment lock
  codeframe.staging.deploy_lock:
    project: /home/deploy/projects/app
    wait_s: 60

- name: Release the deployment lock
  codeframe.staging.deploy_lock:
    project: /home/deploy/projects/app
    state: released
"""

RETURN = r"""
held:
  description: Whether this run holds the lock now.
  returned: always
  type: bool
  sample: true
action:
  description: What was done, one of V(taken), V(taken_over), V(renewed), V(released), V(nothing) and V(wait).
  returned: always
  type: str
  sample: taken
reason:
  description: Why.
  returned: always
  type: str
  sample: it was free
holder:
  description: Who holds the lock now, empty if it is free.
  returned: always
  type: dict
  sample:
    controller: 9f2c4e0a1b3d5f67
    who: frank@laptop
    pid: 4711
    start: 123456
    since: "2030-01-02T03:04:05Z"
    lease_left_s: 1800
path:
  description: The lock file.
  returned: always
  type: str
  sample: /run/codeframe-staging/app-3f1b0c9d2e4a.lock
jobs:
  description:
    - Directory for the results of asynchronous tasks of the run that holds the lock, for C(ansible_async_dir). It is
      removed when the lock is taken and when it is released.
  returned: always
  type: str
  sample: /run/codeframe-staging/app-3f1b0c9d2e4a.jobs
waited_s:
  description: Seconds spent waiting for another run.
  returned: always
  type: float
  sample: 0.0
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._release.lock import Holder, Identity, LockAction, LockPlan, describe
from ..module_utils._release.lock_file import LockError, LockFile, LockResult, boot_seconds


def as_dict(holder: Holder | None) -> dict[str, Any]:
    """Return the holder as the result shows it."""
    if holder is None:
        return {}
    return {
        "controller": holder.controller,
        "who": holder.who,
        "pid": holder.pid,
        "start": holder.start,
        "since": holder.since,
        "lease_left_s": max(0, round(holder.expires - boot_seconds())),
    }


def result_of(lock: LockFile, done: LockResult) -> dict[str, Any]:
    """Return the result of the call."""
    return {
        "changed": False,
        "held": done.holder is not None and done.holder.is_run(lock.identity),
        "action": done.plan.action.value,
        "reason": done.plan.reason,
        "holder": as_dict(done.holder),
        "path": lock.path,
        "jobs": lock.jobs,
        "waited_s": round(done.waited_s, 3),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["held", "renewed", "released"], "default": "held"},
            "project": {"type": "path", "required": True},
            "identity": {"type": "dict"},
            "lease_s": {"type": "int", "default": 1800},
            "wait_s": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    params = module.params
    for option, least in (("lease_s", 1), ("wait_s", 0)):
        if params[option] < least:
            module.fail_json(msg=f"{option} is {params[option]}, expected a number of seconds from {least}")
    try:
        identity = Identity.from_mapping(params["identity"] or {})
    except ValueError as error:
        module.fail_json(msg=f"{error}; omit the option, so that the action plugin sets it")
    lock = LockFile(params["project"], identity)
    try:
        if module.check_mode:
            done = lock.look(release=params["state"] == "released")
        elif params["state"] == "released":
            done = lock.release()
        else:
            done = lock.acquire(lease_s=params["lease_s"], wait_s=params["wait_s"] if params["state"] == "held" else 0)
    except LockError as error:
        module.fail_json(msg=str(error), **result_of(lock, LockResult(LockPlan(LockAction.NOTHING, str(error)), None)))
    result = result_of(lock, done)
    if done.plan.action is LockAction.WAIT and done.holder is not None:
        message = describe(done.holder, boot_seconds(), lock.path)
        if not module.check_mode:
            module.fail_json(msg=message, **result)
        module.warn(message)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
