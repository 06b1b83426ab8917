# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may deploy: a lease on a project, decided from the lock file and from what the controller knows.

Neither clock is the time of day. A lease is counted in seconds since the boot of the staging host. A process of the
controller is identified by its number and its start in ticks since that machine's boot, because numbers are reused.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._host.json_text import json_value


@dataclass(frozen=True)
class Identity:
    """One run on one controller, and what that controller knows of its other runs.

    :param live: ``pid:start`` of every run alive on the controller, or None if it cannot tell.
    :param gathered: When ``live`` was read, on the clock of ``start``: a run that started later may be alive as well.
    """

    controller: str
    pid: int
    start: int
    who: str
    live: frozenset[str] | None = None
    gathered: int = 0

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Identity:
        """Return the identity that the action plugin passes to the module.

        :raises ValueError: If a field is missing or of another type.
        """
        try:
            live = given.get("live")
            return cls(
                controller=str(given["controller"]),
                pid=int(given["pid"]),
                start=int(given["start"]),
                who=str(given["who"]),
                live=None if live is None else frozenset(str(entry) for entry in live),
                gathered=int(given.get("gathered", 0)),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"identity lacks {error}") from None


@dataclass(frozen=True)
class Holder:
    """The content of a lock file.

    :param since: The time of day when the lock was acquired, for people.
    :param expires: Seconds since the host's boot.
    """

    project: str
    controller: str
    pid: int
    start: int
    who: str
    since: str
    expires: float

    def is_run(self, identity: Identity) -> bool:
        return (self.controller, self.pid, self.start) == (identity.controller, identity.pid, identity.start)

    def is_dead_run_of(self, identity: Identity) -> bool:
        """Whether the same controller knows that the holder's process has ended."""
        if self.controller != identity.controller or identity.live is None:
            return False
        return self.start <= identity.gathered and f"{self.pid}:{self.start}" not in identity.live

    def to_json(self) -> str:
        return json.dumps({"version": 1, **asdict(self)}, indent=1, sort_keys=True) + "\n"


def holder_from_json(text: str) -> Holder | None:
    """Return the holder, or None if the text is no lock: a lock is written in one step, so it is never incomplete."""
    try:
        found = json_value(text)
        return Holder(
            project=str(found["project"]),
            controller=str(found["controller"]),
            pid=int(found["pid"]),
            start=int(found["start"]),
            who=str(found["who"]),
            since=str(found["since"]),
            expires=float(found["expires"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


class LockAction(enum.Enum):
    TAKE = "taken"
    TAKE_OVER = "taken_over"
    RENEW = "renewed"
    RELEASE = "released"
    NOTHING = "nothing"
    WAIT = "wait"


@dataclass(frozen=True)
class LockPlan:
    action: LockAction
    reason: str


def plan_held(holder: Holder | None, identity: Identity, now: float) -> LockPlan:
    """Decide how a run acquires the lock.

    :param now: Seconds since the host's boot.
    """
    if holder is None:
        return LockPlan(LockAction.TAKE, "it was free")
    if holder.is_run(identity):
        return LockPlan(LockAction.RENEW, "this run holds it")
    if holder.expires <= now:
        return LockPlan(LockAction.TAKE_OVER, f"the lease of {holder.who} had expired")
    if holder.is_dead_run_of(identity):
        return LockPlan(LockAction.TAKE_OVER, f"process {holder.pid} on this controller has ended")
    return LockPlan(LockAction.WAIT, f"{holder.who} holds it")


def plan_released(holder: Holder | None, identity: Identity) -> LockPlan:
    """Decide whether a run releases the lock."""
    if holder is None:
        return LockPlan(LockAction.NOTHING, "it was free")
    if holder.is_run(identity):
        return LockPlan(LockAction.RELEASE, "this run held it")
    return LockPlan(LockAction.NOTHING, f"{holder.who} holds it")


def describe(holder: Holder, now: float, path: str) -> str:
    """Return who holds the lock, for the user who has to wait."""
    left = max(0, round(holder.expires - now))
    return (
        f"{holder.project} is being deployed by {holder.who} (process {holder.pid}, since {holder.since}), whose lease "
        f"expires in {left} s unless that run renews it; wait for it, or delete {path} if you know that the run is dead"
    )
