# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the source can be read where it comes from."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .._host.accounts import find_account
from .._release.errors import ReleaseError, UnknownVersionError
from .._release.git import Git
from .._release.git_access import GitAccess, opened
from .._release.manifest import Layout
from .._release.source import exclusion, names_in_place
from .finding import PreflightFinding
from .reachable import judge_repository
from .variables import DeploymentInputs

#: A server that needs longer is not judged.
_ANSWER_WITHIN_S = 20.0


def check_repository(inputs: DeploymentInputs) -> list[PreflightFinding]:
    """Ask the git server for the version, as the deploy user.

    Nothing is asked without that user or git, which the role runtime may still have to create and install, nor where a
    secret is required, which stays on the controller: then ``staging_git_url`` is not among the inputs.
    """
    url, version = inputs.text("staging_git_url"), inputs.text("staging_git_version") or "main"
    account = find_account(inputs.text("staging_user"))
    if not url or account is None or not Git().available():
        return []
    runs_as = account if os.geteuid() == 0 else None
    access = GitAccess(
        key_file=inputs.text("staging_git_key_file"), known_hosts=inputs.texts("staging_git_known_hosts")
    )
    try:
        with opened(access, url, runs_as) as access_for_git:
            git = Git(url, timeout_s=_ANSWER_WITHIN_S, account=runs_as, access=access_for_git)
            git.remote_commit(version)
    except UnknownVersionError:
        return [judge_repository(inputs, "", version_unknown=True)]
    except ReleaseError as error:
        problem, _semicolon, remedy = str(error).partition("; ")
        return [judge_repository(inputs, problem, version_unknown=False, remedy=remedy)]
    return []


def unreadable_in(directory: str, inputs: DeploymentInputs) -> Sequence[str]:
    """The source files of a directory, or directories in it, that this process cannot read."""
    env_file = inputs.text("staging_env_file") or ".env.staging"
    layout = Layout(
        shared_paths=inputs.texts("staging_shared_paths"),
        env_files=[env_file],
        exclude=inputs.texts("staging_source_exclude"),
    )
    excluded = exclusion(layout)
    closed = []
    for above, names, _files in os.walk(directory):
        relative = os.path.relpath(above, directory)
        names[:] = [name for name in names if not excluded.covers(os.path.normpath(os.path.join(relative, name)))]
        closed += [path for path in (os.path.join(above, name) for name in names) if not _is_open(path)]
    if closed:
        return [os.path.relpath(path, directory) for path in sorted(closed)]
    try:
        paths = sorted(names_in_place(directory, layout))
    except (OSError, ReleaseError):
        # Said when the directory is packed.
        return []
    return [path for path in paths if not _can_read(os.path.join(directory, path))]


def _is_open(path: str) -> bool:
    return os.path.islink(path) or os.access(path, os.R_OK | os.X_OK, effective_ids=True)


def _can_read(path: str) -> bool:
    return os.path.islink(path) or os.access(path, os.R_OK, effective_ids=True)
