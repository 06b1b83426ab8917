# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether nginx can serve with the certificate on the host, judged from facts that were gathered before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._host.url import covers
from .finding import PreflightFinding
from .variables import DeploymentInputs

CERTIFICATE, KEY = "staging_tls_certificate", "staging_tls_key"
_WARN_DAYS = "staging_tls_warn_days"
_DEFAULT_WARN_DAYS = 14


@dataclass(frozen=True)
class CertificateFile:
    """What is known of the certificate and its key."""

    problem: str = ""
    """Why they cannot be used, as a clause."""
    names: tuple[str, ...] = ()
    days_left: int | None = None
    """Whole days until it expires, negative once it has."""


def judge_certificate(
    inputs: DeploymentInputs, certificate: CertificateFile, hosts: Mapping[str, str]
) -> list[PreflightFinding]:
    """:param hosts: Names that the certificate must include, by the variable of the URL."""
    if certificate.problem:
        return [
            inputs.finding(
                "certificate-file",
                CERTIFICATE,
                f"a certificate chain that fits {KEY}",
                "repair it, or name another file",
                found=certificate.problem,
            )
        ]
    found = [
        inputs.finding(
            "certificate-name",
            variable,
            "a host that the certificate names",
            f"get a certificate for {host}, or change the URL",
            found=f"the certificate {inputs.text(CERTIFICATE)} is for {', '.join(certificate.names)}",
        )
        for variable, host in hosts.items()
        if certificate.names and not any(covers(name, host) for name in certificate.names)
    ]
    days, warn_days = certificate.days_left, inputs.get(_WARN_DAYS)
    warn_days = int(warn_days) if str(warn_days).isdigit() else _DEFAULT_WARN_DAYS
    if days is not None and days < 0:
        found.append(
            inputs.finding(
                "certificate-expired", CERTIFICATE, "a valid certificate", "renew it", found="it has expired"
            )
        )
    elif days is not None and days < warn_days:
        found.append(
            inputs.finding(
                "certificate-expires-soon",
                CERTIFICATE,
                f"a certificate that is valid for {warn_days} days or more",
                "renew it",
                found=f"it expires in {days} days",
            )
        )
    return found
