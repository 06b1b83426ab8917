#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: deploy_lock
short_description: One deployment of a project at a time
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Holds a lease on a project on the staging host. The lock file says which controller holds it, with which process,
    who that is and since when.
  - The same controller takes over at once from a run of its own that is dead. Another one waits until the lease runs
    out, which the run that holds it renews as it goes.
  - The file stands under C(/run), so that it needs no directory of the project's and does not outlive a restart of the
    host.
  - What runs on the host cannot see the processes of the controller, so an action plugin of the same name reads them
    there. It leaves a process behind that frees the lock where the run is interrupted or killed, and ends with it.
attributes:
  check_mode:
    description: Says who holds the lock, takes none, waits for none and does not fail.
    support: full
  diff_mode:
    description: A lock is no state of the host, so there is nothing to show, and RV(ignore:changed) is never true.
    support: none
options:
  state:
    description:
      - V(held) takes the lock, waits for it, or renews it if this run holds it already.
      - V(renewed) does the same without waiting, and fails if another run has taken the lock in the meantime.
      - V(released) gives it back, and does nothing if this run does not hold it.
    type: str
    choices: [held, renewed, released]
    default: held
  project:
    description: The project directory, which names the lock.
    type: path
    required: true
  identity:
    description:
      - Which run on which controller this is, with C(controller), C(pid), C(start) and C(who), and C(live), the runs
        that are alive there. Only to be given where something other than this run of Ansible is to hold the lock.
    type: dict
  lease_s:
    description:
      - Seconds after which another controller may take the lock. Must be longer than the longest step between two
        renewals.
    type: int
    default: 1800
  wait_s:
    description: Seconds to wait for a lock that another run holds.
    type: int
    default: 0
  force:
    description: With O(state=released), take the lock away from whoever holds it.
    type: bool
    default: false
  lock_dir:
    description: Directory of the lock files. It is made if it is missing, and has to belong to root or to the caller.
    type: path
    default: /run/codeframe-staging
"""

EXAMPLES = r"""
- name: One deployment at a time
  codeframe.staging.deploy_lock:
    project: /home/deploy/projects/app
    wait_s: 60

- name: Somebody else's turn
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
  sample: nobody held it
holder:
  description: Who holds the lock now, empty if nobody does.
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
waited_s:
  description: Seconds spent waiting for another run.
  returned: always
  type: float
  sample: 0.0
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._release import lock as _lock

POLL_S = 0.5


class LockError(Exception):
    """The lock cannot be handled; the message is a whole sentence."""


def lock_path(directory: str, project: str) -> str:
    name = os.path.basename(project.rstrip("/")) or "project"
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return os.path.join(directory, f"{safe}-{hashlib.sha256(project.rstrip('/').encode()).hexdigest()[:12]}.lock")


def read_holder(path: str) -> _lock.Holder | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"the lock {path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        return _lock.holder_from_json(file.read())


def write_holder(path: str, holder: _lock.Holder) -> None:
    aside = f"{path}.{secrets.token_hex(4)}.new"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(holder.to_json())
    os.rename(aside, path)


def prepare_directory(directory: str) -> None:
    try:
        os.mkdir(directory, 0o755)
    except FileExistsError:
        pass
    except OSError as error:
        raise LockError(
            f"the directory {directory} for the lock cannot be made: {error.strerror}; "
            "run the task as root or set lock_dir"
        ) from None
    status = os.lstat(directory)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {0, os.geteuid()} or status.st_mode & 0o022:
        raise LockError(f"{directory} is no directory that only its owner can write to; set lock_dir to another one")


@contextlib.contextmanager
def alone(directory: str) -> Iterator[None]:
    """Exclude other tasks on this host for the moment between looking and writing."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    except PermissionError as error:
        raise LockError(f"no lock can be written in {directory}: {error.strerror}; run the task as root") from None
    finally:
        os.close(descriptor)


class Lock:
    """The lock of one project, as one task handles it."""

    def __init__(self, module: AnsibleModule, identity: _lock.Identity) -> None:
        self.module = module
        self.identity = identity
        self.project: str = module.params["project"]
        self.directory: str = module.params["lock_dir"]
        self.path = lock_path(self.directory, self.project)
        self.lease_s: int = module.params["lease_s"]
        self.waited_s = 0.0

    def look(self, plan: Callable[[_lock.Holder | None], _lock.Plan]) -> None:
        found = read_holder(self.path) if os.path.isdir(self.directory) else None
        wanted = plan(found)
        if wanted.action is _lock.Action.WAIT and found is not None:
            self.module.warn(_lock.sentence(found, _lock.boot_seconds(), self.path))
        self.report(wanted, found)

    def hold(self, *, wait_s: int) -> None:
        prepare_directory(self.directory)
        begin = time.monotonic()
        while True:
            with alone(self.directory):
                found = read_holder(self.path)
                now = _lock.boot_seconds()
                plan = _lock.plan_held(found, self.identity, now)
                if plan.action is not _lock.Action.WAIT:
                    holder = self.own(found if plan.action is _lock.Action.RENEW else None, now)
                    write_holder(self.path, holder)
                    self.report(plan, holder)
            self.waited_s = time.monotonic() - begin
            if self.waited_s >= wait_s and found is not None:
                self.report_lost(found, now)
            time.sleep(min(POLL_S, max(0.0, wait_s - self.waited_s)))

    def own(self, former: _lock.Holder | None, now: float) -> _lock.Holder:
        since = former.since if former else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        run = self.identity
        return _lock.Holder(self.project, run.controller, run.pid, run.start, run.who, since, now + self.lease_s)

    def release(self) -> None:
        if not os.path.isdir(self.directory):
            self.report(_lock.plan_released(None, self.identity, force=False), None)
        with alone(self.directory):
            found = read_holder(self.path)
            plan = _lock.plan_released(found, self.identity, force=self.module.params["force"])
            if plan.action is _lock.Action.RELEASE:
                os.unlink(self.path)
                found = None
        self.report(plan, found)

    def report(self, plan: _lock.Plan, holder: _lock.Holder | None) -> None:
        self.module.exit_json(**self.result(plan, holder))

    def report_lost(self, holder: _lock.Holder, now: float) -> None:
        result = self.result(_lock.Plan(_lock.Action.WAIT, f"{holder.who} holds it"), holder)
        self.module.fail_json(msg=_lock.sentence(holder, now, self.path), **result)

    def result(self, plan: _lock.Plan, holder: _lock.Holder | None) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        if holder is not None:
            shown = {
                "controller": holder.controller,
                "who": holder.who,
                "pid": holder.pid,
                "start": holder.start,
                "since": holder.since,
                "lease_left_s": max(0, round(holder.expires - _lock.boot_seconds())),
            }
        return {
            "changed": False,
            "held": holder is not None and holder.is_run(self.identity),
            "action": plan.action.value,
            "reason": plan.reason,
            "holder": shown,
            "path": self.path,
            "waited_s": round(self.waited_s, 3),
        }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["held", "renewed", "released"], "default": "held"},
            "project": {"type": "path", "required": True},
            "identity": {"type": "dict"},
            "lease_s": {"type": "int", "default": 1800},
            "wait_s": {"type": "int", "default": 0},
            "force": {"type": "bool", "default": False},
            "lock_dir": {"type": "path", "default": "/run/codeframe-staging"},
        },
        supports_check_mode=True,
    )
    state = module.params["state"]
    for option, least in (("lease_s", 1), ("wait_s", 0)):
        if module.params[option] < least:
            given = module.params[option]
            module.fail_json(msg=f"{option} is {given}, but a number of seconds from {least} is expected")
    try:
        identity = _lock.Identity.from_mapping(module.params["identity"] or {})
    except ValueError as error:
        module.fail_json(msg=f"{error}; leave the option out, so that the controller fills it in")
    lock = Lock(module, identity)
    try:
        if module.check_mode and state == "released":
            lock.look(lambda found: _lock.plan_released(found, identity, force=module.params["force"]))
        elif module.check_mode:
            lock.look(lambda found: _lock.plan_held(found, identity, _lock.boot_seconds()))
        elif state == "released":
            lock.release()
        else:
            lock.hold(wait_s=module.params["wait_s"] if state == "held" else 0)
    except LockError as error:
        module.fail_json(msg=str(error), path=lock.path)


if __name__ == "__main__":
    main()
