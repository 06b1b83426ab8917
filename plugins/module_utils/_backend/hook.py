# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the commands around an activation are required, decided by the manifest of the releases."""

from __future__ import annotations

from .._release.manifest import Manifest, ReleaseRecord

BEFORE = "before_activation"
AFTER = "after_activation"
RECORD = "backend_after_activation"
"""Key in a release's records: the backend revision for which the commands after the activation have run."""


def required(hook: str, manifest: Manifest, active: str | None, revision: str, *, predicting: bool) -> str:
    """Return why the commands are required; empty if they are not.

    Before the activation, they are required if the candidate has another revision of the backend than the active
    release. After it, they are required if they have not run for the backend revision of the active release, and
    that is not verified. So the next run completes one that was killed, and a run without changes runs no commands.

    :param revision: The backend revision after the activation.
    :param predicting: Check mode: a candidate would be made.
    """
    records = manifest.releases.get(active or "", ReleaseRecord()).records
    if hook == BEFORE:
        if not (manifest.candidate or predicting) or records.get("backend_revision") == revision:
            return ""
        return f"the backend changes from revision {records.get('backend_revision') or 'none'} to {revision}"
    committed = manifest.committed
    verified = manifest.releases.get(committed or "", ReleaseRecord()).records
    if committed and committed == active and not predicting:
        return ""
    if revision in (verified.get("backend_revision"), records.get(RECORD)) or (not predicting and active is None):
        return ""
    return f"backend revision {revision} was activated"
