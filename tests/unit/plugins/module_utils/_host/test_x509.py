"""The reader of certificates, against certificates that the library cryptography made and against damaged ones."""

from __future__ import annotations

import base64
import contextlib
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._host.x509 import (
    CertificateError,
    parse_der,
    parse_pem,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st


def element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def pem(begins: bytes, ends: bytes, *, version: bool = True, tag: int = 0x17) -> str:
    """A certificate of the bare fields, with times as they are."""
    validity = element(0x30, element(tag, begins) + element(tag, ends))
    empty = element(0x30, b"")
    body = element(0x02, b"\x01") + empty + empty + validity + empty
    whole = element(0x30, element(0x30, (element(0xA0, element(0x02, b"\x02")) if version else b"") + body))
    return f"some text\n-----BEGIN CERTIFICATE-----\n{base64.encodebytes(whole).decode()}-----END CERTIFICATE-----\n"


def test_names_and_validity_are_read(tmp_path: Path) -> None:
    certificate = parse_pem(Path(peers.make_authority(tmp_path).issue("app.example.com", last_day=12)[0]).read_text())
    now = datetime.now(timezone.utc)
    assert (certificate.subject, certificate.issuer) == ("app.example.com", "Test Authority")
    assert certificate.names == ("app.example.com",)
    assert certificate.not_before < now < certificate.not_after
    assert certificate.expires_in_days(now) in (11, 12)
    assert certificate.expires_in_days(now + timedelta(days=20)) < 0


def test_an_address_is_read(tmp_path: Path) -> None:
    path = peers.make_authority(tmp_path).issue("192.0.2.7")[0]
    assert parse_pem(Path(path).read_text()).names == ("192.0.2.7",)


def test_the_reader_agrees_with_cryptography() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bäckerei"), x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")]
    )
    alternatives = [x509.DNSName("*.example.com"), x509.RFC822Name("a@example.com"), x509.DNSName("example.com")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(2**150)
        .not_valid_before(datetime(1999, 12, 31, 23, 59, 59))
        .not_valid_after(datetime(2061, 1, 2, 3, 4, 5))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = parse_der(made.public_bytes(serialization.Encoding.DER))
    assert (found.subject, found.issuer, found.names) == ("Bäckerei", None, ("*.example.com", "example.com"))
    assert (found.not_before, found.not_after) == (made.not_valid_before_utc, made.not_valid_after_utc)


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        pytest.param(pem(b"200101000000Z", b"491231235959Z"), 2020, 2049, id="two-digits"),
        pytest.param(pem(b"500101000000Z", b"990101000000Z"), 1950, 1999, id="the-century-before"),
        pytest.param(pem(b"20200101000000Z", b"20510101000000Z", tag=0x18), 2020, 2051, id="four-digits"),
        pytest.param(pem(b"200101000000Z", b"210101000000Z", version=False), 2020, 2021, id="version-1"),
    ],
)
def test_first_and_last_moment_are_read(text: str, begins: int, ends: int) -> None:
    found = parse_pem(text)
    assert (found.not_before, found.not_after.year) == (datetime(begins, 1, 1, tzinfo=timezone.utc), ends)
    assert (found.subject, found.names) == (None, ())


def test_the_first_certificate_of_a_chain_is_read(tmp_path: Path) -> None:
    authority = peers.make_authority(tmp_path)
    chain = Path(authority.issue("a.example.com")[0]).read_text() + Path(authority.ca_path).read_text()
    assert parse_pem(chain).subject == "a.example.com"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "no PEM certificate in it", id="empty"),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", "no PEM certificate in it", id="a-key"
        ),
        pytest.param(
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "an element is cut off", id="cut-off"
        ),
        pytest.param("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", "its base64 is damaged", id="base64"),
        pytest.param(pem(b"nonsense", b"nonsense"), "it is not an X.509 certificate", id="no-time"),
        pytest.param(pem(b"200101000000Z", b"210101000000Z", tag=0x0C), "its validity is not a time", id="a-text"),
    ],
)
def test_texts_that_are_not_certificates_are_refused(text: str, reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        parse_pem(text)


def test_a_certificate_that_is_cut_off_is_refused_at_every_length(tmp_path: Path) -> None:
    path = peers.make_authority(tmp_path).issue("app.example.com")[0]
    der = ssl.PEM_cert_to_DER_cert(Path(path).read_text())
    for length in range(len(der)):
        with pytest.raises(CertificateError):
            parse_der(der[:length])


@given(st.binary(max_size=300))
def test_bytes_that_are_not_a_certificate_are_refused(der: bytes) -> None:
    with pytest.raises(CertificateError):
        parse_der(der)


@given(st.data())
def test_a_damaged_certificate_is_read_or_refused_but_never_an_error_of_another_kind(data: st.DataObject) -> None:
    der = bytearray(base64.b64decode(pem(b"200101000000Z", b"210101000000Z").split("-----")[2]))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CertificateError):
        parse_der(bytes(der))
