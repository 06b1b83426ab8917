"""Contexts for TLS, and pairs of certificate and key."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._host.tls import client_context, key_mismatch
from cryptography.hazmat.primitives import serialization


def test_authorities_are_read_from_text_file_or_directory(tmp_path: Path) -> None:
    authority = peers.make_authority(tmp_path)
    text = Path(authority.ca_path).read_text()
    assert len(client_context(ca_certificates=text).get_ca_certs()) == 1
    assert len(client_context(ca_path=authority.ca_path).get_ca_certs()) == 1
    # A directory is looked into when a certificate is checked.
    assert client_context(ca_path=str(tmp_path)).verify_mode is ssl.CERT_REQUIRED
    for wrong in ("", "nonsense"):
        with pytest.raises(ValueError, match=r"."):
            client_context(ca_certificates=wrong)
    with pytest.raises(OSError, match=r"."):
        client_context(ca_path=str(tmp_path / "none"))


def test_a_key_fits_its_own_certificate_only(tmp_path: Path) -> None:
    authority = peers.make_authority(tmp_path)
    certificate, key = authority.issue("a.example.com")
    other_key = authority.issue("b.example.com")[1]
    assert key_mismatch(certificate, key) == ""
    assert key_mismatch(certificate, other_key) == "key values mismatch"
    assert key_mismatch(key, key) != ""
    assert key_mismatch(certificate, str(tmp_path / "none")) == "no such file or directory"


def test_a_key_with_a_passphrase_does_not_fit_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    authority = peers.make_authority(tmp_path)
    certificate, key = authority.issue("a.example.com")
    loaded = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    Path(key).write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    assert key_mismatch(certificate, key) != ""
