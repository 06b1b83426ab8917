# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments that releases share: what decides about one, and whether one is whole.

An environment stands where it was made, since its scripts name that path. What
is unfinished is therefore told by files inside: ``.building`` from the first
step to the last, ``.complete.json`` after it.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._host.files import write_atomic
from .._release.errors import ReleaseError
from .._release.tree import (
    ALWAYS_EXCLUDED,
    Exclusion,
    inside,
    read_tree,
    tree_digest,
    walk,
)

STAMP = ".complete.json"
BUILDING = ".building"
NOT_SOURCE = (*ALWAYS_EXCLUDED, "/build", "/dist", "*.egg-info", ".env", ".env.*")
INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)[\s=]*(?P<name>[^\s#]+)")
EDITABLE = re.compile(r"(?:-e|--editable)[\s=]*(?P<name>[^\s#]*)")
LOCAL = re.compile(r"(?:\.{1,2}(?:/|\[|\s|$)|/|file:)|[^#]*\s@\s*(?:file:|\.)")
PYTHON_FACTS = (
    "import importlib.util, json, platform, sys; "
    "print(json.dumps({'version': platform.python_version(), 'implementation': sys.implementation.name, "
    "'machine': platform.machine(), 'executable': sys.executable, "
    "'venv': all(importlib.util.find_spec(n) for n in ('venv', 'ensurepip'))}))"
)


@dataclass(frozen=True)
class Python:
    """An interpreter."""

    version: str
    implementation: str
    machine: str
    executable: str = ""
    venv: bool = True

    @property
    def identity(self) -> str:
        """What an environment depends on; compiled packages break when it moves."""
        return f"{self.implementation} {self.version} {self.machine}"


def python_from(text: str) -> Python:
    """Read what `PYTHON_FACTS` printed."""
    return Python(**json.loads(text.strip().splitlines()[-1]))


@dataclass(frozen=True)
class Ingredients:
    """All that decides about the content of an environment, as named digests."""

    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """One digest for all of them."""
        text = json.dumps(dict(self.parts), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def moved_since(self, former: Mapping[str, str]) -> tuple[str, ...]:
        """Say in words which of them moved."""
        names = [name for name in {**former, **self.parts} if former.get(name) != self.parts.get(name)]
        return tuple(f"{name} changed" for name in names)


def requirement_files(directory: str, name: str) -> dict[str, bytes]:
    """Return a requirements file and all that it includes, by their paths relative to the directory.

    :raises ReleaseError: If one is missing, or would tie the environment to one release.
    """
    found: dict[str, bytes] = {}
    pending = [(name, "")]
    while pending:
        path, included_by = pending.pop()
        path = os.path.normpath(path)
        if path in found:
            continue
        try:
            with open(os.path.join(directory, path), "rb") as file:
                found[path] = file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ReleaseError(
                f"there is no requirements file {path} in {directory}"
                + (f", which {included_by} includes" if included_by else "")
                + "; name another one or another way to install"
            ) from None
        for number, line in enumerate(_lines(found[path]), 1):
            editable = EDITABLE.match(line)
            if editable:
                raise ReleaseError(
                    f"{path} line {number} installs {editable.group('name') or 'the project'} editable, which would "
                    "tie the environment that releases share to one of them; use install: project, or the packages "
                    "alone"
                )
            include = INCLUDE.match(line)
            if include and "://" not in include.group("name"):
                pending.append((os.path.join(os.path.dirname(path), include.group("name")), path))
    return found


def installs_local_source(files: Mapping[str, bytes]) -> bool:
    """Whether requirements name a package by its directory."""
    return any(LOCAL.match(line) for content in files.values() for line in _lines(content))


def _lines(content: bytes) -> list[str]:
    return [line.strip() for line in content.decode("utf-8", "replace").replace("\\\n", " ").splitlines()]


def is_package(pyproject: str) -> bool:
    """Whether uv installs the project itself, not only what it depends on."""
    section = ""
    has_build_system = False
    for line in pyproject.splitlines():
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$", line)
        if header:
            section = header.group(1).replace(" ", "")
            has_build_system |= section == "build-system"
        told = re.match(r"\s*package\s*=\s*(true|false)\b", line) if section == "tool.uv" else None
        if told:
            return told.group(1) == "true"
    return has_build_system


def source_digest(directory: str) -> str:
    """Digest of a directory's source, where nobody told a better one."""
    return tree_digest(read_tree(directory, walk(directory, Exclusion(NOT_SOURCE))))


def delivered_digest(releases: str, place: str) -> str | None:
    """Digest of the source of a release, or of a directory in it, as it was delivered.

    Builds and files made at run time do not count, so that a second look finds the same.

    :param place: Relative path of the directory, beginning with the release's id.
    :returns: None where the directory is in no release.
    """
    release, _slash, inner = place.partition("/")
    try:
        with open(os.path.join(releases, "baselines", release, "delivered.json"), encoding="utf-8") as file:
            tree: dict[str, str] = json.load(file)
    except (OSError, ValueError):
        return None
    return tree_digest({path: entry for path, entry in tree.items() if not inner or inside(path, [inner])})


def content_digest(files: Mapping[str, bytes]) -> str:
    """One digest for some files."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()


# --- an environment on disk -----------------------------------------------------------------------


@dataclass(frozen=True)
class Condition:
    """What was found where an environment should be.

    :param interrupted: It was never finished, so nothing can use it.
    :param damage: Why it cannot be used as it is; empty if it can, or if there is none.
    """

    exists: bool
    interrupted: bool = False
    damage: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it can be used."""
        return self.exists and not self.interrupted and not self.damage


def read_stamp(directory: str) -> dict[str, Any] | None:
    """Read what was recorded when an environment was complete."""
    try:
        with open(os.path.join(directory, STAMP), encoding="utf-8") as file:
            stamp = json.load(file)
            return stamp if isinstance(stamp, dict) else None
    except (OSError, ValueError):
        return None


def distributions(directory: str) -> list[str]:
    """Return the distributions in an environment, as the names of their metadata directories."""
    return sorted(os.path.basename(path)[: -len(".dist-info")] for path in _metadata(directory))


def _metadata(directory: str) -> list[str]:
    return glob.glob(os.path.join(glob.escape(directory), "lib", "python3*", "site-packages", "*.dist-info"))


def missing_files(directory: str) -> list[str]:
    """Return installed files that are gone, or whose size is not the recorded one.

    Compiled bytecode is left out: Python makes it again, and others may clean it up.
    """
    found = []
    for metadata in _metadata(directory):
        site = os.path.dirname(metadata)
        try:
            with open(os.path.join(metadata, "RECORD"), encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
        except OSError:
            found.append(os.path.join(os.path.basename(metadata), "RECORD"))
            continue
        for row in rows:
            if len(row) != 3 or row[0].endswith(".pyc"):
                continue
            try:
                size = os.stat(os.path.join(site, row[0])).st_size
            except OSError:
                found.append(row[0])
                continue
            if row[0].endswith(".py") and row[2].isdigit() and size != int(row[2]):
                found.append(row[0])
    return found


def examine(directory: str, python: Python, interpreter: Python | None) -> Condition:
    """Say whether an environment is whole.

    :param python: The interpreter that is wanted.
    :param interpreter: What the environment's own interpreter said of itself; None if it does not run.
    """
    if not os.path.lexists(directory):
        return Condition(exists=False)
    if os.path.lexists(os.path.join(directory, BUILDING)):
        return Condition(exists=True, interrupted=True, damage=("its installation was interrupted",))
    stamp = read_stamp(directory)
    if stamp is None:
        return Condition(exists=True, damage=("the record of its completion is missing",))
    damage = []
    if interpreter is None:
        damage.append("its interpreter is missing or does not run")
    elif interpreter.identity != python.identity:
        damage.append(f"its interpreter is {interpreter.identity}, wanted is {python.identity}")
    present = set(distributions(directory))
    gone = [name for name in stamp.get("distributions", []) if name not in present]
    if gone:
        damage.append(f"packages are missing: {', '.join(gone[:5])}")
    else:
        files = missing_files(directory)
        if files:
            more = f" and {len(files) - 3} more" if len(files) > 3 else ""
            damage.append(f"installed files are missing or were changed: {', '.join(files[:3])}{more}")
    return Condition(exists=True, damage=tuple(damage))


def complete(directory: str, parts: Mapping[str, str], python: Python) -> list[str]:
    """Record that an environment is complete, and what is in it."""
    installed = distributions(directory)
    record = {"parts": dict(parts), "python": python.identity, "distributions": installed}
    write_atomic(os.path.join(directory, STAMP), json.dumps(record, indent=1, sort_keys=True) + "\n", mode=0o600)
    os.unlink(os.path.join(directory, BUILDING))
    return installed


def processes_from(directory: str) -> list[int]:
    """Return the processes whose interpreter was started from an environment."""
    found = []
    start = os.fsencode(os.path.join(directory, "bin", ""))
    for path in glob.iglob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                command = file.read()
        except OSError:
            continue
        if command.startswith(start):
            found.append(int(path.split("/")[2]))
    return found


# --- the plan -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What has to happen.

    :param name: The directory of the environment, below the shared one.
    :param clear: Whether something unfinished stands there and must go first.
    """

    name: str
    build: bool
    clear: bool
    reasons: tuple[str, ...]


def plan(digest: str, conditions: Sequence[tuple[str, Condition]], moved: Iterable[str], linked: str | None) -> Plan:
    """Choose the environment.

    One that is damaged may be running, so it stays, and a fresh one is made under another name.

    :param conditions: The names that this digest may have, in order; the last one is free.
    :param moved: Why the digest is another one than that of the environment linked now.
    :param linked: Name of the environment that is linked now.
    """
    for name, condition in conditions:
        if condition.whole:
            reasons = () if linked == name else (*moved, f"environment {name} is there already")
            return Plan(name, build=False, clear=False, reasons=tuple(reasons))
    damage = [
        f"environment {name}: {why}" for name, condition in conditions if condition.exists for why in condition.damage
    ]
    reasons = (*moved, *damage) or (f"there is no environment {digest} yet",)
    for name, condition in conditions:
        if not condition.exists or condition.interrupted:
            return Plan(name, build=True, clear=condition.exists, reasons=reasons)
    raise ValueError("one of the names must be free")


def names_for(digest: str, count: int = 20) -> list[str]:
    """The names that an environment with this digest may have."""
    return [digest, *(f"{digest}-{number}" for number in range(2, count + 1))]
