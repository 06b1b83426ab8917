# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock file of a project on the staging host."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .._host.files import open_directory, read_file, sweep, write_atomic
from .lock import Holder, Identity, LockAction, LockPlan, holder_from_json, plan_held, plan_released
from .project_key import project_key

#: Below /run: it needs no directory of the project, and does not outlive a restart of the host.
DIRECTORY = "/run/codeframe-staging"
_POLL_S = 0.5


class LockError(Exception):
    """The lock cannot be used; the message is a complete sentence."""


@dataclass(frozen=True)
class LockResult:
    """What was done with the lock.

    :param holder: Who holds it now, or None.
    """

    plan: LockPlan
    holder: Holder | None
    waited_s: float = 0.0


def boot_seconds() -> float:
    """Seconds since boot, including suspended time: no clock that is set can shorten or extend a lease."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class LockFile:
    """The lock of one project, used by one run.

    Beside it is the directory for the asynchronous tasks of the run that holds it. What a killed run has left there is
    removed with the lock.
    """

    def __init__(self, project: str, identity: Identity) -> None:
        self.project = project
        self.identity = identity
        self.path = lock_path(project)
        self.jobs = f"{os.path.splitext(self.path)[0]}.jobs"

    def look(self, *, release: bool) -> LockResult:
        """Return what would be done, without waiting."""
        found = read_holder(self.path) if os.path.isdir(DIRECTORY) else None
        if release:
            return LockResult(plan_released(found, self.identity), found)
        return LockResult(plan_held(found, self.identity, boot_seconds()), found)

    def acquire(self, *, lease_s: float, wait_s: float) -> LockResult:
        """Acquire or renew the lock, or wait until another run releases it.

        :returns: With the action ``WAIT`` if it is still held by another run after ``wait_s`` seconds.
        :raises LockError: If the lock cannot be read or written.
        """
        _prepare_directory()
        begin = time.monotonic()
        while True:
            with _exclusive():
                found = read_holder(self.path)
                now = boot_seconds()
                plan = plan_held(found, self.identity, now)
                waited_s = time.monotonic() - begin
                if plan.action is not LockAction.WAIT:
                    if plan.action is not LockAction.RENEW:
                        shutil.rmtree(self.jobs, ignore_errors=True)
                    holder = self._own(found if plan.action is LockAction.RENEW else None, now + lease_s)
                    write_atomic(self.path, holder.to_json(), mode=0o644, sync=False)
                    return LockResult(plan, holder, waited_s)
            if waited_s >= wait_s:
                return LockResult(plan, found, waited_s)
            time.sleep(min(_POLL_S, wait_s - waited_s))

    def release(self) -> LockResult:
        """Release the lock, if this run holds it.

        :raises LockError: If the lock cannot be read or deleted.
        """
        if not os.path.isdir(DIRECTORY):
            return LockResult(plan_released(None, self.identity), None)
        with _exclusive():
            found = read_holder(self.path)
            plan = plan_released(found, self.identity)
            if plan.action is LockAction.RELEASE:
                shutil.rmtree(self.jobs, ignore_errors=True)
                os.unlink(self.path)
                found = None
        return LockResult(plan, found)

    def _own(self, renewed: Holder | None, expires: float) -> Holder:
        since = renewed.since if renewed else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        run = self.identity
        return Holder(self.project, run.controller, run.pid, run.start, run.who, since, expires)


def present_holder(project: str) -> Holder | None:
    """The run that holds the lock of a project now; ``None`` if it is free or its lease has expired.

    :raises LockError: If the lock cannot be read.
    """
    holder = read_holder(lock_path(project)) if os.path.isdir(DIRECTORY) else None
    return holder if holder and holder.expires > boot_seconds() else None


def read_holder(path: str) -> Holder | None:
    """The content of a lock file; ``None`` if there is none.

    :raises LockError: If it cannot be read.
    """
    try:
        return holder_from_json(read_file(path).text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"the lock {path} cannot be read: {error.strerror}") from None


def lock_path(project: str) -> str:
    """The lock file of a project."""
    return os.path.join(DIRECTORY, f"{project_key(project)}.lock")


def _prepare_directory() -> None:
    try:
        os.mkdir(DIRECTORY, 0o755)
    except FileExistsError:
        pass
    except OSError as error:
        raise LockError(
            f"the directory {DIRECTORY} for the lock cannot be created: {error.strerror}; run the task as root"
        ) from None
    try:
        os.close(open_directory(DIRECTORY, owners={0, os.geteuid()}, forbid=0o022))
    except OSError as error:
        raise LockError(
            f"the directory {DIRECTORY} for the lock {error.strerror}; expected a directory that only root can write to"
        ) from None


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """Exclude other tasks on this host between reading and writing."""
    descriptor = open_directory(DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        sweep(DIRECTORY)
        yield
    except PermissionError as error:
        raise LockError(f"no lock can be written in {DIRECTORY}: {error.strerror}; run the task as root") from None
    finally:
        os.close(descriptor)
