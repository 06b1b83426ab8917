# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time for which an X.509 certificate is valid (RFC 5280, 4.1), read with the standard library alone.

``nginx -t`` refuses a certificate that cannot be read and a key that does not
match; it takes an expired one without a word.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timezone

_PEM = re.compile(r"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.+?)-----END", re.DOTALL)
_SEQUENCE = 0x30
_VERSION = 0xA0
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18


@dataclass(frozen=True)
class Validity:
    """First and last moment, with time zone."""

    begins: datetime
    ends: datetime


def _element(data: bytes, position: int) -> tuple[int, bytes, int]:
    """Tag, content and end of the DER element at a position."""
    if position + 2 > len(data):
        raise ValueError("the certificate ends too early")
    tag, length, start = data[position], data[position + 1], position + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(data[start : start + size], "big")
        start += size
    if start + length > len(data):
        raise ValueError("the certificate ends too early")
    return tag, data[start : start + length], start + length


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        # Two digits of the year: 50 to 99 are of the twentieth century (RFC 5280, 4.1.2.5.1).
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("the certificate has no time where one belongs")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def validity(pem: str) -> Validity:
    """Validity of the first certificate of a PEM text, which is the one that nginx presents.

    :raises ValueError: If there is none, or it is damaged.
    """
    match = _PEM.search(pem)
    if match is None:
        raise ValueError("there is no certificate in it")
    data = base64.b64decode("".join(match.group(1).split()))
    _tag, certificate, _end = _element(data, 0)
    tag, body, _end = _element(certificate, 0)
    if tag != _SEQUENCE:
        raise ValueError("it is no certificate")
    tag, _content, end = _element(body, 0)
    position = end if tag == _VERSION else 0
    # serial number, signature algorithm, issuer, then the validity
    for _field in range(3):
        _tag, _content, position = _element(body, position)
    _tag, period, _end = _element(body, position)
    tag, content, end = _element(period, 0)
    begins = _time(tag, content)
    tag, content, _end = _element(period, end)
    return Validity(begins, _time(tag, content))
