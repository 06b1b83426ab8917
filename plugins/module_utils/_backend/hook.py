# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the commands around a switch are due, decided by what the releases remember.

Pure: the manifest is told, nothing is read.
"""

from __future__ import annotations

from .._release.manifest import Manifest, Record

BEFORE = "before_switch"
AFTER = "after_switch"
RECORD = "backend_after_switch"
"""Key in a release's records: the revision for which the commands after the switch have run."""


def due(hook: str, manifest: Manifest, current: str | None, revision: str, *, predicting: bool) -> str:
    """Say in words why the commands are due; empty if they are not.

    Before the switch they are due when the candidate brings another revision of the backend than the current release
    has. After it, when the current release's revision of the backend has neither had them nor passed verification. So a
    run that was killed is made up for by the next, and one that changes nothing runs nothing.

    :param revision: What the backend is to run after the switch.
    :param predicting: A candidate would be there, but is not made in check mode.
    """
    records = manifest.releases.get(current or "", Record()).records
    if hook == BEFORE:
        if not (manifest.candidate or predicting) or records.get("backend") == revision:
            return ""
        return f"the backend moves from revision {records.get('backend') or 'none'} to {revision}"
    good = manifest.good.records if manifest.good and manifest.good.release in manifest.releases else {}
    if manifest.good and manifest.good.release == current and not predicting:
        return ""
    if revision in (good.get("backend"), records.get(RECORD)) or (not predicting and current is None):
        return ""
    return f"the backend's revision {revision} was switched in"
