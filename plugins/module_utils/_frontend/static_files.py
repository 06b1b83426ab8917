# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which static files are published: those of the active build, and those that open tabs still request."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

#: Builds of one directory whose files stay published: a directory that is built in place is never deleted, as a release
#: is.
_KEPT_PER_SOURCE = 2


class StaticFilesError(Exception):
    """Static files that cannot be published; the message is a sentence."""


@dataclass(frozen=True)
class Generation:
    """The files of one build.

    :param source: The directory of the build, symbolic links resolved.
    :param files: Digest of the content by path relative to that directory.
    """

    source: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class PublicationPlan:
    """What has to be done.

    :param generations: The builds that stay published, the active one last.
    :param write: Paths to write, with the digest that they should have.
    :param remove: Published paths that belong to no build any more.
    :param unmanaged: Paths that were never published; they stay.
    :param reasons: Empty if no change is required.
    """

    generations: tuple[Generation, ...]
    write: Mapping[str, str]
    remove: tuple[str, ...]
    unmanaged: tuple[str, ...]
    reasons: tuple[str, ...]


def plan_publication(
    published: Sequence[Generation],
    wanted: Generation,
    present: Mapping[str, str],
    existing_sources: Collection[str],
    unpublished: Sequence[Generation] = (),
    stays: Callable[[str], bool] = lambda _path: True,
) -> PublicationPlan:
    """Compare what is published with what should be.

    Files of a build whose directory was deleted are removed together with the publication of another build. The
    deletion of an old release alone is no reason to publish.

    :param published: The builds that are published, the newest last.
    :param present: Digest by path of the files in the published directory.
    :param existing_sources: Those of ``published`` that still exist.
    :param unpublished: Previous builds that were served without being published; they are published together with
        another build.
    :param stays: Whether a file of a previous build stays published, by its path.
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
    generations = (*(_only(generation, stays) for generation in others), wanted)

    # Two builds may have different contents at one path (a build id that was set manually); the active one counts.
    required = _union(generations)
    managed = {*required, *_union(published)}
    write = {path: digest for path, digest in required.items() if present.get(path) != digest}
    remove = tuple(sorted(path for path in managed if path in present and path not in required))
    known = _union(published)
    edited = sorted(path for path in write if path in present and known.get(path) == required[path])
    missing = sorted(path for path in write if path not in present and path in known)

    reasons = []
    if not same:
        new = [path for path in write if path not in known]
        reasons.append(f"{len(new)} files of another build" if new else "another build, with published files")
    if edited:
        reasons.append(f"edited: {_named(edited)}")
    if missing:
        reasons.append(f"missing: {_named(missing)}")
    if remove:
        reasons.append(f"{len(remove)} files of deleted builds")
    return PublicationPlan(generations, write, remove, tuple(sorted(set(present) - managed)), tuple(reasons))


def _only(generation: Generation, stays: Callable[[str], bool]) -> Generation:
    return Generation(generation.source, {path: each for path, each in generation.files.items() if stays(path)})


def _union(generations: Sequence[Generation]) -> dict[str, str]:
    files: dict[str, str] = {}
    for generation in generations:
        files.update(generation.files)
    return files


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more


def to_json(generations: Sequence[Generation], base: str) -> dict[str, Any]:
    """Return the manifest of a publication.

    :param base: The directory that the paths are relative to.
    """
    return {
        "version": 1,
        "base": base,
        "generations": [{"source": generation.source, "files": dict(generation.files)} for generation in generations],
    }


def from_json(document: Any) -> tuple[str, tuple[Generation, ...]]:
    """Read a manifest that :func:`to_json` wrote: the base, and the builds.

    :raises StaticFilesError: If it is no such manifest.
    """
    try:
        if document["version"] != 1:
            raise StaticFilesError(f"it has version {document['version']!r}, expected 1")
        return str(document["base"]), tuple(
            Generation(str(entry["source"]), {str(path): str(digest) for path, digest in entry["files"].items()})
            for entry in document["generations"]
        )
    except (KeyError, TypeError, AttributeError) as err:
        raise StaticFilesError("it is no manifest of published files") from err
