"""What is read from a certificate and its key on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.certificate import CertificateFile
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.certificate_facts import look_at_certificate


@pytest.mark.parametrize(
    "days_left", [pytest.param(30, id="valid"), pytest.param(0, id="last day"), pytest.param(-2, id="expired")]
)
def test_names_and_days_are_those_of_the_certificate(tmp_path: Path, days_left: int) -> None:
    # It expires an hour after that day.
    files = peers.make_authority(tmp_path).issue("app.example.com", first_day=-10, last_day=days_left)
    assert look_at_certificate(*files) == CertificateFile(names=("app.example.com",), days_left=days_left)


def test_a_file_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    certificate, key = peers.make_authority(tmp_path).issue("app.example.com")
    none = str(tmp_path / "none")
    assert look_at_certificate(none, key) == CertificateFile(f"there is no file {none}")
    assert look_at_certificate(certificate, none) == CertificateFile(f"there is no file {none}")


def test_a_key_of_another_certificate_is_a_problem(tmp_path: Path) -> None:
    authority = peers.make_authority(tmp_path)
    certificate, key = authority.issue("app.example.com")[0], authority.issue("api.example.com")[1]
    assert look_at_certificate(certificate, key) == CertificateFile(
        f"it cannot be used with {key} (key values mismatch)"
    )
