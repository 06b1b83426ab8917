# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a certificate and its key contain."""

from __future__ import annotations

from datetime import datetime, timezone

from .._tls.pair import read_pair
from .certificate import CertificateFile


def look_at_certificate(certificate: str, key: str) -> CertificateFile:
    """Read a certificate chain and its key as a server would."""
    pair = read_pair(certificate, key)
    if pair.leaf is None:
        return CertificateFile(pair.problem)
    return CertificateFile(names=pair.leaf.names, days_left=pair.leaf.expires_in_days(datetime.now(timezone.utc)))
