"""The validity of certificates, read without a library for it."""

from __future__ import annotations

import base64
from datetime import datetime, timezone

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import certificate as nginx_certificate


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def certificate(begins: bytes, ends: bytes, version: bool = True, tag: int = 0x17) -> str:
    fields = [der(0x02, b"\x01"), der(0x30, b""), der(0x30, b"x" * 200), der(0x30, der(tag, begins) + der(tag, ends))]
    body = (der(0xA0, der(0x02, b"\x02")) if version else b"") + b"".join(fields)
    data = base64.encodebytes(der(0x30, der(0x30, body))).decode()
    return f"some text\n-----BEGIN CERTIFICATE-----\n{data}-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        pytest.param(certificate(b"200101000000Z", b"491231235959Z"), 2020, 2049, id="two-digits"),
        pytest.param(certificate(b"500101000000Z", b"990101000000Z"), 1950, 1999, id="the-century-before"),
        pytest.param(certificate(b"20200101000000Z", b"20510101000000Z", tag=0x18), 2020, 2051, id="four-digits"),
        pytest.param(certificate(b"200101000000Z", b"210101000000Z", version=False), 2020, 2021, id="version-1"),
    ],
)
def test_first_and_last_moment_are_read(text: str, begins: int, ends: int) -> None:
    seen = nginx_certificate.validity(text)
    assert (seen.begins, seen.ends.year) == (datetime(begins, 1, 1, tzinfo=timezone.utc), ends)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", id="cut-off"),
        pytest.param("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", id="no-base64"),
        pytest.param(certificate(b"nonsense", b"nonsense"), id="no-time"),
    ],
)
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        nginx_certificate.validity(text)
