# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stops an operation on releases, in one sentence for the user."""

from __future__ import annotations

import errno


class ReleaseError(Exception):
    """An operation on releases that is refused or failed."""


class UnknownVersionError(ReleaseError):
    """A version that a git repository does not have."""


def explain(problem: OSError) -> str:
    """Return one sentence for a failure of the system."""
    what = problem.strerror or str(problem)
    where = problem.filename2 or problem.filename
    if problem.errno == errno.ENOSPC:
        return (
            f"no space is left for a release ({where or 'file system full'}); the active release is untouched; "
            "free some space and run again"
        )
    if problem.errno == errno.EXDEV:
        return (
            f"{where} cannot be renamed: it is a mount point, or in a lower layer of a container's image; "
            "expected an ordinary directory"
        )
    if problem.errno in (errno.EACCES, errno.EPERM):
        return f"{where} cannot be used: {what}; the module must run as the user that owns the project"
    return f"{where or 'the releases'}: {what}"
