"""Tables of manual changes and of faults, read from their YAML files, and a sample of pairs."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from deployment import CHECKOUT

DRIFTS = CHECKOUT / "molecule/drift/tests/drifts.yml"
FAULTS = CHECKOUT / "molecule/faults/tests/faults.yml"

#: The role whose tasks change something in a layer that has drifted.
ROLE_OF_LAYER = {
    "runtime": "runtime",
    "release": "release",
    "env_file": "app_env",
    "virtualenv": "backend",
    "backend_build": "backend",
    "build": "frontend",
    "backend": "backend",
    "frontend": "frontend",
    "static_files": "frontend",
    "proxy": "proxy",
}
REPAIRED, REFUSED, LEFT_ALONE = "repaired", "refused", "left_alone"
_LISTS = ("layers", "unknown", "roles", "possible")


@dataclass(frozen=True)
class Drift:
    """One manual change; drifts.yml describes the fields."""

    id: str
    drift: str
    user: str
    command: str
    layers: tuple[str, ...]
    group: str = ""
    end: str = REPAIRED
    unknown: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    says: str = ""
    warns: bool = False
    prepare: str = ""
    undo: str = ""
    keeps: str = ""
    pairs: bool = True
    last: bool = False
    alone: bool = False
    quick: bool = False

    @property
    def digest(self) -> str:
        """Of all but its description."""
        return _digest(replace(self, drift="", group="", quick=False))

    @property
    def changed_roles(self) -> frozenset[str]:
        """The roles that a run uses to repair it."""
        return frozenset(self.roles or (ROLE_OF_LAYER[layer] for layer in self.layers))


def _digest(row: object) -> str:
    return hashlib.sha256(repr(row).encode()).hexdigest()[:16]


def read_drifts(path: Path = DRIFTS) -> list[Drift]:
    """Return the rows of the table, in its order.

    :raises ValueError: If a row says something that cannot be, such as a repair without a layer.
    """
    rows = []
    for group, entries in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for entry in entries:
            lists = {name: tuple(entry[name]) for name in _LISTS if name in entry}
            row = Drift(**{**entry, **lists, "group": group})
            _refuse_contradictions(row)
            rows.append(row)
    names = [row.id for row in rows]
    if len(set(names)) != len(names):
        raise ValueError(f"rows of the same name in {path.name}: {sorted({n for n in names if names.count(n) > 1})}")
    return rows


def _refuse_contradictions(row: Drift) -> None:
    unknown = {*row.layers, *row.unknown} - set(ROLE_OF_LAYER)
    if unknown:
        raise ValueError(f"{row.id}: no layers are {', '.join(sorted(unknown))}")
    if row.end == REPAIRED and not row.layers:
        raise ValueError(f"{row.id}: it is repaired, but no layer drifts")
    if row.end == LEFT_ALONE and row.layers:
        raise ValueError(f"{row.id}: it is left alone, but layers drift")
    if row.end == REFUSED and not (row.says and row.undo):
        raise ValueError(f"{row.id}: it is refused, but nothing is said, or no command restores the host")


def bundles(rows: Sequence[Drift]) -> list[tuple[Drift, ...]]:
    """Return the rows in bundles that are made and repaired together.

    The rows of a bundle are in different layers, so that what the look names and the run changes belongs to one row
    each; or none of them is changed by a run. A row that activates a release, and a quick one, are alone.
    """
    made: list[list[Drift]] = []
    for row in rows:
        fits = (each for each in made if _joins(row) and all(_joins(other) and _apart(row, other) for other in each))
        bundle = next(fits, None)
        if bundle is None:
            made.append([row])
        else:
            bundle.append(row)
    return [tuple(sorted(bundle, key=lambda row: row.last)) for bundle in made]


@dataclass(frozen=True)
class Facts:
    """What was seen of rows that were tried together, whatever the table expects.

    :param drifted: The layers that the look named.
    :param unknown: Those that it could not compare.
    :param predicted: The roles that check mode said would change something.
    :param changed: Those that did.
    :param wrong: What was not served afterwards, and invariants that did not hold.
    """

    drifted: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    ended: str = "failed"
    wrong: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Facts:
        """Read the facts of a result file."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        return cls(**values)


def problems(rows: Sequence[Drift], facts: Facts) -> list[str]:
    """Return what is not as the table says, each in one sentence."""
    ends = {row.end for row in rows}
    end = REPAIRED if REPAIRED in ends else ends.pop()
    roles = {role for row in rows if row.end != REFUSED for role in row.changed_roles}
    possible = {role for row in rows for role in row.possible}
    wanted: Sequence[tuple[str, Iterable[str], Iterable[str]]] = (
        ("the look names", facts.drifted, (layer for row in rows for layer in row.layers)),
        ("the look cannot compare", facts.unknown, (layer for row in rows for layer in row.unknown)),
        ("check mode predicts", facts.predicted, roles | possible),
        ("the run changes", facts.changed, roles),
        ("it is", [facts.ended], [end]),
    )
    found = [(what, sorted({*seen}), sorted({*expected})) for what, seen, expected in wanted]
    return [f"{what} {seen}, not {expected}" for what, seen, expected in found if seen != expected] + [*facts.wrong]


def batches(rows: Sequence[Drift], number: int) -> list[tuple[Drift, ...]]:
    """Return the rows in their order, at most so many together."""
    return [tuple(rows[start : start + number]) for start in range(0, len(rows), number)]


def _joins(row: Drift) -> bool:
    in_place = {"runtime", "env_file", "backend", "frontend", "static_files", "proxy"}
    return not (row.alone or row.quick) and {*row.layers} <= in_place


def _apart(row: Drift, other: Drift) -> bool:
    return row.end == other.end and not {*row.layers} & {*other.layers}


@dataclass(frozen=True)
class Pair:
    """Two manual changes, made one after the other; one that removes what the other changes comes last."""

    first: Drift
    second: Drift

    @classmethod
    def of(cls, one: Drift, other: Drift) -> Pair:
        return cls(other, one) if one.last and not other.last else cls(one, other)

    @property
    def id(self) -> str:
        return f"{self.first.id}+{self.second.id}"

    @property
    def digest(self) -> str:
        return f"{self.first.digest}+{self.second.digest}"


def sample_pairs(rows: Sequence[Drift], *, seed: int = 1) -> list[Pair]:
    """Return pairs in which each group meets each other group, and each row that a run repairs occurs.

    The same rows and seed make the same pairs.
    """
    chosen = sorted((row for row in rows if row.end == REPAIRED and row.pairs), key=lambda row: _order(row, seed))
    groups = {row.group: [each for each in chosen if each.group == row.group] for row in chosen}
    # Each group hands out its rows in turn, so that as many as possible occur.
    turns = {name: itertools.cycle(members) for name, members in sorted(groups.items())}
    pairs = [Pair.of(next(turns[one]), next(turns[other])) for one, other in itertools.combinations(turns, 2)]
    met = {row.id for pair in pairs for row in (pair.first, pair.second)}
    left = [row for row in chosen if row.id not in met]
    while left:
        first = left.pop()
        # A row of the same group may undo the other one.
        second = next(row for row in (*left, *chosen) if row.group != first.group)
        left = [row for row in left if row != second]
        pairs.append(Pair.of(first, second))
    return pairs


def _order(row: Drift, seed: int) -> str:
    return hashlib.sha256(f"{seed} {row.id}".encode()).hexdigest()


KILLED, PASSED, FAILED, RESTORED = "killed", "passed", "failed", "restored"


@dataclass(frozen=True)
class Fault:
    """One fault during a deployment; faults.yml describes the fields."""

    id: str
    fault: str
    ends: str
    group: str = ""
    deploys: str = "same"
    edit: tuple[str, ...] = ()
    rollback: bool = False
    disk: bool = False
    before: str = ""
    at: str = ""
    delay_s: float = 0
    during: str = ""
    says: str = ""
    after: str = ""
    variables: Mapping[str, object] = field(default_factory=dict)
    outage: str = ""
    quick: bool = False

    @property
    def digest(self) -> str:
        """Of all but its description."""
        return _digest(replace(self, fault="", outage="", group="", quick=False))

    @property
    def broken(self) -> bool:
        """What it deploys cannot work, and is not deployed again."""
        return bool(self.edit) or self.deploys in ("broken_page", "missing_package")


def read_faults(path: Path = FAULTS) -> list[Fault]:
    """Return the rows of the table, in its order.

    :raises ValueError: If a row says something that cannot be.
    """
    rows = []
    for group, entries in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for entry in entries:
            row = Fault(**{**entry, "edit": tuple(entry.get("edit", ())), "group": group})
            if row.ends not in (KILLED, PASSED, FAILED, RESTORED):
                raise ValueError(f"{row.id}: no end is {row.ends}")
            if bool(row.at) != bool(row.during):
                raise ValueError(f"{row.id}: what happens, and at which task, belong together")
            rows.append(row)
    names = [row.id for row in rows]
    if len(set(names)) != len(names):
        raise ValueError(f"rows of the same name in {path.name}: {sorted({n for n in names if names.count(n) > 1})}")
    return rows


def chains(rows: Sequence[Fault], length: int = 4) -> list[tuple[Fault, ...]]:
    """Return the rows in chains: their runs follow one another, and one run after the last repairs what all have left.

    Runs that are killed, and releases that do not work, are chained with neighbours of their group. All others need
    the state that the run before them has restored.
    """
    made: list[tuple[Fault, ...]] = []
    for row in rows:
        last = made[-1] if made else ()
        if last and len(last) < length and row.group == last[0].group and all(map(_chained, (row, *last))):
            made[-1] = (*last, row)
        else:
            made.append((row,))
    return made


def _chained(row: Fault) -> bool:
    killed = row.ends == KILLED and row.during == "kill"
    return (killed or row.broken) and not (row.disk or row.before or row.after or row.outage or row.quick)


def fault_problems(row: Fault, result: Mapping[str, Any]) -> list[str]:
    """Return what is not as the table says of a fault, each in one sentence.

    :param result: A result file: ``ended``, ``words`` (the end of the output), ``next_run`` (the roles that it changed)
        and ``load``, as far as the row came.
    """
    found = []
    if result.get("ended") != row.ends:
        found.append(f"the run ended {result.get('ended')}, not {row.ends}")
    if row.says not in result.get("words", ""):
        found.append(f"it does not say {row.says}")
    if not isinstance(result.get("next_run"), list):
        found.append("the next run did not repair it")
    pages = result.get("load", {}).get("pages", {"passed": 0, "failed": 0})
    if not pages["passed"] or (pages["failed"] and not row.outage):
        found.append(f"{pages['failed']} of {pages['failed'] + pages['passed']} page loads failed")
    return found + list(result.get("wrong", ()))


@dataclass(frozen=True)
class Places:
    """What names in braces stand for in the commands of a table; all other braces stay."""

    names: Mapping[str, str] = field(default_factory=dict)

    def fill(self, command: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self.names.get(found[1], found[0]), command)
