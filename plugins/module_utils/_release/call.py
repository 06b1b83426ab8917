# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of ``release`` from the options of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import steps
from .data import advice
from .delivery import Source
from .errors import ReleaseError
from .git_access import GitAccess, OpenAccess, opened
from .operation import LAYOUT_OPTIONS, Operation, ReleaseOptions
from .prepare import prepare
from .project import Project
from .removal import remove

_STEPS = {
    "prepared": prepare,
    "candidate": steps.open_candidate,
    "activated": steps.activate,
    "discarded": steps.discard,
    "committed": steps.commit,
    "rolled_back": steps.roll_back,
    "removed": remove,
}


def call(params: Mapping[str, Any], *, predicting: bool) -> tuple[dict[str, Any], list[str]]:
    """Run a step, or predict it.

    :returns: The result, and what the user should know beside it.
    :raises ReleaseError: If the step is refused or fails.
    """
    if params["keep_releases"] < 1:
        raise ReleaseError(f"keep_releases is {params['keep_releases']}, expected a number from 1")
    with opened(_access_of(params), params["git_url"] or "") as access:
        request = _request_of(params, access)
        operation = Operation(Project(params["project_dir"]), request, predicting=predicting)
        operation.run(_STEPS[params["state"]], creates=params["state"] == "prepared")
    result = operation.result(params["digest_exclude"])
    return result, _warnings_of(operation, result, params["state"])


def _access_of(params: Mapping[str, Any]) -> GitAccess:
    """Return what a private repository is read with; nothing for a source that is none."""
    if params["source_type"] != "git":
        return GitAccess()
    return GitAccess(
        key=params["git_key"] or "",
        key_file=params["git_key_file"] or "",
        known_hosts=params["git_known_hosts"] or [],
        token=params["git_token"] or "",
        token_user=params["git_user"],
    )


def _request_of(params: Mapping[str, Any], access: OpenAccess) -> ReleaseOptions:
    """Return the options in the terms of the operation."""
    given = params["records"] or {}
    return ReleaseOptions(
        source=Source(
            kind=params["source_type"],
            git_url=params["git_url"],
            version=params["version"],
            git_timeout_s=params["git_timeout"],
            git_access=access,
            git_submodules=params["git_submodules"],
            git_lfs=params["git_lfs"],
            archive=params["archive"],
            revision=params["revision"],
        ),
        layout={option: params[option] for option in LAYOUT_OPTIONS if params[option] is not None},
        on_uncommitted=params["on_uncommitted"],
        keep_releases=params["keep_releases"],
        rollback_to=params["rollback_to"],
        verified=params["verified"],
        records={name: value for name, value in given.items() if value is not None},
    )


def _warnings_of(operation: Operation, result: dict[str, Any], state: str) -> list[str]:
    """Return what the user should know beside the result."""
    warnings = []
    if state == "rolled_back" and result["damage"]:
        warnings.append(
            f"release {result['active']} is active again, but not as it was: {', '.join(result['damage'][:5])}; "
            "the next deployment makes a new one"
        )
    for name, missing in result["unfit"].items():
        warnings.append(
            f"release {name} cannot be activated again: {'; '.join(missing)}; the older verified release "
            f"{result['active']} is activated instead"
        )
    kept = operation.outcome.kept
    if kept:
        more = f" and {len(kept) - 10} more" if len(kept) > 10 else ""
        warnings.append(
            f"the directory that was taken over contains work that is in no commit ({', '.join(kept[:10])}{more}); it "
            f"is kept in release {operation.outcome.taken_over}, and the deployed source does not contain it"
        )
    found = result["unshared_data"]
    if found and state == "rolled_back":
        warnings.append(
            f"release {operation.active_before} contains files that the application has written, and release "
            f"{result['active']} does not have them: {', '.join(found[:10])}; they are kept; "
            f"{advice(found, operation.manifest.layout)}"
        )
    elif found and state != "removed":
        warnings.append(
            f"release {result['active']} contains files that no source contains and no build has made: "
            f"{', '.join(found[:10])}; the deployment of a change will stop; "
            f"{advice(found, operation.manifest.layout)}"
        )
    old = "" if state == "removed" else "old and "
    for name, paths in result["kept_for_data"].items():
        warnings.append(
            f"release {name} is {old}not deleted, because the application has written files in it: "
            f"{', '.join(paths[:10])}; move what you need, and list in staging_leave_behind what may be deleted"
        )
    return warnings
