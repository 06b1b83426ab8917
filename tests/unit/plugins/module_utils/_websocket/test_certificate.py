"""The reader of certificates against certificates that OpenSSL's own library made."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.certificate import (
    CertificateError,
    parse_certificate,
)


def test_names_and_validity_are_read(tmp_path: Path) -> None:
    authority = peers.make_authority(tmp_path)
    der = ssl.PEM_cert_to_DER_cert(Path(authority.issue("app.example.com", last_day=12)[0]).read_text())
    certificate = parse_certificate(der)
    now = datetime.datetime.now(datetime.timezone.utc)
    assert (certificate.subject, certificate.issuer) == ("app.example.com", "Test Authority")
    assert certificate.names == ("app.example.com",)
    assert certificate.expires_in_days(now) == 12
    assert certificate.expires_in_days(now + datetime.timedelta(days=20)) < 0


def test_an_address_is_read(tmp_path: Path) -> None:
    pem = peers.make_authority(tmp_path).issue("192.0.2.7")[0]
    assert parse_certificate(ssl.PEM_cert_to_DER_cert(Path(pem).read_text())).names == ("192.0.2.7",)


def test_a_certificate_that_is_cut_off_is_refused_at_every_length(tmp_path: Path) -> None:
    pem = peers.make_authority(tmp_path).issue("a.example")[0]
    der = ssl.PEM_cert_to_DER_cert(Path(pem).read_text())
    for length in range(len(der)):
        with pytest.raises(CertificateError):
            parse_certificate(der[:length])
