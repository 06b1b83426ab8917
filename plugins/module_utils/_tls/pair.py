# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate chain and its key on the disk, read as a web server would."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from .._host.files import read_text
from .._host.tls import key_mismatch
from .._host.x509 import Certificate, CertificateError, parse_pem

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True)
class Pair:
    """What two files contain.

    :param problem: Why they cannot be used, as a clause; empty if they can.
    :param chain: The certificates as PEM, in their order; without the key, which may be in the same file.
    :param leaf: The first certificate; None if it cannot be read.
    """

    problem: str = ""
    chain: tuple[str, ...] = ()
    leaf: Certificate | None = None


def read_pair(certificate: str, key: str) -> Pair:
    """Read the files of a certificate chain and its key, which may be one file."""
    for path in (certificate, key):
        if not os.path.isfile(path):
            return Pair(f"there is no file {path}")
    chain = tuple(_CERTIFICATE.findall(read_text(certificate) or ""))
    mismatch = key_mismatch(certificate, key)
    if mismatch:
        return Pair(f"it cannot be used with {key} ({mismatch})", chain)
    try:
        return Pair("", chain, parse_pem(read_text(certificate) or ""))
    except CertificateError as error:
        return Pair(f"it cannot be read ({error})", chain)
