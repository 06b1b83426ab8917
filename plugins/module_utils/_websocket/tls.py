# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of one endpoint: the context to connect with, what a handshake has shown, and why one failed."""

from __future__ import annotations

import datetime
import ssl
from typing import TYPE_CHECKING, Any

from .._host.tls import client_context
from .._host.x509 import parse_der
from .observation import ChainLink, Fault, Tls
from .target import TargetError

if TYPE_CHECKING:
    from .target import Target

# ssl._ssl.ENCODING_DER, which has no public name.
_DER = 2
#: As a browser does for a WebSocket; without it some servers would choose HTTP/2.
_PROTOCOLS = ("http/1.1",)
# X509_V_ERR_* of OpenSSL.
_NOT_YET_VALID, _EXPIRED, _NAME_MISMATCH, _ADDRESS_MISMATCH = 9, 10, 62, 64
# OpenSSL's reasons for an answer that is not TLS: the first two up to 3.0, the others from 3.2 on.
_NOT_TLS = frozenset(
    ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")
)
# Alerts about the certificate that the client sent, or did not send.
_CLIENT_CERTIFICATE_ALERTS = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "ALERT_UNKNOWN_CA")
# Alerts of a server that has no certificate for the name (nginx: ssl_reject_handshake).
_NAME_ALERTS = ("UNRECOGNIZED_NAME",)
# No protocol version in common: told by the server's alert, or found in its answer.
_VERSION_REASONS = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE")


def tls_context(target: Target) -> ssl.SSLContext | None:
    """The context of one endpoint; None for an endpoint without TLS.

    :raises TargetError: If a certificate or key file cannot be used.
    """
    if not target.secure:
        return None
    label = f"endpoint {target.name}"
    try:
        context = client_context(
            verify=target.validate_certs,
            ca_certificates=target.ca_certificates,
            ca_path=target.ca_path,
            protocols=_PROTOCOLS,
        )
    except (OSError, ValueError) as exc:
        if target.ca_certificates is not None:
            raise TargetError(f"{label}: ca_certificates cannot be read as certificates ({_why(exc)})") from None
        raise TargetError(f"{label}: ca_path {target.ca_path} cannot be read as certificates ({_why(exc)})") from None
    if target.client_cert is not None:
        try:
            # The callback keeps OpenSSL from asking for a password on the terminal.
            context.load_cert_chain(target.client_cert, target.client_key, password=lambda: "")
        except (OSError, ssl.SSLError, ValueError) as exc:
            files = target.client_cert if target.client_key is None else f"{target.client_cert}, {target.client_key}"
            raise TargetError(f"{label}: client_cert and client_key ({files}) cannot be used ({_why(exc)})") from None
    return context


def unverified_context() -> ssl.SSLContext:
    """A context that accepts every certificate, to read the one that was refused."""
    return client_context(verify=False, protocols=_PROTOCOLS)


def _why(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLError):
        return exc.reason or "no PEM certificate in it"
    if isinstance(exc, OSError):
        return exc.strerror or str(exc)
    return str(exc)


def tls_fault(exc: Exception) -> tuple[Fault, str]:
    """Why a TLS handshake failed, told by OpenSSL's own codes."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        fault = {
            _EXPIRED: Fault.TLS_EXPIRED,
            _NOT_YET_VALID: Fault.TLS_NOT_YET_VALID,
            _NAME_MISMATCH: Fault.TLS_NAME_MISMATCH,
            _ADDRESS_MISMATCH: Fault.TLS_NAME_MISMATCH,
        }.get(exc.verify_code, Fault.TLS_UNTRUSTED)
        return fault, str(exc.verify_message)
    if isinstance(exc, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Fault.TLS_FAILED, "the server closed the connection during the TLS handshake"
    if not isinstance(exc, ssl.SSLError):
        return Fault.TLS_FAILED, str(exc)
    reason = exc.reason or ""
    shown = reason.lower().replace("_", " ")
    if reason in _NOT_TLS:
        return Fault.TLS_NOT_SPOKEN, "the answer to the TLS handshake is not TLS"
    if any(alert in reason for alert in _CLIENT_CERTIFICATE_ALERTS):
        return Fault.TLS_CLIENT_CERTIFICATE, shown
    if any(alert in reason for alert in _NAME_ALERTS):
        return Fault.TLS_NAME_UNKNOWN, shown
    if any(part in reason for part in _VERSION_REASONS):
        return Fault.TLS_VERSION, shown
    return Fault.TLS_FAILED, shown or str(exc)


def tls_facts(connection: Any, verified: bool) -> Tls:
    """What a finished TLS handshake has shown; a field that cannot be read is None."""
    cipher = connection.cipher()
    try:
        der = connection.getpeercert(binary_form=True)
        certificate = parse_der(der) if der else None
    except ValueError:
        # Malformed, or the server has ended the connection already; then the next read tells how.
        certificate = None
    return Tls(
        version=connection.version(),
        cipher=cipher[0] if cipher else None,
        subject=certificate.subject if certificate else None,
        issuer=certificate.issuer if certificate else None,
        names=certificate.names if certificate else (),
        not_after=certificate.not_after.isoformat() if certificate else None,
        expires_in_days=certificate.expires_in_days(datetime.datetime.now(datetime.timezone.utc))
        if certificate
        else None,
        verified=verified,
        chain=_chain(connection),
    )


def _chain(connection: Any) -> tuple[ChainLink, ...]:
    """The certificates that the server sent, as far as they can be read."""
    # Public since 3.13; in the object below since 3.10.
    read = getattr(connection, "get_unverified_chain", None) or getattr(
        getattr(connection, "_sslobj", None), "get_unverified_chain", None
    )
    links = []
    try:
        for item in (read() if read else None) or ():
            der = item if isinstance(item, bytes) else item.public_bytes(_DER)
            certificate = parse_der(der)
            links.append(
                ChainLink(
                    certificate.subject,
                    certificate.issuer,
                    certificate.not_before.isoformat(),
                    certificate.not_after.isoformat(),
                )
            )
    except (OSError, ValueError):
        return ()
    return tuple(links)
