# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS contexts made from files, before the first connection."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from .target import TargetError

if TYPE_CHECKING:
    from .target import Target


def tls_context(target: Target) -> ssl.SSLContext | None:
    """Make the context of one endpoint, or None for one without TLS.

    :raises TargetError: If a certificate or key file cannot be used.
    """
    if not target.secure:
        return None
    label = f"endpoint {target.name}"
    try:
        if target.ca_certificates is not None:
            context = ssl.create_default_context(cadata=target.ca_certificates)
        elif target.ca_path is None:
            context = ssl.create_default_context()
        elif os.path.isdir(target.ca_path):
            context = ssl.create_default_context(capath=target.ca_path)
        else:
            context = ssl.create_default_context(cafile=target.ca_path)
    except (OSError, ssl.SSLError, ValueError) as exc:
        if target.ca_certificates is not None:
            raise TargetError(f"{label}: ca_certificates cannot be read as certificates ({_why(exc)})") from None
        raise TargetError(f"{label}: ca_path {target.ca_path} cannot be read as certificates ({_why(exc)})") from None
    if not target.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # As a browser does for a WebSocket; without it some servers would choose HTTP/2.
    context.set_alpn_protocols(["http/1.1"])
    if target.client_cert is not None:
        try:
            # A password callback keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(target.client_cert, target.client_key, password=lambda: "")
        except (OSError, ssl.SSLError, ValueError) as exc:
            files = target.client_cert if target.client_key is None else f"{target.client_cert}, {target.client_key}"
            raise TargetError(f"{label}: client_cert and client_key ({files}) cannot be used ({_why(exc)})") from None
    return context


def unverified_context() -> ssl.SSLContext:
    """A context for looking at what a peer presents, after a verification has failed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _why(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLError):
        return exc.reason or "no PEM certificate in it"
    if isinstance(exc, OSError):
        return exc.strerror or str(exc)
    return str(exc)
