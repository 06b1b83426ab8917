# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contexts for TLS, and whether a certificate and a key belong together: what OpenSSL itself has to decide."""

from __future__ import annotations

import os
import ssl


def client_context(
    *,
    verify: bool = True,
    ca_certificates: str | None = None,
    ca_path: str | None = None,
    protocols: tuple[str, ...] = (),
) -> ssl.SSLContext:
    """Make a context for a client.

    :param verify: Whether certificate and host name are checked.
    :param ca_certificates: Trusted authorities as PEM text, instead of the system's.
    :param ca_path: The same as a file, or a directory made by ``c_rehash``.
    :param protocols: What is offered with ALPN (RFC 7301), such as ``http/1.1``.
    :raises OSError: If the path cannot be read or has no certificate.
    :raises ValueError: If the text has no certificate.
    """
    if ca_certificates is not None:
        if not ca_certificates.strip():
            # The library would trust the system's authorities instead.
            raise ValueError("no PEM certificate in it")
        try:
            context = ssl.create_default_context(cadata=ca_certificates)
        except ssl.SSLError as error:
            raise ValueError(error.reason or "no PEM certificate in it") from error
    elif ca_path is not None and os.path.isdir(ca_path):
        context = ssl.create_default_context(capath=ca_path)
    else:
        context = ssl.create_default_context(cafile=ca_path)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def key_mismatch(certificate: str, key: str) -> str:
    """Say why a certificate file and a key file cannot be used together; empty if they can.

    A key with a passphrase cannot: a web server that starts unattended has nobody to ask.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # The callback keeps OpenSSL from asking on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "unreadable"
        return str(reason).replace("_", " ").lower()
    return ""
