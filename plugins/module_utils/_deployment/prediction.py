# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the predictions for the layers of a release mean for one another: values in, values out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: In the place of the digest of a source that is not on the host yet.
NEW = "new"


def backend_revision(source_digest: str | None, installed: str | None) -> str:
    """Return the revision of a backend: its source outside the frontend's directory, and what is installed for it."""
    inputs = f"{source_digest or NEW} {installed or ''}"
    return hashlib.sha256(inputs.encode()).hexdigest()[:16]


def frontend_revision(fingerprint: str, build_id: str) -> str:
    """Return the revision of a frontend.

    The fingerprint stands for the inputs of the build. The id changes when the same inputs are built again.
    """
    return "-".join(part for part in (fingerprint, build_id) if part)


def forbidden_urls(forbidden: Sequence[str], verified_url: str, expected: Sequence[str]) -> list[str]:
    """Return what a build must not contain: with the URL that was verified last, unless it is the wanted one."""
    return [url for url in [*forbidden, verified_url] if url and url not in expected]


@dataclass(frozen=True)
class Changes:
    """Which parts of a release would change.

    :param restores: The env file has only drifted, and is restored in place.
    :param backend_build: The virtual environment of the backend, or its packages and its build.
    """

    release: bool
    env_file: bool
    restores: bool
    backend_build: bool
    build: bool

    @property
    def copies(self) -> bool:
        """Whether the active release is copied for a change, because nothing live is edited in place."""
        return not self.release and ((self.env_file and not self.restores) or self.backend_build or self.build)

    @property
    def activates(self) -> bool:
        """Whether another release becomes the active one."""
        return self.release or self.copies


def activation_reasons(changes: Changes, active: str | None) -> list[str]:
    """Return what a deployment does to the releases, beside the reasons for a new source."""
    reasons = []
    if changes.copies:
        reasons.append(f"a copy of release {active} is opened for changes")
    return reasons


def record_reasons(stored: Mapping[str, Any], revisions: Mapping[str, str], active: str | None) -> list[str]:
    """Return why the records of a release that stays active would change."""
    differing = [name for name, revision in revisions.items() if stored.get(name) != revision]
    return [f"the records of release {active} changed"] if differing else []
