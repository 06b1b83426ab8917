# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a certificate and its key contain."""

from __future__ import annotations

import os
from datetime import datetime, timezone

from .._host.files import read_text
from .._host.tls import key_mismatch
from .._host.x509 import CertificateError, parse_pem
from .certificate import CertificateFile


def look_at_certificate(certificate: str, key: str) -> CertificateFile:
    """Read a certificate chain and its key as a server would."""
    for path in (certificate, key):
        if not os.path.isfile(path):
            return CertificateFile(f"there is no file {path}")
    mismatch = key_mismatch(certificate, key)
    if mismatch:
        return CertificateFile(f"it cannot be used with {key} ({mismatch})")
    try:
        found = parse_pem(read_text(certificate) or "")
    except CertificateError as error:
        return CertificateFile(f"it cannot be read ({error})")
    return CertificateFile(names=found.names, days_left=found.expires_in_days(datetime.now(timezone.utc)))
