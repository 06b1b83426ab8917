# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of an X.509 certificate that the collection judges (RFC 5280, section 4.1), read from its DER encoding.

Python's ``ssl`` decodes a certificate only after it was verified, and the certificate that failed is the one to
explain; ``cryptography`` and the ``openssl`` program are not on every host. See docs/decisions/0009.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

_PEM = re.compile(r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.+?)-----END", re.DOTALL)
_COMMON_NAME = bytes.fromhex("550403")
_ORGANIZATION = bytes.fromhex("55040a")
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_SEQUENCE, _OID, _BMP_STRING, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x06, 0x1E, 0x17, 0x18
#: [0] EXPLICIT version and [3] EXPLICIT extensions of a TBSCertificate; dNSName and iPAddress of a GeneralName.
_VERSION, _EXTENSIONS, _DNS_NAME, _IP_ADDRESS = 0xA0, 0xA3, 0x82, 0x87


class CertificateError(ValueError):
    """A text or bytes that are not a certificate; the message completes "it cannot be read: ..."."""


@dataclass(frozen=True)
class Certificate:
    """Names and validity.

    :param subject: The common name, else the organisation. The same for ``issuer``.
    :param names: Alternative names: DNS names and IP addresses, in their order.
    :param not_before: First and last moment of validity, in UTC.
    """

    subject: str | None
    issuer: str | None
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    def expires_in_days(self, now: datetime) -> int:
        """Whole days until it expires, negative once it has.

        :param now: With its time zone.
        """
        return (self.not_after - now).days


def parse_pem(text: str) -> Certificate:
    """Read the first certificate of a PEM text, which is the one that a server presents.

    :raises CertificateError: If there is none, or it is damaged.
    """
    match = _PEM.search(text)
    if match is None:
        raise CertificateError("no PEM certificate in it")
    try:
        der = base64.b64decode("".join(match.group(1).split()), validate=True)
    except binascii.Error as error:
        raise CertificateError(f"its base64 is damaged ({error})") from None
    return parse_der(der)


def parse_der(der: bytes) -> Certificate:
    """Read a certificate as TLS transports it.

    :raises CertificateError: If the bytes do not have the layout of a certificate.
    """
    try:
        return _parse(der)
    except (IndexError, ValueError, StopIteration, OverflowError) as error:
        raise CertificateError(f"it is not an X.509 certificate ({error or 'it ends too early'})") from None


def _parse(der: bytes) -> Certificate:
    tag, certificate = next(_elements(der))
    if tag != _SEQUENCE:
        raise ValueError("it does not begin with a sequence")
    _, body = next(_elements(certificate))
    fields = list(_elements(body))
    if fields[0][0] == _VERSION:
        fields = fields[1:]
    _serial, _algorithm, issuer, validity, subject = fields[:5]
    begins, ends = list(_elements(validity[1]))[:2]
    names: tuple[str, ...] = ()
    for tag, content in fields[5:]:
        if tag == _EXTENSIONS:
            names = _alternative_names(content)
    return Certificate(_name(subject[1]), _name(issuer[1]), names, _time(*begins), _time(*ends))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and contents of the DER elements that follow one another (X.690, section 8.1)."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            if not 0 < size <= 4:
                raise ValueError("the length of an element is malformed")
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("an element is cut off")
        yield tag, data[at : at + length]
        at += length


def _name(content: bytes) -> str | None:
    found: dict[bytes, str] = {}
    for _, group in _elements(content):
        for _, pair in _elements(group):
            (tag, oid), (text_tag, text) = list(_elements(pair))[:2]
            if tag == _OID:
                encoding = "utf-16-be" if text_tag == _BMP_STRING else "utf-8"
                found.setdefault(oid, text.decode(encoding, "replace"))
    return found.get(_COMMON_NAME) or found.get(_ORGANIZATION)


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        # Two digits of the year: 50 to 99 are of the twentieth century (RFC 5280, section 4.1.2.5.1).
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("its validity is not a time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def _alternative_names(content: bytes) -> tuple[str, ...]:
    names: list[str] = []
    for _, extensions in _elements(content):
        for _, extension in _elements(extensions):
            parts = list(_elements(extension))
            if not parts or parts[0][1] != _ALTERNATIVE_NAMES:
                continue
            for _, general_names in _elements(parts[-1][1]):
                for tag, value in _elements(general_names):
                    if tag == _DNS_NAME:
                        names.append(value.decode("ascii", "replace"))
                    elif tag == _IP_ADDRESS and len(value) in (4, 16):
                        names.append(str(ipaddress.ip_address(value)))
    return tuple(names)
