# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a frontend must be installed and built again, and why, in words.

Pure: what was recorded and what is, in; reasons out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

SCHEMA = 1

# Written by the build itself, in place.
GENERATED = ("next-env.d.ts",)


def record_beside(output: str) -> str:
    """The name of the record of a build that stands beside its output directory, which is served as it is.

    It names sources and holds digests of secrets.
    """
    return f".{output.rpartition('/')[2].lstrip('.')}.staging-build.json"


class BuildError(Exception):
    """A frontend that cannot be installed or built; says why in one sentence."""


def digest(text: str | bytes) -> str:
    data = text.encode("utf-8") if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()[:32]


@dataclass(frozen=True)
class Inputs:
    """All that a build depends on. Values of variables are digests: some are secrets."""

    source: Mapping[str, str]
    lock: str
    install_command: tuple[str, ...]
    build_command: tuple[str, ...]
    node_version: str
    env: Mapping[str, str]
    build_env: Mapping[str, str]
    source_revision: str = ""

    def fingerprint(self) -> str:
        return digest(json.dumps([SCHEMA, asdict(self)], sort_keys=True))[:16]


@dataclass(frozen=True)
class Record:
    """What the last build left inside its output directory."""

    inputs: Inputs
    source_after: Mapping[str, str]
    """The sources after the build: Next.js rewrites tsconfig.json in place."""
    chunks: Mapping[str, str]
    build_id: str
    revision: str

    def to_json(self) -> str:
        return json.dumps({"schema": SCHEMA, **asdict(self)}, sort_keys=True)


def read_record(text: str) -> Record | None:
    """Read a record; ``None`` if it is none that this version understands."""
    try:
        value: dict[str, Any] = json.loads(text)
        if value.pop("schema") != SCHEMA:
            return None
        inputs = value.pop("inputs")
        for key in ("install_command", "build_command"):
            inputs[key] = tuple(inputs[key])
        return Record(inputs=Inputs(**inputs), **value)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def same_source(record: Record, source: Mapping[str, str]) -> bool:
    """Whether the sources are those of the build, or what the build itself made of them."""
    return not changed_files(record, source)


def changed_files(record: Record, source: Mapping[str, str]) -> list[str]:
    before, after = record.inputs.source, record.source_after
    names = set(source) | set(before)
    return sorted(
        name
        for name in names
        if source.get(name) != before.get(name) and (name not in after or source.get(name) != after.get(name))
    )


def reasons_to_build(record: Record | None, inputs: Inputs) -> list[str]:
    """Say what moved since the recorded build; empty if nothing did."""
    if record is None:
        return ["the build has no record of what it was made from"]
    before = record.inputs
    reasons = []
    files = changed_files(record, inputs.source)
    if files:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        reasons.append(f"source changed: {files[0]}{more}")
    if before.source_revision != inputs.source_revision:
        reasons.append(f"source revision changed from {before.source_revision or 'none'} to {inputs.source_revision}")
    if before.lock != inputs.lock:
        reasons.append("lock file changed")
    if before.build_command != inputs.build_command:
        reasons.append("build command changed")
    if before.install_command != inputs.install_command:
        reasons.append("install command changed")
    if before.node_version != inputs.node_version:
        reasons.append(f"Node.js is {inputs.node_version}, the build was made with {before.node_version}")
    for former, now in ((before.env, inputs.env), (before.build_env, inputs.build_env)):
        for key in sorted(set(former) | set(now)):
            if former.get(key) != now.get(key):
                word = "added" if key not in former else "removed" if key not in now else "changed"
                reasons.append(f"{key} {word}")
    return reasons


def changed_chunks(record: Record, chunks: Mapping[str, str]) -> list[str]:
    """Say which client scripts are no longer those of the build."""
    names = sorted(name for name in set(chunks) | set(record.chunks) if chunks.get(name) != record.chunks.get(name))
    if not names:
        return []
    what = "is missing" if names[0] not in chunks else "was changed after the build"
    more = f", and {len(names) - 1} more differ" if len(names) > 1 else ""
    return [f"client script {names[0]} {what}{more}"]


def reasons_to_install(lock: Mapping[str, Any], installed: Mapping[str, Any], present: set[str]) -> list[str]:
    """Compare npm's lock file with what it recorded as installed (``node_modules/.package-lock.json``).

    Optional packages, such as those of other platforms, may be absent.

    :param present: The package directories that exist, as paths like ``node_modules/next``.
    """
    wanted, there = lock.get("packages"), installed.get("packages")
    if not isinstance(wanted, dict) or not isinstance(there, dict):
        return ["node_modules does not say what was installed"]
    for path, entry in sorted(wanted.items()):
        if not path.startswith("node_modules/"):
            continue
        if path not in there:
            if entry.get("optional") or entry.get("devOptional") or entry.get("peer"):
                continue
            return [f"node_modules is not what the lock file says: {_package(path)} is not installed"]
        for key in ("version", "integrity", "resolved"):
            if key in entry and key in there[path] and entry[key] != there[path][key]:
                version = f"{there[path].get('version')} instead of {entry.get('version')}"
                return [f"node_modules is not what the lock file says: {_package(path)} is {version}"]
    extra = sorted(path for path in there if path not in wanted)
    if extra:
        return [f"node_modules is not what the lock file says: {_package(extra[0])} is not in it"]
    gone = sorted(path for path in there if path not in present)
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        return [f"node_modules is incomplete: {_package(gone[0])}{more} is missing"]
    return []


def _package(path: str) -> str:
    return path.rpartition("node_modules/")[2]


@dataclass(frozen=True)
class Manager:
    """A package manager as its lock file names it."""

    name: str
    lock_file: str
    install_command: tuple[str, ...]


def manager_for(files: Sequence[str], package: Mapping[str, Any]) -> Manager:
    """Choose the package manager by the lock file.

    Development packages are always installed: the build needs them, whatever NODE_ENV says.

    :param files: Names of the files beside ``package.json``.
    :raises BuildError: If there is no lock file.
    """
    npm = ("npm", "ci", "--include=dev", "--no-audit", "--no-fund")
    for name in ("npm-shrinkwrap.json", "package-lock.json"):
        if name in files:
            return Manager("npm", name, npm)
    if "pnpm-lock.yaml" in files:
        return Manager("pnpm", "pnpm-lock.yaml", ("pnpm", "install", "--frozen-lockfile", "--prod=false"))
    if "yarn.lock" in files:
        modern = re.match(r"yarn@(?!1\.|0\.)", str(package.get("packageManager", ""))) or ".yarnrc.yml" in files
        command = ("yarn", "install", "--immutable")
        return Manager(
            "yarn",
            "yarn.lock",
            command if modern else ("yarn", "install", "--frozen-lockfile", "--production=false"),
        )
    raise BuildError(
        "there is no lock file; expected package-lock.json, pnpm-lock.yaml or yarn.lock beside package.json"
    )


_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ERROR_STARTS = re.compile(
    r"^\s*(?:Failed to compile|Build failed|Type error:|Error:|SyntaxError|ReferenceError|TypeError|.*\berror TS[0-9]+:"
    r"|.*\[vite[^\]]*\].*(?:error|fail)|error during build|\u2a2f |.*ENOSPC|FATAL ERROR|npm error code|npm ERR! code"
    r"|> Build error occurred|.*Module not found|ERR_PNPM|error )",
    re.IGNORECASE,
)
_NPM_NOISE = re.compile(
    r"^(?:npm (?:error|ERR!)\s+(?:Lifecycle script|A complete log|path |workspace |location |command |code [0-9]|errno)"
    r"|npm (?:error|ERR!)\s*$"
    r"|npm (?:warn|notice)|\s+at .*(?:node_modules|node:internal)|Next\.js build worker exited|\s*$)"
)

_NPM_USAGE = re.compile(r"^npm (?:error|ERR!) (?:Clean install a project|Usage:)")


def compiler_message(output: str, limit: int = 25) -> list[str]:
    """Pick what the compiler said out of the output of a failed command.

    Everything from the first line that looks like an error on; otherwise the last lines.
    """
    lines = [_COLOURS.sub("", line).rstrip()[:400] for line in output.splitlines()]
    lines = [line for line in lines if not _NPM_NOISE.match(line)]
    usage = next((at for at, line in enumerate(lines) if _NPM_USAGE.match(line)), len(lines))
    del lines[usage:]
    start = next((at for at, line in enumerate(lines) if _ERROR_STARTS.match(line)), None)
    if start is None:
        return lines[-limit:]
    return lines[start : start + limit]
