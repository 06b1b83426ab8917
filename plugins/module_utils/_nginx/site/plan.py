# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the files of a site with what they should be, and derive the steps from one state to the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional, Union

from .layout import SiteLayout

FILE_MODE = 0o644


@dataclass(frozen=True)
class File:
    """A regular file."""

    text: str
    mode: int = FILE_MODE

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Link:
    """A symbolic link with an absolute target."""

    target: str

    def __str__(self) -> str:
        return f"-> {self.target}"


#: Paths to what they hold; ``None`` where nothing is.
SiteState = Mapping[str, Optional[Union[File, Link]]]


@dataclass(frozen=True)
class Moved:
    """A file or link of others that goes from one path to another, and why."""

    path: str
    target: str
    entry: File | Link
    reason: str


@dataclass(frozen=True)
class WantedSite:
    """Texts with their markers; ``None`` for a file that should not exist.

    ``main`` is ``None`` without ``main_text`` if the host has no place for it.
    """

    layout: SiteLayout
    text: str | None
    main: SiteLayout | None = None
    main_text: str | None = None
    #: Files and links of the site at paths of another layout.
    elsewhere: tuple[str, ...] = ()
    #: Files of others that the site replaces, and their targets where nginx does not load them.
    taken: tuple[Moved, ...] = ()
    #: The same in the other direction.
    returned: tuple[Moved, ...] = ()

    def state(self) -> SiteState:
        """What each path of the site should hold."""
        state: dict[str, File | Link | None] = dict.fromkeys([*self.elsewhere, *(each.path for each in self.moved)])
        state[self.layout.file] = None if self.text is None else File(self.text)
        if self.layout.link is not None:
            state[self.layout.link] = None if self.text is None else Link(self.layout.file)
        if self.main is not None:
            state[self.main.file] = None if self.main_text is None else File(self.main_text)
        state.update({each.target: each.entry for each in self.moved})
        return state

    @property
    def moved(self) -> tuple[Moved, ...]:
        return (*self.taken, *self.returned)

    @property
    def kept(self) -> frozenset[str]:
        """Paths at which files that were taken over are kept."""
        return frozenset((*(each.target for each in self.taken), *(each.path for each in self.returned)))

    def changes(self) -> dict[str, str | None]:
        """The paths that nginx includes, with their texts."""
        changes: dict[str, str | None] = dict.fromkeys([*self.elsewhere, *(each.path for each in self.taken)])
        changes[self.layout.loaded] = self.text
        if self.main is not None:
            changes[self.main.loaded] = self.main_text
        return changes


@dataclass(frozen=True)
class Freshness:
    """Start of the oldest active worker and newest change of a file that nginx reads, in seconds since the epoch."""

    oldest_worker: float | None
    newest_change: float | None


@dataclass(frozen=True)
class SitePlan:
    """What to do and why. ``before`` and ``after`` have the same paths."""

    before: SiteState
    after: SiteState
    reload: bool
    reasons: tuple[str, ...]

    @property
    def writes(self) -> bool:
        return self.before != self.after

    @property
    def changes(self) -> bool:
        return self.writes or self.reload


def plan(
    before: SiteState,
    after: SiteState,
    running: Freshness | None,
    tolerance_s: float,
    moved: Sequence[Moved] = (),
) -> SitePlan:
    """Compare the files with what they should be, and the running nginx with the files.

    :param running: ``None`` if nginx does not run.
    :param tolerance_s: Grain of the clocks that times of processes and files come from.
    :param moved: Paths whose changes have a reason of their own.
    """
    told = {path for each in moved for path in (each.path, each.target)}
    reasons = [each.reason for each in moved]
    reasons += [
        reason for path in after if path not in told and (reason := _difference(path, before.get(path), after[path]))
    ]
    reload = running is not None and bool(reasons)
    if running is not None and not reasons and _is_older(running, tolerance_s):
        reload = True
        reasons.append("nginx runs with workers older than the files on disk")
    return SitePlan(before, after, reload, tuple(reasons))


def _difference(path: str, before: File | Link | None, after: File | Link | None) -> str | None:
    if before == after:
        return None
    if after is None:
        return f"{path} exists and should not"
    if isinstance(after, Link):
        return f"{path} is not a link to {after.target}"
    if before is None:
        return f"{path} does not exist"
    if isinstance(before, File) and before.text == after.text:
        return f"{path} has mode {before.mode:04o}, expected {after.mode:04o}"
    return f"{path} has another content than wanted"


def _is_older(running: Freshness, tolerance_s: float) -> bool:
    changed, worker = running.newest_change, running.oldest_worker
    return changed is not None and worker is not None and changed > worker + tolerance_s


def steps(before: SiteState, after: SiteState, kept: Collection[str] = ()) -> Sequence[tuple[str, File | Link | None]]:
    """Paths to change with their new content, in an order in which nginx accepts the configuration after each step.

    A link is removed before the file that it points to, and made after it; what should be gone is removed before
    something new takes its place, since two copies of a site exclude each other.

    :param kept: Paths at which files that were taken over are kept: written before the original is removed, and
        removed after it is back.
    """

    def rank(path: str) -> int:
        new, old = after[path], before.get(path)
        if path in kept:
            return 4 if new is None else -1
        if new is None:
            return 0 if isinstance(old, Link) else 1
        return 3 if isinstance(new, Link) else 2

    changed = [path for path in after if before.get(path) != after[path]]
    return [(path, after[path]) for path in sorted(changed, key=rank)]
