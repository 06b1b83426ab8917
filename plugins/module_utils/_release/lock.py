# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may deploy: a lease on a project, decided from what the lock file says and what the controller knows.

Two clocks matter, and neither is the time of day: a lease is counted in seconds since the boot of the staging host, a
process of the controller is told from a later one of the same number by its start, in ticks since that machine's boot.
"""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


def boot_seconds() -> float:
    """Seconds since boot, suspended time included: no clock that is set can shorten or stretch a lease."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


@dataclass(frozen=True)
class Identity:
    """One run on one controller, and what that controller knows of its other runs."""

    controller: str
    pid: int
    start: int
    who: str
    live: frozenset[str] | None = None
    """``pid:start`` of every run alive on the controller, or None where it cannot tell."""
    gathered: int = 0
    """When ``live`` was read, on the clock of ``start``: a run that started later may be alive all the same."""

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Identity:
        """:raises ValueError: If a part is missing or of another kind."""
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
    """The content of a lock file."""

    project: str
    controller: str
    pid: int
    start: int
    who: str
    since: str
    """The time of day when the lock was taken, for people."""
    expires: float
    """Seconds since the host's boot."""

    def is_run(self, identity: Identity) -> bool:
        return (self.controller, self.pid, self.start) == (identity.controller, identity.pid, identity.start)

    def is_dead_run_of(self, identity: Identity) -> bool:
        """Whether the same controller knows that the holder's process is gone."""
        if self.controller != identity.controller or identity.live is None:
            return False
        return self.start <= identity.gathered and f"{self.pid}:{self.start}" not in identity.live

    def to_json(self) -> str:
        return json.dumps({"schema": 1, **asdict(self)}, indent=1, sort_keys=True) + "\n"


def holder_from_json(text: str) -> Holder | None:
    """The holder, or None if the text is no lock (a lock is written in one step, so half of one is nobody's)."""
    try:
        found = json.loads(text)
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


class Action(enum.Enum):
    TAKE = "taken"
    TAKE_OVER = "taken_over"
    RENEW = "renewed"
    RELEASE = "released"
    NOTHING = "nothing"
    WAIT = "wait"


@dataclass(frozen=True)
class Plan:
    action: Action
    reason: str


def plan_held(holder: Holder | None, identity: Identity, now: float) -> Plan:
    """How a run comes to hold the lock; ``now`` is in seconds since the host's boot."""
    if holder is None:
        return Plan(Action.TAKE, "nobody held it")
    if holder.is_run(identity):
        return Plan(Action.RENEW, "this run holds it already")
    if holder.expires <= now:
        return Plan(Action.TAKE_OVER, f"the lease of {holder.who} had run out")
    if holder.is_dead_run_of(identity):
        return Plan(Action.TAKE_OVER, f"process {holder.pid} on this controller is gone")
    return Plan(Action.WAIT, f"{holder.who} holds it")


def plan_released(holder: Holder | None, identity: Identity, *, force: bool) -> Plan:
    if holder is None:
        return Plan(Action.NOTHING, "nobody held it")
    if holder.is_run(identity) or force:
        return Plan(Action.RELEASE, "this run held it" if holder.is_run(identity) else f"{holder.who} held it")
    return Plan(Action.NOTHING, f"{holder.who} holds it")


def sentence(holder: Holder, now: float, path: str) -> str:
    """Who holds the lock, in words for the one who has to wait."""
    left = max(0, round(holder.expires - now))
    return (
        f"{holder.project} is being deployed by {holder.who} (process {holder.pid}, since {holder.since}), whose lease "
        f"runs out in {left} s unless that run renews it; wait for it, or remove {path} if you know that it is dead"
    )
