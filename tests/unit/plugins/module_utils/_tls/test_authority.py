# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the private authority issues, and when."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._tls.authority import (
    AUTHORITY_DAYS,
    Authority,
    AuthorityError,
    create_authority,
    create_key,
    issue,
    load_authority,
    reasons_to_issue,
)
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.verification import PolicyBuilder, Store

NOW = datetime(2030, 1, 1, tzinfo=timezone.utc)
NAMES = ["app.home.arpa", "192.0.2.7", "2001:db8::7"]


@pytest.fixture(scope="module")
def key() -> str:
    return create_key()


@pytest.fixture(scope="module")
def authority(key: str) -> Authority:
    return create_authority("Private", key, NOW)


def test_a_client_that_trusts_the_authority_accepts_its_certificate_for_each_name(authority: Authority) -> None:
    leaf = x509.load_pem_x509_certificate(issue(authority, NAMES, NOW, 397).certificate_pem.encode())
    verifier = PolicyBuilder().store(Store([authority.certificate])).time(NOW)
    for name in (x509.DNSName("app.home.arpa"), x509.IPAddress(IPv4Address("192.0.2.7"))):
        assert verifier.build_server_verifier(name).verify(leaf, [])[-1] == authority.certificate


def test_each_certificate_has_a_key_of_its_own_and_no_text_shows_one(authority: Authority) -> None:
    first, second = (issue(authority, NAMES, NOW, 30) for _ in range(2))
    assert first.key_pem != second.key_pem
    assert "PRIVATE KEY" not in repr(first) + repr(authority)


def test_the_authority_can_issue_no_other_authority(authority: Authority) -> None:
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    usage = authority.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)


def test_a_certificate_never_outlives_the_authority(authority: Authority) -> None:
    late = NOW + timedelta(days=AUTHORITY_DAYS - 10)
    assert issue(authority, NAMES, late, 397).not_after == authority.certificate.not_valid_after_utc
    with pytest.raises(AuthorityError, match="has expired"):
        issue(authority, NAMES, NOW + timedelta(days=AUTHORITY_DAYS + 2), 397)


def test_a_name_longer_than_a_common_name_can_be_issued(authority: Authority) -> None:
    name = ".".join(["a" * 40, "b" * 40, "example.com"])
    leaf = x509.load_pem_x509_certificate(issue(authority, [name], NOW, 30).certificate_pem.encode())
    assert list(leaf.subject) == []
    assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


@pytest.mark.parametrize(
    ("days", "names", "reasons"),
    [
        pytest.param(0, NAMES, (), id="new"),
        pytest.param(0, ["2001:db8:0::7", "APP.home.arpa", "192.0.2.7"], (), id="written differently"),
        pytest.param(336, NAMES, (), id="61 days left"),
        pytest.param(338, NAMES, ("it expires in 59 days",), id="59 days left"),
        pytest.param(397, NAMES, ("it has expired",), id="expired"),
        pytest.param(-1, NAMES, ("it is not valid yet",), id="not valid yet"),
        pytest.param(
            0,
            ["app.home.arpa", "api.home.arpa"],
            ("it is for app.home.arpa, 192.0.2.7, 2001:db8::7, and the public names are app.home.arpa, api.home.arpa",),
            id="other names",
        ),
    ],
)
def test_a_certificate_is_issued_when_it_is_needed(
    authority: Authority, days: int, names: list[str], reasons: tuple[str, ...]
) -> None:
    present = issue(authority, NAMES, NOW, 397).certificate_pem
    assert reasons_to_issue(authority, present, names, NOW + timedelta(days=days), 60) == reasons


def test_at_the_end_of_the_authority_no_certificate_is_issued_again_and_again(authority: Authority) -> None:
    late = NOW + timedelta(days=AUTHORITY_DAYS - 10)
    present = issue(authority, NAMES, late, 397).certificate_pem
    assert reasons_to_issue(authority, present, NAMES, late, 60) == ()


def test_a_certificate_of_another_authority_and_no_certificate_are_replaced(authority: Authority) -> None:
    other = create_authority("Private", create_key(), NOW)
    present = issue(other, NAMES, NOW, 397).certificate_pem
    assert reasons_to_issue(authority, present, NAMES, NOW, 60) == ("another authority has issued it",)
    assert reasons_to_issue(authority, "", NAMES, NOW, 60) == ("there is none yet",)
    damaged = present[:80] + "\n-----END CERTIFICATE-----\n"
    assert reasons_to_issue(authority, damaged, NAMES, NOW, 60) == (
        "it is damaged, or another authority has issued it",
    )


def test_what_a_name_of_the_host_holds_does_not_reach_a_message_as_it_is(authority: Authority) -> None:
    builder = x509.CertificateBuilder(
        subject_name=x509.Name([]),
        issuer_name=authority.certificate.subject,
        public_key=authority.key.public_key(),
        serial_number=1,
        not_valid_before=NOW,
        not_valid_after=NOW + timedelta(days=90),
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName("a\x1b[31m{{ x }}\n")]), critical=True)
    present = builder.sign(authority.key, SHA256()).public_bytes(Encoding.PEM).decode()
    (reason,) = reasons_to_issue(authority, present, ["app.home.arpa"], NOW, 60)
    assert reason == "it is for a??31m???x????, and the public names are app.home.arpa"


def test_an_authority_is_read_again(authority: Authority, key: str) -> None:
    assert load_authority(authority.certificate_pem, key).fingerprint == authority.fingerprint
    assert len(authority.fingerprint) == 95


def test_texts_that_are_no_authority_are_refused(authority: Authority, key: str) -> None:
    leaf = issue(authority, NAMES, NOW, 30)
    secret = authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for certificate, private, found in (
        (leaf.certificate_pem, leaf.key_pem, "not one of an authority"),
        ("nonsense", key, "damaged"),
        (authority.certificate_pem, "nonsense", "has a key that is damaged"),
        (authority.certificate_pem, create_key(), "does not belong"),
    ):
        with pytest.raises(AuthorityError, match=found) as raised:
            load_authority(certificate, private)
        assert secret not in str(raised.value)
