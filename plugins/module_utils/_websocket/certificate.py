# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few fields of an X.509 certificate that a person asks about (pure).

Python decodes a certificate only after it was verified; the one that failed is the
one that must be shown. Layout: RFC 5280, section 4.1; encoding: X.690 (DER).
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

_COMMON_NAME = bytes.fromhex("550403")
_ORGANIZATION = bytes.fromhex("55040a")
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_SEQUENCE, _OID, _UTC_TIME = 0x30, 0x06, 0x17


class CertificateError(Exception):
    """The bytes are no certificate that can be read."""


@dataclass(frozen=True)
class Certificate:
    """Names and the end of validity (UTC)."""

    subject: str | None
    issuer: str | None
    names: tuple[str, ...]
    not_after: datetime.datetime

    def expires_in_days(self, now: datetime.datetime) -> int:
        """Whole days until it expires; negative once it has."""
        return (self.not_after - now).days


def parse_certificate(der: bytes) -> Certificate:
    """Read subject, issuer, alternative names and the end of validity.

    :raises CertificateError: If the bytes do not have the layout of a certificate.
    """
    try:
        return _parse(der)
    except (IndexError, ValueError, StopIteration, OverflowError) as exc:
        raise CertificateError(f"the certificate cannot be read ({exc})") from None


def _parse(der: bytes) -> Certificate:
    _, certificate = next(_items(der))
    _, body = next(_items(certificate))
    fields = list(_items(body))
    # The version is optional: [0] EXPLICIT.
    if fields[0][0] == 0xA0:
        fields = fields[1:]
    _serial, _algorithm, issuer, validity, subject = fields[:5]
    not_after = list(_items(validity[1]))[1]
    names: tuple[str, ...] = ()
    for tag, content in fields[5:]:
        # [3] EXPLICIT: the extensions.
        if tag == 0xA3:
            names = _alternative_names(content)
    return Certificate(_name(subject[1]), _name(issuer[1]), names, _time(*not_after))


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tags and contents of the elements that follow each other."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            if not 0 < size <= 4:
                raise ValueError("length of an element")
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("an element that is cut off")
        yield tag, data[at : at + length]
        at += length


def _name(content: bytes) -> str | None:
    """The common name, else the organisation."""
    found: dict[bytes, str] = {}
    for _, group in _items(content):
        for _, pair in _items(group):
            (tag, oid), (text_tag, text) = list(_items(pair))[:2]
            if tag == _OID:
                encoding = "utf-16-be" if text_tag == 0x1E else "utf-8"
                found.setdefault(oid, text.decode(encoding, "replace"))
    return found.get(_COMMON_NAME) or found.get(_ORGANIZATION)


def _time(tag: int, content: bytes) -> datetime.datetime:
    text = content.decode("ascii")
    # RFC 5280, section 4.1.2.5.1: two-digit years from 50 on belong to the last century.
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    moment = datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ")
    return moment.replace(tzinfo=datetime.timezone.utc)


def _alternative_names(content: bytes) -> tuple[str, ...]:
    names: list[str] = []
    for _, extensions in _items(content):
        for _, extension in _items(extensions):
            parts = list(_items(extension))
            if not parts or parts[0][1] != _ALTERNATIVE_NAMES:
                continue
            for _, general_names in _items(parts[-1][1]):
                for tag, value in _items(general_names):
                    if tag == 0x82:
                        names.append(value.decode("ascii", "replace"))
                    elif tag == 0x87 and len(value) in (4, 16):
                        names.append(str(ipaddress.ip_address(value)))
    return tuple(names)
