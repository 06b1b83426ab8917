# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private certificate authority and the certificates that it issues (RFC 5280): values in, values out.

By ``cryptography``, which the controller has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .._host.url import as_address

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    HAS_CRYPTOGRAPHY = True
except ImportError:  # pragma: no cover - depends on what is installed
    HAS_CRYPTOGRAPHY = False

#: Devices trust it manually, which is not to be repeated often.
AUTHORITY_DAYS = 3650
#: What the clocks of a controller and of a device may differ by.
_SKEW = timedelta(hours=1)
#: The longest common name (RFC 5280, appendix A.1).
_COMMON_NAME = 64


class AuthorityError(Exception):
    """An authority that cannot issue certificates; the message completes "the private authority ...": a clause."""


@dataclass(frozen=True)
class Authority:
    """An authority with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """SHA-256 as browsers and phones show it: pairs of hexadecimal digits."""
        return self.certificate.fingerprint(SHA256()).hex(":").upper()

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires, negative once it has."""
        return (self.certificate.not_valid_after_utc - now).days


@dataclass(frozen=True)
class Issued:
    """A certificate for a server with its key."""

    certificate_pem: str
    key_pem: str = field(repr=False)
    not_after: datetime


def create_key() -> str:
    """A new private key, as PEM."""
    return _key_pem(ec.generate_private_key(ec.SECP256R1()))


def create_authority(name: str, key_pem: str, now: datetime) -> Authority:
    """Make an authority for servers alone: it can issue no other authority.

    :param name: What devices show of it, at most 64 characters.
    :raises AuthorityError: If the key cannot be used.
    """
    key = _load_key(key_pem)
    subject = _name(name)
    usage = _key_usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return Authority(certificate, key)


def load_authority(certificate_pem: str, key_pem: str) -> Authority:
    """Read an authority.

    :raises AuthorityError: If the texts are damaged, do not belong together, or are not those of an authority.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        raise AuthorityError("has a certificate that is damaged, or that is not one of an authority") from None
    if not constraints.ca:
        raise AuthorityError("has a certificate that is not one of an authority")
    key = _load_key(key_pem)
    if key.public_key() != certificate.public_key():
        raise AuthorityError("has a key that does not belong to its certificate")
    return Authority(certificate, key)


def _load_key(pem: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise AuthorityError("has a key that is damaged, or that needs a passphrase") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError("has a key of another type than it creates")
    return key


def issue(authority: Authority, names: Sequence[str], now: datetime, days: int) -> Issued:
    """Issue a certificate for a server, with a key of its own.

    :param names: DNS names and IP addresses; all are alternative names, and the first one is shown.
    :param days: For how long it is valid, at most as long as the authority.
    :raises AuthorityError: If the authority has expired.
    """
    if authority.days_left(now) < 0:
        raise AuthorityError("has expired")
    key = ec.generate_private_key(ec.SECP256R1())
    not_after = min(now + timedelta(days=days), authority.certificate.not_valid_after_utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(names[0]) if len(names[0]) <= _COMMON_NAME else x509.Name([]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(not_after)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=len(names[0]) > _COMMON_NAME
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, SHA256())
    )
    return Issued(_pem_of(certificate), _key_pem(key), certificate.not_valid_after_utc)


def reasons_to_issue(
    authority: Authority, present_pem: str, names: Sequence[str], now: datetime, renew_days: int
) -> tuple[str, ...]:
    """Why a server needs another certificate than the one that it has; empty if it needs none.

    :param present_pem: What the server has, which is not trusted; empty if it has none.
    :param renew_days: How many days before it expires a certificate is renewed.
    """
    if not present_pem:
        return ("there is none yet",)
    try:
        present = x509.load_pem_x509_certificate(present_pem.encode())
        has = _names_of(present)
        present.verify_directly_issued_by(authority.certificate)
    except InvalidSignature:
        return ("another authority has issued it",)
    except (ValueError, TypeError, x509.InvalidVersion):
        return ("it is damaged, or another authority has issued it",)
    found = []
    if set(has) != {_comparable(name) for name in names}:
        found.append(
            f"it is for {', '.join(map(_shown, has)) or 'no name'}, and the public names are {', '.join(names)}"
        )
    days = (present.not_valid_after_utc - now).days
    if present.not_valid_after_utc <= now:
        found.append("it has expired")
    # At the end of the authority itself, another certificate would not last longer.
    elif days < renew_days and present.not_valid_after_utc < authority.certificate.not_valid_after_utc:
        found.append(f"it expires in {days} days")
    if present.not_valid_before_utc > now:
        found.append("it is not valid yet")
    return tuple(found)


def _names_of(certificate: x509.Certificate) -> list[str]:

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)] + addresses


def _shown(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.*:_-]", "?", name)[:100]


def _comparable(name: str) -> str:
    return str(as_address(name) or name.lower())


def _general_name(name: str) -> x509.GeneralName:
    address = as_address(name)
    return x509.IPAddress(address) if address else x509.DNSName(name.lower())


def _name(text: str) -> x509.Name:

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(**used: bool) -> x509.KeyUsage:

    every: dict[str, Any] = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**{**every, **used})


def _pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def utc_now() -> datetime:
    """The present moment, with its time zone."""
    return datetime.now(timezone.utc)
