# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish the static files of a build, or withdraw them, unless the change is only predicted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._host.accounts import rights_of
from .lasting_names import is_lasting
from .publication import (
    Place,
    account_of,
    forget,
    publish,
    read_files,
    read_present,
    read_published,
    read_unpublished,
    refuse_unprotected,
    url_directory,
    withdraw,
)
from .static_files import Generation, StaticFilesError, plan_publication


def _nothing() -> dict[str, Any]:
    return {
        "changed": False,
        "reasons": [],
        "published": 0,
        "kept": 0,
        "removed": [],
        "unmanaged": [],
        "root": "",
        "diff": [],
    }


@dataclass
class ManagedFiles:
    """What was done, or would be done; filled in step by step, so that it is of use after a failure, too."""

    result: dict[str, Any] = field(default_factory=_nothing)
    warnings: list[str] = field(default_factory=list)


def manage(params: Mapping[str, Any], done: ManagedFiles, *, predicting: bool) -> None:
    """Compare what is published with the options of static_files, and change it.

    :param predicting: Change nothing. The build may not exist yet.
    :raises StaticFilesError: If the files cannot be published.
    """
    place = Place(params["dest"].rstrip("/"), url_directory(params["url_path"]))
    done.result["root"] = place.files
    refuse_unprotected(place)
    if params["state"] == "present":
        _present(params, place, done, predicting)
    else:
        _absent(*read_published(place), done, predicting)


def _present(params: Mapping[str, Any], place: Place, done: ManagedFiles, predicting: bool) -> None:
    """Publish the build."""
    earlier, published = read_published(place)
    whole = params["whole"]
    moved = published if earlier != place else ()
    published = () if moved else published
    source, account = os.path.realpath(params["src"]), account_of(params["user"])
    with rights_of(account):
        exists = os.path.isdir(source)
        files, others = read_files(source, hidden=not whole) if exists else ({}, [])
    if not exists and predicting:
        done.result.update(changed=True, reasons=["there is no build yet"])
        return
    if not files:
        what = "contains no files" if exists else "does not exist"
        raise StaticFilesError(f"{params['src']} {what}, so there is nothing to publish; was it built?")
    for path in others:
        done.warnings.append(f"{os.path.join(params['src'], path)} is no regular file, and is not published")
    existing = {each.source for each in published if os.path.isdir(each.source)}
    known = {source, *(each.source for each in published)}
    unpublished = read_unpublished(params["previous"], account, known, hidden=not whole)
    stays = is_lasting if whole else lambda _path: True
    plan = plan_publication(published, Generation(source, files), read_present(place), existing, unpublished, stays)
    kept = {path for generation in plan.generations for path in generation.files} - set(files)
    done.result.update(
        changed=bool(plan.reasons),
        reasons=list(plan.reasons),
        published=len(files),
        kept=len(kept),
        removed=list(plan.remove),
        unmanaged=list(plan.unmanaged),
        diff=[_difference(place, plan.remove, sorted(plan.write))],
    )
    if plan.reasons and not predicting:
        publish(place, published, plan, account)
        forget(earlier, moved, place, plan)


def _absent(place: Place, published: Sequence[Generation], done: ManagedFiles, predicting: bool) -> None:
    """Remove what was published."""
    found: Mapping[str, str] = read_present(place)
    managed = {path for generation in published for path in generation.files}
    removed = sorted(managed & set(found))
    changed = bool(removed or published)
    done.result.update(
        changed=changed,
        reasons=["files are published"] if changed else [],
        removed=removed,
        unmanaged=sorted(set(found) - managed),
        diff=[_difference(place, removed, [])],
    )
    if changed and not predicting:
        withdraw(place, published, found)


def _difference(place: Place, removed: Sequence[str], written: Sequence[str]) -> dict[str, str]:
    """Return the paths that are removed and written, as a diff."""
    return {
        "before_header": place.target,
        "after_header": place.target,
        "before": "".join(f"{path}\n" for path in removed),
        "after": "".join(f"{path}\n" for path in written),
    }
