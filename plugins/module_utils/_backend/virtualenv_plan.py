# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which virtual environment a release links to, and whether it must be created."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .environment import Condition


@dataclass(frozen=True)
class VirtualenvInputs:
    """Everything that decides what an environment contains, as named digests."""

    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """One digest for all of them."""
        text = json.dumps(dict(self.parts), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def changed_since(self, previous: Mapping[str, str]) -> tuple[str, ...]:
        """Return which of them changed."""
        names = [name for name in {**previous, **self.parts} if previous.get(name) != self.parts.get(name)]
        return tuple(f"{name} changed" for name in names)


@dataclass(frozen=True)
class VirtualenvPlan:
    """What has to be done.

    :param name: The directory of the environment, below the shared one.
    :param build: It must be created.
    :param clear: An incomplete one is in its place and must be deleted first.
    """

    name: str
    build: bool
    clear: bool
    reasons: tuple[str, ...]


def plan_virtualenv(
    digest: str, conditions: Sequence[tuple[str, Condition]], changed: Iterable[str], linked: str | None
) -> VirtualenvPlan:
    """Choose the environment.

    Processes may run from one that is damaged, so it stays, and another one is created under another name.

    :param conditions: The names that an environment with this digest may have, in order; one of them is free or usable.
    :param changed: Why the digest is not that of the environment linked now.
    :param linked: Name of the environment that is linked now.
    """
    for name, condition in conditions:
        if condition.usable:
            reasons = () if linked == name else (*changed, f"environment {name} exists")
            return VirtualenvPlan(name, build=False, clear=False, reasons=tuple(reasons))
    damage = [
        f"environment {name}: {why}" for name, condition in conditions if condition.exists for why in condition.damage
    ]
    reasons = (*changed, *damage) or (f"there is no environment {digest} yet",)
    for name, condition in conditions:
        if not condition.exists or condition.interrupted:
            return VirtualenvPlan(name, build=True, clear=condition.exists, reasons=reasons)
    raise ValueError("one of the names must be free")


def names_for(digest: str, count: int = 20) -> list[str]:
    """Return the names that an environment with this digest may have."""
    return [digest, *(f"{digest}-{number}" for number in range(2, count + 1))]
