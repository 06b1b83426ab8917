# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which static files a web server should have: those of the served build, and those that open tabs still ask for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: What one build directory may have published before its first files go: a directory that is built in place again and
#: again is never deleted, as a release is.
_KEPT_PER_SOURCE = 2


class StaticFilesError(Exception):
    """A sentence for the user."""


@dataclass(frozen=True)
class Generation:
    """The files of one build.

    :param source: The directory that they come from, links resolved.
    :param files: Digest of the content by path relative to that directory.
    """

    source: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    :param generations: All that stay published, the served one last.
    :param write: Paths to write, with the digest that they should have.
    :param remove: Paths of ours that belong to no generation any more.
    :param foreign: Paths that we never published; they are left alone.
    :param reasons: In words; empty if nothing is to be done.
    """

    generations: tuple[Generation, ...]
    write: Mapping[str, str]
    remove: tuple[str, ...]
    foreign: tuple[str, ...]
    reasons: tuple[str, ...]


def plan(
    published: Sequence[Generation],
    wanted: Generation,
    present: Mapping[str, str],
    existing_sources: Collection[str],
    unpublished: Sequence[Generation] = (),
) -> Plan:
    """Compare what is published with what should be.

    Files of a build whose directory is gone are removed, but only together with the publication of another build: the
    deletion of an old release alone changes nothing for the web server.

    :param published: What was published before, the newest last.
    :param present: Digest by path of what stands in the published directory.
    :param existing_sources: Those of ``published`` that still exist.
    :param unpublished: Former builds that were served without being published; they come along with another build.
    """
    same = bool(published) and published[-1] == wanted
    others = [generation for generation in published if generation != wanted]
    if not same:
        alive = [generation for generation in others if generation.source in existing_sources]
        spare = [generation for generation in alive if generation.source == wanted.source][: 1 - _KEPT_PER_SOURCE]
        others = [
            *(generation for generation in unpublished if generation.source != wanted.source),
            *(generation for generation in alive if not any(generation is gone for gone in spare)),
        ]
    generations = (*others, wanted)

    # Two builds may give one path different contents (a build id set by hand); what is served wins.
    due = _union(generations)
    ours = {*due, *_union(published)}
    write = {path: digest for path, digest in due.items() if present.get(path) != digest}
    remove = tuple(sorted(path for path in ours if path in present and path not in due))
    known = _union(published)
    edited = sorted(path for path in write if path in present and known.get(path) == due[path])
    missing = sorted(path for path in write if path not in present and path in known)

    reasons = []
    if not same:
        new = [path for path in write if path not in known]
        reasons.append(f"{len(new)} files of another build" if new else "another build, with files that are there")
    if edited:
        reasons.append(f"edited: {_named(edited)}")
    if missing:
        reasons.append(f"missing: {_named(missing)}")
    if remove:
        reasons.append(f"{len(remove)} files of builds that are gone")
    return Plan(generations, write, remove, tuple(sorted(set(present) - ours)), tuple(reasons))


def _union(generations: Sequence[Generation]) -> dict[str, str]:
    files: dict[str, str] = {}
    for generation in generations:
        files.update(generation.files)
    return files


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more


def to_json(generations: Sequence[Generation]) -> dict[str, Any]:
    return {
        "schema": 1,
        "generations": [{"source": generation.source, "files": dict(generation.files)} for generation in generations],
    }


def from_json(document: Any) -> tuple[Generation, ...]:
    """Read what :func:`to_json` made.

    :raises StaticFilesError: If it is something else.
    """
    try:
        if document["schema"] != 1:
            raise StaticFilesError(f"it has the schema {document['schema']!r}, and 1 was expected")
        return tuple(
            Generation(str(entry["source"]), {str(path): str(digest) for path, digest in entry["files"].items()})
            for entry in document["generations"]
        )
    except (KeyError, TypeError, AttributeError) as err:
        raise StaticFilesError("it does not list generations of files") from err
