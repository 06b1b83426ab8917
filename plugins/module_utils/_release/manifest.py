# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest beside the releases: what cannot be read from the directories themselves.

Which release is the current one is not in it: the symbolic link alone says so,
and so no interruption can make the two disagree.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .tree import TreeError

SCHEMA = 1
RELEASE_ID = re.compile(r"(\d{4,})-([0-9A-Za-z]{1,12})\Z")


class ReleaseError(TreeError):
    """A sentence for the user about releases."""


@dataclass
class Record:
    """What is known of one release."""

    revision: str | None = None
    tree_digest: str | None = None
    """Digest of the source as it was delivered, before any build touched it."""
    origin: dict[str, Any] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    taken_over: bool = False
    complete: bool = False
    """Everything that ``release`` itself puts into the release is there."""
    sealed: bool = False
    repaired: list[str] = field(default_factory=list)
    """Source files that were damaged in the release before, whose source was the same."""
    repaired_in: str | None = None


@dataclass
class GoodState:
    """A state that passed verification, and all that is needed to return to it."""

    release: str
    proxy_state: dict[str, Any] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)


@dataclass
class Layout:
    """How the files of the project are treated; told to ``prepared``, kept for the other states."""

    shared_paths: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    env_files: list[str] = field(default_factory=list)
    hardlink: list[str] = field(default_factory=lambda: ["node_modules"])
    carry: list[str] = field(default_factory=list)


@dataclass
class Manifest:
    """All that the manifest holds."""

    counter: int = 0
    candidate: str | None = None
    good: GoodState | None = None
    former: GoodState | None = None
    taking_over: str | None = None
    proxy_before: dict[str, Any] = field(default_factory=dict)
    """What the proxy had before its first change that no verification has passed after."""
    layout: Layout = field(default_factory=Layout)
    releases: dict[str, Record] = field(default_factory=dict)

    def next_id(self, revision: str | None) -> str:
        """Return the id of the next release; the counter is not moved."""
        short = re.sub(r"[^0-9A-Za-z]", "", revision or "")[:8] or "unknown"
        return f"{self.counter + 1:04d}-{short}"


def number_of(release: str) -> int:
    """Return the counter inside a release's id, by which releases are ordered."""
    match = RELEASE_ID.match(release)
    return int(match.group(1)) if match else 0


def to_text(manifest: Manifest) -> str:
    """Return the manifest as it is written."""
    return json.dumps({"schema": SCHEMA, **asdict(manifest)}, indent=1, sort_keys=True) + "\n"


def from_text(text: str, path: str) -> Manifest:
    """Read a manifest.

    :param path: Named in the error.
    :raises ReleaseError: If it is damaged or of a newer schema.
    """
    try:
        data = json.loads(text)
        schema = data.pop("schema")
        if schema != SCHEMA:
            raise ReleaseError(
                f"{path} has schema {schema!r}, expected is {SCHEMA}; "
                "it was written by another version of this collection, use that one"
            )
        return Manifest(
            counter=int(data["counter"]),
            candidate=data["candidate"],
            good=_state(data["good"]),
            former=_state(data["former"]),
            taking_over=data["taking_over"],
            proxy_before=dict(data.get("proxy_before") or {}),
            layout=Layout(**data["layout"]),
            releases={name: Record(**record) for name, record in data["releases"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ReleaseError(
            f"{path} cannot be understood ({problem}); move it away, and it is made again from the releases beside it, "
            "without the memory of which of them passed verification"
        ) from None


def _state(data: Mapping[str, Any] | None) -> GoodState | None:
    return GoodState(**data) if data is not None else None


def load(path: str) -> Manifest | None:
    """Read the manifest from its file; None where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return from_text(file.read(), path)
    except FileNotFoundError:
        return None


def write_private(path: str, text: str) -> None:
    """Replace a file by one with mode 0600, at once: a reader sees the old or the new one, also after a crash."""
    temporary = f"{path}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def store(path: str, manifest: Manifest) -> None:
    """Write the manifest."""
    write_private(path, to_text(manifest))
