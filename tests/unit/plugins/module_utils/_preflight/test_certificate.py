"""Whether nginx can serve with the certificate on the host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.certificate import (
    CertificateFile,
    judge_certificate,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs
from bad_inputs import GOOD, TLS

HOSTS = {"staging_public_url": "app.example.com"}
FILE = 'staging_tls_certificate is "/etc/ssl/a.pem", but '


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"names": ("*.example.com",), "days_left": 14}, id="wildcard, 14 days"),
        pytest.param({"names": ("other.example.com", "app.example.com")}, id="the name itself"),
        pytest.param({}, id="not readable in detail"),
    ],
)
def test_a_certificate_that_can_be_used(facts: dict[str, Any]) -> None:
    assert judge_certificate(DeploymentInputs({**GOOD, **TLS}), CertificateFile(**facts), HOSTS) == []


@pytest.mark.parametrize(
    ("facts", "name", "level", "sentence"),
    [
        pytest.param(
            {"problem": "there is no file /x", "days_left": -1},
            "certificate-file",
            "error",
            FILE + "there is no file /x; expected a certificate chain that fits staging_tls_key; repair it, or name "
            "another file",
            id="missing",
        ),
        pytest.param(
            {"names": ("b.example.com", "c.example.com")},
            "certificate-name",
            "error",
            'staging_public_url is "https://app.example.com", but the certificate /etc/ssl/a.pem is for b.example.com, '
            "c.example.com; expected a host that the certificate names; get a certificate for app.example.com, or "
            "change the URL",
            id="another name",
        ),
        pytest.param(
            {"days_left": -1},
            "certificate-expired",
            "error",
            FILE + "it has expired; expected a valid certificate; renew it",
            id="expired",
        ),
        pytest.param(
            {"days_left": 13},
            "certificate-expires-soon",
            "warning",
            FILE + "it expires in 13 days; expected a certificate that is valid for 14 days or more; renew it",
            id="soon",
        ),
    ],
)
def test_a_certificate_that_cannot_be_used(facts: dict[str, Any], name: str, level: str, sentence: str) -> None:
    (found,) = judge_certificate(DeploymentInputs({**GOOD, **TLS}), CertificateFile(**facts), HOSTS)
    assert (found.name, found.level, found.sentence) == (name, level, sentence)
