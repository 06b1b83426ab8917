# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a certificate and its key contain."""

from __future__ import annotations

import os
import ssl
import time
from typing import Any

from .certificate import CertificateFile


def look_at_certificate(certificate: str, key: str) -> CertificateFile:
    """Load a certificate chain and its key as a server would."""
    for path in (certificate, key):
        if not os.path.isfile(path):
            return CertificateFile(f"there is no file {path}")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "unreadable"
        return CertificateFile(f"it cannot be used with {key} ({str(reason).replace('_', ' ').lower()})")
    try:
        decoded: dict[str, Any] = ssl._ssl._test_decode_cert(certificate)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return CertificateFile()
    names = tuple(str(value) for kind, value in decoded.get("subjectAltName", ()) if kind in {"DNS", "IP Address"})
    days = (ssl.cert_time_to_seconds(decoded["notAfter"]) - time.time()) / 86400
    return CertificateFile("", names, days)
