# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a frontend must be built again, and why: its recorded and its present inputs in, reasons out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._host.json_text import json_value

VERSION = 1
#: The record of a build in its output directory.
RECORD = ".staging-build.json"


def record_beside(output: str) -> str:
    """Return the name of a record that is beside its output directory, because that is served as it is.

    It names sources and contains digests of secrets.
    """
    return f".{output.rpartition('/')[2].lstrip('.')}.staging-build.json"


def digest(text: str | bytes) -> str:
    data = text.encode("utf-8") if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()[:32]


@dataclass(frozen=True)
class Inputs:
    """Everything that a build depends on. Values of variables are digests: some are secrets."""

    source: Mapping[str, str]
    lock: str
    install_command: tuple[str, ...]
    build_command: tuple[str, ...]
    node_version: str
    env: Mapping[str, str]
    build_env: Mapping[str, str]
    source_revision: str = ""

    def fingerprint(self) -> str:
        return digest(json.dumps([VERSION, asdict(self)], sort_keys=True))[:16]


@dataclass(frozen=True)
class BuildRecord:
    """What is recorded of the last build.

    :param source_after: The sources that the build changed: Next.js rewrites tsconfig.json in place.
    :param chunks: Digests of its client scripts.
    :param files: The files of its output that are never written after the build.
    :param memory: Bytes that the build needed; 0 if that was not measured.
    """

    inputs: Inputs
    source_after: Mapping[str, str]
    chunks: Mapping[str, str]
    build_id: str
    revision: str
    files: Sequence[str] = ()
    memory: int = 0

    def to_json(self) -> str:
        return json.dumps({"version": VERSION, **asdict(self)}, sort_keys=True)


def read_record(text: str) -> BuildRecord | None:
    """Read a record; ``None`` if it is not one of this version."""
    try:
        value: dict[str, Any] = json_value(text)
        if value.pop("version") != VERSION:
            return None
        inputs = value.pop("inputs")
        for key in ("install_command", "build_command"):
            inputs[key] = tuple(inputs[key])
        value["files"] = tuple(value.get("files", ()))
        return BuildRecord(inputs=Inputs(**inputs), **value)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def changed_files(record: BuildRecord, source: Mapping[str, str]) -> list[str]:
    """Return the sources that are neither as before the build nor as the build left them."""
    before, after = record.inputs.source, record.source_after
    names = set(source) | set(before)
    return sorted(
        name
        for name in names
        if source.get(name) != before.get(name) and (name not in after or source.get(name) != after.get(name))
    )


def sources_before_build(record: BuildRecord, source: Mapping[str, str]) -> dict[str, str]:
    """Return the sources without what the recorded build changed in them."""
    rewritten = {name for name, value in record.source_after.items() if source.get(name) == value}
    before = {name: value for name, value in record.inputs.source.items() if name in rewritten}
    return {**{name: value for name, value in source.items() if name not in rewritten}, **before}


def reasons_to_build(record: BuildRecord | None, inputs: Inputs) -> list[str]:
    """Return what changed since the recorded build; empty if nothing did."""
    if record is None:
        return ["the build has no record of its inputs"]
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
    for previous, now in ((before.env, inputs.env), (before.build_env, inputs.build_env)):
        for key in sorted(set(previous) | set(now)):
            if previous.get(key) != now.get(key):
                word = "added" if key not in previous else "removed" if key not in now else "changed"
                reasons.append(f"{key} {word}")
    return reasons


def changed_chunks(record: BuildRecord, chunks: Mapping[str, str]) -> list[str]:
    """Return which client scripts are no longer those of the build."""
    names = sorted(name for name in set(chunks) | set(record.chunks) if chunks.get(name) != record.chunks.get(name))
    if not names:
        return []
    what = "is missing" if names[0] not in chunks else "was changed after the build"
    more = f", and {len(names) - 1} more differ" if len(names) > 1 else ""
    return [f"script {names[0]} {what}{more}"]
