# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest beside the releases: what cannot be read from the directories themselves.

It belongs to the deploy user, so nothing in it decides what root or the controller does: that is in the saved state
(saved_state.py). The active release is not in it. The symbolic link alone says which one that is,
so that no interruption can make the two disagree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .._host.json_text import json_value
from .errors import ReleaseError
from .schema import (
    Check,
    SchemaError,
    any_object,
    boolean,
    count,
    list_of,
    map_of,
    matching,
    object_of,
    optional,
    text,
)
from .tree import relative_path

VERSION = 1
RELEASE_ID = re.compile(r"(\d{4,})-([0-9A-Za-z]{1,12})\Z")


@dataclass
class ReleaseRecord:
    """What is known of one release."""

    revision: str | None = None
    source_digest: str | None = None
    """Digest of the source as it was delivered, before any build changed a file."""
    origin: dict[str, Any] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)
    taken_over: bool = False
    complete: bool = False
    """Everything that ``release`` itself puts into the release is in it."""
    repaired: list[str] = field(default_factory=list)
    """Source files that were damaged in the release before, whose source was the same."""
    repaired_in: str | None = None


@dataclass
class Layout:
    """How the files of the project are treated; given with ``prepared``, kept for the other states."""

    shared_paths: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    env_files: list[str] = field(default_factory=list)
    carry: list[str] = field(default_factory=list)
    leave_behind: list[str] = field(default_factory=list)
    """Data that no other release gets, and that is deleted with its release."""


@dataclass
class Manifest:
    """All that the manifest holds."""

    counter: int = 0
    candidate: str | None = None
    committed: str | None = None
    """The release of the last verified state."""
    previous: str | None = None
    """The release of the verified state before the last one."""
    taking_over: str | None = None
    layout: Layout = field(default_factory=Layout)
    releases: dict[str, ReleaseRecord] = field(default_factory=dict)

    def next_id(self, revision: str | None) -> str:
        """Return the id of the next release; the counter is not changed."""
        short = re.sub(r"[^0-9A-Za-z]", "", revision or "")[:8] or "unknown"
        return f"{self.counter + 1:04d}-{short}"


def number_of(release: str) -> int:
    """Return the counter inside a release's id, by which releases are ordered."""
    match = RELEASE_ID.match(release)
    return int(match.group(1)) if match else 0


# --- schema -----------------------------------------------------------------------------------------


def _path_inside(value: Any, name: str) -> str:
    try:
        return relative_path(text(value, name), name)
    except ReleaseError as problem:
        raise SchemaError(str(problem)) from None


RECORDS: dict[str, Check] = {
    "backend_revision": text,
    "frontend_revision": text,
    "backend_after_activation": text,
}
"""What is recorded with a release: the revision of each process."""

_RECORDS = object_of(RECORDS)
RELEASE = matching(RELEASE_ID, "the id of a release")
_RECORD = object_of(
    {
        "revision": optional(text),
        "source_digest": optional(text),
        "origin": object_of({"type": text, "url": text, "version": text, "archive": text, "taken_over": boolean}),
        "records": _RECORDS,
        "taken_over": boolean,
        "complete": boolean,
        # Names of files, as the repository has them.
        "repaired": list_of(lambda value, name: value if isinstance(value, str) else text(value, name)),
        "repaired_in": optional(RELEASE),
    }
)
_LAYOUT = object_of(
    {
        "shared_paths": list_of(_path_inside),
        "exclude": list_of(text),
        "env_files": list_of(_path_inside),
        "carry": list_of(_path_inside),
        "leave_behind": list_of(_path_inside),
    }
)
_FIELDS: dict[str, Check] = {
    "counter": count,
    "candidate": optional(RELEASE),
    "committed": optional(RELEASE),
    "previous": optional(RELEASE),
    "taking_over": optional(RELEASE),
    "layout": _LAYOUT,
    "releases": map_of(_RECORD, RELEASE),
}
_MANIFEST = object_of(_FIELDS, required=tuple(_FIELDS))


def checked_records(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return records as the manifest keeps them.

    :raises ReleaseError: If a field is unknown or of the wrong kind.
    """
    try:
        records: dict[str, Any] = _RECORDS(given, "records")
    except SchemaError as problem:
        raise ReleaseError(f"the records of the release are refused: {problem}") from None
    return records


def to_text(manifest: Manifest) -> str:
    """Return the manifest as it is written."""
    return json.dumps({"version": VERSION, **asdict(manifest)}, indent=1, sort_keys=True) + "\n"


def from_text(content: str, path: str) -> Manifest:
    """Read a manifest.

    :param path: Named in the error.
    :raises ReleaseError: If it is damaged, of another version, or fails the schema.
    """
    try:
        document = any_object(json_value(content), "the document")
        version = document.pop("version", None)
        if version != VERSION:
            raise ReleaseError(
                f"{path} has version {version!r}, expected {VERSION}; "
                "it was written by another version of this collection, use that one"
            )
        data = _MANIFEST(document, "")
    except SchemaError as problem:
        raise _refused(path, str(problem)) from None
    except ValueError as problem:
        raise _refused(path, f"it is no JSON document ({problem})") from None
    return Manifest(
        **{
            **data,
            "layout": Layout(**data["layout"]),
            "releases": {name: ReleaseRecord(**record) for name, record in data["releases"].items()},
        }
    )


def _refused(path: str, why: str) -> ReleaseError:
    return ReleaseError(
        f"{path} is refused: {why}; move it away, and it is made again from the releases beside it, "
        "without the record of which of them were verified"
    )
